"""Verifying files of reports (批量核验): handed in, queued, deleted when the receiver or the settings say so."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.audit.actions import record_event
from xinzheng.apps.codes.batch_files import CheckLine
from xinzheng.apps.codes.batch_seals import CheckKey
from xinzheng.apps.codes.models import BatchCheck, Receiver
from xinzheng.apps.codes.receivers import refusals_to_check_batches
from xinzheng.core.errors import XinzhengError

QUEUED, RUNNING, DONE, FAILED = "queued", "running", "done", "failed"
OPEN_STATES = (QUEUED, RUNNING)
OPEN_AT_MOST = 3
STALE, GIVEN_UP_AFTER = timedelta(minutes=5), timedelta(days=1)
TOO_LATE = "一天里没有核验完，已经停止。请重新上传；仍不成功的，请联系信用办。"
KIND = "batch-check"


class BatchCheckError(XinzhengError):
    """A file is not verified; nothing was kept."""

    code = "batch-check-refused"


@dataclass(frozen=True, slots=True)
class HandedIn:
    """A file that was handed in (上传的核验文件): its lines and name; its number makes a second click nothing."""

    id: uuid.UUID
    file_name: str
    lines: Sequence[CheckLine]


@transaction.atomic
def queue_check(handed: HandedIn, receiver: Receiver | None, *, account: Account) -> BatchCheck:
    """Keep the lines, sealed, and have them verified behind the scenes. The same number again gives the same check.

    Raises ``batch-check-refused``: not this account's to do, or too many files of its receiver wait already.
    """
    refusals = refusals_to_check_batches(account, receiver)
    if refusals or receiver is None:
        raise BatchCheckError("\n".join(refusals))
    Receiver.objects.select_for_update().get(pk=receiver.pk)  # one after the other, so that what waits is counted
    before = BatchCheck.objects.filter(pk=handed.id).first()
    if before is not None and before.receiver_id == receiver.pk:
        return before
    if before is not None:
        raise BatchCheckError("这个页面已经失效，请重新打开“批量核验”再上传。")
    if BatchCheck.objects.filter(receiver=receiver, state__in=OPEN_STATES).count() >= OPEN_AT_MOST:
        raise BatchCheckError(f"本单位已有{OPEN_AT_MOST}个文件在核验，请等其中一个完成后再上传。")
    made = _created(handed, receiver, account)
    facts = {"receiver": receiver.pk, "lines": made.lines}
    record_event(who=account.actor, action="batch-check-asked", object_kind=KIND, object_id=made.pk, details=facts)
    queue_work(made.pk)
    return made


def _created(handed: HandedIn, receiver: Receiver, account: Account) -> BatchCheck:
    key = CheckKey.fresh(handed.id)
    return BatchCheck.objects.create(
        id=handed.id,
        receiver=receiver,
        account_id=account.pk,
        file_name=handed.file_name,
        wrapped_key=key.wrapped(),
        asked_ct=key.seal([[one.line, one.number, one.code, one.qr, one.fault] for one in handed.lines], "asked"),
        lines=len(handed.lines),
    )


def queue_work(check_id: uuid.UUID) -> None:
    """Have the check worked on. Twice does no harm: what one does the other leaves alone."""
    from xinzheng.apps.codes.tasks_batches import work_on_batch_check

    work_on_batch_check.defer(check_id=str(check_id))


def requeue_checks() -> int:
    """Queue again what no task works on any more, how many; what is a day old is given up.

    A task whose worker was killed is taken over by itself, and counts as at work until then.
    """
    from xinzheng.apps.codes.tasks_batches import work_on_batch_check

    now = timezone.now()
    waiting = BatchCheck.objects.filter(state__in=OPEN_STATES)
    waiting.filter(created_at__lt=now - GIVEN_UP_AFTER).update(
        state=FAILED, message=TOO_LATE, asked_ct=b"", answer_ct=None
    )
    at_work = ProcrastinateJob.objects.filter(task_name=work_on_batch_check.name, status__in=("todo", "doing"))
    known = {job["check_id"] for job in at_work.values_list("args", flat=True)}
    stale = waiting.filter(created_at__lt=now - STALE).values_list("pk", flat=True)
    left = [check_id for check_id in stale if str(check_id) not in known]
    for check_id in left:
        queue_work(check_id)
    return len(left)


@transaction.atomic
def delete_check(check_id: uuid.UUID, *, by: str) -> None:
    """Delete a check and its answers at once (删除核验结果); one that is being worked on stops after its slice."""
    deleted, _ = BatchCheck.objects.filter(pk=check_id).delete()
    if deleted:
        record_event(who=by, action="batch-check-deleted", object_kind=KIND, object_id=check_id)


@transaction.atomic
def forget_batch_checks() -> int:
    """Delete files and answers once ``XINZHENG_KEEP_CHECK_DAYS`` are over; how many. The looks stay."""
    before = timezone.now() - timedelta(days=settings.XINZHENG_KEEP_CHECK_DAYS)
    deleted, _ = BatchCheck.objects.filter(created_at__lt=before).delete()
    if deleted:
        facts = {"count": deleted, "days": settings.XINZHENG_KEEP_CHECK_DAYS}
        record_event(
            who="system", action="batch-checks-deleted", object_kind="retention", object_id=KIND, details=facts
        )
    return deleted

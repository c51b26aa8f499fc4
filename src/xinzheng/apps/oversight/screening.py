"""Screening lists of subjects (名单核查): asked for on a legal basis, queued, called off, deleted after days."""

import uuid
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.audit.actions import record_event
from xinzheng.apps.audit.privacy import UnkeepableTextError, text_to_keep
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.oversight.errors import OversightError
from xinzheng.apps.oversight.models import ScreenedSubject, Screening, ScreeningPiece, ScreeningWork
from xinzheng.apps.oversight.permissions import refusals_to_screen
from xinzheng.apps.oversight.screening_files import ScreeningList, read_list
from xinzheng.apps.oversight.screening_seals import ASKED, ScreeningKey, in_pieces
from xinzheng.apps.registry.queries import responsibilities_at
from xinzheng.apps.reports.packs import current_policy
from xinzheng.core.decision import check_in_force, china_date

KIND = "screening"
QUEUED, RUNNING, DONE, FAILED = "queued", "running", "done", "failed"
OPEN_STATES = (QUEUED, RUNNING)
OPEN_AT_MOST = 5
TEXT_MAX = 200
# What has to be stated, in the form's order, and what it is called there.
STATED = {"basis": "法律依据", "document": "文号或者材料名称", "purpose": "核查事由", "asked_for": "提出核查的单位"}
CALLED_OFF = "已取消，没有保存结果。"
LEFT_BEHIND = "核查中断，没有完成，也没有保存结果。请重新提交；仍不成功的，请联系系统管理员。"
STALE = timedelta(minutes=10)


class ScreeningError(OversightError):
    """A list is not screened; nothing was kept. ``field``: what has to be mended, where the form has it."""

    code = "screening-refused"


@dataclass(frozen=True, slots=True)
class NewScreening:
    """What is asked (核查申请): under which policy, on what basis and document, why, for which body, whom.

    ``file``: the list; ``name``: what it is called in errors. Of the file only codes and its digest are kept.
    """

    policy_id: str
    basis: str
    document: str
    purpose: str
    asked_for: str
    file: Path
    name: str


def ask(new: NewScreening, *, account: Account, key: uuid.UUID) -> Screening:
    """Keep the list, sealed, and have it screened behind the scenes. The same key again gives the same screening.

    Raises:
        ScreeningError: ``screening-refused``: not this account's to do, or too many lists wait;
            ``screening-without-basis``: basis, document, purpose or asking body is missing; ``text-not-kept``: one of
            them is too long or holds a person's number.
        ScreeningListError: see :func:`~xinzheng.apps.oversight.screening_files.read_list`.
        RefusedError: the policy is unknown or not in force, or nobody answers under it.
    """
    refusals = refusals_to_screen(account)
    if refusals:
        raise ScreeningError("\n".join(refusals))
    before = Screening.objects.filter(pk=key).first()
    if before is not None:
        return _same(before, account)
    stated = stated_of(new)
    check_policy(new.policy_id)
    if ScreeningWork.objects.filter(state__in=OPEN_STATES).count() >= OPEN_AT_MOST:
        raise ScreeningError(f"已有{OPEN_AT_MOST}个名单在排队，请等其中一个完成后再提交。")
    listed = read_list(new.file, new.name)
    return _kept(Screening(pk=key, policy_id=new.policy_id, account_id=account.pk, **stated), listed, account)


@transaction.atomic
def _kept(asked: Screening, listed: ScreeningList, account: Account) -> Screening:
    """Keep it with its list, unless somebody was first with its key."""
    facts = {name: getattr(asked, name) for name in ("policy_id", "account_id", *STATED)}
    facts |= {"lines": len(listed.lines), "list_sha256": listed.sha256}
    made, is_new = Screening.objects.get_or_create(pk=asked.pk, defaults=facts)
    if not is_new:
        return _same(made, account)
    sealing = ScreeningKey.fresh(made.pk)
    ScreeningWork.objects.create(screening=made, wrapped_key=sealing.wrapped())
    pieces = enumerate(in_pieces([line.line, line.code, line.fault] for line in listed.lines))
    sealing.store(ASKED, (sealing.sealed(ASKED, place, piece) for place, piece in pieces))
    _tell_asked(made, account)
    queue_work(made.pk)
    return made


def stated_of(new: NewScreening) -> dict[str, str]:
    """Basis, document, purpose and asking body as they are kept for good.

    Raises ScreeningError ``screening-without-basis``, ``text-not-kept``.
    """
    stated = {}
    for field, words in STATED.items():
        try:
            kept = text_to_keep(getattr(new, field), field=words, most=TEXT_MAX)
        except UnkeepableTextError as error:
            raise ScreeningError(error.message, code=error.code, field=field) from error
        if not kept:
            message = f"没有写明{words}。名单核查须有法律依据、文号、事由和提出单位，请补充。"
            raise ScreeningError(message, code="screening-without-basis", field=field)
        stated[field] = kept
    return stated


def check_policy(policy_id: str) -> None:
    """See that lists can be screened under the policy today. Raises RefusedError, ScreeningError."""
    policy = current_policy(policy_id)
    check_in_force(policy, china_date(timezone.now()))
    if not responsibilities_at(policy_id, head_position()):
        message = f"“{policy.title}”的责任单位还没有登记，不能核查；请先运行 xinzheng city init。"
        raise ScreeningError(message, code="deployment-not-applied", field="policy")


def queue_work(screening_id: uuid.UUID) -> None:
    """Have the screening worked on, behind those that wait already."""
    from xinzheng.apps.oversight.tasks_screening import screen

    screen.defer(screening_id=str(screening_id))


@transaction.atomic
def call_off(screening_id: uuid.UUID, *, account: Account) -> bool:
    """Call a screening off (取消) that waits or runs; one that runs ends by itself and keeps nothing. False: too late.

    Raises ScreeningError: not this account's to do.
    """
    refusals = refusals_to_screen(account)
    if refusals:
        raise ScreeningError("\n".join(refusals))
    if not fail(screening_id, CALLED_OFF):
        return False
    record_event(who=account.actor, action="screening-called-off", object_kind=KIND, object_id=screening_id)
    return True


def fail(screening_id: uuid.UUID, message: str) -> bool:
    """End a screening without an answer, and delete its list; False where it was over already."""
    open_ones = ScreeningWork.objects.filter(pk=screening_id, state__in=OPEN_STATES)
    changed = open_ones.update(state=FAILED, message=message, wrapped_key=b"", done_at=timezone.now())
    if changed:
        ScreeningPiece.objects.filter(screening_id=screening_id).delete()
    return bool(changed)


def end_left_behind() -> int:
    """End what no task works on any more; how many. A task whose worker was killed is taken over by itself."""
    from xinzheng.apps.oversight.tasks_screening import screen

    at_work = ProcrastinateJob.objects.filter(task_name=screen.name, status__in=("todo", "doing"))
    known = {job["screening_id"] for job in at_work.values_list("args", flat=True)}
    stale = ScreeningWork.objects.filter(state__in=OPEN_STATES, screening__at__lt=timezone.now() - STALE)
    return sum(fail(key, LEFT_BEHIND) for key in stale.values_list("pk", flat=True) if str(key) not in known)


@transaction.atomic
def forget_old(today: date) -> int:
    """Delete lists and answers once ``XINZHENG_KEEP_SCREENING_DAYS`` are over, how many; basis and figures stay.

    That a subject was on a list is told as long as a look is (``XINZHENG_KEEP_VIEW_DAYS``).
    """
    kept = today - timedelta(days=settings.XINZHENG_KEEP_SCREENING_DAYS)
    old = ScreeningWork.objects.exclude(wrapped_key=b"").exclude(state__in=OPEN_STATES)
    keys = list(old.filter(screening__at__date__lt=kept).values_list("pk", flat=True))
    ScreeningPiece.objects.filter(screening_id__in=keys).delete()
    ScreeningWork.objects.filter(pk__in=keys).update(wrapped_key=b"")
    told = today - timedelta(days=settings.XINZHENG_KEEP_VIEW_DAYS)
    ScreenedSubject.objects.filter(screening__at__date__lt=told).delete()
    if keys:
        facts = {"count": len(keys), "days": settings.XINZHENG_KEEP_SCREENING_DAYS}
        record_event(who="system", action="screenings-deleted", object_kind="retention", object_id=KIND, details=facts)
    return len(keys)


def _same(before: Screening, account: Account) -> Screening:
    if before.account_id != account.pk:
        raise ScreeningError("这个页面已经失效，请重新打开“名单核查”再提交。")
    return before


def _tell_asked(made: Screening, account: Account) -> None:
    facts = {"policy": made.policy_id, "lines": made.lines, "list": bytes(made.list_sha256).hex()}
    facts |= {field: getattr(made, field) for field in STATED}
    record_event(who=account.actor, action="screening-asked", object_kind=KIND, object_id=made.pk, details=facts)

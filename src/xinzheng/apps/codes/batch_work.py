"""Working off a file of reports (批量核验) in slices of a hundred.

A slice's looks, its answers and how far the check is are one transaction: whenever a worker is killed, a look is there
exactly when its answer is, and whoever comes next goes on from there.
"""

import uuid
from dataclasses import dataclass

from django.db import InterfaceError, InternalError, OperationalError, connection, transaction
from django.utils import timezone

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.codes.batch_answers import opened_slices, sealed_slice, sealed_whole, slice_of
from xinzheng.apps.codes.batch_files import CheckLine
from xinzheng.apps.codes.batch_seals import CheckKey, framed
from xinzheng.apps.codes.batches import DONE, FAILED, OPEN_STATES, BatchCheckError, queue_work
from xinzheng.apps.codes.models import BatchCheck
from xinzheng.apps.codes.receivers import refusals_to_check_batches
from xinzheng.apps.reports.batch_verification import BATCH_AT_MOST, verify_batch

# Then others in the queue get a turn.
SLICES_AT_ONCE = 20
UNEXPECTED = "核验时发生意外，没有完成。请重新上传；仍不成功的，请联系信用办。"
# The database went away or is full (then looks are not written, and their transaction is lost): it is tried again.
PASSING = (OperationalError, InterfaceError, InternalError)

ANSWERED = """
UPDATE codes_batchcheck SET state = 'running', done = %s, answer_ct = coalesce(answer_ct, ''::bytea) || %s::bytea
WHERE id = %s
"""


@dataclass(frozen=True, slots=True)
class _Job:
    """A check with its key and all its lines, read once for many slices."""

    id: uuid.UUID
    receiver_id: int
    key: CheckKey
    lines: list[CheckLine]


def by_receiver(receiver_id: int) -> str:
    """How a look names the receiver that asked."""
    return f"receiver:{receiver_id}"


def work_on(check_id: uuid.UUID) -> None:
    """Work off some slices of a check and queue the rest; after the last one put the table together.

    What was settled or deleted meanwhile, or is in other hands, is left alone.
    """
    try:
        job = _opened(check_id)
        if job is None:
            return
        for _ in range(SLICES_AT_ONCE):
            if not _work_on_slice(job):
                break
        else:
            queue_work(check_id)
            return
        _finish(job)
    except PASSING:
        raise
    except BatchCheckError as error:
        _fail(check_id, error.message)
    except Exception:  # its words are for whoever runs the site
        _fail(check_id, UNEXPECTED)
        raise


def _opened(check_id: uuid.UUID) -> _Job | None:
    check = BatchCheck.objects.defer("answer_ct").select_related("receiver").filter(pk=check_id).first()
    if check is None or check.state not in OPEN_STATES:
        return None
    refusals = refusals_to_check_batches(Account.objects.get(pk=check.account_id), check.receiver)
    if refusals:
        raise BatchCheckError("\n".join(refusals))
    key = CheckKey.unwrapped(check.pk, check.wrapped_key)
    lines = [CheckLine(*cells) for cells in key.unseal(check.asked_ct, "asked")]
    return _Job(check.pk, check.receiver_id, key, lines)


@transaction.atomic
def _work_on_slice(job: _Job) -> bool:
    """Verify the next hundred lines; whether there were any, and nobody else is at it."""
    done = _locked(job.id)
    if done is None or done >= len(job.lines):
        return False
    lines = job.lines[done : done + BATCH_AT_MOST]
    verdicts = verify_batch([line.asked for line in lines if not line.fault], by_receiver(job.receiver_id))
    answers = sealed_slice(slice_of(lines, iter(verdicts), timezone.now()), job.key, done)
    with connection.cursor() as cursor:
        cursor.execute(ANSWERED, [done + len(lines), framed(answers), job.id])
    return True


@transaction.atomic
def _finish(job: _Job) -> None:
    """Put the table together once the last line is answered; what was asked is not needed any more."""
    if _locked(job.id) != len(job.lines):
        return
    check = BatchCheck.objects.only("answer_ct").get(pk=job.id)
    summary, kept = sealed_whole(opened_slices(bytes(check.answer_ct or b""), job.key), job.key)
    BatchCheck.objects.filter(pk=job.id).update(state=DONE, message=summary.sentence, answer_ct=kept, asked_ct=b"")


def _locked(check_id: uuid.UUID) -> int | None:
    """How far the check is, its row ours until the transaction ends; None where it is over or somebody else's."""
    open_ones = BatchCheck.objects.filter(pk=check_id, state__in=OPEN_STATES)
    return open_ones.select_for_update(skip_locked=True).values_list("done", flat=True).first()


def _fail(check_id: uuid.UUID, message: str) -> None:
    open_ones = BatchCheck.objects.filter(pk=check_id, state__in=OPEN_STATES)
    open_ones.update(state=FAILED, message=message, asked_ct=b"", answer_ct=None)

"""What a report prints of records (所列记录), and what upheld objections do to it.

A unit that rewords a record by itself supersedes nothing as long as the result stands. An upheld objection does: what
the subject was right about must not be shown any longer.
"""

from django.db import connection

from xinzheng.apps.audit.models import Position
from xinzheng.apps.ledger.delivery import CORRECTION
from xinzheng.apps.ledger.models import Batch, RecordVersion, RecordWithdrawal
from xinzheng.apps.reports.flagging import IS_OPEN, TOUCH
from xinzheng.apps.reports.models import StatusEvent
from xinzheng.apps.reports.scopes import OBJECTION
from xinzheng.core.lifecycle import ReportStatus

FLAG = f"""
    INSERT INTO reports_reviewflag (report_id, entry_id, why, flagged_at, answer)
    SELECT s.report_id, %(entry)s, '{OBJECTION}', clock_timestamp(), ''
    FROM reports_reporttie t
    JOIN reports_reportscope s ON s.report_id = t.report_id
    JOIN audit_position p ON p.entry_id = %(entry)s
    WHERE t.subject_id = %(subject)s AND s.position < p.position AND {IS_OPEN}
    {TOUCH}
"""  # noqa: S608


def flag_printed(subject_id: int, entry_id: int) -> int:
    """Have every report of a subject that an upheld objection's entry may touch compared by what it prints, too.

    The subject's own reports, and those that weigh its records for a successor. Corrections and withdrawn records are
    found without being told of; this is for what a unit had delivered in its usual way. How many were flagged.
    """
    with connection.cursor() as cursor:
        cursor.execute(FLAG, {"subject": subject_id, "entry": entry_id})
        return int(cursor.rowcount)


def superseded_by(entry_id: int) -> list[str]:
    """The reports that an upheld objection superseded, by number.

    An objection may take one record out and bring another in: what either did is named, whichever entry is asked for.
    """
    entries = [entry_id, *_beside(entry_id)]
    found = StatusEvent.objects.filter(status=ReportStatus.SUPERSEDED, caused_by__in=entries)
    return sorted(found.values_list("report_id", flat=True))


def last_of_act(position: int) -> int:
    """The last position of what was done at one, where a record was taken out and another brought in at once."""
    place = Position.objects.get(position=position)
    after = Position.objects.filter(position=position + 1).first()
    return position + 1 if after is not None and after.entry_id in _beside(place.entry_id) else position


def _beside(entry_id: int) -> list[int]:
    """The entry of the other half: a withdrawal and a correction of one subject at positions next to each other.

    Whoever takes a position lets nobody else have the next one before the transaction is over.
    """
    place = Position.objects.filter(entry_id=entry_id).first()
    if place is None or (half := _half(entry_id)) is None:
        return []
    near = Position.objects.filter(position__in=(place.position - 1, place.position + 1))
    halves = {other: _half(other) for other in near.values_list("entry_id", flat=True)}
    return [other for other, found in halves.items() if found == (not half[0], half[1])]


def _half(entry_id: int) -> tuple[bool, int] | None:
    """Whether an entry withdraws a record or corrects one, and whose; None for any other entry."""
    withdrawn = RecordWithdrawal.objects.filter(pk=entry_id).values_list("subject_id", flat=True).first()
    if withdrawn is not None:
        return True, withdrawn
    if not Batch.objects.filter(pk=entry_id, mode=CORRECTION).exists():
        return None
    subject = RecordVersion.objects.filter(batch_id=entry_id).values_list("subject_id", flat=True).first()
    return None if subject is None else (False, subject)

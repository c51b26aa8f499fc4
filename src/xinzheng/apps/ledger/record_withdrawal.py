"""Withdrawing one record (撤下记录), and marking one as disputed (异议标注): what objections do to single records."""

from dataclasses import dataclass

from django.db import transaction
from psycopg import sql

from xinzheng.apps.audit.actions import About, open_entry, record_event, take_position
from xinzheng.apps.ledger.errors import IntakeError
from xinzheng.apps.ledger.merge import begin_merging_soon
from xinzheng.apps.ledger.models import RecordDispute, RecordHead, RecordWithdrawal
from xinzheng.apps.ledger.reasons import check_reason
from xinzheng.apps.ledger.staging import execute, rows_of
from xinzheng.apps.ledger.withdrawal import CONTENT

# The version that says so names its own entry as its batch: no batch delivered it, and the review finds it by that.
WRITE_GONE = sql.SQL("""
    INSERT INTO ledger_recordversion (record_id, subject_id, entry_id, batch_id, line, unit_id, is_present, {content})
    SELECT v.record_id, v.subject_id, %(entry)s, %(entry)s, 0, v.unit_id, false, {content_of}
    FROM ledger_recordversion v WHERE v.id = %(version)s AND v.subject_id = %(subject)s
    RETURNING id
""")
MOVE_HEAD = sql.SQL("""
    UPDATE ledger_recordhead SET version_id = %(version)s, payload_sha256 = NULL
    WHERE record_id = %(record)s AND subject_id = %(subject)s
""")


@dataclass(frozen=True)
class Withdrawn:
    """What a withdrawal of a record did: its entry and position, and the version that says it is gone."""

    entry: int
    position: int
    version: int


@transaction.atomic
def withdraw_record(*, record_id: int, seen_version: int, reason: str, by: str) -> Withdrawn:
    """Take one record out; earlier positions still read it.

    What was delivered before does not come back by itself, neither by withdrawing a later batch nor by confirming a
    held one; whoever delivers the record after this brings it back, but a return does not.

    Raises:
        IntakeError: ``record-moved-on`` when it says something else by now than what was looked at, or is gone;
            ``ledger-busy``; as of :func:`~xinzheng.apps.ledger.reasons.check_reason`.
    """
    check_reason(reason, "撤下记录须写明原因。")
    begin_merging_soon()
    head = RecordHead.objects.filter(record_id=record_id).first()
    if head is None or head.version_id != seen_version or head.payload_sha256 is None:
        raise IntakeError("这条记录在你查看以后已经变动，请刷新后重新核对。", code="record-moved-on")
    entry = open_entry(kind="record-withdrawn", by=by, unit_id=head.unit_id, note={"record": record_id})
    names = [name.strip() for name in CONTENT.split(",")]
    content = sql.SQL(", ").join(map(sql.Identifier, names))
    content_of = sql.SQL(", ").join(sql.Identifier("v", name) for name in names)
    values = {"entry": entry.pk, "record": record_id, "subject": head.subject_id}
    ((version,),) = rows_of(
        WRITE_GONE.format(content=content, content_of=content_of), values | {"version": head.version_id}
    )
    RecordWithdrawal.objects.create(
        entry=entry, record_id=record_id, subject_id=head.subject_id, unit_id=head.unit_id, version_id=version,
        reason=reason,
    )  # fmt: skip
    execute(MOVE_HEAD, values | {"version": version})
    about = About(head.subject_id)
    record_event(who=by, action="record-withdrawn", object_kind="record", object_id=record_id, details=about)
    return Withdrawn(entry.pk, take_position(entry), version)


@transaction.atomic
def mark_disputed(*, record_id: int, subject_id: int, reference: str, is_open: bool, by: str) -> int:
    """Say that a record is under an objection from here on, or no longer; returns the position.

    In a transaction that also corrects or withdraws, call this last: who holds the lock of positions may not ask for
    that of the merge.
    """
    entry = open_entry(kind="record-disputed", by=by, note={"record": record_id, "open": is_open})
    RecordDispute.objects.create(
        entry=entry, record_id=record_id, subject_id=subject_id, is_open=is_open, reference=reference
    )
    action = "record-disputed" if is_open else "record-dispute-ended"
    about = About(subject_id, details={"objection": reference})
    record_event(who=by, action=action, object_kind="record", object_id=record_id, details=about)
    return take_position(entry)

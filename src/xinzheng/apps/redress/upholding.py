"""Upholding objections (异议成立): the unit that answers corrects the ledger in the objection's own transaction."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from django.db import transaction

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.ledger.corrections import CorrectedRow, CurrentRow, current_row, submit_correction
from xinzheng.apps.ledger.errors import IntakeError
from xinzheng.apps.ledger.merge import begin_merging_soon
from xinzheng.apps.ledger.models import RecordHead, RecordVersion
from xinzheng.apps.ledger.record_withdrawal import withdraw_record
from xinzheng.apps.redress.errors import RedressError
from xinzheng.apps.redress.evidence import Found
from xinzheng.apps.redress.handling import may_move, reason_of
from xinzheng.apps.redress.models import Correction
from xinzheng.apps.redress.stepping import Corrected, Held, Taking, hold_objection, write_step
from xinzheng.apps.registry.queries import units_at
from xinzheng.apps.reports.printed import flag_printed
from xinzheng.core.objections import Act, Ground

What = Correction.What
# What may be done about which ground; what is not the subject's cannot be reworded into being so.
BY_GROUND: Mapping[Ground, tuple[What, ...]] = MappingProxyType(
    {
        Ground.WRONG: (What.CHANGED, What.REPLACED, What.REMOVED),
        Ground.NOT_MINE: (What.REMOVED,),
        Ground.OVER_PERIOD: (What.TAKEN_DOWN, What.CHANGED, What.REMOVED),
        Ground.MISSING: (),
    }
)


@dataclass(frozen=True, slots=True)
class Upholding:
    """How an objection is upheld (更正方式), looking at its step ``seen_seq`` and the record's ``seen_version``.

    ``changed`` and ``replaced`` come with the row as it should be (``values`` by field id), or with the batch in which
    the unit has delivered it by now (``batch_id``).
    """

    number: str
    seen_seq: int
    what: What
    reason: str
    values: Mapping[str, str] | None = None
    batch_id: int | None = None
    seen_version: int | None = None
    files: Sequence[Found] = ()


@transaction.atomic
def uphold(upholding: Upholding, *, account: Account) -> Correction:
    """Uphold and correct, or nothing of either.

    Raises:
        RedressError: as :func:`~xinzheng.apps.redress.handling.take_step`; ``correction-unfit``: not for this ground,
            or neither row nor batch; ``batch-corrects-nothing``: the batch named does not say anything else.
        IntakeError: ``correction-rejected``, ``correction-unchanged``, ``record-moved-on``, ``unknown-record``,
            ``ledger-busy``.
    """
    held = hold_objection(upholding.number)
    move = may_move(held, Act.UPHOLD, upholding.seen_seq, account)
    reason = reason_of(move, upholding.reason)
    if upholding.what not in BY_GROUND[Ground(held.objection.ground)]:
        raise _unfit("这种更正方式不适用于这一事由，请另选一种。")
    # Before any position is taken: who holds the lock of positions may not ask for that of the merge.
    begin_merging_soon()
    correct = WAYS[upholding.what]
    corrected = correct(_Case(held, upholding, reason, account.actor))
    taking = Taking(Act.UPHOLD, reason=reason, files=upholding.files, corrected=corrected)
    step = write_step(held, taking, by=account.actor)
    if corrected.entry_id is not None:
        # What was done here is found by itself; what the unit had done before, in its usual way, is not.
        flag_printed(corrected.subject_id, corrected.entry_id)
    return Correction.objects.get(step=step)


@dataclass(frozen=True, slots=True)
class _Case:
    held: Held
    upholding: Upholding
    reason: str
    by: str

    @property
    def unit_uscc(self) -> str:
        return units_at(head_position())[self.unit_id].uscc

    @property
    def unit_id(self) -> int:
        unit_id = self.held.unit_id
        assert unit_id is not None
        return unit_id

    @property
    def record_id(self) -> int:
        record_id = self.held.objection.record_id
        assert record_id is not None
        return record_id

    def row(self) -> CurrentRow:
        """What the record says now, which has to be what was looked at."""
        row, seen = current_row(self.record_id), self.upholding.seen_version
        if seen is not None and row.version_id != seen:
            raise IntakeError("这条记录在你查看以后已经变动，请刷新后重新核对。", code="record-moved-on")
        return row


def _changed(case: _Case) -> Corrected:
    """The record says something else: by the row given, or by what the unit has delivered since."""
    row = case.row()
    if case.upholding.batch_id is not None:
        return _delivered_since(case, row)
    if row.unit_id != case.unit_id:
        # Handed over: no unit overwrites another's live record; taken out, it comes back as the new unit's.
        withdraw_record(record_id=row.record_id, seen_version=row.version_id, reason=case.reason, by=case.by)
    done = submit_correction(_corrected(case, row, row.record_id), by=case.by)
    return _as_it_is(row.record_id, done.batch)


def _replaced(case: _Case) -> Corrected:
    """Another record stands in its place: that one comes in, this one goes."""
    row, batch_id = case.row(), case.upholding.batch_id
    if batch_id is None:
        batch_id = submit_correction(_corrected(case, row, None), by=case.by).batch
    other = _only_version(batch_id, row, case.unit_id)
    gone = withdraw_record(record_id=row.record_id, seen_version=row.version_id, reason=case.reason, by=case.by)
    made = _as_it_is(other.record_id, batch_id)
    return Corrected(What.REPLACED, made.subject_id, made.record_id, gone.entry, batch_id, made.payload_sha256)


def _removed(case: _Case) -> Corrected:
    """The record is gone: taken out now, or by the unit before."""
    head = RecordHead.objects.get(record_id=case.record_id)
    if head.payload_sha256 is None:
        gone = RecordVersion.objects.get(pk=head.version_id)
        return Corrected(What.REMOVED, head.subject_id, head.record_id, gone.entry_id)
    row = case.row()
    done = withdraw_record(record_id=row.record_id, seen_version=row.version_id, reason=case.reason, by=case.by)
    return Corrected(What.REMOVED, row.subject_id, row.record_id, done.entry)


def _taken_down(case: _Case) -> Corrected:
    """It is published no longer; what the ledger says of it was right."""
    row = case.row()
    return Corrected(What.TAKEN_DOWN, row.subject_id, row.record_id)


WAYS: Mapping[What, Callable[[_Case], Corrected]] = MappingProxyType(
    {What.CHANGED: _changed, What.REPLACED: _replaced, What.REMOVED: _removed, What.TAKEN_DOWN: _taken_down}
)


def _corrected(case: _Case, row: CurrentRow, record_id: int | None) -> CorrectedRow:
    if case.upholding.values is None:
        raise _unfit("请填写更正后的内容，或者写明已另行报送的批次。")
    return CorrectedRow(row.subject_id, row.domain, row.kind, case.unit_uscc, case.upholding.values, record_id)


def _delivered_since(case: _Case, row: CurrentRow) -> Corrected:
    """What the batch named made of the record, once it is sure that the record says something else by it."""
    version = RecordVersion.objects.get(pk=row.version_id)
    if version.batch_id != case.upholding.batch_id or version.pk == case.held.objection.version_id:
        message = f"批次{case.upholding.batch_id}没有更正这条记录。请核对批次号，或者在这里填写更正后的内容。"
        raise RedressError(message, code="batch-corrects-nothing")
    return _as_it_is(row.record_id, version.batch_id)


def _only_version(batch_id: int, row: CurrentRow, unit_id: int) -> RecordVersion:
    """The one other record of the subject that a batch holds: of the unit that upholds, and as it still stands."""
    found = RecordVersion.objects.filter(batch_id=batch_id, subject_id=row.subject_id, kind=row.kind, is_present=True)
    standing = RecordHead.objects.filter(subject_id=row.subject_id, unit_id=unit_id, payload_sha256__isnull=False)
    others = list(found.filter(pk__in=standing.values("version_id")).exclude(record_id=row.record_id))
    if len(others) != 1:
        message = f"批次{batch_id}里没有替换这条记录的唯一一条。只是改正内容的，请选择更正内容。"
        raise RedressError(message, code="batch-corrects-nothing")
    return others[0]


def _as_it_is(record_id: int, batch_id: int) -> Corrected:
    head = RecordHead.objects.get(record_id=record_id)
    entry_id = RecordVersion.objects.values_list("entry_id", flat=True).get(pk=head.version_id)
    digest = bytes(head.payload_sha256) if head.payload_sha256 is not None else None
    return Corrected(What.CHANGED, head.subject_id, record_id, entry_id, batch_id, digest)


def _unfit(message: str) -> RedressError:
    return RedressError(message, code="correction-unfit")

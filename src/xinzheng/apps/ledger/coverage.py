"""Coverage statements (归集覆盖声明): made with a delivery or as a zero return, and taken back.

Who brings the records of many units (数据回流) states coverage for each of them, one statement a unit.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection, transaction
from psycopg import sql

from xinzheng.apps.audit.actions import open_entry, record_event, take_position
from xinzheng.apps.audit.models import Entry
from xinzheng.apps.ledger.delivery import Answering, Scope, answering, check_period
from xinzheng.apps.ledger.errors import CoverageError
from xinzheng.apps.ledger.mending import PENDING_NOW
from xinzheng.apps.ledger.models import CoverageStatement, CoverageWithdrawal
from xinzheng.apps.ledger.reasons import check_reason
from xinzheng.apps.ledger.record_days import RECORD_DAY
from xinzheng.apps.ledger.statements import Piece, Stated, open_pieces_of, overlap, remainders

# Heads tell at once what is live; the day is the one the window looks at. Arrears speak of a state, not of days.
ANY_LIVE = f"""
    SELECT u.id FROM unnest(%(units)s::bigint[]) AS u (id) WHERE EXISTS (
        SELECT 1 FROM ledger_recordhead h
        JOIN ledger_recordversion v ON v.id = h.version_id AND v.subject_id = h.subject_id
        WHERE h.unit_id = u.id AND h.kind = %(kind)s AND v.domain = %(domain)s AND v.is_present
        AND coalesce({RECORD_DAY}, %(from)s) BETWEEN %(from)s AND %(through)s)
"""  # noqa: S608

WAITING_OF_SCOPE = sql.SQL("""
    SELECT count(*) FROM ledger_line l
    WHERE l.unit_id = ANY(%(units)s) AND l.domain = %(domain)s AND l.kind = %(kind)s AND {pending}
""").format(pending=PENDING_NOW)


@dataclass(frozen=True)
class CoverageResult:
    """What became of a statement: ``statements`` made or withdrawn, whether all were zero returns, its position."""

    entry: int
    position: int
    statements: int
    is_zero: bool = False


@dataclass(frozen=True)
class _Standing:
    """A statement with its position; ``is_open`` unless it or its batch was withdrawn."""

    statement: CoverageStatement
    position: int
    is_open: bool

    @property
    def stated(self) -> Stated:
        """For counting what of it still speaks."""
        found = self.statement
        is_returned = found.source_unit_id is not None
        return Stated(found.pk, self.position, found.from_date, found.through_date, self.is_open, is_returned)


def state_coverage(
    entry: Entry, who: Answering, covers: tuple[date, date], *, batch_id: int | None
) -> list[CoverageStatement]:
    """Write the statements that belong to the entry, one for each unit spoken for, in the caller's transaction."""
    units = who.units_of(who.scope.domain, who.scope.kind)
    live = _units_with_records(who, units, covers)
    return CoverageStatement.objects.bulk_create(
        CoverageStatement(
            entry=entry,
            unit_id=unit_id,
            domain=who.scope.domain,
            kind=who.scope.kind,
            from_date=covers[0],
            through_date=covers[1],
            is_zero=unit_id not in live,
            batch_id=batch_id,
            source_unit_id=None if unit_id == who.unit.id else who.unit.id,
        )
        for unit_id in units
    )


def _units_with_records(who: Answering, units: Sequence[int], covers: tuple[date, date]) -> set[int]:
    scope: dict[str, Any] = {"units": list(units), "kind": who.scope.kind, "domain": who.scope.domain}
    with connection.cursor() as cursor:
        cursor.execute(ANY_LIVE, scope | {"from": covers[0], "through": covers[1]})
        return {unit_id for (unit_id,) in cursor.fetchall()}


@transaction.atomic
def declare_coverage(scope: Scope, *, from_date: date, through_date: date, by: str) -> CoverageResult:
    """State that all records of the scope decided in the period are in the ledger (覆盖声明).

    It is a zero return (零报告) when no live record of the scope falls in the period.

    Raises:
        IntakeError: unknown unit, domain or kind, or the unit does not answer for it.
        CoverageError: ``coverage-reversed``, ``coverage-in-future``.
    """
    who = answering(scope)
    check_period(from_date, through_date)
    entry = open_entry(kind="coverage-declared", by=by, unit_id=who.unit.id)
    made = state_coverage(entry, who, (from_date, through_date), batch_id=None)
    details = {"statements": len(made)}
    record_event(who=by, action="coverage-declared", object_kind="coverage", object_id=made[0].pk, details=details)
    return CoverageResult(entry.pk, take_position(entry), len(made), all(statement.is_zero for statement in made))


@transaction.atomic
def declare_zero(scope: Scope, *, from_date: date, through_date: date, by: str) -> CoverageResult:
    """State that there is no record of the scope in the period (零报告), and nothing else.

    Raises:
        IntakeError, CoverageError: as :func:`declare_coverage`; ``not-a-zero-return`` when records of the scope stand
            in the period; ``lines-waiting`` when lines of it wait, for each may turn out to be one.
    """
    who = answering(scope)
    waiting = _count_waiting(who)
    if waiting:
        message = f"本单位还有{waiting}行这类数据等待改正、说明或者确认，不能作零报告。请先处理，再报。"
        raise CoverageError(message, code="lines-waiting")
    result = declare_coverage(scope, from_date=from_date, through_date=through_date, by=by)
    if not result.is_zero:
        message = "这段时间内账本里有本单位的有效记录，不是零报告，没有声明。请核对；确认完整的，作覆盖声明。"
        raise CoverageError(message, code="not-a-zero-return")
    return result


def _count_waiting(who: Answering) -> int:
    units = {who.unit.id, *who.units_of(who.scope.domain, who.scope.kind)}
    values: dict[str, Any] = {"units": list(units), "domain": who.scope.domain, "kind": who.scope.kind}
    with connection.cursor() as cursor:
        cursor.execute(WAITING_OF_SCOPE.as_string(None), values)
        return int(cursor.fetchone()[0])


@transaction.atomic
def withdraw_coverage(
    scope: Scope, *, from_date: date, through_date: date, by: str, reason: str = ""
) -> CoverageResult:
    """Take back what was stated for the period (撤回声明); what was stated outside it stays.

    Each statement that reaches into the period is withdrawn and what is left of it stated anew. A unit also takes back
    what a return said of it; no later return then speaks for these days, until the unit does. Who brings the records
    of others takes back what it said itself.

    Raises:
        IntakeError: unknown unit, domain or kind, or the unit does not answer for it.
        IntakeError: as of :func:`~xinzheng.apps.ledger.reasons.check_reason`, when a reason is given.
        CoverageError: ``coverage-reversed``; ``nothing-stated`` when no statement reaches into the period.
    """
    who, gone = answering(scope), (from_date, through_date)
    if reason:
        check_reason(reason, "")
    if from_date > through_date:
        check_period(from_date, through_date)
    standing = _standing(who)
    hit = _reaching(who, standing, gone)
    if not hit:
        message = f"{from_date:%Y-%m-%d}至{through_date:%Y-%m-%d}没有生效的覆盖声明，无需撤回。"
        raise CoverageError(message, code="nothing-stated")
    entry = open_entry(kind="coverage-withdrawn", by=by, unit_id=who.unit.id)
    for found in standing:
        if found.statement.pk in hit:
            statement, pieces = found.statement, hit[found.statement.pk]
            CoverageWithdrawal.objects.create(entry=entry, statement=statement, reason=reason)
            _restate(entry, statement, pieces, gone)
            if statement.unit_id == who.unit.id and statement.source_unit_id is not None:
                _deny(entry, statement, pieces, gone, reason)
    record_event(who=by, action="coverage-withdrawn", object_kind="unit", object_id=who.unit.id)
    return CoverageResult(entry.pk, take_position(entry), len(hit))


def _reaching(who: Answering, standing: Sequence[_Standing], period: tuple[date, date]) -> Mapping[int, list[Piece]]:
    """The open pieces of each statement that reaches into the period and that this unit may take back."""
    of_units: dict[int, list[Stated]] = defaultdict(list)
    for found in standing:
        of_units[found.statement.unit_id].append(found.stated)
    pieces: dict[int, list[Piece]] = defaultdict(list)
    for statements in of_units.values():
        for piece in open_pieces_of(statements):
            pieces[piece.statement].append(piece)
    mine = [s.statement for s in standing if who.unit.id in (s.statement.unit_id, s.statement.source_unit_id)]
    return {s.pk: pieces[s.pk] for s in mine if any(overlap(p.from_date, p.through_date, period) for p in pieces[s.pk])}


def _standing(who: Answering) -> list[_Standing]:
    """The statements of the scope, of all units spoken for."""
    units = who.units_of(who.scope.domain, who.scope.kind)
    found = CoverageStatement.objects.filter(
        unit_id__in=units, domain=who.scope.domain, kind=who.scope.kind, entry__place__isnull=False
    ).extra(
        select={
            "is_withdrawn": """
                EXISTS (SELECT 1 FROM ledger_coveragewithdrawal w WHERE w.statement_id = ledger_coveragestatement.id)
                OR EXISTS (SELECT 1 FROM ledger_batchwithdrawal w
                           WHERE w.batch_id = ledger_coveragestatement.batch_id)
            """
        }
    )
    rows = found.select_related("entry__place")
    return [_Standing(row, row.entry.place.position, not row.is_withdrawn) for row in rows]


def _restate(entry: Entry, statement: CoverageStatement, pieces: list[Piece], gone: tuple[date, date]) -> None:
    for piece in pieces:
        for first, last in remainders(piece.from_date, piece.through_date, [gone]):
            CoverageStatement.objects.create(
                entry=entry,
                unit_id=statement.unit_id,
                domain=statement.domain,
                kind=statement.kind,
                from_date=first,
                through_date=last,
                is_zero=statement.is_zero,
                batch_id=statement.batch_id,
                source_unit_id=statement.source_unit_id,
            )


def _deny(entry: Entry, returned: CoverageStatement, pieces: list[Piece], gone: tuple[date, date], reason: str) -> None:
    """A statement of the unit itself, taken back at once, so that these days stay taken back for returns as well."""
    for days in (overlap(piece.from_date, piece.through_date, gone) for piece in pieces):
        if days is not None:
            denied = CoverageStatement.objects.create(
                entry=entry,
                unit_id=returned.unit_id,
                domain=returned.domain,
                kind=returned.kind,
                from_date=days[0],
                through_date=days[1],
            )
            CoverageWithdrawal.objects.create(entry=entry, statement=denied, reason=reason)

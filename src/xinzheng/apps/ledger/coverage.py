"""Coverage statements (归集覆盖声明): made with a delivery or as a zero return, and taken back."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection, transaction

from xinzheng.apps.audit.actions import open_entry, record_event, take_position
from xinzheng.apps.audit.models import Entry
from xinzheng.apps.ledger.delivery import Answering, Scope, answering, check_period
from xinzheng.apps.ledger.errors import CoverageError
from xinzheng.apps.ledger.models import CoverageStatement, CoverageWithdrawal
from xinzheng.apps.ledger.record_days import RECORD_DAY
from xinzheng.apps.ledger.statements import Piece, Stated, open_pieces_of, remainders

# Heads tell at once what is live; the day is the one the window looks at. Arrears speak of a state, not of days.
ANY_LIVE = f"""
    SELECT EXISTS (
        SELECT 1 FROM ledger_recordhead h
        JOIN ledger_recordversion v ON v.id = h.version_id AND v.subject_id = h.subject_id
        WHERE h.unit_id = %(unit)s AND h.kind = %(kind)s AND v.domain = %(domain)s AND v.is_present
        AND coalesce({RECORD_DAY}, %(from)s) BETWEEN %(from)s AND %(through)s)
"""  # noqa: S608


@dataclass(frozen=True)
class CoverageResult:
    """What became of a statement: ``statements`` made or withdrawn, whether it was a zero return, its position."""

    entry: int
    position: int
    statements: int
    is_zero: bool = False


def state_coverage(
    entry: Entry, who: Answering, covers: tuple[date, date], *, batch_id: int | None
) -> CoverageStatement:
    """Write a statement that belongs to the entry, in the caller's transaction."""
    return CoverageStatement.objects.create(
        entry=entry,
        unit_id=who.unit.id,
        domain=who.scope.domain,
        kind=who.scope.kind,
        from_date=covers[0],
        through_date=covers[1],
        is_zero=not _any_live(who, covers),
        batch_id=batch_id,
    )


def _any_live(who: Answering, covers: tuple[date, date]) -> bool:
    values: dict[str, Any] = {"unit": who.unit.id, "kind": who.scope.kind, "domain": who.scope.domain}
    with connection.cursor() as cursor:
        cursor.execute(ANY_LIVE, values | {"from": covers[0], "through": covers[1]})
        return bool(cursor.fetchone()[0])


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
    statement = state_coverage(entry, who, (from_date, through_date), batch_id=None)
    record_event(who=by, action="coverage-declared", object_kind="coverage", object_id=statement.pk)
    return CoverageResult(entry.pk, take_position(entry), 1, statement.is_zero)


@transaction.atomic
def withdraw_coverage(
    scope: Scope, *, from_date: date, through_date: date, by: str, reason: str = ""
) -> CoverageResult:
    """Take back what was stated for the period (撤回声明); what was stated outside it stays.

    Each statement that reaches into the period is withdrawn and what is left of it stated anew.

    Raises:
        IntakeError: unknown unit, domain or kind, or the unit does not answer for it.
        CoverageError: ``coverage-reversed``; ``nothing-stated`` when no statement reaches into the period.
    """
    who = answering(scope)
    if from_date > through_date:
        check_period(from_date, through_date)
    stated = _standing(who)
    pieces = open_pieces_of(Stated(s.pk, p, s.from_date, s.through_date, is_open) for s, p, is_open in stated)
    hit = {p.statement for p in pieces if p.from_date <= through_date and p.through_date >= from_date}
    if not hit:
        message = f"{from_date:%Y-%m-%d}至{through_date:%Y-%m-%d}没有生效的覆盖声明，无需撤回。"
        raise CoverageError(message, code="nothing-stated")
    entry = open_entry(kind="coverage-withdrawn", by=by, unit_id=who.unit.id)
    for statement, _position, _is_open in stated:
        if statement.pk in hit:
            CoverageWithdrawal.objects.create(entry=entry, statement=statement, reason=reason)
            _restate(entry, statement, [p for p in pieces if p.statement == statement.pk], (from_date, through_date))
    record_event(who=by, action="coverage-withdrawn", object_kind="unit", object_id=who.unit.id)
    return CoverageResult(entry.pk, take_position(entry), len(hit))


def _standing(who: Answering) -> list[tuple[CoverageStatement, int, bool]]:
    """The scope's statements with their position, and whether neither they nor their batch were withdrawn."""
    found = CoverageStatement.objects.filter(
        unit_id=who.unit.id, domain=who.scope.domain, kind=who.scope.kind, entry__place__isnull=False
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
    return [(row, row.entry.place.position, not row.is_withdrawn) for row in rows]


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
            )

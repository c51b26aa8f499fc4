"""The coverage calendar from the ledger: delivered, zero, late or waiting for correction, as at a position."""

from datetime import date
from pathlib import Path

import pytest
from django.db import transaction

from tests.small_city import BY, LONG_AGO, PENALTY, SmallCity, build_small_city, today, uscc
from xinzheng.apps.audit.actions import open_entry, take_position
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.ledger.actions import withdraw_batch
from xinzheng.apps.ledger.models import Batch, CoverageStatement
from xinzheng.apps.oversight.queries import CoverageCalendar, Row, View, coverage_calendar_of, due_date
from xinzheng.apps.reports.packs import current_policy
from xinzheng.core.coverage_calendar import CellState, Month, months_until

pytestmark = pytest.mark.django_db
CODE = uscc(1)


@pytest.fixture
def city(db: None, tmp_path: Path) -> SmallCity:
    return build_small_city(tmp_path, units_per_domain=1)


def calendar(position: int | None = None) -> CoverageCalendar:
    policy = current_policy("suzhou-2024")
    months = months_until(Month.of(today()), 12)
    view = View(head_position() if position is None else position, months, due_date(policy, today()))
    return coverage_calendar_of(policy, view)


def tax(position: int | None = None) -> Row:
    return next(row for row in calendar(position).rows if (row.scope.domain, row.scope.kind) == ("taxation", PENALTY))


def states(row: Row) -> set[CellState]:
    return {cell.state for cell in row.cells if cell.state is not CellState.NOT_DUE}


def test_a_unit_that_never_delivered_misses_every_month(city: SmallCity) -> None:
    assert states(tax()) == {CellState.MISSING}
    late = tax().late
    assert late is not None
    assert late.through is None


def test_a_zero_return_shows_as_zero_and_is_not_late(city: SmallCity) -> None:
    city.declare(city.unit("taxation"), "taxation")
    assert states(tax()) == {CellState.ZERO}
    assert not tax().is_late


def test_records_are_counted_in_the_month_of_their_decision(city: SmallCity) -> None:
    city.firm(CODE)
    rows = [city.penalty(CODE), city.penalty(CODE, "苏税罚〔2026〕2号")]
    city.submit(rows, covers=(LONG_AGO, today()))
    month = Month.of(date.fromisoformat(rows[0]["处罚决定日期"]))
    counted = {cell.month: cell.records for cell in tax().cells if cell.records}
    assert counted == {month: 2}
    assert next(cell.state for cell in tax().cells if cell.month == month) is CellState.DELIVERED


def test_a_repaired_penalty_stays_in_the_month_of_its_decision(city: SmallCity) -> None:
    city.firm(CODE)
    row = city.penalty(CODE, 修复日期=today().isoformat())
    city.submit([row])
    month = Month.of(date.fromisoformat(row["处罚决定日期"]))
    assert {cell.month: cell.records for cell in tax().cells if cell.records} == {month: 1}


def test_a_batch_whose_line_waits_for_correction_shows_as_such_and_covers_nothing(city: SmallCity) -> None:
    city.firm(CODE)
    wrong = city.penalty(CODE, "苏税罚〔2026〕2号", 处罚决定日期="2026-02-30")
    batch = city.submit([city.penalty(CODE), wrong], covers=(LONG_AGO, today()))
    assert states(tax()) == {CellState.BLOCKED}
    withdraw_batch(batch_id=batch.batch, reason="重新报送", by=BY)
    assert states(tax()) == {CellState.MISSING}


def test_a_held_batch_shows_as_held_and_covers_nothing(city: SmallCity) -> None:
    city.firm(CODE)
    Batch.objects.bulk_create([held_copy(city.submit([city.penalty(CODE)]).batch)])
    assert states(tax()) == {CellState.HELD}


def held_copy(batch_id: int) -> Batch:
    """The same batch under an entry of its own, held, with a statement over everything."""
    with transaction.atomic():
        entry = open_entry(kind="batch", by=BY)
        batch = Batch.objects.get(pk=batch_id)
        batch.entry, batch.held = entry, True
        CoverageStatement.objects.create(
            entry=entry,
            unit_id=batch.unit_id,
            domain=batch.domain,
            kind=batch.kind,
            from_date=LONG_AGO,
            through_date=today(),
            batch_id=entry.pk,
        )
        take_position(entry)
    return batch


def test_data_that_ends_early_says_through_which_day(city: SmallCity) -> None:
    due = due_date(current_policy("suzhou-2024"), today())
    month = Month.of(due).plus(-1)
    through = month.first.replace(day=9)
    city.declare(city.unit("taxation"), "taxation", through=through)
    cell = next(cell for cell in tax().cells if cell.month == month)
    assert (cell.state, cell.through) == (CellState.PART, through)
    late = tax().late
    assert late is not None
    assert (late.through, late.due) == (through, due)


def test_as_at_an_earlier_position_the_calendar_is_as_it_was(city: SmallCity) -> None:
    before = head_position()
    city.declare(city.unit("taxation"), "taxation")
    assert states(tax(before)) == {CellState.MISSING}
    assert states(tax()) == {CellState.ZERO}


def test_all_units_and_one_unit_show_the_same_rows(city: SmallCity) -> None:
    city.declare_everything()
    everything = calendar()
    policy, unit = current_policy("suzhou-2024"), tax().scope.unit
    own = coverage_calendar_of(policy, View(everything.position, everything.months, everything.due, unit.id))
    assert own.rows == tuple(row for row in everything.rows if row.scope.unit.id == unit.id)
    assert own.rows
    assert everything.late_rows == []

"""Figures of objections: who was late, how long it took, what became of it; and what corrections do to scorecards."""

from datetime import date
from decimal import Decimal
from io import BytesIO

from python_calamine import CalamineWorkbook

from tests import told_time
from tests.module_database import module_database
from tests.redress_city import DOMAIN, KIND, POLICY, RedressCity, do, lodge_one
from tests.redress_monday import MONDAY, built_city, monday_city
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.oversight.bulletins import draft_bulletin
from xinzheng.apps.oversight.objection_figures import Figures, Group, corrections_by_unit, figures
from xinzheng.apps.oversight.objection_files import figures_workbook
from xinzheng.apps.oversight.public_figures import periods, public_figures
from xinzheng.apps.oversight.queries import scorecards
from xinzheng.apps.redress.models import Correction
from xinzheng.apps.redress.queries import objection_view
from xinzheng.apps.redress.upholding import Upholding, uphold
from xinzheng.apps.reports.packs import current_policy
from xinzheng.core.coverage_calendar import Month
from xinzheng.core.objections import Act, Ground
from xinzheng.core.quality import Counts

db, built, city = module_database, built_city, monday_city
JUNE = Month(2026, 6)
What = Correction.What


def missing(city: RedressCity, serial: int = 1) -> str:
    return lodge_one(city, Ground.MISSING, document_number=f"苏水罚〔2025〕{serial}号").number


def accept(city: RedressCity, number: str) -> None:
    do(city, number, Act.ACCEPT, "office", unit_id=city.unit)


def on(day: int, month: int = 6) -> None:
    told_time.tell(date(2026, month, day))


def in_june() -> Figures:
    return figures(JUNE.first, JUNE.last)


def of_unit(found: Figures, name: str) -> Group:
    return next(group for group in found.units if group.name == name)


def upheld(city: RedressCity, number: str, what: What, who: str = "chief", **changes: object) -> Correction:
    seen = objection_view(number, MONDAY)
    version = changes.pop("seen_version", city.version)
    return uphold(
        Upholding(number, seen.seq, what, "经核对，记录有误", seen_version=version),  # type: ignore[arg-type]
        account=city.accounts[who],
    )


def test_a_period_without_objections_has_figures_too(city: RedressCity) -> None:
    found = in_june()
    assert (found.whole.lodged, found.whole.mean_days, found.whole.in_time_percent) == (0, None, None)
    assert (found.units, found.kinds, found.grounds) == ((), (), ())


def test_each_counts_in_the_period_it_was_lodged_in_by_what_became_of_it(city: RedressCity) -> None:
    first, second, third = (missing(city, serial) for serial in (1, 2, 3))
    do(city, first, Act.DECLINE, "office")
    accept(city, second)
    on(3)
    do(city, second, Act.DISMISS, "chief")
    do(city, third, Act.WITHDRAW, "agent")
    on(1, month=7)
    missing(city, 4)
    found = in_june()
    assert found.whole.lodged == 3
    assert {name: count for name, count in found.whole.outcomes.items() if count} == {
        "declined": 1,
        "dismissed": 1,
        "withdrawn": 1,
    }
    assert (found.whole.concluded, found.whole.in_time, found.whole.in_time_percent) == (2, 2, 100)
    assert (found.whole.mean_days, found.whole.most_days) == (Decimal("1.0"), 2)
    assert [group.tally.lodged for group in found.grounds] == [3]
    assert found.kinds[0].name == "行政处罚"
    assert figures(JUNE.plus(1).first, JUNE.plus(1).last).whole.lodged == 1


def test_days_are_working_days_without_what_waited_for_the_subject(city: RedressCity) -> None:
    number = missing(city)
    on(2)
    do(city, number, Act.ASK, "office")
    on(5)
    do(city, number, Act.SUPPLY, "agent")
    on(8)
    do(city, number, Act.DECLINE, "office")
    assert in_june().whole.most_days == 2  # 2 June, and 8 June after the weekend
    assert in_june().whole.late == 0


def test_who_held_it_too_long_is_late_and_nobody_else(city: RedressCity) -> None:
    number = missing(city)
    on(8)
    accept(city, number)  # the fifth working day of three
    on(10)
    do(city, number, Act.HAND_OVER, "chief")
    on(22)
    do(city, number, Act.DISMISS, "other_chief")  # over the ten days
    found = in_june()
    assert (found.whole.late, found.office_late, found.whole.in_time) == (1, 1, 0)
    late = {group.key: group.tally.late for group in found.units}
    assert late == {str(city.other_unit): 1}
    assert found.units[0].tally.lodged == 1


def test_what_is_open_today_and_over_its_term_is_late_without_any_step(city: RedressCity) -> None:
    number = missing(city)
    accept(city, number)
    on(12)
    assert in_june().whole.late == 0
    on(16)
    found = in_june()
    assert (found.whole.late, found.units[0].key, found.units[0].tally.late) == (1, str(city.unit), 1)
    assert found.whole.outcomes["open"] == 1


def test_an_appeal_keeps_what_was_decided_first_and_tells_what_was_sent_back(city: RedressCity) -> None:
    declined, dismissed = missing(city, 1), missing(city, 2)
    do(city, declined, Act.DECLINE, "office")
    accept(city, dismissed)
    do(city, dismissed, Act.DISMISS, "chief")
    for number in (declined, dismissed):
        do(city, number, Act.APPEAL, "agent")
    do(city, declined, Act.CONFIRM, "second_office")
    do(city, dismissed, Act.REMAND, "second_office")
    whole = in_june().whole
    assert (whole.outcomes["declined"], whole.outcomes["open"]) == (1, 1)
    assert (whole.appealed, whole.remanded) == (2, 1)


def accuracy(city: RedressCity, month: Month, position: int | None = None) -> Counts:
    at = head_position() if position is None else position
    cards = scorecards(current_policy(POLICY), month, at, date(2026, 11, 22))
    return next(card.counts for card in cards if card.unit.id == city.unit)


def test_a_correction_lowers_the_accuracy_of_who_delivered_in_its_month_and_as_at_its_position(
    city: RedressCity,
) -> None:
    before = head_position()
    assert accuracy(city, JUNE).corrected == 0
    number = lodge_one(city, Ground.NOT_MINE).number
    accept(city, number)
    upheld(city, number, What.REMOVED)
    counts = accuracy(city, JUNE)
    assert (counts.corrected, counts.lines) == (1, 0)
    assert counts.shares["accuracy"].percent == Decimal("0.0")
    assert accuracy(city, JUNE, before).corrected == 0
    assert accuracy(city, JUNE.plus(1)).corrected == 0
    draft = draft_bulletin(POLICY, JUNE).figures
    assert draft["counts_corrections"] is True
    assert sum(unit["corrected"] for unit in draft["units"]) == 1


def test_what_was_only_taken_down_from_publication_counts_against_nobody(city: RedressCity) -> None:
    number = lodge_one(city, Ground.OVER_PERIOD).number
    accept(city, number)
    upheld(city, number, What.TAKEN_DOWN)
    scopes = [(city.unit, DOMAIN, KIND)]
    assert corrections_by_unit(JUNE, head_position(), scopes) == {}
    assert in_june().whole.outcomes["upheld"] == 1


def test_the_office_takes_all_figures_away_as_a_workbook(city: RedressCity) -> None:
    number = missing(city)
    do(city, number, Act.DECLINE, "office")
    book = CalamineWorkbook.from_filelike(BytesIO(figures_workbook(in_june())))
    assert book.sheet_names == ["合计", "按单位", "按记录类型", "按事由"]
    rows = book.get_sheet_by_name("合计").to_python()
    assert rows[0][0] == "异议办理统计（2026年6月1日至2026年6月30日提出的）"
    assert rows[-1][:4] == ["合计", 1, 0, 0]


def test_everybody_reads_whole_quarters_and_no_small_number(city: RedressCity) -> None:
    assert periods(date(2026, 6, 30)) == [
        (2026, date(2026, 1, 1), date(2026, 3, 31)),
        (2025, date(2025, 1, 1), date(2025, 12, 31)),
        (2024, date(2024, 1, 1), date(2024, 12, 31)),
    ]
    assert periods(date(2026, 12, 31))[0] == (2026, date(2026, 1, 1), date(2026, 9, 30))
    assert periods(date(2027, 1, 1))[0] == (2026, date(2026, 1, 1), date(2026, 12, 31))
    on(30)
    for serial in range(3):
        missing(city, serial)
    on(1, month=7)
    few = public_figures(2026)
    assert few is not None
    assert public_figures(1999) is None
    assert (few.outcomes.total, set(few.outcomes.parts.values())) == (None, {None})
    assert few.mean_days is few.in_time_percent is None

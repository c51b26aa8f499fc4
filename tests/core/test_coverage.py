"""Coverage: every way in which data can be missing is named with its unit and day."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xinzheng.core.coverage import (
    Coverage,
    GapReason,
    PendingLines,
    Responsibility,
    Statement,
    covered_through,
    unit_gap,
)
from xinzheng.core.coverage_check import domain_gaps, section_gaps
from xinzheng.core.policy import Basis, Citation, OtherSection, PolicyDomain, SectionCoverage
from xinzheng.core.records import RecordKind
from xinzheng.core.weighing import Period

PENALTY = RecordKind.ADMINISTRATIVE_PENALTY
DOMAIN = PolicyDomain("taxation", "税务", (PENALTY,))
NEEDED = Period(date(2022, 6, 1), date(2025, 5, 21))
U1 = Responsibility("taxation", PENALTY, "u1", "市税务局")
U2 = Responsibility("taxation", PENALTY, "u2", "园区税务局")


def stated(begin: date, end: date, unit: str = "u1", domain: str = "taxation", kind: str = PENALTY) -> Statement:
    return Statement(domain, unit, kind, begin, end)


def answer(*statements: Statement, pending=(), who=(U1,), domain=DOMAIN):
    return domain_gaps(domain, Coverage(tuple(who), tuple(statements), tuple(pending)), NEEDED)


def test_one_statement_over_the_period_leaves_no_gap():
    gaps, reached = answer(stated(date(2020, 1, 1), date(2025, 5, 30)))
    assert gaps == ()
    assert reached == date(2025, 5, 30)


def test_a_unit_that_never_delivered_is_named_and_leaves_no_data_day():
    (gap,), reached = answer()
    assert (gap.reason, gap.unit_name, reached) == (GapReason.NEVER_DELIVERED, "市税务局", None)


def test_a_late_unit_is_named_with_the_last_day_of_its_data():
    (gap,), reached = answer(stated(date(2020, 1, 1), date(2025, 5, 20)))
    assert (gap.reason, gap.through, reached) == (GapReason.ENDS_EARLY, date(2025, 5, 20), date(2025, 5, 20))


def test_data_to_the_very_day_needed_is_enough():
    assert answer(stated(NEEDED.from_date, NEEDED.to_date))[0] == ()


def test_statements_that_touch_cover_without_a_break():
    gaps, reached = answer(stated(date(2024, 1, 1), date(2025, 6, 1)), stated(date(2022, 1, 1), date(2023, 12, 31)))
    assert (gaps, reached) == ((), date(2025, 6, 1))


def test_a_hole_of_one_day_ends_the_data_before_it():
    (gap,), reached = answer(stated(date(2022, 1, 1), date(2023, 12, 30)), stated(date(2024, 1, 1), date(2025, 6, 1)))
    assert (gap.reason, gap.through, reached) == (GapReason.ENDS_EARLY, date(2023, 12, 30), date(2023, 12, 30))


def test_data_that_begins_late_says_since_when():
    (gap,), reached = answer(stated(date(2022, 6, 2), date(2025, 6, 1)))
    assert (gap.reason, gap.since, reached) == (GapReason.STARTS_LATE, date(2022, 6, 2), None)


def test_old_data_and_a_late_new_start_says_since_when_not_that_all_is_there():
    (gap,), _ = answer(stated(date(2010, 1, 1), date(2015, 1, 1)), stated(date(2024, 1, 1), date(2025, 6, 1)))
    assert (gap.reason, gap.since) == (GapReason.STARTS_LATE, date(2024, 1, 1))


def test_data_that_ended_before_the_period_says_where_it_ended():
    (gap,), _ = answer(stated(date(2010, 1, 1), date(2015, 1, 1)))
    assert (gap.reason, gap.through) == (GapReason.ENDS_EARLY, date(2015, 1, 1))


def test_two_units_one_late_names_the_late_one_and_dates_the_domain_by_it():
    (gap,), reached = answer(
        stated(date(2020, 1, 1), date(2025, 6, 1)),
        stated(date(2020, 1, 1), date(2025, 4, 30), unit="u2"),
        who=(U1, U2),
    )
    assert (gap.unit, gap.through, reached) == ("u2", date(2025, 4, 30), date(2025, 4, 30))


def test_one_unit_that_never_delivered_leaves_the_domain_without_a_data_day():
    _, reached = answer(stated(date(2020, 1, 1), date(2025, 6, 1)), who=(U1, U2))
    assert reached is None


@pytest.mark.parametrize("other", [{"unit": "u9"}, {"domain": "health"}, {"kind": RecordKind.OTHER_DETERMINATION}])
def test_a_statement_of_another_unit_domain_or_kind_does_not_help(other):
    (gap,), _ = answer(stated(date(2020, 1, 1), date(2025, 6, 1), **other))
    assert gap.reason is GapReason.NEVER_DELIVERED


@pytest.mark.parametrize(("named", "reason"), [(True, GapReason.LINE_PENDING), (False, GapReason.LINE_UNREADABLE)])
def test_a_rejected_line_is_a_gap_whatever_was_stated(named, reason):
    lines = PendingLines("taxation", "u1", PENALTY, 2, named)
    (gap,), reached = answer(stated(date(2020, 1, 1), date(2025, 6, 1)), pending=[lines])
    assert (gap.reason, gap.lines, reached) == (reason, 2, date(2025, 6, 1))


def test_lines_that_name_the_subject_and_unreadable_ones_are_two_gaps():
    lines = [PendingLines("taxation", "u1", PENALTY, 1, True), PendingLines("taxation", "u1", PENALTY, 3, False)]
    gaps, _ = answer(stated(date(2020, 1, 1), date(2025, 6, 1)), pending=lines)
    assert {g.reason: g.lines for g in gaps} == {GapReason.LINE_PENDING: 1, GapReason.LINE_UNREADABLE: 3}


def test_a_rejected_line_of_another_domain_is_no_gap():
    lines = PendingLines("health", "u1", PENALTY)
    assert answer(stated(date(2020, 1, 1), date(2025, 6, 1)), pending=[lines])[0] == ()


def test_a_kind_for_which_nobody_answers_is_a_gap_of_its_own():
    domain = PolicyDomain("taxation", "税务", (PENALTY, RecordKind.OTHER_DETERMINATION))
    gaps, reached = answer(stated(date(2020, 1, 1), date(2025, 6, 1)), domain=domain)
    assert [(g.reason, g.kind) for g in gaps] == [(GapReason.NOBODY_RESPONSIBLE, RecordKind.OTHER_DETERMINATION)]
    assert reached is None


ARREARS = RecordKind.HOUSING_FUND_ARREARS
FUND = Responsibility("housing_fund", ARREARS, "f1", "市公积金中心")


def section(coverage: SectionCoverage) -> OtherSection:
    return OtherSection("housing_fund_arrears", "欠缴", ARREARS, coverage, "", Citation("甲"), Basis.STATUTE)


@pytest.mark.parametrize(
    ("mode", "begin", "reason"),
    [
        (SectionCoverage.LATEST, date(2025, 5, 1), None),
        (SectionCoverage.PERIOD, date(2025, 5, 1), GapReason.STARTS_LATE),
        (SectionCoverage.PERIOD, date(2022, 6, 1), None),
    ],
)
def test_a_latest_state_needs_no_history_a_period_does(mode, begin, reason):
    statement = Statement("housing_fund", "f1", ARREARS, begin, date(2025, 5, 30))
    gaps, _ = section_gaps(section(mode), Coverage((FUND,), (statement,)), NEEDED)
    assert [gap.reason for gap in gaps] == ([reason] if reason else [])


def test_a_latest_state_that_is_too_old_is_a_gap_with_its_day():
    statement = Statement("housing_fund", "f1", ARREARS, date(2020, 1, 1), date(2025, 5, 20))
    (gap,), reached = section_gaps(section(SectionCoverage.LATEST), Coverage((FUND,), (statement,)), NEEDED)
    assert (gap.reason, gap.through, reached) == (GapReason.ENDS_EARLY, date(2025, 5, 20), date(2025, 5, 20))


def test_a_section_for_which_nobody_answers_is_a_gap():
    (gap,), reached = section_gaps(section(SectionCoverage.LATEST), Coverage(), NEEDED)
    assert (gap.reason, reached) == (GapReason.NOBODY_RESPONSIBLE, None)


def test_a_statement_to_the_end_of_all_days_is_no_overflow():
    assert covered_through([stated(date(2020, 1, 1), date.max)], NEEDED.from_date) == date.max


FIRST = date(2025, 1, 1)
SPANS = st.lists(st.tuples(st.integers(0, 20), st.integers(0, 8)), max_size=6)


def _statements(spans):
    return tuple(
        stated(FIRST + timedelta(days=begin), FIRST + timedelta(days=begin + length)) for begin, length in spans
    )


@given(SPANS, st.integers(0, 20), st.integers(0, 10))
def test_a_unit_has_no_gap_exactly_when_every_day_needed_is_stated(spans, begin, length):
    statements = _statements(spans)
    needed = [FIRST + timedelta(days=begin + n) for n in range(length + 1)]
    every_day = all(any(s.from_date <= day <= s.through_date for s in statements) for day in needed)
    assert (unit_gap(U1, statements, needed[0], needed[-1]) is None) is every_day


@given(SPANS, st.randoms())
def test_the_order_of_statements_does_not_matter(spans, random):
    statements = list(_statements(spans))
    shuffled = random.sample(statements, len(statements))
    assert covered_through(statements, FIRST) == covered_through(shuffled, FIRST)


@given(SPANS)
def test_the_day_named_as_the_end_of_the_data_is_never_later_than_an_uncovered_day_needed(spans):
    statements = _statements(spans)
    gap = unit_gap(U1, statements, FIRST, FIRST + timedelta(days=30))
    if gap is not None and gap.reason is GapReason.ENDS_EARLY:
        assert gap.through == covered_through(statements, FIRST)


@pytest.mark.parametrize(("named", "reason"), [(True, GapReason.LINE_PENDING), (False, GapReason.LINE_UNREADABLE)])
@pytest.mark.parametrize("mode", SectionCoverage)
def test_a_rejected_line_is_a_gap_of_other_information_too(mode, named, reason):
    statement = Statement(FUND.domain, FUND.unit, ARREARS, date(2000, 1, 1), NEEDED.to_date)
    waiting = PendingLines("whatever domain it stands under", FUND.unit, ARREARS, names_subject=named)
    (gap,), _ = section_gaps(section(mode), Coverage((FUND,), (statement,), (waiting,)), NEEDED)
    assert gap.reason is reason

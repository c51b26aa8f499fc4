"""Deciding: outcome, domains and other information follow from the facts alone."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.cases import AS_OF, CALENDAR, CODES, PENALTY, coverage, penalty, policy
from xinzheng.core.coverage import Coverage, GapReason, PendingLines
from xinzheng.core.decision import Case, ReportOutcome, Request, Result, decide, window_of, years_before
from xinzheng.core.errors import CalendarError, RefusedError
from xinzheng.core.policy import Basis, Choice, Extension, Window
from xinzheng.core.records import OrganPlace, Outcome, Procedure, Record, RecordKind, Standing
from xinzheng.core.subjects import Subject, SubjectKind, Tie
from xinzheng.core.weighing import Period

POLICY = policy()
COMPANY = Subject(SubjectKind.ENTERPRISE_LEGAL_PERSON)


def decided(*records: Record, request=Request(), given_coverage=None, as_of=AS_OF, pack=POLICY, subject=COMPANY):  # noqa: B008
    facts = coverage() if given_coverage is None else given_coverage
    return decide(pack, Case(request, subject, tuple(records), facts, as_of), CALENDAR)


def results(decision):
    return {domain.code: domain.result for domain in decision.domains}


def sections(decision):
    return {section.code: section for section in decision.other}


# --- outcome -----------------------------------------------------------------------------------------------------


def test_no_record_and_full_coverage_is_clear():
    decision = decided()
    assert decision.outcome is ReportOutcome.CLEAR
    assert set(results(decision).values()) == {Result.NONE_FOUND}
    assert decision.domains[0].data_as_of == AS_OF


def test_one_counted_record_is_not_clear_whatever_the_coverage():
    for facts in (coverage(), Coverage(), coverage(date(2023, 1, 1))):
        decision = decided(penalty(), given_coverage=facts)
        assert decision.outcome is ReportOutcome.NOT_CLEAR
        assert results(decision)["taxation"] is Result.RECORDS_FOUND


def test_nothing_arrived_is_not_nothing_found():
    decision = decided(given_coverage=Coverage())
    assert decision.outcome is ReportOutcome.NOT_VERIFIABLE
    assert {gap.reason for d in decision.domains for gap in d.gaps} == {GapReason.NOBODY_RESPONSIBLE}


def test_a_marked_record_is_found():
    decision = decided(penalty(repaired_date=date(2025, 1, 1)))
    assert decision.outcome is ReportOutcome.NOT_CLEAR
    assert decision.domains[0].counted == 1


def test_an_unresolved_record_makes_its_domain_not_verifiable_and_no_other():
    decision = decided(penalty(outcome=None))
    assert results(decision) == {"taxation": Result.NOT_VERIFIABLE} | dict.fromkeys(CODES[1:], Result.NONE_FOUND)
    assert (decision.outcome, decision.domains[0].unresolved) == (ReportOutcome.NOT_VERIFIABLE, 1)


def test_a_record_listed_apart_changes_no_result():
    assert decided(penalty(tie=Tie.MERGED)).outcome is ReportOutcome.CLEAR


@pytest.mark.parametrize("named", [True, False])
def test_a_rejected_line_makes_its_domain_not_verifiable(named):
    facts = replace(coverage(), pending=(PendingLines("health", "u1", PENALTY, 1, named),))
    decision = decided(given_coverage=facts)
    assert results(decision)["health"] is Result.NOT_VERIFIABLE
    assert results(decision)["taxation"] is Result.NONE_FOUND


@pytest.mark.parametrize(
    ("through", "outcome"),
    [(date(2025, 5, 23), ReportOutcome.CLEAR), (date(2025, 5, 22), ReportOutcome.NOT_VERIFIABLE)],
)
def test_data_may_lag_seven_working_days(through, outcome):
    # Tuesday 3 June 2025: the seven working days 26 May to 3 June may be missing, and the weekend before them.
    assert decided(given_coverage=coverage(through)).outcome is outcome


def test_a_past_period_needs_data_to_its_own_end_only():
    request = Request(to_date=date(2024, 6, 30))
    assert decided(request=request, given_coverage=coverage(date(2024, 6, 30))).outcome is ReportOutcome.CLEAR
    assert decided(request=request, given_coverage=coverage(date(2024, 6, 29))).outcome is ReportOutcome.NOT_VERIFIABLE


def test_every_record_weighed_has_a_finding():
    records = [penalty("a"), penalty("b", procedure="summary"), penalty("c", domain="moon"), penalty("d", sealed=True)]
    assert {f.record.id for f in decided(*records).findings} == {"a", "b", "c", "d"}


# --- what is refused ---------------------------------------------------------------------------------------------


def refused(**how) -> str:
    with pytest.raises(RefusedError) as error:
        decided(**how)
    return error.value.code


@pytest.mark.parametrize(
    ("day", "code"), [(date(2024, 2, 29), "policy-not-yet-in-force"), (date(2026, 3, 1), "policy-expired")]
)
def test_a_policy_not_in_force_is_refused(day, code):
    assert refused(as_of=day) == code


@pytest.mark.parametrize("day", [date(2024, 3, 1), date(2026, 2, 28)])
def test_the_first_and_the_last_day_are_in_force(day):
    assert decided(as_of=day, given_coverage=coverage(day)).outcome is ReportOutcome.CLEAR


def test_an_extension_prolongs_a_policy_to_its_own_last_day():
    pack = policy(extensions=(Extension("延〔2026〕1号", date(2026, 3, 31)),))
    assert decided(pack=pack, as_of=date(2026, 3, 31), given_coverage=coverage(date(2026, 3, 31)))
    assert refused(pack=pack, as_of=date(2026, 4, 1)) == "policy-expired"


def test_the_day_is_that_of_china():
    late = datetime(2026, 2, 28, 15, 59, tzinfo=UTC)
    assert decided(as_of=late, given_coverage=coverage(date(2026, 2, 28)))
    assert refused(as_of=late + timedelta(minutes=1)) == "policy-expired"


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (Request(domains=("moon",)), "unknown-domain"),
        (Request(domains=()), "choice-not-offered"),
        (Request(from_date=date(2025, 1, 2), to_date=date(2025, 1, 1)), "period-empty"),
        (Request(from_date=date(2010, 1, 1), to_date=date(2011, 1, 1)), "period-empty"),
        (Request(from_date=date(2025, 6, 4)), "period-empty"),
    ],
)
def test_a_request_that_cannot_be_met_is_refused(request_, code):
    assert refused(request=request_) == code


def test_no_choice_is_taken_where_none_is_offered():
    no = Choice(False, POLICY.window.citation, Basis.STATUTE)
    pack = policy(choose_domains=no, choose_period=no)
    assert refused(pack=pack, request=Request(domains=("taxation",))) == "choice-not-offered"
    assert refused(pack=pack, request=Request(to_date=date(2025, 1, 1))) == "choice-not-offered"
    assert decided(pack=pack, request=Request(domains=CODES, from_date=date(2022, 6, 3), to_date=AS_OF))


def test_subjects_that_are_not_served_are_refused():
    assert refused(subject=Subject(SubjectKind.NATURAL_PERSON)) == "subject-kind-not-served"
    assert refused(subject=replace(COMPANY, is_deregistered=True)) == "subject-deregistered"


def test_a_year_the_calendar_does_not_know_is_an_error_not_a_guess():
    pack = policy(extensions=(Extension("延", date(2040, 1, 1)),))
    with pytest.raises(CalendarError):
        decided(pack=pack, as_of=date(2030, 1, 1))


# --- the period --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "earlier"),
    [
        (date(2025, 6, 1), date(2022, 6, 1)),
        (date(2024, 2, 29), date(2021, 2, 28)),
        (date(2027, 2, 28), date(2024, 2, 28)),
        (date(2027, 3, 1), date(2024, 3, 1)),
    ],
)
def test_three_years_before_a_day(day, earlier):
    assert years_before(day, 3) == earlier


def test_four_years_before_a_leap_day_is_a_leap_day():
    assert years_before(date(2028, 2, 29), 4) == date(2024, 2, 29)


def test_a_window_since_a_day_begins_there():
    pack = policy(window=Window(POLICY.window.citation, Basis.STATUTE, since=date(2020, 5, 1)))
    assert window_of(pack, AS_OF) == Period(date(2020, 5, 1), AS_OF)


@pytest.mark.parametrize(
    ("request_", "period", "is_clipped"),
    [
        (Request(), Period(date(2022, 6, 3), AS_OF), False),
        (Request(from_date=date(2024, 1, 1)), Period(date(2024, 1, 1), AS_OF), False),
        (Request(from_date=date(2020, 1, 1)), Period(date(2022, 6, 3), AS_OF), True),
        (Request(to_date=date(2025, 12, 31)), Period(date(2022, 6, 3), AS_OF), True),
    ],
)
def test_the_period_is_clipped_to_the_window_and_says_so(request_, period, is_clipped):
    decision = decided(request=request_)
    assert (decision.period, decision.is_clipped) == (period, is_clipped)


# --- other information -------------------------------------------------------------------------------------------


def arrears(**facts) -> Record:
    return Record(**({"id": "a1", "kind": RecordKind.HOUSING_FUND_ARREARS, "domain": ""} | facts))


def repair(**facts) -> Record:
    values = {"id": "p1", "kind": RecordKind.CREDIT_REPAIR, "domain": "", "repaired_date": date(2025, 1, 1)}
    return Record(**(values | facts))


@pytest.mark.parametrize(
    ("owing", "result"),
    [(Decimal("0.01"), Result.RECORDS_FOUND), (Decimal(0), Result.NONE_FOUND), (None, Result.RECORDS_FOUND)],
)
def test_arrears_are_shown_while_something_is_owing_or_unknown(owing, result):
    decision = decided(arrears(owing=owing))
    assert sections(decision)["arrears"].result is result
    assert decision.outcome is ReportOutcome.CLEAR


def test_a_section_without_data_is_not_verifiable_and_changes_no_outcome():
    facts = coverage()
    without = replace(facts, statements=tuple(s for s in facts.statements if s.domain != "arrears"))
    decision = decided(given_coverage=without)
    assert sections(decision)["arrears"].result is Result.NOT_VERIFIABLE
    assert decision.outcome is ReportOutcome.CLEAR


def test_a_repaired_penalty_is_shown_among_the_repairs_once():
    decision = decided(penalty(document_key="甲1号"), repair(document_key="甲1号"))
    assert [r.id for r in sections(decision)["credit_repair"].records] == ["r1"]


def test_a_repair_whose_penalty_is_not_there_is_shown_itself():
    decision = decided(repair(document_key="甲1号"))
    assert [r.id for r in sections(decision)["credit_repair"].records] == ["p1"]


@pytest.mark.parametrize("facts", [{"sealed": True}, {"standing": Standing.WITHDRAWN}])
def test_a_repair_does_not_betray_a_penalty_that_must_not_be_shown(facts):
    decision = decided(penalty(document_key="甲1号", **facts), repair(document_key="甲1号"))
    assert sections(decision)["credit_repair"].result is Result.NONE_FOUND


def test_a_repair_by_another_organ_of_the_same_number_is_another_repair():
    decision = decided(
        penalty(document_key="甲1号", organ_key="A", sealed=True), repair(document_key="甲1号", organ_key="B")
    )
    assert [r.id for r in sections(decision)["credit_repair"].records] == ["p1"]


@pytest.mark.parametrize(
    ("day", "result"),
    [
        (date(2022, 6, 2), Result.NONE_FOUND),
        (date(2022, 6, 3), Result.RECORDS_FOUND),
        (AS_OF, Result.RECORDS_FOUND),
        (date(2025, 6, 4), Result.NONE_FOUND),
    ],
)
def test_repairs_are_shown_from_the_beginning_of_the_period_to_the_day_of_asking(day, result):
    assert sections(decided(repair(repaired_date=day)))["credit_repair"].result is result


# --- invariants --------------------------------------------------------------------------------------------------


def optional(strategy):
    return st.one_of(st.none(), strategy)


DAYS = st.dates(date(2021, 6, 1), date(2025, 8, 1))
RECORDS = st.lists(
    st.builds(
        Record,
        id=st.uuids().map(str),
        kind=st.sampled_from([PENALTY, PENALTY, RecordKind.CREDIT_REPAIR, RecordKind.HOUSING_FUND_ARREARS]),
        domain=st.sampled_from([*CODES, "moon"]),
        tie=st.sampled_from(Tie),
        organ=optional(st.sampled_from(OrganPlace)),
        decision_date=optional(DAYS),
        procedure=optional(st.sampled_from(Procedure)),
        outcome=optional(st.sampled_from(Outcome)),
        standing=optional(st.sampled_from(Standing)),
        repaired_date=optional(DAYS),
        sealed=optional(st.booleans()),
        document_key=optional(st.sampled_from(["甲1号", "甲2号"])),
    ),
    max_size=6,
    unique_by=lambda record: record.id,
)
COVERAGES = st.builds(
    lambda day, codes, lines: replace(
        coverage(day),
        statements=tuple(s for s in coverage(day).statements if s.domain not in codes),
        pending=tuple(PendingLines(code, "u1", PENALTY) for code in lines),
    ),
    st.dates(date(2025, 5, 1), AS_OF),
    st.sets(st.sampled_from([*CODES, "arrears", "credit_repair"])),
    st.sets(st.sampled_from(CODES)),
)


@given(RECORDS, COVERAGES, st.randoms())
def test_the_order_of_records_does_not_matter(records, facts, random):
    shuffled = random.sample(records, len(records))
    mixed = replace(facts, statements=tuple(random.sample(facts.statements, len(facts.statements))))
    assert decided(*shuffled, given_coverage=mixed) == decided(*records, given_coverage=facts)


IRRELEVANT = st.sampled_from(
    [
        penalty("x", domain="moon"),
        Record(id="x", kind=RecordKind.ABNORMAL_OPERATION, domain="taxation", listed_from=date(2024, 1, 1)),
        penalty("x", decision_date=date(2022, 6, 2)),
        penalty("x", decision_date=date(2025, 6, 4)),
    ]
)


@given(RECORDS, COVERAGES, IRRELEVANT)
def test_a_record_of_another_domain_kind_or_time_changes_nothing(records, facts, extra):
    before = decided(*records, given_coverage=facts)
    after = decided(*records, extra, given_coverage=facts)
    assert (after.outcome, after.domains, after.other) == (before.outcome, before.domains, before.other)
    assert tuple(f for f in after.findings if f.record.id != "x") == before.findings


@given(RECORDS, COVERAGES, st.sets(st.sampled_from(CODES), min_size=1))
def test_narrowing_the_domains_changes_no_result_of_those_kept(records, facts, kept):
    wide = decided(*records, given_coverage=facts)
    narrow = decided(*records, given_coverage=facts, request=Request(domains=tuple(kept)))
    assert narrow.domains == tuple(d for d in wide.domains if d.code in kept)


@given(RECORDS, COVERAGES, st.sets(st.sampled_from(CODES), min_size=1))
def test_narrowing_to_domains_with_records_never_makes_them_merely_not_verifiable(records, facts, kept):
    wide = decided(*records, given_coverage=facts)
    narrow = decided(*records, given_coverage=facts, request=Request(domains=tuple(kept)))
    if any(d.code in kept and d.result is Result.RECORDS_FOUND for d in wide.domains):
        assert narrow.outcome is ReportOutcome.NOT_CLEAR


@given(RECORDS)
def test_losing_all_coverage_never_makes_a_report_cleaner(records):
    covered, bare = decided(*records), decided(*records, given_coverage=Coverage())
    assert bare.outcome is not ReportOutcome.CLEAR
    if covered.outcome is ReportOutcome.NOT_CLEAR:
        assert bare.outcome is ReportOutcome.NOT_CLEAR


@given(RECORDS, COVERAGES)
def test_a_hidden_record_leaves_no_trace_in_any_answer(records, facts):
    without = [r for r in records if not r.sealed]
    repaired = {r.document_key for r in records if r.sealed}
    without = [r for r in without if r.kind is not RecordKind.CREDIT_REPAIR or r.document_key not in repaired - {None}]
    shown = [r for r in records if r.sealed or r in without]
    full, clean = decided(*shown, given_coverage=facts), decided(*without, given_coverage=facts)
    assert (full.outcome, full.domains, full.other) == (clean.outcome, clean.domains, clean.other)

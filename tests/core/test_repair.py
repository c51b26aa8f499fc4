"""Guidance on repair: boundary days under three regimes, and what cannot be told never gives the milder class."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.cases import penalty
from xinzheng.adapters.policy_files.repair_rules import load_repair_rules
from xinzheng.core.errors import XinzhengError
from xinzheng.core.records import Outcome, Procedure, RecordKind, Standing
from xinzheng.core.repair import Guidance, Note, PublicationState, guidance, months_after, repair_pairs
from xinzheng.core.repair_rules import Condition, RecordFacts, categories_in, facts_of

RULES = load_repair_rules()
DAY = timedelta(days=1)
UNDER_527, UNDER_58, UNDER_36 = date(2023, 4, 30), date(2026, 3, 31), date(2026, 4, 1)
PUBLISHED, ENDED = PublicationState.PUBLISHED_UNTIL, PublicationState.ENDED_BY_PERIOD


def facts(since: date | None = date(2026, 1, 15), *categories: str, **more: object) -> RecordFacts:
    """A penalty of the ordinary procedure; of one class under each regime but the oldest."""
    return RecordFacts(
        **{  # type: ignore[arg-type]
            "kind": RecordKind.ADMINISTRATIVE_PENALTY,
            "domain": "taxation",
            "since_date": since,
            "procedure": Procedure.ORDINARY,
            "categories": categories or ("没收违法所得",),
            "is_penalised": True,
            **more,
        }
    )


def ask(of: RecordFacts, today: date = date(2026, 11, 22)) -> Guidance:
    return guidance(of, RULES, today)


def names(found: Guidance) -> list[str]:
    return [one.repair_class.id for one in found.candidates]


@pytest.mark.parametrize(
    ("day", "rule"),
    [
        (date(2019, 7, 1), "ndrc-2019-527"), (UNDER_527, "ndrc-2019-527"), (date(2023, 5, 1), "ndrc-58-2023"),
        (UNDER_58, "ndrc-58-2023"), (UNDER_36, "ndrc-36-2025"), (date(2040, 1, 1), "ndrc-36-2025"),
    ],
)  # fmt: skip
def test_the_rule_is_that_of_the_day_asked(day: date, rule: str) -> None:
    assert ask(facts(), day).rule.id == rule


def test_before_the_first_rule_nothing_is_computed() -> None:
    with pytest.raises(XinzhengError) as refused:
        ask(facts(), date(2019, 6, 30))
    assert refused.value.code == "no-repair-rule"


@pytest.mark.parametrize(
    ("day", "months", "last"),
    [
        (date(2026, 1, 15), 3, date(2026, 4, 15)),
        (date(2025, 11, 30), 3, date(2026, 2, 28)),
        (date(2027, 11, 30), 3, date(2028, 2, 29)),
        (date(2024, 2, 29), 12, date(2025, 2, 28)),
        (date(2024, 2, 29), 48, date(2028, 2, 29)),
        (date(2026, 8, 31), 6, date(2027, 2, 28)),
        (date(2026, 12, 31), 1, date(2027, 1, 31)),
        (date(2026, 12, 1), 0, date(2026, 12, 1)),
    ],
)
def test_months_end_on_the_same_day_or_on_the_months_last(day: date, months: int, last: date) -> None:
    assert months_after(day, months) == last


@pytest.mark.parametrize(
    ("today", "domain", "categories", "spans"),
    [
        (UNDER_58, "taxation", ("没收违法所得",), ["other 3 36"]),
        (UNDER_58, "fire_safety", ("没收违法所得",), ["named-sectors 12 36"]),
        (UNDER_58, "market_regulation", ("没收违法所得",), ["named-sectors 12 36", "other 3 36"]),
        (UNDER_527, "taxation", ("责令停产停业",), ["serious 6 36"]),
        (UNDER_527, "taxation", ("警告",), ["serious 6 36", "general 3 12"]),
        (UNDER_36, "taxation", ("没收违法所得",), ["general 3 12"]),
        (UNDER_36, "taxation", ("没收违法所得", "吊销许可证件"), ["serious 12 36"]),
        (UNDER_36, "taxation", ("罚款",), ["serious 12 36", "general 3 12"]),
        (UNDER_36, "taxation", ("警告", "罚款"), ["serious 12 36", "general 3 12"]),
        (UNDER_36, "taxation", ("警告",), ["minor 0 3"]),
        (UNDER_36, "taxation", ("通报批评", "警告"), ["minor 0 3"]),
        (UNDER_36, "taxation", ("暂扣或者吊销许可证",), ["serious 12 36", "minor 0 3", "general 3 12"]),
        (UNDER_36, "taxation", ("其他",), ["serious 12 36", "minor 0 3", "general 3 12"]),
    ],
)
def test_the_class_is_told_or_all_it_may_be(
    today: date, domain: str, categories: tuple[str, ...], spans: list[str]
) -> None:
    found = ask(facts(date(2023, 1, 10), *categories, domain=domain), today)
    classes = [one.repair_class for one in found.candidates]
    assert [f"{one.id} {one.shortest_months} {one.longest_months}" for one in classes] == spans
    assert (found.cls is None) == (len(spans) > 1) == (Note.CLASS_UNKNOWN in found.notes)
    assert [one.is_certain for one in found.candidates] == [len(spans) == 1] * len(spans)


def test_a_penalty_on_the_spot_is_minor_and_its_fine_never_very_large() -> None:
    assert names(ask(facts(date(2026, 5, 1), "罚款", procedure=Procedure.SUMMARY))) == ["minor"]
    assert names(ask(facts(date(2026, 5, 1), "罚款", procedure=None))) == ["serious", "minor", "general"]


def test_without_its_kind_of_penalty_a_record_may_be_anything() -> None:
    assert names(ask(replace(facts(), categories=None))) == ["serious", "minor", "general"]


def test_the_last_days_of_an_ordinary_penalty_under_the_rule_of_2026() -> None:
    found = ask(facts(date(2026, 1, 15)))
    assert (found.shortest_end, found.earliest, found.longest_end) == (
        date(2026, 4, 15),
        date(2026, 4, 16),
        date(2027, 1, 15),
    )
    assert [(one.condition, one.is_done) for one in found.to_do] == [
        (Condition.SHORTEST_OVER, True), (Condition.DUTIES_DONE, None), (Condition.COMMITMENT, None),
    ]  # fmt: skip
    on_last, after = (ask(facts(date(2026, 1, 15)), day) for day in (date(2026, 4, 15), date(2026, 4, 16)))
    assert (on_last.to_do[0].is_done, after.to_do[0].is_done) == (False, True)


def test_publication_ends_after_the_last_day_and_waits_for_duties_that_nobody_knows_of() -> None:
    last = date(2027, 1, 15)
    assert ask(facts(), last).publication.state is PUBLISHED
    over = ask(facts(), last + DAY)
    assert (over.publication.state, over.publication.until) == (ENDED, last)
    assert over.publication.needs_duties
    assert Note.DUTIES_UNKNOWN in over.notes
    assert not ask(facts(duties_done=True), last + DAY).publication.needs_duties
    assert ask(facts(duties_done=False), last + DAY).publication.state is PublicationState.BY_SECTOR_RULES
    assert ask(facts(duties_done=False), last).publication.state is PUBLISHED


def test_under_the_older_rules_publication_ends_whatever_is_open() -> None:
    old = facts(date(2020, 1, 15), duties_done=False)
    assert ask(old, date(2023, 1, 15)).publication.state is PUBLISHED  # serious by 527, perhaps
    assert ask(old, date(2023, 1, 16)).publication.state is ENDED
    assert not ask(old, date(2023, 1, 16)).publication.needs_duties


def test_where_the_class_is_open_the_longest_span_is_told() -> None:
    found = ask(facts(date(2025, 3, 31), "罚款"), date(2026, 11, 22))
    assert (found.shortest_end, found.longest_end) == (date(2026, 3, 31), date(2028, 3, 31))
    assert (found.earliest, found.possible_from) == (date(2026, 4, 1), date(2025, 7, 1))
    assert (found.publication.state, found.publication.until) == (PUBLISHED, date(2028, 3, 31))
    assert not found.publication.is_certain  # as a general one it would have ended


def test_a_minor_one_is_normally_not_published_and_may_be_repaired_at_once() -> None:
    found = ask(facts(date(2026, 11, 1), "警告"))
    assert found.publication.state is PublicationState.NOT_PUBLISHED
    assert (found.earliest, found.longest_end) == (date(2026, 11, 1), date(2027, 2, 1))


def test_repair_ends_publication_from_its_day_on() -> None:
    repaired = facts(repaired_date=date(2026, 6, 1))
    assert ask(repaired, date(2026, 5, 31)).publication.state is PUBLISHED
    ended = ask(repaired, date(2026, 6, 1))
    assert (ended.publication.state, ended.publication.until) == (PublicationState.ENDED_BY_REPAIR, date(2026, 6, 1))
    assert not ended.is_open
    # Its period over or not: repaired is repaired.
    assert ask(repaired, date(2030, 1, 1)).publication.state is PublicationState.ENDED_BY_REPAIR


@pytest.mark.parametrize(
    ("changes", "note"),
    [({"is_penalised": False}, Note.NOT_PENALISED), ({"is_gone": True}, Note.TAKEN_BACK)],
)
def test_what_was_not_penalised_or_taken_back_is_not_published(changes: dict[str, bool], note: Note) -> None:
    found = ask(facts(**changes))
    assert (found.publication.state, note in found.notes) == (PublicationState.NOT_PUBLISHED, True)
    assert not found.is_open


def test_a_listing_is_serious_from_2026_and_by_its_own_rules_before() -> None:
    listed = replace(facts(), kind=RecordKind.SERIOUS_DISHONESTY, categories=None, procedure=None, is_penalised=None)
    assert names(ask(listed)) == ["serious"]
    before = ask(listed, UNDER_58)
    assert (before.publication.state, before.candidates) == (PublicationState.BY_SECTOR_RULES, ())
    gone = replace(listed, listed_through=date(2026, 10, 1))
    assert ask(gone).publication.state is PublicationState.NOT_PUBLISHED


@pytest.mark.parametrize("kind", [RecordKind.CRIMINAL_JUDGMENT, RecordKind.OTHER_DETERMINATION])
def test_other_kinds_are_left_to_their_own_rules(kind: RecordKind) -> None:
    found = ask(replace(facts(), kind=kind))
    assert (found.publication.state, found.notes) == (PublicationState.BY_SECTOR_RULES, (Note.NOT_COVERED,))
    assert not found.is_open


def test_without_its_day_no_day_is_told() -> None:
    found = ask(facts(None))
    assert (found.shortest_end, found.longest_end, found.earliest) == (None, None, None)
    assert (found.publication.state, found.publication.until) == (PUBLISHED, None)
    assert Note.DATE_UNKNOWN in found.notes


def test_another_rule_is_pointed_to_from_its_day_on() -> None:
    of_market = facts(domain="market_regulation")
    assert ask(of_market, date(2025, 12, 24)).elsewhere == ()
    assert ask(of_market, date(2025, 12, 25)).elsewhere[0].citation.second_hand
    assert ask(facts(), date(2025, 12, 25)).elsewhere == ()


def test_what_was_decided_under_an_older_rule_is_pointed_out() -> None:
    assert Note.TRANSITION in ask(facts(date(2026, 3, 31))).notes
    assert Note.TRANSITION not in ask(facts(UNDER_36)).notes


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("罚款;没收违法所得", ("罚款", "没收违法所得")),
        ("警告、罚款", ("警告", "罚款")),
        ("其他-警告", ("警告",)),
        ("其他（警告）", ("警告",)),
        ("其他", ("其他",)),
        ("", None),
        (None, None),
        (" ； ", None),
    ],
)
def test_kinds_of_penalty_are_read_from_their_words(text: str | None, words: tuple[str, ...] | None) -> None:
    assert categories_in(text) == words


def test_the_facts_are_those_of_the_record() -> None:
    record = penalty(
        decision_date=date(2026, 1, 15), procedure=Procedure.SUMMARY, outcome=Outcome.NOT_PENALISED,
        standing=Standing.VOID, standing_date=date(2026, 3, 1), content={"category": "警告"},
    )  # fmt: skip
    on, before = facts_of(record, date(2026, 3, 1)), facts_of(record, date(2026, 2, 28))
    assert (on.is_gone, before.is_gone) == (True, False)
    assert (on.since_date, on.categories, on.is_penalised) == (date(2026, 1, 15), ("警告",), False)
    assert facts_of(replace(record, outcome=None), date(2026, 3, 1)).is_penalised is None


def test_a_repair_is_told_with_the_penalties_it_repairs() -> None:
    first, other = penalty("p1", document_key="甲1号"), penalty("p2", document_key="乙2号")
    repair = replace(penalty("r1"), kind=RecordKind.CREDIT_REPAIR, document_key="甲1号", repaired_date=date(2026, 1, 1))
    stray = replace(repair, id="r2", document_key="丙3号")
    pairs = repair_pairs((repair, first, other, stray), date(2026, 11, 22))
    assert [(one.id, of.id) for one, of in pairs] == [("r1", "p1")]
    # A penalty's own day of repair is no link.
    assert repair_pairs((replace(first, repaired_date=date(2025, 1, 1)), stray), date(2026, 11, 22)) == ()


CATEGORIES = [*sorted(RULES.categories), "其他", "暂扣或者吊销执照"]


@given(
    since=st.dates(date(2018, 1, 1), date(2028, 12, 31)),
    today=st.dates(date(2019, 7, 1), date(2032, 1, 1)),
    domain=st.sampled_from(["taxation", "fire_safety", "market_regulation"]),
    procedure=st.sampled_from(list(Procedure)),
    categories=st.lists(st.sampled_from(CATEGORIES), min_size=1, max_size=3),
    hidden=st.sampled_from(["procedure", "categories"]),
)
def test_knowing_less_never_gives_the_milder_answer(
    since: date, today: date, domain: str, procedure: Procedure, categories: list[str], hidden: str
) -> None:
    whole = facts(since, *categories, domain=domain, procedure=procedure)
    full, less = (guidance(one, RULES, today) for one in (whole, replace(whole, **{hidden: None})))
    assert set(names(full)) <= set(names(less))
    assert less.longest_end is not None
    assert full.longest_end is not None
    assert less.longest_end >= full.longest_end
    assert less.earliest is not None
    assert full.earliest is not None
    assert less.earliest >= full.earliest
    if full.publication.state is PUBLISHED:
        assert less.publication.state is PUBLISHED

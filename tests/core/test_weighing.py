"""Weighing: every record gets a finding by one clause, and what is hidden stays hidden."""

from datetime import date

import pytest

from tests.core.cases import AS_OF, CLAUSES, clause, penalty, policy
from xinzheng.core.conditions import Equals
from xinzheng.core.policy import Effect, PolicyDomain
from xinzheng.core.records import OrganPlace, Record, RecordKind, Standing
from xinzheng.core.subjects import SubjectKind, Tie
from xinzheng.core.weighing import (
    AFTER_PERIOD,
    BEFORE_PERIOD,
    DOMAIN_NOT_CHOSEN,
    NOT_WEIGHED,
    Period,
    is_own_and_open,
    prepare_weighing,
    weigh,
)

PERIOD = Period(date(2022, 6, 3), AS_OF)


def weighing(clauses=CLAUSES, as_of=AS_OF, domains=("taxation", "justice")):
    kind = SubjectKind.ENTERPRISE_LEGAL_PERSON
    return prepare_weighing(policy(clauses=clauses), PERIOD, frozenset(domains), kind, as_of)


def found(record: Record, **how):
    return weigh(weighing(**how), record)


@pytest.mark.parametrize(
    ("facts", "effect", "clause_id"),
    [
        ({}, Effect.COUNTED, "all"),
        ({"procedure": "summary"}, Effect.EXCLUDED, "summary"),
        ({"procedure": None}, Effect.COUNTED, "all"),
        ({"outcome": None}, Effect.UNRESOLVED, "unclear"),
        ({"tie": Tie.MERGED}, Effect.LISTED_APART, "apart"),
        ({"standing": Standing.VOID}, Effect.EXCLUDED, "withdrawn"),
        ({"standing": None}, Effect.COUNTED, "all"),
        ({"sealed": True}, Effect.EXCLUDED, "sealed"),
        ({"sealed": None}, Effect.COUNTED, "all"),
        ({"repaired_date": AS_OF}, Effect.MARKED, "repaired"),
        ({"repaired_date": date(2025, 6, 4)}, Effect.COUNTED, "all"),
        ({"kind": RecordKind.CRIMINAL_JUDGMENT}, Effect.EXCLUDED, NOT_WEIGHED),
        ({"domain": "moon"}, Effect.EXCLUDED, NOT_WEIGHED),
        ({"domain": "health"}, Effect.EXCLUDED, DOMAIN_NOT_CHOSEN),
        ({"decision_date": date(2022, 6, 2)}, Effect.EXCLUDED, BEFORE_PERIOD),
        ({"decision_date": date(2022, 6, 3)}, Effect.COUNTED, "all"),
        ({"decision_date": AS_OF}, Effect.COUNTED, "all"),
        ({"decision_date": date(2025, 6, 4)}, Effect.EXCLUDED, AFTER_PERIOD),
    ],
)
def test_a_record_is_weighed_by_the_first_clause_that_holds(facts, effect, clause_id):
    record = penalty(**{k: v for k, v in facts.items() if k != "kind"})
    if "kind" in facts:
        record = Record(id="r1", kind=facts["kind"], domain="taxation", decision_date=date(2024, 5, 1))
    finding = found(record)
    assert (finding.effect, finding.clause.id) == (effect, clause_id)


def test_a_marked_clause_adds_its_mark_and_the_record_still_counts():
    finding = found(penalty(repaired_date=date(2025, 1, 1)))
    assert finding.is_counted
    assert finding.marks == ("已修复",)


def test_marks_of_every_clause_that_holds_are_kept():
    finding = found(penalty(repaired_date=date(2025, 1, 1), standing=Standing.UNDER_REVIEW))
    assert finding.marks == ("已修复", "复议")


def test_a_counted_clause_after_the_deciding_one_still_adds_its_mark():
    clauses = (
        clause("first", Effect.COUNTED, Equals("tie", "renamed")),
        clause("second", Effect.COUNTED, Equals("standing", "under_review"), mark="复议"),
        clause("all", Effect.COUNTED),
    )
    finding = found(penalty(tie=Tie.RENAMED, standing=Standing.UNDER_REVIEW), clauses=clauses)
    assert (finding.effect, finding.clause.id, finding.marks) == (Effect.COUNTED, "first", ("复议",))


def test_marks_behind_an_exclusion_that_holds_too_are_not_taken():
    clauses = (
        clause("first", Effect.COUNTED, Equals("tie", "renamed")),
        clause("out", Effect.EXCLUDED, Equals("procedure", "summary")),
        clause("second", Effect.COUNTED, mark="复议"),
    )
    finding = found(penalty(tie=Tie.RENAMED, procedure="summary"), clauses=clauses)
    assert (finding.clause.id, finding.marks) == ("first", ())


def test_an_exclusion_carries_no_marks():
    finding = found(penalty(standing=Standing.VOID, repaired_date=date(2025, 1, 1)))
    assert (finding.effect, finding.marks) == (Effect.EXCLUDED, ())


def test_a_dated_clause_applies_from_its_first_day_on():
    record = penalty(tie=Tie.BRANCH)
    assert found(record, as_of=date(2025, 6, 2)).effect is Effect.COUNTED
    assert found(record, as_of=date(2025, 6, 3)).clause.id == "new-rule"


@pytest.mark.parametrize("facts", [{"domain": "health"}, {"decision_date": date(2010, 1, 1)}, {"procedure": "summary"}])
def test_what_the_law_hides_is_hidden_before_any_other_reason(facts):
    finding = found(penalty(sealed=True, **facts))
    assert finding.hides
    assert finding.clause.id == "sealed"


def listing(begin, end=None) -> Record:
    return Record(id="l1", kind=RecordKind.SERIOUS_DISHONESTY, domain="taxation", listed_from=begin, listed_through=end)


@pytest.mark.parametrize(
    ("begin", "end", "clause_id"),
    [
        (date(2010, 1, 1), None, "counted"),
        (date(2010, 1, 1), date(2022, 6, 3), "counted"),
        (date(2010, 1, 1), date(2022, 6, 2), BEFORE_PERIOD),
        (AS_OF, None, "counted"),
        (date(2025, 6, 4), None, AFTER_PERIOD),
    ],
)
def test_a_listing_counts_when_it_stood_during_the_period(begin, end, clause_id):
    lists = tuple(type(d)(d.code, d.name, (RecordKind.SERIOUS_DISHONESTY,)) for d in policy().domains)
    pack = policy(domains=lists, clauses=(clause("counted", Effect.COUNTED),))
    ready = prepare_weighing(pack, PERIOD, frozenset({"taxation"}), SubjectKind.ENTERPRISE_LEGAL_PERSON, AS_OF)
    assert weigh(ready, listing(begin, end)).clause.id == clause_id


@pytest.mark.parametrize(
    ("facts", "is_open"),
    [
        ({}, True),
        ({"tie": Tie.RENAMED}, True),
        ({"tie": Tie.BRANCH}, False),
        ({"tie": Tie.MERGED}, False),
        ({"organ": OrganPlace.ELSEWHERE}, False),
        ({"organ": None}, True),
        ({"sealed": True}, False),
        ({"standing": Standing.WITHDRAWN}, False),
        ({"standing": Standing.UNDER_REVIEW}, True),
    ],
)
def test_other_information_shows_only_the_subjects_own_open_records(facts, is_open):
    assert is_own_and_open(weighing(), penalty(**facts)) is is_open


LISTING = {"kind": RecordKind.SERIOUS_DISHONESTY, "domain": "taxation"}
LISTS = PolicyDomain("taxation", "taxation", (RecordKind.SERIOUS_DISHONESTY,))


@pytest.mark.parametrize(
    ("facts", "clause_id"),
    [
        ({"listed_from": date(2022, 6, 3)}, "all"),
        ({"listed_from": date(2019, 1, 1)}, "all"),
        ({"listed_from": date(2019, 1, 1), "listed_through": date(2022, 6, 3)}, "all"),
        ({"listed_from": date(2019, 1, 1), "listed_through": date(2022, 6, 2)}, BEFORE_PERIOD),
        ({"listed_from": None, "listed_through": date(2022, 6, 2)}, BEFORE_PERIOD),
        ({"listed_from": date(2025, 6, 4)}, AFTER_PERIOD),
    ],
)
def test_a_listing_is_of_the_whole_time_it_lasted(facts, clause_id):
    pack = policy(domains=(LISTS,), clauses=(clause("all", Effect.COUNTED),))
    kind = SubjectKind.ENTERPRISE_LEGAL_PERSON
    given = prepare_weighing(pack, PERIOD, frozenset({"taxation"}), kind, AS_OF)
    assert weigh(given, Record(id="r1", **(LISTING | facts))).clause.id == clause_id


def test_a_stray_listing_date_does_not_move_a_penalty_into_the_period():
    record = penalty(decision_date=date(2020, 1, 1), listed_from=date(2024, 1, 1))
    assert found(record).clause.id == BEFORE_PERIOD

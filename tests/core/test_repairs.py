"""Credit repairs delivered apart from their penalties: which penalty a repair reaches, and from when to when."""

from datetime import date

import pytest

from tests.core.cases import AS_OF, CALENDAR, coverage, penalty, policy
from xinzheng.core.decision import Case, Decision, Request, Result, decide
from xinzheng.core.records import Record, RecordKind, Standing, link_repairs
from xinzheng.core.subjects import Subject, SubjectKind, Tie

REPAIRED = date(2025, 1, 1)
CODE_OF_A = "11320500DEM01001X7"


def repair(**facts: object) -> Record:
    values: dict[str, object] = {"id": "p1", "kind": RecordKind.CREDIT_REPAIR, "domain": "", "document_key": "甲1号"}
    return Record(**(values | {"repaired_date": REPAIRED} | facts))  # type: ignore[arg-type]


def repaired(*records: Record) -> dict[str, date | None]:
    return {r.id: r.repaired_date for r in link_repairs(records, AS_OF) if r.kind is not RecordKind.CREDIT_REPAIR}


def decided(*records: Record) -> Decision:
    subject = Subject(SubjectKind.ENTERPRISE_LEGAL_PERSON)
    return decide(policy(), Case(Request(), subject, records, coverage(), AS_OF), CALENDAR)


def test_a_repair_reaches_the_penalty_whose_document_it_names() -> None:
    assert repaired(penalty(document_key="甲1号"), penalty("r2", document_key="乙2号"), repair()) == {
        "r1": REPAIRED,
        "r2": None,
    }


def test_the_earlier_of_two_repair_dates_stands() -> None:
    own = penalty(document_key="甲1号", repaired_date=date(2024, 12, 1))
    assert repaired(own, repair()) == {"r1": date(2024, 12, 1)}
    assert repaired(penalty(document_key="甲1号", repaired_date=date(2025, 2, 1)), repair()) == {"r1": REPAIRED}


@pytest.mark.parametrize("standing", [Standing.WITHDRAWN, Standing.VOID])
@pytest.mark.parametrize(
    ("day", "date_found"),
    [(None, None), (AS_OF, None), (date(2025, 6, 4), REPAIRED)],
    ids=["undated", "today", "later"],
)
def test_a_repair_that_was_taken_back_repairs_nothing_from_that_day_on(
    standing: Standing, day: date | None, date_found: date | None
) -> None:
    found = repaired(penalty(document_key="甲1号"), repair(standing=standing, standing_date=day))
    assert found == {"r1": date_found}


def test_a_sealed_repair_repairs_nothing() -> None:
    assert repaired(penalty(document_key="甲1号"), repair(sealed=True)) == {"r1": None}


@pytest.mark.parametrize("tie", [Tie.BRANCH, Tie.MERGED, Tie.SPLIT])
def test_a_repair_of_another_party_to_the_same_document_repairs_nothing_of_ones_own(tie: Tie) -> None:
    own, theirs = penalty(document_key="甲1号"), penalty("r2", document_key="甲1号", tie=tie)
    assert repaired(own, theirs, repair(tie=tie)) == {"r1": None, "r2": REPAIRED}


def test_a_penalty_under_a_former_name_is_repaired_under_the_present_one() -> None:
    assert repaired(penalty(document_key="甲1号", tie=Tie.RENAMED), repair()) == {"r1": REPAIRED}


def test_another_organs_document_of_the_same_number_stays_unrepaired() -> None:
    own, other = penalty(document_key="甲1号", organ_key="A"), penalty("r2", document_key="甲1号", organ_key="B")
    assert repaired(own, other, repair(organ_key="A")) == {"r1": REPAIRED, "r2": None}


def test_a_number_alone_decides_only_where_one_organ_bears_it() -> None:
    own, other = penalty(document_key="甲1号", organ_key="A"), penalty("r2", document_key="甲1号", organ_key="B")
    assert repaired(own, repair()) == {"r1": REPAIRED}
    assert repaired(own, other, repair()) == {"r1": None, "r2": None}


def test_an_organs_code_and_a_name_do_not_contradict_each_other() -> None:
    assert repaired(penalty(document_key="甲1号", organ_key=CODE_OF_A), repair(organ_key="某县税务局")) == {
        "r1": REPAIRED
    }


def test_a_repair_that_names_a_sealed_penalty_by_name_where_the_penalty_has_a_code_betrays_nothing() -> None:
    sealed = penalty(document_key="甲1号", organ_key=CODE_OF_A, sealed=True)
    decision = decided(sealed, repair(organ_key="某县税务局"))
    assert {o.code: o.result for o in decision.other}["credit_repair"] is Result.NONE_FOUND


def test_a_repair_taken_back_only_later_is_still_shown() -> None:
    decision = decided(repair(standing=Standing.WITHDRAWN, standing_date=date(2025, 6, 4)))
    assert {o.code: o.result for o in decision.other}["credit_repair"] is Result.RECORDS_FOUND


@pytest.mark.parametrize("facts", [{"sealed": True}, {"sealed": True, "decision_date": date(2010, 1, 1)}])
def test_where_repairs_are_no_section_a_repair_of_a_hidden_penalty_has_no_finding_to_tell(
    facts: dict[str, object],
) -> None:
    subject = Subject(SubjectKind.ENTERPRISE_LEGAL_PERSON)
    records = (penalty(document_key="甲1号", **facts), repair(), repair(id="p2", document_key="乙2号"))
    decision = decide(policy(other=()), Case(Request(), subject, records, coverage(), AS_OF), CALENDAR)
    assert {f.record.id: f.hides for f in decision.findings} == {"r1": True, "p1": True, "p2": False}

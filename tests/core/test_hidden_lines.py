"""Rejected lines of records nobody may be told of: they neither block an answer nor hint that there is something."""

import pytest

from tests.core.cases import AS_OF, CALENDAR, CLAUSES, clause, coverage, policy
from xinzheng.core.conditions import And, Equals
from xinzheng.core.coverage import Coverage, PendingLines
from xinzheng.core.decision import Case, DomainResult, Request, Result, decide
from xinzheng.core.policy import Clause, Effect, ServedKind
from xinzheng.core.records import RecordKind
from xinzheng.core.subjects import Subject, SubjectKind

PENALTY = RecordKind.ADMINISTRATIVE_PENALTY
OF_PERSONS = And((Equals("domain", "justice"), Equals("kind", PENALTY), Equals("subject_kind", "natural_person")))
UNSEALED = tuple(c for c in CLAUSES if c.id != "sealed")
HIDING = (clause("persons", Effect.EXCLUDED, OF_PERSONS, hides=True), *CLAUSES)


def justice(
    kind: SubjectKind, *, names_subject: bool = True, sealed: bool = False, clauses: tuple[Clause, ...] = HIDING
) -> DomainResult:
    served = tuple(
        ServedKind(k, clause("x", Effect.COUNTED).citation, clause("x", Effect.COUNTED).basis) for k in SubjectKind
    )
    facts = coverage()
    waiting = PendingLines("justice", "u1", PENALTY, names_subject=names_subject, sealed=sealed)
    known = Coverage(facts.responsibilities, facts.statements, (waiting,))
    pack = policy(clauses=clauses, subject_kinds=served)
    decision = decide(pack, Case(Request(), Subject(kind), (), known, AS_OF), CALENDAR)
    return next(d for d in decision.domains if d.code == "justice")


def test_a_line_about_a_person_where_every_record_is_hidden_is_not_mentioned() -> None:
    answer = justice(SubjectKind.NATURAL_PERSON)
    assert (answer.result, answer.gaps) == (Result.NONE_FOUND, ())


def test_a_line_about_a_firm_still_blocks() -> None:
    assert justice(SubjectKind.ENTERPRISE_LEGAL_PERSON).result is Result.NOT_VERIFIABLE


@pytest.mark.parametrize("kind", [SubjectKind.NATURAL_PERSON, SubjectKind.ENTERPRISE_LEGAL_PERSON])
def test_a_line_that_may_concern_anybody_hints_at_nobody_and_blocks(kind: SubjectKind) -> None:
    assert justice(kind, names_subject=False).result is Result.NOT_VERIFIABLE


def test_a_line_that_says_it_is_sealed_is_not_mentioned_where_sealed_records_are_hidden() -> None:
    answer = justice(SubjectKind.ENTERPRISE_LEGAL_PERSON, sealed=True)
    assert (answer.result, answer.gaps) == (Result.NONE_FOUND, ())


def test_a_line_that_says_nothing_of_a_seal_blocks_there() -> None:
    assert justice(SubjectKind.ENTERPRISE_LEGAL_PERSON).result is Result.NOT_VERIFIABLE


def test_a_sealed_line_of_nobody_blocks_everybody() -> None:
    answer = justice(SubjectKind.ENTERPRISE_LEGAL_PERSON, names_subject=False, sealed=True)
    assert answer.result is Result.NOT_VERIFIABLE


def test_a_sealed_line_blocks_where_the_policy_hides_no_sealed_record() -> None:
    answer = justice(SubjectKind.ENTERPRISE_LEGAL_PERSON, sealed=True, clauses=UNSEALED)
    assert answer.result is Result.NOT_VERIFIABLE

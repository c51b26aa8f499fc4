"""Cases (案件): what a decision reads from registry and ledger, all at one position."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from xinzheng.apps.ledger import queries as ledger
from xinzheng.apps.registry import queries as registry
from xinzheng.core.decision import Case, Decision, Request, decide
from xinzheng.core.policy import Policy
from xinzheng.core.subjects import Tie
from xinzheng.core.workdays import Calendar


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked (申请事项): of whom, under which policy and calendar, when, and at which ledger position."""

    policy: Policy
    calendar: Calendar
    subject_id: int
    request: Request
    as_of: datetime
    position: int


@dataclass(frozen=True, slots=True)
class Answer:
    """The decision with the case it was made on, who answers in words per domain or section, whose records count."""

    case: Case
    decision: Decision
    units: Mapping[str, str]
    ties: tuple[int, ...]


def build_case(question: Question, ties: Mapping[int, Tie] | None = None) -> Case:
    """Read the case as the ledger stood at the question's position; ``ties`` where they are known already."""
    ties = ties or registry.ties_at(question.subject_id, question.position)
    return Case(
        request=question.request,
        subject=registry.subject_at(question.subject_id, question.position),
        records=ledger.records_at(ties, question.position, question.policy.jurisdiction),
        coverage=ledger.case_coverage(question.policy.id, tuple(ties), question.position),
        as_of=question.as_of,
    )


def units_in_words(policy: Policy, case: Case) -> dict[str, str]:
    """Who answers: in the decree's words where it names them, else the deployment's units."""
    named: dict[str, dict[str, None]] = {}
    for who in case.coverage.responsibilities:
        named.setdefault(who.domain, {})[who.unit_name] = None
    words = {code: "、".join(names) for code, names in named.items()}
    words |= {d.code: d.units_text for d in policy.domains if d.units_text}
    return words | {s.code: s.units_text for s in policy.other if s.units_text}


def answer_question(question: Question) -> Answer:
    """Decide the question. Raises what ``decide`` raises."""
    ties = registry.ties_at(question.subject_id, question.position)
    case = build_case(question, ties)
    decision = decide(question.policy, case, question.calendar)
    return Answer(case, decision, units_in_words(question.policy, case), tuple(ties))

"""What a case expects (预期结果): any part of a decision, or the code of a refusal."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from xinzheng.adapters.policy_files.nodes import Value
from xinzheng.core.decision import ReportOutcome, Result
from xinzheng.core.policy import Effect


class Refusal(StrEnum):
    """The refusals a case may expect."""

    POLICY_EXPIRED = "policy-expired"
    POLICY_NOT_YET_IN_FORCE = "policy-not-yet-in-force"
    SUBJECT_KIND_NOT_SERVED = "subject-kind-not-served"
    SUBJECT_DEREGISTERED = "subject-deregistered"
    UNKNOWN_DOMAIN = "unknown-domain"
    PERIOD_EMPTY = "period-empty"
    CHOICE_NOT_OFFERED = "choice-not-offered"
    CALENDAR_YEAR_UNKNOWN = "calendar-year-unknown"


@dataclass(frozen=True, slots=True)
class ExpectedFinding:
    """The effect a record must have, and optionally the clause and the marks; None and empty are not checked."""

    effect: Effect
    clause: str | None = None
    marks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Expectation:
    """What must come out; None and empty are not checked."""

    outcome: ReportOutcome | None = None
    domains: Mapping[str, Result] = field(default_factory=dict)
    findings: Mapping[str, ExpectedFinding] = field(default_factory=dict)
    other: Mapping[str, Result] = field(default_factory=dict)
    clipped: bool | None = None
    error: Refusal | None = None


def _finding(value: Value) -> ExpectedFinding:
    if value.tag == "str":
        return ExpectedFinding(value.one_of(Effect))
    read = value.fields(("effect",), ("clause", "marks"))
    return ExpectedFinding(
        read["effect"].one_of(Effect) if "effect" in read else Effect.COUNTED,
        read["clause"].text() if "clause" in read else None,
        tuple(mark.text() for mark in read["marks"].items()) if "marks" in read else (),
    )


def read_expectation(value: Value) -> Expectation:
    """The ``expect`` of a case: at least one thing to check, and an error alone."""
    read = value.fields((), ("outcome", "domains", "findings", "other", "clipped", "error"))
    if value.tag == "map" and not read:
        value.wrong("预期结果至少要写一项")
    if "error" in read and len(read) > 1:
        value.wrong("预期拒绝（error）时不能再写其他预期")
    return Expectation(
        outcome=read["outcome"].one_of(ReportOutcome) if "outcome" in read else None,
        domains=_results(read.get("domains")),
        findings={key: _finding(item) for key, item in read["findings"].entries().items()}
        if "findings" in read
        else {},
        other=_results(read.get("other")),
        clipped=read["clipped"].flag() if "clipped" in read else None,
        error=read["error"].one_of(Refusal) if "error" in read else None,
    )


def _results(value: Value | None) -> dict[str, Result]:
    return {code: item.one_of(Result) for code, item in (value.entries() if value else {}).items()}

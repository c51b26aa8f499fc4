"""Running a case (用例): decide what it gives and say where the decision differs from what it expects."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date

from xinzheng.adapters.policy_files.case_reader import CasePending, CoverageException, PolicyCase
from xinzheng.adapters.policy_files.expectations import Expectation, ExpectedFinding
from xinzheng.core.coverage import Coverage, PendingLines, Responsibility, Statement
from xinzheng.core.decision import Case, Decision, Result, decide
from xinzheng.core.errors import XinzhengError
from xinzheng.core.policy import Effect, Policy
from xinzheng.core.weighing import Finding
from xinzheng.core.workdays import Calendar

DEFAULT_UNITS = ("u1",)


def _responsibilities(policy: Policy, case: PolicyCase) -> tuple[Responsibility, ...]:
    asked = [(domain.code, kind) for domain in policy.domains for kind in domain.kinds]
    asked += [(section.code, section.kind) for section in policy.other]
    return tuple(
        Responsibility(code, kind, unit, unit) for code, kind in asked for unit in case.units.get(code, DEFAULT_UNITS)
    )


def _meets(entry_domain: str, entry_kind: str | None, who: Responsibility) -> bool:
    """Whether an entry speaks of the responsibility; a section goes by its code, or by any domain and its kind."""
    if entry_domain == who.domain:
        return entry_kind in (None, who.kind)
    return who.domain == who.kind == entry_kind


def _statement(who: Responsibility, exceptions: Iterable[CoverageException], as_of: date) -> Statement | None:
    full = Statement(who.domain, who.unit, who.kind, date.min, as_of)
    for entry in exceptions:
        if entry.unit == who.unit and _meets(entry.domain, entry.kind, who):
            if entry.from_date is None and entry.through_date is None:
                return None
            full = replace(
                full,
                from_date=entry.from_date or full.from_date,
                through_date=entry.through_date or full.through_date,
            )
    return full


def _coverage(policy: Policy, case: PolicyCase, as_of: date) -> Coverage:
    who = _responsibilities(policy, case)
    stated = (_statement(r, case.coverage.exceptions, as_of) for r in who) if case.coverage.is_full else ()
    pending = tuple(
        PendingLines(r.domain, r.unit, r.kind, lines.count, lines.names_subject)
        for lines in case.coverage.pending
        for r in who
        if lines.unit == r.unit and _meets(lines.domain, lines.kind, r)
    )
    return Coverage(who, tuple(s for s in stated if s is not None), pending)


def _mistaken(policy: Policy, case: PolicyCase) -> list[str]:
    """Entries of the case that speak of nobody, so that the case would prove nothing."""
    who = _responsibilities(policy, case)
    entries: list[CoverageException | CasePending] = [*case.coverage.exceptions, *case.coverage.pending]
    known = {domain.code for domain in policy.domains} | {section.code for section in policy.other}
    return [
        f"coverage 写到的{entry.domain}·{entry.unit}在本用例中没有责任"
        for entry in entries
        if not any(entry.unit == r.unit and _meets(entry.domain, entry.kind, r) for r in who)
    ] + [f"units 写到的领域“{code}”不在政策中" for code in case.units if code not in known]


def decide_case(policy: Policy, case: PolicyCase, calendar: Calendar) -> Decision:
    """The decision of a case. Raises as ``decide`` does."""
    extended = replace(policy, extensions=policy.extensions + case.extensions)
    given = Case(case.request, case.subject, case.records, Coverage(), case.as_of)
    return decide(extended, replace(given, coverage=_coverage(policy, case, given.as_of_date)), calendar)


def run_case(policy: Policy, case: PolicyCase, calendar: Calendar) -> list[str]:
    """The differences between what the policy decides and what the case expects, in Chinese; empty if none."""
    if mistaken := _mistaken(policy, case):
        return mistaken
    expected = case.expect.error
    try:
        decision = decide_case(policy, case, calendar)
    except XinzhengError as error:
        if expected is None:
            return [f"应能作出核查决定，实际被拒绝：{error.code}（{error.message}）"]
        return [] if error.code == expected else [f"应被拒绝：{expected}，实际被拒绝：{error.code}（{error.message}）"]
    if expected is not None:
        return [f"应被拒绝：{expected}，实际结论：{decision.outcome}"]
    return _differences(case.expect, decision)


def _differences(expect: Expectation, decision: Decision) -> list[str]:
    found: list[str] = []
    if expect.outcome is not None and expect.outcome != decision.outcome:
        found.append(f"结论应为 {expect.outcome}，实际为 {decision.outcome}")
    if expect.clipped is not None and expect.clipped != decision.is_clipped:
        found.append(f"clipped 应为 {_flag(expect.clipped)}，实际为 {_flag(decision.is_clipped)}")
    found += _result_differences("领域", expect.domains, {d.code: d.result for d in decision.domains})
    found += _result_differences("其他核查信息", expect.other, {o.code: o.result for o in decision.other})
    findings = {finding.record.id: finding for finding in decision.findings}
    for record, wanted in expect.findings.items():
        found += _finding_differences(record, wanted, findings.get(record))
    return found


def _flag(value: bool) -> str:
    return "true" if value else "false"


def _result_differences(what: str, expected: Mapping[str, Result], actual: Mapping[str, Result]) -> list[str]:
    return [
        f"{what}“{code}”应为 {result}，实际为 {actual.get(code, '不在核查范围')}"
        for code, result in expected.items()
        if actual.get(code) != result
    ]


def _same_effect(expected: Effect, finding: Finding) -> bool:
    """Counted and marked say the same of a record that is counted with a mark."""
    if expected is Effect.COUNTED:
        return finding.is_counted
    if expected is Effect.MARKED:
        return finding.is_counted and bool(finding.marks)
    return finding.effect is expected


def _finding_differences(record: str, expected: ExpectedFinding, finding: Finding | None) -> list[str]:
    if finding is None:
        return [f"记录“{record}”应为 {expected.effect}，实际没有认定"]
    actual = f"{finding.effect}（条款 {finding.clause.id}）"
    if not _same_effect(expected.effect, finding):
        return [f"记录“{record}”应为 {expected.effect}，实际为 {actual}"]
    if expected.clause not in (None, finding.clause.id):
        return [f"记录“{record}”应适用条款 {expected.clause}，实际为 {actual}"]
    if missing := [mark for mark in expected.marks if mark not in finding.marks]:
        return [f"记录“{record}”应注明{'、'.join(missing)}，实际注明：{'、'.join(finding.marks) or '无'}"]
    return []

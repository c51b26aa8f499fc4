"""Deciding (核查): one policy, one case, one calendar in; one decision out. No clock, no I/O, order irrelevant."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, timezone
from enum import StrEnum

from xinzheng.core.coverage import Coverage, Gap
from xinzheng.core.coverage_check import domain_gaps, section_gaps
from xinzheng.core.errors import RefusedError
from xinzheng.core.policy import Effect, OtherSection, Policy, PolicyDomain
from xinzheng.core.records import ARREARS_KINDS, Record, RecordKind, link_repairs, may_be_one_organ
from xinzheng.core.subjects import Subject
from xinzheng.core.weighing import Finding, Period, Weighing, hides_all, is_own_and_open, prepare_weighing, weigh
from xinzheng.core.workdays import Calendar

CHINA = timezone(timedelta(hours=8), "Asia/Shanghai")


def china_date(moment: datetime | date) -> date:
    """The day in China Standard Time of an aware datetime; a day stays as it is."""
    return moment.astimezone(CHINA).date() if isinstance(moment, datetime) else moment


class Result(StrEnum):
    """Result of a domain or a section (核查结果): 未查询到, 有记录, 未能核查."""

    NONE_FOUND = "none_found"
    RECORDS_FOUND = "records_found"
    NOT_VERIFIABLE = "not_verifiable"


class ReportOutcome(StrEnum):
    """Outcome of the whole (核查结论)."""

    CLEAR = "clear"
    NOT_CLEAR = "not_clear"
    NOT_VERIFIABLE = "not_verifiable"


@dataclass(frozen=True, slots=True)
class Request:
    """What the subject asks for (申请); None is the policy's widest."""

    domains: tuple[str, ...] | None = None
    from_date: date | None = None
    to_date: date | None = None
    purpose: str | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """Everything one decision looks at; ``as_of`` is an aware datetime or a day in China."""

    request: Request
    subject: Subject
    records: tuple[Record, ...]
    coverage: Coverage
    as_of: datetime | date

    @property
    def as_of_date(self) -> date:
        """The day in China Standard Time."""
        return china_date(self.as_of)


@dataclass(frozen=True, slots=True)
class DomainResult:
    """The answer of one domain (领域核查结果).

    ``data_as_of`` is the earliest responsible unit's last unbroken day, None where a unit never delivered; ``gaps``
    are the units whose data is missing; ``unresolved`` counts records whose decisive fact is unknown.
    """

    code: str
    name: str
    result: Result
    data_as_of: date | None
    gaps: tuple[Gap, ...]
    counted: int
    unresolved: int


@dataclass(frozen=True, slots=True)
class OtherResult:
    """The answer of one section of other information (其他核查信息); ``records`` are those to show."""

    code: str
    name: str
    result: Result
    data_as_of: date | None
    gaps: tuple[Gap, ...]
    records: tuple[Record, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """The decision (核查决定): outcome, domains, other information, and a finding for every record weighed."""

    policy_id: str
    policy_sha256: str
    as_of: datetime | date
    period: Period
    outcome: ReportOutcome
    domains: tuple[DomainResult, ...]
    other: tuple[OtherResult, ...]
    findings: tuple[Finding, ...]
    is_clipped: bool

    @property
    def as_of_date(self) -> date:
        """The day in China Standard Time."""
        return china_date(self.as_of)


def years_before(day: date, years: int) -> date:
    """The same day so many years earlier; 29 February becomes 28 February where that year has none."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return day.replace(year=day.year - years, day=28)


def window_of(policy: Policy, as_of_date: date) -> Period:
    """The widest period (最长查询期) the policy allows on the day."""
    if policy.window.years is not None:
        return Period(years_before(as_of_date, policy.window.years), as_of_date)
    return Period(policy.window.since or date.min, as_of_date)


def check_in_force(policy: Policy, day: date) -> None:
    """Refuse a policy that is not in force on the day (``policy-not-yet-in-force``, ``policy-expired``)."""
    first, last = policy.in_effect.from_date, policy.last_date
    if first is not None and day < first:
        raise RefusedError(
            f"“{policy.title}”自{first:%Y-%m-%d}起施行，{day:%Y-%m-%d}尚未施行，不能据此出具报告。",
            code="policy-not-yet-in-force",
        )
    if last is not None and day > last:
        raise RefusedError(
            f"“{policy.title}”有效期至{last:%Y-%m-%d}，{day:%Y-%m-%d}已经失效，不能据此出具报告；如有延期文件，请先在部署文件中登记文号和期限。",
            code="policy-expired",
        )


def check_subject(policy: Policy, subject: Subject) -> None:
    """Refuse a subject the policy does not serve (``subject-kind-not-served``, ``subject-deregistered``)."""
    if subject.kind not in {served.kind for served in policy.subject_kinds}:
        raise RefusedError(
            f"“{policy.title}”不适用于这一类主体，不能出具报告。",
            code="subject-kind-not-served",
            kind=str(subject.kind),
        )
    if subject.is_deregistered:
        raise RefusedError("该主体已经注销，不再出具新的报告；已出具的报告仍可核验。", code="subject-deregistered")


def _refuse_choice(what: str) -> RefusedError:
    return RefusedError(f"本政策不提供{what}的选择，请按默认范围申请。", code="choice-not-offered")


def chosen_domains(policy: Policy, request: Request) -> tuple[PolicyDomain, ...]:
    """The domains asked for, in the policy's order. Raises ``choice-not-offered`` or ``unknown-domain``."""
    if request.domains is None:
        return policy.domains
    wanted = {policy.domain(code).code for code in request.domains}
    if not wanted:
        raise RefusedError("没有选择任何领域，请至少选择一个领域。", code="choice-not-offered")
    if not policy.choose_domains.is_offered and wanted != {d.code for d in policy.domains}:
        raise _refuse_choice("领域")
    return tuple(domain for domain in policy.domains if domain.code in wanted)


def chosen_period(policy: Policy, request: Request, as_of_date: date) -> tuple[Period, bool]:
    """The period asked for within the policy's window, and whether it had to be clipped.

    Raises ``choice-not-offered``, and ``period-empty`` for a period reversed or wholly outside the window.
    """
    window = window_of(policy, as_of_date)
    asked = Period(request.from_date or window.from_date, request.to_date or window.to_date)
    if asked != window and not policy.choose_period.is_offered:
        raise _refuse_choice("查询期")
    if asked.from_date > asked.to_date:
        raise RefusedError("查询期的起始日期晚于截止日期，请调整。", code="period-empty")
    period = Period(max(asked.from_date, window.from_date), min(asked.to_date, window.to_date))
    if period.from_date > period.to_date:
        raise RefusedError(
            f"查询期不在政策规定的范围（{window.from_date:%Y-%m-%d}至{window.to_date:%Y-%m-%d}）之内，请调整。",
            code="period-empty",
        )
    return period, period != asked


def _domain_result(
    domain: PolicyDomain, findings: Sequence[Finding], gaps: tuple[Gap, ...], as_of: date | None
) -> DomainResult:
    counted = sum(f.is_counted for f in findings)
    unresolved = sum(f.effect is Effect.UNRESOLVED for f in findings)
    result = Result.RECORDS_FOUND if counted else Result.NOT_VERIFIABLE if gaps or unresolved else Result.NONE_FOUND
    return DomainResult(domain.code, domain.name, result, as_of, gaps, counted, unresolved)


def _shown_in(
    section: OtherSection, records: Iterable[Record], period: Period, hidden: frozenset[str]
) -> tuple[Record, ...]:
    found = [r for r in records if r.kind is section.kind and r.id not in hidden]
    if section.kind in ARREARS_KINDS:
        return tuple(r for r in found if r.owing is None or r.owing > 0)
    if section.kind is RecordKind.CREDIT_REPAIR:
        return tuple(r for r in found if r.repaired_date is None or _within(period, r.repaired_date))
    return tuple(found)


def _within(period: Period, day: date) -> bool:
    return period.from_date <= day <= period.to_date


def _other_result(
    section: OtherSection, shown: tuple[Record, ...], gaps: tuple[Gap, ...], as_of: date | None
) -> OtherResult:
    result = Result.RECORDS_FOUND if shown else Result.NOT_VERIFIABLE if gaps else Result.NONE_FOUND
    return OtherResult(section.code, section.name, result, as_of, gaps, shown)


def _outcome(domains: Sequence[DomainResult]) -> ReportOutcome:
    results = {domain.result for domain in domains}
    if Result.RECORDS_FOUND in results:
        return ReportOutcome.NOT_CLEAR
    return ReportOutcome.NOT_VERIFIABLE if Result.NOT_VERIFIABLE in results else ReportOutcome.CLEAR


def data_needed_through(policy: Policy, as_of_date: date, calendar: Calendar) -> date:
    """The day that data must reach (数据应达日期): no more working days than the policy allows lie after it."""
    day = calendar.minus_working_days(as_of_date, policy.freshness_days)
    # Data that ends on a Friday lags no more than data that ends on the Sunday after it.
    while not calendar.is_working_day(day):
        day -= timedelta(days=1)
    return day


def coverage_needed(period: Period, as_of_date: date, policy: Policy, calendar: Calendar) -> Period:
    """What statements must cover: until the period ends, less the lag allowed, but at least the first day."""
    cutoff = data_needed_through(policy, as_of_date, calendar)
    return Period(period.from_date, max(period.from_date, min(period.to_date, cutoff)))


def _latest_needed(as_of_date: date, period: Period, policy: Policy, calendar: Calendar) -> Period:
    cutoff = data_needed_through(policy, as_of_date, calendar)
    return Period(min(period.from_date, cutoff), cutoff)


def _names(repair: Record, penalty: Record) -> bool:
    """Whether the repair may name the penalty's document; organs that cannot be compared leave the number to decide."""
    is_same = repair.document_key is not None and repair.document_key == penalty.document_key
    return is_same and may_be_one_organ(repair.organ_key, penalty.organ_key)


def _repairs_shown(findings: Sequence[Finding], repairs: Iterable[Record], until: date) -> tuple[Record, ...]:
    """Repaired penalties, and the repair records whose penalty is not among them.

    A repair of a penalty that the law hides, or that was withdrawn, would betray it and is left out.
    """
    penalties = [
        f.record
        for f in findings
        if f.record.repaired_date is not None
        and f.record.repaired_date <= until
        and (f.is_counted or f.effect is Effect.LISTED_APART)
    ]
    silent = [f.record for f in findings if f.hides or (f.effect is Effect.EXCLUDED and f.record.is_gone_by(until))]
    rest = (r for r in repairs if not any(_names(r, p) for p in (*penalties, *silent)))
    return (*penalties, *rest)


def _hide_with_penalty(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """A repair that names a penalty nobody may be told of is hidden together with it."""
    hidden = [f for f in findings if f.hides]

    def weighed_again(finding: Finding) -> Finding:
        if finding.record.kind is not RecordKind.CREDIT_REPAIR:
            return finding
        hiding = next((h for h in hidden if _names(finding.record, h.record)), None)
        return Finding(finding.record, hiding.effect, hiding.clause) if hiding else finding

    return tuple(weighed_again(f) for f in findings) if hidden else findings


def _without_hints(weighing: Weighing, coverage: Coverage) -> Coverage:
    """The coverage without lines that name the subject and are of records nobody may be told of.

    Such a line, once mended, could change nothing; to say that it waits would betray that there is such a record.
    """
    told = tuple(
        p
        for p in coverage.pending
        if not (p.names_subject and hides_all(weighing, p.domain, RecordKind(p.kind), sealed=p.sealed or None))
    )
    return coverage if len(told) == len(coverage.pending) else replace(coverage, pending=told)


def decide(policy: Policy, case: Case, calendar: Calendar) -> Decision:
    """Decide a case under a policy (design §6).

    Raises RefusedError when the policy is not in force on ``as_of``, does not serve the subject, or does not offer
    the choice made; CalendarError when the lag reaches into a year that was not announced.
    """
    today = case.as_of_date
    check_in_force(policy, today)
    check_subject(policy, case.subject)
    domains = chosen_domains(policy, case.request)
    period, is_clipped = chosen_period(policy, case.request, today)
    weighing = prepare_weighing(policy, period, frozenset(d.code for d in domains), case.subject.kind, today)
    records = sorted(link_repairs(case.records, today), key=_record_order)
    section_kinds = {s.kind for s in policy.other}
    findings = _hide_with_penalty(tuple(weigh(weighing, r) for r in records if r.kind not in section_kinds))
    case = replace(case, coverage=_without_hints(weighing, case.coverage))
    needed = coverage_needed(period, today, policy, calendar)
    results = tuple(
        _domain_result(d, [f for f in findings if f.record.domain == d.code], *domain_gaps(d, case.coverage, needed))
        for d in domains
    )
    other = _decide_other(policy, case, (weighing, findings), _latest_needed(today, period, policy, calendar))
    return Decision(
        policy.id, policy.sha256, case.as_of, period, _outcome(results), results, other, findings, is_clipped
    )


def _record_order(record: Record) -> tuple[str, date, str]:
    return record.domain, record.window_date or date.max, record.id


def _decide_other(
    policy: Policy, case: Case, weighed: tuple[Weighing, tuple[Finding, ...]], needed: Period
) -> tuple[OtherResult, ...]:
    weighing, findings = weighed
    until = Period(weighing.period.from_date, case.as_of_date)
    hidden = frozenset(r.id for r in case.records if not is_own_and_open(weighing, r))
    answers = []
    for section in policy.other:
        shown = _shown_in(section, case.records, until, hidden)
        if section.kind is RecordKind.CREDIT_REPAIR:
            shown = _repairs_shown(findings, shown, case.as_of_date)
        shown = tuple(sorted(shown, key=_record_order))
        answers.append(_other_result(section, shown, *section_gaps(section, case.coverage, needed)))
    return tuple(answers)

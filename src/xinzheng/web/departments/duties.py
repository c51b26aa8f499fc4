"""What a unit answers for, how far its data reaches, and what is missing."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from django.core.exceptions import PermissionDenied
from django.utils import timezone

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.accounts.permissions import refusals_to_submit
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.ledger.queries import CoverageState, coverage_calendar, return_calendar, waiting_by_scope
from xinzheng.apps.ledger.statements import remainders
from xinzheng.apps.oversight.pack_rows import planned_name
from xinzheng.apps.registry.queries import RegisteredUnit, served_units, units_at
from xinzheng.apps.reports.packs import current_calendar
from xinzheng.core.decision import data_needed_through, window_of
from xinzheng.core.policy import Policy, SectionCoverage
from xinzheng.core.sentences import spoken_date
from xinzheng.web.access import refuse_if
from xinzheng.web.public.policy_words import all_policies, is_in_force

KIND_NAMES = {
    "administrative_penalty": "行政处罚",
    "other_determination": "其他生效法律文书认定",
    "administrative_compulsion": "行政强制",
    "criminal_judgment": "刑事裁判",
    "serious_dishonesty": "严重失信主体名单",
    "abnormal_operation": "经营异常名录",
    "social_insurance_arrears": "参保欠缴",
    "housing_fund_arrears": "住房公积金欠缴",
    "credit_repair": "信用修复",
}


@dataclass(frozen=True)
class Duty:
    """One responsibility (归集责任): a kind of record in a domain, and what its data covers.

    ``missing`` are the stretches up to ``due`` that no statement covers; ``waiting`` counts rejected lines that hold
    statements back. ``returned_by`` names who stated part of it by return (数据回流). ``served`` names the units whose
    data this unit brings: the duty is then to bring it, and what is missing is missing of at least one of them.
    """

    domain: str
    domain_name: str
    kind: str
    kind_name: str
    stretches: tuple[tuple[date, date], ...]
    missing: tuple[tuple[date, date], ...]
    waiting: int
    due: date
    returned_by: tuple[str, ...] = ()
    served: tuple[str, ...] = ()

    @property
    def scope(self) -> str:
        """How a form names it."""
        return f"{self.domain}|{self.kind}"

    @property
    def label(self) -> str:
        """How a person reads it."""
        label = f"{self.domain_name}，{self.kind_name}"
        return f"{label}（回流，{len(self.served)}个单位）" if self.served else label

    @property
    def came_by(self) -> str:
        """Where its data came from, in words; empty where all of it came from the unit itself."""
        return f"经{'、'.join(self.returned_by)}回流" if self.returned_by else ""

    @property
    def through(self) -> date | None:
        """The last day stated."""
        return self.stretches[-1][1] if self.stretches else None

    @property
    def is_complete(self) -> bool:
        """Whether reports can rest on it today."""
        return not self.missing and not self.waiting

    @property
    def words(self) -> str:
        """Its state in words."""
        if not self.stretches:
            return "尚未归集，没有报送也没有零报告"
        if self.missing:
            gaps = "；".join(f"{spoken_date(first)}至{spoken_date(last)}" for first, last in self.missing[:2])
            more = "等" if len(self.missing) > 2 else ""
            return f"缺{gaps}{more}"
        if self.waiting:
            return f"有{self.waiting}行待更正"
        return "完整"


def own_unit(account: Account) -> RegisteredUnit:
    """The unit this account works for.

    Raises:
        PermissionDenied: the account belongs to no unit.
    """
    refuse_if(refusals_to_submit(account, account.unit_id or 0))
    unit = units_at(head_position()).get(account.unit_id or 0)
    if unit is None:
        raise PermissionDenied("本账户所属的单位没有登记，请联系信用办。")
    return unit


def duties_of(unit: RegisteredUnit) -> list[Duty]:
    """Everything the unit answers for, or brings for others, under a policy in force; what needs doing first."""
    today, position = timezone.localdate(), head_position()
    brings, waits = bool(served_units(unit.id)), waiting_by_scope(unit.uscc, position)
    states: dict[tuple[str, str], tuple[Policy, CoverageState]] = {}
    for policy in _policies_of(unit):
        if not is_in_force(policy, today):
            continue
        brought = return_calendar(unit.uscc, policy.id, position, waits) if brings else []
        for state in (*coverage_calendar(unit.uscc, policy.id, position, waits), *brought):
            states.setdefault((state.domain, state.kind), (policy, state))
    names = _names_of(state for _, state in states.values())
    duties = [_duty(policy, state, today, names) for policy, state in states.values()]
    return sorted(duties, key=lambda duty: duty.is_complete)


def _names_of(states: Iterable[CoverageState]) -> dict[str, str]:
    """The names of other units by code, asked for only where states name any."""
    if not any(state.returned or state.served for state in states):
        return {}
    return {unit.uscc: unit.short_name for unit in units_at(head_position()).values()}


def scope_name(unit: RegisteredUnit, domain: str, kind: str) -> str:
    """How people of the unit's city call a domain and kind."""
    return scope_names(unit, [(domain, kind)])[domain, kind]


def scope_names(unit: RegisteredUnit, scopes: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """How people of the unit's city call several domains and kinds."""
    policies = _policies_of(unit)
    found = {}
    for domain, kind in scopes:
        names = (_domain_name(policy, domain) for policy in policies)
        known = next((name for name in names if name != domain), domain)
        found[domain, kind] = f"{known}，{KIND_NAMES.get(kind, kind)}"
    return found


def _policies_of(unit: RegisteredUnit) -> list[Policy]:
    """All policies, those of the unit's own city first: their words for a domain are the ones its people use."""
    return sorted(all_policies(), key=lambda policy: policy.jurisdiction != unit.jurisdiction)


def _duty(policy: Policy, state: CoverageState, today: date, names: Mapping[str, str]) -> Duty:
    due = data_needed_through(policy, today, current_calendar())
    first = _needed_from(policy, state, due)
    return Duty(
        domain=state.domain,
        domain_name=_domain_name(policy, state.domain),
        kind=state.kind,
        kind_name=KIND_NAMES.get(state.kind, state.kind),
        stretches=state.stretches,
        missing=tuple(remainders(first, due, state.stretches)),
        waiting=state.waiting,
        due=due,
        returned_by=tuple(dict.fromkeys(names[stretch.source] for stretch in state.returned)),
        served=tuple(names[uscc] for uscc in state.served),
    )


def _needed_from(policy: Policy, state: CoverageState, due: date) -> date:
    latest = {section.code for section in policy.other if section.coverage is SectionCoverage.LATEST}
    return due if state.domain in latest else min(due, window_of(policy, due).from_date)


def _domain_name(policy: Policy, code: str) -> str:
    names = {domain.code: domain.name for domain in policy.domains}
    names |= {section.code: section.name for section in policy.other if section.code not in names}
    return names.get(code) or planned_name(policy.id, code) or code

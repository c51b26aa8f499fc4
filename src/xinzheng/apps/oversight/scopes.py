"""What is overseen (监督范围): policies in force that somebody runs, and who answers for what under each."""

from dataclasses import dataclass
from datetime import date

from xinzheng.apps.registry.queries import RegisteredUnit, responsibilities_at, units_at
from xinzheng.apps.reports import packs
from xinzheng.core.decision import data_needed_through
from xinzheng.core.errors import RefusedError
from xinzheng.core.policy import Policy, SectionCoverage
from xinzheng.core.workdays import Calendar

NATIONWIDE = "000000"


@dataclass(frozen=True, slots=True)
class Scope:
    """One responsibility (归集责任) under a policy, with the words people use for it."""

    unit: RegisteredUnit
    domain: str
    domain_name: str
    kind: str
    is_latest: bool = False

    @property
    def key(self) -> tuple[int, str, str]:
        """Unit, domain and kind."""
        return self.unit.id, self.domain, self.kind


def overseen_policies(today: date) -> list[Policy]:
    """Policies in force on the day that a deployment runs: by division code, the nation last."""
    policies = [packs.current_policy(policy_id, today) for policy_id in packs.policy_ids(today)]
    served = [policy for policy in policies if policy.is_in_force_on(today) and _is_deployed(policy)]
    return sorted(served, key=lambda policy: (policy.jurisdiction == NATIONWIDE, policy.jurisdiction))


def _is_deployed(policy: Policy) -> bool:
    try:
        packs.current_setting(policy.id)
    except RefusedError:
        return False
    return True


def scopes_of(policy: Policy, position: int, unit_id: int | None = None) -> list[Scope]:
    """Every responsibility under a policy as registered at a position, or one unit's; in the policy's order.

    Who answers may be registered before the pack that names the domain is in force: till then nobody is late with it.
    """
    by_code = {unit.uscc: unit for unit in units_at(position).values()}
    names = {section.code: section.name for section in policy.other} | {d.code: d.name for d in policy.domains}
    order = {code: place for place, code in enumerate([d.code for d in policy.domains])}
    latest = {section.code for section in policy.other if section.coverage is SectionCoverage.LATEST}
    found = [
        Scope(by_code[who.unit], who.domain, names[who.domain], who.kind, who.domain in latest)
        for who in responsibilities_at(policy.id, position)
        if who.domain in names and unit_id in (None, by_code[who.unit].id)
    ]
    return sorted(found, key=lambda scope: order.get(scope.domain, len(order)))


def unit_policies(unit: RegisteredUnit, today: date) -> list[Policy]:
    """The overseen policies, those of the unit's own city first."""
    return sorted(overseen_policies(today), key=lambda policy: policy.jurisdiction != unit.jurisdiction)


def due_date(policy: Policy, today: date, calendar: Calendar | None = None) -> date:
    """The day that data must reach. Raises CalendarError when the year was not announced."""
    return data_needed_through(policy, today, calendar or packs.current_calendar())

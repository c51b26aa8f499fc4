"""What the unit answers for or may deliver for others, and how far the data reaches."""

from datetime import date

from django.http import HttpRequest
from ninja import Router

from xinzheng.api.callers import UnitKey, caller_of
from xinzheng.api.v1.schemas import ResponsibilitiesAnswer, ResponsibilityAnswer, Stretch
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.ledger.delivery import today_in_china
from xinzheng.apps.ledger.queries import CoverageState, coverage_calendar, return_calendar, waiting_by_scope
from xinzheng.apps.registry.models import Responsibility
from xinzheng.apps.registry.queries import served_units
from xinzheng.apps.reports.packs import current_calendar, current_policy
from xinzheng.core.decision import data_needed_through
from xinzheng.core.errors import CalendarError, RefusedError
from xinzheng.core.policy import Policy

router = Router(tags=["responsibilities"])


@router.get(
    "/responsibilities",
    auth=UnitKey(),
    response=ResponsibilitiesAnswer,
    operation_id="listResponsibilities",
    summary="本单位负责的、可以为其他单位报送的领域和记录类型，以及归集情况",
)
def list_responsibilities(request: HttpRequest) -> ResponsibilitiesAnswer:
    """Under each policy, each domain and kind the unit answers for now, then those it may deliver for others."""
    caller, position = caller_of(request), head_position()
    served = {unit.unit_id for unit in served_units(caller.unit_id)}
    named = Responsibility.objects.filter(unit_id__in={caller.unit_id, *served}).values_list("policy_id", flat=True)
    waits, found = waiting_by_scope(caller.uscc, position), []
    for policy_id in sorted(set(named)):
        policy, own = _policy(policy_id), coverage_calendar(caller.uscc, policy_id, position, waits)
        brought = return_calendar(caller.uscc, policy_id, position, waits) if served else []
        found += [_answer(policy_id, state, policy) for state in (*own, *brought)]
    return ResponsibilitiesAnswer(unit=caller.uscc, responsibilities=found)


def _answer(policy_id: str, state: CoverageState, policy: Policy | None) -> ResponsibilityAnswer:
    return ResponsibilityAnswer(
        policy=policy_id,
        domain=state.domain,
        domain_name=_domain_names(policy).get(state.domain, state.domain),
        kind=state.kind,
        served=list(state.served),
        stated=[Stretch(covers_from=first, covers_through=last) for first, last in state.stretches],
        waiting=state.waiting,
        needed_through=_needed_through(policy),
    )


def _policy(policy_id: str) -> Policy | None:
    """The policy, or None when it is no longer shipped."""
    try:
        return current_policy(policy_id)
    except RefusedError:
        return None


def _domain_names(policy: Policy | None) -> dict[str, str]:
    if policy is None:
        return {}
    return {section.code: section.name for section in policy.other} | {d.code: d.name for d in policy.domains}


def _needed_through(policy: Policy | None) -> date | None:
    """The last day that data must cover today; unknown while the calendar of a year is not announced."""
    if policy is None:
        return None
    try:
        return data_needed_through(policy, today_in_china(), current_calendar())
    except CalendarError:
        return None

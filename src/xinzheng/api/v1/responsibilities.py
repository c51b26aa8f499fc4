"""What the unit answers for, and how far its data reaches."""

from django.http import HttpRequest
from ninja import Router

from xinzheng.api.callers import UnitKey, caller_of
from xinzheng.api.v1.schemas import ResponsibilitiesAnswer, ResponsibilityAnswer, Stretch
from xinzheng.apps.ledger.queries import CoverageState, coverage_calendar
from xinzheng.apps.registry.models import Responsibility
from xinzheng.apps.reports.packs import current_policy
from xinzheng.core.errors import RefusedError

router = Router(tags=["responsibilities"])


@router.get(
    "/responsibilities",
    auth=UnitKey(),
    response=ResponsibilitiesAnswer,
    operation_id="listResponsibilities",
    summary="本单位负责的领域、记录类型和归集情况",
)
def list_responsibilities(request: HttpRequest) -> ResponsibilitiesAnswer:
    """Under each policy, each domain and kind the unit answers for now."""
    caller = caller_of(request)
    named = Responsibility.objects.filter(unit_id=caller.unit_id).values_list("policy_id", flat=True)
    found = [
        _answer(policy_id, state, names)
        for policy_id in sorted(set(named))
        for names in [_domain_names(policy_id)]
        for state in coverage_calendar(caller.uscc, policy_id)
    ]
    return ResponsibilitiesAnswer(unit=caller.uscc, responsibilities=found)


def _answer(policy_id: str, state: CoverageState, names: dict[str, str]) -> ResponsibilityAnswer:
    return ResponsibilityAnswer(
        policy=policy_id,
        domain=state.domain,
        domain_name=names.get(state.domain, state.domain),
        kind=state.kind,
        stated=[Stretch(covers_from=first, covers_through=last) for first, last in state.stretches],
        waiting=state.waiting,
    )


def _domain_names(policy_id: str) -> dict[str, str]:
    """The policy's words for its domains; none when it is no longer shipped."""
    try:
        policy = current_policy(policy_id)
    except RefusedError:
        return {}
    return {section.code: section.name for section in policy.other} | {d.code: d.name for d in policy.domains}

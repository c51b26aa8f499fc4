"""Growth (拓展): step by step what a new domain, unit or kind of subject still lacks; units and duties are proposed."""

from collections.abc import Mapping, Sequence

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.oversight.errors import OversightError
from xinzheng.apps.oversight.growth import Lack, lacking
from xinzheng.apps.oversight.growth_steps import Coming, coming_packs, growing_domains, growing_kinds, idle_units
from xinzheng.apps.oversight.permissions import refusals_to_draft_pack
from xinzheng.apps.oversight.proposal_facts import NAME_AT_MOST
from xinzheng.apps.oversight.proposal_views import OPEN, proposals_of
from xinzheng.apps.oversight.proposals import REASON_AT_MOST, NewProposal, put_forward
from xinzheng.apps.oversight.scopes import NATIONWIDE
from xinzheng.apps.redress.clock import today
from xinzheng.apps.registry.queries import RegisteredUnit, units_at
from xinzheng.apps.registry.unit_queries import responsible_units
from xinzheng.apps.reports.packs import current_policy, policy_ids
from xinzheng.core.errors import CalendarError, RefusedError, XinzhengError
from xinzheng.core.policy import Policy
from xinzheng.web.access import refuse_if, signed_in
from xinzheng.web.departments.duties import KIND_NAMES
from xinzheng.web.public.policy_words import policies_served
from xinzheng.web.workshop.fact_words import fact_rows

FIELDS = ("policy", "domain", "kind", "deed", "uscc", "name", "short_name", "reason")
OF_ACT: Mapping[str, tuple[str, ...]] = {
    "responsibility": ("deed", "domain", "kind", "uscc"),
    "unit": ("uscc", "name", "short_name"),
}


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def growth(request: HttpRequest, account: Account) -> HttpResponse:
    """What grows and what it lacks; POST puts a unit or a responsibility forward, as ``act`` says."""
    refuse_if(refusals_to_draft_pack(account))
    if request.method != "POST":
        said = {"domain": request.GET.get("domain", "")}
        return _page(request, request.GET.get("policy", ""), said, "", "")
    said, act = {name: request.POST.get(name, "") for name in FIELDS}, request.POST.get("act", "")
    try:
        if act not in OF_ACT:
            raise OversightError("请从页面上的按钮办理。", code="act-unknown")
        facts = _facts(act, said)
        made = put_forward(NewProposal(act, said["policy"], facts, said["reason"]), account=account)
    except XinzhengError as error:
        return _page(request, said["policy"], said, act, error.message)
    messages.add_message(request, messages.SUCCESS, "已提交，请信用办和司法局会签。", extra_tags="none")
    return redirect("office-policy-draft", proposal_id=made.id)


def _facts(act: str, said: Mapping[str, str]) -> dict[str, str]:
    facts = {name: said[name] for name in OF_ACT[act]}
    if act == "responsibility":
        # One field names a domain and the kind of its data.
        facts["domain"], _, facts["kind"] = said["domain"].partition(" ")
    return facts


def _page(request: HttpRequest, policy_id: str, said: Mapping[str, str], act: str, error: str) -> HttpResponse:
    served = policies_served() or [current_policy(one) for one in policy_ids()]
    policy_id = policy_id or served[0].id
    try:
        policy = current_policy(policy_id)
    except RefusedError as unknown:
        raise Http404(unknown.message) from unknown
    day, comings = today(), coming_packs(policy.id, today())
    lacks, trouble = _lacks(policy)
    units = _units_of(policy)
    waiting = [view for view in proposals_of(policy.id, ["responsibility", "unit"]) if view.state == OPEN]
    context = {
        "policy": policy,
        "policies": served if policy in served else [*served, policy],
        "domains": growing_domains(policy.id, day, comings) if not trouble else [],
        "kinds": growing_kinds(policy.id, day, comings),
        "lacks": lacks,
        "kind_names": KIND_NAMES,
        "trouble": trouble,
        "units": units,
        "idle": idle_units(units),
        "waiting": [(view, fact_rows(view)[:-1]) for view in waiting],
        "choices": _choices(policy, comings),
        "standing": responsible_units(policy.id),
        "said": said,
        "act": act,
        "error": error,
        "most": {"reason": REASON_AT_MOST, "name": NAME_AT_MOST},
    }
    return render(request, "workshop/growth.html", context, status=422 if error else 200)


def _lacks(policy: Policy) -> tuple[tuple[Lack, ...], str]:
    """What the pack in force lacks, or why that cannot be said."""
    try:
        return lacking(policy.id, today()), ""
    except CalendarError as error:
        return (), error.message


def _units_of(policy: Policy) -> list[RegisteredUnit]:
    """The units of the policy's city; of a policy for the whole country all of them."""
    known = units_at(head_position()).values()
    return [unit for unit in known if policy.jurisdiction in (NATIONWIDE, unit.jurisdiction)]


def _choices(policy: Policy, comings: Sequence[Coming]) -> list[tuple[str, str, bool]]:
    """Each domain or section with each kind of its data: value, words, and whether it only comes with a new pack."""
    found: dict[str, tuple[str, bool]] = {}
    for one, is_new in ((policy, False), *((coming.policy, True) for coming in comings)):
        for code, name, kind in _kinds(one):
            found.setdefault(f"{code} {kind}", (f"{name}：{KIND_NAMES.get(kind, kind)}", is_new))
    return [(value, words, is_new) for value, (words, is_new) in found.items()]


def _kinds(policy: Policy) -> list[tuple[str, str, str]]:
    found = [(domain.code, domain.name, str(kind)) for domain in policy.domains for kind in domain.kinds]
    return found + [(section.code, section.name, str(section.kind)) for section in policy.other]

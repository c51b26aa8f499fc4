"""One proposal (会签事项): all that is signed, what it changes, who has signed; POST simulates, signs or withdraws."""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.oversight.errors import OversightError
from xinzheng.apps.oversight.permissions import refusals_to_draft_pack, refusals_to_sign_proposal
from xinzheng.apps.oversight.proposal_views import DONE, OPEN, ProposalView, proposal_view
from xinzheng.apps.oversight.proposals import REASON_AT_MOST, sign, withdraw
from xinzheng.apps.reports.packs import current_policy, stored_policy
from xinzheng.core.errors import RefusedError, XinzhengError
from xinzheng.core.policy import Policy
from xinzheng.web.access import refuse_if, signed_in
from xinzheng.web.actors import names_of
from xinzheng.web.workshop.changes import Changes, changes_between
from xinzheng.web.workshop.fact_words import fact_rows
from xinzheng.web.workshop.simulations import Simulated, ask_for, latest_simulation


@dataclass(frozen=True)
class Drafted:
    """What a draft pack changes: clause by clause, and on the ledger's data where it was simulated."""

    policy: Policy
    changes: Changes
    simulated: Simulated | None


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def proposal(request: HttpRequest, account: Account, proposal_id: uuid.UUID) -> HttpResponse:
    """The proposal; POST does with it what ``act`` says."""
    refuse_if(refusals_to_draft_pack(account))
    try:
        view = proposal_view(proposal_id)
    except OversightError as error:
        raise Http404(error.message) from error
    if request.method != "POST":
        return _page(request, account, view, "")
    act = ACTS.get(request.POST.get("act", ""))
    said = {"sha256": request.POST.get("sha256", ""), "reason": request.POST.get("reason", "")}
    try:
        if act is None:
            raise OversightError("请从页面上的按钮办理。", code="act-unknown")
        told = act(view, account, said)
    except XinzhengError as error:
        return _page(request, account, proposal_view(proposal_id), error.message)
    messages.add_message(request, messages.SUCCESS, told, extra_tags="none")
    return redirect("office-policy-draft", proposal_id=proposal_id)


def _sign(view: ProposalView, account: Account, said: Mapping[str, str]) -> str:
    refuse_if(refusals_to_sign_proposal(account))
    signed = sign(view.id, said["sha256"], account=account)
    return "已会签，并已执行。" if signed.state == DONE else f"已会签，还缺{'、'.join(signed.lacks)}。"


def _withdraw(view: ProposalView, account: Account, said: Mapping[str, str]) -> str:
    refuse_if(refusals_to_sign_proposal(account))
    withdraw(view.id, said["reason"], account=account)
    return "已撤回，没有执行。"


def _simulate(view: ProposalView, account: Account, _said: Mapping[str, str]) -> str:
    return ask_for(view.policy_id, view.pack_sha256, account)


ACTS: Mapping[str, Callable[[ProposalView, Account, Mapping[str, str]], str]] = {
    "sign": _sign,
    "withdraw": _withdraw,
    "simulate": _simulate,
}


def _page(request: HttpRequest, account: Account, view: ProposalView, error: str) -> HttpResponse:
    people = {view.account_id, *(signature.account_id for signature in view.signatures)}
    names = names_of({f"account:{key}" for key in people})
    context = {
        "proposal": view,
        "is_open": view.state == OPEN,
        "policy": _present(view.policy_id),
        "facts": fact_rows(view),
        "drafted": _drafted(view) if view.pack_sha256 else None,
        "proposer": names[f"account:{view.account_id}"],
        "signatures": [(signature, names[f"account:{signature.account_id}"]) for signature in view.signatures],
        "may_sign": not refusals_to_sign_proposal(account) and view.waits_for(account.pk, account.role),
        "may_withdraw": not refusals_to_sign_proposal(account),
        "error": error,
        "most_reason": REASON_AT_MOST,
    }
    return render(request, "workshop/proposal.html", context, status=422 if error else 200)


def _drafted(view: ProposalView) -> Drafted:
    """Compared with what stood when it was put forward, so that a page of the past reads as it did."""
    policy = stored_policy(bytes.fromhex(view.pack_sha256))
    changes = changes_between(view.policy_id, view.facts["after"]["pack"], view.pack_sha256)
    return Drafted(policy, changes, latest_simulation(view.policy_id, view.pack_sha256))


def _present(policy_id: str) -> Policy | None:
    try:
        return current_policy(policy_id)
    except RefusedError:
        return None

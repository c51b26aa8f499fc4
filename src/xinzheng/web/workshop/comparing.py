"""Two versions of a pack side by side (比较): clause by clause, and on the ledger's data where it was simulated."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.oversight.errors import OversightError
from xinzheng.apps.oversight.pack_versions import PackVersion, VersionState, pack_versions
from xinzheng.apps.oversight.permissions import refusals_to_draft_pack
from xinzheng.apps.redress.clock import today
from xinzheng.core.errors import RefusedError, XinzhengError
from xinzheng.web.access import refuse_if, signed_in
from xinzheng.web.workshop.changes import changes_between
from xinzheng.web.workshop.simulations import ask_for, latest_simulation


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def compare(request: HttpRequest, account: Account, policy_id: str) -> HttpResponse:
    """Compare ``old`` with ``new``; POST has both computed on the ledger's data."""
    refuse_if(refusals_to_draft_pack(account))
    try:
        versions = pack_versions(policy_id, today())
    except RefusedError as error:
        raise Http404(error.message) from error
    if request.method == "POST":
        return _simulate(request, account, policy_id)
    old, new = _chosen(versions, request.GET.get("old", ""), request.GET.get("new", ""))
    return _page(request, policy_id, versions, (old, new), "")


def _simulate(request: HttpRequest, account: Account, policy_id: str) -> HttpResponse:
    old, new = request.POST.get("old", ""), request.POST.get("new", "")
    try:
        told = ask_for(policy_id, new, account, old)
    except XinzhengError as error:
        return _page(request, policy_id, pack_versions(policy_id, today()), (old, new), error.message)
    messages.add_message(request, messages.SUCCESS, told, extra_tags="none")
    chosen = urlencode({"old": old, "new": new})
    return redirect(f"{reverse('office-policy-compare', args=[policy_id])}?{chosen}")


def _chosen(versions: list[PackVersion], old: str, new: str) -> tuple[str, str]:
    """What was asked for, else the one in force and the latest that is not."""
    holds = next(one.sha256 for one in versions if one.state is VersionState.IN_FORCE)
    others = [one.sha256 for one in versions if one.sha256 != holds]
    return old or holds, new or (others[0] if others else holds)


def _page(
    request: HttpRequest, policy_id: str, versions: list[PackVersion], chosen: tuple[str, str], error: str
) -> HttpResponse:
    try:
        changes = changes_between(policy_id, *chosen)
        simulated = latest_simulation(policy_id, changes.new.sha256, changes.old.sha256)
    except (OversightError, RefusedError) as unknown:
        raise Http404(unknown.message) from unknown
    context = {"policy_id": policy_id, "versions": versions, "changes": changes, "simulated": simulated, "error": error}
    return render(request, "workshop/compare.html", context, status=422 if error else 200)

"""The policy workshop (政策工作台): which packs are in force, coming, past; drafts and extensions are put forward."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.oversight.errors import OversightError
from xinzheng.apps.oversight.pack_versions import PackVersion, VersionState, pack_version, pack_versions, version_files
from xinzheng.apps.oversight.permissions import refusals_to_draft_pack
from xinzheng.apps.oversight.proposal_facts import DOCUMENT_AT_MOST, NOTE_AT_MOST
from xinzheng.apps.oversight.proposal_views import OPEN, ProposalView, proposals_of
from xinzheng.apps.oversight.proposals import REASON_AT_MOST, NewProposal, put_forward
from xinzheng.apps.redress.clock import today
from xinzheng.apps.reports.packs import current_policy, policy_ids
from xinzheng.core.errors import RefusedError, XinzhengError
from xinzheng.core.policy import Policy
from xinzheng.web.access import refuse_if, signed_in
from xinzheng.web.public.policy_words import in_force_text, is_in_force
from xinzheng.web.workshop.draft_form import Refused, new_draft, new_extension, refused, said_in
from xinzheng.web.workshop.pack_words import pack_words

NOT_FOUND = ("unknown-policy", "unknown-pack", "unknown-proposal")


@dataclass(frozen=True)
class Row:
    """A policy on the desk: the version in force, those that come, and whether reports can be issued today."""

    policy: Policy
    version: PackVersion
    coming: list[PackVersion]
    is_in_force: bool
    in_force: str


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def policies(request: HttpRequest, account: Account) -> HttpResponse:
    """All policies, or one version of one (``policy``, ``pack``), or one of its files; POST puts something forward."""
    refuse_if(refusals_to_draft_pack(account))
    if request.method == "POST":
        return _put_forward(request, account)
    asked = request.GET.get("policy", "")
    return _one(request, asked) if asked else _all(request, account, Refused())


def _put_forward(request: HttpRequest, account: Account) -> HttpResponse:
    act, new = request.POST.get("act", ""), None
    try:
        if act not in ACTS:
            raise OversightError("请从页面上的按钮办理。", code="act-unknown")
        new = ACTS[act](request)
        made = put_forward(new, account=account)
    except XinzhengError as error:
        return _all(request, account, refused(error, new, act, said_in(request)))
    messages.add_message(request, messages.SUCCESS, "已提交，请信用办和司法局会签。", extra_tags="none")
    return redirect("office-policy-draft", proposal_id=made.id)


ACTS: Mapping[str, Callable[[HttpRequest], NewProposal]] = {"draft": new_draft, "extend": new_extension}


def _all(request: HttpRequest, account: Account, wrong: Refused) -> HttpResponse:
    day, proposals = today(), proposals_of()
    rows = [_row(policy_id, day) for policy_id in policy_ids()]
    context = {
        "rows": rows,
        "waiting": [_mine(view, account) for view in proposals if view.state == OPEN],
        "ended": [view for view in proposals if view.state != OPEN],
        "titles": {row.policy.id: row.policy.document for row in rows},
        "wrong": wrong,
        "said": wrong.said or {"policy": request.GET.get("for", "")},
        "most": {"reason": REASON_AT_MOST, "document": DOCUMENT_AT_MOST, "note": NOTE_AT_MOST},
    }
    return render(request, "workshop/policies.html", context, status=422 if wrong.message else 200)


def _mine(view: ProposalView, account: Account) -> tuple[ProposalView, bool]:
    return view, view.waits_for(account.pk, account.role)


def _row(policy_id: str, day: date) -> Row:
    policy, versions = current_policy(policy_id), pack_versions(policy_id, day)
    return Row(
        policy,
        next(one for one in versions if one.state is VersionState.IN_FORCE),
        [one for one in versions if one.state is VersionState.COMING],
        is_in_force(policy, day),
        in_force_text(policy),
    )


def _one(request: HttpRequest, policy_id: str) -> HttpResponse:
    day, sha256 = today(), request.GET.get("pack", "")
    try:
        policy = pack_version(policy_id, sha256, day)
        versions = pack_versions(policy_id, day)
    except (OversightError, RefusedError) as error:
        raise Http404(error.message) from error
    files = version_files(policy)
    wanted = request.GET.get("file", "")
    if wanted:
        return _file(policy, wanted, files)
    here = next((one for one in versions if one.sha256 == policy.sha256), None)
    context = {
        "policy": policy,
        "version": here,
        "versions": versions,
        "files": sorted(files),
        "words": pack_words(policy),
    }
    return render(request, "workshop/pack.html", context)


def _file(policy: Policy, name: str, files: Mapping[str, bytes]) -> HttpResponse:
    if name not in files:
        raise Http404("没有这个文件。")
    response = HttpResponse(files[name], content_type="application/yaml; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{policy.id}-{name}"'
    return response

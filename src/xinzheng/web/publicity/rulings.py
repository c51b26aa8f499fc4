"""Rulings (裁定): everybody reads what was published; officials ask, credit office and justice bureau settle."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.oversight.permissions import refusals_to_ask_for_ruling, refusals_to_sign_ruling
from xinzheng.apps.oversight.rulings import (
    ASKED_AT_MOST,
    BASIS_AT_MOST,
    DOCUMENT_AT_MOST,
    TEXT_AT_MOST,
    DoubtView,
    Draft,
    NewDoubt,
    RulingView,
    ask,
    doubts,
    draft,
    published_ruling,
    sign,
)
from xinzheng.apps.reports.packs import current_policy
from xinzheng.core.errors import RefusedError, XinzhengError
from xinzheng.core.policy import Clause, Policy
from xinzheng.web.access import refuse_if, signed_in
from xinzheng.web.actors import names_of

FIELDS = ("policy", "clause", "question", "doubt", "text", "basis", "document", "needs_pack", "ruling")
FIELD_OF = {"ruling-basis-missing": "basis"}


@dataclass(frozen=True)
class Card:
    """A doubt on the page: its clause, who asked, whether who looks may sign its draft."""

    doubt: DoubtView
    clause: Clause | None
    asker: str
    may_sign_it: bool


@require_safe
def ruling(request: HttpRequest, ruling_id: int) -> HttpResponse:
    """One published ruling."""
    try:
        found = published_ruling(ruling_id)
    except XinzhengError as error:
        raise Http404(error.message) from error
    policy, clause = _clause(found.policy_id, found.clause_id)
    return render(request, "publicity/ruling.html", {"ruling": found, "policy": policy, "clause": clause})


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def office_rulings(request: HttpRequest, account: Account) -> HttpResponse:
    """What is asked, drafted, signed and published; POST asks, drafts or signs, as ``act`` says."""
    refuse_if(refusals_to_ask_for_ruling(account))
    if request.method != "POST":
        asked = {name: request.GET.get(name, "") for name in ("policy", "clause")}
        return _page(request, account, dict.fromkeys(FIELDS, "") | asked, "")
    said = {name: request.POST.get(name, "") for name in FIELDS}
    act = ACTS.get(request.POST.get("act", ""))
    try:
        if act is None:
            raise XinzhengError("请从页面上的按钮办理。", code="act-unknown")
        told = act(account, said)
    except XinzhengError as error:
        if error.code in ("unknown-doubt", "unknown-ruling"):
            raise Http404(error.message) from error
        return _page(request, account, said, error.message)
    messages.add_message(request, messages.SUCCESS, told, extra_tags="none")
    return redirect("office-rulings")


def _ask(account: Account, said: Mapping[str, str]) -> str:
    ask(NewDoubt(said["policy"], said["clause"], said["question"]), account=account)
    return "已提请裁定，信用办和司法局会看到。"


def _draft(account: Account, said: Mapping[str, str]) -> str:
    refuse_if(refusals_to_sign_ruling(account))
    needs_pack = said["needs_pack"] == "yes"
    put = Draft(_number(said["doubt"]), said["text"], said["basis"], said["document"], needs_pack)
    draft(put, account=account)
    return "稿子已经登记，请信用办和司法局会签。"


def _sign(account: Account, said: Mapping[str, str]) -> str:
    refuse_if(refusals_to_sign_ruling(account))
    signed = sign(_number(said["ruling"]), account=account)
    return "已会签，裁定已经公布在规则下面。" if signed.published_at else f"已会签，还缺{'、'.join(signed.lacks)}。"


ACTS: Mapping[str, Callable[[Account, Mapping[str, str]], str]] = {"ask": _ask, "draft": _draft, "sign": _sign}


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def _page(request: HttpRequest, account: Account, said: Mapping[str, str], error: str) -> HttpResponse:
    policy, clause = _clause(said["policy"], said["clause"])
    may_sign = not refusals_to_sign_ruling(account)
    asked = doubts()
    names = names_of({doubt.actor for doubt in asked})
    found = [_card(account, doubt, names[doubt.actor], may_sign=may_sign) for doubt in asked]
    here = _number(said["doubt"])
    context = {
        "policy": policy,
        "clause": clause,
        "said": said,
        "error": error,
        "error_doubt": here if error and any(card.doubt.id == here for card in found) else 0,
        "cards": found,
        "may_sign": may_sign,
        "most": {"asked": ASKED_AT_MOST, "text": TEXT_AT_MOST, "basis": BASIS_AT_MOST, "document": DOCUMENT_AT_MOST},
    }
    return render(request, "publicity/office_rulings.html", context, status=422 if error else 200)


def _card(account: Account, doubt: DoubtView, asker: str, *, may_sign: bool) -> Card:
    _, clause = _clause(doubt.policy_id, doubt.clause_id)
    may_sign_it = may_sign and doubt.draft is not None and _is_open_to(doubt.draft, account)
    return Card(doubt, clause, asker, may_sign_it)


def _is_open_to(view: RulingView, account: Account) -> bool:
    """Whether the account's own office has not signed it yet."""
    return account.role not in {signature.role for signature in view.signatures}


def _clause(policy_id: str, clause_id: str) -> tuple[Policy | None, Clause | None]:
    try:
        policy = current_policy(policy_id)
    except RefusedError:
        return None, None
    return policy, next((clause for clause in policy.clauses if clause.id == clause_id), None)

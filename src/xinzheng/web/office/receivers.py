"""The credit office verifies receivers (核验单位), refuses and suspends them, and says whose account works for whom."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.accounts.permissions import refusals_to_run_the_office, refusals_to_see_receivers
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.codes.receiver_queries import ReceiverRow, receiver_rows
from xinzheng.apps.codes.receivers import FOLLOWING, REASON_AT_MOST, Decision, State, answer_claim, correct_name, decide
from xinzheng.apps.registry.queries import find_subject, subject_at
from xinzheng.core.errors import XinzhengError
from xinzheng.web.access import form_on, refuse_if, signed_in

PAGE = "/office/receivers"
SETTLED_SHOWN, SOUGHT_AT_MOST = 50, 100
DEEDS = {State.VERIFIED: "核实", State.REFUSED: "不予通过", State.SUSPENDED: "停用"}


@require_safe
@signed_in
def office_receivers(request: HttpRequest, account: Account) -> HttpResponse:
    """Those that wait for the office, then all others; who only reads sees how each of them stands."""
    refuse_if(refusals_to_see_receivers(account))
    return _page(request) if not refusals_to_run_the_office(account) else _reading(request)


@form_on(PAGE)
@signed_in
def decide_receiver(request: HttpRequest, account: Account, receiver_id: int) -> HttpResponse:
    """Verify, refuse or suspend one."""
    refuse_if(refusals_to_run_the_office(account))
    state, reason = request.POST.get("state", ""), request.POST.get("reason", "").replace("\0", "")
    keys = [int(key) for key in request.POST.getlist("accounts") if key.isascii() and key.isdigit() and len(key) < 19]
    try:
        if state not in DEEDS:
            raise XinzhengError("请选择核实、不予通过或者停用。", code="receiver-refused")
        decide(receiver_id, Decision(State(state), reason, keys), by=account.actor)
    except XinzhengError as error:
        if error.code == "unknown-receiver":
            raise Http404(error.message) from error
        return _page(request, {receiver_id: error.message}, (state, reason))
    messages.add_message(request, messages.SUCCESS, f"已{DEEDS[State(state)]}，立即生效。", extra_tags="none")
    return redirect("office-receivers")


@form_on(PAGE)
@signed_in
def rename_receiver(request: HttpRequest, account: Account, receiver_id: int) -> HttpResponse:
    """Call one by another name from now on."""
    refuse_if(refusals_to_run_the_office(account))
    try:
        correct_name(receiver_id, request.POST.get("name", ""), by=account.actor)
    except XinzhengError as error:
        if error.code == "unknown-receiver":
            raise Http404(error.message) from error
        messages.add_message(request, messages.WARNING, error.message, extra_tags="unver")
        return redirect("office-receivers")
    messages.add_message(request, messages.SUCCESS, "已更正名称，立即生效。", extra_tags="none")
    return redirect("office-receivers")


@form_on(PAGE)
@signed_in
def answer_account(request: HttpRequest, account: Account, receiver_id: int, account_id: int) -> HttpResponse:
    """Say whether an account works for the receiver."""
    refuse_if(refusals_to_run_the_office(account))
    is_admitted = request.POST.get("answer") == "admit"
    try:
        answer_claim(receiver_id, account_id, is_admitted=is_admitted, by=account.actor)
    except XinzhengError as error:
        messages.add_message(request, messages.WARNING, error.message, extra_tags="unver")
        return redirect("office-receivers")
    said = "已确认是该单位的账户。" if is_admitted else "已记下不是该单位的账户。"
    messages.add_message(request, messages.SUCCESS, said, extra_tags="none")
    return redirect("office-receivers")


def _page(request: HttpRequest, wrong: dict[int, str] | None = None, said: tuple[str, str] = ("", "")) -> HttpResponse:
    errors, rows, sought = wrong or {}, receiver_rows(), _sought(request)
    settled = [row for row in rows if not row.is_waiting and (row.id in errors or _fits(row, sought))]

    def card(row: ReceiverRow) -> dict[str, object]:
        return _card(row, errors.get(row.id, ""), said if row.id in errors else ("", ""))

    context = {
        "waiting": [card(row) for row in rows if row.is_waiting],
        "settled": [card(row) for row in settled[:SETTLED_SHOWN]],
        "has_settled": any(not row.is_waiting for row in rows),
        "is_cut": len(settled) > SETTLED_SHOWN,
        "sought": sought,
        "settled_shown": SETTLED_SHOWN,
        "reason_at_most": REASON_AT_MOST,
    }
    return render(request, "office/receivers.html", context, status=422 if errors else 200)


def _reading(request: HttpRequest) -> HttpResponse:
    """Names and states; nothing of accounts and reasons."""
    rows, sought = receiver_rows(), _sought(request)
    found = [row for row in rows if _fits(row, sought)]
    context = {
        "rows": found[:SETTLED_SHOWN],
        "is_cut": len(found) > SETTLED_SHOWN,
        "verified": sum(row.state == State.VERIFIED for row in rows),
        "total": len(rows),
        "sought": sought,
    }
    return render(request, "office/receivers_read.html", context)


def _sought(request: HttpRequest) -> str:
    return request.GET.get("q", "").replace("\0", "").strip()[:SOUGHT_AT_MOST]


def _fits(row: ReceiverRow, sought: str) -> bool:
    return sought.casefold() in row.name.casefold() or row.uscc.startswith(sought.upper())


def _card(row: ReceiverRow, error: str, said: tuple[str, str]) -> dict[str, object]:
    return {
        "row": row,
        "deeds": [(state.value, DEEDS[state]) for state in FOLLOWING[row.state]],
        "registered": _registered_name(row.uscc) if row.is_waiting else "",
        "error": error,
        "state": said[0],
        "reason": said[1],
    }


def _registered_name(uscc: str) -> str:
    """What the register of subjects calls it; empty where it is not in it."""
    found = find_subject(uscc)
    return subject_at(found, head_position()).name if found is not None else ""

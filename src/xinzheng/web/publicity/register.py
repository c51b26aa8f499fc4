"""The office's registers: trainings that were held (培训登记), and major problems until they are solved (重大问题)."""

from collections.abc import Callable, Mapping
from datetime import date

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.oversight.permissions import refusals_to_keep_registers
from xinzheng.apps.oversight.registers import (
    SAID_AT_MOST,
    Held,
    NewProblem,
    Progress,
    add_progress,
    keep_training,
    problems,
    raise_problem,
    trainings,
)
from xinzheng.apps.redress.clock import today
from xinzheng.core.errors import XinzhengError
from xinzheng.web.access import refuse_if, signed_in

FIELDS = (
    *("act", "day", "title", "audience", "place", "attended", "materials", "replaces"),
    *("said", "raised_from", "problem", "seq", "solved"),
)


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def office_register(request: HttpRequest, account: Account) -> HttpResponse:
    """Both registers with their forms; POST keeps a training, a problem or its progress, as ``act`` says."""
    refuse_if(refusals_to_keep_registers(account))
    if request.method != "POST":
        return _page(request, dict.fromkeys(FIELDS, "") | {"raised_from": request.GET.get("from", "")[:40]}, "")
    said = {name: request.POST.get(name, "") for name in FIELDS}
    act = ACTS.get(said["act"])
    try:
        if act is None:
            raise XinzhengError("请从页面上的按钮办理。", code="act-unknown")
        told = act(account, said)
    except XinzhengError as error:
        if error.code == "unknown-problem":
            raise Http404(error.message) from error
        return _page(request, said, error.message)
    messages.add_message(request, messages.SUCCESS, told, extra_tags="none")
    return redirect("office-register")


def _training(account: Account, said: Mapping[str, str]) -> str:
    held = Held(
        _day(said["day"]),
        said["title"],
        said["audience"],
        _count(said["attended"]),
        said["place"],
        said["materials"],
        replaces=_count(said["replaces"]) if said["replaces"] else None,
    )
    keep_training(held, by=account.actor)
    return "已登记培训。"


def _problem(account: Account, said: Mapping[str, str]) -> str:
    raise_problem(NewProblem(said["title"], said["said"], said["raised_from"]), by=account.actor)
    return "已列入重大问题，解决以前一直列在本页。"


def _progress(account: Account, said: Mapping[str, str]) -> str:
    is_solved = said["solved"] == "yes"
    made = Progress(max(_count(said["problem"]), 0), _count(said["seq"]), said["said"], is_solved)
    add_progress(made, by=account.actor)
    return "已登记解决。" if is_solved else "已登记进展。"


ACTS: Mapping[str, Callable[[Account, Mapping[str, str]], str]] = {
    "training": _training,
    "problem": _problem,
    "progress": _progress,
}


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise XinzhengError("请填写培训日期，如 2026-11-21。", code="day-unfit") from None


def _count(text: str) -> int:
    """A whole number as typed; -1 for what is none, which everything refuses."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1


def _page(request: HttpRequest, said: Mapping[str, str], error: str) -> HttpResponse:
    found, held = problems(), trainings()
    corrected = next((row for row in held if str(row.pk) == request.GET.get("correct", "")), None)
    context = {
        "open": [row for row in found if not row.is_solved],
        "solved": [row for row in found if row.is_solved],
        "trainings": held,
        "attended": sum(row.attended for row in held),
        "corrected": corrected,
        "said": said,
        "error": error,
        "error_problem": max(_count(said.get("problem", "")), 0) if said.get("act") == "progress" else 0,
        "today": today(),
        "said_at_most": SAID_AT_MOST,
    }
    return render(request, "publicity/register.html", context, status=422 if error else 200)

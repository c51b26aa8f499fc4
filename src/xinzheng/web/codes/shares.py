"""The subject's side (亮码): set terms, hold up a code that renews itself, print one, see who looked, take it back."""

import uuid

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.http import require_http_methods, require_safe

from xinzheng.adapters.qr import qr_svg
from xinzheng.apps.accounts.models import Account
from xinzheng.apps.accounts.permissions import refusals_to_see_views, refusals_to_share
from xinzheng.apps.codes.looking import content_of
from xinzheng.apps.codes.models import ShownCode
from xinzheng.apps.codes.sharing import Shown, show, take_back
from xinzheng.apps.codes.sharing import share as share_it
from xinzheng.apps.codes.subscriptions import live_on
from xinzheng.apps.codes.view_queries import ShareRow, ViewRow, share_row, shares_of, shares_of_subject, views_of
from xinzheng.apps.reports.applications import receiver_of
from xinzheng.apps.reports.queries import ReportView, report_view
from xinzheng.core.errors import XinzhengError
from xinzheng.core.share_codes import spaced
from xinzheng.web.access import form_on, refuse_if, signed_in
from xinzheng.web.codes.quiet import quiet
from xinzheng.web.codes.same_terms import same_terms
from xinzheng.web.codes.terms_form import Asked, periods, preset, purposes_of, read_terms
from xinzheng.web.form_errors import FieldError, by_field
from xinzheng.web.subjects.access import own_subject

VIEWS_SHOWN = 20


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def share_report(request: HttpRequest, account: Account, number: str) -> HttpResponse:
    """Set the terms of a share of this report, all preset; on POST go to its code."""
    view = _own_report(account, number)
    if request.method != "POST":
        purpose = view.content["scope"]["purpose"]
        asked = same_terms(number, request.GET.get("again", ""))
        return _terms_page(request, view, asked or preset(view.pack, purpose, receiver_of(number)))
    asked = read_terms(view.pack, request.POST.dict())
    if asked.terms is None:
        return _terms_page(request, view, asked)
    try:
        made = share_it(account, number, asked.terms, by=account.actor)
    except XinzhengError as error:
        failed = FieldError(str(error.context.get("field", "main")), error.message)
        return _terms_page(request, view, asked, (failed,))
    return redirect("share", share_id=made.pk)


def _own_report(account: Account, number: str) -> ReportView:
    try:
        view = report_view(number)
    except XinzhengError as error:
        raise Http404(error.message) from error
    refuse_if(refusals_to_share(account, view.subject_id))
    return view


def _terms_page(
    request: HttpRequest, view: ReportView, asked: Asked, failed: tuple[FieldError, ...] = ()
) -> HttpResponse:
    errors = asked.errors + failed
    context = {
        "view": view,
        "report_url": f"/reports/{view.number}",
        "asked": asked,
        "purposes": purposes_of(view.pack),
        "periods": [(str(hours), words) for hours, words in periods().items()],
        "errors": errors,
        "error_of": by_field(errors),
        "shares": shares_of(view.number),
        "view_minutes": settings.XINZHENG_VIEW_MINUTES,
    }
    return render(request, "codes/share_report.html", context, status=422 if errors else 200)


@require_safe
@signed_in
def shares(request: HttpRequest, account: Account) -> HttpResponse:
    """List all shares of the subject, newest first."""
    subject_id = own_subject(account, refusals_to_share)
    return render(request, "codes/shares.html", {"shares": shares_of_subject(subject_id)})


@quiet
@require_safe
@signed_in
def share(request: HttpRequest, account: Account, share_id: uuid.UUID) -> HttpResponse:
    """The code, as large as the phone, with its terms and who looked; once it is over, what became of it."""
    row = _own_share(account, share_id)
    context: dict[str, object] = {
        "share": row,
        "views": _views(account, share_id),
        "subscribers": live_on(share_id),
        "share_seconds": settings.XINZHENG_SHARE_SECONDS,
    }
    context["content"] = content_of(row.number)
    try:
        shown = show(share_id, ShownCode.Form.SCREEN, by=account.actor)
    except XinzhengError as error:
        return render(request, "codes/share_over.html", context | {"why": error.message})
    return render(request, "codes/share.html", context | _code(shown))


@quiet
@require_safe
@signed_in
def share_code(request: HttpRequest, account: Account, share_id: uuid.UUID) -> HttpResponse:
    """A fresh code for the page that shows it; where the share is over, that page loads anew and says so."""
    _own_share(account, share_id)
    if not getattr(request, "htmx", False):
        return redirect("share", share_id=share_id)
    try:
        shown = show(share_id, ShownCode.Form.SCREEN, by=account.actor)
    except XinzhengError:
        return HttpResponse(headers={"HX-Refresh": "true"})
    context = {"share_id": share_id, "share_seconds": settings.XINZHENG_SHARE_SECONDS}
    return render(request, "codes/code_part.html", context | _code(shown))


@quiet
@require_safe
@signed_in
def share_views(request: HttpRequest, account: Account, share_id: uuid.UUID) -> HttpResponse:
    """Who looked so far, for the page that shows the code; it asks again every few seconds."""
    row = _own_share(account, share_id)
    if not getattr(request, "htmx", False):
        return redirect("share", share_id=share_id)
    if row.state != "active" and request.GET.get("showing"):
        return HttpResponse(headers={"HX-Refresh": "true"})
    context = {"share": row, "views": _views(account, share_id), "subscribers": live_on(share_id)}
    return render(request, "codes/views_part.html", context)


@quiet
@form_on("/shares/{share_id}")
@signed_in
def share_paper(request: HttpRequest, account: Account, share_id: uuid.UUID) -> HttpResponse:
    """A page to print: its code is good until the share ends. Each printing has a code of its own."""
    row = _own_share(account, share_id)
    try:
        shown = show(share_id, ShownCode.Form.PAPER, by=account.actor)
    except XinzhengError as error:
        messages.add_message(request, messages.WARNING, error.message, extra_tags="unver")
        return redirect("share", share_id=share_id)
    context = {
        "share": row,
        "share_url": f"/shares/{share_id}",
        "content": content_of(row.number),
        "printed_at": timezone.now(),
    }
    return render(request, "codes/paper.html", context | _code(shown))


@form_on("/shares/{share_id}")
@signed_in
def share_take_back(request: HttpRequest, account: Account, share_id: uuid.UUID) -> HttpResponse:
    """Take the share back: from now on nothing of it opens, and what is open closes."""
    _own_share(account, share_id)
    try:
        take_back(share_id, by=account.actor)
    except XinzhengError as error:
        messages.add_message(request, messages.INFO, error.message, extra_tags="info")
    else:
        done = "已收回：这个码和已打开的页面都不能再看。"
        messages.add_message(request, messages.INFO, done, extra_tags="info")
    return redirect("share", share_id=share_id)


def _own_share(account: Account, share_id: uuid.UUID) -> ShareRow:
    found = share_row(share_id)
    if found is None:
        raise Http404("没有这个亮码。")
    row, subject_id = found
    refuse_if(refusals_to_share(account, subject_id))
    return row


def _views(account: Account, share_id: uuid.UUID) -> list[ViewRow] | None:
    """Who looked; None where the account may show the code but not see that."""
    found = share_row(share_id)
    if found is None or refusals_to_see_views(account, found[1]):
        return None
    return views_of(share_id=share_id, at_most=VIEWS_SHOWN)


def _code(shown: Shown) -> dict[str, object]:
    address = f"{settings.XINZHENG_ORIGIN}/s/{shown.secret}"
    return {
        "qr": _drawn(address),
        "typed": spaced(shown.typed).split(),
        "good_until": shown.good_until,
        "address": f"{settings.XINZHENG_HOST}/s",
    }


def _drawn(address: str) -> SafeString:
    return mark_safe(qr_svg(address))  # noqa: S308  drawn by us from a code of ours: shapes only

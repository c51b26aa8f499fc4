"""The receiver's side: scan or type a code, say who you are and for what; then the content opens for a while."""

import uuid
from typing import Any

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from xinzheng.apps.accounts.models import Role
from xinzheng.apps.codes.looking import Offer, Ticket, Visitor, find_from, find_share, open_view
from xinzheng.apps.codes.models import View
from xinzheng.apps.codes.receivers import objections, receiver_of
from xinzheng.apps.reports.looks import PUBLIC, record_look
from xinzheng.core.errors import XinzhengError
from xinzheng.core.lifecycle import STATUS_WORDS, ReportStatus, normalise_typed_code
from xinzheng.web.codes.quiet import bad_code, quiet
from xinzheng.web.codes.terms_form import purposes_of
from xinzheng.web.codes.viewing import remember
from xinzheng.web.codes.visitors import BAD_PER_WINDOW, count_bad_code, device_of, place_of, too_many, visitor_key
from xinzheng.web.context import signed_in_account
from xinzheng.web.form_errors import FieldError, by_field

TICKET_SALT = "xinzheng.share-ticket"
# The code renews itself meanwhile: whoever has scanned it has time to write who it is.
TICKET_SECONDS = 600
FIELD_OF = {
    "purpose-differs": "purpose",
    "receiver-differs": "body_name",
    "body-name-invalid": "body_name",
    "receiver-not-verified": "body_name",
}
NO_CODE = "请填写对方出示的12位码。"


@quiet
def scan_code(request: HttpRequest, code: str) -> HttpResponse:
    """The address in the QR code: what the code is for, and the form. The code is in no later address.

    A wrong method is a bad code: Django's own refusal would write the address into the log.
    """
    return _held(request, code) if request.method in ("GET", "HEAD") else bad_code(request)


@quiet
@require_http_methods(["GET", "HEAD", "POST"])
def scan(request: HttpRequest) -> HttpResponse:
    """Where a code is typed; and where the form is sent that says who looks and for what."""
    if request.method != "POST":
        return render(request, "codes/scan.html", {"errors": (), "error_of": by_field(()), "code": ""})
    if "ticket" in request.POST:
        return _said(request)
    code = request.POST.get("code", "")
    if not normalise_typed_code(code[:100]):
        errors = (FieldError("code", NO_CODE),)
        return render(request, "codes/scan.html", {"errors": errors, "error_of": by_field(errors)}, status=422)
    return _held(request, code)


def _held(request: HttpRequest, code: str) -> HttpResponse:
    tried, offer = find_from(code, visitor_key(request))
    if tried >= BAD_PER_WINDOW:
        return too_many(request)
    if offer is None:
        count_bad_code(request)
        return bad_code(request)
    ticket = {"share": str(offer.share_id), "way": offer.way, "view": str(uuid.uuid4())}
    return _who(request, offer, signing.dumps(ticket, salt=TICKET_SALT))


def _who(request: HttpRequest, offer: Offer, ticket: str, errors: tuple[FieldError, ...] = ()) -> HttpResponse:
    """Who are you, for what; of a report that is not in force only its status is told."""
    if offer.status != ReportStatus.IN_FORCE:
        record_look(offer.number, "share", PUBLIC, offer.status)
        context = {"offer": offer, "status_words": STATUS_WORDS[offer.status]}
        return render(request, "codes/not_in_force.html", context)
    account = signed_in_account(request)
    is_receiver = account is not None and account.role == Role.RECEIVER
    receiver = receiver_of(account) if is_receiver and account is not None else None
    against = objections(receiver) if is_receiver else []
    context = {
        "offer": offer,
        "ticket": ticket,
        "is_receiver": is_receiver,
        "receiver": receiver,
        "against": against,
        "can_open": not against and (receiver is not None or offer.receiver_id is None),
        "purposes": purposes_of(offer.pack),
        "said": {name: request.POST.get(name, "") for name in ("body_name", "purpose")},
        "errors": errors,
        "error_of": by_field(errors),
        "host": settings.XINZHENG_HOST,
        "view_minutes": settings.XINZHENG_VIEW_MINUTES,
    }
    return render(request, "codes/who.html", context, status=422 if errors else 200)


def _said(request: HttpRequest) -> HttpResponse:
    """Open the content to whoever said who it is."""
    ticket = _ticket(request.POST["ticket"])
    if ticket is None:
        return bad_code(request)
    visitor = Visitor(
        body_name=request.POST.get("body_name", ""),
        purpose=request.POST.get("purpose", ""),
        account=signed_in_account(request),
        place=place_of(request),
        device=device_of(request),
    )
    try:
        view = open_view(ticket, visitor)
    except XinzhengError as error:
        return _refused(request, ticket, error)
    response = redirect("view", view_id=view.pk)
    remember(response, view)
    return response


def _refused(request: HttpRequest, ticket: Ticket, error: XinzhengError) -> HttpResponse:
    offer = find_share(ticket.share_id, ticket.way)
    if offer is None:
        return bad_code(request)
    errors = (FieldError(FIELD_OF.get(error.code, "main"), error.message),)
    return _who(request, offer, request.POST["ticket"], errors)


def _ticket(text: str) -> Ticket | None:
    """What was signed when the code was good; None when that was too long ago, or was never signed here."""
    try:
        held: dict[str, Any] = signing.loads(text[:1000], salt=TICKET_SALT, max_age=TICKET_SECONDS)
        return Ticket(uuid.UUID(held["share"]), View.Way(held["way"]), uuid.UUID(held["view"]))
    except signing.BadSignature:
        return None

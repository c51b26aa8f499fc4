"""A receiver's own pages: how it stands, what it was shown, what it asked to be told, what it was told."""

import uuid
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.accounts.permissions import refusals_to_manage_receiver
from xinzheng.apps.codes.models import Receiver
from xinzheng.apps.codes.notices import notices_of
from xinzheng.apps.codes.receiver_queries import tie_of
from xinzheng.apps.codes.receivers import KINDS, NOT_TIED, ReceiverError, Registration, receiver_of, register
from xinzheng.apps.codes.said import LONGEST
from xinzheng.apps.codes.shown_queries import AT_MOST, shown_to
from xinzheng.apps.codes.subscribing import subscribe
from xinzheng.apps.codes.subscriptions import end_subscription, subscriptions_of
from xinzheng.core.errors import XinzhengError
from xinzheng.web.access import form_on, refuse_if, signed_in
from xinzheng.web.form_errors import FieldError, by_field

P = ParamSpec("P")
SUBSCRIPTIONS_SHOWN = 100
FIELDS = ("uscc", "name", "kind")
RECEIVED = "已收到登记。信用办核实后，本账户就能以单位名义查看报告；核实情况在本页显示。"
SUBSCRIBED = "已订阅。这份报告更正、作废或者过期时，会在“订阅和通知”里告诉本单位。"


def of_receiver(
    view: Callable[Concatenate[HttpRequest, Account, Receiver, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, Account, P], HttpResponse]:
    """Hand the receiver an account works for to the view.

    Raises ``PermissionDenied`` for anybody else's account, and for one that the office has tied to no receiver.
    """

    @wraps(view)
    def guarded(request: HttpRequest, account: Account, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        refuse_if(refusals_to_manage_receiver(account, account.receiver_id))
        receiver = receiver_of(account)
        if receiver is None:
            raise PermissionDenied(NOT_TIED)
        return view(request, account, receiver, *args, **kwargs)

    return guarded


@require_safe
@signed_in
def receiver(request: HttpRequest, account: Account) -> HttpResponse:
    """What the receiver was shown; before the office has tied the account to one, its registration."""
    refuse_if(refusals_to_manage_receiver(account, account.receiver_id))
    tie = tie_of(account)
    if tie.receiver is None:
        return _registration(request, account)
    rows = shown_to(tie.receiver.pk, _key(request.GET.get("before", "")), AT_MOST + 1)
    context = {
        "tie": tie,
        "kind": KINDS[tie.receiver.kind],
        "rows": rows[:AT_MOST],
        "older": rows[AT_MOST - 1].view_id if len(rows) > AT_MOST else None,
        "notices": notices_of(tie.receiver.pk, at_most=3),
    }
    return render(request, "receivers/shown.html", context)


@form_on("/receiver")
@signed_in
def register_receiver(request: HttpRequest, account: Account) -> HttpResponse:
    """Register the body the account works for; the answer is the same whether somebody registered it before."""
    refuse_if(refusals_to_manage_receiver(account, account.receiver_id))
    said = {name: request.POST.get(name, "").replace("\0", "") for name in FIELDS}
    try:
        register(account, Registration(said["uscc"], said["name"], said["kind"]))
    except ReceiverError as error:
        field = str(error.context.get("field", "main"))
        return _registration(request, account, said, (FieldError(field, error.message),))
    messages.add_message(request, messages.SUCCESS, RECEIVED, extra_tags="none")
    return redirect("receiver")


@require_safe
@signed_in
@of_receiver
def receiver_notices(request: HttpRequest, account: Account, receiver: Receiver) -> HttpResponse:
    """What the receiver asked to be told, and what it was told."""
    told = notices_of(receiver.pk, _key(request.GET.get("before", "")), AT_MOST + 1)
    context = {
        "tie": tie_of(account),
        "subscriptions": subscriptions_of(receiver.pk, SUBSCRIPTIONS_SHOWN),
        "subscriptions_shown": SUBSCRIPTIONS_SHOWN,
        "notices": told[:AT_MOST],
        "older": told[AT_MOST - 1].id if len(told) > AT_MOST else None,
    }
    return render(request, "receivers/notices.html", context)


@form_on("/receiver")
@signed_in
@of_receiver
def subscribe_view(request: HttpRequest, account: Account, receiver: Receiver, view_id: uuid.UUID) -> HttpResponse:
    """Ask to be told when the report of a view stops being in force."""
    del receiver
    try:
        subscribe(account, view_id)
    except XinzhengError as error:
        if error.code == "unknown-view":
            raise Http404(error.message) from error
        messages.add_message(request, messages.WARNING, error.message, extra_tags="unver")
        return redirect("receiver")
    messages.add_message(request, messages.SUCCESS, SUBSCRIBED, extra_tags="none")
    return redirect("receiver-notices")


@form_on("/receiver/notices")
@signed_in
@of_receiver
def end_own_subscription(
    request: HttpRequest, account: Account, receiver: Receiver, subscription_id: int
) -> HttpResponse:
    """Be told no more of a report."""
    try:
        end_subscription(subscription_id, receiver.pk, by=account.actor)
    except XinzhengError as error:
        if error.code == "unknown-subscription":
            raise Http404(error.message) from error
        messages.add_message(request, messages.WARNING, error.message, extra_tags="unver")
    else:
        messages.add_message(request, messages.INFO, "已退订，不再通知。", extra_tags="info")
    return redirect("receiver-notices")


def _registration(
    request: HttpRequest, account: Account, said: dict[str, str] | None = None, errors: tuple[FieldError, ...] = ()
) -> HttpResponse:
    context = {
        "tie": tie_of(account),
        "said": said or dict.fromkeys(FIELDS, ""),
        "kinds": list(KINDS.items()),
        "longest": LONGEST,
        "errors": errors,
        "error_of": by_field(errors),
    }
    return render(request, "receivers/register.html", context, status=422 if errors else 200)


def _key(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None

"""A receiver's webhooks (回调): where its own system is told of notices; register, try, change the secret, end."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.accounts.permissions import refusals_to_manage_receiver
from xinzheng.apps.codes.models import Receiver
from xinzheng.apps.codes.notice_events import EVENTS
from xinzheng.apps.codes.notices import REPORT_ENDED
from xinzheng.apps.codes.receivers import objections, receiver_of
from xinzheng.apps.codes.webhook_calls import try_webhook
from xinzheng.apps.codes.webhooks import (
    MOST,
    MadeWebhook,
    Owner,
    WebhookRefusedError,
    end_webhook,
    last_deliveries,
    register_webhook,
    rotate_webhook_secret,
    webhooks_of,
)
from xinzheng.core.errors import XinzhengError
from xinzheng.web.access import form_on, refuse_if, signed_in
from xinzheng.web.form_errors import FieldError, by_field
from xinzheng.web.limits import limited

PAGE = "/receiver/webhooks"
TRIES_A_MINUTE = 6
STATE_WORDS = {"waiting": "还没有送到", "delivered": "已送到", "given-up": "不再发"}


@dataclass(frozen=True, slots=True)
class _Asking:
    """Who asks, for which receiver."""

    account: Account
    receiver: Receiver

    @property
    def owner(self) -> Owner:
        return Owner(receiver_id=self.receiver.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def webhooks(request: HttpRequest, account: Account) -> HttpResponse:
    """The receiver's webhooks and what was sent; POST registers one and shows its secret, this once."""
    asking = _asking(account)
    if request.method != "POST":
        return _page(request, asking)
    url = request.POST.get("url", "").strip()
    try:
        made = register_webhook(asking.owner, url, [REPORT_ENDED], by=account.actor)
    except XinzhengError as error:
        return _page(request, asking, errors=(FieldError("url", error.message),))
    return _page(request, asking, made)


@form_on(PAGE)
@signed_in
def rotate_secret(request: HttpRequest, account: Account, webhook_id: int) -> HttpResponse:
    """Show a fresh secret, this once."""
    asking = _asking(account)
    try:
        made = rotate_webhook_secret(asking.owner, webhook_id, by=account.actor)
    except WebhookRefusedError as error:
        raise Http404(error.message) from error
    return _page(request, asking, made)


@limited("receiver-webhook-tests", TRIES_A_MINUTE)
@form_on(PAGE)
@signed_in
def attempt(request: HttpRequest, account: Account, webhook_id: int) -> HttpResponse:
    """Make a test call and say what came of it."""
    try:
        outcome = try_webhook(_asking(account).owner, webhook_id, by=account.actor)
    except WebhookRefusedError as error:
        raise Http404(error.message) from error
    if outcome.is_good:
        said = f"试发成功，对方应答{outcome.status}。"
        messages.add_message(request, messages.SUCCESS, said, extra_tags="none")
    else:
        messages.add_message(request, messages.WARNING, f"试发没有送到。{outcome.said}", extra_tags="unver")
    return redirect(PAGE)


@form_on(PAGE)
@signed_in
def end(request: HttpRequest, account: Account, webhook_id: int) -> HttpResponse:
    """Post nothing there any more."""
    try:
        end_webhook(_asking(account).owner, webhook_id, by=account.actor)
    except WebhookRefusedError as error:
        raise Http404(error.message) from error
    messages.add_message(request, messages.INFO, "已停用，不再发送；通知仍在“订阅和通知”里。", extra_tags="info")
    return redirect(PAGE)


def _asking(account: Account) -> _Asking:
    """For an account of a verified receiver. Raises PermissionDenied."""
    receiver = receiver_of(account)
    refuse_if(refusals_to_manage_receiver(account, account.receiver_id or 0) or objections(receiver))
    return _Asking(account, cast(Receiver, receiver))


def _page(
    request: HttpRequest, asking: _Asking, made: MadeWebhook | None = None, errors: Sequence[FieldError] = ()
) -> HttpResponse:
    found = list(webhooks_of(asking.owner))
    context = {
        "receiver": asking.receiver,
        "made": made,
        "webhooks": found,
        "is_full": len(found) >= MOST,
        "deliveries": [
            {"row": one, "words": STATE_WORDS[one.state], "event": EVENTS.get(one.notice.event, one.notice.event)}
            for one in last_deliveries(asking.owner)
        ],
        "errors": errors,
        "error_of": by_field(errors),
        "asked": request.POST.get("url", "") if errors else "",
    }
    return render(request, "receivers/webhooks.html", context, status=422 if errors else 200)

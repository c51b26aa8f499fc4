"""Platforms (接入平台), for the system administrator: register, change, make a new secret, revoke."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_safe

from xinzheng.apps.accounts.models import Account, Platform
from xinzheng.apps.accounts.permissions import refusals_to_manage_platforms
from xinzheng.apps.accounts.platforms import (
    MOST_PER_MINUTE,
    NAME_AT_MOST,
    ON_BEHALF,
    OWN,
    SCOPES,
    MadePlatform,
    NewPlatform,
    PlatformError,
    change_platform,
    client_of,
    platforms_known,
    register_platform,
    revoke_platform,
    rotate_platform_secret,
)
from xinzheng.apps.codes.models import Receiver
from xinzheng.apps.codes.platform_receivers import verified_receiver
from xinzheng.web.access import form_on, refuse_if, signed_in
from xinzheng.web.form_errors import FieldError, by_field
from xinzheng.web.platforms.strict import without_nul
from xinzheng.web.sign_in.recent import freshly_signed_in

PAGE = "/administration/platforms"
ONE = PAGE + "/{client_id}"
FIELDS = {
    "platform-name-unfit": "name",
    "platform-name-taken": "name",
    "platform-scopes-unfit": "scopes",
    "redirect-address-unfit": "redirect_uris",
    "platform-limit-unfit": "per_minute",
    "receiver-unfit": "receiver",
}
NO_RECEIVER = "没有这个代码的已核实核验单位，请先由信用办核实，或者留空。"
PER_MINUTE = "600"


@dataclass(frozen=True)
class PlatformRow:
    """A platform as the page shows it; never its secret."""

    platform: Platform
    scopes: str
    receiver: str


@require_http_methods(["GET", "HEAD", "POST"])
@without_nul
@signed_in
def platforms(request: HttpRequest, account: Account) -> HttpResponse:
    """All platforms; POST registers one and shows its secret, this once."""
    refuse_if(refusals_to_manage_platforms(account))
    return _registered(request, account) if request.method == "POST" else _list(request, None, [])


@freshly_signed_in
@sensitive_variables("made")
def _registered(request: HttpRequest, account: Account) -> HttpResponse:
    try:
        made = register_platform(_new(request), by=account.actor)
    except PlatformError as error:
        return _list(request, None, [FieldError(FIELDS[error.code], error.message)])
    return _list(request, made, [])


@require_safe
@without_nul
@signed_in
def platform(request: HttpRequest, account: Account, client_id: str) -> HttpResponse:
    """One platform."""
    refuse_if(refusals_to_manage_platforms(account))
    return _one(request, _found(client_id), None, [])


@form_on(ONE)
@without_nul
@signed_in
@freshly_signed_in
def change(request: HttpRequest, account: Account, client_id: str) -> HttpResponse:
    """Change where people are sent back to, and the limit."""
    refuse_if(refusals_to_manage_platforms(account))
    found = _found(client_id)
    try:
        change_platform(client_id, redirect_uris=_addresses(request), per_minute=_per_minute(request), by=account.actor)
    except PlatformError as error:
        return _one(request, found, None, [FieldError(FIELDS.get(error.code, "per_minute"), error.message)])
    messages.add_message(request, messages.SUCCESS, "已保存，立即生效。", extra_tags="none")
    return redirect(ONE.format(client_id=client_id))


@form_on(ONE)
@without_nul
@signed_in
@freshly_signed_in
@sensitive_variables("made")
def rotate(request: HttpRequest, account: Account, client_id: str) -> HttpResponse:
    """Make a new secret and show it, this once."""
    refuse_if(refusals_to_manage_platforms(account))
    found = _found(client_id)
    try:
        made = rotate_platform_secret(client_id, by=account.actor)
    except PlatformError as error:
        messages.add_message(request, messages.ERROR, error.message, extra_tags="found")
        return redirect(ONE.format(client_id=client_id))
    return _one(request, found, made, [])


@form_on(ONE)
@without_nul
@signed_in
@freshly_signed_in
def revoke(request: HttpRequest, account: Account, client_id: str) -> HttpResponse:
    """Revoke a platform; nothing of it opens anything any more."""
    refuse_if(refusals_to_manage_platforms(account))
    found = _found(client_id)
    try:
        revoke_platform(client_id, by=account.actor)
    except PlatformError as error:
        messages.add_message(request, messages.ERROR, error.message, extra_tags="found")
    else:
        said = f"“{found.name}”已停用，它的密钥和全部令牌立即失效。"
        messages.add_message(request, messages.SUCCESS, said, extra_tags="none")
    return redirect(PAGE)


def _found(client_id: str) -> Platform:
    found = Platform.objects.filter(pk=client_id).first()
    if found is None:
        raise Http404("没有这个接入平台。")
    return found


def _new(request: HttpRequest) -> NewPlatform:
    return NewPlatform(
        name=request.POST.get("name", ""),
        scopes=[scope for scope in request.POST.getlist("scopes") if scope in SCOPES],
        redirect_uris=_addresses(request),
        per_minute=_per_minute(request),
        receiver_id=_receiver_id(request.POST.get("receiver", "").strip()),
    )


def _receiver_id(uscc: str) -> int | None:
    if not uscc:
        return None
    found = verified_receiver(uscc)
    if found is None:
        raise PlatformError(NO_RECEIVER, code="receiver-unfit")
    return found.pk


def _addresses(request: HttpRequest) -> list[str]:
    return request.POST.get("redirect_uris", "").split()


def _per_minute(request: HttpRequest) -> int:
    """The number that was filled in; 0, which is refused, where it is none."""
    said = request.POST.get("per_minute", "").strip()
    return int(said) if said.isascii() and said.isdecimal() and len(said) <= len(str(MOST_PER_MINUTE)) else 0


def _list(request: HttpRequest, made: MadePlatform | None, errors: Sequence[FieldError]) -> HttpResponse:
    rows = [_row(one) for one in platforms_known()]
    empty = {"name": "", "redirect_uris": "", "per_minute": PER_MINUTE, "receiver": ""}
    context = {
        "made": made,
        "in_use": [row for row in rows if row.platform.revoked_at is None],
        "revoked": [row for row in rows if row.platform.revoked_at is not None],
        "on_behalf": ON_BEHALF.items(),
        "own": OWN.items(),
        "chosen": request.POST.getlist("scopes") if errors else [],
        "values": {name: request.POST.get(name, "") for name in empty} if errors else empty,
        "errors": errors,
        "error_of": by_field(errors),
        "name_at_most": NAME_AT_MOST,
        "most_per_minute": MOST_PER_MINUTE,
    }
    return render(request, "platforms/platforms.html", context, status=422 if errors else 200)


def _one(
    request: HttpRequest, found: Platform, made: MadePlatform | None, errors: Sequence[FieldError]
) -> HttpResponse:
    client = client_of(found)
    now = {"redirect_uris": "\n".join(client.get_redirect_uris()), "per_minute": str(found.per_minute)}
    context = {
        "row": _row(found),
        "made": made,
        "has_addresses": bool(set(client.get_scopes()) & set(ON_BEHALF)),
        "values": {name: request.POST.get(name, "") for name in now} if errors else now,
        "errors": errors,
        "error_of": by_field(errors),
        "most_per_minute": MOST_PER_MINUTE,
    }
    return render(request, "platforms/platform.html", context, status=422 if errors else 200)


def _row(one: Platform) -> PlatformRow:
    scopes = client_of(one).get_scopes()
    receiver = Receiver.objects.filter(pk=one.receiver_id or 0).values_list("name", flat=True).first()
    return PlatformRow(one, "；".join(words for scope, words in SCOPES.items() if scope in scopes), receiver or "")

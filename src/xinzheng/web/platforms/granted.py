"""The platforms a person lets act for them (已授权的平台): seen, and taken back."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.accounts.permissions import refusals_to_let_platforms_act
from xinzheng.apps.accounts.platform_grants import Grant, grants_of, take_back
from xinzheng.apps.accounts.platforms import ON_BEHALF, PlatformError
from xinzheng.web.access import form_on, refuse_if, signed_in
from xinzheng.web.platforms.adapter import forget_codes
from xinzheng.web.platforms.strict import without_nul

PAGE = "/account/platforms"


@require_safe
@signed_in
def granted(request: HttpRequest, account: Account) -> HttpResponse:
    """What each platform may do, since when and until when."""
    refuse_if(refusals_to_let_platforms_act(account))
    rows = [(grant, _words(grant)) for grant in grants_of(account)]
    return render(request, "platforms/granted.html", {"rows": rows})


@form_on(PAGE)
@without_nul
@signed_in
def take_back_one(request: HttpRequest, account: Account, client_id: str) -> HttpResponse:
    """Take back what one platform may do; at once."""
    refuse_if(refusals_to_let_platforms_act(account))
    try:
        forget_codes(client_id, account)
        platform = take_back(account, client_id)
    except PlatformError as error:
        messages.add_message(request, messages.ERROR, error.message, extra_tags="found")
    else:
        said = f"已收回对“{platform.name}”的授权，立即生效。它已经替您办的事不受影响。"
        messages.add_message(request, messages.SUCCESS, said, extra_tags="none")
    return redirect(PAGE)


def _words(grant: Grant) -> str:
    return "；".join(words for scope, words in ON_BEHALF.items() if scope in grant.scopes)

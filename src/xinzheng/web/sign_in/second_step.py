"""The second step of signing in (第二步): a one-time code, a security key or a recovery code."""

import json

from allauth.account.stages import LoginStageController
from allauth.mfa.base.internal.flows import post_authentication
from allauth.mfa.models import Authenticator
from allauth.mfa.stages import AuthenticateStage
from allauth.mfa.webauthn.internal.auth import begin_authentication
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from xinzheng.apps.accounts.locking import Attempt, attempt, second_factor_of
from xinzheng.apps.accounts.models import Account
from xinzheng.web.form_errors import FieldError, by_field
from xinzheng.web.limits import limited
from xinzheng.web.sign_in.factors import Kind, factor_by_code, factor_by_key, factors_of
from xinzheng.web.sign_in.staff import takes_security_keys

WRONG = "没有通过。动态口令每个只能用一次，请等下一个再试。连续{times}次不对，要等{minutes}分钟。"


@never_cache
@sensitive_post_parameters("code", "credential")
@require_http_methods(["GET", "HEAD", "POST"])
@limited("second-factor")
def second_step(request: HttpRequest) -> HttpResponse:
    """Ask for the second factor of whoever gave the right password; without one nobody is signed in."""
    stage = LoginStageController.enter(request, AuthenticateStage.key)
    if stage is None:
        return HttpResponseRedirect("/sign-in")
    account: Account = stage.login.user
    if request.method != "POST":
        return _page(request, account, [])
    factor = proved_factor(request, account)
    if factor is None:
        return _page(request, account, [FieldError("code", wrong())])
    post_authentication(request, factor)
    response: HttpResponse = stage.exit()
    return response


def proved_factor(request: HttpRequest, account: Account) -> Authenticator | None:
    """The factor that what was posted proves: ``credential`` of a security key, else ``code``; failures are counted."""

    def check() -> Authenticator | None:
        if request.POST.get("credential"):
            return factor_by_key(account, request.POST["credential"])
        return factor_by_code(account, request.POST.get("code", ""))

    return attempt(Attempt(second_factor_of(account), account, "second-factor"), check)


def wrong() -> str:
    """The one answer to every code and key that does not open."""
    return WRONG.format(times=settings.XINZHENG_LOCK_AFTER, minutes=settings.XINZHENG_LOCK_MINUTES)


def offers(request: HttpRequest, account: Account) -> dict[str, object]:
    """What the page may ask of this account: ``takes_code``; ``key_options``, the challenge to its security keys."""
    kinds = {factor.type for factor in factors_of(account)}
    has_keys = Kind.WEBAUTHN in kinds and takes_security_keys(request)
    return {
        "takes_code": Kind.TOTP in kinds,
        "key_options": json.dumps(begin_authentication(account), default=dict) if has_keys else "",
    }


def _page(request: HttpRequest, account: Account, errors: list[FieldError]) -> HttpResponse:
    context = {"errors": errors, "error_of": by_field(errors), **offers(request, account)}
    return render(request, "sign_in/second.html", context, status=422 if errors else 200)

"""Prove again who one is (再次验证身份), before something grave."""

from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.base.internal.flows import post_authentication
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from xinzheng.apps.accounts.locking import Attempt, attempt
from xinzheng.apps.accounts.models import Account
from xinzheng.web.access import safe_return, signed_in
from xinzheng.web.form_errors import FieldError, by_field
from xinzheng.web.limits import limited
from xinzheng.web.sign_in import entering, second_step
from xinzheng.web.sign_in.factors import has_factor
from xinzheng.web.sign_in.platform_buttons import buttons, let_forms_lead_to


@never_cache
@sensitive_post_parameters("password", "code", "credential")
@require_http_methods(["GET", "HEAD", "POST"])
@limited("sign-in-again")
@signed_in
def sign_in_again(request: HttpRequest, account: Account) -> HttpResponse:
    """Take the second factor where the account has one, else the password; without either its platform is asked."""
    if request.method != "POST":
        return _page(request, account, [])
    if has_factor(account):
        factor = second_step.proved_factor(request, account)
        if factor is None:
            return _page(request, account, [FieldError("code", second_step.wrong())])
        post_authentication(request, factor, reauthenticated=True)
    elif _is_own_password(request, account):
        record_authentication(request, account, method="password", reauthenticated=True)
    else:
        return _page(request, account, [FieldError("password", entering.wrong())])
    return HttpResponseRedirect(safe_return(request, request.POST.get("next", "")))


def _is_own_password(request: HttpRequest, account: Account) -> bool:
    def check() -> Account | None:
        return account if account.check_password(request.POST.get("password", "")) else None

    return attempt(Attempt(account.username, account, "password"), check) is not None


def _page(request: HttpRequest, account: Account, errors: list[FieldError]) -> HttpResponse:
    context: dict[str, object] = {
        "errors": errors,
        "error_of": by_field(errors),
        "next": safe_return(request, request.POST.get("next") or request.GET.get("next", "")),
        "takes_password": False,
        "takes_code": False,
        "key_options": "",
        "platforms": (),
    }
    if has_factor(account):
        context |= second_step.offers(request, account)
    elif account.has_usable_password():
        context["takes_password"] = True
    else:
        context["platforms"] = buttons()
    return let_forms_lead_to(render(request, "sign_in/again.html", context, status=422 if errors else 200))

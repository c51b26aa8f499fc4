"""Sign in and out: by user name and password; in a demonstration also with one click."""

from allauth.account.internal.flows.login import record_authentication
from allauth.account.utils import perform_login
from django.conf import settings
from django.contrib.auth import authenticate, logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from xinzheng.apps.accounts.locking import Attempt, attempt
from xinzheng.apps.accounts.models import Account, Role
from xinzheng.apps.accounts.queries import account_named
from xinzheng.apps.audit.actions import record_event
from xinzheng.web.access import form_on, safe_return
from xinzheng.web.context import signed_in_account
from xinzheng.web.form_errors import FieldError, by_field
from xinzheng.web.limits import limited
from xinzheng.web.sign_in.platform_buttons import buttons, let_forms_lead_to
from xinzheng.web.sign_in.staff import DEMO_PREFIX, first_page, is_everybodys

WRONG = "用户名或者密码不对，请核对后再试。连续{times}次不对，这个用户名要等{minutes}分钟才能再登录。"


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
@limited("sign-in")
def sign_in(request: HttpRequest) -> HttpResponse:
    """Show the form, or sign in and go on to where the visitor wanted to be."""
    if request.method != "POST":
        return _form(request, [])
    if request.POST.get("demo"):
        return _by_one_click(request)
    errors = _missing(request)
    if errors:
        return _form(request, errors)
    account = _by_password(request)
    return _form(request, [FieldError("username", wrong())]) if account is None else _enter(request, account)


@form_on("/")
def sign_out(request: HttpRequest) -> HttpResponse:
    """Forget who was there."""
    account = signed_in_account(request)
    if account is not None:
        record_event(who=account.actor, action="signed-out", object_kind="account", object_id=account.pk)
    logout(request)
    return HttpResponseRedirect("/")


def wrong() -> str:
    """The one answer to every name and password that does not open: unknown, wrong, closed or locked."""
    return WRONG.format(times=settings.XINZHENG_LOCK_AFTER, minutes=settings.XINZHENG_LOCK_MINUTES)


def _missing(request: HttpRequest) -> list[FieldError]:
    wanted = {"username": "请填写用户名。", "password": "请填写密码。"}
    return [FieldError(name, message) for name, message in wanted.items() if not request.POST.get(name)]


def _by_password(request: HttpRequest) -> Account | None:
    # The database takes no NUL; such a name is one that nobody has, and costs the same work.
    username = request.POST["username"].strip().replace("\0", "\N{REPLACEMENT CHARACTER}")

    def check() -> Account | None:
        user = authenticate(request, username=username, password=request.POST["password"])
        return user if isinstance(user, Account) else None

    account = attempt(Attempt(username, account_named(username), "password"), check)
    if account is not None:
        _forget_somebody_else(request, account)
        record_authentication(request, account, method="password")
    return account


def _by_one_click(request: HttpRequest) -> HttpResponse:
    account = next((found for found in _demo_accounts() if found.username == request.POST["demo"]), None)
    if account is None:
        return _form(request, [FieldError("username", wrong())])
    _forget_somebody_else(request, account)
    response = _enter(request, account)
    request.session["demonstration"] = True
    return response


def _demo_accounts() -> list[Account]:
    """Accounts that anyone may try, only while the whole site is a demonstration."""
    if not settings.XINZHENG_DEMONSTRATION:
        return []
    found = Account.objects.filter(is_active=True, username__startswith=DEMO_PREFIX).order_by("pk")
    return [account for account in found if is_everybodys(account)]


def _forget_somebody_else(request: HttpRequest, account: Account) -> None:
    present = signed_in_account(request)
    if present is not None and present.pk != account.pk:
        logout(request)


def _enter(request: HttpRequest, account: Account) -> HttpResponse:
    wanted = _wanted(request, request.POST.get("next", "")) or first_page(account)
    response: HttpResponse = perform_login(request, account, redirect_url=wanted)
    return response


def _wanted(request: HttpRequest, address: str) -> str:
    """Where the visitor was going; who comes from the home page was going nowhere in particular."""
    wanted = safe_return(request, address, "")
    return "" if wanted == "/" else wanted


def _form(request: HttpRequest, errors: list[FieldError]) -> HttpResponse:
    wanted = request.POST.get("next") or request.GET.get("next", "")
    context = {
        "errors": errors,
        "error_of": by_field(errors),
        "next": _wanted(request, wanted),
        "username": request.POST.get("username", ""),
        "demo_accounts": [(account, Role(account.role).label) for account in _demo_accounts()],
        "platforms": buttons(),
    }
    response = render(request, "sign_in/sign_in.html", context, status=422 if errors else 200)
    return let_forms_lead_to(response)

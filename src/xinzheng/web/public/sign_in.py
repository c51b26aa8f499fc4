"""Sign in and out: by user name and password; in a demonstration also with one click."""

from django.conf import settings
from django.contrib.auth import authenticate, login, logout
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from xinzheng.apps.accounts.models import OF_A_UNIT, Account, Role
from xinzheng.apps.audit.actions import record_event
from xinzheng.web.access import form_on, safe_return
from xinzheng.web.form_errors import FieldError, by_field
from xinzheng.web.limits import limited

BACKEND = "xinzheng.web.sign_in.backend.Backend"
DEMO_PREFIX = "demo-"
WRONG = "用户名或者密码不对，请核对后再试。"


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
@limited("sign-in")
def sign_in(request: HttpRequest) -> HttpResponse:
    """Show the form, or sign in and go on to where the visitor wanted to be."""
    if request.method != "POST":
        return _form(request, [])
    errors = _missing(request)
    if errors:
        return _form(request, errors)
    account = _account_for(request)
    if account is None:
        return _form(request, [FieldError("username", WRONG)])
    return _enter(request, account)


@form_on("/")
def sign_out(request: HttpRequest) -> HttpResponse:
    """Forget who was there."""
    logout(request)
    return HttpResponseRedirect("/")


def _missing(request: HttpRequest) -> list[FieldError]:
    if request.POST.get("demo"):
        return []
    wanted = {"username": "请填写用户名。", "password": "请填写密码。"}
    return [FieldError(name, message) for name, message in wanted.items() if not request.POST.get(name)]


def _account_for(request: HttpRequest) -> Account | None:
    demo = request.POST.get("demo", "")
    if demo:
        return next((account for account in _demo_accounts() if account.username == demo), None)
    username = request.POST["username"].strip()
    if "\0" in username:  # the database takes no such text
        return None
    user = authenticate(request, username=username, password=request.POST["password"])
    return user if isinstance(user, Account) else None


def _demo_accounts() -> list[Account]:
    """Accounts that anyone may try, only while the whole site is a demonstration."""
    if not getattr(settings, "XINZHENG_DEMONSTRATION", False):
        return []
    return list(Account.objects.filter(is_active=True, username__startswith=DEMO_PREFIX).order_by("pk"))


@transaction.atomic
def _enter(request: HttpRequest, account: Account) -> HttpResponse:
    login(request, account, backend=BACKEND)
    record_event(who=account.actor, action="signed-in", object_kind="account", object_id=account.pk)
    return HttpResponseRedirect(safe_return(request, request.POST.get("next", ""), _first_page(account)))


def _first_page(account: Account) -> str:
    if account.role in OF_A_UNIT:
        return "/department"
    if account.role == Role.OFFICE_OPERATOR:
        return "/office"
    if account.role == Role.SYSTEM_ADMINISTRATOR:
        return "/administration/keys"
    return "/apply" if account.role == Role.SUBJECT_AGENT else "/"


def _form(request: HttpRequest, errors: list[FieldError]) -> HttpResponse:
    wanted = request.POST.get("next") or request.GET.get("next", "")
    context = {
        "errors": errors,
        "error_of": by_field(errors),
        "next": safe_return(request, wanted, ""),
        "username": request.POST.get("username", ""),
        "demo_accounts": [(account, Role(account.role).label) for account in _demo_accounts()],
    }
    return render(request, "public/sign_in.html", context, status=422 if errors else 200)

"""What has to be done before anything else: the second factor of staff, a password that is due, coming back in time."""

import time
from collections.abc import Callable
from urllib.parse import urlencode

from allauth.account.internal.flows.login import get_authentication_records
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.accounts.passwords import is_password_due
from xinzheng.web.sign_in.factors import Kind, counted_kinds, has_factor
from xinzheng.web.sign_in.staff import is_everybodys, needs_second_factor

ENROL = "/account/keys"
NEW_PASSWORD = "/account/password"  # noqa: S105  an address
# Pages that must work for whoever is not wholly signed in; the interface and files know no session.
ALWAYS = ("/sign-in", "/sign-out", "/preferences/", "/static/", "/api/")
SEEN, BEGAN = "seen", "began"
# A session is written no oftener than this for being used.
NOTED_SECONDS = 60
TOO_OLD = "登录已满{}小时，请重新登录。没有提交的内容没有保存。"
TOO_LONG = "因{}分钟没有操作，已自动退出，请重新登录。没有提交的内容没有保存。"


class SignInGuard:
    """Lead whoever is not wholly signed in to what is still missing."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if settings.SESSION_COOKIE_NAME not in request.COOKIES or request.path.startswith(ALWAYS):
            return self.get_response(request)
        account = request.user
        if not isinstance(account, Account):
            return self.get_response(request)
        missing = _missing(request, account)
        return self.get_response(request) if missing is None else _lead(request, missing)


def note_use(request: HttpRequest) -> None:
    """Begin to count the time, with and without use; called where somebody signs in."""
    request.session[SEEN] = request.session[BEGAN] = int(time.time())


def _missing(request: HttpRequest, account: Account) -> str | None:
    """The address of what is to be done first, None when nothing is."""
    if _is_over(request) or _outlives_demonstration(request, account):
        back = request.get_full_path() if request.method == "GET" else "/"
        logout(request)
        return f"/sign-in?{urlencode({'next': back})}"
    if _lacks_factor(request, account):
        if not has_factor(account):
            return None if request.path.startswith(ENROL) else ENROL
        logout(request)
        return "/sign-in"
    if is_password_due(account) and not request.path.startswith(NEW_PASSWORD):
        return NEW_PASSWORD
    return None


def _is_over(request: HttpRequest) -> bool:
    now, seen = int(time.time()), request.session.get(SEEN)
    # Each use lets the cookie and the stored session live on; how long in all is counted here.
    if now - request.session.setdefault(BEGAN, now) > settings.SESSION_COOKIE_AGE:
        return _say(request, TOO_OLD.format(settings.SESSION_COOKIE_AGE // 3600))
    if seen is not None and now - seen > settings.XINZHENG_IDLE_MINUTES * 60:
        return _say(request, TOO_LONG.format(settings.XINZHENG_IDLE_MINUTES))
    # A page that asks again by itself is not a person who is there.
    is_poll = request.method == "GET" and request.headers.get("HX-Request") == "true"
    if seen is None or (now - seen >= NOTED_SECONDS and not is_poll):
        request.session[SEEN] = now
    return False


def _say(request: HttpRequest, why: str) -> bool:
    messages.add_message(request, messages.WARNING, why, extra_tags="unver")
    return True


def _outlives_demonstration(request: HttpRequest, account: Account) -> bool:
    return bool(request.session.get("demonstration")) and not is_everybodys(account)


def _lacks_factor(request: HttpRequest, account: Account) -> bool:
    if not needs_second_factor(account) or is_everybodys(account):
        return False
    counted = {*counted_kinds(), Kind.RECOVERY_CODES}
    proofs = get_authentication_records(request, account)
    return not any(proof.get("method") == "mfa" and proof.get("type") in counted for proof in proofs)


def _lead(request: HttpRequest, address: str) -> HttpResponse:
    if request.headers.get("HX-Request") == "true":
        return HttpResponse(status=204, headers={"HX-Redirect": address})
    return HttpResponseRedirect(address)

"""Doing something grave takes a fresh proof of who is there (再次验证身份)."""

import time
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec
from urllib.parse import urlencode

from allauth.account.internal.flows.login import get_authentication_records
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from xinzheng.apps.accounts.models import Account

P = ParamSpec("P")
AGAIN = "/sign-in/again"
FRESH_SECONDS = 300


def is_fresh(request: HttpRequest, account: Account) -> bool:
    """Whether a password, a code, a key or a platform proved within five minutes who this is."""
    if request.session.get("demonstration"):
        return True
    proofs = get_authentication_records(request, account)
    return bool(proofs) and time.time() - proofs[-1]["at"] < FRESH_SECONDS


def freshly_signed_in(
    view: Callable[Concatenate[HttpRequest, Account, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, Account, P], HttpResponse]:
    """Below ``signed_in``: send to the page that asks again, and back; what was posted is posted again by hand."""

    @wraps(view)
    def guarded(request: HttpRequest, account: Account, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not is_fresh(request, account):
            back = request.get_full_path() if request.method == "GET" else request.POST.get("page", "/account/keys")
            return HttpResponseRedirect(f"{AGAIN}?{urlencode({'next': back})}")
        return view(request, account, *args, **kwargs)

    return guarded

"""Who may open a page: sign in first, then the permission functions of the accounts app decide."""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Concatenate, ParamSpec
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme

from xinzheng.apps.accounts.models import Account
from xinzheng.web.context import signed_in_account

P = ParamSpec("P")
SIGN_IN = "/sign-in"


def signed_in(
    view: Callable[Concatenate[HttpRequest, Account, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """Send the public to the sign-in page and back; hand the account to the view; keep the answer out of caches."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        account = signed_in_account(request)
        if account is None:
            back = request.get_full_path() if request.method == "GET" else "/"
            return HttpResponseRedirect(f"{SIGN_IN}?{urlencode({'next': back})}")
        response = view(request, account, *args, **kwargs)
        response.headers.setdefault("Cache-Control", "private, no-store")
        return response

    return guarded


def refuse_if(refusals: Sequence[str]) -> None:
    """Answer 403 with every reason when there is one.

    Raises:
        PermissionDenied: there are reasons against it.
    """
    if refusals:
        raise PermissionDenied("\n".join(refusals))


def safe_return(request: HttpRequest, address: str, otherwise: str = "/") -> str:
    """The address to go back to, if it is on this site."""
    hosts = {request.get_host()}
    return address if url_has_allowed_host_and_scheme(address, hosts, require_https=request.is_secure()) else otherwise

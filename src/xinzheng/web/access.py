"""Who may open a page: sign in first, then the permission functions of the accounts app decide."""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.utils.http import url_has_allowed_host_and_scheme

from xinzheng.apps.accounts.models import Account
from xinzheng.web.context import signed_in_account

P = ParamSpec("P")
R = TypeVar("R", bound=HttpResponseBase)
SIGN_IN = "/sign-in"


def signed_in(
    view: Callable[Concatenate[HttpRequest, Account, P], R],
) -> Callable[Concatenate[HttpRequest, P], R | HttpResponse]:
    """Send the public to the sign-in page and back; hand the account to the view; keep the answer out of caches."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> R | HttpResponse:
        account = signed_in_account(request)
        if account is None and getattr(request, "htmx", False):
            # The sign-in page is no part of a page: the whole one loads anew, and leads there.
            return HttpResponse(headers={"HX-Refresh": "true"})
        if account is None:
            back = request.get_full_path() if request.method == "GET" else "/"
            return HttpResponseRedirect(f"{SIGN_IN}?{urlencode({'next': back})}")
        response = view(request, account, *args, **kwargs)
        response.headers.setdefault("Cache-Control", "private, no-store")
        return response

    return guarded


def form_on(
    page: str,
) -> Callable[
    [Callable[Concatenate[HttpRequest, P], HttpResponse]], Callable[Concatenate[HttpRequest, P], HttpResponse]
]:
    """Take what a form posts; who opens its address by hand, or reloads it, goes to the page the form stands on."""

    def decorate(
        view: Callable[Concatenate[HttpRequest, P], HttpResponse],
    ) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
        @wraps(view)
        def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            if request.method in ("GET", "HEAD"):
                return HttpResponseRedirect(page.format(**kwargs))
            if request.method != "POST":
                return HttpResponseNotAllowed(["POST"])
            return view(request, *args, **kwargs)

        return guarded

    return decorate


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

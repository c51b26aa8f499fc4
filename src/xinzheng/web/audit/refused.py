"""Middleware for refused attempts (被拒的访问): by who has signed in, and by whom a known key or token belongs to."""

import re
from collections.abc import Callable
from http import HTTPStatus

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from xinzheng.apps.audit.privacy import IDENTITY_NUMBER
from xinzheng.apps.audit.refusals import noted_caller, record_refused_call, record_refused_page
from xinzheng.web.context import signed_in_account

PLAIN = re.compile(r"[0-9A-Za-z-]{1,40}")
REFUSALS = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)


class RefusedAttempts:
    """Have an event written for each refusal of whoever is known.

    The page is told by its name and the object by its number, never the address: there are codes in addresses.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        who = noted_caller(request)
        if who is not None and response.status_code in REFUSALS:
            details = {"status": response.status_code} | _facts(request)
            record_refused_call(who, _name(request), details)
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> None:
        """Called for what a view raised; the refusal itself goes on to its page."""
        account = signed_in_account(request)
        if isinstance(exception, PermissionDenied) and account is not None:
            record_refused_page(account.actor, _name(request), _facts(request))


def _name(request: HttpRequest) -> str:
    return (request.resolver_match and request.resolver_match.view_name) or "unnamed"


def _facts(request: HttpRequest) -> dict[str, str]:
    """The method, and what the address names by number; anything else in it may be a secret or a person's."""
    named = request.resolver_match.kwargs if request.resolver_match else {}
    numbers = {name: str(value) for name, value in named.items() if name == "number" or name.endswith("_id")}
    plain = {name: text for name, text in numbers.items() if PLAIN.fullmatch(text) and not IDENTITY_NUMBER.search(text)}
    return {"method": request.method or ""} | plain

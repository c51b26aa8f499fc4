"""Refused attempts (被拒的访问): who had signed in and opened what he may not, once and then ever more rarely."""

import re
from collections.abc import Callable

from django.core.cache import caches
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from xinzheng.apps.audit.actions import record_event
from xinzheng.apps.audit.privacy import IDENTITY_NUMBER
from xinzheng.web.context import signed_in_account

WINDOW_SECONDS = 60
# Of an account's attempts at a page within a minute the first of these are told, with their count.
TOLD = (1, 10, 100, 1000)
PLAIN = re.compile(r"[0-9A-Za-z-]{1,40}")


class RefusedAttempts:
    """Write an event for each refusal of who has signed in.

    The page is told by its name and the object by its number, never the address: there are codes in addresses.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> None:
        """Called for what a view raised; the refusal itself goes on to its page."""
        account = signed_in_account(request)
        if not isinstance(exception, PermissionDenied) or account is None:
            return
        page = (request.resolver_match and request.resolver_match.view_name) or "unnamed"
        attempts = _attempts(f"refused:{account.pk}:{page}")
        if attempts in TOLD:
            details = {"attempts": attempts, "method": request.method or ""} | _objects(request)
            with transaction.atomic():
                record_event(
                    who=account.actor, action="access-refused", object_kind="page", object_id=page, details=details
                )


def _attempts(key: str) -> int:
    local = caches["local"]
    if local.add(key, 1, timeout=WINDOW_SECONDS):
        return 1
    try:
        return int(local.incr(key))
    except ValueError:  # it ran out between the two calls
        return 1


def _objects(request: HttpRequest) -> dict[str, str]:
    """What the address names by number; anything else in it may be a secret or a person's."""
    named = request.resolver_match.kwargs if request.resolver_match else {}
    numbers = {name: str(value) for name, value in named.items() if name == "number" or name.endswith("_id")}
    return {name: text for name, text in numbers.items() if PLAIN.fullmatch(text) and not IDENTITY_NUMBER.search(text)}

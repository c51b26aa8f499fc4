"""Refused attempts (被拒的访问): who is known and asked for what he may not, told once and then ever more rarely."""

from collections.abc import Mapping
from typing import Any

from django.core.cache import caches
from django.db import transaction

from xinzheng.apps.audit.actions import record_event

WINDOW_SECONDS = 60
# Of somebody's attempts at a thing within a minute the first of these are told, with their count.
TOLD = (1, 10, 100, 1000)
NOTED = "_xinzheng_known_caller"


def note_caller(request: object, who: str) -> None:
    """Note on a request whom its key or token is known to belong to, whether it opens anything or not."""
    setattr(request, NOTED, who)


def noted_caller(request: object) -> str | None:
    """Whom the request's key or token belongs to, where that was noted."""
    found: str | None = getattr(request, NOTED, None)
    return found


def record_refused_page(who: str, page: str, details: Mapping[str, Any]) -> None:
    """Write an event for a refused attempt at a page, by its name; unless this minute's are told already."""
    _record(who, "page", page, details)


def record_refused_call(who: str, operation: str, details: Mapping[str, Any]) -> None:
    """Write an event for a refused call of an operation, by its name; unless this minute's are told already."""
    _record(who, "interface", operation, details)


def _record(who: str, object_kind: str, object_id: str, details: Mapping[str, Any]) -> None:
    attempts = _attempts(f"refused:{who}:{object_id}")
    if attempts in TOLD:
        with transaction.atomic():
            record_event(
                who=who,
                action="access-refused",
                object_kind=object_kind,
                object_id=object_id,
                details={"attempts": attempts, **details},
            )


def _attempts(key: str) -> int:
    local = caches["local"]
    if local.add(key, 1, timeout=WINDOW_SECONDS):
        return 1
    try:
        return int(local.incr(key))
    except ValueError:  # it ran out between the two calls
        return 1

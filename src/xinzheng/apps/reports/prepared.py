"""Statements asked thousands of times a minute: planned once a connection, not each time (预备语句)."""

import threading
import time
from collections.abc import Sequence
from typing import Any

from django.db import InterfaceError, OperationalError, connection
from django.db.backends.utils import CursorDebugWrapper, CursorWrapper
from psycopg import Cursor

PREPARED_AFTER = 5
# A connection that answered so short a time ago is not asked first whether it still stands.
STANDS_SECONDS = 1.0
_answered = threading.local()


def fetched(statement: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    """All rows of a SELECT. A connection that was lost since it was last used is opened anew, and asked once more."""
    try:
        found = _fetched(statement, parameters)
    except (OperationalError, InterfaceError):
        if connection.in_atomic_block or connection.is_usable():
            raise
        connection.close()
        found = _fetched(statement, parameters)
    connection.health_check_done = True  # type: ignore[attr-defined]  # Django has it, its stubs do not
    _answered.last = connection.connection, time.monotonic()
    return found


def trust_what_answered(**_signal: Any) -> None:
    """As a request begins: spare the connection that answered a moment ago the question whether it stands."""
    raw, at = getattr(_answered, "last", (None, 0.0))
    if raw is not None and raw is connection.connection and time.monotonic() - at < STANDS_SECONDS:
        connection.health_check_done = True  # type: ignore[attr-defined]  # Django has it, its stubs do not


def written(statement: str, parameters: Sequence[Any]) -> None:
    """Execute an INSERT; asked once only."""
    with _cursor() as cursor:
        cursor.execute(statement, parameters)


def _fetched(statement: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    with _cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall())


def _cursor() -> CursorWrapper:
    """A cursor whose statements the server prepares once they have come a few times on its connection.

    Django's own cursors put the values into the text of a statement, so that the server parses and plans it anew each
    time, and ask first whether the connection still stands.
    """
    connection.ensure_connection()
    raw = connection.connection
    if raw.prepare_threshold is None:
        raw.prepare_threshold = PREPARED_AFTER
    # Wrapped as Django's own are: counted, guarded, their errors told in Django's classes.
    wrapper = CursorDebugWrapper if connection.queries_logged else CursorWrapper
    return wrapper(Cursor(raw), connection)

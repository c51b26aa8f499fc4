"""States of the ledger and the registry, as keys under which an answer may be kept in this process.

The entry stands beside the position because an entry's number is never given twice, also where a transaction was
rolled back and its position given again.
"""

from typing import NamedTuple

from django.db import connection

from xinzheng.apps.registry.queries import registry_position


class State(NamedTuple):
    """The position of the last change and the entry that made it; zeros when nothing has happened yet."""

    position: int
    entry: int


def registry_state(position: int) -> State:
    """The registry's state at a position."""
    found = registry_position(position)
    with connection.cursor() as cursor:
        cursor.execute("SELECT position, entry_id FROM audit_position WHERE position = %s", [found])
        return State(*(cursor.fetchone() or (0, 0)))

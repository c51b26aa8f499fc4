"""What ails the database (数据库故障): said by PostgreSQL's own codes, so that whoever waits is told in words."""

from enum import Enum

DISK_FULL = "53100"
LOST = ("08", "57P")  # classes of codes: the connection, and a server that goes down or is not up yet


class Trouble(Enum):
    """``FULL``: no room left on its disk. ``LOST``: the server is gone, or going."""

    FULL = "full"
    LOST = "lost"


def database_trouble(error: BaseException) -> Trouble | None:
    """What an error of Django's database layer tells of the database; None if it tells of what was asked instead."""
    state = getattr(error.__cause__, "sqlstate", None)
    if state == DISK_FULL:
        return Trouble.FULL
    return Trouble.LOST if state is None or state.startswith(LOST) else None

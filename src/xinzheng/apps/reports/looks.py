"""Recording who looked at a report (查看记录): one plain insert, so that it costs the answer little."""

import logging
from collections.abc import Sequence

from django.db import DatabaseError

from xinzheng.apps.reports.prepared import written

PUBLIC = "public"
COMMAND_LINE = "command-line"
ONE_ROW = "(%s, %s, %s, %s)"
INSERT = "INSERT INTO reports_look (report_number, way, by, status) VALUES "
log = logging.getLogger(__name__)


def by_key(key_id: int) -> str:
    """How a look made with an interface's key names who looked."""
    return f"key:{key_id}"


def by_client(client_id: str) -> str:
    """How a look made with a platform's token names who looked."""
    return f"client:{client_id}"


def record_look(number: str, way: str, by: str, status: str) -> None:
    """Record that the report's ``status`` was told to ``by``, asked for by ``way``.

    ``by`` is ``public``, ``key:<id>``, ``client:<id>`` (a platform), ``receiver:<id>`` or ``command-line``; ``way`` is
    code, link, qr, file or batch.
    """
    record_looks([(number, way, by, status)])


def record_looks(looks: Sequence[tuple[str, str, str, str]]) -> None:
    """Record several (number, way, by, status) in one statement; none is nothing to do.

    Where they cannot be written (a full disk, a standby server) verification still answers, and the log tells.
    """
    if not looks:
        return
    try:
        written(INSERT + ", ".join([ONE_ROW] * len(looks)), [part for look in looks for part in look])
    except DatabaseError:
        log.exception("looks-not-recorded")

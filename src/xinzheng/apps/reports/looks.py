"""Recording who looked at a report (查看记录): one plain insert, so that it costs the answer little."""

from collections.abc import Sequence

from django.db import connection

PUBLIC = "public"
ONE_ROW = "(%s, %s, %s, %s)"
INSERT = "INSERT INTO reports_look (report_number, way, by, status) VALUES "


def by_key(key_id: int) -> str:
    """How a look made with an interface's key names who looked."""
    return f"key:{key_id}"


def record_look(number: str, way: str, by: str, status: str) -> None:
    """Record that the report's ``status`` was told to ``by`` (``public`` or ``key:<id>``), asked for by ``way``."""
    record_looks([(number, way, by, status)])


def record_looks(looks: Sequence[tuple[str, str, str, str]]) -> None:
    """Record several (number, way, by, status) in one statement; none is nothing to do."""
    if not looks:
        return
    with connection.cursor() as cursor:
        cursor.execute(INSERT + ", ".join([ONE_ROW] * len(looks)), [part for look in looks for part in look])

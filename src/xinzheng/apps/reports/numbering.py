"""Numbers (编号): gap-free per prefix and day, because the counter and the report share one transaction."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date

from django.db import Error, connection

from xinzheng.core.lifecycle import report_number

NEXT_SERIAL = """
    INSERT INTO reports_daycounter (prefix, day, last) VALUES (%s, %s, 1)
    ON CONFLICT (prefix, day) DO UPDATE SET last = reports_daycounter.last + 1
    RETURNING last
"""
# Who is about to take a number of a day holds this shared, for others to count.
ABOUT_TO_NUMBER = 0x6E756D62
ANNOUNCE = "SELECT pg_advisory_lock_shared(%s, hashtext(%s))"
TAKE_BACK = "SELECT pg_advisory_unlock_shared(%s, hashtext(%s))"
LAST_AND_OTHERS = """
    SELECT
        coalesce((SELECT last FROM reports_daycounter WHERE prefix = %s AND day = %s), 0),
        (SELECT count(*) FROM pg_locks
         WHERE locktype = 'advisory' AND classid = %s AND objid::bigint = hashtext(%s)::bigint & 4294967295
         AND objsubid = 2 AND granted AND pid <> pg_backend_pid()
         AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
"""


def take_number(prefix: str, day: date) -> str:
    """The next report number (报告编号) of the day; the counter stays locked until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(NEXT_SERIAL, [prefix, day])
        (serial,) = cursor.fetchone()
    return report_number(prefix, day, serial)


@contextmanager
def expected_number(prefix: str, day: date) -> Iterator[str]:
    """The number that ``take_number`` will most likely give before the block ends: nothing is reserved by it.

    Whoever is rehearsing already will take theirs first. Where the guess is wrong, a document is set twice, no more.
    """
    name = f"{prefix}{day}"
    with connection.cursor() as cursor:
        cursor.execute(LAST_AND_OTHERS, [prefix, day, ABOUT_TO_NUMBER, name])
        last, others = cursor.fetchone()
        cursor.execute(ANNOUNCE, [ABOUT_TO_NUMBER, name])
    try:
        yield report_number(prefix, day, last + others + 1)
    finally:
        with suppress(Error), connection.cursor() as cursor:  # a session that broke has taken it back
            cursor.execute(TAKE_BACK, [ABOUT_TO_NUMBER, name])

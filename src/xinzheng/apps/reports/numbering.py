"""Numbers (编号): gap-free per prefix and day, because the counter and the report share one transaction."""

from datetime import date

from django.db import connection

from xinzheng.core.lifecycle import report_number

NEXT_SERIAL = """
    INSERT INTO reports_daycounter (prefix, day, last) VALUES (%s, %s, 1)
    ON CONFLICT (prefix, day) DO UPDATE SET last = reports_daycounter.last + 1
    RETURNING last
"""


def take_number(prefix: str, day: date) -> str:
    """The next report number (报告编号) of the day; the counter stays locked until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(NEXT_SERIAL, [prefix, day])
        (serial,) = cursor.fetchone()
    return report_number(prefix, day, serial)

"""Numbers of objections and repairs (受理编号): gap-free per prefix and day, in the transaction of what is numbered."""

from datetime import date

from django.db import connection

OBJECTION_PREFIX = "Y"
NEXT_SERIAL = """
    INSERT INTO redress_daynumber (prefix, day, last) VALUES (%s, %s, 1)
    ON CONFLICT (prefix, day) DO UPDATE SET last = redress_daynumber.last + 1
    RETURNING last
"""


def take_number(prefix: str, day: date) -> str:
    """The next number of the day in China, e.g. Y20261105-0031; the counter is locked until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(NEXT_SERIAL, [prefix, day])
        (serial,) = cursor.fetchone()
    return f"{prefix}{day:%Y%m%d}-{serial:04d}"

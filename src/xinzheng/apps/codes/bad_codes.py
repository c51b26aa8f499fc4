"""Bad codes by visitor (坏码计数), in the table all processes share: none of them can be tried round the others."""

from datetime import timedelta

from django.utils import timezone

from xinzheng.apps.reports.prepared import written

SO_FAR = "SELECT value::int FROM accounts_sharedcache WHERE cache_key = %s"
ONE_MORE = """
INSERT INTO accounts_sharedcache (cache_key, value, expires) VALUES (%s, '1', %s)
ON CONFLICT (cache_key) DO UPDATE SET value = (accounts_sharedcache.value::int + 1)::text
"""


def count_bad(visitor: str, seconds: int) -> None:
    """One more of this visitor; forgotten after so many seconds. Two at the same moment are two."""
    written(ONE_MORE, [visitor, timezone.now() + timedelta(seconds=seconds)])

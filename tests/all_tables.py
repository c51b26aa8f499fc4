"""The contents of every table, as digests: what did something change, and what not."""

from django.db import connection


def digests() -> dict[str, str]:
    """By table a digest of all its rows; what the queue of tasks does for itself is left out."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename")
        names = [name for (name,) in cursor.fetchall() if not name.startswith("procrastinate_")]
        found = {}
        for name in names:
            cursor.execute(f"SELECT md5(coalesce(string_agg(t::text, chr(10) ORDER BY t::text), '')) FROM \"{name}\" t")
            found[name] = cursor.fetchone()[0]
    return found


def changed(before: dict[str, str]) -> set[str]:
    """The tables that are not as they were."""
    return {name for name, digest in digests().items() if before.get(name) != digest}

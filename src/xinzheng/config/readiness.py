"""Bring database and tables to the state this version of the code needs."""

import json
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.migrations.executor import MigrationExecutor

from xinzheng.adapters.postgres_embedded import RESTORED, Keeping, ensure_running
from xinzheng.config import environment

# Any constant that nothing else locks: two processes starting at once migrate one after the other.
MIGRATION_LOCK = 0x58696E7A68656E67


def ensure_database_running() -> None:
    """Start the embedded server unless an external database is named."""
    if environment.database_is_embedded():
        archive = Path(settings.XINZHENG_BACKUP).absolute() if settings.XINZHENG_BACKUP else None
        ensure_running(environment.home(), Keeping(archive, settings.XINZHENG_REPLICAS or None))


def ensure_ready() -> None:
    """Start the database where it is ours to start, and apply the migrations that are still due."""
    ensure_database_running()
    if _migrations_due():
        _migrate()
    _take_up_after_restore()


def _migrate() -> None:
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])
        try:
            call_command("migrate", interactive=False, verbosity=0)
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [MIGRATION_LOCK])


def _migrations_due() -> bool:
    executor = MigrationExecutor(connections[DEFAULT_DB_ALIAS])
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def _take_up_after_restore() -> None:
    """A restored home brings a note with it: before anybody uses the database, whoever was erased is erased again."""
    note = environment.home() / RESTORED
    if not note.exists():
        return
    from xinzheng.apps.oversight.erasing import take_up_after_restore

    take_up_after_restore(json.loads(note.read_text(encoding="utf-8")))
    note.unlink(missing_ok=True)

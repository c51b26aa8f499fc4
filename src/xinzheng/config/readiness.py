"""Bring database and tables to the state this version of the code needs."""

from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.migrations.executor import MigrationExecutor

from xinzheng.adapters.postgres_embedded import ensure_running
from xinzheng.config import environment

# Any constant that nothing else locks: two processes starting at once migrate one after the other.
MIGRATION_LOCK = 0x58696E7A68656E67


def ensure_database_running() -> None:
    """Start the embedded server unless an external database is named."""
    if environment.database_is_embedded():
        ensure_running(environment.home())


def ensure_ready() -> None:
    """Start the database where it is ours to start, and apply the migrations that are still due."""
    ensure_database_running()
    if not _migrations_due():
        return
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])
        try:
            call_command("migrate", interactive=False, verbosity=0)
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [MIGRATION_LOCK])


def _migrations_due() -> bool:
    executor = MigrationExecutor(connections[DEFAULT_DB_ALIAS])
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))

"""Every test runs on a real PostgreSQL: the embedded server in a throwaway home, or XINZHENG_DATABASE_URL."""

import gc
import os
import re
import shutil
import signal
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
import pytest

# Settings are read when Django is set up, after this file: the home has to be known before.
KEPT_HOME = os.environ.get("XINZHENG_TEST_HOME")
HOME = Path(KEPT_HOME or tempfile.mkdtemp(prefix="xinzheng-test-"))
os.environ["XINZHENG_HOME"] = str(HOME)
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "xinzheng.config.settings")
# Every page shows announcements; how many statements a page takes must not depend on when they were asked for last.
os.environ.setdefault("XINZHENG_ANNOUNCED_SECONDS", "86400")

import django  # noqa: E402
from django.contrib.contenttypes.management import create_contenttypes  # noqa: E402
from django.db import connection  # noqa: E402
from django.db.backends.postgresql.operations import DatabaseOperations  # noqa: E402
from django.db.models.signals import post_migrate  # noqa: E402
from django.test import override_settings  # noqa: E402
from pytest_django.plugin import DjangoDbBlocker  # noqa: E402

from tests.soundness import every_report_is_sound  # noqa: E402, F401
from xinzheng.adapters.postgres_embedded import ensure_running, stop  # noqa: E402
from xinzheng.adapters.postgres_embedded.layout import ROLE, SUPERUSER  # noqa: E402

django.setup()


def pytest_configure() -> None:
    # Told to end, the tests end as if by Ctrl-C: the server is stopped and its home goes.
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def pytest_collection_finish() -> None:
    # What is loaded by now stays to the end: the collector need not look through it again and again.
    gc.collect()
    gc.freeze()


def pytest_unconfigure() -> None:
    if KEPT_HOME is None:
        stop(HOME)
        shutil.rmtree(HOME, ignore_errors=True)


@pytest.fixture(scope="session")
def embedded_home() -> Path:
    """The home whose embedded server runs; a command started with this XINZHENG_HOME finds the server running."""
    info = ensure_running(HOME)
    with psycopg.connect(host=info.host, port=info.port, user=SUPERUSER, dbname="postgres", autocommit=True) as admin:
        admin.execute(f"GRANT SET ON PARAMETER session_replication_role TO {ROLE}")
        # The home is thrown away: what a power cut would take from it is not worth waiting for the disk.
        admin.execute("ALTER SYSTEM SET fsync = off")
        # Coming by once a minute, it would count a table in which a module's one transaction stands as empty, and every
        # later question of that module be planned for an empty one; no_dead_rows_of_another_module sweeps instead.
        admin.execute("ALTER SYSTEM SET autovacuum = off")
        admin.execute("SELECT pg_reload_conf()")
    return HOME


@pytest.fixture(scope="session")
def django_db_modify_db_settings(request: pytest.FixtureRequest) -> Iterator[None]:
    """Start the server before pytest-django makes its database, and let it empty append-only tables between tests."""
    if not os.environ.get("XINZHENG_DATABASE_URL"):
        request.getfixturevalue("embedded_home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(connection.ops), "execute_sql_flush", empty_in_spite_of_history)
        yield


FLUSH = DatabaseOperations.execute_sql_flush
# Not of Django's models: left alone by its flush, jobs of one test would be worked off in the next.
QUEUE = ["procrastinate_jobs", "procrastinate_workers"]


def empty_in_spite_of_history(self: Any, sql_list: list[str]) -> None:
    """Empty the tables that hold something, and those that refer to them: most tests fill few of the many."""
    with connection.cursor() as cursor:
        cursor.execute(_asking_for_the_filled(*sql_list))
        filled = [name for (name,) in cursor.fetchall()]
    if filled:
        # In this role no trigger fires, so TRUNCATE works; it needs a grant, and ends with the transaction.
        emptied = f"TRUNCATE {', '.join(map(connection.ops.quote_name, filled))} CASCADE"
        FLUSH(self, ["SET LOCAL session_replication_role = replica", emptied])


@cache
def _asking_for_the_filled(truncate: str) -> str:
    """From the statement that would empty all tables, one that tells which of them are not empty."""
    tables = re.findall(r'"(\w+)"', truncate)
    assert tables
    tables += QUEUE
    return " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM \"{name}\")" for name in tables)


END_OTHER_SESSIONS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """A thread or process that a test started may still hold a session; the database could not be dropped then."""
    # After each flush Django would write its own permissions, which nothing here asks for, into the empty tables.
    post_migrate.disconnect(dispatch_uid="django.contrib.auth.management.create_permissions")
    post_migrate.disconnect(create_contenttypes)
    from xinzheng.web.connections.announced import announcements_for

    with django_db_blocker.unblock():
        announcements_for(None)
    yield
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(END_OTHER_SESSIONS)


@pytest.fixture(scope="module", autouse=True)
def no_dead_rows_of_another_module(django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """What was undone stays in the tables as dead rows, and every look of the next modules would pass them: out."""
    yield
    if connection.connection is None or connection.in_atomic_block:
        return
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute("SELECT quote_ident(relname) FROM pg_stat_user_tables WHERE n_dead_tup >= 1000")
        if tables := [name for (name,) in cursor.fetchall()]:
            cursor.execute(f"VACUUM {', '.join(tables)}")


@pytest.fixture
def second_connection(transactional_db: None) -> Iterator[psycopg.Connection[Any]]:
    """A raw connection of its own to the test's database, to see what others see; it begins transactions itself."""
    parameters = connection.get_connection_params()
    for only_django in ("cursor_factory", "context", "prepare_threshold"):
        parameters.pop(only_django, None)
    with psycopg.connect(**parameters) as other:
        yield other


@pytest.fixture(autouse=True)
def staff_enter_with_password_alone() -> Iterator[None]:
    """Pages are not about signing in; the tests of the second factor ask for it themselves."""
    with override_settings(XINZHENG_SECOND_FACTOR="off"):
        yield


@pytest.fixture(autouse=True)
def no_checkpoint_of_another_test() -> Iterator[None]:
    """What the log's key has signed is remembered beside it; the database of each test begins without a log."""
    last = HOME / "keys" / "log" / "log.checkpoint"
    last.unlink(missing_ok=True)
    yield
    last.unlink(missing_ok=True)

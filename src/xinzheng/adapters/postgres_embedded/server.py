"""Start and stop the embedded server: safe when several processes ask at once, and after a kill -9."""

import fcntl
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg
from psycopg import sql

from xinzheng.adapters.postgres_embedded.archive import AS_IT_WAS, Keeping, write_keeping
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
# A former primary that comes back starts from the last checkpoint it shares with the new one.
wal_keep_size = 1GB
# A replica that stays away longer has to be made anew; the disk of the primary does not fill for its sake.
max_slot_wal_keep_size = 8GB
include_if_exists = 'archive.conf'
include_if_exists = 'replicas.conf'
include_if_exists = 'recovery.conf'
"""


def ensure_running(home: Path, keeping: Keeping = AS_IT_WAS) -> ConnectionInfo:
    """Start the server of ``home`` unless it runs, making cluster, role and database at the first start.

    Any number of processes may call this at once. Returns how to reach the application's database. ``keeping``: where
    to archive and for whom to wait from this start on; a server that runs is left as it is.

    Raises:
        EmbeddedPostgresError: it cannot be started; the message names the log.
        BackupError: ``backup-folder-unusable``, ``backup-folder-of-another``.
    """
    info = connection_info(home)
    if answers(info):
        return info
    with locked(home):
        if not answers(info):
            layout = prepare_layout(home)
            _initialise(layout)
            write_keeping(layout, home, keeping)
            configure(layout)
            bring_up(layout, info)
            _make_database(info)
    return info


def is_running(home: Path) -> bool:
    """Whether the server of ``home`` answers."""
    return answers(connection_info(home))


def stop(home: Path) -> None:
    """Stop the server of ``home``, ending open connections; nothing happens when it does not run.

    Raises:
        EmbeddedPostgresError: it does not stop.
    """
    if not socket_folder(home).exists():
        return
    with locked(home):
        layout = prepare_layout(home)
        if not says_running(layout):
            return
        done = as_runner(layout.runner, [*control(layout), "stop", "-m", "fast", "-w", "-t", str(START_SECONDS)])
        if done.returncode != 0:
            raise EmbeddedPostgresError(f"内嵌数据库没有停下：{done.stdout.strip()}")


def answers(info: ConnectionInfo) -> bool:
    """Whether the application's database can be connected to."""
    if not (Path(info.host) / f".s.PGSQL.{info.port}").exists():
        return False
    try:
        with psycopg.connect(info.url, connect_timeout=5):
            return True
    except psycopg.OperationalError:
        return False


@contextmanager
def locked(home: Path) -> Iterator[None]:
    """Keep others from starting or stopping the server of ``home`` meanwhile."""
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
    draft = empty_draft(layout)
    options = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    rules = ["--auth-local=peer", "--auth-host=reject", f"--username={SUPERUSER}", "--no-instructions"]
    done = as_runner(layout.runner, [str(binaries(layout) / "initdb"), "-D", str(draft), *options, *rules])
    if done.returncode != 0:
        raise EmbeddedPostgresError(f"内嵌数据库无法初始化（{draft}）：{done.stdout.strip()[-600:]}")
    draft.rename(layout.data)


def empty_draft(layout: Layout) -> Path:
    """An empty folder of the runner's beside the data, to be renamed to it when it is whole."""
    draft = layout.area / "pg.new"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    if layout.runner.is_another:
        os.chown(draft, layout.runner.uid, layout.runner.gid)
    return draft


def configure(layout: Layout) -> None:
    """Write settings and access rules: peer authentication only, for ourselves and the runner."""
    folder = layout.configuration
    people = sorted({layout.runner.name, _own_name(layout)})
    names = [f'xinzheng "{person}" {role}\n' for person in people for role in (ROLE, SUPERUSER)]
    files = {
        "postgresql.conf": SETTINGS
        + f"unix_socket_directories = '{layout.socket_folder}'\n"
        + f"hba_file = '{quoted(folder / 'pg_hba.conf')}'\n"
        + f"ident_file = '{quoted(folder / 'pg_ident.conf')}'\n",
        "pg_hba.conf": "local all all peer map=xinzheng\nlocal replication all peer map=xinzheng\n",
        "pg_ident.conf": "".join(names),
    }
    for name, text in files.items():
        path = folder / name
        path.write_text(text, encoding="utf-8")
        path.chmod(0o644)


def _own_name(layout: Layout) -> str:
    return "root" if os.geteuid() == 0 else layout.runner.name


def quoted(path: Path) -> str:
    return str(path).replace("'", "''")


def control(layout: Layout) -> list[str]:
    """The beginning of a command to the server's control program."""
    return [str(binaries(layout) / "pg_ctl"), "-D", str(layout.data)]


def says_running(layout: Layout) -> bool:
    """Whether there is a server process, answering or not."""
    return as_runner(layout.runner, [*control(layout), "status"]).returncode == 0


def bring_up(layout: Layout, info: ConnectionInfo) -> None:
    """Start, and wait for a server that is still starting, or for the remains of a killed one to be gone."""
    deadline = time.monotonic() + START_SECONDS
    said = ""
    while time.monotonic() < deadline:
        drop_foreign_pid_file(layout)
        if says_running(layout):
            if answers(as_superuser(info)):
                return
        else:
            done = start_once(layout, START_SECONDS)
            if done.returncode == 0:
                return
            said = done.stdout.strip()
        time.sleep(PAUSE_SECONDS)
    raise EmbeddedPostgresError(f"内嵌数据库没有启动，原因见 {layout.log}：{last_lines(layout.log) or said}")


def start_once(layout: Layout, seconds: int) -> "subprocess.CompletedProcess[str]":
    """Ask for a start, and wait until the server answers or ends."""
    configuration = str(layout.configuration / "postgresql.conf").replace("'", "'\\''")
    options = ["-w", "-t", str(seconds), "-l", str(layout.log), "-o", f"-c config_file='{configuration}'"]
    return as_runner(layout.runner, [*control(layout), "start", *options])


def drop_foreign_pid_file(layout: Layout) -> None:
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


def as_superuser(info: ConnectionInfo) -> ConnectionInfo:
    """The same server, as the one who may do everything there."""
    return replace(info, dbname="postgres", user=SUPERUSER)


def last_lines(log: Path) -> str:
    """What the server said last while starting."""
    try:
        return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-5:])
    except OSError:
        return ""


def _make_database(info: ConnectionInfo) -> None:
    """Make the application's role, which is no superuser, and its database, where they are not there yet."""
    with psycopg.connect(as_superuser(info).url, autocommit=True) as connection:
        # A replica can only be made of a server that runs; this one must not wait for it.
        connection.execute("SET synchronous_commit = local")
        if not _exists(connection, "SELECT 1 FROM pg_roles WHERE rolname = %s", ROLE):
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN CREATEDB").format(sql.Identifier(ROLE)))
        if not _exists(connection, "SELECT 1 FROM pg_database WHERE datname = %s", DATABASE):
            names = {"database": sql.Identifier(DATABASE), "role": sql.Identifier(ROLE)}
            connection.execute(sql.SQL("CREATE DATABASE {database} OWNER {role}").format(**names))


def _exists(connection: psycopg.Connection[tuple[object, ...]], query: str, name: str) -> bool:
    return connection.execute(query.encode(), [name]).fetchone() is not None

"""Replicas (备库): a second server that repeats all the first one writes, answers reads, and takes its place.

Both are embedded servers, so both stand on one machine (the wheel has no TLS, and its servers listen on no network):
they guard against a server that dies and are for rehearsals. For two machines one names servers of one's own.
"""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from xinzheng.adapters.postgres_embedded.archive import (
    BackupError,
    Keeping,
    check_name,
    literal,
    write_keeping,
)
from xinzheng.adapters.postgres_embedded.layout import (
    ConnectionInfo,
    EmbeddedPostgresError,
    Layout,
    as_runner,
    binaries,
    connection_info,
    make_home,
    prepare_layout,
)
from xinzheng.adapters.postgres_embedded.server import (
    START_SECONDS,
    answers,
    as_superuser,
    bring_up,
    configure,
    control,
    drop_foreign_pid_file,
    empty_draft,
    locked,
    says_running,
)

STATE = """
    SELECT pg_is_in_recovery(), current_setting('archive_mode') = 'on',
           (SELECT last_failed_wal FROM pg_stat_archiver
            WHERE last_failed_time > coalesce(last_archived_time, '-infinity')),
           current_setting('synchronous_standby_names')
"""
REPLICAS = """
    SELECT s.slot_name, r.state, r.sync_state IN ('sync', 'quorum'), r.replay_lag,
           pg_wal_lsn_diff(pg_current_wal_lsn(), coalesce(r.replay_lsn, s.restart_lsn))::bigint
    FROM pg_replication_slots AS s LEFT JOIN pg_stat_replication AS r ON r.pid = s.active_pid
    WHERE s.slot_type = 'physical' ORDER BY 1
"""


class NotAReplicaError(BackupError):
    """The server is none that follows another, or one that runs by itself."""

    code = "not-a-replica"


@dataclass(frozen=True, slots=True)
class ServerState:
    """What a running server is (数据库现状).

    ``failed_segment``: what could not be archived since the last one that could. ``waits_for``: as it is set.
    """

    is_replica: bool
    is_archiving: bool
    failed_segment: str | None
    waits_for: str


@dataclass(frozen=True, slots=True)
class Replica:
    """A replica as its primary sees it: None for a state means that it is away. ``behind`` in bytes of the log."""

    name: str
    state: str | None
    is_synchronous: bool
    lag: timedelta | None
    behind: int


def server_state(home: Path) -> ServerState | None:
    """What the server of ``home`` says of itself; None when it does not run."""
    info = connection_info(home)
    if not answers(info):
        return None
    return ServerState(*_asked(info, STATE)[0])


def replicas_of(home: Path) -> list[Replica]:
    """The replicas that a running primary knows."""
    return [
        Replica(name, state, bool(is_synchronous), lag, behind or 0)
        for name, state, is_synchronous, lag, behind in _asked(connection_info(home), REPLICAS)
    ]


def is_replica(home: Path) -> bool:
    """Whether the home holds a replica, running or not; touches nothing."""
    return any((area / "pg" / "standby.signal").exists() for area in (home, home / "pg-away"))


def replicate(home: Path, of: Path, name: str) -> ConnectionInfo:
    """Make an empty home a replica of the running server of another, under a name, and start it.

    The primary keeps the log for it from now on, even while it is away.

    Raises:
        BackupError: ``replica-name-unfit``, ``home-not-empty``, ``server-not-running``, ``backup-failed``.
    """
    check_name(name)
    primary, info = connection_info(of), connection_info(home)
    if not answers(primary):
        raise BackupError(f"主库（{of}）没有运行，不能复制。", code="server-not-running")
    with locked(make_home(home)):
        layout = prepare_layout(home)
        if layout.data.exists():
            raise BackupError(f"{home} 里已有数据库，备库要用一个空的文件夹。", code="home-not-empty")
        _let_follow(of)
        _keep_log_for(primary, name)
        draft = empty_draft(layout)
        tool = [str(binaries(layout) / "pg_basebackup"), "-D", str(draft), "-X", "stream", "-c", "fast", "-R"]
        _run(layout, [*tool, "-d", _following(primary, name), "-S", name])
        draft.rename(layout.data)
        configure(layout)
        bring_up(layout, info)
    return info


def _let_follow(of: Path) -> None:
    """A server started by an earlier release lets nobody follow: its access rules are written anew."""
    configure(prepare_layout(of))
    _asked(connection_info(of), "SELECT pg_reload_conf()")


def _keep_log_for(primary: ConnectionInfo, name: str) -> None:
    there = "SELECT FROM pg_replication_slots WHERE slot_name = %s"
    _asked(primary, f"SELECT pg_create_physical_replication_slot(%s, true) WHERE NOT EXISTS ({there})", name, name)


def _following(primary: ConnectionInfo, name: str) -> str:
    user = as_superuser(primary).user
    return f"host={literal(primary.host)} port={primary.port} user={user} dbname=postgres application_name={name}"


def promote(home: Path) -> None:
    """Make a replica the primary (提升): it takes writes from now on, on a timeline of its own.

    See to it first that the old primary is down and stays down: two primaries would go apart.

    Raises:
        NotAReplicaError: it does not run, or follows nobody.
    """
    state = server_state(home)
    if state is None or not state.is_replica:
        raise NotAReplicaError(f"{home} 不是正在运行的备库，不能提升为主库。")
    layout = prepare_layout(home)
    _run(layout, [*control(layout), "promote", "-w", "-t", str(START_SECONDS)])


def rejoin(home: Path, of: Path, name: str) -> ConnectionInfo:
    """Have a former primary that is down follow the new one (重新加入), and start it.

    What it wrote and the new one never had is discarded.

    Raises:
        NotAReplicaError: ``not-a-replica``: it runs by itself and would have to be stopped first, or has no data.
        BackupError: ``server-not-running``; ``backup-failed``: the log they share is gone, it has to be made anew.
    """
    check_name(name)
    primary, info = connection_info(of), connection_info(home)
    if not answers(primary):
        raise BackupError(f"新主库（{of}）没有运行。", code="server-not-running")
    with locked(make_home(home)):
        layout = prepare_layout(home)
        drop_foreign_pid_file(layout)
        if says_running(layout) or not layout.data.exists():
            raise NotAReplicaError(
                f"{home} 还在自己运行，或者没有数据库。请先停止（xinzheng database stop）再重新加入。"
            )
        _let_follow(of)
        _keep_log_for(primary, name)
        tool = [str(binaries(layout) / "pg_rewind"), "-D", str(layout.data), "--write-recovery-conf"]
        configured = str(layout.configuration / "postgresql.conf")
        write_keeping(layout, home, Keeping(replicas=()))
        configure(layout)
        _run(layout, [*tool, "--source-server", _following(primary, name), "--config-file", configured])
        _run(layout, ["/bin/sh", "-c", 'echo "primary_slot_name = \'$1\'" >> "$2"', "sh", name, _own_settings(layout)])
        try:
            bring_up(layout, info)
        except EmbeddedPostgresError as error:
            as_runner(layout.runner, [*control(layout), "stop", "-m", "immediate"])
            raise BackupError(
                f"{home} 跟不上新主库：两者共有的日志已经不全。"
                f"请移走 {layout.data}，用 xinzheng replica make 重新建立备库。",
                code="backup-failed",
            ) from error
    return info


def _own_settings(layout: Layout) -> str:
    return str(layout.data / "postgresql.auto.conf")


def wait_for(home: Path, names: tuple[str, ...]) -> None:
    """From now on a commit waits until one of these replicas has it; empty: for nobody.

    Raises:
        BackupError: ``replica-name-unfit``.
    """
    layout = prepare_layout(home)
    write_keeping(layout, home, Keeping(replicas=names))
    configure(layout)
    if answers(connection_info(home)):
        _asked(connection_info(home), "SELECT pg_reload_conf()")


def forget_replica(home: Path, name: str) -> None:
    """Keep no log for a replica any longer that is not coming back."""
    query = "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = %s AND NOT active"
    _asked(connection_info(home), query, name)


def _asked(info: ConnectionInfo, query: str, *values: str) -> list[Any]:
    with psycopg.connect(as_superuser(info).url, autocommit=True) as connection:
        return connection.execute(sql.SQL(query), values or None).fetchall()


def _run(layout: Layout, command: list[str]) -> None:
    done = as_runner(layout.runner, command)
    if done.returncode != 0:
        raise BackupError(f"没有做成，数据库的工具说：{done.stdout.strip()[-600:]}", code="backup-failed")

"""Replicas: what was committed is on the one that takes over, and the former primary follows it."""

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from xinzheng.adapters.postgres_embedded import (
    Keeping,
    connection_info,
    ensure_running,
    is_replica,
    promote,
    rejoin,
    replicas_of,
    replicate,
    server_state,
    wait_for,
)
from xinzheng.adapters.postgres_embedded.archive import write_keeping
from xinzheng.adapters.postgres_embedded.layout import as_runner, make_home, prepare_layout
from xinzheng.adapters.postgres_embedded.server import control
from xinzheng.core.errors import XinzhengError

PATIENCE_SECONDS = 30


@pytest.fixture
def homes() -> Iterator[tuple[Path, Path]]:
    """Two homes that every user can reach; their servers are ended without ceremony."""
    folder = Path(tempfile.mkdtemp(prefix="xz-replica-"))
    folder.chmod(0o755)
    yield folder / "first", folder / "second"
    for home in folder.iterdir():
        layout = prepare_layout(home)
        as_runner(layout.runner, [*control(layout), "stop", "-m", "immediate"])
    shutil.rmtree(folder)


def code_of(act: Callable[..., object], *args: object) -> str:
    """The code by which something is refused."""
    with pytest.raises(XinzhengError) as refused:
        act(*args)
    return refused.value.code


def run(home: Path, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(connection_info(home).url, autocommit=True) as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def until(holds: Callable[[], bool]) -> None:
    last = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < last
        time.sleep(0.05)


@pytest.mark.slow
def test_a_replica_takes_over_all_that_was_committed_and_the_former_primary_follows(homes: tuple[Path, Path]) -> None:
    first, second = homes
    # A name for whom to wait before there is anybody must not keep a server from being made.
    write_keeping(prepare_layout(make_home(first)), first, Keeping(replicas=("second",)))
    ensure_running(first)
    wait_for(first, ())
    run(first, "CREATE TABLE kept (number int)")
    assert code_of(replicate, second, first, "Second; DROP") == "replica-name-unfit"
    replicate(second, first, "second")
    assert (is_replica(first), is_replica(second)) == (False, True)
    assert code_of(promote, first) == "not-a-replica"

    wait_for(first, ("second",))
    until(lambda: [one.is_synchronous for one in replicas_of(first)] == [True])
    run(first, "INSERT INTO kept VALUES (1)")
    os.kill(int((prepare_layout(first).data / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
    promote(second)
    run(second, "INSERT INTO kept VALUES (2)")

    rejoin(first, second, "first")
    until(lambda: [one.state for one in replicas_of(second)] == ["streaming"])
    until(lambda: len(run(first, "SELECT number FROM kept")) == 2)
    state = server_state(first)
    assert state is not None
    assert (state.is_replica, state.waits_for) == (True, "")
    assert code_of(rejoin, second, first, "second") == "not-a-replica"

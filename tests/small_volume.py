"""A volume of a few megabytes (小磁盘), a PostgreSQL on it, and filling it to the brim; it takes no privilege.

The volume is a tmpfs in a mount namespace of its own, which ends with the process that keeps it. Where a container
allows no namespace, /dev/shm is taken if it is as small as a container's. No other disk is ever filled.
"""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psycopg

from xinzheng.adapters.postgres_embedded import ConnectionInfo
from xinzheng.adapters.postgres_embedded.layout import ROLE, SUPERUSER, Layout, binaries, runner

MEBIBYTE = 1024**2
SIZE, LEAST_SHARED, MOST_SHARED = 112 * MEBIBYTE, 56 * MEBIBYTE, 256 * MEBIBYTE
SHARED = Path("/dev/shm")
NOBODY = "65534"
PATIENCE_SECONDS = 60
IN_NAMESPACE = ("unshare", "--user", "--map-root-user", "--mount")
MOUNT = f'mount -t tmpfs -o size={SIZE},mode=0777 none "$1" || exit 1; '
LISTENING = 'echo ":done 0"; while IFS= read -r line; do sh -c "$line" 2>&1 </dev/null; echo ":done $?"; done'
AS_NOBODY_THERE = f"unshare --user --map-user={NOBODY} --map-group={NOBODY}"
AS_NOBODY_HERE = f"setpriv --reuid={NOBODY} --regid={NOBODY} --clear-groups"
SETTINGS = "-c shared_buffers=16MB -c max_connections=30 -c min_wal_size=2MB -c wal_recycle=off"


@dataclass
class SmallVolume:
    """The volume's folder as the shell that keeps it sees it (小磁盘). ``as_server``: how that shell runs a server."""

    folder: Path
    keeper: "subprocess.Popen[str]"
    as_server: str

    def run(self, command: str) -> str:
        """What a shell command says there; it has to succeed."""
        status, said = self.attempt(command)
        assert status == 0, (command, said)
        return said

    def attempt(self, command: str) -> tuple[int, str]:
        """The status of a shell command there, and what it says."""
        assert self.keeper.stdin is not None
        self.keeper.stdin.write(command + "\n")
        self.keeper.stdin.flush()
        return self.answer()

    def answer(self) -> tuple[int, str]:
        """What the shell says until it is done."""
        assert self.keeper.stdout is not None
        said: list[str] = []
        for line in self.keeper.stdout:
            if line.startswith(":done "):
                return int(line.split()[1]), "".join(said)
            said.append(line)
        return -1, "".join(said)

    def fill(self, leave: int = 0) -> None:
        """Write until the kernel says that the device has no space left, but for ``leave`` bytes."""
        spared = self.folder / "spared"
        if leave:
            self.run(f"fallocate -l {leave} {spared}")
        status, said = self.attempt(f"cat /dev/zero >> {self.folder}/ballast")
        assert status != 0, said
        assert "No space left on device" in said
        self.run(f"rm -f {spared}")

    def make_room(self) -> None:
        """Take away what the volume was filled with."""
        self.run(f"rm -f {self.folder}/ballast")


@contextmanager
def small_volume() -> Iterator[SmallVolume]:
    """The volume, empty."""
    with tempfile.TemporaryDirectory(prefix="xz-full-") as mount_point:
        volume = _in_namespace(Path(mount_point)) or _in_shared_memory()
        try:
            yield volume
        finally:
            volume.attempt(f"rm -rf {volume.folder}/*")
            _end(volume.keeper)
            if volume.folder.parent == SHARED:
                shutil.rmtree(volume.folder, ignore_errors=True)


def _in_namespace(folder: Path) -> SmallVolume | None:
    """A file system of its own; None where the machine allows none."""
    volume = SmallVolume(
        folder, _shell(*IN_NAMESPACE, "sh", "-c", MOUNT + LISTENING, "sh", str(folder)), AS_NOBODY_THERE
    )
    if volume.answer()[0] == 0:
        return volume
    _end(volume.keeper)
    return None


def _in_shared_memory() -> SmallVolume:
    left = shutil.disk_usage(SHARED).free
    if not LEAST_SHARED <= left <= MOST_SHARED:
        raise RuntimeError("no user namespace for a small file system, and /dev/shm is not small: see small_volume.py")
    folder = Path(tempfile.mkdtemp(prefix="xz-full-", dir=SHARED))
    folder.chmod(0o777)
    volume = SmallVolume(folder, _shell("sh", "-c", LISTENING), AS_NOBODY_HERE if os.geteuid() == 0 else "")
    volume.answer()
    return volume


def _shell(*command: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, bufsize=1
    )


def _end(keeper: "subprocess.Popen[str]") -> None:
    assert keeper.stdin is not None
    assert keeper.stdout is not None
    keeper.stdin.close()
    keeper.wait(60)
    keeper.stdout.close()


@dataclass
class SmallServer:
    """A PostgreSQL with its tables or its write-ahead log on the volume (小数据库), the other on the machine's disk."""

    volume: SmallVolume
    programs: Path
    data: Path
    info: ConnectionInfo

    @property
    def is_running(self) -> bool:
        """Whether the server is there."""
        return self._control("status")[0] == 0

    def start(self) -> None:
        """Start, and wait until it answers; after a crash that is when it has mended its files."""
        options = f"-c listen_addresses= -c unix_socket_directories={self.info.host} {SETTINGS}"
        status, said = self._control(f"start -w -t 60 -l {self.info.host}/server.log -o '{options}'")
        assert status == 0, said

    def bring_back(self) -> None:
        """Start it unless it does so itself, and wait until it answers: a crash takes a while, as does its mending."""
        until = time.monotonic() + PATIENCE_SECONDS
        while not self._answers():
            assert time.monotonic() < until
            time.sleep(0.2)
            if not self.is_running:
                self.start()

    def _answers(self) -> bool:
        try:
            with psycopg.connect(self.info.url):
                return True
        except psycopg.OperationalError:
            return False

    def stop(self) -> None:
        """Stop, ending open connections."""
        self._control("stop -m fast")

    def _control(self, what: str) -> tuple[int, str]:
        return self.volume.attempt(f"{self.volume.as_server} {self.programs}/pg_ctl -D {self.data} {what}")


@contextmanager
def small_server(volume: SmallVolume, on_volume: Literal["tables", "log"]) -> Iterator[SmallServer]:
    """A running server, with the application's role and an empty database in it."""
    with tempfile.TemporaryDirectory(prefix="xz-run-") as folder:
        beside = Path(folder)
        beside.chmod(0o777)
        info = ConnectionInfo(host=folder)
        tables, log = (volume.folder, beside) if on_volume == "tables" else (beside, volume.folder)
        server = SmallServer(volume, binaries(Layout(beside, runner(), beside)), tables / "pg", info)
        options = f"--encoding=UTF8 --locale=C --auth=trust --username={SUPERUSER} --wal-segsize=1 --no-instructions"
        volume.run(f"{volume.as_server} {server.programs}/initdb -D {server.data} --waldir={log}/wal {options}")
        server.start()
        try:
            with psycopg.connect(host=folder, user=SUPERUSER, dbname="postgres", autocommit=True) as made:
                made.execute(f"CREATE ROLE {ROLE} LOGIN")
                made.execute(f"CREATE DATABASE {info.dbname} OWNER {ROLE}")
            yield server
        finally:
            server.stop()

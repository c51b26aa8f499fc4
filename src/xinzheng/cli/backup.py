"""``xinzheng backup``: base backups and named points, restoring, and the keys apart from the data."""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xinzheng.cli.log import moment
from xinzheng.core.errors import XinzhengError

if TYPE_CHECKING:
    from xinzheng.adapters.postgres_embedded import Backup

NEEDS_DATABASE = False
BY = "command-line"
MIB = 1024**2


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``backup make|list|check|point|restore|keys|open-keys``."""
    parser = subparsers.add_parser("backup", help="备份和恢复：内置数据库、密钥")
    actions = parser.add_subparsers(dest="action", required=True, metavar="操作")
    making = actions.add_parser("make", help="做一次基础备份，不停站；超过保留份数的旧备份随后删除")
    making.set_defaults(run=make_run, needs_database=True)
    actions.add_parser("list", help="列出备份和恢复点").set_defaults(run=list_run)
    checking = actions.add_parser("check", help="逐个文件核对备份，逐段核对归档的预写日志")
    checking.add_argument("name", nargs="?", metavar="备份", help="备份的名称，默认最新的")
    checking.set_defaults(run=check_run)
    pointing = actions.add_parser("point", help="设一个恢复点，例如升级之前")
    pointing.add_argument("name", metavar="名称", help="小写字母开头，只含小写字母、数字、下划线")
    pointing.set_defaults(run=point_run, needs_database=True)
    _add_restore(actions.add_parser("restore", help="恢复到一个空的文件夹；不动现有的数据"))
    sealing = actions.add_parser("keys", help="把密钥目录加密成一个文件，与数据备份分开存放")
    sealing.add_argument("--to", type=Path, required=True, metavar="目录", help="存放的目录，不能在备份文件夹里")
    sealing.set_defaults(run=keys_run)
    opening = actions.add_parser("open-keys", help="从加密的文件恢复密钥目录")
    opening.add_argument("file", type=Path, metavar="文件", help="backup keys 做的文件")
    opening.add_argument("--to", type=Path, required=True, metavar="目录", help="恢复出的 XINZHENG_HOME")
    opening.set_defaults(run=open_keys_run)
    for action in (sealing, opening):
        words = "存有口令的文件（第一行）"
        action.add_argument("--passphrase-file", type=Path, required=True, metavar="文件", help=words)
    for action in actions.choices.values():
        action.add_argument("--json", action="store_true", help="输出一个JSON对象")


def _add_restore(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", metavar="备份", help="备份的名称，默认是来得及的最新一个")
    parser.add_argument("--to", type=Path, required=True, metavar="目录", help="空的文件夹，恢复后作为 XINZHENG_HOME")
    until = parser.add_mutually_exclusive_group()
    until.add_argument("--point", metavar="名称", help="恢复到这个恢复点")
    until.add_argument(
        "--moment", type=moment, metavar="时间", help="恢复到这个时间，例如 2026-11-20T08:00（北京时间）"
    )
    until.add_argument("--position", metavar="位置", help="恢复到预写日志的这个位置，例如 0/3000148")
    parser.set_defaults(run=restore_run)


def backup_folder() -> Path:
    """Where backups go.

    Raises:
        XinzhengError: ``backup-not-set-up``.
    """
    found = _setting("XINZHENG_BACKUP")
    if not found:
        words = (
            "没有设置备份文件夹。请设置 XINZHENG_BACKUP（另一块磁盘上的文件夹），办法见 docs/operations/备份恢复.md。"
        )
        raise XinzhengError(words, code="backup-not-set-up")
    return Path(found).absolute()


def _setting(name: str) -> Any:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "xinzheng.config.settings")
    from django.conf import settings

    return getattr(settings, name)


def own_home() -> Path:
    """The home whose embedded database this is.

    Raises:
        XinzhengError: ``database-not-embedded``.
    """
    if os.environ.get("XINZHENG_DATABASE_URL"):
        words = "数据库由 XINZHENG_DATABASE_URL 指定，不是内置的，请用它自己的工具（例如 pgBackRest）备份、复制。"
        raise XinzhengError(words, code="database-not-embedded")
    return Path(_setting("XINZHENG_HOME"))


def make_run(args: argparse.Namespace) -> int:
    """Back up, delete what is older than is kept, tell the trail."""
    from xinzheng.adapters.postgres_embedded import keep_newest, make_backup, note_erased
    from xinzheng.apps.audit.actions import record_event
    from xinzheng.apps.audit.queries import head_position
    from xinzheng.apps.oversight.erasing import erasures

    home, folder = own_home(), backup_folder()
    note_erased(folder, (one.as_json() for one in erasures()))
    made = make_backup(home, folder, {"position": head_position()})
    dropped = keep_newest(folder, _setting("XINZHENG_BACKUP_KEEP"))
    facts = {"size": made.size, "archived": made.is_archived, "dropped": dropped}
    record_event(who=BY, action="backup-made", object_kind="backup", object_id=made.name, details=facts)
    words = f"已备份到 {made.path}，{made.size // MIB} MiB，账本位置{made.noted['position']}；删除旧备份{dropped}份。"
    _tell(args, backup_facts(made) | {"dropped": dropped}, words)
    _warn(home, folder, made)
    return 0


def _warn(home: Path, folder: Path, made: "Backup") -> None:
    if not made.is_archived:
        words = "注意：数据库现在没有归档，只能恢复到备份完成的时候。请执行 xinzheng database restart，再做一次备份。"
        print(words, file=sys.stderr)
    if home.stat().st_dev == folder.stat().st_dev:
        print(
            "注意：备份与数据在同一块磁盘上，磁盘坏了两者都没有了。请换到另一块磁盘，并复制到机房以外。",
            file=sys.stderr,
        )


def backup_facts(backup: "Backup") -> dict[str, Any]:
    """A backup as JSON."""
    return {
        "name": backup.name,
        "finished_at": backup.finished_at.isoformat(),
        "size": backup.size,
        "archived": backup.is_archived,
        "position": backup.noted.get("position"),
    }


def list_run(args: argparse.Namespace) -> int:
    """Backups and points, oldest first."""
    from xinzheng.adapters.postgres_embedded import backups_in, points_in

    folder = backup_folder()
    backups, points = backups_in(folder), points_in(folder)
    lines = [
        f"{one.name}  {_local(one.finished_at)}  {one.size // MIB} MiB  账本位置{one.noted.get('position', '—')}"
        + ("" if one.is_archived else "  没有归档")
        for one in backups
    ]
    marks = [
        f"恢复点 {one.name}  {_local(one.at)}  {one.place}  账本位置{one.noted.get('position', '—')}" for one in points
    ]
    answer = {
        "backups": [backup_facts(one) for one in backups],
        "points": [{"name": p.name, "at": p.at.isoformat(), "place": p.place, **p.noted} for p in points],
    }
    _tell(args, answer, "\n".join([*(lines or ["还没有备份。"]), *marks]))
    return 0


def check_run(args: argparse.Namespace) -> int:
    """Read a backup whole; 1 when something is missing or changed."""
    from xinzheng.adapters.postgres_embedded import Until, check_backup, fitting_backup
    from xinzheng.adapters.postgres_embedded.backups import backup_named

    folder = backup_folder()
    found = backup_named(folder, args.name) if args.name else fitting_backup(folder, Until())
    segments = check_backup(found)
    words = f"备份 {found.name} 的每个文件都与清单一致；归档有{segments}段预写日志，没有缺失。"
    _tell(args, backup_facts(found) | {"segments": segments}, words)
    return 0


def point_run(args: argparse.Namespace) -> int:
    """Set a named point."""
    from xinzheng.adapters.postgres_embedded import make_point
    from xinzheng.apps.audit.queries import head_position

    made = make_point(own_home(), backup_folder(), args.name, {"position": head_position()})
    answer = {"name": made.name, "at": made.at.isoformat(), "place": made.place, **made.noted}
    _tell(args, answer, f"已设恢复点 {made.name}（{made.place}），账本位置{made.noted['position']}。")
    return 0


def restore_run(args: argparse.Namespace) -> int:
    """Restore into an empty folder, and have the new database erase again whom this one has erased."""
    from xinzheng.adapters.postgres_embedded import RESTORED, Until, erased, fitting_backup, restore
    from xinzheng.adapters.postgres_embedded.backups import backup_named

    folder, home = backup_folder(), args.to.absolute()
    until = Until(point=args.point, moment=args.moment, position=args.position)
    backup = backup_named(folder, args.name) if args.name else fitting_backup(folder, until)
    reached = args.point or (args.moment.isoformat() if args.moment else args.position) or "end"
    facts = {"backup": backup.name, "until": reached, "erased": erased(folder)}
    restore(backup, home, until, {RESTORED: json.dumps(facts, ensure_ascii=False)})
    _start(home)
    words = (
        f"已从备份 {backup.name} 恢复到 {home}，并再次删除名单上的自然人。\n"
        "接着：恢复密钥目录（xinzheng backup open-keys），把 XINZHENG_HOME 指向这里，XINZHENG_BACKUP 换一个新文件夹，"
        "核查（xinzheng log verify、xinzheng audit verify），立即再做一次备份。"
    )
    _tell(args, {"backup": backup.name, "until": reached, "home": str(home)}, words)
    return 0


def _start(home: Path) -> None:
    """Have the restored home's own process start it: settings of this one name another home."""
    environment = {**os.environ, "XINZHENG_HOME": str(home)}
    for name in ("XINZHENG_DATABASE_URL", "XINZHENG_BACKUP", "XINZHENG_REPLICAS"):
        environment.pop(name, None)
    command = [sys.executable, "-m", "xinzheng.cli", "database", "start"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603  # ours
    if done.returncode != 0:
        raise XinzhengError(
            f"数据已恢复到 {home}，但是没有再次删除应删除的自然人，不能使用：{done.stderr.strip()[-600:]}",
            code="restore-unfinished",
        )


def keys_run(args: argparse.Namespace) -> int:
    """Seal the keys into a file of their own, apart from the backups of the data."""
    from django.utils.timezone import localtime

    from xinzheng.adapters.key_archive import seal_keys

    target, data = args.to.absolute(), _setting("XINZHENG_BACKUP")
    if data and target.resolve().is_relative_to(Path(data).resolve()):
        words = (
            "密钥不能与数据备份放在一起：得到这个文件夹的人就能读到全部个人信息。请另选一个目录，最好在另一台机器上。"
        )
        raise XinzhengError(words, code="keys-beside-data")
    sealed = seal_keys(
        {"keys": Path(_setting("XINZHENG_KEYS")), "secret-key": Path(_setting("XINZHENG_HOME")) / "secret-key"},
        _passphrase(args),
    )
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = target / f"keys-{localtime():%Y%m%dT%H%M%S}.xzkeys"
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(sealed)
        os.fsync(file.fileno())
    _tell(args, {"file": str(path)}, f"密钥已加密存入 {path}。口令请与文件分开保管；丢了口令，谁也打不开。")
    return 0


def open_keys_run(args: argparse.Namespace) -> int:
    """Put the keys back into a home."""
    from xinzheng.adapters.key_archive import open_keys
    from xinzheng.cli.log import read_file

    names = open_keys(read_file(args.file, Path.read_bytes), _passphrase(args), args.to.absolute())
    _tell(args, {"files": len(names)}, f"已恢复{len(names)}个文件到 {args.to}。")
    return 0


def _passphrase(args: argparse.Namespace) -> str:
    from xinzheng.cli.log import read_file

    return str(read_file(args.passphrase_file)).split("\n", 1)[0].strip()


def note_erasure(subject_id: int) -> None:
    """Put who is about to be erased on the list beside the backups, where there are backups.

    Before the erasure, so that none is forgotten; who stays after all and is on the list was meant to be erased.
    """
    from xinzheng.adapters.postgres_embedded import note_erased
    from xinzheng.apps.oversight.erasing import erasures

    folder = _setting("XINZHENG_BACKUP")
    if folder:
        note_erased(Path(folder), (one.as_json() for one in erasures([subject_id])))


def _local(at: datetime) -> str:
    from django.utils.timezone import localtime

    return localtime(at).isoformat(sep=" ", timespec="minutes")


def _tell(args: argparse.Namespace, answer: Mapping[str, Any], words: str) -> None:
    print(json.dumps(answer, ensure_ascii=False) if args.json else words)

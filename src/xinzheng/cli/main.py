"""Read the command line, prepare what the command needs, run it, and turn errors into exit codes.

A module of this folder named in ``COMMANDS`` brings ``add_parser(subparsers)``, which calls
``set_defaults(run=run)`` (or one of several such functions), and ``run(args) -> int``. A true ``NEEDS_DATABASE``
has Django set up, the database started and migrated before ``run`` is called; a single sub-command can say otherwise
by ``set_defaults(needs_database=False)``. Such a module imports models only inside ``run``.
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import NoReturn

from xinzheng import __version__
from xinzheng.core.errors import XinzhengError

COMMANDS = (
    "policy",
    "city",
    "units",
    "subjects",
    "intake",
    "coverage",
    "keys",
    "platforms",
    "accounts",
    "receivers",
    "decide",
    "issue",
    "verify",
    "report",
    "objections",
    "repair",
    "mail",
    "signing",
    "log",
    "audit",
    "screen",
    "backup",
    "replica",
    "database",
    "doctor",
    "demo",
    "serve",
)
DONE, REFUSED, WRONG_USE, INTERRUPTED = 0, 1, 2, 130

CHINESE = {
    "usage: ": "用法：",
    "positional arguments": "参数",
    "options": "选项",
    "optional arguments": "选项",
    "show this help message and exit": "显示本说明",
    "show program's version number and exit": "显示版本号",
    "the following arguments are required: %s": "缺少必填参数：%s",
    "unrecognized arguments: %s": "不认识的参数：%s",
    "ambiguous option: %(option)s could match %(matches)s": "选项 %(option)s 不明确，可能是：%(matches)s",
    "expected one argument": "需要一个值",
    "expected at least one argument": "至少需要一个值",
    "expected at most one argument": "至多一个值",
    "invalid choice: %(value)r (choose from %(choices)s)": "“%(value)s”不在可选范围内（可选：%(choices)s）",
    "invalid %(type)s value: %(value)r": "“%(value)s”不是有效的 %(type)s",
    "argument %(argument_name)s: %(message)s": "参数 %(argument_name)s：%(message)s",
    "not allowed with argument %s": "不能与 %s 同时使用",
    "one of the arguments %s is required": "以下参数须给出一个：%s",
    "ignored explicit argument %r": "不接受值 %r",
    "%(prog)s: error: %(message)s\n": "%(prog)s：%(message)s\n",
}
CHINESE_NUMBERED = {"expected %s argument": "需要 %s 个值", "expected %s arguments": "需要 %s 个值"}


class ChineseParser(argparse.ArgumentParser):
    """An argument parser whose own words are Chinese; sub-commands get the same kind of parser."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(WRONG_USE, f"{self.prog}：{message}\n详细说明：{self.prog} --help\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``xinzheng`` with these arguments (default: the process's own).

    Returns:
        0 done, 1 refused or found wanting, 130 interrupted. Wrong use ends the process with 2.
    """
    _speak_chinese()
    parser, modules = build_parser()
    args = parser.parse_args(arguments)
    if not hasattr(args, "run"):
        parser.error("请给出子命令")
    try:
        if getattr(args, "needs_database", getattr(modules[args.command], "NEEDS_DATABASE", False)):
            ensure_ready()
        return _run(args)
    except XinzhengError as error:
        _show(error, as_json=getattr(args, "json", False))
        return REFUSED
    except KeyboardInterrupt:
        print("已中断。", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has gone, e.g. ``head``; nothing more can be said to them.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return REFUSED


def _run(args: argparse.Namespace) -> int:
    """Run the command; trouble with the database in the middle of it is told in words."""
    try:
        return int(args.run(args))
    except Exception as error:
        database = sys.modules.get("django.db")
        if database is None or not isinstance(error, database.OperationalError | database.InterfaceError):
            raise
        told = _trouble_in_words(error)
        if told is None:
            raise
        raise told from error


def _trouble_in_words(error: Exception) -> XinzhengError | None:
    from xinzheng.apps.audit.trouble import Trouble, database_trouble

    match database_trouble(error):
        case Trouble.FULL:
            return XinzhengError("数据库的磁盘满了，这一步没有做成。请腾出空间后再试。", code="storage-full")
        case Trouble.LOST:
            said = str(error).strip().split("\n")[0]
            words = f"数据库断开了（{said}），这一步没有做完。请检查数据库服务和磁盘空间，恢复后再试。"
            return XinzhengError(words, code="database-lost")
    return None


def build_parser() -> tuple[argparse.ArgumentParser, dict[str, ModuleType]]:
    """The whole parser, and the module behind each command that exists."""
    parser = ChineseParser(prog="xinzheng", description="信证：专用信用报告的归集、判定、出具与核验。")
    parser.add_argument("--version", action="version", version=f"xinzheng {__version__}")
    subparsers = parser.add_subparsers(dest="command", title="子命令", metavar="子命令")
    modules = {}
    for command in COMMANDS:
        name = f"xinzheng.cli.{command}"
        if find_spec(name) is not None:
            modules[command] = import_module(name)
            modules[command].add_parser(subparsers)
    return parser, modules


def ensure_ready() -> None:
    """Set Django up, start the embedded database where none is named, and apply due migrations.

    Raises:
        XinzhengError: settings are wrong, or the database cannot be reached (``database-unreachable``).
    """
    import django
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured
    from django.db import OperationalError
    from django.utils.module_loading import import_string

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "xinzheng.config.settings")
    try:
        django.setup()
        import_string(settings.XINZHENG_PREPARE)()
    except ImproperlyConfigured as error:
        raise XinzhengError(f"设置有误：{error}", code="settings-invalid") from error
    except OperationalError as error:
        reason = str(error).strip().split("\n")[0]
        raise XinzhengError(
            f"数据库连接不上：{reason}。请检查 XINZHENG_DATABASE_URL 和数据库服务。", code="database-unreachable"
        ) from error


def _speak_chinese() -> None:
    """Have argparse look its own sentences up in our table."""

    def translated(text: str) -> str:
        return CHINESE.get(text, text)

    def numbered(one: str, many: str, count: int) -> str:
        text = one if count == 1 else many
        return CHINESE_NUMBERED.get(text, CHINESE.get(text, text))

    argparse._ = translated  # type: ignore[attr-defined]
    argparse.ngettext = numbered  # type: ignore[attr-defined]


def _show(error: XinzhengError, *, as_json: bool) -> None:
    print(error.message, file=sys.stderr)
    if as_json:
        problem = {"error": {"code": error.code, "message": error.message}}
        print(json.dumps(problem, ensure_ascii=False))

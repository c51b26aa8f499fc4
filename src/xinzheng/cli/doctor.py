"""``xinzheng doctor``: what is wrong with this installation, and what to do about it."""

import argparse
import json
import os
import sys
from typing import Any

from xinzheng.core.errors import XinzhengError

# A doctor looks: it starts no server and changes no table.
NEEDS_DATABASE = False
MARKS = {"ok": "✓", "warning": "!", "bad": "×", "unknown": "?"}


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``doctor``."""
    told = (
        "逐项检查数据库、密钥、证书、后台任务、磁盘、备份等，说出哪里不对、怎么办。"
        "只查看，不启动也不改动任何东西。有故障或者未能查看的退出码为1；加 --strict 时，需留意的也为1。"
    )
    parser = subparsers.add_parser("doctor", help="检查系统哪里不对、怎么办", description=told)
    parser.add_argument("--strict", action="store_true", help="需留意的也算没有通过")
    parser.add_argument("--json", action="store_true", help="输出一个JSON对象")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Look at everything; 0 when it is well."""
    _set_up()
    from django.utils import timezone

    from xinzheng.apps.oversight.health import State, checks, worst

    found = checks(timezone.now())
    state = worst(found)
    passed = {State.OK} if args.strict else {State.OK, State.WARNING}
    if args.json:
        print(json.dumps(_as_object(state, found), ensure_ascii=False))
    else:
        _print(found)
    return 0 if {check.state for check in found} <= passed else 1


def _set_up() -> None:
    """Read the settings and nothing else.

    Raises:
        XinzhengError: ``settings-invalid``.
    """
    import django
    from django.core.exceptions import ImproperlyConfigured

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "xinzheng.config.settings")
    try:
        django.setup()
    except ImproperlyConfigured as error:
        raise XinzhengError(f"设置有误：{error}", code="settings-invalid") from error


def _as_object(state: str, found: Any) -> dict[str, Any]:
    told = [
        {"name": one.name, "title": one.title, "state": one.state, "said": one.said, "to_do": one.to_do}
        for one in found
    ]
    return {"state": state, "checks": told}


def _print(found: Any) -> None:
    for one in found:
        print(f"{MARKS[one.state]} {one.title}（{one.state.word}）：{one.said}")
        if one.to_do:
            print(f"    {one.to_do}")
    wanting = [one.title for one in found if one.state != "ok"]
    sys.stdout.flush()
    if wanting:
        print(f"共{len(found)}项，{len(wanting)}项没有通过：{'、'.join(wanting)}。", file=sys.stderr)
    else:
        print(f"共{len(found)}项，没有发现问题。")

"""``xinzheng audit``: check the chain of audit events, seal what waits, and export the trail."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from xinzheng.cli.log import FromOutside, read_file
from xinzheng.core.audit_chain import NO_HEAD, NotedHead, check_lines
from xinzheng.core.errors import XinzhengError

NEEDS_DATABASE = True


def add_parser(subparsers: Any) -> None:
    """Register the commands."""
    parser = subparsers.add_parser("audit", help="审计记录：核查、封存、导出")
    actions = parser.add_subparsers(dest="action", required=True, metavar="动作")
    told = "逐条重算审计链，核对透明日志里的锚定。给出 --from 时只核查导出的文件，不需要数据库。"
    verify = actions.add_parser("verify", help="核查审计记录有没有被改动、移走", description=told)
    verify.add_argument("--from", dest="place", type=Path, action=FromOutside, metavar="文件", help="导出的审计记录")
    verify.add_argument("--head", metavar="条数:链值", help="以前另行记下的链值，核对当时的记录没有改动")
    verify.add_argument("--chain-only", action="store_true", help="不核查透明日志本身")
    verify.add_argument("--json", action="store_true", help="输出一个JSON对象")
    verify.set_defaults(run=run_verify)
    seal = actions.add_parser("seal", help="立即封存等待中的审计记录")
    seal.add_argument("--json", action="store_true", help="输出一个JSON对象")
    seal.set_defaults(run=run_seal)
    export = actions.add_parser("export", help="导出已封存的审计记录，每行一个JSON对象，可用 verify --from 核查")
    export.add_argument("file", type=Path, metavar="文件", help="写到哪个文件；已有的不覆盖")
    export.add_argument("--after", type=int, default=0, metavar="条数", help="从第几条之后起，默认从头")
    export.set_defaults(run=run_export)


def run_verify(args: argparse.Namespace) -> int:
    """Check; 0 only when nothing was found wanting."""
    noted = [] if args.head is None else [_noted(args.head)]
    if args.place is None:
        answer, words = _verify_own(noted, chain_only=args.chain_only)
    else:
        answer, words = _verify_file(read_file(args.place), noted)
    if not answer["faults"]:
        words.append("逐条重算一致，没有发现改动。")
    _tell(args, answer, words)
    for fault in answer["faults"]:
        print(fault, file=sys.stderr)
    return 1 if answer["faults"] else 0


def run_seal(args: argparse.Namespace) -> int:
    """Seal now."""
    from django.utils import timezone

    from xinzheng.apps.audit.seals import chain_head, seal_events

    seal_events(timezone.now())
    end = chain_head()
    answer = {"count": end.count, "head": end.head.hex()}
    words = f"已封存{end.count}条，链值{end.head.hex()}。" if end.count else "还没有审计记录。"
    _tell(args, answer, [words])
    return 0


def run_export(args: argparse.Namespace) -> int:
    """Write the sealed events to a file; that they were exported is an event, too."""
    from xinzheng.apps.audit.export import export_sealed

    try:
        with args.file.open("x", encoding="utf-8") as file:
            count = export_sealed(file, after=args.after, by="command-line")
    except FileExistsError:
        raise XinzhengError(f"“{args.file}”已有，不覆盖；请换一个文件名。", code="file-exists") from None
    except OSError as error:
        raise XinzhengError(f"“{args.file}”写不进去（{error.strerror}）。", code="file-unwritable") from error
    print(f"已导出{count}条，可用 xinzheng audit verify --from {args.file} 核查。")
    return 0


def _verify_own(noted: list[NotedHead], *, chain_only: bool) -> tuple[dict[str, Any], list[str]]:
    """The database's chain against itself and the log."""
    from xinzheng.apps.audit.log_check import check_log
    from xinzheng.apps.audit.seal_check import check_chain, faults_of_noted

    found = check_chain()
    faults = [*found.faults, *faults_of_noted(noted)]
    words = [
        f"审计记录已封存{found.count}条，等待封存{found.waiting}条，锚定到第{found.anchored}条。",
        f"链值{found.head.hex()}。",
    ]
    if not chain_only:
        faults += [f"透明日志：{fault}" for fault in check_log().faults]
    answer = {
        "count": found.count,
        "head": found.head.hex(),
        "anchored": found.anchored,
        "waiting": found.waiting,
        "log_checked": not chain_only,
        "faults": faults,
    }
    return answer, words


def _verify_file(text: str, noted: list[NotedHead]) -> tuple[dict[str, Any], list[str]]:
    found = check_lines(text.splitlines(), noted)
    answer = {"first": found.first, "count": found.last, "head": found.head.hex(), "faults": list(found.faults)}
    return answer, [f"文件里有审计记录第{found.first}条至第{found.last}条，最后的链值{found.head.hex()}。"]


def _noted(text: str) -> NotedHead:
    count, _, head = text.partition(":")
    try:
        noted = NotedHead(int(count), bytes.fromhex(head))
    except ValueError:
        noted = NotedHead(0, b"")
    if noted.count < 1 or len(noted.head) != len(NO_HEAD):
        raise XinzhengError("--head 应形如 1200:64位十六进制链值。", code="head-unreadable")
    return noted


def _tell(args: argparse.Namespace, answer: dict[str, Any], words: Sequence[str]) -> None:
    print(json.dumps(answer, ensure_ascii=False) if args.json else "\n".join(words))

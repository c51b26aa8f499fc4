"""``xinzheng report``: replay what was issued."""

import argparse
import json
import sys
from typing import Any

from xinzheng.core.lifecycle import normalise_number

NEEDS_DATABASE = True


def add_parser(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser("report", help="已出具的报告：复现")
    actions = parser.add_subparsers(dest="action", required=True, metavar="动作")
    replay = actions.add_parser("replay", help="按出具时的账本位置重新得出报告，比对摘要")
    replay.add_argument("number", metavar="NUMBER", help="报告编号")
    replay.add_argument("--json", action="store_true", help="输出一个JSON对象")
    replay.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Replay; 0 when the report follows from the ledger exactly as it was issued."""
    from xinzheng.apps.reports.replaying import replay_report

    replay = replay_report(normalise_number(args.number))
    answer = {
        "number": replay.number,
        "position": replay.position,
        "digest": replay.issued_digest,
        "replayed_digest": replay.replayed_digest,
        "same": replay.is_same,
    }
    if args.json:
        print(json.dumps(answer, ensure_ascii=False))
    else:
        words = "一致：按出具时的账本复现，内容完全相同。" if replay.is_same else "不一致：复现的内容与出具时不同。"
        print(f"{replay.number}（账本位置{replay.position}）\n{words}")
        print(f"出具摘要 {replay.issued_digest}\n复现摘要 {replay.replayed_digest}")
    if replay.is_same:
        return 0
    print(f"{replay.number}复现不一致：账本、政策包或者程序与出具时不同，请交由信用办核查。", file=sys.stderr)
    return 1

"""``xinzheng coverage``: state that a unit's data is complete for a period, zero returns included, or take it back."""

import argparse
import json
from dataclasses import asdict

from xinzheng.cli.intake import BY, add_scope, day, scope_of

NEEDS_DATABASE = True


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``coverage declare`` and ``coverage withdraw``."""
    parser = subparsers.add_parser("coverage", help="归集覆盖：声明数据完整（含零报告），或者撤回声明")
    actions = parser.add_subparsers(dest="action", required=True, metavar="操作")
    for action, told in (("declare", "声明一段时间内的数据已经完整；没有记录的即为零报告"), ("withdraw", "撤回声明")):
        sub = actions.add_parser(action, help=told)
        add_scope(sub, is_required=True)
        sub.add_argument(
            "--from", dest="from_date", type=day, required=True, metavar="D", help="第一天，例如 2026-01-01"
        )
        sub.add_argument("--through", dest="through_date", type=day, required=True, metavar="D", help="最后一天")
        sub.add_argument("--json", action="store_true", help="输出一个JSON对象")
        sub.set_defaults(run=run, parser=sub)


def run(args: argparse.Namespace) -> int:
    """Declare or withdraw."""
    from xinzheng.apps.ledger.actions import declare_coverage, withdraw_coverage

    act = declare_coverage if args.action == "declare" else withdraw_coverage
    scope = scope_of(args)
    result = act(scope, from_date=args.from_date, through_date=args.through_date, by=BY)
    if args.json:
        print(json.dumps(asdict(result), ensure_ascii=False))
        return 0
    period = f"{args.from_date:%Y-%m-%d}至{args.through_date:%Y-%m-%d}"
    if args.action == "declare":
        what = "零报告" if result.is_zero else "覆盖声明"
        print(f"{what}已记录：{scope.domain} {scope.kind}，{period}。")
    else:
        print(f"已撤回{period}的覆盖声明（涉及{result.statements}份）；这段时间的核查结果将为“未能核查”。")
    return 0

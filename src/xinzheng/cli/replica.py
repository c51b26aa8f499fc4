"""``xinzheng replica``: make a standby of the embedded database, look after it, have it take over (备库)."""

import argparse
import json
from pathlib import Path

from xinzheng.cli.backup import own_home

NEEDS_DATABASE = False


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``replica make|status|wait|promote|rejoin|forget``."""
    parser = subparsers.add_parser("replica", help="备库：建立、现状、提升、重新加入")
    actions = parser.add_subparsers(dest="action", required=True, metavar="操作")
    making = actions.add_parser("make", help="在一个空的文件夹里建立备库并启动")
    making.add_argument("home", type=Path, metavar="目录", help="备库的文件夹，以后作为它的 XINZHENG_HOME")
    making.set_defaults(run=make_run)
    actions.add_parser("status", help="主库知道的备库：同步与否、落后多少").set_defaults(run=status_run)
    waiting = actions.add_parser("wait", help="提交时等其中一个备库写下才算数；不写名称，不等任何备库")
    waiting.add_argument("names", nargs="*", metavar="名称")
    waiting.set_defaults(run=wait_run)
    promoting = actions.add_parser("promote", help="把备库提升为主库；先确认原主库已停且不会自行启动")
    promoting.add_argument("home", type=Path, metavar="目录", help="备库的文件夹")
    promoting.set_defaults(run=promote_run)
    rejoining = actions.add_parser("rejoin", help="让停下的原主库跟随新主库；它独有的内容丢弃")
    rejoining.add_argument("home", type=Path, metavar="目录", help="原主库的文件夹")
    rejoining.add_argument("--of", type=Path, required=True, metavar="目录", help="新主库的文件夹")
    rejoining.set_defaults(run=rejoin_run)
    forgetting = actions.add_parser("forget", help="不再为一个不回来的备库保留日志")
    forgetting.add_argument("name", metavar="名称")
    forgetting.set_defaults(run=forget_run)
    for action in (making, rejoining):
        action.add_argument("--name", required=True, metavar="名称", help="备库的名称，小写字母、数字、下划线")
    for action in actions.choices.values():
        action.add_argument("--json", action="store_true", help="输出一个JSON对象")


def make_run(args: argparse.Namespace) -> int:
    """Make a replica of this home's server."""
    from xinzheng.adapters.postgres_embedded import replicate

    info = replicate(args.home.absolute(), own_home(), args.name)
    words = f"备库 {args.name} 已在 {args.home} 启动。要让提交等它：xinzheng replica wait {args.name}"
    print(json.dumps({"name": args.name, "url": info.url}) if args.json else words)
    return 0


def status_run(args: argparse.Namespace) -> int:
    """A line a replica; 1 when one is away."""
    from xinzheng.adapters.postgres_embedded import replicas_of

    found = replicas_of(own_home())
    if args.json:
        facts = [
            {
                "name": one.name,
                "state": one.state,
                "synchronous": one.is_synchronous,
                "lag": one.lag.total_seconds() if one.lag else None,
                "behind": one.behind,
            }
            for one in found
        ]
        print(json.dumps({"replicas": facts}, ensure_ascii=False))
    else:
        lines = [
            f"{one.name}  {'断开' if one.state is None else '连接'}  {'同步' if one.is_synchronous else '不同步'}"
            f"  落后{one.behind}字节"
            for one in found
        ]
        print("\n".join(lines or ["没有备库。"]))
    return 1 if any(one.state is None for one in found) else 0


def wait_run(args: argparse.Namespace) -> int:
    """Set for whom commits wait."""
    from xinzheng.adapters.postgres_embedded import wait_for

    wait_for(own_home(), tuple(args.names))
    words = f"提交从现在起等{'、'.join(args.names)}之一。" if args.names else "提交不再等任何备库。"
    print(
        json.dumps({"waits_for": args.names}) if args.json else f"{words}请同时改 XINZHENG_REPLICAS，否则下次启动变回。"
    )
    return 0


def promote_run(args: argparse.Namespace) -> int:
    """Have a replica take over."""
    from xinzheng.adapters.postgres_embedded import promote

    promote(args.home.absolute())
    words = f"{args.home} 已是主库。请换一个新的备份文件夹并立即备份；原主库用 xinzheng replica rejoin 加入。"
    print(json.dumps({"primary": str(args.home)}) if args.json else words)
    return 0


def rejoin_run(args: argparse.Namespace) -> int:
    """Have the former primary follow."""
    from xinzheng.adapters.postgres_embedded import rejoin

    rejoin(args.home.absolute(), args.of.absolute(), args.name)
    print(json.dumps({"name": args.name}) if args.json else f"{args.home} 已作为备库 {args.name} 跟随 {args.of}。")
    return 0


def forget_run(args: argparse.Namespace) -> int:
    """Keep no log for it any longer."""
    from xinzheng.adapters.postgres_embedded.replicas import forget_replica

    forget_replica(own_home(), args.name)
    print(json.dumps({"forgotten": args.name}) if args.json else f"不再为 {args.name} 保留日志。")
    return 0

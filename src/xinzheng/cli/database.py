"""``xinzheng database``: the embedded database by itself, for units of systemd and for maintenance (内置数据库)."""

import argparse
import json
from typing import Any

from xinzheng.cli.backup import own_home

NEEDS_DATABASE = False


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``database start|stop|restart|status``."""
    parser = subparsers.add_parser("database", help="内置数据库：启动、停止、现状")
    actions = parser.add_subparsers(dest="action", required=True, metavar="操作")
    words = {
        "start": ("启动，并完成升级所需的改动", start_run),
        "stop": ("停止，断开所有连接", stop_run),
        "restart": ("重新启动；改了 XINZHENG_BACKUP、XINZHENG_REPLICAS 以后用", restart_run),
        "status": ("是否运行、是否归档、是主库还是备库；没有运行时退出码是1", status_run),
    }
    for name, (told, run) in words.items():
        action = actions.add_parser(name, help=told)
        action.add_argument("--json", action="store_true", help="输出一个JSON对象")
        action.set_defaults(run=run)


def start_run(args: argparse.Namespace) -> int:
    """Start, migrate, and do what a restored home still has to do. A replica is only started."""
    from xinzheng.adapters.postgres_embedded import ensure_running, is_replica
    from xinzheng.cli.main import ensure_ready

    home = own_home()
    if is_replica(home):
        ensure_running(home)
    else:
        ensure_ready()
    return status_run(args)


def stop_run(args: argparse.Namespace) -> int:
    """Stop."""
    from xinzheng.adapters.postgres_embedded import stop

    stop(own_home())
    print(json.dumps({"running": False}) if args.json else "数据库已停止。")
    return 0


def restart_run(args: argparse.Namespace) -> int:
    """Stop and start, so that settings of the start hold."""
    from xinzheng.adapters.postgres_embedded import stop

    stop(own_home())
    return start_run(args)


def status_run(args: argparse.Namespace) -> int:
    """What the server says of itself."""
    from xinzheng.adapters.postgres_embedded import server_state

    state = server_state(own_home())
    facts: dict[str, Any] = {"running": state is not None}
    if state is not None:
        facts |= {"replica": state.is_replica, "archiving": state.is_archiving, "failed": state.failed_segment}
    print(json.dumps(facts, ensure_ascii=False) if args.json else _in_words(facts))
    return 0 if facts["running"] else 1


def _in_words(facts: dict[str, Any]) -> str:
    if not facts["running"]:
        return "数据库没有运行。"
    kind, archives = "备库，只读" if facts["replica"] else "主库", "归档" if facts["archiving"] else "不归档"
    told = f"数据库正在运行，{kind}，{archives}。"
    if facts["failed"]:
        told += f"\n最近一次归档失败：{facts['failed']}；请检查备份文件夹的磁盘。"
    return told

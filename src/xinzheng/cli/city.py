"""``xinzheng city init``: put a city's units and responsibilities into the registry; no records."""

import argparse
import json
from typing import Any

NEEDS_DATABASE = True


def add_parser(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser("city", help="城市：按部署文件登记单位和责任")
    actions = parser.add_subparsers(dest="action", required=True, metavar="操作")
    init = actions.add_parser("init", help="登记一个城市的单位和责任；重复执行不产生变化")
    init.add_argument("city", metavar="CITY", help="部署文件的名称，例如 suzhou、huzhou")
    init.add_argument("--json", action="store_true", help="输出一个JSON对象")
    init.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Apply the shipped deployment and say what changed."""
    from xinzheng.adapters.deployment_files import load_deployment
    from xinzheng.adapters.policy_files import load_policy
    from xinzheng.apps.registry.actions import apply_deployment

    policy = load_policy(load_deployment(args.city).policy_id)
    deployment = load_deployment(args.city, policy)
    result = apply_deployment(deployment, by="command-line")
    if args.json:
        facts = {"city": deployment.city, "policy": policy.id, "position": result.position}
        written = {"units": result.units, "responsibilities": result.responsibilities, "ended": result.ended}
        written |= {"channels": result.channels}
        print(json.dumps(facts | written, ensure_ascii=False))
    elif result.position is None:
        print(f"{deployment.jurisdiction_name}（{policy.id}）的单位、责任和回流渠道没有变化。")
    else:
        print(
            f"{deployment.jurisdiction_name}（{policy.id}）：登记单位{result.units}个、责任{result.responsibilities}项，"
            f"终止责任{result.ended}项，回流渠道变化{result.channels}项。{deployment.note}"
        )
    return 0

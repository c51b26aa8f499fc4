"""``xinzheng units``: who answers in which domain of a policy."""

import argparse
import json
from typing import Any

from xinzheng.core.errors import XinzhengError

NEEDS_DATABASE = True


def add_parser(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser("units", help="责任单位：列出一项政策各领域的责任单位")
    parser.add_argument("--policy", required=True, metavar="ID", help="政策，例如 suzhou-2024")
    parser.add_argument("--json", action="store_true", help="输出一个JSON对象")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print one line, or one object, for each unit in each domain."""
    from xinzheng.apps.registry.queries import responsible_units

    units = responsible_units(args.policy)
    if not units:
        raise XinzhengError(
            f"政策“{args.policy}”还没有登记责任单位，请先执行 xinzheng city init，例如 xinzheng city init suzhou。",
            code="no-responsible-units",
        )
    if args.json:
        listed = [{"uscc": u.uscc, "name": u.name, "domain": u.domain, "kinds": list(u.kinds)} for u in units]
        print(json.dumps({"units": listed}, ensure_ascii=False))
    else:
        for unit in units:
            print(f"{unit.uscc}  {unit.domain}  {unit.name}  {','.join(unit.kinds)}")
    return 0

"""``xinzheng keys``: keys with which a unit's systems use the interface."""

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any

from xinzheng.core.errors import XinzhengError

if TYPE_CHECKING:
    from xinzheng.apps.accounts.models import ApiKey

NEEDS_DATABASE = True
BY = "command-line"


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``keys create``, ``keys list`` and ``keys revoke``."""
    parser = subparsers.add_parser("keys", help="接口密钥：发放、查看、吊销")
    actions = parser.add_subparsers(dest="action", required=True, metavar="操作")
    create = actions.add_parser("create", help="发放一个密钥；密钥只显示这一次")
    create.add_argument("--unit", required=True, metavar="USCC", help="单位的统一社会信用代码")
    create.add_argument("--name", required=True, metavar="名称", help="密钥的名称，例如使用它的系统")
    create.add_argument("--responsible", action="store_true", help="责任人的密钥：可以说明退回的行、撤回和确认批次")
    create.set_defaults(run=create_run)
    listing = actions.add_parser("list", help="列出密钥，不含密钥本身")
    listing.add_argument("--unit", metavar="USCC", help="只列这个单位的")
    listing.set_defaults(run=list_run)
    revoke = actions.add_parser("revoke", help="吊销一个密钥，立即生效")
    revoke.add_argument("key", type=int, metavar="编号", help="密钥编号")
    revoke.set_defaults(run=revoke_run)
    for action in (create, listing, revoke):
        action.add_argument("--json", action="store_true", help="输出一个JSON对象")


def create_run(args: argparse.Namespace) -> int:
    """Make a key and show it."""
    from xinzheng.apps.accounts.key_actions import create_key

    made = create_key(unit_id=_unit_id(args.unit), name=args.name, by=BY, is_responsible=args.responsible)
    if args.json:
        print(json.dumps(_facts(made.key, _codes()) | {"key": made.secret}, ensure_ascii=False))
        return 0
    print(made.secret)
    print(f"编号{made.key.pk}。密钥只显示这一次，请立即存入调用方的密钥库；遗失的，吊销后重新发放。", file=sys.stderr)
    return 0


def list_run(args: argparse.Namespace) -> int:
    """One line, or one object, for each key."""
    from xinzheng.apps.accounts.queries import api_keys

    codes = _codes()
    keys = [_facts(key, codes) for key in api_keys(_unit_id(args.unit) if args.unit else None)]
    if args.json:
        print(json.dumps({"keys": keys}, ensure_ascii=False))
        return 0
    for key in keys:
        state = "已吊销" if key["revoked_at"] else "有效"
        state += "  责任人" if key["is_responsible"] else ""
        print(f"{key['id']}  {key['unit']}  {state}  最近使用{key['last_used_date'] or '：从未'}  {key['name']}")
    return 0


def revoke_run(args: argparse.Namespace) -> int:
    """Revoke a key."""
    from xinzheng.apps.accounts.key_actions import revoke_key

    key = revoke_key(key_id=args.key, by=BY)
    print(json.dumps(_facts(key, _codes()), ensure_ascii=False) if args.json else f"编号{key.pk}的密钥已吊销。")
    return 0


def _unit_id(uscc: str) -> int:
    from xinzheng.apps.registry.queries import unit_by_uscc

    unit = unit_by_uscc(uscc)
    if unit is None:
        message = f"没有统一社会信用代码为“{uscc}”的单位，请核对；可以用 xinzheng units 查看已登记的单位。"
        raise XinzhengError(message, code="unknown-unit")
    return unit.id


def _codes() -> dict[int, str]:
    from xinzheng.apps.registry.models import Unit

    return dict(Unit.objects.values_list("pk", "uscc"))


def _facts(key: "ApiKey", codes: dict[int, str]) -> dict[str, Any]:
    return {
        "id": key.pk,
        "unit": codes.get(key.unit_id),
        "name": key.name,
        "created_by": key.created_by,
        "created_at": _moment(key.created_at),
        "last_used_date": key.last_used_date.isoformat() if key.last_used_date else None,
        "revoked_at": _moment(key.revoked_at),
        "is_responsible": key.is_responsible,
    }


def _moment(at: Any) -> str | None:
    from django.utils.timezone import localtime

    return localtime(at).isoformat(timespec="seconds") if at else None

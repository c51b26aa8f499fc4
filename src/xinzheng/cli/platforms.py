"""``xinzheng platforms``: platforms that act through the interface, for themselves or for the people who let them."""

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any

from xinzheng.core.errors import XinzhengError

if TYPE_CHECKING:
    from xinzheng.apps.accounts.models import Platform
    from xinzheng.apps.accounts.platforms import MadePlatform

NEEDS_DATABASE = True
BY = "command-line"
SCOPES = "reports:apply reports:read codes views verify webhooks notices"


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``platforms register``, ``list``, ``change``, ``rotate`` and ``revoke``."""
    parser = subparsers.add_parser("platforms", help="接入平台：登记、查看、更改、换密钥、停用")
    actions = parser.add_subparsers(dest="action", required=True, metavar="操作")
    register = actions.add_parser("register", help="登记一个平台；密钥只显示这一次")
    register.add_argument("name", metavar="名称", help="本人同意时看到的名称，例如“苏商通”")
    register.add_argument("--scope", required=True, nargs="+", metavar="权限", help=f"可用的有：{SCOPES}")
    register.add_argument("--redirect", nargs="*", default=[], metavar="地址", help="回跳地址；替人办理的须填写")
    register.add_argument("--per-minute", type=int, default=600, metavar="次数", help="每分钟至多请求次数，默认600")
    register.add_argument("--receiver", default="", metavar="USCC", help="所属核验单位；取订阅通知的须填写")
    register.set_defaults(run=register_run)
    listing = actions.add_parser("list", help="列出平台，不含密钥")
    listing.set_defaults(run=list_run)
    change = actions.add_parser("change", help="更改回跳地址和每分钟次数；不写的不变")
    change.add_argument("--redirect", nargs="*", metavar="地址", help="回跳地址，写全部")
    change.add_argument("--per-minute", type=int, metavar="次数", help="每分钟至多请求次数")
    change.set_defaults(run=change_run)
    rotate = actions.add_parser("rotate", help="更换密钥；新密钥只显示这一次，原密钥立即失效")
    rotate.set_defaults(run=rotate_run)
    revoke = actions.add_parser("revoke", help="停用一个平台，立即生效，不能恢复")
    revoke.set_defaults(run=revoke_run)
    for action in (change, rotate, revoke):
        action.add_argument("client_id", metavar="平台编号", help="client_id，见 platforms list")
    for action in (register, listing, change, rotate, revoke):
        action.add_argument("--json", action="store_true", help="输出一个JSON对象")


def register_run(args: argparse.Namespace) -> int:
    """Register a platform and show its secret."""
    from xinzheng.apps.accounts.platforms import NewPlatform, register_platform

    new = NewPlatform(args.name, args.scope, args.redirect, args.per_minute, _receiver_id(args.receiver))
    return _show(register_platform(new, by=BY), args)


def list_run(args: argparse.Namespace) -> int:
    """One line, or one object, for each platform."""
    from xinzheng.apps.accounts.platforms import platforms_known

    found = [_facts(platform) for platform in platforms_known()]
    if args.json:
        print(json.dumps({"platforms": found}, ensure_ascii=False))
        return 0
    for facts in found:
        state = "已停用" if facts["revoked_at"] else "在用"
        print(f"{facts['client_id']}  {state}  每分钟{facts['per_minute']}次  {facts['name']}")
    return 0


def change_run(args: argparse.Namespace) -> int:
    """Change addresses and limit."""
    from xinzheng.apps.accounts.platforms import change_platform, platform_named

    now = _facts(platform_named(args.client_id))
    changed = change_platform(
        args.client_id,
        redirect_uris=now["redirect_uris"] if args.redirect is None else args.redirect,
        per_minute=now["per_minute"] if args.per_minute is None else args.per_minute,
        by=BY,
    )
    print(json.dumps(_facts(changed), ensure_ascii=False) if args.json else f"“{changed.name}”已更改。")
    return 0


def rotate_run(args: argparse.Namespace) -> int:
    """Make a new secret and show it."""
    from xinzheng.apps.accounts.platforms import rotate_platform_secret

    return _show(rotate_platform_secret(args.client_id, by=BY), args)


def revoke_run(args: argparse.Namespace) -> int:
    """Revoke a platform."""
    from xinzheng.apps.accounts.platforms import revoke_platform

    gone = revoke_platform(args.client_id, by=BY)
    print(json.dumps(_facts(gone), ensure_ascii=False) if args.json else f"“{gone.name}”已停用。")
    return 0


def _show(made: "MadePlatform", args: argparse.Namespace) -> int:
    if args.json:
        print(json.dumps(_facts(made.platform) | {"client_secret": made.secret}, ensure_ascii=False))
        return 0
    print(made.platform.pk)
    print(made.secret)
    said = "第一行是平台编号，第二行是密钥。密钥只显示这一次，请立即存入平台的密钥库；遗失的请更换。"
    print(said, file=sys.stderr)
    return 0


def _receiver_id(uscc: str) -> int | None:
    from xinzheng.apps.codes.platform_receivers import verified_receiver

    if not uscc:
        return None
    found = verified_receiver(uscc)
    if found is None:
        message = f"没有统一社会信用代码为“{uscc}”的已核实核验单位，请先由信用办核实。"
        raise XinzhengError(message, code="unknown-receiver")
    return found.pk


def _facts(platform: "Platform") -> dict[str, Any]:
    from xinzheng.apps.accounts.platforms import client_of

    client = client_of(platform)
    return {
        "client_id": platform.pk,
        "name": platform.name,
        "scopes": client.get_scopes(),
        "redirect_uris": client.get_redirect_uris(),
        "per_minute": platform.per_minute,
        "receiver_id": platform.receiver_id,
        "created_by": platform.created_by,
        "created_at": _moment(platform.created_at),
        "revoked_at": _moment(platform.revoked_at),
    }


def _moment(at: Any) -> str | None:
    from django.utils.timezone import localtime

    return localtime(at).isoformat(timespec="seconds") if at else None

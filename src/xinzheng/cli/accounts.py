"""``xinzheng accounts``: open the first accounts, close, assign roles, unlock, and print the permission matrix."""

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any

from xinzheng.core.errors import XinzhengError

if TYPE_CHECKING:
    from xinzheng.apps.accounts.models import Account

NEEDS_DATABASE = True
BY = "command-line"
LISTED_AT_ONCE = 1_000


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``accounts open|list|close|reopen|role|unlock|matrix``."""
    parser = subparsers.add_parser("accounts", help="账户：开户、停用、分配角色、解除锁定、权限矩阵")
    actions = parser.add_subparsers(dest="action", required=True, metavar="操作")
    opening = actions.add_parser("open", help="开户；首次登录密码只显示这一次")
    opening.add_argument("username", metavar="用户名")
    opening.add_argument("--name", required=True, metavar="显示名称")
    _add_role(opening)
    opening.set_defaults(run=open_run)
    listing = actions.add_parser("list", help="列出账户")
    listing.add_argument("--like", default="", metavar="文字", help="用户名或者显示名称里有的文字")
    listing.set_defaults(run=list_run)
    role = actions.add_parser("role", help="分配角色；该账户须重新登录")
    role.add_argument("username", metavar="用户名")
    _add_role(role)
    role.set_defaults(run=role_run)
    for name, words, run in (
        ("close", "停用，立即退出", close_run),
        ("reopen", "恢复", reopen_run),
        ("unlock", "解除登录锁定", unlock_run),
    ):
        one = actions.add_parser(name, help=words)
        one.add_argument("username", metavar="用户名")
        one.set_defaults(run=run)
    matrix = actions.add_parser("matrix", help="输出权限矩阵（Markdown）")
    matrix.set_defaults(run=matrix_run)
    for action in actions.choices.values():
        action.add_argument("--json", action="store_true", help="输出一个JSON对象")


def _add_role(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--role", required=True, metavar="角色", help="例如 system_administrator、office_operator")
    parser.add_argument("--unit", metavar="USCC", help="数源单位的统一社会信用代码，只用于数源单位的人员")


def open_run(args: argparse.Namespace) -> int:
    """Open an account and show its first password."""
    from xinzheng.apps.accounts.actions import NewAccount
    from xinzheng.apps.accounts.administering import first_password, open_for

    password = first_password()
    new = NewAccount(args.username, args.name, _role(args.role), _unit_id(args.unit), password=password)
    made = open_for(new, by=None)
    if args.json:
        print(json.dumps(_facts(made) | {"password": password}, ensure_ascii=False))
        return 0
    print(password)
    print("以上是首次登录密码，只显示这一次；首次登录时须修改。", file=sys.stderr)
    return 0


def list_run(args: argparse.Namespace) -> int:
    """One line, or one object, for each account."""
    from xinzheng.apps.accounts.queries import accounts_like

    found = [_facts(account) for account in accounts_like(args.like, after=0, limit=LISTED_AT_ONCE)]
    if args.json:
        print(json.dumps({"accounts": found}, ensure_ascii=False))
        return 0
    for one in found:
        print(f"{one['username']}  {one['role']}  {'在用' if one['is_active'] else '已停用'}  {one['name']}")
    return 0


def role_run(args: argparse.Namespace) -> int:
    """Give an account another role."""
    from xinzheng.apps.accounts.administering import assign_role

    return _tell(args, assign_role(_account(args).pk, _role(args.role), _unit_id(args.unit), by=None), "已分配角色")


def close_run(args: argparse.Namespace) -> int:
    """Close an account."""
    from xinzheng.apps.accounts.administering import close_for

    return _tell(args, close_for(_account(args).pk, by=None), "已停用")


def reopen_run(args: argparse.Namespace) -> int:
    """Reopen an account."""
    from xinzheng.apps.accounts.administering import reopen_for

    return _tell(args, reopen_for(_account(args).pk, by=None), "已恢复")


def unlock_run(args: argparse.Namespace) -> int:
    """Unlock an account."""
    from xinzheng.apps.accounts.locking import unlock

    found = _account(args)
    unlock(found, by=BY)
    return _tell(args, found, "已解除锁定")


def matrix_run(args: argparse.Namespace) -> int:
    """Print docs/operations/权限矩阵.md as it should be."""
    from xinzheng.apps.accounts.models import Role
    from xinzheng.apps.oversight.roles import DEEDS, matrix_page

    if not args.json:
        print(matrix_page(), end="")
        return 0
    deeds = [{"deed": deed.words} | {role.value: deed.cell(role) for role in Role} for deed in DEEDS]
    print(json.dumps({"deeds": deeds}, ensure_ascii=False))
    return 0


def _tell(args: argparse.Namespace, account: "Account", said: str) -> int:
    print(json.dumps(_facts(account), ensure_ascii=False) if args.json else f"“{account.username}”{said}。")
    return 0


def _account(args: argparse.Namespace) -> "Account":
    from xinzheng.apps.accounts.queries import account_named

    found = account_named(args.username)
    if found is None:
        message = f"没有用户名为“{args.username}”的账户，请用 xinzheng accounts list 查看。"
        raise XinzhengError(message, code="unknown-account")
    return found


def _role(value: str) -> Any:
    from xinzheng.apps.accounts.models import Role

    if value not in Role.values:
        raise XinzhengError(f"不认识的角色“{value}”，可选：{'、'.join(Role.values)}。", code="unknown-role")
    return Role(value)


def _unit_id(uscc: str | None) -> int | None:
    from xinzheng.apps.registry.queries import unit_by_uscc

    if uscc is None:
        return None
    unit = unit_by_uscc(uscc)
    if unit is None:
        message = f"没有统一社会信用代码为“{uscc}”的单位，请用 xinzheng units 查看已登记的单位。"
        raise XinzhengError(message, code="unknown-unit")
    return unit.id


def _facts(account: "Account") -> dict[str, Any]:
    return {
        "id": account.pk,
        "username": account.username,
        "name": account.display_name,
        "role": account.role,
        "unit_id": account.unit_id,
        "is_active": account.is_active,
    }

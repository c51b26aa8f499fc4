"""``xinzheng receivers``: bodies that demand certificates (核验单位): list them, verify, refuse, suspend, rename."""

import argparse
import json
from typing import TYPE_CHECKING, Any

from xinzheng.core.errors import XinzhengError

if TYPE_CHECKING:
    from xinzheng.apps.codes.models import Receiver
    from xinzheng.apps.codes.receiver_queries import ReceiverRow

NEEDS_DATABASE = True
BY = "command-line"


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``receivers list|verify|refuse|suspend|rename``."""
    parser = subparsers.add_parser("receivers", help="核验单位：列出、核实、不予通过、停用、更正名称")
    actions = parser.add_subparsers(dest="action", required=True, metavar="操作")
    listing = actions.add_parser("list", help="列出核验单位和等待确认的账户")
    listing.set_defaults(run=list_run)
    verifying = actions.add_parser("verify", help="核实；停用的恢复也用它")
    verifying.add_argument(
        "--account", action="append", default=[], metavar="用户名", help="一并确认是该单位的账户，可以写多次"
    )
    for name, words in (("refuse", "不予通过，须写理由"), ("suspend", "停用，立即不能再看，须写理由")):
        actions.add_parser(name, help=words)
    for name, state in (("verify", "verified"), ("refuse", "refused"), ("suspend", "suspended")):
        one = actions.choices[name]
        one.add_argument("uscc", metavar="USCC", help="单位的统一社会信用代码")
        one.add_argument("--reason", default="", metavar="文字", help="理由，单位会看到")
        one.set_defaults(run=decide_run, state=state)
    renaming = actions.add_parser("rename", help="更正名称：登记时写错，或者后来改名")
    renaming.add_argument("uscc", metavar="USCC", help="单位的统一社会信用代码")
    renaming.add_argument("name", metavar="名称", help="登记机关公示的名称")
    renaming.set_defaults(run=rename_run)
    for action in actions.choices.values():
        action.add_argument("--json", action="store_true", help="输出一个JSON对象")


def list_run(args: argparse.Namespace) -> int:
    """One line, or one object, for each receiver."""
    from xinzheng.apps.codes.receiver_queries import receiver_rows

    found = [_facts(row) for row in receiver_rows()]
    if args.json:
        print(json.dumps({"receivers": found}, ensure_ascii=False))
        return 0
    for one in found:
        waiting = f"  等待确认的账户：{'、'.join(one['claims'])}" if one["claims"] else ""
        print(f"{one['uscc']}  {one['words']}  {one['name']}  账户：{'、'.join(one['accounts']) or '没有'}{waiting}")
    return 0


def decide_run(args: argparse.Namespace) -> int:
    """Decide on one, or where it is verified already only confirm the accounts."""
    from xinzheng.apps.codes.receivers import Decision, State, answer_claim, decide, state_of

    found = _receiver(args.uscc)
    keys = [_account_id(name) for name in getattr(args, "account", [])]
    if keys and state_of(found) == State.VERIFIED == State(args.state):
        for key in keys:
            answer_claim(found.pk, key, is_admitted=True, by=BY)
    else:
        decide(found.pk, Decision(State(args.state), args.reason, keys), by=BY)
    _tell(found.pk, as_json=args.json)
    return 0


def rename_run(args: argparse.Namespace) -> int:
    """Call one by another name from now on."""
    from xinzheng.apps.codes.receivers import correct_name

    found = _receiver(args.uscc)
    correct_name(found.pk, args.name, by=BY)
    _tell(found.pk, as_json=args.json)
    return 0


def _receiver(uscc: str) -> "Receiver":
    from xinzheng.apps.codes.receiver_queries import receiver_by_uscc

    found = receiver_by_uscc(uscc)
    if found is None:
        message = f"没有登记代码为“{uscc[:40]}”的核验单位，请用 xinzheng receivers list 查看。"
        raise XinzhengError(message, code="unknown-receiver")
    return found


def _tell(receiver_id: int, *, as_json: bool) -> None:
    from xinzheng.apps.codes.receiver_queries import receiver_rows

    row = next(row for row in receiver_rows() if row.id == receiver_id)
    print(json.dumps(_facts(row), ensure_ascii=False) if as_json else f"“{row.name}”现在是“{row.state.words}”。")


def _account_id(username: str) -> int:
    from xinzheng.apps.accounts.queries import account_named

    found = account_named(username)
    if found is None:
        message = f"没有用户名为“{username}”的账户，请用 xinzheng accounts list 查看。"
        raise XinzhengError(message, code="unknown-account")
    return found.pk


def _facts(row: "ReceiverRow") -> dict[str, Any]:
    return {
        "uscc": row.uscc,
        "name": row.name,
        "kind": row.kind,
        "state": row.state.value,
        "words": row.state.words,
        "reason": row.reason,
        "accounts": [account.username for account in row.accounts],
        "claims": [claim.account.username for claim in row.claims],
    }

"""``xinzheng subjects``: take a file of the register over, decide on the review queue, withdraw a succession."""

import argparse
import json
import sys
from dataclasses import asdict
from getpass import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xinzheng.core.subjects import SubjectKind

if TYPE_CHECKING:
    from xinzheng.apps.registry.actions import ImportResult
    from xinzheng.apps.registry.queries import ReviewSubject

NEEDS_DATABASE = True
SHOWN_DEFECTS = 20
BY = "command-line"
STATES = ("open", "confirmed", "linked", "rejected", "imported")
LINKS = ("renamed", "merged", "split", "branch", "mistyped")


def add_parser(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser("subjects", help="主体名录")
    actions = parser.add_subparsers(dest="action", required=True, metavar="操作")
    importing = actions.add_parser("import", help="导入主体名录（CSV或者XLSX）；重复导入不产生变化")
    importing.add_argument("file", type=Path, metavar="FILE", help="列：名称、统一社会信用代码、类型、法定代表人等")
    importing.add_argument("--json", action="store_true", help="输出一个JSON对象")
    importing.set_defaults(run=run)
    rotating = actions.add_parser(
        "rotate-key",
        help="更换密钥加密密钥，重新封装自然人、联系电话、授权书、报送文件、一次性验证码等全部数据密钥；中断后再执行一次",
    )
    rotating.add_argument("--json", action="store_true", help="输出一个JSON对象")
    rotating.set_defaults(run=rotate)
    rehashing = actions.add_parser(
        "rotate-number-key",
        help="更换号码检索密钥，全部身份号码和手机号码在一个事务里重新计算；中断后再执行一次",
    )
    rehashing.add_argument("--json", action="store_true", help="输出一个JSON对象")
    rehashing.set_defaults(run=rotate_number)
    erasing = actions.add_parser(
        "erase", help="删除一个自然人的姓名、号码、联系电话和异议、修复中的陈述、证据；号码从标准输入读，不写在命令里"
    )
    erasing.add_argument("--yes", action="store_true", help="确认删除，不能恢复；不加时只显示是谁")
    erasing.set_defaults(run=erase)
    _add_review(actions.add_parser("review", help="待核主体：名录中没有、批次或者承继关系中出现的代码"))
    ending = actions.add_parser("withdraw", help="撤销一个错误的承继关系；以前的位置仍按原样复核")
    ending.add_argument("code", metavar="CODE", help="原来的主体、分支机构或者误录的代码")
    ending.add_argument("successor", metavar="SUCCESSOR", help="关联主体的代码")
    ending.add_argument("--kind", required=True, choices=LINKS, help="关系")
    ending.add_argument("--why", required=True, help="理由")
    ending.set_defaults(run=withdraw)


def _add_review(parser: argparse.ArgumentParser) -> None:
    steps = parser.add_subparsers(dest="step", required=True, metavar="步骤")
    listing = steps.add_parser("list", help="列出")
    listing.add_argument("--state", choices=(*STATES, "all"), default="open", help="状态，默认待核")
    listing.add_argument("--after", type=int, default=0, metavar="ITEM", help="从这个编号之后列起")
    listing.add_argument("--limit", type=int, default=50, help="最多几项，默认50")
    listing.add_argument("--json", action="store_true", help="输出一个JSON对象")
    listing.set_defaults(run=list_review)
    confirming = _step(steps, "confirm", "确认为新主体", confirm)
    confirming.add_argument("--name", required=True, help="登记的名称")
    confirming.add_argument("--kind", required=True, choices=[kind.value for kind in SubjectKind], help="类型")
    linking = _step(steps, "link", "代码录错了，并入已有主体：记录不动，计为该主体自己的", link)
    linking.add_argument("--to", required=True, metavar="CODE", help="已有主体的代码")
    linking.add_argument("--why", required=True, help="理由")
    rejecting = _step(steps, "reject", "不予登记，记录仍留在账本", reject)
    rejecting.add_argument("--why", required=True, help="理由")


def _step(steps: Any, name: str, words: str, run: Any) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = steps.add_parser(name, help=words)
    parser.add_argument("item", type=int, metavar="ITEM", help="list 列出的编号")
    parser.set_defaults(run=run)
    return parser


def run(args: argparse.Namespace) -> int:
    """Import and account for every line; 1 when lines were rejected, the others being taken over all the same."""
    from xinzheng.apps.registry.actions import import_subjects

    result = import_subjects(args.file, by=BY)
    if args.json:
        print(json.dumps(asdict(result), ensure_ascii=False))
    else:
        counts = f"新增{result.new}，变更{result.changed}，相同{result.identical}，退回{result.rejected}"
        print(f"共{result.lines}行：{counts}。")
    _tell_defects(result)
    return 1 if result.rejected else 0


def _tell_defects(result: "ImportResult") -> None:
    for defect in result.defects[:SHOWN_DEFECTS]:
        print(f"第{defect.line}行 {defect.field}：{defect.message}", file=sys.stderr)
    hidden = len(result.defects) - SHOWN_DEFECTS
    if hidden > 0:
        print(f"另有{hidden}个问题没有列出，用 --json 查看全部。", file=sys.stderr)


def list_review(args: argparse.Namespace) -> int:
    """One line an item, or all as JSON; ``next`` is what to pass as --after for more, null at the end."""
    from xinzheng.apps.registry.queries import ReviewFilter, review_queue

    state = None if args.state == "all" else args.state
    limit = max(args.limit, 1)
    found = review_queue(limit + 1, args.after, ReviewFilter(state=state))
    shown, more = found[:limit], len(found) > limit
    if args.json:
        items = [asdict(item) for item in shown]
        answer = {"items": items, "next": shown[-1].subject_id if more else None}
        print(json.dumps(answer, ensure_ascii=False, default=str))
        return 0
    for item in shown:
        print(_in_words(item))
    if not shown:
        print("没有符合条件的主体。")
    elif more:
        print(f"还有更多，用 --after {shown[-1].subject_id} 接着列。")
    return 0


def confirm(args: argparse.Namespace) -> int:
    """Confirm an item as a subject of its own."""
    from xinzheng.apps.registry.actions import confirm_subject

    confirm_subject(args.item, name=args.name, kind=SubjectKind(args.kind), by=BY)
    print("已确认为新主体。")
    return 0


def link(args: argparse.Namespace) -> int:
    """Link an item to the subject whose code was meant."""
    from xinzheng.apps.registry.actions import link_subject

    link_subject(args.item, to=_subject(args.to), reason=args.why, by=BY)
    print("已并入。记录没有移动，从现在起计为该主体自己的。")
    return 0


def reject(args: argparse.Namespace) -> int:
    """Reject an item."""
    from xinzheng.apps.registry.actions import reject_subject

    reject_subject(args.item, reason=args.why, by=BY)
    print("已记录为不予登记。")
    return 0


def withdraw(args: argparse.Namespace) -> int:
    """Withdraw a succession between two subjects."""
    from xinzheng.apps.registry.actions import withdraw_succession

    withdraw_succession((_subject(args.code), _subject(args.successor), args.kind), reason=args.why, by=BY)
    print("已撤销该承继关系。")
    return 0


def rotate(args: argparse.Namespace) -> int:
    """Replace the key-encryption key."""
    from xinzheng.apps.codes.key_hooks import HOOKS as OF_CODES
    from xinzheng.apps.ledger.key_hooks import HOOKS as OF_THE_LEDGER
    from xinzheng.apps.oversight.key_hooks import HOOKS as OF_OVERSIGHT
    from xinzheng.apps.redress.key_hooks import HOOKS as OF_REDRESS
    from xinzheng.apps.registry.actions import rotate_key
    from xinzheng.apps.registry.key_hooks import HOOKS as OF_ACCOUNTS

    rotation = rotate_key(by=BY, hooks={**OF_THE_LEDGER, **OF_CODES, **OF_ACCOUNTS, **OF_REDRESS, **OF_OVERSIGHT})
    if args.json:
        print(json.dumps(asdict(rotation), ensure_ascii=False))
        return 0
    print(f"已更换密钥，重新封装{sum(rotation.rewrapped.values())}个数据密钥。请立即备份密钥目录。")
    return 0


def rotate_number(args: argparse.Namespace) -> int:
    """Replace the key under which numbers are hashed."""
    from xinzheng.apps.registry.actions import rotate_number_key

    done = rotate_number_key(by=BY)
    if args.json:
        print(json.dumps(asdict(done), ensure_ascii=False))
        return 0
    counted = f"重新计算{done.persons}个身份号码、{done.contacts}个手机号码"
    print(f"已更换号码检索密钥，{counted}。请立即备份密钥目录，并销毁旧密钥的备份。")
    return 0


def erase(args: argparse.Namespace) -> int:
    """Erase a person whose number is read from standard input; without --yes only say who it is, masked."""
    from xinzheng.apps.audit.queries import head_position
    from xinzheng.apps.oversight.erasing import erase_whole
    from xinzheng.apps.registry.queries import subject_at
    from xinzheng.cli.backup import note_erasure

    number = getpass("公民身份号码：") if sys.stdin.isatty() else sys.stdin.readline()
    subject_id = _subject(number)
    person = subject_at(subject_id, head_position())
    if not args.yes:
        print(f"{person.name}　{person.identifier}（内部编号{subject_id}）。确认删除请加 --yes，删除以后不能恢复。")
        return 1
    note_erasure(subject_id)
    position = erase_whole(subject_id, by=BY)
    print(
        f"已删除内部编号{subject_id}的姓名、号码、联系电话、通知邮箱，以及异议、修复、意见建议中写的内容和证据，账本位置{position}。"
    )
    return 0


def _subject(code: str) -> int:
    from xinzheng.apps.registry.queries import UnknownSubjectError, find_subject

    found = find_subject(code)
    if found is None:
        raise UnknownSubjectError("主体名录中没有该代码，请核对。")
    return found


def _in_words(item: "ReviewSubject") -> str:
    names = "／".join(item.names) or "（没有名称）"
    units = "、".join(item.units) or "主体名录"
    state = f"　{item.outcome.words}" if item.outcome else ""
    return f"{item.subject_id}　{item.identifier}　{names}　{units}　{item.records}条记录{state}"

"""``xinzheng intake``: deliver a file; confirm or withdraw a batch; explain a rejected line; fetch a file back."""

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from xinzheng.cli.column_maps import list_maps
from xinzheng.cli.raw_file import fetch
from xinzheng.core.errors import XinzhengError

if TYPE_CHECKING:
    from xinzheng.apps.ledger.actions import BatchResult, Scope
    from xinzheng.apps.ledger.queries import DefectLine

NEEDS_DATABASE = True
DONE, REFUSED = 0, 1
BY = "command-line"
DEFECTS_IN_JSON = 1000
DEFECTS_SHOWN = 20
LINES_WORTH_TELLING = 50_000


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``intake``."""
    parser = subparsers.add_parser(
        "intake",
        help="报送：接收一个单位的数据文件",
        description="接收数据文件（CSV、XLSX）；也用于确认暂存的批次、撤回批次、说明退回行。",
    )
    parser.add_argument("file", type=Path, nargs="?", metavar="FILE", help="数据文件")
    add_scope(parser, is_required=False)
    parser.add_argument(
        "--covers", nargs=2, type=day, metavar=("FROM", "THROUGH"), help="同时声明：这段时间内的数据已经完整"
    )
    parser.add_argument(
        "--mode",
        default="increment",
        choices=("increment", "snapshot"),
        help="increment 增量（默认）；snapshot 全量快照，其中没有的旧记录提请撤下",
    )
    parser.add_argument("--map", metavar="NAME", help="列对照的名称：文件的列名与标准格式不同时用")
    parser.add_argument("--maps", action="store_true", help="列出一个单位可用的列对照（须写 --unit）")
    parser.add_argument("--withdraw", type=int, metavar="BATCH", help="撤回整个批次（须写 --reason）")
    parser.add_argument("--confirm", type=int, metavar="BATCH", help="确认暂存的批次，使其入账（须写 --officer）")
    parser.add_argument("--officer", metavar="USERNAME", help="由谁确认：报送人以外的本单位人员或者信用办人员的用户名")
    parser.add_argument("--explain", nargs=3, metavar=("BATCH", "LINE", "REASON"), help="说明一个退回行为何不需更正")
    parser.add_argument(
        "--fetch", nargs=2, metavar=("BATCH", "OUT"), help="取回批次的原始文件，写到OUT；不覆盖已有文件"
    )
    parser.add_argument("--reason", default="", metavar="原因", help="撤回批次的原因")
    parser.add_argument("--json", action="store_true", help="输出一个JSON对象")
    parser.set_defaults(run=run, parser=parser)


def add_scope(parser: argparse.ArgumentParser, *, is_required: bool) -> None:
    """Add the options that say for whom and what."""
    parser.add_argument("--unit", required=is_required, metavar="USCC", help="报送单位的统一社会信用代码")
    parser.add_argument("--domain", metavar="CODE", help="领域代码；欠缴、信用修复可以不写")
    parser.add_argument("--kind", required=is_required, metavar="KIND", help="记录类型，例如 administrative_penalty")


def day(text: str) -> date:
    """A day as 2026-01-31; argparse shows the message."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"“{text}”不是日期，应形如 2026-01-31") from None


def scope_of(args: argparse.Namespace) -> "Scope":
    """The scope the options name; without a domain that of the kind, for kinds that are their own domain."""
    from xinzheng.apps.ledger.delivery import OTHER_KINDS, Scope

    if not args.unit or not args.kind or not (args.domain or args.kind in OTHER_KINDS):
        args.parser.error("请写明 --unit、--domain、--kind")
    return Scope(args.unit, args.domain or args.kind, args.kind)


def run(args: argparse.Namespace) -> int:
    """Do what was asked; 0 also when some lines were rejected, for the batch was taken; 1 when nothing was booked."""
    if args.maps:
        return list_maps(args)
    asked = [args.file is not None, args.confirm is not None, args.withdraw is not None, args.explain is not None]
    if sum(asked) + (args.fetch is not None) != 1:
        args.parser.error("请给出数据文件，或者 --confirm、--withdraw、--explain、--fetch 之一")
    if (args.confirm is None) != (args.officer is None):
        args.parser.error("--confirm 和 --officer 须同时写")
    if args.confirm is not None:
        return _confirm(args)
    if args.withdraw is not None:
        return _withdraw(args)
    if args.explain is not None:
        return _explain(args)
    if args.fetch is not None:
        return fetch(args)
    return _submit(args)


def _submit(args: argparse.Namespace) -> int:
    from xinzheng.apps.ledger.actions import Delivery, submit_batch

    scope = scope_of(args)
    covers = (args.covers[0], args.covers[1]) if args.covers else None
    result = submit_batch(Delivery(args.file, scope, covers, args.mode, map_name=args.map), by=BY, progress=_progress())
    return _report(args, result, has_statement=covers is not None)


def _report(args: argparse.Namespace, result: "BatchResult", *, has_statement: bool) -> int:
    from xinzheng.apps.ledger.queries import batch_defects, defects_total

    defects = batch_defects(result.batch, DEFECTS_IN_JSON if args.json else DEFECTS_SHOWN)
    total = defects_total(result.batch)
    if args.json:
        shown = [{k: v for k, v in asdict(d).items() if k != "value"} for d in defects]
        facts = asdict(result) | {"defects": shown, "defects_total": total}
        print(json.dumps(facts, ensure_ascii=False))
    else:
        _tell(result, has_statement=has_statement)
    _tell_defects(result, defects[:DEFECTS_SHOWN], total)
    _tell_held(result)
    return REFUSED if result.held or result.rejected == result.lines else DONE


def _progress() -> Callable[[int], None]:
    """Tell on stderr how far a long file is."""
    told = 0

    def progress(lines: int) -> None:
        nonlocal told
        if lines - told >= LINES_WORTH_TELLING:
            told = lines
            print(f"已读入{lines:,}行……", file=sys.stderr, flush=True)

    return progress


def _tell(result: "BatchResult", *, has_statement: bool) -> None:
    print(
        f"批次{result.batch}：共{result.lines}行，新增{result.new}，变更{result.changed}，相同{result.identical}，"
        f"退回{result.rejected}，重复{result.duplicate}。"
    )
    if result.mended:
        print(f"本批更正了以前退回的{result.mended}行。")
    if result.put_forward and not result.held:
        print(f"有{result.put_forward}条旧记录不在本次快照内，已提请撤下，尚未撤下。")
    if result.rejected and has_statement and not result.held:
        print("退回的行改正或者由责任人说明之前，本批的覆盖声明不生效。")


def _tell_defects(result: "BatchResult", defects: "list[DefectLine]", total: int) -> None:
    """What is wrong, on stderr; the field's name once."""
    for defect in defects:
        field = f" {defect.field}" if defect.field else ""
        print(f"第{defect.line}行{field}：{defect.message.removeprefix(f'“{defect.field}”：')}", file=sys.stderr)
    if total > len(defects):
        print(f"另有{total - len(defects)}个问题没有列出，用 --json 查看更多。", file=sys.stderr)
    if result.rejected == result.lines:
        print("没有一行可以入账：退回的行已原样保存，账本中的记录没有改变。请改正后重新报送。", file=sys.stderr)


def _tell_held(result: "BatchResult") -> None:
    """Why nothing was booked, on stderr, and what to do."""
    if not result.held:
        return
    print(f"批次{result.batch}已暂存，没有入账，随本批的覆盖声明不生效。", file=sys.stderr)
    for reason in result.reasons:
        print(reason.message, file=sys.stderr)
    print(
        f"数据无误的，请报送人以外的人员确认：xinzheng intake --confirm {result.batch} --officer 用户名；"
        f"有误的，请撤回：xinzheng intake --withdraw {result.batch} --reason 原因。",
        file=sys.stderr,
    )


def _confirm(args: argparse.Namespace) -> int:
    from xinzheng.apps.accounts.permissions import refusals_to_confirm
    from xinzheng.apps.accounts.queries import account_named
    from xinzheng.apps.ledger.actions import confirm_batch
    from xinzheng.apps.ledger.queries import batch_summary, submitter_of

    officer = account_named(args.officer)
    if officer is None:
        raise XinzhengError(f"没有用户名为“{args.officer}”的账户，请核对。", code="unknown-account")
    unit_id = batch_summary(args.confirm).unit_id
    if refusals := refusals_to_confirm(officer, unit_id, submitter_of(args.confirm)):
        raise XinzhengError("".join(refusals), code="not-permitted")
    result = confirm_batch(batch_id=args.confirm, by=officer.actor, progress=_progress())
    return _report(args, result, has_statement=batch_summary(result.batch).covers_from is not None)


def _withdraw(args: argparse.Namespace) -> int:
    from xinzheng.apps.ledger.actions import withdraw_batch

    result = withdraw_batch(batch_id=args.withdraw, reason=args.reason, by=BY)
    if args.json:
        print(json.dumps({"batch": args.withdraw, **asdict(result)}, ensure_ascii=False))
    else:
        print(f"批次{args.withdraw}已撤回：{result.restored}条记录恢复为其他批次的内容，{result.gone}条记录不再有效。")
    return 0


def _explain(args: argparse.Namespace) -> int:
    from xinzheng.apps.ledger.actions import explain_line

    batch, line, reason = args.explain
    if not (batch.isdecimal() and line.isdecimal()):
        args.parser.error("--explain 依次写批次号、行号、理由")
    position = explain_line(batch_id=int(batch), line=int(line), reason=reason, by=BY)
    if args.json:
        print(json.dumps({"batch": int(batch), "line": int(line), "position": position}, ensure_ascii=False))
    else:
        print(f"批次{batch}第{line}行已说明。")
    return 0

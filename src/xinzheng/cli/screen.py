"""``xinzheng screen submit|list|show|take``: lists of subjects screened on a legal basis."""

import argparse
import json
import sys
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xinzheng.core.errors import XinzhengError

if TYPE_CHECKING:
    from xinzheng.apps.accounts.models import Account
    from xinzheng.apps.oversight.screening_queries import ScreeningRow

NEEDS_DATABASE = True
PARTS = "submit|list|show|take"


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register the command and its parts."""
    said = "名单核查：有法律依据时一次核查一批主体，不核查自然人"
    parser = subparsers.add_parser("screen", help=said, description=said)
    parts = parser.add_subparsers(dest="part", title="子命令", metavar=PARTS, required=True)
    asking = parts.add_parser(
        "submit", help="提交名单", description="提交名单，后台核查；须写明依据、文号、事由和提出单位"
    )
    asking.add_argument("file", metavar="文件", type=Path, help="CSV或者XLSX，一列“统一社会信用代码”")
    for name, words in STATED.items():
        asking.add_argument(f"--{name.replace('_', '-')}", required=True, metavar="文字", help=words)
    asking.add_argument("--policy", default="suzhou-2024", metavar="政策", help="按哪项政策核查，默认 suzhou-2024")
    asking.add_argument("--here", action="store_true", help="就在本进程里核查，不等后台任务")
    asking.set_defaults(run=run_submit)
    listing = parts.add_parser("list", help="列出核查过的名单", description="列出核查过的名单，新的在前")
    listing.set_defaults(run=run_list)
    one = parts.add_parser("show", help="一次核查的情况", description="一次核查的依据、进度和数字")
    one.set_defaults(run=run_show)
    taking = parts.add_parser("take", help="取出结果，记入审计", description="取出结果，记入审计")
    taking.add_argument("--out", required=True, metavar="文件", type=Path, help="写到哪里，.xlsx 或者 .csv")
    taking.add_argument("--reasons", action="store_true", help="CSV里写理由，不写结果")
    taking.set_defaults(run=run_take)
    for part in (one, taking):
        part.add_argument("id", metavar="编号", type=uuid.UUID, help="核查的编号")
    for part in (asking, taking):
        part.add_argument("--account", required=True, metavar="登录名", help="以信用办的哪个账户办理")
    for part in (asking, listing, one):
        part.add_argument("--json", action="store_true", help="输出一个JSON对象")


# What has to be stated; the same as on the page.
STATED = {"basis": "法律依据", "document": "文号或者材料名称", "purpose": "核查事由", "asked_for": "提出核查的单位"}


def run_submit(args: argparse.Namespace) -> int:
    """Hand a list in; with ``--here`` wait for its answer."""
    from xinzheng.apps.oversight.screening import NewScreening, ask
    from xinzheng.apps.oversight.screening_work import work_on

    if not args.file.is_file():
        raise XinzhengError(f"没有文件“{args.file}”，请核对路径。", code="file-missing")
    stated = {name: getattr(args, name) for name in STATED}
    new = NewScreening(args.policy, file=args.file, name=args.file.name, **stated)
    made = ask(new, account=_account(args.account), key=uuid.uuid4())
    if args.here:
        work_on(made.pk)
    return _tell(_found(made.pk), as_json=args.json)


def run_list(args: argparse.Namespace) -> int:
    """One line, or one object, for each."""
    from xinzheng.apps.oversight.screening_queries import screenings

    rows = screenings()
    if args.json:
        print(json.dumps({"screenings": [_facts(row) for row in rows]}, ensure_ascii=False))
        return 0
    for row in rows:
        print(f"{row.id}  {row.at:%Y-%m-%d %H:%M}  {row.words}  {row.lines:,}行  {row.asked_for}")
    if not rows:
        print("还没有核查过名单。")
    return 0


def run_show(args: argparse.Namespace) -> int:
    """What was stated, and what came of it; never whom it is about."""
    return _tell(_found(args.id), as_json=args.json)


def run_take(args: argparse.Namespace) -> int:
    """Write the answer into a file."""
    from xinzheng.apps.oversight.screening_queries import csv_of, reasons_csv_of, workbook_of

    account = _account(args.account)
    if args.out.suffix == ".xlsx":
        args.out.write_bytes(workbook_of(args.id, account=account))
    elif args.out.suffix == ".csv":
        pieces = (reasons_csv_of if args.reasons else csv_of)(args.id, account=account)
        with args.out.open("wb") as out:
            out.writelines(pieces)
    else:
        raise XinzhengError("请把结果写到 .xlsx 或者 .csv 文件。", code="format-unknown")
    print(f"已写到 {args.out}。")
    return 0


def _tell(row: "ScreeningRow", *, as_json: bool) -> int:
    if as_json:
        print(json.dumps(_facts(row), ensure_ascii=False))
    else:
        print(f"{row.id}  {row.words}  {row.lines:,}行\n{row.message or '等待核查。'}")
    if row.state == "failed":
        print("没有完成。", file=sys.stderr)
    return 1 if row.state == "failed" else 0


def _facts(row: "ScreeningRow") -> dict[str, Any]:
    return {
        "id": str(row.id),
        "policy": row.policy_id,
        **{name: getattr(row, name) for name in STATED},
        "lines": row.lines,
        "list_sha256": row.list_sha256,
        "at": row.at.isoformat(),
        "state": row.state,
        "message": row.message,
        "position": row.position,
        "as_of": row.as_of.isoformat() if row.as_of else None,
        "marks": dict(row.marks),
    }


def _found(screening_id: uuid.UUID) -> "ScreeningRow":
    from xinzheng.apps.oversight.screening_queries import screening_of

    found = screening_of(screening_id)
    if found is None:
        raise XinzhengError("没有这次核查，请用 xinzheng screen list 查看。", code="unknown-screening")
    return found


def _account(username: str) -> "Account":
    from xinzheng.apps.accounts.queries import account_named

    found = account_named(username)
    if found is None:
        message = f"没有用户名为“{username}”的账户，请用 xinzheng accounts list 查看。"
        raise XinzhengError(message, code="unknown-account")
    return found

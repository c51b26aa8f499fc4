"""``xinzheng subjects import``: take a file of the subject register over."""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from xinzheng.apps.registry.actions import ImportResult

NEEDS_DATABASE = True
SHOWN_DEFECTS = 20


def add_parser(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser("subjects", help="主体名录")
    actions = parser.add_subparsers(dest="action", required=True, metavar="操作")
    importing = actions.add_parser("import", help="导入主体名录（CSV或者XLSX）；重复导入不产生变化")
    importing.add_argument("file", type=Path, metavar="FILE", help="列：名称、统一社会信用代码、类型、法定代表人等")
    importing.add_argument("--json", action="store_true", help="输出一个JSON对象")
    importing.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Import and account for every line; 1 when lines were rejected, the others being taken over all the same."""
    from xinzheng.apps.registry.actions import import_subjects

    result = import_subjects(args.file, by="command-line")
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

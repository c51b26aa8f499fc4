"""``xinzheng issue``: one signed report."""

import argparse
import json
import os
import sys
import uuid
from pathlib import Path
from typing import Any

from xinzheng.cli.asking import add_request_arguments, print_answer, request_of, subject_of
from xinzheng.core.errors import XinzhengError

NEEDS_DATABASE = True
STAGES = {"deciding": "正在核查……", "rehearsing": "正在预检……", "signing": "正在编号、排版、签名……"}


def add_parser(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser("issue", help="出具报告：核查、预检、编号、排版、签名")
    add_request_arguments(parser)
    parser.add_argument("--purpose", help="用途（政策列出的名称或者代码）；默认政策列出的第一个")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.pdf", help="报告写到这个文件")
    parser.add_argument("--key", type=uuid.UUID, metavar="UUID", help="申请号；同一申请号只出一份报告")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Issue, write the file, print."""
    from xinzheng.apps.reports.issuing import Order, issue_report, long_code
    from xinzheng.apps.reports.queries import report_pdf
    from xinzheng.core.lifecycle import typed_code

    _check_target(args.out)
    order = Order(
        args.policy,
        subject_of(args),
        request_of(args),
        "command-line",
        args.key or uuid.uuid4(),
        lambda stage: print(STAGES[stage], file=sys.stderr),
    )
    report = issue_report(order)
    _write_whole(args.out, report_pdf(report.number), order.key)
    secret = bytes(report.secret)
    answer = _answer(report) | {
        "number": report.number,
        "code": typed_code(secret),
        "link_code": long_code(secret),
        "digest": bytes(report.digest).hex(),
        "file": str(args.out),
    }
    if args.json:
        print(json.dumps(answer, ensure_ascii=False))
    else:
        print_answer(answer)
        print(f"报告编号：{report.number}    核验码：{answer['code']}\n文件：{args.out}")
    return 0


def _answer(report: Any) -> dict[str, Any]:
    """The decision as it was issued: derived again at its position, so that an earlier key gives the same answer."""
    from xinzheng.apps.reports.replaying import decision_of
    from xinzheng.apps.reports.serialising import decision_to_json

    policy, decision = decision_of(report)
    return decision_to_json(policy, decision, report.position)


def _check_target(path: Path) -> None:
    if path.is_dir() or not path.parent.is_dir():
        raise XinzhengError(
            f"不能写到“{path}”：文件夹不存在，或者它本身是文件夹。请换一个路径。", code="out-not-writable"
        )


def _write_whole(path: Path, data: bytes, key: uuid.UUID) -> None:
    """A file that is there is whole: write beside it, then rename."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_bytes(data)
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise XinzhengError(
            f"报告已经出具，但是写不到“{path}”（{error.strerror}）。请换一个路径，加上 --key {key} 再取一次。",
            code="out-not-writable",
        ) from error

"""``xinzheng report``: replay, explain, revoke and review what was issued."""

import argparse
import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from xinzheng.core.lifecycle import REASON_WORDS, RevocationReason, normalise_number

if TYPE_CHECKING:
    from xinzheng.apps.reports.explaining import Explanation, FindingExplanation

NEEDS_DATABASE = True
REVIEW_WORDS = {
    "superseded": "已更正",
    "stands": "维持",
    "waits": "等待退回行处理",
    "under-way": "尚未签发",
    "closed": "已不在有效状态",
    "not-derivable": "不能复现，须核查",
}


def add_parser(subparsers: Any) -> None:
    """Register the commands."""
    parser = subparsers.add_parser("report", help="已出具的报告：复现、说明、作废、复核")
    actions = parser.add_subparsers(dest="action", required=True, metavar="动作")
    replay = actions.add_parser("replay", help="按出具时的账本位置重新得出报告，比对摘要")
    replay.set_defaults(run=run)
    explain = actions.add_parser("explain", help="逐条列出认定、条款和出处")
    explain.set_defaults(run=run_explain)
    revoke = actions.add_parser("revoke", help="作废报告")
    revoke.set_defaults(run=run_revoke)
    for action in (replay, explain, revoke):
        action.add_argument("number", metavar="NUMBER", help="报告编号")
    reasons = "；".join(f"{reason}＝{REASON_WORDS[reason]}" for reason in RevocationReason)
    revoke.add_argument("--reason", required=True, choices=list(map(str, RevocationReason)), help=reasons)
    review = actions.add_parser("review", help="复核账本新条目可能涉及的报告")
    review.set_defaults(run=run_review)
    for action in (replay, explain, revoke, review):
        action.add_argument("--json", action="store_true", help="输出一个JSON对象")


def run(args: argparse.Namespace) -> int:
    """Replay; 0 when the report follows from the ledger exactly as it was issued."""
    from xinzheng.apps.reports.replaying import replay_report

    replay = replay_report(normalise_number(args.number))
    answer = {
        "number": replay.number,
        "position": replay.position,
        "digest": replay.issued_digest,
        "replayed_digest": replay.replayed_digest,
        "same": replay.is_same,
        "subject_erased": replay.is_subject_erased,
    }
    if args.json:
        print(json.dumps(answer, ensure_ascii=False))
    else:
        words = "一致：按出具时的账本复现，内容完全相同。" if replay.is_same else "不一致：复现的内容与出具时不同。"
        print(f"{replay.number}（账本位置{replay.position}）\n{words}")
        if replay.is_subject_erased:
            print("该自然人的身份信息已依法删除，姓名和号码（掩码）取自报告本身，其余内容都由账本得出。")
        print(f"出具摘要 {replay.issued_digest}\n复现摘要 {replay.replayed_digest}")
    if replay.is_same:
        return 0
    print(f"{replay.number}复现不一致：账本、政策包或者程序与出具时不同，请交由信用办核查。", file=sys.stderr)
    return 1


def run_explain(args: argparse.Namespace) -> int:
    """Print every finding with clause and citation."""
    from xinzheng.apps.reports.explaining import explain_report

    explanation = explain_report(normalise_number(args.number))
    if args.json:
        print(json.dumps(asdict(explanation), ensure_ascii=False, default=lambda value: value.isoformat()))
    else:
        _print_explanation(explanation)
    return 0


def _print_explanation(explanation: "Explanation") -> None:
    from xinzheng.cli.asking import RESULTS

    print(f"{explanation.title}　{explanation.number}（{explanation.as_of}，账本位置{explanation.position}）")
    print(f"政策 {explanation.policy}　SHA-256 {explanation.policy_sha256}\n{explanation.conclusion}\n")
    for row in (*explanation.domains, *explanation.other):
        reach = f"（数据截至{row.data_as_of}）" if row.data_as_of else ""
        print(f"{RESULTS[row.result]} {row.name}：{row.text}{reach}")
    print(f"\n逐条认定（{len(explanation.findings)}条）")
    for number, finding in enumerate(explanation.findings, 1):
        _print_finding(number, finding)
    print("\n报告状态")
    for step in explanation.history:
        print(
            f"  {step.since.isoformat(timespec='seconds')}　{step.words}{f'（{step.reason}）' if step.reason else ''}"
        )


def _print_finding(number: int, finding: "FindingExplanation") -> None:
    from xinzheng.cli.asking import EFFECTS

    marks = "".join(f"，注明“{mark}”" for mark in finding.marks)
    when = finding.decision_date or "日期未知"
    print(f"{number}. {finding.document_number}（{finding.organ}，{when}，{finding.domain_name}）")
    print(f"   {EFFECTS[finding.effect]}{marks}：{finding.reason}")
    basis = "条文明确规定" if finding.basis == "statute" else "条文没有明说，按判断处理"
    print(f"   条款 {finding.clause}　{finding.source}{finding.section}（{basis}）")
    for text in (f"“{finding.quote}”" if finding.quote else "", finding.note):
        if text:
            print(f"   {text}")


def run_revoke(args: argparse.Namespace) -> int:
    """Revoke; verification says so from this moment on."""
    from xinzheng.apps.reports.status import revoke_report

    number = normalise_number(args.number)
    event = revoke_report(number, RevocationReason(args.reason), "command-line")
    if args.json:
        print(json.dumps({"number": number, "status": event.status, "reason": event.reason_code}, ensure_ascii=False))
    else:
        print(f"{number}已作废（{event.reason}）。")
    return 0


def run_review(args: argparse.Namespace) -> int:
    """Flag and decide again; 1 when a report does not follow from the ledger any more."""
    from xinzheng.apps.reports.reviewing import review_reports

    answers = review_reports("command-line")
    if args.json:
        print(json.dumps({"flagged": answers["flagged"], **{key: answers[key] for key in REVIEW_WORDS}}))
    else:
        told = "，".join(f"{words}{answers[key]}份" for key, words in REVIEW_WORDS.items() if answers[key])
        print(f"新标记{answers['flagged']}份。{told or '没有需要复核的报告'}。")
    return 1 if answers["not-derivable"] else 0

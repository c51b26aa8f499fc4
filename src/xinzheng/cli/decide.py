"""``xinzheng decide``: a rehearsal on today's ledger; nothing is numbered or kept."""

import argparse
import json
import sys
from typing import Any

from xinzheng.cli.asking import add_request_arguments, moment, print_answer, request_of, subject_of
from xinzheng.core.decision import china_date

NEEDS_DATABASE = True


def add_parser(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser("decide", help="试核查：按今天的账本得出结论，不出具报告")
    add_request_arguments(parser)
    parser.add_argument("--as-of", type=moment, metavar="T", help="假定的核查时间；账本仍是今天的")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Decide and print."""
    from xinzheng.apps.reports.cases import answer_question
    from xinzheng.apps.reports.issuing import question_now
    from xinzheng.apps.reports.packs import current_policy
    from xinzheng.apps.reports.serialising import decision_to_json

    policy = current_policy(args.policy, china_date(args.as_of) if args.as_of else None)
    question = question_now(policy, subject_of(args), request_of(args), args.as_of)
    answer = decision_to_json(policy, answer_question(question).decision, question.position)
    if args.as_of is not None:
        print("试算：核查时间是假定的，账本是今天的，不能作为报告。", file=sys.stderr)
        answer["rehearsal"] = True
    if args.json:
        print(json.dumps(answer, ensure_ascii=False))
    else:
        print_answer(answer)
    return 0

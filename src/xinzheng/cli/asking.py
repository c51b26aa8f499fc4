"""What ``decide`` and ``issue`` share: the arguments of a request, and printing an answer."""

import argparse
from datetime import date, datetime, time
from typing import Any

from xinzheng.core.decision import CHINA, Request
from xinzheng.core.errors import XinzhengError

OUTCOMES = {"clear": "○ 未查询到", "not_clear": "■ 有记录", "not_verifiable": "◆ 未能核查"}
RESULTS = {"none_found": "○", "records_found": "■", "not_verifiable": "◆", "listed_apart": "□"}
EFFECTS = {
    "counted": "计入",
    "marked": "计入并注明",
    "excluded": "没有计入",
    "listed_apart": "另行列示",
    "unresolved": "待核实",
}


def add_request_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments that say what is asked, and about whom."""
    parser.add_argument("--policy", required=True, metavar="ID", help="政策，例如 suzhou-2024")
    parser.add_argument("--subject", required=True, metavar="CODE", help="统一社会信用代码或者公民身份号码")
    parser.add_argument("--domains", metavar="A,B", help="只查这些领域，以逗号隔开；默认政策的全部领域")
    parser.add_argument("--from", dest="from_date", type=day, metavar="D", help="查询期起始日期，例如 2024-01-01")
    parser.add_argument("--to", dest="to_date", type=day, metavar="D", help="查询期截止日期")
    parser.add_argument("--json", action="store_true", help="输出一个JSON对象")


def day(text: str) -> date:
    """A day as 2024-01-31."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"“{text}”不是日期，应当写作 2024-01-31") from None


def moment(text: str) -> datetime:
    """A date-time with offset, or a day (its last second in China)."""
    try:
        if len(text) == len("2024-01-31"):
            return datetime.combine(date.fromisoformat(text), time(23, 59, 59), CHINA)
        value = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"“{text}”不是时间，应当写作 2024-01-31 或 2024-01-31T12:00:00+08:00"
        ) from None
    return value if value.tzinfo else value.replace(tzinfo=CHINA)


def request_of(args: argparse.Namespace) -> Request:
    """The request the arguments spell."""
    domains = None if args.domains is None else tuple(filter(None, (d.strip() for d in args.domains.split(","))))
    return Request(domains, args.from_date, args.to_date, getattr(args, "purpose", None))


def subject_of(args: argparse.Namespace) -> int:
    """The subject's key. Raises ``unknown-subject``; the code itself is not repeated."""
    from xinzheng.apps.registry.queries import find_subject

    subject_id = find_subject(args.subject)
    if subject_id is None:
        raise XinzhengError(
            "没有找到这个代码对应的主体，请核对；新主体请先用 xinzheng subjects import 导入。", code="unknown-subject"
        )
    return subject_id


def print_answer(answer: dict[str, Any]) -> None:
    """A decision for people."""
    print(f"结论：{OUTCOMES[answer['outcome']]}    政策：{answer['policy']['id']}    账本位置：{answer['position']}")
    clipped = "（申请的查询期超出政策规定，已按此核查）" if answer["clipped"] else ""
    print(f"查询期：{answer['period']['from']} 至 {answer['period']['to']}{clipped}")
    for row in (*answer["domains"], *answer["other"]):
        through = f"（数据截至{row['data_as_of']}）" if row["result"] == "none_found" else ""
        print(f"  {RESULTS[row['result']]} {row['name']}：{row['text']}{through}")
    for finding in answer["findings"]:
        card = finding["card"]
        source = " ".join(filter(None, (finding["source"], finding["section"])))
        print(f"  {EFFECTS[finding['effect']]}：{card['document_number']}，因为{finding['reason']}（{source}）")

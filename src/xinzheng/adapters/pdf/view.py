"""The words a report shows (版面文字), made from its canonical content: dates, amounts and labels written out.

The template sets exactly these words and the rehearsal looks for exactly these words, so neither knows the content.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from xinzheng.adapters.pdf.cards import AMOUNTS, CARDS, EXTRA, Card

Content = Mapping[str, Any]
CHINA = ZoneInfo("Asia/Shanghai")
UNSTATED = "未注明"
DATE = re.compile(r"(\d{4})-(\d{2})(?:-(\d{2}))?")
SEPARATOR = re.compile(r"[，、；](?![^（]*）)")  # not one inside brackets
UNITS_LENGTH, FOLDED_LENGTH = 48, 36
OUTCOME_STATE = {"clear": "none_found", "not_clear": "records_found", "not_verifiable": "not_verifiable"}
REPRESENTATIVE = {"enterprise_legal_person": "法定代表人", "individual_business": "经营者"}
ARREARS_COLUMNS = ("险种", "经办机构", "欠缴期间", "应缴（元）", "已缴（元）", "欠缴（元）")


def day(iso: str) -> str:
    """2026-11-21 → 2026年11月21日, 2026-11 → 2026年11月; anything else as it is."""
    match = DATE.fullmatch(iso)
    if match is None:
        return iso
    return "".join(f"{int(number)}{unit}" for number, unit in zip(match.groups(), "年月日", strict=True) if number)


def moment(iso: str) -> str:
    """An instant as people here read it, to the second; a day alone stays a day."""
    if "T" not in iso:
        return day(iso)
    at = datetime.fromisoformat(iso).astimezone(CHINA)
    return f"{at.year}年{at.month}月{at.day}日{at:%H:%M:%S}（北京时间）"


def stated(value: object) -> str:
    """A value's words; what the source does not give is 未注明, never an empty cell."""
    if value is None or value == "":
        return UNSTATED
    return "、".join(map(str, value)) if isinstance(value, list) else day(str(value))


def folded(units: str) -> str:
    """A long list of units, cut after some names, with the true count; none where 各… stands for several."""
    names = SEPARATOR.split(units)
    if len(units) <= UNITS_LENGTH or len(names) == 1:
        return units
    shown = [names[0]]
    for name in names[1:]:
        if len("、".join((*shown, name))) > FOLDED_LENGTH:
            break
        shown.append(name)
    count = "" if any(name.startswith("各") for name in names) else f"{len(names)}个"
    return "、".join(shown) + f"等{count}单位"


def build(content: Content) -> dict[str, Any]:
    """Every word of the report by section, in the shape report.typ sets."""
    record_word = content["policy"]["record_word"]
    return {
        "title": content["title"],
        "number": content["number"],
        "demonstration": content["demonstration"],
        "as_of": moment(content["as_of"]),
        "conclusion": {**content["conclusion"], "state": OUTCOME_STATE[content["conclusion"]["outcome"]]},
        "subject": list(_subject(content["subject"])),
        "scope": list(_scope(content)),
        "units_word": content["policy"]["units_word"],
        "domains": [_result(index, row) for index, row in enumerate(content["domains"], 1)],
        "record_word": record_word,
        "records": [_record(index, record) for index, record in enumerate(content.get("records") or (), 1)],
        "other": [_result(index, row) for index, row in enumerate(content.get("other") or (), 1)],
        "arrears": {"head": ARREARS_COLUMNS, "rows": [_arrears(row) for row in content.get("arrears") or ()]},
        "repairs": [_card(CARDS["credit_repair"], record) for record in content.get("repairs") or ()],
        "apart": [_record(index, record) for index, record in enumerate(content.get("apart") or (), 1)],
        "notes": content["notes"],
        "seal": {"name": content["seal"]["name"], "date": day(content["seal"]["date"])},
        "verification": content["verification"],
    }


def _subject(subject: Content) -> Iterator[list[str]]:
    if subject["kind"] == "natural_person":
        yield ["姓名", stated(subject["name"]), "主体类型", stated(subject["kind_name"])]
        yield ["公民身份号码", stated(subject["identifier"]), "证件类型", stated(subject.get("identity_document"))]
        return
    yield ["名称", stated(subject["name"])]
    yield ["统一社会信用代码", stated(subject["identifier"]), "主体类型", stated(subject["kind_name"])]
    head = REPRESENTATIVE.get(subject["kind"], "负责人")
    yield [head, stated(subject.get("representative")), "登记状态", stated(subject.get("status"))]


def _scope(content: Content) -> Iterator[list[str]]:
    scope, policy = content["scope"], content["policy"]
    yield ["查询期间", f"{day(scope['from'])}至{day(scope['to'])}"]
    yield ["核查内容", stated(scope["records"])]
    yield ["核查依据", f"{policy['document']}《{policy['document_title']}》"]
    yield ["报告用途", stated(scope.get("purpose"))]


def _result(index: int, row: Content) -> dict[str, Any]:
    """A sentence that explains itself and carries the date runs over the date's column; others have it beside."""
    date = stated(row.get("data_as_of"))
    explains = re.search(r"[：；]", row["text"]) is not None
    carries_date = row.get("data_as_of") is None or date in row["text"]
    return {
        "state": row["result"],
        "index": str(index),
        "name": row["name"],
        "units": folded(stated(row["units"])),
        "words": row["text"],
        "date": None if explains and carries_date else date,
    }


def _record(index: int, record: Content) -> dict[str, Any]:
    marks = record.get("marks") or []
    title = f"记录{index}　{record['domain_name']}"
    card = CARDS.get(record["kind"], CARDS["other_determination"])
    return {"title": title, "marks": "　".join(marks), **_card(card, record)}


def _card(card: Card, record: Content) -> dict[str, Any]:
    def value(field: str) -> str:
        words = stated(record.get(field))
        return f"{words}万元" if field in AMOUNTS and words != UNSTATED else words

    shown = {field for row in card.short for _, field in row} | {field for _, field in card.long}
    extra = [field for field in EXTRA if field not in shown and record.get(field) not in (None, "", [])]
    return {
        "short": [[words for label, field in row for words in (label, value(field))] for row in card.short],
        "long": [[label, value(field)] for label, field in card.long]
        + [[EXTRA[field], value(field)] for field in extra],
    }


def _arrears(row: Content) -> list[str]:
    period = f"{stated(row.get('from'))}至{stated(row.get('to'))}"
    amounts = (stated(row.get(field)) for field in ("due", "paid", "owing"))
    note = f"（{row['note']}）" if row.get("note") else ""
    return [stated(row.get("insurance")) + note, stated(row.get("agency")), period, *amounts]

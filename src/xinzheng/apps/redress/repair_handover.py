"""What is handed over to 信用中国 (修复申请移交包): data as JSON, a sheet to print, the evidence, in one ZIP."""

import hashlib
import html
import io
import json
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import transaction

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.audit.actions import About, record_event
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.redress.clock import today
from xinzheng.apps.redress.errors import RedressError
from xinzheng.apps.redress.evidence_opening import Opened, open_evidence
from xinzheng.apps.redress.permissions import refusals_to_prepare_repair
from xinzheng.apps.redress.repair_queries import GuidedRecord
from xinzheng.apps.redress.repair_words import SECOND_HAND, TO_DO_WORDS
from xinzheng.apps.redress.repairs import CaseView, case_view
from xinzheng.apps.registry.persons import full_identity
from xinzheng.apps.registry.queries import subject_at
from xinzheng.core.decision import CHINA
from xinzheng.core.repair_rules import Condition
from xinzheng.core.sentences import spoken_date

FORMAT = "xinzheng.repair-handover/1"
# Printed of a record, in this order, where it says so.
PRINTED = (
    ("document_number", "决定书文号"),
    ("organ_name", "决定机关"),
    ("decision_date", "决定日期"),
    ("listed_from", "列入日期"),
    ("violation", "违法行为类型"),
    ("list_name", "名单名称"),
    ("category", "处罚类别"),
    ("content", "处罚内容"),
    ("fine", "罚款金额（万元）"),
    ("source_name", "数据来源单位"),
)
DAYS = frozenset({"decision_date", "listed_from"})
STYLE = (
    "@page{size:A4;margin:25mm}body{font:10.5pt/1.5 'Songti SC','SimSun','Noto Serif CJK SC',serif;color:#1b1f24}"
    "h1{font:22pt 'SimHei','Noto Sans CJK SC',sans-serif;text-align:center}h2{font:12pt 'SimHei',sans-serif}"
    "table{width:100%;border-collapse:collapse}th,td{border:.5pt solid #1b1f24;padding:4pt;text-align:left;"
    "vertical-align:top;overflow-wrap:anywhere}th{width:28%;font-weight:normal}.note{font-size:9pt}"
    ".sign{margin-top:24pt;display:flex;justify-content:space-between}"
)


@dataclass(frozen=True, slots=True)
class Party:
    """Whose repair it is, in clear: the file is the subject's own."""

    name: str
    identifier: str


@transaction.atomic
def handover_file(number: str, *, account: Account) -> bytes:
    """The ZIP of a case for its subject's agent; each fetching is an event, and so is each file of evidence in it.

    Raises:
        RedressError: ``unknown-repair``; ``not-permitted``; ``record-not-shown``: the record is no longer shown.
    """
    case = case_view(number, today())
    refusals = refusals_to_prepare_repair(account, case.subject_id)
    if refusals:
        raise RedressError("".join(refusals), code="not-permitted")
    if case.now is None:
        raise RedressError("这条记录现在不再列示，没有需要移交的材料。", code="record-not-shown")
    files = [open_evidence(row.id, of=number, account=account) for row in case.evidence if not row.is_deleted]
    party = _party(case.subject_id)
    data = _data(case, case.now, party, files)
    about = About(case.subject_id, details={"files": len(files)})
    record_event(who=account.actor, action="repair-fetched", object_kind="repair", object_id=number, details=about)
    return _zip(number, case.made_at, data, (sheet(data).encode(), files))


def _party(subject_id: int) -> Party:
    person = full_identity(subject_id)
    if person is not None:
        return Party(person.name, person.number)
    subject = subject_at(subject_id, head_position())
    return Party(subject.name, subject.identifier)


def _data(case: CaseView, found: GuidedRecord, party: Party, files: Iterable[Opened]) -> dict[str, Any]:
    content = found.record.content
    return {
        "format": FORMAT,
        "number": case.number,
        "made_at": case.made_at.astimezone(CHINA).isoformat(timespec="seconds"),
        "subject": {"name": party.name, "identifier": party.identifier},
        "record": {
            "kind": str(found.record.kind),
            "domain": found.record.domain,
            "domain_name": found.domain_name,
            **{key: content[key] for key, _ in PRINTED if content.get(key)},
        },
        "guidance": case.guidance,
        "rules": {"id": case.rules, "sha256": case.rules_sha256},
        "evidence": [
            {"name": _file_name(place, one), "sha256": hashlib.sha256(one.content).hexdigest()}
            for place, one in enumerate(files, 1)
        ],
    }


def _file_name(place: int, one: Opened) -> str:
    return f"凭证/{place:02d}-{one.name.replace('/', '_')}"


def _zip(number: str, at: datetime, data: Mapping[str, Any], parts: tuple[bytes, list[Opened]]) -> bytes:
    printed, files = parts
    packed = io.BytesIO()
    moment = at.astimezone(CHINA).timetuple()[:6]
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        contents = [
            ("修复申请数据.json", json.dumps(data, ensure_ascii=False, indent=2).encode()),
            ("修复申请材料.html", printed),
            *((_file_name(place, one), one.content) for place, one in enumerate(files, 1)),
        ]
        for name, content in contents:
            entry = zipfile.ZipInfo(f"{number}/{name}", moment)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def sheet(data: Mapping[str, Any]) -> str:
    """The sheet to print (信用修复申请材料), a page that needs nothing beside it."""
    guidance, record = data["guidance"], data["record"]
    facts = [(label, _spoken(record[key]) if key in DAYS else record[key]) for key, label in PRINTED if key in record]
    made = _spoken(data["made_at"][:10])
    classes = [(one["name"], _span(one)) for one in guidance["candidates"]]
    files = [
        (f"凭证{place}", f"{one['name']}\nSHA-256 {one['sha256']}") for place, one in enumerate(data["evidence"], 1)
    ]
    source = guidance["rule"]["source"] + (f"（{SECOND_HAND}）" if guidance["rule"]["second_hand"] else "")
    return "".join(
        (
            '<!DOCTYPE html><html lang="zh-CN"><head><meta charset="utf-8">',
            f"<title>信用修复申请材料 {_text(data['number'])}</title><style>{STYLE}</style></head><body><main>",
            f"<h1>信用修复申请材料</h1><p>编号：{_text(data['number'])}　准备日期：{_text(made)}</p>",
            "<h2>一、申请人</h2>",
            _table([("名称", data["subject"]["name"]), ("代码", data["subject"]["identifier"])]),
            "<h2>二、申请修复的信息</h2>",
            _table([("领域", record["domain_name"]), *facts]),
            "<h2>三、公示期</h2>",
            _table([*classes, ("依据", f"{guidance['rule']['title']}\n{source}")]),
            "<h2>四、申请条件（由申请人逐项确认）</h2>",
            _table([(f"□ {place}", words) for place, words in enumerate(_conditions(guidance), 1)]),
            "<h2>五、凭证</h2>",
            _table(files or [("凭证", "没有随附")]),
            '<p class="note">类别由认定单位确定；公示期按准备当日施行的规则计算，供申请时参考。是否修复以修复决定为准：'
            "本材料不是修复决定，也不改变专用信用报告。</p>",
            '<p class="sign"><span>申请人（盖章）：</span><span>　　年　　月　　日</span></p></main></body></html>',
        )
    )


def _conditions(guidance: Mapping[str, Any]) -> list[str]:
    return [TO_DO_WORDS[Condition(one["condition"])] for one in guidance["to_do"]]


def _span(one: Mapping[str, Any]) -> str:
    if one["longest_end"] is None:
        return "记录没有写明日期，无从计算"
    sure = "" if one["certain"] else "（可能属于这一类，由认定单位确定）"
    shortest, longest, earliest = (_spoken(one[key]) for key in ("shortest_end", "longest_end", "earliest"))
    return f"最短至{shortest}，最长至{longest}，{earliest}起可以申请{sure}"


def _spoken(day: str) -> str:
    return spoken_date(date.fromisoformat(day))


def _table(rows: Iterable[tuple[str, str]]) -> str:
    cells = (f"<tr><th>{_text(label)}</th><td>{_text(value)}</td></tr>" for label, value in rows)
    return f"<table>{''.join(cells)}</table>"


def _text(value: object) -> str:
    return html.escape(str(value)).replace("\n", "<br>")

"""The fixed sentences of both cities, word for word, as a report's content says them."""

from dataclasses import replace
from datetime import date, datetime
from typing import Any

import pytest

from xinzheng.adapters.calendar import default_calendar
from xinzheng.adapters.policy_files import load_policy
from xinzheng.core.coverage import Coverage, PendingLines, Responsibility, Statement
from xinzheng.core.decision import CHINA, Case, Request, decide
from xinzheng.core.policy import Extension, Policy
from xinzheng.core.records import Outcome, Procedure, Record, RecordKind
from xinzheng.core.report import Imprint, Issuer, report_content
from xinzheng.core.subjects import Subject, SubjectKind

PENALTY = RecordKind.ADMINISTRATIVE_PENALTY
AS_OF = datetime(2025, 6, 2, 9, 5, tzinfo=CHINA)
ISSUER = Issuer("演示中心", "“信用演示”网站", "host.example", True)
IMPRINT = Imprint(issuer=ISSUER, number="XX0", typed_code="CODE", position=1, purpose="融资")
CITIES = {"suzhou-2024": "违法记录", "huzhou-2023": "违法违规记录"}
DUTY = "数据由各责任单位提供，谁生成谁提供，谁提供谁负责。"
OBJECTION = "认为信息有误或者遗漏的，可以通过“信用演示”网站提出异议。"
AS_OF_NOTE = "本报告只反映截至2025年6月2日09:05（北京时间）已归集的数据；政策未规定有效期。"
HIDDEN, EXCEPTION = "依法不得提供的信息不在核查范围。", "法律法规另有规定的除外。"
DEMONSTRATION = "演示文件，数据虚构，无证明效力。"


def coverage(policy: Policy, without: str = "") -> Coverage:
    asked = [(d.code, kind) for d in policy.domains for kind in d.kinds] + [(s.code, s.kind) for s in policy.other]
    return Coverage(
        tuple(Responsibility(code, kind, "u1", "某单位") for code, kind in asked),
        tuple(Statement(c, "u1", k, date(2015, 1, 1), AS_OF.date()) for c, k in asked if c != without),
    )


def penalty(name: str = "r1", **facts: Any) -> Record:
    given: dict[str, Any] = {"domain": "taxation", "decision_date": date(2024, 5, 1), "procedure": Procedure.ORDINARY}
    return Record(name, PENALTY, **(given | {"outcome": Outcome.PENALISED} | facts))


def content(pack: str, *records: Record, known: Coverage | None = None, **request: Any) -> dict[str, Any]:
    policy = load_policy(pack)
    subject = Subject(SubjectKind.ENTERPRISE_LEGAL_PERSON, "示例公司", "913205")
    facts = coverage(policy) if known is None else known
    decision = decide(policy, Case(Request(**request), subject, records, facts, AS_OF), default_calendar())
    return report_content(policy, decision, subject, IMPRINT, {})


def row(report: dict[str, Any], code: str = "taxation") -> dict[str, Any]:
    return next(r for r in (*report["domains"], *report["other"]) if r["code"] == code)


def test_suzhous_clear_conclusion() -> None:
    assert content("suzhou-2024")["conclusion"]["text"] == (
        "经查询已归集数据，该企业自2022年6月2日至2025年6月2日在苏州市行政区域内所列20个领域未查询到违法记录。"
        "各领域以数据截止日为准。"
    )


def test_huzhous_clear_conclusion() -> None:
    assert content("huzhou-2023")["conclusion"]["text"] == (
        "经查询2020年5月1日以来已归集的数据，该主体在通知列明的40个领域未查询到违法违规记录。"
        "各领域以数据截止日为准；刑事领域及通知未列明的领域未核查。"
    )


@pytest.mark.parametrize(
    ("pack", "since", "domains"), [("suzhou-2024", "2022年6月2日", 19), ("huzhou-2023", "2020年5月1日", 39)]
)
def test_the_other_conclusions(pack: str, since: str, domains: int) -> None:
    word, gap = CITIES[pack], coverage(load_policy(pack), without="health")
    start = f"经查询已归集数据，该主体自{since}至2025年6月2日"
    two = (penalty(), penalty("r2", domain="commerce"))
    assert content(pack, *two)["conclusion"]["text"] == f"{start}查询到{word}2条，涉及2个领域。"
    assert content(pack, *two, known=gap)["conclusion"]["text"] == (
        f"{start}查询到{word}2条，涉及2个领域；另有1个领域未能核查。"
    )
    assert content(pack, known=gap)["conclusion"]["text"] == (
        f"{start}在{domains}个领域未查询到{word}，1个领域未能核查；本报告不能证明全部所列领域无{word}。"
    )


@pytest.mark.parametrize("pack", CITIES)
def test_the_results_of_a_domain(pack: str) -> None:
    word, policy = CITIES[pack], load_policy(pack)
    full, never = coverage(policy), coverage(policy, without="taxation")
    kinds = policy.domain("taxation").kinds
    until_april = tuple(Statement("taxation", "u1", k, date(2015, 1, 1), date(2025, 4, 30)) for k in kinds)
    late = Coverage(full.responsibilities, (*never.statements, *until_april))
    waiting = Coverage(full.responsibilities, full.statements, (PendingLines("taxation", "u1", PENALTY),))
    clean = row(content(pack))
    assert (clean["text"], clean["data_as_of"]) == (f"未查询到{word}", "2025-06-02")
    assert row(content(pack, penalty()))["text"] == f"有{word}1条"
    assert (
        row(content(pack, penalty(), known=late))["text"] == f"有{word}1条；某单位数据仅至2025年4月30日，可能另有记录"
    )
    assert row(content(pack, known=late))["text"] == f"未能核查：某单位数据仅至2025年4月30日，不能据此判断有无{word}"
    assert row(content(pack, known=never))["text"] == "未能核查：某单位尚未归集该项数据"
    assert row(content(pack, known=waiting))["text"] == "未能核查：某单位有1条涉及该主体的数据待更正"


def test_an_unknown_outcome_under_huzhou() -> None:
    assert row(content("huzhou-2023", penalty(outcome=None)))["text"] == "未能核查：有1条记录的处理结果待核实"


def test_the_other_information_of_suzhou() -> None:
    code = "social_insurance_arrears"
    none = row(content("suzhou-2024"), code)
    assert (none["text"], none["data_as_of"]) == ("未查询到欠缴信息", "2025-06-02")
    owing = Record("a", RecordKind.SOCIAL_INSURANCE_ARREARS, code)
    assert row(content("suzhou-2024", owing), code)["text"].startswith("有欠缴信息")
    gap = coverage(load_policy("suzhou-2024"), without=code)
    assert row(content("suzhou-2024", known=gap), code)["text"] == "未能核查：某单位尚未归集该项数据"
    assert content("huzhou-2023")["other"] == []


def test_the_notes_of_suzhou_in_order() -> None:
    definition = (
        "本报告所称违法记录，指近3年内所列领域的行政处罚记录；依据简易程序作出的行政处罚和依法不予行政处罚的，不列入。"
    )
    branch, clipped = "本报告不含分支机构。", "申请的查询期超出政策规定，已按2022年6月2日至2025年6月2日出具。"
    tail = [OBJECTION, AS_OF_NOTE, EXCEPTION, DEMONSTRATION]
    assert content("suzhou-2024")["notes"] == [definition, HIDDEN, DUTY, branch, *tail]
    wider = content("suzhou-2024", from_date=date(2019, 1, 1))
    assert wider["notes"] == [definition, HIDDEN, DUTY, branch, clipped, *tail]


def test_the_note_of_an_extension() -> None:
    policy = replace(
        load_policy("suzhou-2024"), extensions=(Extension("某〔2026〕1号", date(2026, 12, 31), "演示文号，非正式文件"),)
    )
    subject, as_of = Subject(SubjectKind.ENTERPRISE_LEGAL_PERSON), date(2026, 3, 2)
    decision = decide(policy, Case(Request(), subject, (), coverage(policy), as_of), default_calendar())
    said = report_content(policy, decision, subject, IMPRINT, {})["notes"]
    assert "本报告依据某〔2026〕1号延期执行。（演示文号，非正式文件）" in said  # type: ignore[operator]


def test_the_notes_of_huzhou_in_order() -> None:
    definition = "违法违规记录以生效法律文书确认为限；依法不予行政处罚的、消除影响后已信用修复的行政处罚，不列入。"
    assert content("huzhou-2023")["notes"] == [
        definition, HIDDEN, DUTY, OBJECTION, AS_OF_NOTE, EXCEPTION, DEMONSTRATION,
    ]  # fmt: skip

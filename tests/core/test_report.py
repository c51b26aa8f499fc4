"""The canonical content: exact sentences, scope in the conclusion, and nothing that must not be there."""

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

import pytest

from xinzheng.adapters.calendar import default_calendar
from xinzheng.adapters.policy_files import load_policy
from xinzheng.core.coverage import Coverage, PendingLines, Responsibility, Statement
from xinzheng.core.decision import CHINA, Case, Decision, Request, decide
from xinzheng.core.policy import Extension, Policy
from xinzheng.core.records import Outcome, Procedure, Record, RecordKind, Standing
from xinzheng.core.report import Imprint, Issuer, report_content
from xinzheng.core.subjects import Subject, SubjectKind

AS_OF = datetime(2025, 6, 2, 15, 8, tzinfo=CHINA)
ISSUER = Issuer("公共信用信息演示服务中心", "“信用苏州”网站", "host.example", True)
IMPRINT = Imprint(ISSUER, "SZ202506020000001X", "M4W8RT6NC2YD", 7, "融资")
FIRM = Subject(SubjectKind.ENTERPRISE_LEGAL_PERSON, "示例有限公司", "91320594MA7DEM1W68", "示例乙", "存续")
UNIT, OTHER_UNIT = "市税务局", "昆山市水务局"


@lru_cache
def suzhou() -> Policy:
    return load_policy("suzhou-2024")


def responsibilities(policy: Policy) -> tuple[Responsibility, ...]:
    domains = [Responsibility(d.code, kind, d.code, f"{d.name}单位") for d in policy.domains for kind in d.kinds]
    return (*domains, *(Responsibility(s.code, s.kind, s.code, f"{s.name}单位") for s in policy.other))


def coverage(policy: Policy, through: date = date(2025, 6, 2), without: tuple[str, ...] = ()) -> Coverage:
    who = responsibilities(policy)
    statements = [
        Statement(w.domain, w.unit, w.kind, date(2015, 1, 1), through) for w in who if w.domain not in without
    ]
    return Coverage(who, tuple(statements))


def penalty(name: str = "r1", **changes: Any) -> Record:
    record = Record(
        name,
        RecordKind.ADMINISTRATIVE_PENALTY,
        "taxation",
        decision_date=date(2024, 5, 6),
        procedure=Procedure.ORDINARY,
        outcome=Outcome.PENALISED,
        document_key=name,
        content={"document_number": f"苏税罚〔2024〕{name}号", "organ_name": "市税务局", "violation": "少缴税款"},
    )
    return replace(record, **changes)


def decided(*records: Record, known: Coverage | None = None, **request: Any) -> Decision:
    case = Case(Request(**request), FIRM, records, known or coverage(suzhou()), AS_OF)
    return decide(suzhou(), case, default_calendar())


def content(decision: Decision, policy: Policy | None = None) -> dict[str, Any]:
    return report_content(policy or suzhou(), decision, FIRM, IMPRINT, {"taxation": "市税务局"})


def domain(report: dict[str, Any], code: str) -> dict[str, Any]:
    return next(row for row in report["domains"] if row["code"] == code)


def test_a_clear_conclusion_is_the_decrees_sentence_with_its_period_and_number_of_domains() -> None:
    report = content(decided())
    assert report["conclusion"]["text"] == (
        "经查询已归集数据，该企业自2022年6月2日至2025年6月2日在苏州市行政区域内所列20个领域未查询到违法记录。"
        "各领域以数据截止日为准。"
    )
    assert report["conclusion"]["key"] in report["conclusion"]["text"]


def test_a_clear_conclusion_on_three_chosen_domains_says_three() -> None:
    report = content(decided(domains=("taxation", "health", "commerce")))
    assert "所列3个领域未查询到违法记录" in report["conclusion"]["text"]
    assert len(report["domains"]) == 3


def test_records_are_counted_over_domains_and_what_could_not_be_checked_is_said_in_the_same_sentence() -> None:
    known = coverage(suzhou(), without=("health",))
    report = content(decided(penalty("a"), penalty("b"), penalty("c", domain="commerce"), known=known))
    assert report["conclusion"]["text"] == (
        "经查询已归集数据，该主体自2022年6月2日至2025年6月2日查询到违法记录3条，涉及2个领域；另有1个领域未能核查。"
    )
    assert report["conclusion"]["key"] in report["conclusion"]["text"]


def test_a_domain_that_could_not_be_checked_forbids_the_clear_sentence() -> None:
    report = content(decided(known=coverage(suzhou(), without=("health",))))
    assert report["conclusion"]["text"] == (
        "经查询已归集数据，该主体自2022年6月2日至2025年6月2日在19个领域未查询到违法记录，1个领域未能核查；"
        "本报告不能证明全部所列领域无违法记录。"
    )


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("late", "未能核查：卫生健康单位数据仅至2025年4月30日，不能据此判断有无违法记录"),
        ("never", "未能核查：卫生健康单位尚未归集该项数据"),
        ("line", "未能核查：卫生健康单位有1条涉及该主体的数据待更正"),
    ],
)
def test_each_way_of_not_knowing_has_its_own_sentence_and_names_the_unit(change: str, sentence: str) -> None:
    known = coverage(suzhou(), without=() if change == "line" else ("health",))
    kind = RecordKind.ADMINISTRATIVE_PENALTY
    if change == "late":
        late = Statement("health", "health", kind, date(2015, 1, 1), date(2025, 4, 30))
        known = Coverage(known.responsibilities, (*known.statements, late))
    if change == "line":
        known = Coverage(known.responsibilities, known.statements, (PendingLines("health", "health", kind),))
    row = domain(content(decided(known=known)), "health")
    assert row["text"] == sentence
    assert row["result"] == "not_verifiable"
    assert row["missing_units"] == ["卫生健康单位"]


def test_a_record_in_a_domain_with_broken_coverage_says_that_there_may_be_more() -> None:
    known = coverage(suzhou(), without=("taxation",))
    late = Statement("taxation", "taxation", RecordKind.ADMINISTRATIVE_PENALTY, date(2015, 1, 1), date(2025, 4, 30))
    known = Coverage(known.responsibilities, (*known.statements, late))
    row = domain(content(decided(penalty(), known=known)), "taxation")
    assert row["text"] == "有违法记录1条；税务单位数据仅至2025年4月30日，可能另有记录"
    assert row["result"] == "records_found"


def test_an_excluded_record_is_nowhere_in_the_content() -> None:
    report = content(decided(penalty("秘密", procedure=Procedure.SUMMARY)))
    assert "秘密" not in str(report)
    assert report["records"] == []


def test_a_sealed_record_leaves_no_trace_at_all() -> None:
    assert content(decided(penalty("封存", sealed=True))) == content(decided())


def test_a_record_under_review_is_counted_and_says_so() -> None:
    under_review = penalty(standing=Standing.UNDER_REVIEW, standing_date=date(2025, 1, 3))
    (card,) = content(decided(under_review))["records"]
    assert card["marks"] == ["复议／诉讼中"]
    assert card["standing"] == "复议／诉讼中（2025年1月3日起）"
    assert "行政处罚法" in card["finding"] or "第七十三条" in card["finding"]


def test_an_unknown_procedure_counts_and_is_printed_as_unknown() -> None:
    (card,) = content(decided(penalty(procedure=None)))["records"]
    assert card["procedure"] == "程序未注明"


def test_a_repaired_penalty_counts_before_april_2026_and_stands_among_the_repairs() -> None:
    report = content(decided(penalty(repaired_date=date(2025, 1, 2))))
    assert len(report["records"]) == 1
    assert [r["repaired_date"] for r in report["repairs"]] == ["2025-01-02"]
    repair_row = next(row for row in report["other"] if row["code"] == "credit_repair")
    assert repair_row["text"] == "有信用修复记录1条"


def test_a_repair_without_its_penalty_says_so_in_the_decrees_word() -> None:
    repair = Record("r1", RecordKind.CREDIT_REPAIR, "credit_repair", repaired_date=date(2025, 1, 2))
    (card,) = content(decided(repair))["repairs"]
    assert card["reason"] == "所修复的行政处罚未能与本报告所列违法记录对应"


def test_a_clipped_period_is_told_in_the_notes() -> None:
    report = content(decided(from_date=date(2019, 1, 1)))
    assert "申请的查询期超出政策规定，已按2022年6月2日至2025年6月2日出具。" in report["notes"]
    assert not any("超出政策规定" in note for note in content(decided())["notes"])


def test_an_extension_prints_its_document_only_after_the_decree_has_ended() -> None:
    extended = replace(
        suzhou(), extensions=(Extension("演示延期〔2026〕1号", date(2027, 12, 31), "演示文号，非正式文件"),)
    )
    after = datetime(2026, 11, 20, 9, 0, tzinfo=CHINA)
    case = Case(Request(), FIRM, (), coverage(extended, through=date(2026, 11, 20)), after)
    notes = content(decide(extended, case, default_calendar()), extended)["notes"]
    assert any("演示延期〔2026〕1号" in note and "延期执行" in note for note in notes)
    assert not any("延期执行" in note for note in content(decided())["notes"])


def test_arrears_are_shown_whatever_the_outcome_and_never_change_it() -> None:
    owing = Record(
        "a1",
        RecordKind.SOCIAL_INSURANCE_ARREARS,
        "social_insurance_arrears",
        owing=Decimal("64320"),
        content={"insurance": "养老", "organ_name": "市税务局", "due": "128640", "paid": "64320.00", "owing": "64320"},
    )
    decision = decided(owing)
    report = content(decision)
    assert decision.outcome == "clear"
    assert report["arrears"][0]["owing"] == "64,320.00"
    row = next(r for r in report["other"] if r["code"] == "social_insurance_arrears")
    assert row["text"] == "有欠缴信息1条"


def test_the_forbidden_words_are_never_said_of_a_subject() -> None:
    for decision in (decided(), decided(penalty()), decided(known=coverage(suzhou(), without=("health",)))):
        report = content(decision)
        said = [report["conclusion"]["text"], *(row["text"] for row in (*report["domains"], *report["other"]))]
        for sentence in said:
            assert "守法" not in sentence
            assert "合规" not in sentence
            assert "暂无数据" not in sentence


def test_beside_a_record_one_that_waits_for_its_date_is_told_too() -> None:
    row = domain(content(decided(penalty(), penalty("r2", decision_date=None))), "taxation")
    assert row["text"] == "有违法记录1条；有1条记录的处理结果待核实，可能另有记录"

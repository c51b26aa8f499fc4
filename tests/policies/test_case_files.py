"""Case files are read strictly, and running a case says every way in which the policy decides otherwise."""

from pathlib import Path

import pytest

from xinzheng.adapters.calendar import default_calendar
from xinzheng.adapters.policy_files import load_cases, load_policy, mistakes_of, run_case
from xinzheng.core.errors import PolicyError

POLICY = load_policy("suzhou-2024")
CALENDAR = default_calendar()
DESIGN = """
- name: decided on the first day of the window is counted
  as_of: 2025-06-01
  subject: {kind: enterprise_legal_person}
  request: {domains: [taxation], from: 2023-01-01, to: 2025-06-01}
  units: {taxation: [u1, u2]}
  records:
    - {id: r1, kind: administrative_penalty, domain: taxation, decision_date: 2023-01-01, procedure: ordinary,
       outcome: penalised}
    - {id: r2, kind: administrative_penalty, domain: taxation, decision_date: 2024-02-29, served_date: 2024-03-04,
       procedure: summary, outcome: penalised, standing: withdrawn, standing_date: 2024-06-01,
       repaired_date: 2024-09-01, sealed: true, organ: elsewhere, tie: branch}
  coverage: {full: true, except: [{domain: taxation, unit: u2, kind: administrative_penalty, through: 2024-12-31}]}
  calendar: default
  expect: {outcome: not_clear, domains: {taxation: records_found}, other: {social_insurance_arrears: none_found},
    findings: {r1: counted, r2: {effect: excluded, clause: sealed}}, clipped: false}
"""


def cases_of(tmp_path: Path, text: str):
    path = tmp_path / "cases.yaml"
    path.write_text(text, encoding="utf-8")
    return load_cases(path)


def differences(tmp_path: Path, expect: str, rest: str = "") -> list[str]:
    text = f"""
- name: one penalty
  as_of: 2025-06-01
  records:
    - {{id: r1, kind: administrative_penalty, domain: taxation, decision_date: 2024-05-01, outcome: penalised}}
  expect: {expect}
{rest}"""
    (case,) = cases_of(tmp_path, text)
    return run_case(POLICY, case, CALENDAR)


def test_the_format_of_the_design_is_read_and_runs(tmp_path):
    (case,) = cases_of(tmp_path, DESIGN)
    assert case.name == "decided on the first day of the window is counted"
    assert run_case(POLICY, case, CALENDAR) == []


def test_a_date_time_with_offset_is_read(tmp_path):
    (case,) = cases_of(tmp_path, DESIGN.replace("as_of: 2025-06-01\n", "as_of: 2025-06-01T09:00:00+08:00\n", 1))
    assert run_case(POLICY, case, CALENDAR) == []


@pytest.mark.parametrize(
    ("expect", "message"),
    [
        ("{outcome: clear}", "结论应为 clear，实际为 not_clear"),
        ("{clipped: true}", "clipped 应为 true，实际为 false"),
        ("{domains: {taxation: none_found}}", "领域“taxation”应为 none_found，实际为 records_found"),
        ("{domains: {moon: none_found}}", "领域“moon”应为 none_found，实际为 不在核查范围"),
        ("{other: {credit_repair: records_found}}", "其他核查信息“credit_repair”应为 records_found，实际为 none_found"),
        ("{findings: {r1: excluded}}", "记录“r1”应为 excluded，实际为 counted（条款 procedure-unknown）"),
        ("{findings: {r1: {effect: counted, clause: penalty}}}", "记录“r1”应适用条款 penalty"),
        ("{findings: {r1: {effect: counted, marks: [已变更]}}}", "记录“r1”应注明已变更，实际注明：程序未注明"),
        ("{findings: {r9: counted}}", "记录“r9”应为 counted，实际没有认定"),
        ("{error: policy-expired}", "应被拒绝：policy-expired，实际结论：not_clear"),
    ],
)
def test_each_difference_is_said(tmp_path, expect, message):
    (found,) = differences(tmp_path, expect)
    assert message in found


def test_an_unexpected_refusal_is_a_difference(tmp_path):
    (found,) = differences(tmp_path, "{outcome: clear}", "  request: {domains: [moon]}\n")
    assert "unknown-domain" in found


def test_another_refusal_than_expected_is_a_difference(tmp_path):
    (found,) = differences(tmp_path, "{error: period-empty}", "  request: {domains: [moon]}\n")
    assert "应被拒绝：period-empty，实际被拒绝：unknown-domain" in found


@pytest.mark.parametrize("effect", ["counted", "marked"])
def test_counted_and_marked_both_meet_a_counted_record_with_marks(tmp_path, effect):
    assert differences(tmp_path, f"{{findings: {{r1: {effect}}}}}") == []


def test_marked_is_not_met_by_a_record_without_marks(tmp_path):
    text = DESIGN.replace("{r1: counted,", "{r1: marked,")
    (case,) = cases_of(tmp_path, text)
    assert run_case(POLICY, case, CALENDAR) == ["记录“r1”应为 marked，实际为 counted（条款 penalty）"]


def test_an_exception_that_speaks_of_nobody_is_said(tmp_path):
    (case,) = cases_of(tmp_path, DESIGN.replace("unit: u2, kind", "unit: u7, kind"))
    assert run_case(POLICY, case, CALENDAR) == ["coverage 写到的taxation·u7在本用例中没有责任"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("calendar: default", "calender: default", "不认识的键“calender”"),
        ("calendar: default", "calendar: mine", "“mine”不在可用的值"),
        ("as_of: 2025-06-01\n", "as_of: 2025-06-01T09:00:00\n", "带时区的时间"),
        ("decision_date: 2023-01-01", "decision_date: 2022-09-31", "没有“2022-09-31”这一天"),
        ("procedure: ordinary", "procedure: odd", "“odd”不在可用的值"),
        ("{id: r1, kind", "{kind", "缺少必需的键“id”"),
        ("{id: r2, kind", "{id: r1, kind", "记录“r1”写了两次"),
        ("domain: taxation, decision_date: 2023", "decision_date: 2023", "缺少必需的键“domain”"),
        ("r1: counted", "r1: kept", "“kept”不在可用的值"),
        ("outcome: not_clear", "outcome: guilty", "“guilty”不在可用的值"),
        ("coverage: {full: true", "coverage: {fool: true", "不认识的键“fool”"),
        ("{domain: taxation, unit: u2, kind", "{unit: u2, kind", "缺少必需的键“domain”"),
        ("clipped: false", "clipped: perhaps", "应为true 或 false"),
        ("outcome: not_clear,", "error: policy-expired, outcome: not_clear,", "不能再写其他预期"),
        ("sealed: true", "owing: much", "应为金额"),
    ],
)
def test_a_mistake_in_a_case_file_is_named_with_its_line(tmp_path, old, new, message):
    assert old in DESIGN
    text = DESIGN.replace(old, new, 1)
    found = mistakes_of(lambda: cases_of(tmp_path, text))
    assert [m for m in found if message in m.message and m.line > 1], [str(m) for m in found]


def test_an_empty_expectation_is_refused(tmp_path):
    with pytest.raises(PolicyError, match="至少要写一项"):
        cases_of(tmp_path, "- {name: a, as_of: 2025-06-01, expect: {}}")


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(PolicyError, match="无法读取用例文件"):
        load_cases(tmp_path / "none.yaml")


def test_a_key_that_is_null_is_unknown_where_the_default_is_known(tmp_path):
    (case,) = cases_of(tmp_path, DESIGN.replace("sealed: true, organ: elsewhere", "sealed: null, organ: null"))
    assert (case.records[1].sealed, case.records[1].organ, case.records[0].sealed) == (None, None, False)

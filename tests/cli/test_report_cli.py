"""``xinzheng report``: replay, explain, revoke and review what was issued."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.small_city import SmallCity, build_small_city, uscc
from xinzheng.apps.reports.issuing import Order, issue_report
from xinzheng.cli import main
from xinzheng.core.decision import Request

pytestmark = pytest.mark.django_db
FIRM = uscc(1)


@pytest.fixture
def city(db: None, tmp_path: Path) -> SmallCity:
    small = build_small_city(tmp_path, units_per_domain=1)
    small.declare_everything()
    small.firm(FIRM)
    return small


def issued(city: SmallCity) -> str:
    return issue_report(Order("suzhou-2024", city.firm(FIRM), Request(), "test")).number


def test_a_replay_is_the_same_also_after_the_ledger_went_on(
    city: SmallCity, capsys: pytest.CaptureFixture[str]
) -> None:
    number = issued(city)
    city.submit([city.penalty(FIRM)])
    capsys.readouterr()
    assert main(["report", "replay", number, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["number"] == number
    assert answer["same"] is True
    assert answer["digest"] == answer["replayed_digest"]


def test_people_read_that_it_is_the_same(city: SmallCity, capsys: pytest.CaptureFixture[str]) -> None:
    number = issued(city)
    capsys.readouterr()
    assert main(["report", "replay", number]) == 0
    assert "一致：按出具时的账本复现，内容完全相同。" in capsys.readouterr().out


def test_an_unknown_number_is_refused_in_chinese(city: SmallCity, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["report", "replay", "SZ202601010000001X", "--json"]) == 1
    told = capsys.readouterr()
    assert "请核对编号" in told.err
    assert json.loads(told.out)["error"]["code"] == "unknown-report"


@pytest.mark.parametrize(
    "arguments",
    [
        ["report"],
        ["report", "replay"],
        ["report", "amend", "X"],
        ["report", "explain"],
        ["report", "revoke", "SZ2026010100000011"],
        ["report", "revoke", "SZ2026010100000011", "--reason", "whim"],
    ],
)
def test_wrong_use_ends_with_two(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "用法：" in capsys.readouterr().err


def test_a_number_may_be_typed_in_small_letters(city: SmallCity, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "replay", issued(city).lower()]) == 0


def answer_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    capsys.readouterr()
    code = main(["report", *arguments, "--json"])
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return code, answer


def weighed(city: SmallCity) -> str:
    """A report on four records: counted, of a summary procedure, before the period, and one nobody may be told of."""
    city.submit(
        [
            city.penalty(FIRM, "计入号"),
            city.penalty(FIRM, "简易号", 程序="简易程序"),
            city.penalty(FIRM, "早年号", 处罚决定日期="2019-01-02"),
        ]
    )
    city.submit([city.penalty(FIRM, "封存号") | {"依法封存": "是"}])
    return issued(city)


def test_explaining_names_clause_and_citation_of_every_finding(
    city: SmallCity, capsys: pytest.CaptureFixture[str]
) -> None:
    code, answer = answer_of(capsys, "explain", weighed(city))
    assert code == 0
    found = {finding["document_number"]: finding for finding in answer["findings"]}
    assert {number: f["effect"] for number, f in found.items()} == {
        "计入号": "counted",
        "简易号": "excluded",
        "早年号": "excluded",
    }
    for finding in found.values():
        assert all(finding[key] for key in ("clause", "reason", "source", "organ", "domain_name"))
        assert finding["basis"] in ("statute", "judgement")
    assert found["简易号"]["quote"]
    assert len(answer["domains"]) == 20
    assert [step["status"] for step in answer["history"]] == ["prepared", "in_force"]
    assert "封存号" not in json.dumps(answer, ensure_ascii=False)


def test_people_read_the_explanation(city: SmallCity, capsys: pytest.CaptureFixture[str]) -> None:
    number = weighed(city)
    capsys.readouterr()
    assert main(["report", "explain", number]) == 0
    text = capsys.readouterr().out
    for said in ("逐条认定（3条）", "条款 ", "条文明确规定", "简易号", "报告状态", "正常", "政策 suzhou-2024"):
        assert said in text
    assert "封存号" not in text


def test_a_report_is_revoked_once_with_its_reason(city: SmallCity, capsys: pytest.CaptureFixture[str]) -> None:
    number = issued(city)
    code, answer = answer_of(capsys, "revoke", number, "--reason", "subject-wrong")
    assert (code, answer) == (0, {"number": number, "status": "revoked", "reason": "subject-wrong"})
    code, answer = answer_of(capsys, "revoke", number, "--reason", "subject-wrong")
    assert (code, answer["error"]["code"]) == (1, "report-transition-illegal")
    code, answer = answer_of(capsys, "revoke", "SZ202601010000001X", "--reason", "subject-wrong")
    assert (code, answer["error"]["code"]) == (1, "unknown-report")


def test_reviewing_says_how_many_reports_were_superseded(city: SmallCity, capsys: pytest.CaptureFixture[str]) -> None:
    number = issued(city)
    city.submit([city.penalty(FIRM)])
    code, answer = answer_of(capsys, "review")
    assert (code, answer["flagged"], answer["superseded"], answer["stands"]) == (0, 1, 1, 0)
    assert main(["report", "review"]) == 0
    assert "没有需要复核的报告" in capsys.readouterr().out
    assert answer_of(capsys, "explain", number)[1]["history"][-1]["status"] == "superseded"

"""``xinzheng decide``: the keys other people rely on, the exit codes, and errors in Chinese."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.small_city import SmallCity, build_small_city, today, uscc
from xinzheng.apps.reports.models import Report
from xinzheng.cli import main

pytestmark = pytest.mark.django_db
FIRM = uscc(1)


@pytest.fixture
def city(db: None, tmp_path: Path) -> SmallCity:
    small = build_small_city(tmp_path)
    small.firm(FIRM)
    return small


def decided(capsys: pytest.CaptureFixture[str], *more: str) -> dict[str, Any]:
    capsys.readouterr()
    assert main(["decide", "--policy", "suzhou-2024", "--subject", FIRM, *more, "--json"]) == 0
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


def test_the_answer_has_the_promised_keys(city: SmallCity, capsys: pytest.CaptureFixture[str]) -> None:
    city.declare_everything()
    city.submit([city.penalty(FIRM, "一号"), city.penalty(FIRM, "二号", 程序="简易程序")])
    answer = decided(capsys)
    assert {"outcome", "domains", "other", "findings", "policy", "as_of", "position"} <= set(answer)
    assert answer["outcome"] == "not_clear"
    assert set(answer["policy"]) == {"id", "sha256"}
    assert answer["as_of"].endswith("+08:00")
    assert isinstance(answer["position"], int)
    assert len(answer["domains"]) == 20
    for row in (*answer["domains"], *answer["other"]):
        assert {"code", "name", "result", "data_as_of", "missing_units"} <= set(row)
    found = {(f["effect"], f["clause"], f["domain"]) for f in answer["findings"]}
    assert found == {("counted", "penalty", "taxation"), ("excluded", "summary-procedure", "taxation")}
    assert all(isinstance(f["record"], str) for f in answer["findings"])
    assert Report.objects.count() == 0


def test_whatever_the_outcome_the_exit_code_is_nought_and_missing_units_are_names(
    city: SmallCity, capsys: pytest.CaptureFixture[str]
) -> None:
    city.declare_everything(without=[("taxation", city.unit("taxation"))])
    answer = decided(capsys)
    assert answer["outcome"] == "not_verifiable"
    rows = {row["code"]: row for row in answer["domains"]}
    assert (rows["taxation"]["result"], rows["taxation"]["missing_units"]) == ("not_verifiable", ["市税务局"])
    assert rows["taxation"]["data_as_of"] is None
    assert (rows["health"]["result"], rows["health"]["missing_units"]) == ("none_found", [])
    assert rows["health"]["data_as_of"] == today().isoformat()


def test_domains_and_period_can_be_chosen(city: SmallCity, capsys: pytest.CaptureFixture[str]) -> None:
    city.declare_everything()
    answer = decided(capsys, "--domains", "taxation, health", "--from", "2020-01-01")
    assert [row["code"] for row in answer["domains"]] == ["health", "taxation"]
    assert answer["clipped"] is True


def test_an_assumed_time_is_labelled_a_rehearsal(city: SmallCity, capsys: pytest.CaptureFixture[str]) -> None:
    city.declare_everything()
    capsys.readouterr()
    arguments = ["decide", "--policy", "suzhou-2024", "--subject", FIRM, "--as-of", "2025-06-03", "--json"]
    assert main(arguments) == 0
    told = capsys.readouterr()
    assert "试算" in told.err
    answer = json.loads(told.out)
    assert answer["rehearsal"] is True
    assert answer["as_of"] == "2025-06-03T23:59:59+08:00"


def test_a_sealed_record_is_nowhere_in_the_answer(city: SmallCity, capsys: pytest.CaptureFixture[str]) -> None:
    city.declare_everything()
    before = decided(capsys)
    city.submit([city.penalty(FIRM, "绝密一号", 依法封存="是")])
    after = decided(capsys)
    assert "绝密一号" not in json.dumps(after, ensure_ascii=False)
    for answer in (before, after):
        answer.pop("as_of")
        answer.pop("position")
    assert after == before


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"--policy": "beijing-1999"}, "unknown-policy"),
        ({"--subject": uscc(99)}, "unknown-subject"),
        ({"--domains": "sorcery"}, "unknown-domain"),
        ({"--from": "2026-02-01", "--to": "2026-01-01"}, "period-empty"),
        ({"--as-of": "2023-01-01"}, "policy-not-yet-in-force"),
        ({"--as-of": "2029-01-01"}, "policy-expired"),
        ({"--policy": "huzhou-2023", "--domains": "taxation"}, "choice-not-offered"),
    ],
)
def test_a_refusal_ends_with_one_says_why_in_chinese_and_gives_its_code(
    city: SmallCity, capsys: pytest.CaptureFixture[str], changes: dict[str, str], code: str
) -> None:
    capsys.readouterr()
    given = {"--policy": "suzhou-2024", "--subject": FIRM} | changes
    assert main(["decide", *(part for pair in given.items() for part in pair), "--json"]) == 1
    told = capsys.readouterr()
    assert any("\u4e00" <= letter <= "\u9fff" for letter in told.err)
    assert FIRM not in told.err
    problem = json.loads(told.out)["error"]
    assert problem["code"] == code
    assert problem["message"] in told.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["decide"],
        ["decide", "--policy", "suzhou-2024"],
        ["decide", "--policy", "suzhou-2024", "--subject", FIRM, "--from", "2024-02-30"],
        ["decide", "--policy", "suzhou-2024", "--subject", FIRM, "--as-of", "yesterday"],
        ["decide", "--policy", "suzhou-2024", "--subject", FIRM, "--tick", "r1"],
    ],
)
def test_wrong_use_ends_with_two(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "用法：" in capsys.readouterr().err


def test_people_read_a_conclusion_a_line_for_each_domain_and_the_reasons(
    city: SmallCity, capsys: pytest.CaptureFixture[str]
) -> None:
    city.declare_everything()
    city.submit([city.penalty(FIRM, "二号", 程序="简易程序")])
    capsys.readouterr()
    assert main(["decide", "--policy", "suzhou-2024", "--subject", FIRM]) == 0
    told = capsys.readouterr().out
    assert "○ 税务：未查询到违法记录（数据截至" in told
    assert "没有计入：二号，因为它是依据简易程序作出的行政处罚" in told


def test_people_read_the_period_and_that_a_wider_one_was_cut(
    city: SmallCity, capsys: pytest.CaptureFixture[str]
) -> None:
    city.declare_everything()
    ask = ["decide", "--policy", "suzhou-2024", "--subject", FIRM]
    said = []
    for more in ([], ["--from", "2010-01-01"]):
        capsys.readouterr()
        assert main([*ask, *more]) == 0
        said.append(capsys.readouterr().out.splitlines()[1])
    assert said[0].startswith("查询期：")
    assert said[1] == f"{said[0]}（申请的查询期超出政策规定，已按此核查）"

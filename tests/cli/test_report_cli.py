"""``xinzheng report replay``: the report follows from the ledger exactly as it was issued."""

import json
from pathlib import Path

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


@pytest.mark.parametrize("arguments", [["report"], ["report", "replay"], ["report", "amend", "X"]])
def test_wrong_use_ends_with_two(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "用法：" in capsys.readouterr().err


def test_a_number_may_be_typed_in_small_letters(city: SmallCity, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "replay", issued(city).lower()]) == 0

"""``xinzheng units``: one line or object for each unit in each domain."""

import json

import pytest

from xinzheng.cli import main
from xinzheng.core.identifiers import check_uscc

pytestmark = pytest.mark.django_db


def test_units_are_listed_once_for_each_responsibility(capsys: pytest.CaptureFixture[str]) -> None:
    main(["city", "init", "suzhou"])
    capsys.readouterr()
    assert main(["units", "--policy", "suzhou-2024", "--json"]) == 0
    units = json.loads(capsys.readouterr().out)["units"]
    assert len(units) == 172
    assert all(set(unit) == {"uscc", "name", "domain", "kinds"} and check_uscc(unit["uscc"]).ok for unit in units)
    assert [u["name"] for u in units if u["domain"] == "water_affairs"][:2] == ["市水务局", "张家港市水务局"]
    assert [u["kinds"] for u in units if u["domain"] == "credit_repair"] == [["credit_repair"]]
    assert len([u for u in units if u["name"] == "市人社局"]) == 2


def test_kinds_of_one_domain_are_gathered(capsys: pytest.CaptureFixture[str]) -> None:
    main(["city", "init", "huzhou"])
    capsys.readouterr()
    assert main(["units", "--policy", "huzhou-2023", "--json"]) == 0
    units = json.loads(capsys.readouterr().out)["units"]
    assert len(units) == 52
    assert len({unit["domain"] for unit in units}) == 40
    assert all(unit["kinds"] == ["administrative_penalty", "other_determination"] for unit in units)


def test_people_read_one_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    main(["city", "init", "huzhou"])
    capsys.readouterr()
    assert main(["units", "--policy", "huzhou-2023"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 52


def test_a_policy_without_units_says_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["units", "--policy", "suzhou-2024", "--json"]) == 1
    told = capsys.readouterr()
    assert "xinzheng city init" in told.err
    assert json.loads(told.out)["error"]["code"] == "no-responsible-units"

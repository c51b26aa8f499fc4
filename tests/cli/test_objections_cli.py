"""``xinzheng objections``: lists, one objection, the sweeps, the terms and the drawn page of states."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings

from tests import told_time
from tests.redress_city import FIRM, NAME, RedressCity, build_redress_city, do, lodge_one
from tests.small_city import uscc
from xinzheng.cli import main
from xinzheng.core.objections import Act, Ground

MONDAY = date(2026, 6, 1)
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def city(db: None, tmp_path: Path, settings: LazySettings) -> Iterator[RedressCity]:
    settings.XINZHENG_CLOCK = "tests.told_time.now"
    told_time.tell(MONDAY)
    yield build_redress_city(tmp_path)
    told_time.forget()


def told(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    assert main(["objections", *words, "--json"]) == 0
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


def test_objections_are_listed_shown_and_swept(city: RedressCity, capsys: pytest.CaptureFixture[str]) -> None:
    number = lodge_one(city).number
    do(city, number, Act.ACCEPT, "office")
    waiting = lodge_one(city, Ground.MISSING).number
    do(city, waiting, Act.ASK, "office", reason="请附修复决定书")
    told_time.tell(date(2026, 6, 16))
    rows = told(capsys, "list")["objections"]
    assert [(row["number"], row["clock"]["over"]) for row in rows] == [(number, True), (waiting, False)]
    assert main(["objections", "list", "--unit", city.city.unit("water_affairs"), "--subject", FIRM]) == 0
    line = capsys.readouterr().out
    assert f"{number}  数源单位核实  内容有误  市水务局  已超期，限10日，已用11个工作日" in line
    assert waiting not in line
    shown = told(capsys, "show", waiting)
    assert [step["act"] for step in shown["steps"]] == ["lodge", "ask"]
    assert main(["objections", "show", waiting]) == 0
    text = capsys.readouterr().out
    assert "信用办工作人员  要求补充  请附修复决定书" in text
    assert NAME not in text + line
    assert "罚款金额写错了" not in text
    swept = {"lapsed": 1, "delivered": 0, "told": 2, "undone_told": 0}
    assert told(capsys, "sweep") == swept
    assert told(capsys, "sweep") == dict.fromkeys(swept, 0)
    assert told(capsys, "list")["objections"][0]["number"] == number
    assert len(told(capsys, "list", "--all")["objections"]) == 2


def test_what_is_asked_wrongly_is_refused(city: RedressCity, capsys: pytest.CaptureFixture[str]) -> None:
    assert city.firm
    for words, code in (
        (["show", "Y20260601-0009"], "unknown-objection"),
        (["list", "--unit", uscc(99)], "unknown-unit"),
        (["list", "--subject", uscc(99)], "unknown-subject"),
        (["sweep", "--on", "2026-06-02"], "day-in-future"),
    ):
        assert main(["objections", *words, "--json"]) == 1
        assert code in "".join(capsys.readouterr())


def test_the_page_of_states_is_what_the_program_does(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["objections", "diagram"]) == 0
    kept = (ROOT / "docs" / "objection-states.md").read_text(encoding="utf-8")
    assert capsys.readouterr().out == kept, "xinzheng objections diagram > docs/objection-states.md"


def test_the_terms_are_listed_and_a_mistake_is_told_with_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert told(capsys, "terms")["terms"][0]["whole"] == 10
    assert main(["objections", "terms"]) == 0
    assert "系统理解：通用规则" in capsys.readouterr().out
    wrong = tmp_path / "redress.yaml"
    wrong.write_text("format: xinzheng.redress/1\nterms: []\n", encoding="utf-8")
    assert main(["objections", "terms", "--file", str(wrong)]) == 1
    assert f"{wrong}:1：缺少必需的键“marking”" in capsys.readouterr().err
    assert main(["objections", "terms", "--file", str(wrong), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["ok"] is False

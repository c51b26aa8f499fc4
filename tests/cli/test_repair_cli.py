"""``xinzheng repair``: the dated rules and their check, and what they say of a subject's records."""

import json
from pathlib import Path

import pytest

from tests.small_city import build_small_city, uscc
from xinzheng.adapters.policy_files import policies_folder
from xinzheng.cli import main


def test_the_shipped_rules_are_sound_listed_and_called_second_hand(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["repair", "rules", "--check"]) == 0
    told = capsys.readouterr()
    assert "3段规则，首尾相接，没有错误" in told.out
    assert "没有核对发布机关的原文" in told.err
    assert main(["repair", "rules"]) == 0
    assert "（转述，未核对原文）" in capsys.readouterr().out
    assert main(["repair", "rules", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert [rule["second_hand"] for rule in facts["rules"]] == [True, True, True]


def test_a_mistake_is_told_with_file_and_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = tmp_path / "repair.yaml"
    text = (policies_folder() / "repair.yaml").read_text(encoding="utf-8")
    broken.write_text(text.replace("shortest_months: 12", "shortest_months: 99"), encoding="utf-8")
    assert main(["repair", "rules", "--check", "--file", str(broken)]) == 1
    assert f"{broken}:" in capsys.readouterr().err
    assert main(["repair", "rules", "--file", str(broken), "--json"]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert (answer["ok"], {error["file"] for error in answer["errors"]}) == (False, {str(broken)})


@pytest.mark.django_db
def test_guidance_for_a_subject_names_no_code_and_every_class(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    city = build_small_city(tmp_path, units_per_domain=1)
    city.declare_everything()
    city.submit([city.penalty(uscc(1), "一号")])
    assert main(["repair", "guidance", "--subject", uscc(1)]) == 0
    said = capsys.readouterr().out
    assert "少缴税款（税务）：由认定单位确定（严重失信信息、一般失信信息）" in said
    assert uscc(1) not in said
    assert main(["repair", "guidance", "--subject", uscc(1), "--on", "2026-03-01", "--json"]) == 0
    (record,) = json.loads(capsys.readouterr().out)["records"]
    assert record["guidance"]["rule"]["id"] == "ndrc-58-2023"
    assert main(["repair", "guidance", "--subject", uscc(9)]) == 1
    assert "没有找到这个代码对应的主体" in capsys.readouterr().err

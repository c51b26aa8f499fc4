"""`xinzheng policy`: what a legal officer and another city's engineer see."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import xinzheng
from xinzheng.adapters.policy_files import list_policies, pack_folder
from xinzheng.cli.main import main

ONE_CASE = """
- name: 不予行政处罚的不计入
  as_of: 2025-06-01
  records:
    - {{id: r1, kind: administrative_penalty, domain: taxation, decision_date: 2024-05-01, outcome: not_penalised}}
  expect: {{outcome: {outcome}}}
"""


def run_json(capsys, *arguments: str):
    code = main([*arguments, "--json"])
    return code, json.loads(capsys.readouterr().out)


def broken_pack(tmp_path: Path) -> Path:
    text = (pack_folder("suzhou-2024") / "policy.yaml").read_text(encoding="utf-8")
    path = tmp_path / "policy.yaml"
    path.write_text(text.replace("equals: summary", "equals: quick"), encoding="utf-8")
    return path


def test_check_accepts_every_shipped_pack(capsys):
    code, answer = run_json(capsys, "policy", "check")
    assert code == 0
    assert answer["ok"] is True
    assert [p["id"] for p in answer["policies"]] == list(list_policies())
    assert all(p["cases"] >= 30 and p["errors"] == [] for p in answer["policies"])


def test_check_of_huzhou_reports_the_gap_and_the_missing_annex(capsys):
    assert main(["policy", "check", "huzhou-2023"]) == 0
    assert "称44个领域，列明40个；附件未提供" in capsys.readouterr().out
    _, answer = run_json(capsys, "policy", "check", "huzhou-2023")
    (pack,) = answer["policies"]
    assert (pack["claimed_domains"], pack["domains"]) == (44, 40)
    assert any("附件未提供" in warning["message"] for warning in pack["warnings"])


def test_check_of_a_broken_file_names_the_line_and_fails(capsys, tmp_path):
    path = broken_pack(tmp_path)
    assert main(["policy", "check", "--file", str(path)]) == 1
    out, err = capsys.readouterr()
    assert "处错误" in err
    line = path.read_text(encoding="utf-8").split("equals: quick")[0].count("\n") + 1
    assert f"{path}:{line}：“quick”不在可用的值之中" in out
    code, answer = run_json(capsys, "policy", "check", "--file", str(path))
    assert code == 1
    assert answer["policies"][0]["errors"][0]["line"] == line


def test_check_of_a_pack_with_a_broken_case_file_fails(capsys, tmp_path):
    folder = tmp_path / "suzhou-2024"
    (folder / "cases").mkdir(parents=True)
    (folder / "policy.yaml").write_bytes((pack_folder("suzhou-2024") / "policy.yaml").read_bytes())
    (folder / "cases" / "a.yaml").write_text("- {name: a, as_of: 2025-06-01, expect: {outcome: maybe}}\n")
    assert main(["policy", "check", str(folder)]) == 1
    assert "a.yaml:1：“maybe”" in capsys.readouterr().out


def test_show_prints_each_clause_with_effect_citation_and_basis(capsys):
    assert main(["policy", "show", "suzhou-2024"]) == 0
    out = capsys.readouterr().out
    assert "summary-procedure　不计入" in out
    assert "适用于：处罚程序是简易程序" in out
    assert "依据【政策原文】苏府规字〔2024〕1号　三、适用范围" in out
    assert "原文：“对企业行为依据简易程序作出的行政处罚和已依法不予行政处罚的，不列入违法记录。”" in out
    assert "【系统理解】信用修复管理办法" in out
    assert "自2026-04-01起" in out
    assert "20. 消防安全（fire_safety）　责任单位：市消防救援支队，各县级市（区）" in out


def test_show_as_json_holds_clauses_and_digest(capsys):
    code, facts = run_json(capsys, "policy", "show", "huzhou-2023")
    assert code == 0
    assert facts["id"] == "huzhou-2023"
    assert len(facts["sha256"]) == 64
    assert {c["id"]: c["effect"] for c in facts["clauses"]}["outcome-unknown"] == "unresolved"
    assert facts["clauses"][-1]["when"] == "一切记录"


@pytest.mark.parametrize("pack", list_policies())
def test_the_cases_of_a_pack_pass(capsys, pack):
    code, answer = run_json(capsys, "policy", "cases", pack)
    assert code == 0
    assert answer["failed"] == []
    assert answer["cases"] == answer["passed"] >= 30


def test_a_case_file_from_outside_runs_against_a_pack(capsys, tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(ONE_CASE.format(outcome="clear"), encoding="utf-8")
    assert main(["policy", "cases", "suzhou-2024", "--file", str(path)]) == 0
    assert "全部符合预期" in capsys.readouterr().out


def test_a_failing_case_prints_its_place_and_difference_and_fails(capsys, tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(ONE_CASE.format(outcome="not_clear"), encoding="utf-8")
    assert main(["policy", "cases", "suzhou-2024", "--file", str(path)]) == 1
    out, err = capsys.readouterr()
    assert "有1个用例不符合预期" in err
    assert f"{path}:2 不予行政处罚的不计入" in out
    assert "结论应为 not_clear，实际为 clear" in out
    code, answer = run_json(capsys, "policy", "cases", "suzhou-2024", "--file", str(path))
    assert (code, answer["passed"], answer["failed"][0]["line"]) == (1, 0, 2)


def test_a_case_file_without_a_pack_is_refused(capsys, tmp_path):
    assert main(["policy", "cases", "--file", str(tmp_path / "mine.yaml")]) == 1
    assert "请写明政策包编号" in capsys.readouterr().err


def test_an_unknown_pack_is_refused_naming_those_there_are(capsys):
    assert main(["policy", "show", "atlantis"]) == 1
    assert "suzhou-2024" in capsys.readouterr().err
    assert main(["policy", "check", "atlantis"]) == 1


def test_wrong_use_ends_with_two():
    with pytest.raises(SystemExit) as ended:
        main(["policy", "dance"])
    assert ended.value.code == 2


def test_the_command_needs_neither_database_nor_django():
    run = "from xinzheng.cli.main import main; main(['policy', 'check'])"
    program = f"import sys; {run}; sys.exit('django' in sys.modules)"
    environment = os.environ | {"PYTHONPATH": str(Path(xinzheng.__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False, env=environment, text=True)
    assert (done.returncode, done.stderr) == (0, "")

"""``xinzheng subjects import``: accounts for every line and says what to mend."""

import json
from pathlib import Path

import pytest

from xinzheng.apps.registry.models import Subject
from xinzheng.cli import main

pytestmark = pytest.mark.django_db

GOOD = "91320594MA0000015J"


def written(folder: Path, *lines: str) -> str:
    path = folder / "名录.csv"
    path.write_text("\n".join(["name,code,kind,legal_representative,status,established,address", *lines]), "utf-8")
    return str(path)


def test_an_import_answers_with_counts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path, f"甲公司,{GOOD},enterprise_legal_person,乙,存续,2020-01-01,路")
    assert main(["subjects", "import", path, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == {
        "lines": 1, "new": 1, "changed": 0, "identical": 0, "rejected": 0, "defects": [], "position": 1,
    }  # fmt: skip
    assert main(["subjects", "import", path]) == 0
    assert capsys.readouterr().out == "共1行：新增0，变更0，相同1，退回0。\n"


def test_rejected_lines_end_with_one_and_their_reasons(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path, f"甲公司,{GOOD},,,,,", f"乙公司,{GOOD[:-1]}0,,,,2022-09-31,")
    assert main(["subjects", "import", path, "--json"]) == 1
    told = capsys.readouterr()
    found = json.loads(told.out)
    assert (found["new"], found["rejected"]) == (1, 1)
    assert {(d["line"], d["field"]) for d in found["defects"]} == {(3, "code"), (3, "established")}
    assert "第3行 established：“2022-09-31”不是存在的日期" in told.err
    assert Subject.objects.count() == 1


def test_many_defects_are_cut_short_for_people(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path, *["甲公司,错,,,,,"] * 30)
    assert main(["subjects", "import", path]) == 1
    told = capsys.readouterr()
    assert "退回30" in told.out
    assert len(told.err.splitlines()) == 21
    assert "另有10个问题" in told.err


def test_an_unreadable_file_changes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "名录.csv"
    path.write_bytes(b"%PDF-1.7\x00")
    assert main(["subjects", "import", str(path)]) == 1
    assert "名录.csv" in capsys.readouterr().err
    assert not Subject.objects.exists()


def test_wrong_use_ends_with_two(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["subjects", "import"])
    assert ended.value.code == 2
    assert "缺少必填参数" in capsys.readouterr().err

"""``xinzheng subjects``: accounts for every line and says what to mend; decides on the review queue."""

import io
import json
from pathlib import Path

import pytest

from tests.bare_objection import lodged
from tests.small_city import uscc
from xinzheng.apps.accounts.actions import NewAccount, open_account
from xinzheng.apps.accounts.models import Role
from xinzheng.apps.audit.actions import open_entry, take_position
from xinzheng.apps.codes.models import MailAddress
from xinzheng.apps.redress.models import StepWords
from xinzheng.apps.redress.words import keep_words
from xinzheng.apps.registry.actions import Sighting, register_person, register_unknown_subjects
from xinzheng.apps.registry.keys import HOLDERS
from xinzheng.apps.registry.models import Subject
from xinzheng.apps.registry.queries import find_subject
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


def queued(*codes: str) -> list[int]:
    entry = open_entry(kind="batch", by="test")
    ids = register_unknown_subjects([Sighting(code, f"企业{code[-1]}") for code in codes], entry=entry)
    take_position(entry)
    return [ids[code] for code in codes]


def test_the_review_queue_is_listed_a_page_at_a_time(capsys: pytest.CaptureFixture[str]) -> None:
    first, second = queued(uscc(1), uscc(2))
    assert main(["subjects", "review", "list", "--limit", "1", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert ([item["identifier"] for item in told["items"]], told["next"]) == ([uscc(1)], first)
    assert main(["subjects", "review", "list", "--after", str(first)]) == 0
    assert capsys.readouterr().out.startswith(f"{second}　{uscc(2)}　企业")
    assert main(["subjects", "review", "list", "--state", "rejected"]) == 0
    assert capsys.readouterr().out == "没有符合条件的主体。\n"


def test_items_are_confirmed_linked_and_rejected_once(capsys: pytest.CaptureFixture[str]) -> None:
    real, typed, nobody = (str(item) for item in queued(uscc(1), uscc(2), uscc(3)))
    kind = "enterprise_legal_person"
    assert main(["subjects", "review", "confirm", real, "--name", "甲有限公司", "--kind", kind]) == 0
    assert main(["subjects", "review", "link", typed, "--to", uscc(1), "--why", "错录"]) == 0
    assert main(["subjects", "review", "reject", nobody, "--why", "测试数据"]) == 0
    assert main(["subjects", "review", "list"]) == 0
    assert capsys.readouterr().out.endswith("没有符合条件的主体。\n")
    assert main(["subjects", "review", "reject", nobody, "--why", "测试数据"]) == 1
    assert "已经处理过" in capsys.readouterr().err
    assert main(["subjects", "review", "link", typed, "--to", uscc(9), "--why", "错录"]) == 1
    assert "没有该代码" in capsys.readouterr().err
    assert main(["subjects", "withdraw", uscc(2), uscc(1), "--kind", "mistyped", "--why", "认错了"]) == 0
    assert main(["subjects", "withdraw", uscc(2), uscc(1), "--kind", "mistyped", "--why", "认错了"]) == 1


def test_the_key_is_rotated(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["subjects", "rotate-key", "--json"]) == 0
    rewrapped = json.loads(capsys.readouterr().out)["rewrapped"]
    assert rewrapped == {"registry_personidentity": 0} | dict.fromkeys(HOLDERS, 0)
    assert main(["subjects", "rotate-key"]) == 0
    assert "请立即备份密钥目录" in capsys.readouterr().out


def test_the_number_key_is_rotated(capsys: pytest.CaptureFixture[str]) -> None:
    subject_id = register_person("330502199001010014", "示例甲", by="test")
    assert main(["subjects", "rotate-number-key", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"persons": 1, "contacts": 0}
    assert main(["subjects", "rotate-number-key"]) == 0
    assert "重新计算1个身份号码、0个手机号码" in capsys.readouterr().out
    assert find_subject("330502199001010014") == subject_id


def test_a_person_is_erased_by_a_number_that_is_not_on_the_command_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    number = "330502199001010014"
    subject_id = register_person(number, "示例甲乙", by="test")
    keep_words(lodged(subject=subject_id), "示例甲乙不服")
    account = open_account(NewAccount("person", "示＊＊＊", Role.SUBJECT_AGENT, person_id=subject_id), by="test")
    MailAddress.objects.create(
        account_id=account.pk, wrapped_key=b"k", address_ct=b"a", confirmed_at=account.created_at
    )
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{number}\n"))
    assert main(["subjects", "erase"]) == 1
    assert StepWords.objects.count() == 1
    told = capsys.readouterr().out
    assert f"示＊＊＊　330502********0014（内部编号{subject_id}）" in told
    assert find_subject(number) == subject_id
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{number}\n"))
    assert main(["subjects", "erase", "--yes"]) == 0
    assert find_subject(number) is None
    assert StepWords.objects.count() == 0
    assert not MailAddress.objects.exists()
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{number}\n"))
    assert main(["subjects", "erase", "--yes"]) == 1
    assert number not in "".join(capsys.readouterr())

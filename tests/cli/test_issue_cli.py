"""``xinzheng issue``: a signed file, the promised keys, one report per key, and nothing left behind by a refusal."""

import json
import uuid
from pathlib import Path
from typing import Any

import pytest

from tests.small_city import SmallCity, build_small_city, uscc
from xinzheng.adapters.pdf import read_attachment
from xinzheng.apps.reports.models import DayCounter, Report
from xinzheng.cli import main
from xinzheng.core.lifecycle import is_report_number

pytestmark = pytest.mark.django_db
FIRM = uscc(1)
ORDER = ("issue", "--policy", "suzhou-2024", "--subject", FIRM)


@pytest.fixture
def city(db: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> SmallCity:
    small = build_small_city(tmp_path, units_per_domain=1)
    small.declare_everything()
    small.firm(FIRM)
    capsys.readouterr()
    return small


def issued(capsys: pytest.CaptureFixture[str], path: Path, *more: str) -> dict[str, Any]:
    capsys.readouterr()
    assert main([*ORDER, "--out", str(path), *more, "--json"]) == 0
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


def test_the_answer_has_the_promised_keys_and_the_file_holds_what_was_digested(
    city: SmallCity, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    answer = issued(capsys, tmp_path / "报告.pdf")
    promised = {"outcome", "domains", "other", "findings", "policy", "as_of", "position"}
    assert promised | {"number", "code", "digest", "file"} <= set(answer)
    assert is_report_number(answer["number"])
    assert len(answer["code"]) == 12
    assert answer["file"] == str(tmp_path / "报告.pdf")
    report = Report.objects.get(pk=answer["number"])
    assert answer["digest"] == bytes(report.digest).hex()
    assert answer["position"] == report.position
    assert read_attachment((tmp_path / "报告.pdf").read_bytes()) == bytes(report.content)
    assert [p.name for p in tmp_path.glob(".*")] == []


@pytest.mark.parametrize("what", ["counted", "unknown"])
def test_a_report_that_is_not_clean_is_issued_all_the_same(
    city: SmallCity, capsys: pytest.CaptureFixture[str], tmp_path: Path, what: str
) -> None:
    columns = {} if what == "counted" else {"处罚决定日期": "2022-09-31"}
    city.submit([city.penalty(FIRM, "一号", **columns)])
    answer = issued(capsys, tmp_path / "a.pdf")
    assert answer["outcome"] == ("not_clear" if what == "counted" else "not_verifiable")


def test_the_same_key_gives_the_same_number_and_the_same_file(
    city: SmallCity, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    key = str(uuid.uuid4())
    one, two = (issued(capsys, tmp_path / name, "--key", key) for name in ("a.pdf", "b.pdf"))
    assert {**one, "file": None} == {**two, "file": None}
    assert (tmp_path / "a.pdf").read_bytes() == (tmp_path / "b.pdf").read_bytes()
    assert DayCounter.objects.get().last == 1


@pytest.mark.parametrize(
    ("more", "code"),
    [
        (["--purpose", "好奇"], "unknown-purpose"),
        (["--domains", "sorcery"], "unknown-domain"),
        (["--from", "2019-01-01", "--to", "2019-12-31"], "period-empty"),
    ],
)
def test_a_refusal_takes_no_number_and_writes_no_file(
    city: SmallCity, capsys: pytest.CaptureFixture[str], tmp_path: Path, more: list[str], code: str
) -> None:
    assert main([*ORDER, "--out", str(tmp_path / "a.pdf"), *more, "--json"]) == 1
    told = capsys.readouterr()
    problem = json.loads(told.out)["error"]
    assert problem["code"] == code
    assert problem["message"] in told.err
    assert not (tmp_path / "a.pdf").exists()
    assert DayCounter.objects.count() == 0


@pytest.mark.parametrize("where", ["missing-folder/a.pdf", "."])
def test_a_place_that_cannot_be_written_is_refused_before_a_number_is_taken(
    city: SmallCity, capsys: pytest.CaptureFixture[str], tmp_path: Path, where: str
) -> None:
    assert main([*ORDER, "--out", str(tmp_path / where), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "out-not-writable"
    assert DayCounter.objects.count() == 0


def test_a_deregistered_subject_gets_no_report(
    city: SmallCity, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    city.firm(FIRM, 登记状态="注销")
    assert main([*ORDER, "--out", str(tmp_path / "a.pdf"), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "subject-deregistered"


@pytest.mark.parametrize(
    "more", [[], ["--out", "a.pdf", "--key", "not-a-uuid"], ["--out", "a.pdf", "--as-of", "2025-01-01"]]
)
def test_wrong_use_ends_with_two_and_issuing_is_always_now(capsys: pytest.CaptureFixture[str], more: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*ORDER, *more])
    assert ended.value.code == 2
    assert "用法：" in capsys.readouterr().err

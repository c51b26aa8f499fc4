"""``xinzheng intake``: the answer other programs rely on, and what people read."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.small_city import PENALTY, SmallCity, build_small_city, uscc
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.ledger.models import RecordVersion
from xinzheng.cli import main

REAL = Path(__file__).parent.parent / "data" / "penalties-2022-anonymised.csv"
KEYS = {"batch", "lines", "new", "changed", "identical", "rejected", "duplicate", "held", "defects", "defects_total"}


@pytest.fixture
def city(db: None, tmp_path: Path) -> SmallCity:
    return build_small_city(tmp_path, units_per_domain=1)


def scope(city: SmallCity, domain: str = "taxation") -> list[str]:
    return ["--unit", city.unit(domain), "--domain", domain, "--kind", PENALTY]


def told(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_the_real_file_is_answered_in_json(city: SmallCity, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["intake", str(REAL), *scope(city, "market_regulation"), "--json"]) == 0
    answer = told(capsys)
    assert set(answer) >= KEYS
    assert answer["lines"] == 39 == sum(answer[k] for k in ("new", "changed", "identical", "rejected", "duplicate"))
    assert answer["held"] is False
    assert answer["defects_total"] == len(answer["defects"])


def test_rejected_lines_are_told_and_the_batch_is_taken_all_the_same(
    city: SmallCity, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [city.penalty(uscc(1)), city.penalty(uscc(2), "苏税罚〔2026〕2号", 处罚决定日期="2022-09-31")]
    file = city.delivery(rows).file
    assert main(["intake", str(file), *scope(city), "--covers", "2026-01-01", "2026-01-31", "--json"]) == 0
    answer = told(capsys)
    assert (answer["new"], answer["rejected"]) == (1, 1)
    (defect,) = [d for d in answer["defects"] if d["severity"] == "error"]
    assert set(defect) == {"line", "field", "code", "severity", "message"}
    assert (defect["line"], defect["field"]) == (3, "处罚决定日期")

    assert main(["intake", str(file), *scope(city), "--covers", "2026-01-01", "2026-01-31"]) == 0
    out, err = capsys.readouterr()
    assert "共2行" in out
    assert "覆盖声明不生效" in out
    assert "第3行 处罚决定日期" in err

    assert main(["intake", "--explain", str(answer["batch"]), "3", "日期无法查证"]) == 0
    assert "已说明" in capsys.readouterr().out
    assert main(["intake", "--withdraw", str(answer["batch"]), "--reason", "报错文件", "--json"]) == 0
    assert told(capsys)["restored"] == 1
    assert main(["intake", "--withdraw", str(answer["batch"]), "--reason", "报错文件"]) == 1
    assert "已经撤回" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "code"), [(b"%PDF-1.7", "not-a-table"), (b"", "file-empty"), (b"a,b\n1,2\n", "header-missing")]
)
def test_a_bad_file_is_refused_in_chinese_and_changes_nothing(
    city: SmallCity, tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes, code: str
) -> None:
    file = tmp_path / "bad.csv"
    file.write_bytes(content)
    before = head_position()
    assert main(["intake", str(file), *scope(city), "--json"]) == 1
    out, err = capsys.readouterr()
    assert json.loads(out)["error"]["code"] == code
    assert "bad.csv" in err
    assert head_position() == before


def test_an_unknown_unit_is_refused(city: SmallCity, capsys: pytest.CaptureFixture[str]) -> None:
    options = scope(city)
    options[1] = uscc(5)
    assert main(["intake", str(REAL), *options]) == 1
    assert uscc(5) in capsys.readouterr().err


def test_other_information_needs_no_domain(city: SmallCity, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "repairs.csv"
    file.write_text(
        "主体名称,统一社会信用代码,原处罚决定书文号,原处罚机关,修复日期\n"
        f"苏州示例公司,{uscc(1)},苏税罚〔2026〕1号,市税务局,2026-05-01\n",
        encoding="utf-8",
    )
    kind = "credit_repair"
    assert main(["intake", str(file), "--unit", city.unit(kind), "--kind", kind, "--json"]) == 0
    assert told(capsys)["new"] == 1


@pytest.mark.parametrize(
    "options",
    [[], ["x.csv"], ["x.csv", "--withdraw", "1"], ["--explain", "a", "b", "c"], ["x.csv", "--covers", "x", "y"]],
)
def test_wrong_use_ends_with_2(city: SmallCity, options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["intake", *options])
    assert ended.value.code == 2
    assert "xinzheng intake" in capsys.readouterr().err


def test_a_file_of_which_no_line_is_accepted_is_found_wanting(
    city: SmallCity, capsys: pytest.CaptureFixture[str]
) -> None:
    file = city.delivery([city.penalty(uscc(1), 处罚决定日期="2022-09-31")]).file
    versions = RecordVersion.objects.count()
    assert main(["intake", str(file), *scope(city)]) == 1
    err = capsys.readouterr().err
    assert "第2行 处罚决定日期：写的是“2022-09-31”，这一天不存在" in err
    assert "没有一行可以入账" in err
    assert RecordVersion.objects.count() == versions

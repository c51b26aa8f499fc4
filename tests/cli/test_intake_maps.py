"""``xinzheng intake --map`` and ``--maps``: old exports are delivered by a column map, and the maps are listed."""

import csv
import json
from pathlib import Path

import pytest

from tests.small_city import BY, PENALTY, SmallCity, build_small_city, uscc
from xinzheng.apps.ledger.actions import save_column_map
from xinzheng.apps.ledger.models import RecordVersion
from xinzheng.apps.registry.queries import unit_by_uscc
from xinzheng.cli import main

SHIPPED = "双公示2016"
OLD = {
    "CF_WSH": "苏税罚〔2016〕1号", "CF_CFMC": "某公司偷税案", "CF_CFLB1": "罚款", "CF_CFLB2": "", "CF_SY": "少缴税款",
    "CF_YJ": "税收征收管理法", "CF_XDR_MC": "苏州示例精密制造有限公司", "CF_XDR_SHXYM": uscc(1), "CF_XDR_ZDM": "",
    "CF_FR": "示例甲", "CF_JG": "罚款300元", "CF_JDRQ": "2016/4/1", "CF_XZJG": "市税务局", "CF_ZT": "0",
    "DFBM": "320500", "SJC": "2016/4/8",
}  # fmt: skip


@pytest.fixture
def city(db: None, tmp_path: Path) -> SmallCity:
    return build_small_city(tmp_path, units_per_domain=1)


@pytest.fixture
def old_export(tmp_path: Path) -> str:
    path = tmp_path / "双公示2016年导出.csv"
    with path.open("w", encoding="gb18030", newline="") as file:
        writer = csv.DictWriter(file, tuple(OLD))
        writer.writeheader()
        writer.writerow(OLD)
    return str(path)


def scope(city: SmallCity) -> list[str]:
    return ["--unit", city.unit("taxation"), "--domain", "taxation", "--kind", PENALTY]


def test_an_old_export_is_delivered_by_the_shipped_map(
    city: SmallCity, old_export: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["intake", old_export, *scope(city), "--map", SHIPPED, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["lines"], answer["new"]) == (1, 1)
    assert RecordVersion.objects.get().organ_name == "市税务局"


def test_a_map_that_is_not_there_names_those_that_are(
    city: SmallCity, old_export: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["intake", old_export, *scope(city), "--map", "没有这个", "--json"]) == 1
    out, err = capsys.readouterr()
    assert f"没有列对照“没有这个”，可用的有：{SHIPPED}" in err
    assert "map-unknown" in out
    assert not RecordVersion.objects.exists()


def test_a_map_of_another_kind_is_refused(city: SmallCity, old_export: str, capsys: pytest.CaptureFixture[str]) -> None:
    unit = city.unit("credit_repair")
    options = ["--unit", unit, "--kind", "credit_repair", "--map", SHIPPED, "--json"]
    assert main(["intake", old_export, *options]) == 1
    out, err = capsys.readouterr()
    assert "用于行政处罚，不能用于这次报送的记录类型" in err
    assert "map-of-other-kind" in out


def test_the_maps_of_a_unit_are_listed(city: SmallCity, capsys: pytest.CaptureFixture[str]) -> None:
    unit = unit_by_uscc(city.unit("taxation"))
    assert unit is not None
    column = {"heading": "书号", "field": "document_number", "meaning": ""}
    own = {
        "name": "旧系统",
        "kind": PENALTY,
        "origin": "",
        "columns": [column],
        "words": {},
        "constants": {},
        "waived": [],
    }
    save_column_map(unit_id=unit.id, content=own, by=BY)
    assert main(["intake", "--maps", "--unit", unit.uscc]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines == [f"{SHIPPED}　行政处罚　20列　系统自带", "旧系统　行政处罚　1列　本单位"]
    assert main(["intake", "--maps", "--unit", unit.uscc, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["maps"]
    assert [(found["name"], found["shipped"]) for found in told] == [(SHIPPED, True), ("旧系统", False)]
    assert main(["intake", "--maps", "--unit", unit.uscc, "--kind", "credit_repair"]) == 0
    assert "没有可用的列对照" in capsys.readouterr().out


def test_listing_needs_a_unit_that_is_registered(city: SmallCity, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as wrong:
        main(["intake", "--maps"])
    assert wrong.value.code == 2
    assert main(["intake", "--maps", "--unit", "nobody"]) == 1
    assert "没有统一社会信用代码为“nobody”的单位" in capsys.readouterr().err

"""Column maps: old exports read as they are meant, and a preview that says what each heading was taken for."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from tests.tabular_rows import ORGAN, OTHER_USCC, PERSON, ROW, USCC, csv_text, defaults
from xinzheng.adapters.tabular import (
    BatchDefaults,
    ParsedBatch,
    TabularError,
    column_maps,
    preview,
    read_batch,
    with_column_map,
)
from xinzheng.adapters.tabular.formats import PENALTY

OLD = {
    "CF_WSH": "示市监处罚〔2016〕1号",
    "CF_CFMC": "某公司广告违法案",
    "CF_CFLB1": "罚款",
    "CF_CFLB2": "没收违法所得",
    "CF_SY": "使用虚假广告",
    "CF_YJ": "广告法第五十五条",
    "CF_XDR_MC": "示例市博图科技有限公司",
    "CF_XDR_SHXYM": USCC,
    "CF_XDR_ZDM": "",
    "CF_XDR_GSDJ": "",
    "CF_XDR_SFZ": "",
    "CF_FR": "示例甲",
    "CF_JG": "罚款300元，没收100元",
    "CF_JDRQ": "2016/4/1",
    "CF_JZRQ": "2099/12/31",
    "CF_XZJG": "示例市市场监督管理局",
    "CF_ZT": "0",
    "DFBM": "330502",
    "SJC": "2016/4/8",
}
MAPPED = with_column_map(defaults(), "双公示2016")


def read(folder: Path, *rows: Mapping[str, str], using: BatchDefaults = MAPPED) -> ParsedBatch:
    (folder / "a.csv").write_text(csv_text(rows), "utf-8")
    return read_batch(folder / "a.csv", using)


def test_an_export_of_2016_is_read_by_its_map_and_refused_without(tmp_path: Path) -> None:
    parsed = read(tmp_path, OLD, {**OLD, "CF_WSH": "2号", "CF_CFLB2": "— —"})
    assert parsed.frame["status"].to_list() == ["ok", "ok"]
    content = [json.loads(text) for text in parsed.frame["payload"]]
    assert [c["category"] for c in content] == ["罚款;没收违法所得", "罚款"]
    assert (content[0]["content"], content[0]["standing"]) == ("罚款300元，没收100元", "in_force")
    assert (content[0]["validity_date"], content[0]["violation"]) == ("2099-12-31", "某公司广告违法案")
    assert json.loads(parsed.frame["record_key"][0]) == ["示例市市场监督管理局", "示市监处罚〔2016〕1号"]
    unknown = parsed.defects.filter(parsed.defects["code"] == "column-unknown")["field"].to_list()
    assert unknown == ["DFBM", "SJC"]
    with pytest.raises(TabularError) as raised:
        read(tmp_path, OLD, using=defaults())
    assert raised.value.code == "column-missing"


def test_a_withdrawn_decision_stays_withdrawn_and_an_unclear_state_is_asked_about(tmp_path: Path) -> None:
    parsed = read(tmp_path, {**OLD, "CF_ZT": "1"}, {**OLD, "CF_ZT": "2"})
    assert parsed.frame["status"].to_list() == ["rejected", "rejected"]
    assert {("required", "状态日期"), ("word-unknown", "CF_ZT")} <= set(parsed.defects.select("code", "field").rows())


def test_a_firm_without_a_unified_code_is_never_taken_for_its_representative(tmp_path: Path) -> None:
    firm = {**OLD, "CF_XDR_SHXYM": "", "CF_XDR_ZDM": "MA1XG6125", "CF_XDR_SFZ": PERSON}
    person = {**OLD, "CF_XDR_MC": "示例甲", "CF_FR": "", "CF_XDR_SHXYM": "", "CF_XDR_SFZ": PERSON}
    parsed = read(tmp_path, firm, person)
    assert parsed.frame["is_person"].to_list() == [False, True]
    assert parsed.frame["status"].to_list() == ["rejected", "ok"]
    assert parsed.frame["subject_code"].to_list() == [None, PERSON]


def test_constants_hold_where_the_source_says_nothing(tmp_path: Path) -> None:
    using = replace(MAPPED, constants={"organ_code": ORGAN, "source_name": "示例市大数据局", "source_code": ORGAN})
    parsed = read(tmp_path, OLD, {**OLD, "CF_CFJGDM": OTHER_USCC}, using=using)
    assert parsed.frame["organ_code"].to_list() == [ORGAN, OTHER_USCC]
    assert set(parsed.frame["source_name"]) == {"示例市大数据局"}


def test_known_headings_go_before_mapped_ones_and_typed_fields_take_one_column(tmp_path: Path) -> None:
    using = replace(defaults(), columns={"备用": "document_number", "种类": "category", "决定日": "decision_date"})
    parsed = read(tmp_path, {**ROW, "备用": "另号"}, using=using)
    assert parsed.frame["document_number"].to_list() == [ROW["行政处罚决定书文号"]]
    two = {**{k: v for k, v in ROW.items() if k != "处罚决定日期"}, "日甲": "2022-05-16", "日乙": "2022-05-17"}
    with pytest.raises(TabularError) as raised:
        read(tmp_path, two, using=replace(defaults(), columns={"日甲": "decision_date", "日乙": "decision_date"}))
    assert raised.value.code == "header-duplicate"


def test_maps_say_their_origin_and_what_every_column_means() -> None:
    (found,) = column_maps().values()
    assert found.name == "双公示2016"
    assert "双公示" in found.origin
    assert {"CF_CFMC", "CF_CFLB1", "CF_CFLB2", "CF_XDR_ZDM", "CF_XDR_GSDJ", "CF_XDR_SFZ", "CF_FR", "CF_JG", "CF_XZJG",
            "CF_JZRQ", "CF_ZT", "DFBM", "SJC"} <= {column.heading for column in found.described}  # fmt: skip
    assert all(column.meaning for column in found.described)
    assert all(PENALTY.has(field_id) for field_id in (*found.columns.values(), *found.waived))


@pytest.mark.parametrize(("kind", "name", "code"), [("credit_repair", "双公示2016", "map-of-other-kind"),
                                                    ("administrative_penalty", "无此对照", "map-unknown")])  # fmt: skip
def test_a_map_that_is_not_there_or_of_another_kind_is_told(kind: str, name: str, code: str) -> None:
    with pytest.raises(TabularError, match="双公示2016") as raised:
        with_column_map(defaults(kind), name)
    assert raised.value.code == code


def test_a_preview_says_what_headings_were_taken_for_and_how_rows_read(tmp_path: Path) -> None:
    rows = [{**OLD, "CF_WSH": f"{n}号", "CF_JDRQ": "2016-09-31" if n == 1 else "2016/4/1"} for n in range(30)]
    (tmp_path / "a.csv").write_text(csv_text(rows), "utf-8")
    seen = preview(tmp_path / "a.csv", MAPPED, rows=5)
    how = {taken.heading: (taken.field, taken.how) for taken in seen.headings}
    assert how["CF_CFLB2"] == ("category", "mapped")
    assert how["CF_XZJG"] == ("organ_name", "known")
    assert how["SJC"] == (None, "unused")
    assert seen.missing == ()
    assert [row.line for row in seen.rows] == [2, 3, 4, 5, 6]
    assert [row.is_rejected for row in seen.rows] == [False, True, False, False, False]
    assert seen.rows[0].values["decision_date"] == "2016-04-01"
    assert (seen.rows[0].values["category"], seen.rows[0].values["standing"]) == ("罚款;没收违法所得", "有效")
    assert "这一天不存在" in seen.rows[1].defects[0][2]


def test_a_preview_of_unknown_columns_names_what_is_missing_and_shows_no_identity_number(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(csv_text([{"甲列": "1", "乙列": PERSON}]), "utf-8")
    seen = preview(tmp_path / "a.csv", defaults())
    assert {taken.how for taken in seen.headings} == {"unused"}
    assert "处罚决定日期" in seen.missing
    assert PERSON not in repr(seen)
    (tmp_path / "b.csv").write_text(csv_text([{**ROW, "证件号码": PERSON, "法定代表人证件号码": "A123"}]), "utf-8")
    assert not {PERSON, "A123"} & {cell for row in preview(tmp_path / "b.csv", defaults()).rows for cell in row.cells}

"""Reading the real file and rows with dirt: every line accounted for, every defect named with line and field."""

import contextlib
import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.tabular_rows import ORGAN, OTHER_USCC, PERSON, ROW, USCC, csv_text, defaults, parse
from xinzheng.adapters.tabular import FRAME_SCHEMA, TabularError, read_batch, read_batches
from xinzheng.adapters.tabular.assembly import document_key as document_key_expression
from xinzheng.adapters.tabular.assembly import name_key as name_key_expression
from xinzheng.adapters.tabular.codes import read_usccs
from xinzheng.adapters.tabular.formats import PENALTY
from xinzheng.core.identifiers import check_uscc, document_key, name_key

ROOT = Path(__file__).parents[2]
REAL = ROOT / "tests/data/penalties-2022-anonymised.csv"
KINDS = {
    "other_determination": ("文书文号", "决定日期", "认定机关", "认定内容"),
    "administrative_compulsion": ("强制决定书文号", "决定日期", "强制机关", "强制内容"),
    "criminal_judgment": ("裁判文书案号", "生效日期", "裁判法院", "裁判结果"),
}


def one(folder: Path, **changes: str) -> tuple[dict[str, object], dict[str, str]]:
    """The only row of a file with these changes, and its defects: code to field."""
    parsed = parse(folder, {**ROW, **changes})
    found = {code: field for code, field in parsed.defects.select("code", "field").rows()}
    return parsed.frame.row(0, named=True), found


def test_every_one_of_the_39_real_lines_is_accepted_and_the_two_alike_are_told() -> None:
    parsed = read_batch(REAL, defaults())
    assert parsed.frame.schema == pl.Schema(FRAME_SCHEMA)
    assert parsed.frame["line"].to_list() == list(range(2, 41))
    assert set(parsed.frame["status"]) == {"ok"}
    assert set(parsed.frame["outcome"]) == {"penalised"}
    assert set(parsed.frame["procedure"]) == {None}
    # Two decisions on one firm of one day and amount, on different grounds: real, and worth a look.
    assert parsed.defects.select("line", "code").rows() == [(20, "near-duplicate"), (24, "near-duplicate")]
    assert (parsed.encoding, parsed.format, parsed.raw.shape) == ("utf-8-sig", "csv", (39, 30))


def test_the_payload_is_canonical_json_with_exact_amounts_and_dates() -> None:
    parsed = read_batch(REAL, defaults())
    for text in parsed.frame["payload"]:
        content = json.loads(text)
        assert text == json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    first = json.loads(parsed.frame["payload"][0])
    assert (first["fine"], first["decision_date"], first["validity_date"]) == ("0.030000", "2022-05-16", "2099-12-31")
    assert json.loads(parsed.frame["record_key"][0]) == [ORGAN, "示市监处罚〔2022〕1000号"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_the_same_rows_come_out_of_every_encoding_and_line_end(tmp_path: Path, encoding: str, line_end: str) -> None:
    text = REAL.read_text("utf-8-sig").replace("\r\n", "\n").replace("\n", line_end)
    (tmp_path / "a.csv").write_bytes(text.encode(encoding))
    parsed = read_batch(tmp_path / "a.csv", defaults())
    assert parsed.encoding == encoding
    assert parsed.frame.equals(read_batch(REAL, defaults()).frame)


@pytest.mark.parametrize("separator", ["\t", ";"])
def test_tabs_and_semicolons_between_cells_are_understood(tmp_path: Path, separator: str) -> None:
    frame = pl.read_csv(REAL, infer_schema=False)
    frame.write_csv(tmp_path / "a.csv", separator=separator)
    assert read_batch(tmp_path / "a.csv", defaults()).frame.equals(read_batch(REAL, defaults()).frame)


@pytest.mark.parametrize("style", ["codes", "mixed", "both"])
def test_columns_may_be_headed_by_name_by_code_or_by_both(tmp_path: Path, style: str) -> None:
    codes = [field.codes[0] for field in PENALTY.fields[:30]]
    names = [field.name for field in PENALTY.fields[:30]]
    headings = {
        "codes": codes,
        "mixed": [code if i % 2 else f" {name.replace('(', '（').replace(')', '）')} " for i, (code, name) in
                  enumerate(zip(codes, names, strict=True))],
        "both": [f"{name}（{code.lower()}）" for code, name in zip(codes, names, strict=True)],
    }[style]  # fmt: skip
    body = REAL.read_text("utf-8-sig").split("\n", 1)[1]
    (tmp_path / "a.csv").write_text(",".join(headings) + "\n" + body, encoding="utf-8")
    assert read_batch(tmp_path / "a.csv", defaults()).frame.equals(read_batch(REAL, defaults()).frame)


DEFECTS = [
    ({"处罚决定日期": "2022-09-31"}, "date-impossible", "处罚决定日期"),
    ({"处罚决定日期": "Oct-17"}, "date-month-only", "处罚决定日期"),
    ({"处罚决定日期": "2016-04"}, "date-month-only", "处罚决定日期"),
    ({"处罚决定日期": "5/16/22"}, "date-unreadable", "处罚决定日期"),
    ({"处罚决定日期": "2026-11-22"}, "date-in-future", "处罚决定日期"),
    ({"处罚决定日期": "1900-01-01"}, "date-too-early", "处罚决定日期"),
    ({"处罚有效期": "2022-05-15"}, "validity-before-decision", "处罚有效期"),
    ({"行政相对人名称": "— —"}, "required", "行政相对人名称"),
    ({"违法事实": "字" * 2001}, "too-long", "违法事实"),
    ({"违法事实": "#REF!"}, "cell-error", "违法事实"),
    ({"罚款金额(万元)": "-1"}, "amount-negative", "罚款金额(万元)"),
    ({"罚款金额(万元)": "0.1234567"}, "amount-too-precise", "罚款金额(万元)"),
    ({"罚款金额(万元)": "三万"}, "amount-unreadable", "罚款金额(万元)"),
    ({"程序": "快速程序"}, "word-unknown", "程序"),
    ({"处罚状态": "撤销"}, "required", "状态日期"),
    ({"领域": "不存在的领域"}, "domain-unknown", "领域"),
    ({"处罚机关统一社会信用代码": ORGAN[:-1] + "A"}, "uscc-check", "处罚机关统一社会信用代码"),
]


@pytest.mark.parametrize(("changes", "code", "field"), DEFECTS)
def test_a_wrong_cell_rejects_its_row_and_is_named(
    tmp_path: Path, changes: dict[str, str], code: str, field: str
) -> None:
    good = {**dict.fromkeys((*changes, "状态日期"), ""), **ROW}
    parsed = parse(tmp_path, good, {**good, "行政处罚决定书文号": "另号", **changes})
    assert parsed.frame["status"].to_list() == ["ok", "rejected"]
    (defect,) = parsed.defects.filter(pl.col("severity") == "error").rows(named=True)
    assert (defect["line"], defect["code"], defect["field"]) == (3, code, field)
    assert field in defect["message"]


WARNINGS = [
    ({"处罚决定日期": "44697"}, "date-serial"),
    ({"罚款金额(万元)": "300"}, "fine-differs"),
    ({"罚款金额(万元)": ""}, "fine-missing"),
    ({"罚款金额(万元)": "100000", "处罚内容": "罚款"}, "amount-absurd"),
    ({"处罚类别": "其他"}, "outcome-unknown"),
    ({"处罚类别": "罚款;训斥"}, "category-unknown"),
    ({"行政相对人类别": "个体工商户"}, "class-against-code"),
    ({"行政相对人代码_1(统一社会信用代码)": "91320594MA2DEM0Q10"}, "uscc-division-unknown"),
]


@pytest.mark.parametrize(("changes", "code"), WARNINGS)
def test_a_doubtful_cell_is_reported_and_the_row_kept(tmp_path: Path, changes: dict[str, str], code: str) -> None:
    row, found = one(tmp_path, **changes)
    assert row["status"] == "ok"
    assert code in found


def test_the_letter_o_in_a_code_is_named_with_its_place_and_the_subject_stays_unread(tmp_path: Path) -> None:
    parsed = parse(tmp_path, {**ROW, "行政相对人代码_1(统一社会信用代码)": "9132050SMA1XG6125L"})
    assert parsed.frame.select("subject_code", "status").row(0) == (None, "rejected")
    assert "第8位是字母S" in parsed.defects["message"][0]


OUTCOMES = [
    ({}, "penalised"),
    ({"处罚类别": "其他-警告", "处罚内容": "警告"}, "penalised"),
    ({"处罚类别": "其他", "处罚内容": "不予行政处罚。"}, "not_penalised"),
    ({"处罚类别": "不予处罚", "处罚内容": "违法事实不能成立。"}, "not_penalised"),
    ({"处罚类别": "其他", "处罚内容": "责令改正"}, None),
    ({"处罚类别": "罚款", "处罚内容": "不予行政处罚"}, None),
    ({"处理结果": "不予处罚"}, "not_penalised"),
    ({"处理结果": "予以处罚", "处罚类别": "其他"}, "penalised"),
]


@pytest.mark.parametrize(("changes", "outcome"), OUTCOMES)
def test_the_outcome_is_taken_from_words_and_stays_unknown_when_they_do_not_say(
    tmp_path: Path, changes: dict[str, str], outcome: str | None
) -> None:
    row, _ = one(tmp_path, **changes)
    assert row["outcome"] == outcome
    assert json.loads(str(row["payload"])).get("outcome") == outcome


def test_a_small_fine_never_becomes_a_summary_procedure(tmp_path: Path) -> None:
    row, _ = one(tmp_path, **{"罚款金额(万元)": "0.005", "处罚内容": "罚款50元", "程序": ""})
    assert row["procedure"] is None


def test_our_added_columns_become_core_values(tmp_path: Path) -> None:
    row, found = one(
        tmp_path,
        **{"程序": "听证程序", "处罚状态": "复议／诉讼中", "状态日期": "2022年7月1日", "送达日期": "20220520"},
        **{"修复日期": "2023/1/2", "依法封存": "是", "领域": "taxation"},
    )
    assert not found
    assert (row["procedure"], row["standing"], row["sealed"], row["domain"]) == (
        "hearing", "under_review", True, "taxation")  # fmt: skip
    assert row["served_date"] == date(2022, 5, 20)
    assert (row["standing_date"], row["repaired_date"]) == (date(2022, 7, 1), date(2023, 1, 2))


def test_a_domain_may_be_given_by_name_when_names_are_known(tmp_path: Path) -> None:
    parsed = parse(tmp_path, {**ROW, "领域": "税务"}, 税务="taxation")
    assert parsed.frame["domain"].to_list() == ["taxation"]


def test_a_natural_person_leaves_neither_name_nor_number_in_payload_or_defects(tmp_path: Path) -> None:
    person = {
        **ROW,
        "行政相对人名称": "张小示",
        "行政相对人类别": "自然人",
        "行政相对人代码_1(统一社会信用代码)": "",
        "证件类型": "身份证",
        "证件号码": PERSON,
        "违法事实": f"张小示（{PERSON}）占道经营，张小示承认",
        "法定代表人": "张小示",
    }
    parsed = parse(tmp_path, person, {**person, "证件号码": PERSON[:-1] + "?", "违法行为类型": "张小示" * 900})
    row, broken = parsed.frame.rows(named=True)
    assert (row["is_person"], row["subject_kind"], row["subject_code"]) == (True, "natural_person", PERSON)
    assert json.loads(row["payload"])["facts"] == "当事人（当事人）占道经营，当事人承认"
    assert (broken["status"], broken["subject_code"]) == ("rejected", None)
    for text in (*parsed.frame["payload"], *parsed.defects["message"], *parsed.defects["value"].drop_nulls()):
        assert "张小示" not in text
        assert PERSON[:17] not in text


def test_of_lines_with_the_same_record_the_last_wins_and_the_others_are_duplicates(tmp_path: Path) -> None:
    again = {**ROW, "行政处罚决定书文号": "示市监处罚[2022] 1000号", "违法事实": "更正后的事实"}
    other = {**ROW, "行政相对人代码_1(统一社会信用代码)": OTHER_USCC, "行政相对人类别": "个体工商户"}
    parsed = parse(tmp_path, ROW, other, {**again, "处罚决定日期": "2022-02-30"}, again)
    assert parsed.frame["status"].to_list() == ["duplicate", "ok", "rejected", "ok"]
    note = parsed.defects.filter(pl.col("code") == "duplicate-line").row(0, named=True)
    assert (note["line"], "第5行" in note["message"]) == (2, True)


def test_rows_may_carry_their_own_kind(tmp_path: Path) -> None:
    number, day, organ, content = KINDS["other_determination"]
    own = {"主体名称": "甲", "统一社会信用代码": USCC, number: "税处〔2022〕1号", day: "2022-05-16", organ: "税务局"}
    parsed = parse(
        tmp_path,
        {**own, content: "补缴税款"},
        {**own, content: "x", "记录类型": "行政强制"},
        kind="other_determination",
    )
    assert parsed.frame["kind"].to_list() == ["other_determination", "administrative_compulsion"]


def test_arrears_repairs_and_lists_have_their_keys(tmp_path: Path) -> None:
    subject = {"主体名称": "甲公司", "统一社会信用代码": USCC}
    arrears = {**subject, "险种": "企业职工基本养老保险", "征收经办机构": "市税务局", "欠缴起始年月": "2026年8月",
               "欠缴截止年月": "202609", "应缴金额(元)": "128,640", "已缴金额(元)": "64320", "欠缴金额(元)": "64320.00",
               "数据日期": "2026-11-18"}  # fmt: skip
    row = parse(tmp_path, arrears, kind="social_insurance_arrears").frame.row(0, named=True)
    assert row["record_key"] == '["企业职工基本养老保险","市税务局","2026-08","2026-09"]'
    assert (row["status"], row["due"], row["paid"], row["owing"]) == ("ok", "128640.00", "64320.00", "64320.00")
    repair = {**subject, "原处罚决定书文号": "示罚[2024]1号", "原处罚机关": "市局", "修复日期": "2025-10-20"}
    row = parse(tmp_path, repair, kind="credit_repair").frame.row(0, named=True)
    assert row["record_key"] == '["市局","示罚〔2024〕1号","2025-10-20"]'
    assert (row["repaired_document_key"], row["document_number"]) == ("示罚〔2024〕1号", "示罚[2024]1号")
    listed = {**subject, "名单名称": "严重失信主体名单", "列入机关": "市局", "列入日期": "2025-10-20"}
    row = parse(tmp_path, listed, kind="serious_dishonesty").frame.row(0, named=True)
    assert (row["status"], row["listed_from"]) == ("ok", date(2025, 10, 20))


def test_blank_rows_keep_their_numbers_and_quoted_line_ends_stay_in_their_cell(tmp_path: Path) -> None:
    text = csv_text([{**ROW, "违法事实": '第一行\n第二行，"引号"'}, {**ROW, "行政处罚决定书文号": "2号"}])
    head, first, rest = text.split("\n", 1)[0], text.split("\n", 1)[1].rsplit("\n", 2)[0], text.rsplit("\n", 2)[1]
    (tmp_path / "a.csv").write_text(f"{head}\n{first}\n\n{',' * 15}\n{rest}\n\n", encoding="utf-8")
    parsed = read_batch(tmp_path / "a.csv", defaults())
    assert parsed.frame["line"].to_list() == [2, 5]
    assert parsed.raw["违法事实"][0] == '第一行\n第二行，"引号"'


def test_rows_that_do_not_fit_the_header_are_rejected_and_nothing_of_them_is_dropped(tmp_path: Path) -> None:
    head, row = csv_text([ROW]).splitlines()
    (tmp_path / "a.csv").write_text(f'{head}\n{row},,多出\n{row[:60]}"\n{row},\n', encoding="utf-8")
    parsed = read_batch(tmp_path / "a.csv", defaults())
    assert parsed.frame["status"].to_list() == ["rejected", "rejected", "ok"]
    codes = parsed.defects.filter(pl.col("line") == 3)["code"].to_list()
    assert "cells-missing" in codes
    assert parsed.defects.filter(pl.col("line") == 2)["code"].to_list() == ["cells-beyond-header"]
    assert parsed.raw["（多余的列）"].to_list()[0].endswith("多出")


def test_chunks_give_the_same_rows_and_the_same_duplicates_as_the_whole_file(tmp_path: Path) -> None:
    rows = [
        {**ROW, "行政处罚决定书文号": f"{n % 7}号", "处罚有效期": "坏" if n % 5 == 0 else "2099-12-31"}
        for n in range(40)
    ]
    (tmp_path / "a.csv").write_text(csv_text(rows), encoding="utf-8")
    whole = read_batch(tmp_path / "a.csv", defaults())
    parts = list(read_batches(tmp_path / "a.csv", defaults(), chunk_rows=6))
    assert len(parts) > 5
    assert pl.concat([part.frame for part in parts]).equals(whole.frame)
    assert pl.concat([part.defects for part in parts]).equals(whole.defects)
    assert whole.frame["status"].value_counts().height == 3


def workbook(path: Path, rows: Sequence[Sequence[object]], **options: object) -> Path:
    with xlsxwriter.Workbook(path, {"default_date_format": "yyyy-mm-dd", **options}) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
    return path


def test_a_workbook_gives_the_same_rows_with_dates_and_amounts_as_cells(tmp_path: Path) -> None:
    cells: dict[str, object] = {**ROW, "处罚决定日期": date(2022, 5, 16), "罚款金额(万元)": 0.03}
    path = workbook(tmp_path / "a.xlsx", [list(cells), list(cells.values())])
    parsed = read_batch(path, defaults())
    assert (parsed.format, parsed.frame["line"].to_list()) == ("xlsx", [2])
    assert parsed.frame.equals(parse(tmp_path, ROW).frame)
    assert parsed.defects.height == 0


def test_an_identity_number_ruined_by_the_spreadsheet_is_explained(tmp_path: Path) -> None:
    cells: dict[str, object] = {
        **ROW,
        "行政相对人类别": "自然人",
        "行政相对人代码_1(统一社会信用代码)": "",
        "证件号码": float(PERSON[:17]),
    }
    parsed = read_batch(workbook(tmp_path / "a.xlsx", [list(cells), list(cells.values())]), defaults())
    assert "number-rounded" in parsed.defects["code"].to_list()


dirt = st.one_of(
    st.text(st.characters(exclude_characters="\0\r", exclude_categories=["Cs"]), max_size=30),
    st.sampled_from(
        [USCC, PERSON, "2022-09-31", "20220516", "=1+1", "无", "9" * 18, "1e5", "自然人", "撤销", "不予行政处罚"]
    ),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(
        st.dictionaries(st.sampled_from([*ROW, "程序", "证件号码", "处理结果"]), dirt), min_size=1, max_size=8
    )
)
def test_whatever_the_cells_hold_every_line_is_accounted_for(tmp_path: Path, rows: list[dict[str, str]]) -> None:
    parsed = parse(tmp_path, *({**ROW, "程序": "", "证件号码": "", "处理结果": "", **row} for row in rows))
    assert parsed.frame["line"].len() == len(rows)
    assert set(parsed.frame["status"]) <= {"ok", "rejected", "duplicate"}
    rejected = parsed.frame.filter(pl.col("status") == "rejected")["line"]
    errors = parsed.defects.filter(pl.col("severity") == "error")["line"]
    assert set(rejected) == set(errors)
    for row in parsed.frame.rows(named=True):
        json.loads(row["payload"])
        assert row["status"] == "rejected" or (row["subject_code"] and row["record_key"])


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.one_of(
        st.binary(max_size=300),
        st.text(max_size=200).map(lambda t: csv_text([ROW]).encode() + t.encode("utf-8", "replace")),
    )
)
def test_any_bytes_give_rows_or_a_tabular_error(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x.csv").write_bytes(data)
    with contextlib.suppress(TabularError):
        parsed = read_batch(tmp_path / "x.csv", defaults())
        assert parsed.frame.height == parsed.raw.height > 0


@given(st.lists(st.one_of(st.text(max_size=20), st.sampled_from(["91110000600037341L", USCC, ORGAN])), min_size=1))
def test_the_set_based_check_of_codes_agrees_with_the_core(texts: list[str]) -> None:
    read = read_usccs(pl.Series(texts))
    for text, value in zip(texts, read["value"], strict=True):
        check = check_uscc(text)
        assert value == (check.value if check.ok else None)


# Characters younger than this Python's Unicode are folded by polars alone.
@given(st.text(st.characters(exclude_categories=("Cs", "Cn")), max_size=30))
def test_keys_of_columns_agree_with_the_core(text: str) -> None:
    frame = pl.DataFrame({"t": [text]})
    keys = frame.select(document_key_expression(pl.col("t")).alias("d"), name_key_expression(pl.col("t")).alias("n"))
    assert keys.row(0) == (document_key(text), name_key(text))

"""Files that were made to break a reader, or broken by accident: each with a clear answer."""

import csv
import io
import json
import tracemalloc
from pathlib import Path

import pytest
import xlsxwriter

from tests.tabular_rows import ROW, csv_text, defaults, parse
from tests.workbook_xml import inline, sheet_xml, write_workbook
from xinzheng.adapters.tabular import (
    TabularError,
    defects_csv,
    preview,
    read_batch,
    stream_batches,
    write_defects_csv,
)

COLUMNS = 1_000
WIDE = {**ROW, **{f"列{number}": "值" for number in range(COLUMNS)}}
CODE = "行政相对人代码_1(统一社会信用代码)"


def refused(path: Path) -> TabularError:
    with pytest.raises(TabularError) as raised:
        read_batch(path, defaults())
    assert "批次.csv" in raised.value.message
    return raised.value


def workbook(path: Path, *rows: list[str]) -> Path:
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
    return path


def test_a_file_of_a_thousand_columns_is_refused_with_how_many_there_may_be(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(csv_text([WIDE]), "utf-8")
    workbook(tmp_path / "a.xlsx", list(WIDE), list(WIDE.values()))
    for path in (tmp_path / "a.csv", tmp_path / "a.xlsx"):
        error = refused(path)
        assert error.code == "columns-too-many"
        assert f"第1行有{len(WIDE)}列，超过上限200列" in error.message
        with pytest.raises(TabularError, match="超过上限200列"):
            preview(path, defaults())


def test_a_file_of_quotation_marks_takes_no_more_memory_than_another(tmp_path: Path) -> None:
    path, size = tmp_path / "批次.csv", 2 * 1024**2
    path.write_text(csv_text([ROW]) + '"' * size, "utf-8")
    tracemalloc.start()
    try:
        read_batch(path, defaults())
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < 12 * size


def test_a_row_of_a_thousand_cells_below_a_good_header_is_refused_by_its_line(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(csv_text([ROW]) + "甲" + "," * COLUMNS + "\n", "utf-8")
    workbook(tmp_path / "a.xlsx", list(ROW), list(ROW.values()), ["甲"] * COLUMNS)
    for path in (tmp_path / "a.csv", tmp_path / "a.xlsx"):
        error = refused(path)
        assert (error.code, "第3行" in error.message) == ("columns-too-many", True)


def test_two_encodings_in_one_file_are_named_with_a_line_of_each(tmp_path: Path) -> None:
    header, line = csv_text([{**ROW, "备注": "这一行足够长，能够认出它的编码"}]).splitlines()
    for first, second in (("utf-8", "gb18030"), ("gb18030", "utf-8")):
        data = [header.encode(first), line.encode(first), line.encode(second), line.encode(first)]
        (tmp_path / "a.csv").write_bytes(b"\n".join(data))
        error = refused(tmp_path / "a.csv")
        assert error.code == "encoding-mixed"
        assert "第3行" in error.message


def test_a_zero_byte_refuses_a_text_file_and_a_row_of_the_other_formats(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(csv_text([ROW]).replace("示例市博图", "示例\0博图").encode())
    assert refused(tmp_path / "a.csv").code == "nul-byte"
    cells = "".join(f'<c t="inlineStr">{inline(name)}</c>' for name in ROW)
    values = "".join(f'<c t="inlineStr">{inline(text)}</c>' for text in ROW.values())
    hidden = values.replace("使用虚假", "使用_x0000_虚假")
    rows = f'<row r="1">{cells}</row><row r="2">{values}</row><row r="3">{hidden}</row>'
    in_workbook = read_batch(write_workbook(tmp_path / "a.xlsx", sheet_xml(rows)), defaults())
    lines = [ROW, {**ROW, "违法事实": "使用\0虚假广告宣传"}]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, lines)), "utf-8")
    for parsed, wrong in ((in_workbook, 3), (read_batch(tmp_path / "a.jsonl", defaults()), 2)):
        found = parsed.defects.filter(parsed.defects["code"] == "character-unusable")
        assert found.select("line", "severity").rows() == [(wrong, "error")]
        assert "“违法事实”" in found["message"][0]
        assert "\0" not in parsed.raw["违法事实"][1]
        assert "u0000" not in "".join(parsed.frame["payload"])


FORMULAS = (
    "=cmd|' /C calc'!A0", '=HYPERLINK("x")', "+1+1", "-1+1", "@SUM(1)", "\t=1", "\r=1", "\n=1",
    "＝cmd|' /C calc'!A0", "＋1", "－1", "＠SUM(1)",
)  # fmt: skip


@pytest.mark.parametrize("formula", FORMULAS)
def test_no_cell_of_the_file_of_defects_runs_and_the_mended_file_says_what_the_first_one_said(
    tmp_path: Path, formula: str
) -> None:
    row = {**ROW, "违法事实": formula, formula: "列名也可以是公式", "处罚决定日期": "2022-09-31"}
    parsed = parse(tmp_path, row)
    written = defects_csv(parsed)
    into = io.BytesIO()
    write_defects_csv(tmp_path / "batch.csv", defaults(), into)
    assert into.getvalue() == written
    for cells in csv.reader(io.StringIO(written.decode("utf-8-sig"), newline="")):
        assert not [cell for cell in cells if cell[:1] in set("=+-@\t\r\n＝＋－＠")]
    (tmp_path / "mended.csv").write_bytes(written.replace(b"2022-09-31", b"2022-05-16", 1))
    again = read_batch(tmp_path / "mended.csv", defaults())
    meant = parse(tmp_path, {**row, "处罚决定日期": "2022-05-16"})
    assert json.loads(again.frame["payload"][0])["facts"] == formula.strip()
    assert again.frame["payload"].to_list() == meant.frame["payload"].to_list()


MISTAKES = (
    {"处罚决定日期": "2022-09-31"},
    {"行政相对人类别": "公司"},
    {"处罚内容": "长" * 5000},
    {"罚款金额(万元)": "3元"},
    {"处罚有效期": "2020-01-01"},
    {CODE: ROW[CODE][:-1] + "?"},
)


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_in_the_last_rows_of_a_file_read_in_several_pieces_are_told(
    tmp_path: Path, mistake: dict[str, str]
) -> None:
    # polars reads so many rows in pieces; filtered to the last of them its pl.format panicked.
    good = [{**ROW, "行政处罚决定书文号": f"示市监处罚〔2022〕{number}号"} for number in range(1_000)]
    (tmp_path / "a.csv").write_text(csv_text([*good, *({**row, **mistake} for row in good[-2:])]), "utf-8")
    (found,) = stream_batches(tmp_path / "a.csv", defaults())
    assert found.defects.filter(found.defects["code"] != "near-duplicate")["line"].unique().sort().to_list() == [
        1002,
        1003,
    ]

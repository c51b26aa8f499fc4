"""Any table read as text: the same guards as for records, and rows numbered as a person sees them."""

import hashlib
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pytest
import xlsxwriter

from xinzheng.adapters.tabular import Limits, Table, TabularError, read_table

FIELDS = {"名称": "name", "企业名称": "name", "代码": "code", "日期": "day"}


def read(path: Path, content: bytes, limits: Limits | None = None) -> Table:
    path.write_bytes(content)
    return read_table(path, FIELDS.get, limits) if limits else read_table(path, FIELDS.get)


def lines(table: Table) -> list[tuple[int, tuple[str, ...]]]:
    return [(row.line, row.cells) for row in table.rows]


def refusal(path: Path, content: bytes, limits: Limits | None = None) -> TabularError:
    with pytest.raises(TabularError, match=path.name) as raised:
        read(path, content, limits)
    return raised.value


@pytest.mark.parametrize(("encoding", "mark"), [("utf-8", ","), ("utf-8-sig", "\t"), ("gb18030", ";")])
def test_a_table_is_read_in_its_encoding_and_with_its_separator(tmp_path: Path, encoding: str, mark: str) -> None:
    text = '备注|名称|代码\r\n|甲㐂|1\r\n\r\n|"两\n行"|\r\n'.replace("|", mark).encode(encoding)
    table = read(tmp_path / "a.csv", text)
    assert (table.header, table.columns) == (("备注", "名称", "代码"), {"name": 1, "code": 2})
    assert lines(table) == [(2, ("", "甲㐂", "1")), (4, ("", "两\n行", ""))]
    assert lines(table) == lines(table)
    assert (table.encoding, table.format) == (encoding, "tsv" if mark == "\t" else "csv")
    assert table.sha256 == hashlib.sha256(text).hexdigest()


def workbook(path: Path, *sheets: Sequence[Sequence[object]]) -> Path:
    with xlsxwriter.Workbook(path, {"default_date_format": "yyyy-mm-dd"}) as book:
        for rows in sheets:
            sheet = book.add_worksheet()
            for number, row in enumerate(rows):
                sheet.write_row(number, 0, row)
    return path


def test_of_a_workbook_the_sheet_with_the_known_headings_is_read_whatever_its_name_ends_with(tmp_path: Path) -> None:
    rows = [["名称", "代码", "日期"], [], ["甲", 320594000012345, date(2020, 2, 29)]]
    table = read_table(workbook(tmp_path / "a.txt", [["填报说明"]], rows), FIELDS.get)
    assert lines(table) == [(3, ("甲", "320594000012345", "2020-02-29"))]
    assert table.format == "xlsx"
    with pytest.raises(TabularError, match="2个数据工作表") as raised:
        read_table(workbook(tmp_path / "b.xlsx", rows, rows), FIELDS.get)
    assert raised.value.code == "several-sheets"


def test_rows_that_do_not_fit_the_header_are_there_with_their_fault(tmp_path: Path) -> None:
    table = read(tmp_path / "a.csv", "名称,代码\n甲,1,多出\n乙\n丙,3,\n".encode())
    assert [row.line for row in table.rows] == [2, 3, 4]
    faults = {row.line: row.fault and row.fault[0] for row in table.rows}
    assert faults == {2: "cells-beyond-header", 3: "cells-missing", 4: None}


def test_a_header_alone_is_a_table_without_rows(tmp_path: Path) -> None:
    assert lines(read(tmp_path / "a.csv", "名称,代码".encode())) == []


def test_stretches_give_the_same_rows_as_one(tmp_path: Path) -> None:
    text = "名称,代码\n" + "".join(f"甲{n},{n}\n" if n % 7 else "\n" for n in range(3000))
    whole = read(tmp_path / "a.csv", text.encode())
    parts = read(tmp_path / "a.csv", text.encode(), Limits(chunk_rows=11))
    assert len(parts.stretches) > 50
    assert lines(parts) == lines(whole)
    assert lines(whole)[0] == (3, ("甲1", "1"))


REFUSALS = [
    (b"", "file-empty"),
    (b"%PDF-1.7", "not-a-table"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "workbook-old-format"),
    (b"PK\x03\x04 broken", "workbook-damaged"),
    ("名称,代码\n\0,1\n".encode(), "nul-byte"),
    ("名称,代码\n甲,\xff\n".encode("latin-1", "ignore") + b"\xff\xff\n", "encoding-unknown"),
    ("名称,企业名称\n甲,乙\n".encode(), "header-duplicate"),
    ("某市名录,,\n名称,代码,日期\n甲,1,\n".encode(), "header-missing"),
    ('名称,代码\n"甲,1\n'.encode(), "quote-unclosed"),
    ("名称,代码\n甲,1\n乙\r丙,2\n".encode(), "line-ends-mixed"),
    ("名称,代码\n甲".encode() + b",1" * 500 + b"\n", "columns-too-many"),
    (f"名称,代码\n{'甲' * 40_000},1\n".encode(), "cell-too-large"),
]


@pytest.mark.parametrize(("content", "code"), REFUSALS)
def test_what_the_guards_of_records_refuse_is_refused_here(tmp_path: Path, content: bytes, code: str) -> None:
    assert refusal(tmp_path / "a.csv", content).code == code


def test_bounds_can_be_set_and_what_is_no_file_is_told(tmp_path: Path) -> None:
    content = "名称,代码\n甲,1\n乙,2\n".encode()
    assert refusal(tmp_path / "a.csv", content, Limits(file_bytes=10)).code == "file-too-large"
    assert refusal(tmp_path / "a.csv", content, Limits(lines=2)).code == "rows-too-many"
    for path in (tmp_path, tmp_path / "nowhere.csv"):
        with pytest.raises(TabularError, match=path.name) as raised:
            read_table(path, FIELDS.get)
        assert raised.value.code == "file-unreadable"


def test_a_workbook_with_one_cell_in_the_farthest_corner_is_refused(tmp_path: Path) -> None:
    with xlsxwriter.Workbook(tmp_path / "a.xlsx") as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["名称", "代码"])
        sheet.write(1_048_575, 16_383, "x")
    with pytest.raises(TabularError, match="远在数据之外"):
        read_table(tmp_path / "a.xlsx", FIELDS.get)

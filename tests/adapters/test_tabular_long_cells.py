"""Long cells: a file is read in stretches of so much text, whatever its format, and nothing is lost where it is cut."""

import dataclasses
import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.old_workbook import book, cell, compound
from tests.tabular_rows import ROW, csv_text
from tests.workbook_xml import inline, sheet_xml, write_workbook
from xinzheng.adapters.tabular import Limits, Table, TabularError, read_table
from xinzheng.adapters.tabular.rows import text_bytes

FIELDS = {"名称": "name", "代码": "code"}
WHOLE = Limits()
# A name, a code, and what stands beyond the header; None is a blank row.
Row = tuple[str, str, str] | None


def write_separated(path: Path, rows: Sequence[Row], mark: str) -> None:
    lines = ["" if row is None else mark.join(row[:2] + row[2:] * bool(row[2])) for row in rows]
    path.write_text("\n".join([f"名称{mark}代码", *lines]) + "\n", "utf-8")


def write_json(path: Path, rows: Sequence[Row]) -> None:
    values = [row and {"名称": row[0], "代码": [row[1]] if row[2] else row[1]} for row in rows]
    path.write_text("\n".join(json.dumps(value, ensure_ascii=False) if value else "" for value in values), "utf-8")


def write_sheet(path: Path, rows: Sequence[Row], *, shared: bool = False, comment: str = "") -> None:
    strings = dict[str, int]()

    def written(place: str, text: str) -> str:
        if not text:
            return ""
        if shared:
            return f'<c r="{place}" t="s"><v>{strings.setdefault(text, len(strings))}</v></c>'
        return f'<c r="{place}" t="inlineStr">{inline(text)}</c>'

    table = [("名称", "代码", ""), *rows]
    cells = ["".join(map(written, (f"{c}{n}" for c in "ABC"), row or ())) for n, row in enumerate(table, 1)]
    lines = "".join(f'<row r="{n}">{row}</row>' for n, row in enumerate(cells, 1))
    write_workbook(path, sheet_xml(comment + lines), strings=strings)


def write_old(path: Path, rows: Sequence[Row]) -> None:
    table = [("名称", "代码", ""), *rows]
    cells = [cell(n, c, text) for n, row in enumerate(table) for c, text in enumerate(row or ()) if text]
    path.write_bytes(compound(book(b"".join(cells))))


WRITERS: Mapping[str, Callable[[Path, Sequence[Row]], None]] = {
    "csv": lambda path, rows: write_separated(path, rows, ","),
    "tsv": lambda path, rows: write_separated(path, rows, "\t"),
    "json lines": write_json,
    "xlsx, texts in cells": write_sheet,
    "xlsx, shared texts": lambda path, rows: write_sheet(path, rows, shared=True),
    "xlsx read whole": lambda path, rows: write_sheet(path, rows, comment="<!-- whole -->"),
    "xls": write_old,
}


def read(path: Path, limits: Limits) -> Table:
    return read_table(path, FIELDS.get, limits)


def refusal(path: Path, limits: Limits) -> TabularError:
    with pytest.raises(TabularError) as raised:
        read(path, limits)
    assert path.name in raised.value.message
    return raised.value


TEXTS = st.sampled_from(["甲", "乙二", "a" * 40, "长" * 30, "长" * 99, "文" * 333, "b" * 999])
ROWS = st.lists(st.tuples(TEXTS, TEXTS, st.sampled_from(["", "", "", "外"])) | st.none(), min_size=1, max_size=12)


@pytest.mark.parametrize("name", WRITERS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS, most=st.sampled_from([1, 100, 700, 1500, 4000]), at_once=st.sampled_from([3, 100]))
def test_stretches_keep_to_the_text_they_may_hold_and_lose_nothing(
    tmp_path: Path, name: str, rows: Sequence[Row], most: int, at_once: int
) -> None:
    path = tmp_path / "a"
    WRITERS[name](path, [("首", "1", ""), *rows])
    uncut = read(path, WHOLE)
    cut = read(path, Limits(chunk_bytes=most, chunk_rows=at_once, xlsx_slice_bytes=20_000))
    assert len(uncut.stretches) == 1
    assert list(cut.rows) == list(uncut.rows)
    first = 1 if name == "json lines" else 2
    assert [row.line for row in cut.rows] == [first, *(n for n, row in enumerate(rows, first + 1) if row)]
    for stretch in cut.stretches:
        assert 0 < stretch.lines.len() <= at_once
        assert text_bytes(stretch.frame) <= most or stretch.lines.len() == 1


@pytest.mark.parametrize("name", WRITERS)
def test_stretches_are_no_smaller_than_they_need_to_be(tmp_path: Path, name: str) -> None:
    WRITERS[name](tmp_path / "a", [("长" * 33, "1", "")] * 50)
    found = read(tmp_path / "a", Limits(chunk_bytes=1000)).stretches
    assert sum(stretch.lines.len() for stretch in found) == 50
    assert 5 <= len(found) <= 10


@pytest.mark.parametrize("name", WRITERS)
def test_a_row_longer_than_any_may_be_is_told_by_its_number(tmp_path: Path, name: str) -> None:
    WRITERS[name](tmp_path / "a", [("甲", "1", ""), None, ("长" * 500, "1", ""), ("长" * 900, "长" * 900, ""), None])
    error = refusal(tmp_path / "a", Limits(row_bytes=4000))
    line = 4 if name == "json lines" else 5
    assert (error.code, error.context["line"]) == ("row-too-large", line)
    assert f"第{line}行" in error.message
    assert len(list(read(tmp_path / "a", Limits(row_bytes=8000)).rows)) == 3


def honest(path: Path) -> Path:
    """Two thousand rows that all cite the same three hundred bytes three times."""
    cells = "".join(f'<c r="{column}{{0}}" t="s"><v>0</v></c>' for column in "CDE")
    own = '<c r="A{0}" t="inlineStr"><is><t>第{0}家公司</t></is></c><c r="B{0}"><v>{0}</v></c>'
    rows = "".join(f'<row r="{n}">{own.format(n)}{cells.format(n)}</row>' for n in range(2, 2002))
    header = "".join(
        f'<c r="{place}1" t="inlineStr">{inline(name)}</c>'
        for place, name in zip("ABCDE", ["名称", "代码", "事实", "依据", "内容"], strict=True)
    )
    return write_workbook(path, sheet_xml(f'<row r="1">{header}</row>{rows}'), strings=["据" * 100])


def test_a_text_that_every_row_cites_is_no_reason_to_refuse_a_workbook(tmp_path: Path) -> None:
    path = honest(tmp_path / "a.xlsx")
    assert len(list(read(path, Limits(xlsx_text_bytes=100_000)).rows)) == 2000


def test_a_workbook_whose_cells_hold_more_than_a_text_file_may_is_refused(tmp_path: Path) -> None:
    error = refusal(honest(tmp_path / "a.xlsx"), Limits(file_bytes=1024**2))
    assert (error.code, "1MB" in error.message) == ("workbook-too-large", True)


def test_a_long_text_that_makes_a_small_workbook_large_is_refused_before_it_is_laid_out(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    write_sheet(path, [("长" * 10_000, "1", "")] * 1000, shared=True)
    limits = Limits(xlsx_text_bytes=3 * 1024**2, xlsx_slice_bytes=1024**2)
    error = refusal(path, limits)
    assert (error.code, "3MB" in error.message) == ("workbook-too-large", True)
    assert error.context["line"] < 150
    assert len(list(read(path, dataclasses.replace(limits, xlsx_repeats=1000)).rows)) == 1000


def test_many_sheets_are_not_looked_at_when_their_first_rows_hold_too_much(tmp_path: Path) -> None:
    heavy = sheet_xml('<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>0</v></c></row>')
    table = sheet_xml('<row r="1"><c r="A1" t="s"><v>1</v></c><c r="B1" t="s"><v>2</v></c></row>')
    path = write_workbook(tmp_path / "a.xlsx", table, *[heavy] * 5, strings=["长" * 10_000, "名称", "代码"])
    assert refusal(path, Limits(xlsx_text_bytes=200_000)).code == "workbook-too-large"
    wide = sheet_xml('<row r="1"><c r="XFD1"><v>1</v></c></row>')
    path = write_workbook(tmp_path / "b.xlsx", table, *[wide] * 5, strings=["", "名称", "代码"])
    assert refusal(path, Limits(xlsx_cells=50_000)).code == "workbook-too-large"


MEASURE = """
import re, sys
from datetime import date
from pathlib import Path
from xinzheng.adapters.tabular import BatchDefaults, stream_batches

defaults = BatchDefaults("administrative_penalty", "taxation", date(2026, 11, 21), "a")
parts = [part.frame.height for part in stream_batches(Path(sys.argv[1]), defaults, chunk_rows=50_000)]
# Unlike what getrusage tells this is not inherited from the process that started this one.
print(sum(parts), len(parts), int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) // 1024)
"""


def long_csv(path: Path) -> None:
    facts = ({**ROW, "行政处罚决定书文号": f"示〔2022〕{n}号", "违法事实": "长" * 10_000} for n in range(4000))
    path.write_text(csv_text(list(facts)), "utf-8")


def long_xlsx(path: Path) -> None:
    names = [f"{column}{{0}}" for column in "ABCDEFGHIJKLMNOP"[: len(ROW)]]

    def line(number: int, texts: Sequence[str]) -> str:
        cells = zip(names, texts, strict=True)
        written = "".join(f'<c r="{n.format(number)}" t="inlineStr">{inline(text)}</c>' for n, text in cells)
        return f'<row r="{number}">{written}</row>'

    values = [{**ROW, "行政处罚决定书文号": f"示〔2022〕{n}号", "违法事实": "长" * 10_000} for n in range(4000)]
    rows = [line(1, list(ROW)), *(line(n, list(row.values())) for n, row in enumerate(values, 2))]
    write_workbook(path, sheet_xml("".join(rows)))


@pytest.mark.parametrize("write", [long_csv, long_xlsx])
def test_memory_is_that_of_some_stretches_however_long_the_cells_are(
    tmp_path: Path, write: Callable[[Path], None]
) -> None:
    write(tmp_path / "a")
    told = subprocess.run(
        [sys.executable, "-c", MEASURE, str(tmp_path / "a")], capture_output=True, text=True, check=True
    )
    rows, parts, megabytes = map(int, told.stdout.split())
    assert (rows, parts > 3) == (4000, True)
    assert megabytes < 600

"""A workbook read slice after slice: the same rows as read whole, whoever wrote it, and bounded whatever it claims."""

import dataclasses
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.workbook_xml import inline, sheet_xml, write_workbook
from xinzheng.adapters.tabular import Limits, TableRow, TabularError, read_table

FIELDS = {"名称": "name", "代码": "code"}
STRINGS = ["名称", "代码", "甲 & 乙", '</row><row r="3">', " 前后有空格 ", "两\n行", "=1+1"]
HEADER = (
    '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c>'
    '<c r="C1" t="inlineStr"><is><t>日期</t></is></c></row>'
)
TINY = Limits(xlsx_slice_cells=7)


def rows_of(path: Path, limits: Limits = TINY) -> list[TableRow]:
    return list(read_table(path, FIELDS.get, limits).rows)


def refusal(path: Path, limits: Limits = TINY) -> TabularError:
    with pytest.raises(TabularError) as raised:
        read_table(path, FIELDS.get, limits)
    assert path.name in raised.value.message
    return raised.value


def outcome(path: Path, limits: Limits) -> list[TableRow] | str:
    """The rows, or the code of the refusal."""
    try:
        return rows_of(path, limits)
    except TabularError as error:
        return error.code


def as_whole(sheet: str) -> str:
    """The same sheet with a comment in it: it cannot be cut."""
    return sheet.replace("<sheetData>", "<sheetData><!-- whole -->")


texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=6) | st.sampled_from(STRINGS)
CELLS = st.one_of(
    st.integers(0, len(STRINGS) - 1).map(lambda n: (' t="s"', f"<v>{n}</v>")),
    texts.map(lambda text: (' t="inlineStr"', inline(text))),
    st.sampled_from(
        [
            ("", ""),
            (' s="1"', ""),
            (' s="1"', "<v>44697</v>"),
            (' t="b"', "<v>1</v>"),
            (' t="str"', "<f>A1&amp;B1</f><v>合计</v>"),
            ("", '<f t="shared" si="0"/><v>2</v>'),
            (' t="inlineStr"', "<is><r><rPr><b/></rPr><t>粗</t></r><r><t>细</t></r></is>"),
        ]
    ),
    st.floats(-1e14, 1e14).map(lambda number: ("", f"<v>{number!r}</v>")),
)
LETTERS = "ABCDEF"


@st.composite
def sheet_rows(draw: st.DrawFn) -> str:
    """Rows below the header: gaps, empty rows, rows and cells without a number, attributes in any order."""
    written, number = [HEADER], 1
    for _ in range(draw(st.integers(0, 9))):
        gap = draw(st.sampled_from([1, 1, 1, 2, 40]))
        number += gap
        named = gap > 1 or draw(st.booleans())
        cells = draw(st.lists(st.tuples(st.integers(0, 2), CELLS, st.booleans()), max_size=3))
        row, column = "", -1
        for skip, (attributes, content), is_referred in cells:
            column += 1 + skip
            reference = f' r="{LETTERS[column]}{number}"' if skip or is_referred else ""
            inner = reference + attributes if draw(st.booleans()) else attributes + reference
            row += f"<c{inner}>{content}</c>" if content else f"<c{inner}/>"
            if column > 2:
                break
        tag = f'row r="{number}" spans="1:3"' if named else draw(st.sampled_from(["row", 'row ht="20"']))
        written.append(f"<{tag}>{row}</row>" if row else f"<{tag}/>")
    return draw(st.sampled_from(["", "\n  "])).join(written)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=sheet_rows(), cells=st.integers(1, 30), date1904=st.booleans(), chunk=st.integers(1, 5))
def test_a_sliced_workbook_gives_the_rows_of_the_same_read_whole(
    tmp_path: Path, rows: str, cells: int, date1904: bool, chunk: int
) -> None:
    sheet = sheet_xml(rows)
    sliced = write_workbook(tmp_path / "a.xlsx", sheet, strings=STRINGS, date1904=date1904)
    whole = write_workbook(tmp_path / "b.xlsx", as_whole(sheet), strings=STRINGS, date1904=date1904)
    assert outcome(sliced, Limits(xlsx_slice_cells=cells, chunk_rows=chunk)) == outcome(whole, TINY)


def test_slices_keep_the_numbers_that_a_person_sees_and_the_stretches_asked_for(tmp_path: Path) -> None:
    with xlsxwriter.Workbook(tmp_path / "a.xlsx") as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["名称", "代码"])
        for number in (*range(1, 60), 500, 1_048_575):
            sheet.write_row(number, 0, [f"甲{number}", number])
    table = read_table(tmp_path / "a.xlsx", FIELDS.get, Limits(xlsx_slice_cells=11, chunk_rows=20))
    assert [row.line for row in table.rows] == [*range(2, 61), 501, 1_048_576]
    assert [row.cells for row in table.rows][-1] == ("甲1048575", "1048575")
    assert [stretch.lines.len() for stretch in table.stretches] == [20, 20, 20, 1]


@pytest.mark.parametrize("prefix", ["", "x:"])
def test_a_prefix_before_the_names_of_elements_changes_nothing(tmp_path: Path, prefix: str) -> None:
    rows = "".join(
        f'<{prefix}row r="{n}"><{prefix}c r="A{n}"><{prefix}v>{n}</{prefix}v></{prefix}c></{prefix}row>'
        for n in range(2, 9)
    )
    header = HEADER.replace("<", f"<{prefix}").replace(f"<{prefix}/", f"</{prefix}")
    path = write_workbook(tmp_path / "a.xlsx", sheet_xml(header + rows, prefix=prefix), strings=STRINGS)
    assert [(row.line, row.cells[0]) for row in rows_of(path)] == [(n, str(n)) for n in range(2, 9)]


def test_a_lying_dimension_moves_and_hides_nothing(tmp_path: Path) -> None:
    row = '<row r="2"><c r="A2" t="inlineStr"><is><t>甲</t></is></c></row><row r="9"><c r="C9"><v>7</v></c></row>'
    for number, claim in enumerate(("A1", "A1:XFD1048576", "C5:A1", "nonsense")):
        sheet = sheet_xml(HEADER + row, head=f'<dimension ref="{claim}"/><sheetViews/>')
        path = write_workbook(tmp_path / f"{number}.xlsx", sheet, strings=STRINGS)
        assert [(r.line, r.cells) for r in rows_of(path)] == [(2, ("甲", "", "")), (9, ("", "", "7"))]


def test_rows_and_cells_that_contradict_their_order_are_refused_and_never_dropped(tmp_path: Path) -> None:
    cell = '<row r="{}"><c r="A{}"><v>1</v></c></row>'
    for number, rows in enumerate(
        [
            cell.format(5, 5) + cell.format(4, 4),
            cell.format(5, 5) + cell.format(5, 5),
            cell.format(5, 6),
            cell.format(0, 0),
            cell.format("x", 2),
            '<row r="2"><c r="!"><v>1</v></c></row>',
        ]
    ):
        path = write_workbook(tmp_path / f"{number}.xlsx", sheet_xml(HEADER + rows), strings=STRINGS)
        assert refusal(path).code == "workbook-damaged"


def test_a_formula_without_a_value_is_named_wherever_the_sheet_is_cut(tmp_path: Path) -> None:
    rows = "".join(f'<row r="{n}"><c r="A{n}"><v>{n}</v></c></row>' for n in range(2, 40))
    bare = '<row r="40"><c r="A40"><f>A1&amp;B1</f><v></v></c></row>'
    error = refusal(write_workbook(tmp_path / "a.xlsx", sheet_xml(HEADER + rows + bare), strings=STRINGS))
    assert (error.code, "第40行A列" in error.message) == ("formula-without-value", True)


def test_what_cannot_be_cut_is_read_whole_from_there_on(tmp_path: Path) -> None:
    rows = "".join(f'<row r="{n}"><c r="A{n}"><v>{n}</v></c></row>' for n in range(2, 30_000))
    hidden = '<row r="30000"><c r="A30000" t="inlineStr"><is><t><![CDATA[</row><row r="7">]]></t></is></c></row>'
    path = write_workbook(tmp_path / "a.xlsx", sheet_xml(HEADER + rows + hidden), strings=STRINGS)
    read = rows_of(path, Limits(chunk_rows=1000))
    assert [row.line for row in read] == list(range(2, 30_001))
    assert read[-1].cells == ('</row><row r="7">', "", "")
    assert refusal(path, Limits(xlsx_cells=30_000)).code == "workbook-too-large"


def test_sheets_that_hold_more_than_they_may_are_refused(tmp_path: Path) -> None:
    rows = "".join(f'<row r="{n}"><c r="A{n}"><v>{n}</v></c></row>' for n in range(2, 9000))
    path = write_workbook(tmp_path / "a.xlsx", sheet_xml(HEADER + rows), strings=STRINGS)
    assert refusal(path, Limits(xlsx_sheet_bytes=100_000)).code == "workbook-too-large"
    beyond = sheet_xml(HEADER + '<row r="1048577"><c r="A1048577"><v>1</v></c></row>')
    assert refusal(write_workbook(tmp_path / "b.xlsx", beyond, strings=STRINGS)).code == "workbook-too-large"


def test_a_sheet_that_shrinks_a_thousandfold_is_not_unpacked(tmp_path: Path) -> None:
    filler = '<row r="2">' + "<c/>" * 2_000_000 + "</row>"
    path = write_workbook(tmp_path / "a.xlsx", sheet_xml(HEADER + filler), strings=STRINGS)
    assert refusal(path, Limits(xlsx_unpacked_bytes=1024**2)).code == "workbook-too-large"


def test_a_long_text_referred_to_again_and_again_is_weighed_each_time(tmp_path: Path) -> None:
    rows = "".join(f'<row r="{n}"><c r="A{n}" t="s"><v>7</v></c></row>' for n in range(2, 500))
    path = write_workbook(tmp_path / "a.xlsx", sheet_xml(HEADER + rows), strings=[*STRINGS, "长" * 10_000])
    assert len(rows_of(path, Limits(xlsx_slice_bytes=100_000))) == 498
    for limits in (Limits(xlsx_slice_bytes=20_000), Limits(row_bytes=20_000)):
        error = refusal(path, limits)
        assert (error.code, "第2行" in error.message) == ("row-too-large", True)


def test_a_sheet_cut_short_is_refused(tmp_path: Path) -> None:
    sheet = sheet_xml(HEADER + '<row r="2"><c r="A2"><v>1</v></c></row>')
    for number, end in enumerate(("</sheetData></worksheet>", "</row></sheetData></worksheet>")):
        path = write_workbook(tmp_path / f"{number}.xlsx", sheet.removesuffix(end), strings=STRINGS)
        assert refusal(path).code == "workbook-damaged"


def test_damage_inside_the_archive_is_found_though_the_sheet_is_read_bit_by_bit(tmp_path: Path) -> None:
    rows = "".join(f'<row r="{n}"><c r="A{n}"><v>{n}</v></c></row>' for n in range(2, 3000))
    path = write_workbook(tmp_path / "a.xlsx", sheet_xml(HEADER + rows), strings=STRINGS)
    with zipfile.ZipFile(path) as archive:
        member = archive.getinfo("xl/worksheets/sheet1.xml")
    data = bytearray(path.read_bytes())
    data[member.header_offset + member.compress_size // 2] ^= 0xFF
    path.write_bytes(data)
    assert refusal(path).code == "workbook-damaged"


MEASURE = """
import re, sys
from pathlib import Path
from xinzheng.adapters.tabular import Limits
from xinzheng.adapters.tabular.headers import headings_by
from xinzheng.adapters.tabular.opening import open_table

def peak():
    # Unlike what getrusage tells this is not inherited from the process that started this one.
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) // 1024

before = peak()
limits = Limits(xlsx_slice_cells=int(sys.argv[2]), xlsx_slice_bytes=2**30, chunk_rows=1000)
table = open_table(Path(sys.argv[1]), headings_by({"名称": "name", "代码": "code"}.get), "a.xlsx", limits)
print(sum(stretch.lines.len() for stretch in table.rows), peak() - before)
"""


def measured(path: Path, cells: int) -> tuple[int, int]:
    """Rows, and megabytes that reading them took, in a process of its own."""
    told = subprocess.run(
        [sys.executable, "-c", MEASURE, str(path), str(cells)], capture_output=True, text=True, check=True
    )
    rows, megabytes = told.stdout.split()
    return int(rows), int(megabytes)


def test_memory_is_that_of_a_slice_and_not_of_the_sheet(tmp_path: Path) -> None:
    text = "".join(f'<c r="{c}{{0}}" t="inlineStr"><is><t>第{{0}}行{"长" * 40}</t></is></c>' for c in "ABCDEFGH")
    rows = "".join(f'<row r="{n}">{text.format(n)}</row>' for n in range(2, 40_000))
    path = write_workbook(tmp_path / "a.xlsx", sheet_xml(HEADER + rows), strings=STRINGS)
    sliced, whole = measured(path, 26_000), measured(path, 10_000_000)
    assert sliced[0] == whole[0] == 39_998
    assert sliced[1] < 60 < whole[1]


def test_a_table_that_begins_in_another_column_is_read_from_column_a_on(tmp_path: Path) -> None:
    rows: Sequence[str] = [f'<row r="{n}"><c r="{"C" if n % 2 else "B"}{n}"><v>{n}</v></c></row>' for n in range(2, 9)]
    header = (
        HEADER.replace("A1", "B1", 1)
        .replace('"B1" t="s"><v>1', '"C1" t="s"><v>1')
        .replace('"C1" t="inl', '"D1" t="inl')
    )
    path = write_workbook(tmp_path / "a.xlsx", sheet_xml(header + "".join(rows)), strings=STRINGS)
    table = read_table(path, FIELDS.get, dataclasses.replace(TINY, chunk_rows=2))
    assert table.columns == {"name": 1, "code": 2}
    assert [row.cells[1:3] for row in table.rows] == [("", str(n)) if n % 2 else (str(n), "") for n in range(2, 9)]

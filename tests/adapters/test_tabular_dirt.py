"""Dirt of every kind, at the level of bytes and of cells: refused as a whole, or every line accounted for."""

import csv
import io
import os
import zipfile
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path

import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.tabular_rows import PERSON, ROW
from xinzheng.adapters.tabular import (
    BatchDefaults,
    Limits,
    ParsedBatch,
    TabularError,
    defects_csv,
    read_batch,
    read_batches,
    template_csv,
)
from xinzheng.adapters.tabular.opening import undisturbed
from xinzheng.adapters.tabular.rows import RawRows

DEFAULTS = BatchDefaults("administrative_penalty", "market_regulation", date(2026, 11, 21), "批次.csv")
COLUMNS = template_csv("administrative_penalty").decode("utf-8-sig").strip().split(",")
NO_FIXTURE_CHECK = [HealthCheck.function_scoped_fixture]


def line(**changes: str) -> str:
    return ",".join({**ROW, **changes}.get(column, "") for column in COLUMNS)


def text(*lines: str) -> str:
    return "\n".join((",".join(COLUMNS), *lines)) + "\n"


def read(folder: Path, content: str) -> ParsedBatch:
    (folder / "a.csv").write_text(content, encoding="utf-8", newline="")
    return read_batch(folder / "a.csv", DEFAULTS)


def read_or_refused(path: Path) -> ParsedBatch | None:
    """The file, or None if it was refused, decently."""
    try:
        return read_batch(path, DEFAULTS)
    except TabularError as error:
        refusal = error.message
    assert "批次.csv" in refusal
    assert PERSON not in refusal
    return None


def assert_accounted_for(parsed: ParsedBatch) -> None:
    statuses = parsed.frame["status"].to_list()
    assert statuses.count("ok") + statuses.count("rejected") + statuses.count("duplicate") == len(statuses) > 0
    for row in parsed.frame.rows(named=True):
        accepted = row["subject_code"] and row["record_key"] and isinstance(row["decision_date"], date)
        assert row["status"] == "rejected" or accepted


THREE = text(line(), line(违法事实='"用,""虚假""\n宣传"'), line(行政处罚决定书文号="2号"))
SPECKS = st.one_of(
    st.binary(min_size=1, max_size=4),
    st.sampled_from([b'"', b",", b"\n", b"\r", b"\r\n", b"\0", b";", b"\t", b"\xef\xbb\xbf", b"=1+1", b"'"]),
    st.sampled_from(["甲".encode(), "甲".encode("gb18030"), "𠮷".encode("gb18030"), PERSON.encode(), b""]),
)
CHANGES = st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 6), SPECKS), max_size=4)
ENCODINGS = st.sampled_from(["utf-8", "utf-8-sig", "gb18030", "utf-16"])


@settings(max_examples=250, deadline=None, suppress_health_check=NO_FIXTURE_CHECK)
@given(changes=CHANGES, encoding=ENCODINGS, line_end=st.sampled_from(["\n", "\r\n", "\r"]))
def test_a_file_with_specks_is_refused_or_all_its_lines_are_accounted_for(
    tmp_path: Path, changes: list[tuple[int, int, bytes]], encoding: str, line_end: str
) -> None:
    data = specked(THREE.replace("\n", line_end).encode(encoding), changes)
    (tmp_path / "a.csv").write_bytes(data)
    parsed = read_or_refused(tmp_path / "a.csv")
    if parsed is None:
        with pytest.raises(TabularError):
            next(read_batches(tmp_path / "a.csv", DEFAULTS, chunk_rows=1))
        return
    assert_accounted_for(parsed)
    assert parsed.frame.height == len(list(records(data, parsed.encoding)))
    parts = list(read_batches(tmp_path / "a.csv", DEFAULTS, chunk_rows=1))
    assert [n for part in parts for n in part.frame["line"]] == parsed.frame["line"].to_list()
    assert [s for part in parts for s in part.frame["status"]] == parsed.frame["status"].to_list()


def specked(data: bytes, changes: Sequence[tuple[int, int, bytes]]) -> bytes:
    for at, length, speck in changes:
        place = at % len(data)
        data = data[:place] + speck + data[place + length :]
    return data


def records(data: bytes, encoding: str) -> Iterator[list[str]]:
    """The data rows as Python's own reader sees them; rows without any text do not count."""
    content = data.decode(encoding).removeprefix("\ufeff")
    marks = {mark: len(next(csv.reader(io.StringIO(content, newline=""), delimiter=mark))) for mark in ",;\t"}
    rows = csv.reader(io.StringIO(content, newline=""), delimiter=max(marks, key=marks.__getitem__))
    next(rows)
    return (row for row in rows if any(cell.strip() for cell in row))


def packed_sheet() -> tuple[dict[str, bytes], bytes]:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, COLUMNS)
        sheet.write_row(1, 0, line().split(","))
    with zipfile.ZipFile(buffer) as packed:
        members = {name: packed.read(name) for name in packed.namelist()}
    return members, members["xl/worksheets/sheet1.xml"]


MEMBERS, SHEET = packed_sheet()
TAGS = st.sampled_from(
    [
        b"<c>",
        b"</c>",
        b"<row>",
        b'<row r="9">',
        b"</row>",
        b'<c r="AB7"><v>1</v></c>',
        b"<f>1</f>",
        b'r="ZZ99"',
        b"<!--",
    ]
)


@settings(max_examples=120, deadline=None, suppress_health_check=NO_FIXTURE_CHECK)
@given(changes=st.lists(st.tuples(st.integers(0, 9000), st.integers(0, 8), TAGS | st.binary(max_size=3)), max_size=3))
def test_a_workbook_with_specks_is_refused_or_all_its_lines_are_accounted_for(
    tmp_path: Path, changes: list[tuple[int, int, bytes]]
) -> None:
    data = specked(SHEET, changes)
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as packed:
        for name, content in {**MEMBERS, "xl/worksheets/sheet1.xml": data}.items():
            packed.writestr(name, content)
    parsed = read_or_refused(tmp_path / "a.xlsx")
    if parsed is not None:
        assert_accounted_for(parsed)


def test_a_heading_that_is_a_formula_is_made_harmless_in_the_defect_file(tmp_path: Path) -> None:
    lines = text(line(处罚决定日期="2022-09-31") + ",=2+2,@x").replace(
        COLUMNS[-1] + "\n", COLUMNS[-1] + ",=1+1,'=1+1\n"
    )
    rows = list(csv.reader(io.StringIO(defects_csv(read(tmp_path, lines)).decode("utf-8-sig"), newline="")))
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@", "\t"))]
    assert rows[0].count("'=1+1") == 2
    assert len({len(row) for row in rows}) == 1


@pytest.mark.parametrize("number", [PERSON, PERSON.translate({48 + n: 0xFF10 + n for n in range(10)})])
@pytest.mark.parametrize("column", [c for c in COLUMNS if "文号" not in c and "代码" not in c and "机关" not in c])
def test_an_identity_number_in_any_cell_leaves_neither_in_defects_nor_in_the_payload(
    tmp_path: Path, column: str, number: str
) -> None:
    for more in ({}, {"行政相对人类别": "自然人", "行政相对人代码_1(统一社会信用代码)": ""}):
        parsed = read(tmp_path, text(line(**{**more, column: f"{number}"})))
        told = str(parsed.defects.rows()) + str(parsed.frame["payload"].to_list())
        assert number not in told
        assert PERSON not in told


def append(path: Path) -> None:
    path.write_text(text(line(), line()), "utf-8")


def touch(path: Path) -> None:
    os.utime(path, ns=(1, 1))


@pytest.mark.parametrize(
    ("disturb", "code"), [(append, "file-changed"), (touch, "file-changed"), (Path.unlink, "file-unreadable")]
)
def test_a_file_that_is_written_to_or_taken_away_while_it_is_read_is_refused(
    tmp_path: Path, disturb: Callable[[Path], None], code: str
) -> None:
    path = tmp_path / "a.csv"
    path.write_text(text(line()), "utf-8")

    def rows() -> Iterator[RawRows]:
        disturb(path)
        yield from ()

    with pytest.raises(TabularError) as raised:
        list(undisturbed(rows(), path, path.stat(), "批次.csv"))
    assert raised.value.code == code


def test_the_original_columns_are_kept_of_stretches_when_asked_for(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(text(line()), "utf-8")
    assert next(read_batches(tmp_path / "a.csv", DEFAULTS)).raw.width == 0
    kept = next(read_batches(tmp_path / "a.csv", DEFAULTS, keep_raw=True))
    assert kept.raw.columns == COLUMNS
    assert kept.raw["处罚内容"].to_list() == ["罚款300元"]


def test_short_lines_are_taken_in_bounded_pieces_and_their_number_is_bounded(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(text(line()) + "\n" * 5000 + line(行政处罚决定书文号="2号") + "\n", "utf-8")
    parts = list(read_batches(tmp_path / "a.csv", DEFAULTS, chunk_rows=100))
    assert [n for part in parts for n in part.frame["line"]] == [2, 5003]
    with pytest.raises(TabularError) as raised:
        read_batch(tmp_path / "a.csv", DEFAULTS, Limits(lines=4000))
    assert raised.value.code == "rows-too-many"

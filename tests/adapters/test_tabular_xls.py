"""XLS of Excel 97 to 2003: read like XLSX, and every lie about its size told before a reader believes it."""

import contextlib
import struct
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.old_workbook import book, cell, compound, record, strings
from tests.tabular_rows import ROW, defaults, parse
from xinzheng.adapters.tabular import Limits, TabularError, read_batch, read_table
from xinzheng.adapters.tabular.biff_extent import measure
from xinzheng.adapters.tabular.workbook_extent import TooFarError

REAL = Path(__file__).parents[1] / "data/penalties-biff8.xls"


def refusal(path: Path, content: bytes, limits: Limits | None = None) -> TabularError:
    path.write_bytes(content)
    with pytest.raises(TabularError, match=r"批次\.csv") as raised:
        read_batch(path, defaults(), limits or Limits())
    return raised.value


def test_an_old_workbook_gives_the_rows_a_person_typed_whatever_its_name(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(REAL.read_bytes())
    parsed = read_batch(tmp_path / "a.csv", defaults())
    assert (parsed.format, parsed.encoding) == ("xls", "xls")
    assert parsed.frame["line"].to_list() == [2, 4]
    assert parsed.frame["status"].to_list() == ["ok", "ok"]
    assert parsed.frame["decision_date"].to_list() == [date(2022, 5, 16)] * 2
    assert parsed.frame["payload"][0] == parse(tmp_path, ROW).frame["payload"][0]
    assert "事实" * 800 in parsed.frame["payload"][1]


def test_any_table_in_an_old_workbook_is_read() -> None:
    table = read_table(REAL, {"行政相对人名称": "name", "处罚机关": "organ"}.get)
    assert [row.cells[0] for row in table.rows] == ["示例市博图科技有限公司", "示例市甲食品商店"]


def test_a_minimal_old_workbook_made_here_is_understood(tmp_path: Path) -> None:
    sheet = b"".join(cell(r, c, text) for r, row in enumerate((list(ROW), list(ROW.values()))) for c, text in
                     enumerate(row))  # fmt: skip
    (tmp_path / "a.xls").write_bytes(compound(book(sheet)))
    parsed = read_batch(tmp_path / "a.xls", defaults())
    assert parsed.frame["status"].to_list() == ["ok"]
    assert parsed.frame["payload"].to_list() == parse(tmp_path, ROW).frame["payload"].to_list()


LIES = {
    "a size nobody filled": (book(record(0x0200, struct.pack("<IIHHH", 0, 2**31, 0, 255, 0))), "workbook-too-large"),
    "a cell in the last corner": (book(cell(65535, 255, "x")), "workbook-too-large"),
    "more strings than can be there": (
        book(b"", record(0x00FC, struct.pack("<II", 2**30, 2**30))),
        "workbook-too-large",
    ),
    "one sheet counted a thousand times": (book(cell(30_000, 5, "x"), sheets=1000), "workbook-too-large"),
    "macros": (book(cell(0, 0, "x"), kind=1), "workbook-macro"),
    "a password": (book(b"")[:20] + record(0x002F, b"\1\0" + b"\0" * 52) + book(b"")[20:], "workbook-encrypted"),
    "Excel 95": (book(b"").replace(b"\0\6\5\0", b"\0\5\5\0"), "workbook-old-format"),
    "an end missing": (book(b"")[:40], "workbook-old-format"),
}  # fmt: skip


@pytest.mark.parametrize("name", LIES)
def test_what_would_exhaust_the_reader_or_cannot_be_read_is_refused(tmp_path: Path, name: str) -> None:
    stream, code = LIES[name]
    assert refusal(tmp_path / "a.xls", compound(stream)).code == code


def test_other_documents_of_the_container_and_rings_of_sectors_are_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path / "a.xls", compound(b"", "WordDocument")).code == "not-a-table"
    whole = bytearray(compound(book(cell(0, 0, "x"))))
    last = 512 + whole[512:].index(struct.pack("<II", 0xFFFFFFFE, 0xFFFFFFFF))
    whole[last : last + 4] = struct.pack("<I", 5)
    assert refusal(tmp_path / "a.xls", bytes(whole)).code == "workbook-old-format"
    assert refusal(tmp_path / "a.xls", REAL.read_bytes(), Limits(xlsx_bytes=1000)).code == "file-too-large"


def test_one_long_text_referred_to_often_counts_as_often() -> None:
    cells = b"".join(record(0x00FD, struct.pack("<HHHI", row, 0, 0, 1)) for row in range(100))
    stream = book(cells, strings("短", "长" * 1000))
    measure(stream, 1000, 300_000)
    with pytest.raises(TooFarError):
        measure(stream, 1000, 299_999)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 11_263), st.integers(0, 255)), min_size=1, max_size=8))
def test_a_damaged_file_is_read_or_refused_never_more(
    tmp_path_factory: pytest.TempPathFactory, hits: list[tuple[int, int]]
) -> None:
    data = bytearray(REAL.read_bytes())
    for place, value in hits:
        data[place] = value
    path = tmp_path_factory.getbasetemp() / "damaged.xls"
    path.write_bytes(data)
    with contextlib.suppress(TabularError):
        assert read_batch(path, defaults()).frame.height <= 65_536

"""Files out: defect files that can be mended and sent in again, templates, and the page of formats."""

import io
import json
from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter

from tests.tabular_rows import ROW, csv_text, defaults, parse
from xinzheng.adapters.tabular import (
    TabularError,
    defects_csv,
    read_batch,
    read_batches,
    template_csv,
    write_defects_csv,
    write_lines_csv,
)
from xinzheng.adapters.tabular.documentation import formats_document
from xinzheng.adapters.tabular.formats import FORMATS

ROOT = Path(__file__).parents[2]


def test_a_formula_in_csv_is_text_and_is_made_harmless_in_the_defect_file(tmp_path: Path) -> None:
    parsed = parse(tmp_path, {**ROW, "违法事实": '=HYPERLINK("x")', "罚款金额(万元)": "-5"}, {**ROW, "备注": "+1"})
    assert json.loads(parsed.frame["payload"][0])["facts"] == '=HYPERLINK("x")'
    written = defects_csv(parsed)
    assert written.startswith(b"\xef\xbb\xbf")
    (row,) = pl.read_csv(io.BytesIO(written), infer_schema=False).rows(named=True)
    assert (row["违法事实"], row["罚款金额(万元)"]) == ('\'=HYPERLINK("x")', "'-5")
    assert row["问题"].startswith("第2行：“罚款金额(万元)”：")


def test_a_mended_defect_file_can_be_sent_in_again(tmp_path: Path) -> None:
    parsed = parse(tmp_path, {**ROW, "违法事实": "=1", "处罚决定日期": "2022-09-31"})
    mended = defects_csv(parsed).replace(b"2022-09-31", b"2022-05-16", 1)
    (tmp_path / "again.csv").write_bytes(mended)
    again = read_batch(tmp_path / "again.csv", defaults())
    assert again.frame["status"].to_list() == ["ok"]
    assert again.frame["payload"].to_list() == parse(tmp_path, {**ROW, "违法事实": "=1"}).frame["payload"].to_list()


@pytest.mark.parametrize("kind", list(FORMATS))
def test_a_template_has_the_header_of_its_kind_and_is_understood(tmp_path: Path, kind: str) -> None:
    (tmp_path / "t.csv").write_bytes(template_csv(kind))
    with pytest.raises(TabularError) as raised:
        read_batch(tmp_path / "t.csv", defaults(kind))
    assert raised.value.code == "no-rows"


def test_the_page_of_formats_is_what_the_tables_say() -> None:
    assert (ROOT / "docs/how-to/报送格式.md").read_text("utf-8") == formats_document()


class Watched(io.BytesIO):
    """Notes how much was written at once."""

    largest = 0

    def write(self, data: object) -> int:
        written = super().write(data)  # type: ignore[arg-type]
        self.largest = max(self.largest, written)
        return written


def written_in_stretches(path: Path, chunk_rows: int) -> bytes:
    into = Watched()
    write_defects_csv(path, defaults(), into, chunk_rows)
    return into.getvalue()


def penalties(count: int) -> list[dict[str, str]]:
    """Every third row wrong, every fifth a duplicate of another, some with cells that may be formulas."""
    return [
        {
            **ROW,
            "行政处罚决定书文号": f"{number % 50}号",
            "违法事实": "=1" if number % 4 else '两行\n"引号"，',
            "处罚决定日期": "2022-09-31" if number % 3 == 0 else "2022-05-16",
            "问题": "上次的问题",
        }
        for number in range(count)
    ]


@pytest.mark.parametrize("chunk_rows", [1, 7, 1000])
@pytest.mark.parametrize("torn", [(), (3,), (70,), (3, 70)])
def test_a_defect_file_written_in_stretches_has_the_same_bytes(
    tmp_path: Path, chunk_rows: int, torn: tuple[int, ...]
) -> None:
    head, *lines = csv_text(penalties(80)).replace("两行\n", "两行").splitlines()
    rows = [f"{line},多出" if number in torn else line for number, line in enumerate(lines)]
    blank = "," * (head.count(",") + 5)
    (tmp_path / "a.csv").write_text("\n".join([head, *rows, *[blank] * 9, rows[1]]) + "\n", encoding="utf-8")
    whole = defects_csv(read_batch(tmp_path / "a.csv", defaults()))
    assert written_in_stretches(tmp_path / "a.csv", chunk_rows) == whole
    assert ("（多余的列）" in whole.decode("utf-8-sig").splitlines()[0]) == bool(torn)


@pytest.mark.parametrize("beyond", [False, True])
def test_of_a_workbook_too_the_bytes_are_the_same(tmp_path: Path, beyond: bool) -> None:
    rows: Sequence[Sequence[str]] = [list(row.values()) for row in penalties(30)]
    with xlsxwriter.Workbook(tmp_path / "a.xlsx") as book:
        sheet = book.add_worksheet()
        for number, row in enumerate([list(penalties(1)[0]), *rows]):
            for column, cell in enumerate(row):
                sheet.write_string(number, column, cell)
        sheet.write_string(20, len(rows[0]) + 1, "表外" if beyond else "")
    whole = defects_csv(read_batch(tmp_path / "a.xlsx", defaults()))
    assert written_in_stretches(tmp_path / "a.xlsx", 4) == whole
    assert ("表外" in whole.decode("utf-8-sig")) == beyond


def test_a_defect_file_is_written_a_stretch_at_a_time(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(csv_text(penalties(400)), encoding="utf-8")
    into = Watched()
    write_defects_csv(tmp_path / "a.csv", defaults(), into, chunk_rows=20)
    assert into.largest < len(into.getvalue()) / 10


def test_of_a_file_whose_end_is_broken_no_defect_file_is_begun(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(csv_text(penalties(40)) + '"', encoding="utf-8")
    into = io.BytesIO()
    with pytest.raises(TabularError):
        write_defects_csv(tmp_path / "a.csv", defaults(), into, chunk_rows=5)
    assert into.getvalue() == b""


@pytest.mark.parametrize("chunk_rows", [7, 1000])
def test_what_the_caller_knows_of_lines_is_written_beside_them_and_nothing_is_checked_again(
    tmp_path: Path, chunk_rows: int
) -> None:
    (tmp_path / "a.csv").write_text(csv_text(penalties(80)), encoding="utf-8")
    found = pl.concat(part.defects for part in read_batches(tmp_path / "a.csv", defaults()))
    into = Watched()
    write_lines_csv(
        tmp_path / "a.csv",
        defaults(),
        lambda first, last: found.filter(pl.col("line").is_between(first, last)).select("line", "message"),
        into,
        chunk_rows,
    )
    assert into.getvalue() == defects_csv(read_batch(tmp_path / "a.csv", defaults()))
    nothing = io.BytesIO()
    write_lines_csv(tmp_path / "a.csv", defaults(), lambda *_: found.clear().select("line", "message"), nothing)
    assert len(nothing.getvalue().splitlines()) == 1

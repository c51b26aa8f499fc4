"""Shortcuts for text without anything unusual in it: what is read is the same with and without them."""

import csv
import re
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.tabular_rows import PERSON, ROW
from xinzheng.adapters.tabular import BatchDefaults, Limits, ParsedBatch, TabularError, read_batch, template_csv
from xinzheng.adapters.tabular.privacy import NUMBER_MARK, is_number_among, number_replaced
from xinzheng.adapters.tabular.text_files import survey_text

DEFAULTS = BatchDefaults("administrative_penalty", "market_regulation", date(2026, 11, 21), "批次.csv")
COLUMNS = template_csv("administrative_penalty").decode("utf-8-sig").strip().split(",")
# Fields at either end of the payload and between, some of them filled in a part of the rows only.
FREE = ("处罚依据", "违法事实", "处罚内容", "备注", "法定代表人", "违法行为类型", "依法封存")
USUAL = st.text("甲乙，。〔〕 aZ09{}%$", max_size=6)
UNUSUAL = st.text("甲,\"'\\\t\n\x01\x7f\u2028{}：=+", max_size=6)
ROWS = st.lists(st.fixed_dictionaries({name: st.one_of(USUAL, st.just("")) for name in FREE}), min_size=1, max_size=4)
STRANGE_ROWS = st.lists(st.fixed_dictionaries(dict.fromkeys(FREE, UNUSUAL)), min_size=1, max_size=4)
PIECES = st.lists(st.sampled_from(["甲", "1", "３", "0", " ", PERSON, PERSON[:17], "x", "19", "20"]), max_size=20)
IN_A_FOLDER = [HealthCheck.function_scoped_fixture]


def read(path: Path, rows: list[dict[str, str]], *, quoted: bool) -> ParsedBatch:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL)
        writer.writerow(COLUMNS)
        for number, row in enumerate(rows):
            cells = {**ROW, "行政处罚决定书文号": f"{number}号", **row}
            writer.writerow([cells.get(column, "") for column in COLUMNS])
    return read_batch(path, DEFAULTS)


@settings(max_examples=150, deadline=None, suppress_health_check=IN_A_FOLDER)
@given(rows=st.one_of(ROWS, STRANGE_ROWS))
def test_a_file_says_the_same_whether_its_cells_are_quoted_or_not(tmp_path: Path, rows: list[dict[str, str]]) -> None:
    bare = read(tmp_path / "bare.csv", rows, quoted=False)
    quoted = read(tmp_path / "quoted.csv", rows, quoted=True)
    assert bare.frame.equals(quoted.frame)
    assert bare.defects.equals(quoted.defects)


@settings(max_examples=300, deadline=None)
@given(texts=st.lists(PIECES.map("".join), max_size=30), times=st.integers(1, 200))
def test_an_identity_number_is_seen_among_many_texts_and_few(texts: list[str], times: int) -> None:
    column = pl.Series("t", texts * times, dtype=pl.String)
    masked = column.to_frame().select(number_replaced(pl.col("t"))).to_series()
    assert is_number_among(column) == bool(masked.str.contains(re.escape(NUMBER_MARK)).any())


@pytest.mark.parametrize("before", ["", "a", "ab"])
def test_a_character_between_two_pieces_of_a_file_is_whole(tmp_path: Path, before: str) -> None:
    text = (before + "中" * (3 * 1024**2)).encode()
    path = tmp_path / "a.csv"
    path.write_bytes(text)
    assert survey_text(path, "a.csv", Limits()).encoding == "utf-8"
    path.write_bytes(text[:-1])
    with pytest.raises(TabularError, match="末尾"):
        survey_text(path, "a.csv", Limits())

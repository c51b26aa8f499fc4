"""Numbers in cells, written as a person would have typed them."""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from xinzheng.adapters.tabular.workbook_cells import cell_text, number_texts

AMOUNTS = st.integers(-(10**12), 10**12).map(lambda number: number / 10**6)
NUMBERS = st.one_of(AMOUNTS, st.floats(allow_nan=False, allow_infinity=False), st.integers(0, 10**17).map(float))


@given(st.lists(NUMBERS))
def test_a_column_of_numbers_is_written_as_each_of_them_is(numbers: list[float]) -> None:
    written = number_texts(pl.Series(numbers, dtype=pl.Float64())).to_list()
    assert written == [cell_text(number) for number in numbers]


def test_what_a_spreadsheet_computed_is_written_without_its_noise() -> None:
    written = number_texts(pl.Series([0.1 + 0.2, 3.0, -0.5, 1e-7, 20260101.0])).to_list()
    assert written == ["0.3", "3", "-0.5", "0.0000001", "20260101"]

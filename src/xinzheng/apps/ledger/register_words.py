"""The words of the checks against the register (登记库核查), defined in the tabular adapter with all others."""

from collections.abc import Iterable, Sequence
from typing import Protocol, cast

import polars as pl

from xinzheng.apps.ledger.reading import tabular

# What a defect holds besides its line.
SAID = {
    "field": pl.String, "code": pl.String, "severity": pl.String, "message": pl.String, "value": pl.String,
}  # fmt: skip


class RegisterWords(Protocol):
    """A check as the adapter words it: its ``RegisterCheck``."""

    def defect(self, kind: str, value: str | None, *found: object) -> tuple[str, str, str, str, str | None]:
        """Field, code, severity, message and value of a defect."""
        ...


def words_of(code: str) -> RegisterWords:
    """The check with this code."""
    return cast(RegisterWords, tabular().REGISTER_CHECKS[code])


def line_defects(lines: pl.Series, code: str) -> pl.DataFrame:
    """The same defect of each of these lines as a whole."""
    said = dict(zip(SAID, words_of(code).defect("", None), strict=True))
    return pl.DataFrame({"line": lines}).select("line", *(pl.lit(text, pl.String).alias(n) for n, text in said.items()))


def row_defects(rows: pl.DataFrame, keys: Sequence[str], said: Iterable[tuple[object, ...]]) -> pl.DataFrame:
    """The defects of the rows that hold certain values: each of ``said`` is those of the keys, then ``SAID``."""
    schema = {key: rows.schema[key] for key in keys} | SAID
    found = pl.DataFrame(list(said), schema=schema, orient="row")
    return rows.join(found, on=list(keys), nulls_equal=True, maintain_order="left").select("line", *SAID)

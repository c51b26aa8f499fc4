"""Decisions that may have been told twice within one delivery (近似重复): noted when the last line is known."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

import polars as pl
from django.db import connection

from xinzheng.apps.ledger.reading import tabular
from xinzheng.apps.ledger.staging import DEFECT_COLUMNS, copy_frame

# What became of a line that does not count, as the ledger keeps it.
NOT_COUNTING = "SELECT line FROM ledger_line WHERE entry_id = %s AND line = ANY(%s) AND status = ANY(%s)"
STATUSES = ["rejected", "duplicate"]


@dataclass
class NearLines:
    """Of each line that can be stored its digest: sixteen bytes a line."""

    parts: list[pl.DataFrame] = field(default_factory=list)

    def add(self, near: pl.Series, frame: pl.DataFrame) -> None:
        """Keep the digests of a stretch; ``near`` is in the order of the frame."""
        if near.len():
            rows = frame.select("line", "status", near.alias("near"))
            kept = rows.filter((pl.col("status") == "ok") & pl.col("near").is_not_null())
            self.parts.append(kept.select("line", "near"))

    def note(self, entry_id: int) -> None:
        """Note at each line that counts to which other it is near; all lines have been written."""
        if not self.parts:
            return
        lines = pl.concat(self.parts)
        alike = lines.filter(lines.get_column("near").is_duplicated())
        if alike.height:
            noted = _defects(alike, _not_counting(entry_id, alike.get_column("line")))
            copy_frame("ledger_defect", noted.with_columns(entry_id=pl.lit(entry_id, pl.Int64)), DEFECT_COLUMNS)


def _not_counting(entry_id: int, lines: pl.Series) -> pl.DataFrame:
    with connection.cursor() as cursor:
        cursor.execute(NOT_COUNTING, [entry_id, lines.to_list(), STATUSES])
        return pl.DataFrame({"line": [line for (line,) in cursor.fetchall()]}, schema={"line": pl.Int64})


def _defects(alike: pl.DataFrame, beaten: pl.DataFrame) -> pl.DataFrame:
    found = cast(Callable[[list[pl.DataFrame], pl.DataFrame], pl.DataFrame], tabular().alike_lines)([alike], beaten)
    return cast(Callable[[pl.DataFrame], pl.DataFrame], tabular().alike_defects)(found)

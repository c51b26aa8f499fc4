"""Writing identical lines: a row for each unit of a stretch, a tenth of the work of a row for each line."""

import polars as pl

from xinzheng.apps.ledger.staging import copy_frame

COLUMNS = ("entry_id", "unit_id", "lines", "version_ids")


def write_identical_lines(rows: pl.DataFrame) -> None:
    """COPY the rows' lines with the versions they confirm (``head_version``), in the order of the rows."""
    numbers = pl.col("line", "head_version").cast(pl.String)
    joined = rows.group_by("entry_id", "unit_id", maintain_order=True).agg(numbers.str.join(","))
    arrays = joined.with_columns(lines=pl.format("{{{}}}", "line"), version_ids=pl.format("{{{}}}", "head_version"))
    copy_frame("ledger_identicalstretch", arrays, COLUMNS)

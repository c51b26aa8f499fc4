"""Lines of the same record within one delivery (重复行): the last wins, the others are kept and make no version."""

from collections.abc import Callable, Sequence
from typing import cast

import polars as pl

from xinzheng.apps.ledger.reading import tabular
from xinzheng.apps.ledger.staging import DEFECT_COLUMNS, copy_frame


def keys_of(frame: pl.DataFrame) -> pl.DataFrame:
    """Line and a 128-bit digest of subject, kind and natural key, for rows that can be stored."""
    identity = pl.struct("kind", "subject_id", "record_key")
    return frame.filter(pl.col("status") == "ok").select("line", a=identity.hash(seed=1), b=identity.hash(seed=2))


def note_duplicates(entry_id: int, keys: Sequence[pl.DataFrame]) -> pl.Series:
    """The lines beaten by a later line of the same record; at each it is noted which line wins."""
    judged = pl.concat(keys)
    doubled = judged.filter(judged.get_column("a").is_duplicated())
    beaten = doubled.with_columns(winner=pl.col("line").max().over("a", "b")).filter(pl.col("line") != pl.col("winner"))
    if beaten.height:
        copy_frame("ledger_defect", _notes(beaten, entry_id), DEFECT_COLUMNS)
    return beaten.get_column("line")


def mark_duplicates(frame: pl.DataFrame, beaten: pl.Series) -> pl.DataFrame:
    """The rows, those of beaten lines marked as duplicates."""
    if not beaten.len():
        return frame
    is_beaten = pl.col("line").is_in(beaten.implode())
    return frame.with_columns(status=pl.when(is_beaten).then(pl.lit("duplicate")).otherwise("status"))


def _notes(beaten: pl.DataFrame, entry_id: int) -> pl.DataFrame:
    defects = cast(Callable[[pl.DataFrame], pl.DataFrame], tabular().beaten_defects)
    return defects(beaten).with_columns(entry_id=pl.lit(entry_id, pl.Int64))

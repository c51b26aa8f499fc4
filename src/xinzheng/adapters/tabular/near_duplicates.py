"""What was told twice: lines of one record, and penalties alike in subject, day, amount and organ, not in number."""

from dataclasses import replace

import polars as pl

from xinzheng.adapters.tabular.batch import ParsedBatch
from xinzheng.adapters.tabular.work import Work

BEATEN_CODE = "duplicate-line"
BEATEN_TEXT = "与第{}行是同一条记录，以第{}行为准，本行只保存不入账。"
CODE = "near-duplicate"
TEXT = "与第{}行的主体、决定日期、罚款金额、处罚机关都相同，只有文号不同，可能重复报送，请核对；确是两个决定的不用改。"
_PARTS = ("subject_code", "decision_date:value", "fine:value", "organ_code:value")


def near_keys(work: Work) -> pl.DataFrame:
    """Line and near: the digest to compare rows by, null where one of the parts is absent or the kind has none."""
    if work.form.kind != "administrative_penalty" or "fine" not in work.filled:
        return work.frame.select("line", near=pl.lit(None, pl.UInt64()))
    whole = pl.all_horizontal(pl.col(part).is_not_null() for part in _PARTS)
    return work.frame.select("line", near=pl.when(whole).then(pl.struct(_PARTS).hash(seed=3)))


def alike_lines(keys: list[pl.DataFrame], duplicates: pl.DataFrame) -> pl.DataFrame:
    """Of the lines that count, those near to another: line, and other, the line it is near to.

    ``keys``: line and near of all lines that can be stored; ``duplicates``: lines beaten by a later one.
    """
    judged = pl.concat([part.select("line", "near") for part in keys]).filter(pl.col("near").is_not_null())
    doubtful = judged.filter(pl.col("near").is_duplicated())
    doubtful = doubtful.filter(~pl.col("line").is_in(duplicates.get_column("line").implode()))
    first, last = pl.col("line").min().over("near"), pl.col("line").max().over("near")
    other = pl.when(pl.col("line") == first).then(last).otherwise(first)
    return doubtful.select("line", other=other).filter(pl.col("line") != pl.col("other"))


def alike_defects(alike: pl.DataFrame) -> pl.DataFrame:
    """What :func:`alike_lines` found, as defects (DEFECT_SCHEMA)."""
    return alike.select(
        "line",
        field=pl.lit(""),
        code=pl.lit(CODE),
        severity=pl.lit("warning"),
        message=pl.format(TEXT, "other"),
        value=pl.lit(None, pl.String()),
    )


def beaten_defects(beaten: pl.DataFrame) -> pl.DataFrame:
    """Lines of which a later one, ``winner``, speaks of the same record, as defects (DEFECT_SCHEMA)."""
    return beaten.select(
        "line",
        field=pl.lit(""),
        code=pl.lit(BEATEN_CODE),
        severity=pl.lit("warning"),
        message=pl.format(BEATEN_TEXT, "winner", "winner"),
        value=pl.lit(None, pl.String()),
    )


def with_alike(part: ParsedBatch, alike: pl.DataFrame) -> ParsedBatch:
    """The part with a warning on each of its lines that is near to another."""
    own = alike.filter(pl.col("line").is_in(part.frame.get_column("line").implode()))
    if not own.height:
        return part
    return replace(part, defects=pl.concat([part.defects, alike_defects(own)]).sort("line", maintain_order=True))

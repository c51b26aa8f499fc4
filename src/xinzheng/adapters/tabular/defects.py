"""Checks run over a stretch of rows; what they find, by line, with no identity number in it."""

from collections.abc import Sequence

import polars as pl

from xinzheng.adapters.tabular.batch import DEFECT_SCHEMA
from xinzheng.adapters.tabular.check_definitions import Check
from xinzheng.adapters.tabular.fields import FieldType
from xinzheng.adapters.tabular.privacy import told, without_numbers
from xinzheng.adapters.tabular.work import Work

_EXCERPT = 40
_NOT_CELLS = (":message", ":value", ":notice")
# Of a natural person's row only cells that cannot hold a name or a number are quoted.
_HARMLESS = frozenset({FieldType.DATE, FieldType.MONTH, FieldType.AMOUNT, FieldType.MONEY, FieldType.FLAG})


def run_checks(work: Work, checks: Sequence[Check]) -> pl.DataFrame:
    """Every check on every row; a defect (DEFECT_SCHEMA) for each that is true."""
    masks = work.frame.select(check.when.fill_null(value=False).alias(str(i)) for i, check in enumerate(checks))
    hits = masks.select(pl.all().any()).row(0) if checks else ()
    found = [
        _defects(work, check, masks.get_column(str(i)))
        for i, (check, hit) in enumerate(zip(checks, hits, strict=True))
        if hit
    ]
    return pl.concat([pl.DataFrame(schema=DEFECT_SCHEMA), *found])


def _defects(work: Work, check: Check, mask: pl.Series) -> pl.DataFrame:
    name = without_numbers(work.header.name_of(check.field.id) or check.field.name)
    person = pl.col("is_person") | (pl.col("subject_class:value") == "person").fill_null(value=False)
    quoted = {check.field.id, *check.message.meta.root_names()}
    cells = [c for c in quoted if work.frame.schema[c] == pl.String() and not c.endswith(_NOT_CELLS)]
    value = pl.col(check.field.id).str.slice(0, _EXCERPT)
    if check.field.personal:
        value = pl.lit(None, pl.String())
    elif check.field.type not in _HARMLESS:
        value = pl.when(~person).then(value)
    # pl.format of polars 2.1 panics on a filtered column of several chunks.
    whole = work.frame.filter(mask).rechunk()
    rows = whole.with_columns(told(pl.col(c), person).alias(c) for c in cells)
    return rows.select(
        "line",
        field=pl.lit(name),
        code=pl.lit(check.code),
        severity=pl.lit(check.severity),
        message=pl.lit(f"“{name}”：") + check.message,
        value=value,
    )


def misalignment_defects(misaligned: pl.DataFrame) -> pl.DataFrame:
    """Rows whose cells do not match the header, as defects."""
    return misaligned.select(
        "line",
        field=pl.lit(""),
        code="code",
        severity=pl.lit("error"),
        message="message",
        value=pl.lit(None, pl.String()),
    )


def unknown_column_defects(unknown: Sequence[str], lines: pl.Series) -> pl.DataFrame:
    """Columns that no field of the format claims: one warning each, at the header."""
    names = [without_numbers(name)[:_EXCERPT] for name in unknown]
    text = "“{}”：不是本格式的列，原样保存，不参与核查。"
    at_header = [(1, name, "column-unknown", "warning", text.format(name), None) for name in names]
    return pl.DataFrame(at_header if lines.len() else [], schema=DEFECT_SCHEMA, orient="row")

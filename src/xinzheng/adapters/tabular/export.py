"""Files out: the rows with problems in their original columns, and empty templates; safe to open in a spreadsheet."""

import codecs
import csv
import io
import re

import polars as pl

from xinzheng.adapters.tabular.batch import ParsedBatch
from xinzheng.adapters.tabular.formats import FORMATS
from xinzheng.adapters.tabular.headers import PROBLEM_COLUMN

# A cell beginning with one of these may run as a formula when the file is opened.
_RISKY = r"^([=+\-@\t\r＝＋－＠])"


def defects_csv(parsed: ParsedBatch) -> bytes:
    """The rows that have defects: original columns and 问题 (what is wrong, by line); UTF-8 with byte order mark."""
    by_line = parsed.defects.group_by("line", maintain_order=True).agg(pl.col("message").str.join("；"))
    problems = by_line.select("line", pl.format("第{}行：{}", "line", "message").alias(PROBLEM_COLUMN))
    original = parsed.raw.drop(PROBLEM_COLUMN, strict=False)
    rows = original.with_columns(parsed.frame.get_column("line").alias("\0line"))
    named = rows.join(problems, left_on="\0line", right_on="line", how="inner", maintain_order="left").drop("\0line")
    return _csv(named.with_columns(pl.all().str.replace(_RISKY, "'$1")))


def template_csv(kind: str) -> bytes:
    """An empty file with the header of a kind of record (记录类型); UTF-8 with byte order mark. KeyError if unknown."""
    return _csv(pl.DataFrame(schema={field.name: pl.String() for field in FORMATS[kind].fields}))


def _csv(frame: pl.DataFrame) -> bytes:
    # Headings may be formulas as well; written apart because made harmless they need not be unique any more.
    header = io.StringIO(newline="")
    csv.writer(header, lineterminator="\r\n").writerow(re.sub(_RISKY, r"'\1", name) for name in frame.columns)
    rows = io.BytesIO()
    frame.write_csv(rows, include_header=False, quote_style="necessary", line_terminator="\r\n")
    return codecs.BOM_UTF8 + header.getvalue().encode() + rows.getvalue()

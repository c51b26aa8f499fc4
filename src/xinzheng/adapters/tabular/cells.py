"""Cells to values: text, dates, months, amounts, words; what cannot be read gets a fault code, never a guess."""

from collections.abc import Callable, Mapping

import polars as pl

from xinzheng.adapters.tabular.codes import READ_SCHEMA, read_identity_numbers, read_usccs
from xinzheng.adapters.tabular.fields import Field, FieldType

EMPTY_MARKS = (
    "", "-", "--", "---", "—", "——", "———", "— —", "－", "－－", "–", "/", "／", "//", "/ /", "\\", "*",
    "无", "無", "无。", "空", "暂无", "null", "NULL", "Null", "None", "N/A", "n/a", "NaN", "nan",
)  # fmt: skip
_LONGEST_MARK = max(len(mark.encode()) for mark in EMPTY_MARKS)
_SERIAL_DAYS = (20_000, 80_000)
_EPOCH = -25_569


def clean(frame: pl.DataFrame, *, is_plain: bool = False) -> pl.DataFrame:
    """Surrounding space off, marks of emptiness to null, the quote our own defect file puts before formulas off.

    ``is_plain``: it is known that there is no such quote.
    """
    filled = [place for place, texts in enumerate(frame.get_columns()) if texts.null_count() < texts.len()]
    if not filled:
        return frame
    # A column's name is the source's word, which must not be taken for a pattern: asked for by place.
    frame = frame.with_columns(pl.nth(filled).str.strip_chars())
    marked = frame.select(_is_marked(pl.nth(place)).alias(str(place)) for place in filled)
    frame = frame.with_columns(_without_marks(frame.to_series(place)) for place in _true(marked))
    if is_plain:
        return frame
    quoted = frame.select(pl.nth(place).str.starts_with("'").any().alias(str(place)) for place in filled)
    unquoted = pl.nth(_true(quoted)).str.replace(r"^'(?:[\t\r\n]\s*|([=+\-@＝＋－＠]))", "$1")
    return frame.with_columns(unquoted) if _true(quoted) else frame


def _is_marked(texts: pl.Expr) -> pl.Expr:
    return texts.filter(texts.str.len_bytes() <= _LONGEST_MARK).unique().is_in(list(EMPTY_MARKS)).any()


def _without_marks(texts: pl.Series) -> pl.Series:
    found = texts.filter(texts.str.len_bytes() <= _LONGEST_MARK).unique()
    marks = found.filter(found.is_in(list(EMPTY_MARKS)))
    return texts.replace(marks, pl.Series([None], dtype=pl.String()))


def _true(row: pl.DataFrame) -> list[int]:
    """The places of those columns whose only value is true."""
    return [int(name) for name, value in zip(row.columns, row.row(0), strict=True) if value]


def read_field(field: Field, texts: pl.Series) -> pl.DataFrame:
    """Clean texts of one field to columns value, fault, message, notice (READ_SCHEMA; value by the field's type)."""
    reader = _READERS.get(field.type)
    if field.type is FieldType.USCC:
        return read_usccs(texts)
    if field.type is FieldType.IDENTITY:
        return read_identity_numbers(texts)
    if field.type is FieldType.WORD:
        return _by_unique(texts, lambda given: _words(given, field.words))
    if reader is not None:
        return _by_unique(texts, reader)
    return texts.to_frame("value").with_columns(_nothing("fault", "message", "notice"))


def _nothing(*names: str) -> list[pl.Expr]:
    return [pl.lit(None, READ_SCHEMA[name]).alias(name) for name in names]


def _by_unique(texts: pl.Series, reader: Callable[[pl.Series], pl.DataFrame]) -> pl.DataFrame:
    given = texts.unique().drop_nulls()
    read = reader(given).with_columns(given.alias("given"))
    absent = [name for name in ("message", "notice") if name not in read.columns]
    if given.len() == 1 and not texts.has_nulls():
        joined = pl.DataFrame([column.new_from_index(0, texts.len()) for column in read.get_columns()])
    else:
        joined = texts.to_frame("given").join(read, on="given", how="left", maintain_order="left")
    return joined.with_columns(_nothing(*absent)).select("value", "fault", "message", "notice")


def _dates(given: pl.Series) -> pl.DataFrame:
    text = pl.col("t")
    folded = (
        given.to_frame("t")
        .select(text.str.normalize("NFKC").str.replace_all(r"\s*[年月/.]\s*", "-").str.replace_all("日", ""))
        .select(text.str.replace(r"[ T]+\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?(Z|\+08:?00)?$", "").str.strip_chars())
    )
    serial = text.str.extract(r"^(\d{5})(?:\.0+)?$").cast(pl.Int32())
    is_serial = serial.is_between(*_SERIAL_DAYS)
    whole = text.str.contains(r"^(\d{4}-\d{1,2}-\d{1,2}|\d{8})$")
    month = text.str.contains(
        r"^(\d{4}-\d{1,2}-?|\d{6}|(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*-?\d{2,4}|\d{2,4}-[A-Za-z]{3,9}|\d{1,2}-)$"
    )
    read = folded.with_columns(
        value=pl.coalesce(
            text.str.to_date("%Y-%m-%d", strict=False),
            pl.when(text.str.len_bytes() == 8).then(text).str.to_date("%Y%m%d", strict=False),
            pl.when(is_serial).then(serial + _EPOCH).cast(pl.Date()),
        ),
        whole=whole,
        month=month,
        serial=is_serial,
    ).with_columns(value=pl.when(pl.col("whole") | pl.col("serial")).then(pl.col("value")))
    fault = (
        pl.when(pl.col("value").is_not_null() & pl.col("serial")).then(pl.lit("date-serial"))
        .when(pl.col("value").is_not_null()).then(None)
        .when("whole").then(pl.lit("date-impossible"))
        .when("month").then(pl.lit("date-month-only"))
        .otherwise(pl.lit("date-unreadable"))
    )  # fmt: skip
    return read.select("value", fault=fault)


def _months(given: pl.Series) -> pl.DataFrame:
    text = pl.col("t")
    folded = given.to_frame("t").select(
        text.str.normalize("NFKC").str.replace_all(r"\s*[年月/.]\s*", "-").str.strip_chars("- 日")
    )
    parts = text.str.extract_groups(r"^(\d{4})-?(\d{1,2})(?:-\d{1,2})?(?: 0?0:00(?::00)?)?$")
    year, number = parts.struct[0], parts.struct[1].cast(pl.Int32())
    value = pl.when(number.is_between(1, 12)).then(pl.format("{}-{}", year, number.cast(pl.String()).str.zfill(2)))
    return folded.select(value=value).with_columns(
        fault=pl.when(pl.col("value").is_null()).then(pl.lit("month-unreadable"))
    )


def _amounts(given: pl.Series, scale: int) -> pl.DataFrame:
    text = pl.col("t")
    folded = given.to_frame("t").select(
        text.str.normalize("NFKC").str.replace_all(r"[, ]", "").str.strip_chars_start("¥￥+")
    )
    plain = text.str.contains(r"^-?(\d{1,12}(\.\d*)?|\.\d+)$")
    tiny = text.str.contains(r"^-?\d(\.\d+)?[eE]-\d{1,2}$")
    number = pl.coalesce(
        pl.when(plain).then(text).cast(pl.Decimal(38, 12), strict=False),
        pl.when(tiny).then(text).cast(pl.Float64(), strict=False).cast(pl.Decimal(38, 12), strict=False),
    )
    rounded = pl.col("number").round(scale)
    fault = (
        pl.when(pl.col("number").is_null()).then(pl.lit("amount-unreadable"))
        .when(pl.col("number") < 0).then(pl.lit("amount-negative"))
        .when(pl.col("number") != rounded).then(pl.lit("amount-too-precise"))
    )  # fmt: skip
    return (
        folded.select(number=number)
        .with_columns(fault=fault)
        .select(value=pl.when(pl.col("fault").is_null()).then(rounded.cast(pl.Decimal(18, scale))), fault="fault")
    )


def _words(given: pl.Series, words: Mapping[str, str]) -> pl.DataFrame:
    known = {**{value: value for value in words.values()}, **words}
    folded = given.to_frame("t").select(pl.col("t").str.normalize("NFKC").str.replace_all(r"[\s/、,;]", ""))
    found = folded.select(value=pl.col("t").replace_strict(known, default=None, return_dtype=pl.String()))
    return found.with_columns(fault=pl.when(pl.col("value").is_null()).then(pl.lit("word-unknown")))


def _flags(given: pl.Series) -> pl.DataFrame:
    words = {
        **dict.fromkeys(("是", "Y", "y", "1", "true", "TRUE"), "true"),
        **dict.fromkeys(("否", "N", "n", "0", "false", "FALSE"), "false"),
    }
    read = given.to_frame("t").select(value=pl.col("t").replace_strict(words, default=None, return_dtype=pl.String()))
    fault = pl.when(pl.col("value").is_null()).then(pl.lit("word-unknown"))
    return read.select(value=pl.col("value") == "true", fault=fault)


_READERS: Mapping[FieldType, Callable[[pl.Series], pl.DataFrame]] = {
    FieldType.DATE: _dates,
    FieldType.MONTH: _months,
    FieldType.AMOUNT: lambda given: _amounts(given, 6),
    FieldType.MONEY: lambda given: _amounts(given, 2),
    FieldType.FLAG: _flags,
}

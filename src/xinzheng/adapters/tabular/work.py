"""One stretch of rows of one kind, read field by field: the frame that checks and assembly look at.

Columns per field: ``id`` the clean text; for typed fields also ``id:value``, ``id:fault``, ``id:message`` and
``id:notice``. Derived: ``line``, ``is_person``, ``subject_code``, ``subject_kind``, ``domain:code`` and, for penalties,
``category:unknown``, ``category:real``, ``not_penalised`` and ``outcome:decided``.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from xinzheng.adapters.tabular.batch import BatchDefaults
from xinzheng.adapters.tabular.cells import clean, read_field
from xinzheng.adapters.tabular.fields import Field, FieldType, Format
from xinzheng.adapters.tabular.formats import IDENTITY_DOCUMENTS, PENALTY_WORDS
from xinzheng.adapters.tabular.headers import Header
from xinzheng.adapters.tabular.rows import RawRows
from xinzheng.core.identifiers import subject_kind_prefixes

VALUE_TYPES: Mapping[FieldType, pl.DataType] = {
    FieldType.USCC: pl.String(),
    FieldType.IDENTITY: pl.String(),
    FieldType.DATE: pl.Date(),
    FieldType.MONTH: pl.String(),
    FieldType.AMOUNT: pl.Decimal(18, 6),
    FieldType.MONEY: pl.Decimal(18, 2),
    FieldType.WORD: pl.String(),
    FieldType.FLAG: pl.Boolean(),
}
NOT_PENALISED = r"不予(?:行政)?处罚|违法事实不能成立"
# Twice what may be entered: more is refused by its length, and not worth taking apart.
_LONGEST_CATEGORY = 510
_CATEGORY_BREAK = re.compile(r"[;；,，、|\s]+")
# Kinds of penalty that themselves contain one of the marks between kinds.
_CATEGORY_WHOLE = tuple(word for word in PENALTY_WORDS if _CATEGORY_BREAK.search(word))
_UNUSUAL = re.compile(r"[\"\\\x00-\x1f]")
_FIRM_ONLY = ("organisation_code", "registration_number", "tax_number", "representative")


@dataclass(frozen=True)
class Work:
    """The frame described above, its format, and which fields have any text at all in this stretch.

    ``is_plain``: it is known that no text holds a quotation mark, a backslash or a control character.
    """

    frame: pl.DataFrame
    form: Format
    header: Header
    filled: frozenset[str]
    is_plain: bool = False


def lay_out(rows: RawRows, form: Format, header: Header, defaults: BatchDefaults) -> Work:
    """Clean and read every field of the format; fields the file lacks are null."""
    lines, names = rows.lines, {f.id: name for f in form.fields if (name := header.name_of(f.id)) is not None}
    given = rows.frame.select(pl.col(name).alias(field_id) for field_id, name in names.items())
    texts = clean(given, is_plain=rows.is_plain)
    texts = _translated(_joined(texts, rows, header), form, defaults, lines.len())
    filled = frozenset(s.name for s in texts.get_columns() if s.null_count() < s.len())
    columns: list[pl.Series] = [lines.alias("line")]
    for field in form.fields:
        columns.extend(_columns_of(field, texts, lines.len(), present=field.id in filled))
    frame = pl.DataFrame(columns)
    frame = _with_domain(_with_subject(frame), defaults)
    if form.kind == "administrative_penalty":
        frame = _with_outcome(frame)
    return Work(frame, form, header, filled, rows.is_plain and _adds_plain_text(defaults))


def _adds_plain_text(defaults: BatchDefaults) -> bool:
    words = (word for translations in defaults.words.values() for word in translations.values())
    return not _UNUSUAL.search("".join((*defaults.constants.values(), *words)))


def _joined(texts: pl.DataFrame, rows: RawRows, header: Header) -> pl.DataFrame:
    """Fields made up of several columns: what is there, joined by ``;``."""
    for field_id, places in header.joined.items():
        parts = clean(rows.frame.select(header.names[place] for place in places), is_plain=rows.is_plain)
        whole = pl.concat_str(pl.all(), separator=";", ignore_nulls=True).replace("", None)
        texts = texts.with_columns(parts.select(whole.alias(field_id)).to_series())
    return texts


def _translated(texts: pl.DataFrame, form: Format, defaults: BatchDefaults, height: int) -> pl.DataFrame:
    """The source's own words in those of the format; what holds for all rows where nothing is written."""
    for field_id, words in defaults.words.items():
        if field_id in texts.columns:
            texts = texts.with_columns(pl.col(field_id).replace(dict(words)))
    for field_id, text in defaults.constants.items():
        if form.has(field_id) and text:
            given = texts.get_column(field_id) if field_id in texts.columns else pl.repeat(None, height, eager=True)
            texts = texts.with_columns(given.cast(pl.String()).fill_null(text).alias(field_id))
    return texts


def _columns_of(field: Field, texts: pl.DataFrame, height: int, *, present: bool) -> list[pl.Series]:
    if not present:
        empty = [pl.Series(field.id, [None], dtype=pl.String())]
        if field.type in VALUE_TYPES:
            empty.append(pl.Series(f"{field.id}:value", [None], dtype=VALUE_TYPES[field.type]))
            parts = ("fault", "message", "notice")
            empty.extend(pl.Series(f"{field.id}:{part}", [None], dtype=pl.String()) for part in parts)
        return [column.new_from_index(0, height) for column in empty]
    text = texts.get_column(field.id)
    if field.type not in VALUE_TYPES:
        return [text]
    read = read_field(field, text)
    return [text, *(read.get_column(part).alias(f"{field.id}:{part}") for part in read.columns)]


def _with_subject(frame: pl.DataFrame) -> pl.DataFrame:
    uscc, number = pl.col("subject_uscc"), pl.col("identity_number")
    stated = pl.col("subject_class:value")
    by_number = uscc.is_null() & number.is_not_null()
    if _FIRM_ONLY[0] in frame.columns:
        # Old exports put the representative's number beside a firm that has no unified code yet: no person's record.
        by_number &= pl.all_horizontal(pl.col(name).is_null() for name in _FIRM_ONLY)
    by_class = (stated == "person") & (uscc.is_null() | number.is_not_null())
    is_person = pl.when(stated.is_null()).then(by_number).otherwise(by_class)
    document_read = pl.col("identity_document").is_null() | pl.col("identity_document").is_in(IDENTITY_DOCUMENTS)
    frame = frame.with_columns(is_person=is_person.fill_null(value=False))
    code = (
        pl.when("is_person")
        .then(pl.when(document_read).then(pl.col("identity_number:value")))
        .otherwise(pl.col("subject_uscc:value"))
    )
    by_prefix = pl.col("subject_uscc:value").str.slice(0, 2)
    kind = by_prefix.replace_strict(dict(subject_kind_prefixes()), default=None, return_dtype=pl.String())
    return frame.with_columns(
        subject_code=code, subject_kind=pl.when("is_person").then(pl.lit("natural_person")).otherwise(kind)
    )


def _with_domain(frame: pl.DataFrame, defaults: BatchDefaults) -> pl.DataFrame:
    given = pl.col("domain")
    codes = set(defaults.domain_names.values())
    known = given.is_in(sorted(codes)) if codes else given.str.contains(r"^[a-z][a-z0-9_]*$")
    by_name = given.replace_strict(dict(defaults.domain_names) or {"": ""}, default=None, return_dtype=pl.String())
    code = pl.when(given.is_null()).then(pl.lit(defaults.domain)).when(known).then(given).otherwise(by_name)
    return frame.with_columns(code.alias("domain:code"))


def _with_outcome(frame: pl.DataFrame) -> pl.DataFrame:
    """A decision not to punish may travel in this feed; punishment is only taken from a named kind of penalty."""
    frame = frame.hstack(_read_categories(frame.get_column("category")))
    named = pl.col("category").str.contains(NOT_PENALISED).fill_null(value=False)
    written = pl.col("content").str.contains(NOT_PENALISED).fill_null(value=False)
    frame = frame.with_columns(not_penalised=named | written)
    inferred = (
        pl.when(pl.col("not_penalised") & ~pl.col("category:real"))
        .then(pl.lit("not_penalised"))
        .when(~pl.col("not_penalised") & pl.col("category:real"))
        .then(pl.lit("penalised"))
    )
    decided = pl.when(pl.col("outcome").is_null()).then(inferred).otherwise(pl.col("outcome:value"))
    return frame.with_columns(decided.alias("outcome:decided"))


def _read_categories(texts: pl.Series) -> pl.DataFrame:
    given = texts.unique().drop_nulls()
    read = [(text, *category_words(text)) for text in given]
    schema = {"given": pl.String(), "category:unknown": pl.String(), "category:real": pl.Boolean()}
    found = pl.DataFrame(read, schema=schema, orient="row")
    joined = texts.to_frame("given").join(found, on="given", how="left", maintain_order="left")
    return joined.select("category:unknown", pl.col("category:real").fill_null(value=False))


def category_words(text: str) -> tuple[str | None, bool]:
    """Words that are no known kind of penalty, and whether any word is one (其他 alone is not)."""
    rest = text[:_LONGEST_CATEGORY]
    real = False
    for whole in _CATEGORY_WHOLE:
        real = real or whole in rest
        rest = rest.replace(whole, "")
    unknown = []
    for word in filter(None, _CATEGORY_BREAK.split(rest)):
        bare = re.sub(r"^其他[-—:：(（]*", "", word).rstrip(")）")
        real = real or bare in PENALTY_WORDS[:-1]
        if bare and bare not in PENALTY_WORDS and not re.search(NOT_PENALISED, word):
            unknown.append(word)
    return "、".join(unknown)[:60] or None, real

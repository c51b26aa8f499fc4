"""From fields read to the frame that the ledger takes: natural key, canonical payload, no name of a person in it."""

import polars as pl

from xinzheng.adapters.tabular.batch import FRAME_SCHEMA
from xinzheng.adapters.tabular.fields import Field, FieldType
from xinzheng.adapters.tabular.privacy import is_number_among, number_replaced
from xinzheng.adapters.tabular.work import VALUE_TYPES, Work
from xinzheng.core.identifiers import DASHES, DOCUMENT_BRACKETS

_PARTY = "当事人"
_SPACES = (" ", "\t", "\r", "\n", "\u00a0", "\u200b", "\u200c", "\u200d", "\u3000", "\ufeff")
_NOT_IN_PAYLOAD = frozenset({"domain", "kind"})
_NAMES_OF_PERSONS = frozenset({"subject_name", "representative"})
_SHORTEST_NAME = 2
# A text without any of these is its own document key: nothing to fold, to drop or to unify.
_UNLIKE_ITS_KEY = r"[^0-9A-Z\x{4E00}-\x{9FFF}〔〕-]"
_ESCAPED_IN_JSON = r"[\"\\\x00-\x1f]"
_NULL_MEMBER = r'"[a-z_]+":null,?'


def name_key(text: pl.Expr) -> pl.Expr:
    """As :func:`xinzheng.core.identifiers.name_key`, for a whole column."""
    dropped = text.str.normalize("NFKC").str.replace_many(list(_SPACES), [""] * len(_SPACES))
    return dropped.str.to_uppercase().str.normalize("NFKC")


def document_key(text: pl.Expr) -> pl.Expr:
    """As :func:`xinzheng.core.identifiers.document_key`, for a whole column."""
    unified = {**DOCUMENT_BRACKETS, **dict.fromkeys(DASHES, "-")}
    return name_key(text).str.replace_many(list(unified), list(unified.values()))


def assemble(work: Work, status: pl.Expr) -> pl.DataFrame:
    """The rows in FRAME_SCHEMA; ``status`` is an expression over the work frame."""
    columns = work.frame.columns
    given = {name: pl.lit(None, dtype).alias(name) for name, dtype in FRAME_SCHEMA.items()}
    for name, dtype in FRAME_SCHEMA.items():
        if name in ("subject_code", "is_person", "subject_kind", "line"):
            given[name] = pl.col(name)
        elif f"{name}:value" in columns:
            value = pl.col(f"{name}:value")
            given[name] = (value.cast(pl.String()) if dtype == pl.String() else value).alias(name)
        elif name in columns:
            given[name] = pl.col(name)
    if "repaired_document_number" in columns:
        number = pl.col("repaired_document_number")
        given |= {"document_number": number.alias("document_number"), "repaired_document_key": document_key(number)}
    given |= {"status": status, "kind": pl.lit(work.form.kind), "domain": pl.col("domain:code")}
    given["record_key"] = pl.lit(_record_key(work))
    if "outcome:decided" in columns:
        given["outcome"] = pl.col("outcome:decided")
    frame = work.frame.select(expression.alias(name) for name, expression in given.items() if name != "payload")
    return frame.with_columns(_payload(work)).select(pl.col(name).cast(dtype) for name, dtype in FRAME_SCHEMA.items())


def _record_key(work: Work) -> pl.Series:
    """JSON array text of the natural key, null where a part is missing."""
    parts = work.frame.select(_key_part(work, part).alias(part) for part in work.form.key)
    names = parts.columns
    if any(parts.select(pl.all().str.contains(_ESCAPED_IN_JSON).any()).row(0)):
        array = pl.struct(pl.concat_list(names).alias("k")).struct.json_encode()
        text = array.str.strip_prefix('{"k":').str.strip_suffix("}")
    else:
        text = pl.format("[" + ",".join(['"{}"'] * len(names)) + "]", *names)
    whole = pl.all_horizontal(pl.all().is_not_null())
    return parts.select(record_key=pl.when(whole).then(text)).to_series()


def _key_part(work: Work, part: str) -> pl.Expr:
    if part == "organ":
        if not work.frame.get_column("organ_code:value").has_nulls():
            return pl.col("organ_code:value")
        return pl.coalesce("organ_code:value", name_key(pl.col("organ_name")))
    if part.endswith("document_number"):
        is_plain = work.frame.select(pl.col(part).str.contains(_UNLIKE_ITS_KEY).any()).item() is not True
        return pl.col(part) if is_plain else document_key(pl.col(part))
    if work.form.field(part).type in VALUE_TYPES:
        return pl.col(f"{part}:value").cast(pl.String())
    return name_key(pl.col(part))


def _payload(work: Work) -> pl.Series:
    """Canonical JSON text per row: sorted keys, no spaces, absent members left out."""
    fields = sorted((f for f in work.form.fields if _belongs(f, work)), key=lambda f: f.id)
    values = work.frame.select("line", "is_person", "subject_name", "identity_number", *(_value(f) for f in fields))
    persons = values.get_column("is_person")
    texts = [f.id for f in fields if f.type is FieldType.TEXT]
    if persons.any():
        theirs = _without_names(values.filter(persons), texts)
        values = pl.concat([values.filter(~persons), theirs]).sort("line")
    values = _without_numbers(values, texts)
    members = values.select(pl.col(f"={f.id}").alias(f.id) for f in fields)
    return _written_plainly(members) if work.is_plain else _written(members)


def _written(members: pl.DataFrame) -> pl.Series:
    """The members of each row as JSON text."""
    texts = members.select(pl.struct(pl.all()).struct.json_encode().alias("payload"))
    if any(member.has_nulls() for member in members.get_columns()):
        texts = texts.select(pl.col("payload").str.replace_all(_NULL_MEMBER, "").str.replace(r",\}$", "}"))
    return texts.to_series()


def _written_plainly(members: pl.DataFrame) -> pl.Series:
    """The same where no text has anything to escape: half the work."""
    template, parts = list[str](), list[pl.Expr]()
    for member in members.get_columns():
        written = f'"{member.name}":{{}},' if member.dtype == pl.Boolean else f'"{member.name}":"{{}}",'
        is_always_there = not member.has_nulls()
        part = pl.col(member.name)
        parts.append(part if is_always_there else pl.format(written, part).fill_null(""))
        template.append(written if is_always_there else "{}")
    # pl.format of polars 2.1 panics on filtered columns of several chunks.
    rows = members.rechunk()
    if template[-1] != "{}":
        return rows.select(payload=pl.format("{{" + "".join(template)[:-1] + "}}", *parts)).to_series()
    return rows.select(payload=pl.format("{{" + "".join(template), *parts).str.strip_suffix(",") + "}").to_series()


def _belongs(field: Field, work: Work) -> bool:
    derived = field.id == "outcome"  # also decided from other columns
    kept = not field.personal and field.id not in _NOT_IN_PAYLOAD
    # Columns empty throughout are left out before encoding: the same text, for less work. The name always stays so
    # that there is a member to encode.
    return kept and (field.id in work.filled or derived or field.id == "subject_name")


def _value(field: Field) -> pl.Expr:
    if field.id == "outcome":
        return pl.col("outcome:decided").alias("=outcome")
    if field.type not in VALUE_TYPES:
        return pl.col(field.id).alias(f"={field.id}")
    value = pl.col(f"{field.id}:value")
    return (value if field.type is FieldType.FLAG else value.cast(pl.String())).alias(f"={field.id}")


def _without_numbers(rows: pl.DataFrame, texts: list[str]) -> pl.DataFrame:
    """No identity number in anybody's free text; a document number stays as it is, for the record is known by it."""
    free = [f"={text}" for text in texts if not text.endswith("document_number")]
    wrong = [name for name in free if is_number_among(rows.get_column(name))]
    return rows.with_columns(number_replaced(pl.col(wrong))) if wrong else rows


def _without_names(rows: pl.DataFrame, texts: list[str]) -> pl.DataFrame:
    """Natural persons: no name, no number; where the free text repeats them, 当事人 stands instead."""
    named = [f"={text}" for text in texts if text in _NAMES_OF_PERSONS]
    free = pl.col([f"={text}" for text in texts if text not in _NAMES_OF_PERSONS])
    compact = pl.col("subject_name").str.replace_all(r"\s", "")
    for written in (pl.col("subject_name"), compact, pl.col("identity_number")):
        usable = (written.str.len_chars() >= _SHORTEST_NAME).fill_null(value=False)
        mark = pl.when(usable).then(written).otherwise(pl.lit("\0"))
        rows = rows.with_columns(free.str.split(mark).list.join(_PARTY))
    return rows.with_columns(number_replaced(free, _PARTY), *(pl.lit(None, pl.String()).alias(n) for n in named))

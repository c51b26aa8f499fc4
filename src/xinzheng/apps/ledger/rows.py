"""From the adapter's rows to the ledger's: whose they are, which domain they may speak of, what they point to."""

from hashlib import sha256

import polars as pl

from xinzheng.apps.ledger.delivery import Answering
from xinzheng.apps.ledger.reading import Stretch
from xinzheng.apps.ledger.register_checks import RegisterChecks
from xinzheng.apps.ledger.register_words import line_defects
from xinzheng.apps.ledger.returned_rows import answered_for
from xinzheng.apps.ledger.subjects import Subjects
from xinzheng.core.identifiers import document_key
from xinzheng.core.records import RecordKind

DOCUMENT_KINDS = (
    RecordKind.ADMINISTRATIVE_PENALTY,
    RecordKind.OTHER_DETERMINATION,
    RecordKind.ADMINISTRATIVE_COMPULSION,
    RecordKind.CRIMINAL_JUDGMENT,
    RecordKind.CREDIT_REPAIR,
)
# Cells of such a line may stand in the wrong columns, so that nothing it seems to say is to be relied on.
DISPLACING = ("cells-missing", "cells-beyond-header", "value-nested", "json-key-repeated", "character-unusable")


def judged(stretch: Stretch, register: RegisterChecks, here: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """A stretch's rows with what the ledger knows of them, and their defects; ``here`` are the subjects they name."""
    frame = Subjects.joined(_reliably_sealed(stretch), here)
    doubtful = register.defects(frame)
    frame, foreign = _reject_foreign(frame, register.who)
    frame, nameless = answered_for(frame, register.who)
    frame, keyless = _reject_keyless(frame)
    return frame.with_columns(_document_key(frame)), pl.concat([stretch.defects, *doubtful, foreign, nameless, keyless])


def _reliably_sealed(stretch: Stretch) -> pl.DataFrame:
    displaced = stretch.defects.filter(pl.col("code").is_in(DISPLACING)).get_column("line")
    if not displaced.len():
        return stretch.frame
    sealed = pl.when(~pl.col("line").is_in(displaced.implode())).then("sealed")
    return stretch.frame.with_columns(sealed=sealed)


def _reject_foreign(frame: pl.DataFrame, who: Answering) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Rows that speak of what the unit does not answer for; they wait under what the batch was delivered for."""
    if set(frame.select("domain", "kind").unique().iter_rows()) <= set(who.answers):
        return frame, line_defects(frame.get_column("line").clear(), "unit-not-responsible")
    answers = pl.DataFrame(list(who.answers), schema=["domain", "kind"], orient="row").with_columns(answered=True)
    frame = frame.join(answers, on=["domain", "kind"], how="left", maintain_order="left")
    foreign = pl.col("answered").is_null()
    lines = frame.filter(foreign & (pl.col("status") == "ok")).get_column("line")
    status = pl.when(foreign & (pl.col("status") == "ok")).then(pl.lit("rejected")).otherwise(pl.col("status"))
    frame = frame.with_columns(
        status=status,
        domain=pl.when(foreign).then(pl.lit(who.scope.domain)).otherwise(pl.col("domain")),
        kind=pl.when(foreign).then(pl.lit(who.scope.kind)).otherwise(pl.col("kind")),
    )
    return frame.drop("answered"), line_defects(lines, "unit-not-responsible")


def _reject_keyless(frame: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Whatever the checks let through: without subject or key a row cannot be merged, and must not be lost."""
    keyless = (pl.col("status") == "ok") & (pl.col("subject_id").is_null() | pl.col("record_key").is_null())
    lines = frame.filter(keyless).get_column("line")
    if not lines.len():
        return frame, line_defects(lines, "key-missing")
    status = pl.when(keyless).then(pl.lit("rejected")).otherwise(pl.col("status"))
    return frame.with_columns(status=status), line_defects(lines, "key-missing")


def digests(frame: pl.DataFrame) -> pl.Series:
    """SHA-256 of domain and payload: what tells a changed record from an identical one (of a rejected row, nothing)."""
    domain, payload = pl.col("domain"), pl.col("payload")
    # What stands before the payload, apart from it: putting the two together row by row is left to bytes.
    before = pl.when(domain.is_not_null() & payload.is_not_null()).then(domain + "\n").otherwise(domain).fill_null("")
    texts = frame.select(before.cast(pl.Binary), payload.fill_null("").cast(pl.Binary)).get_columns()
    pairs = zip(*(text.to_list() for text in texts), strict=True)
    return pl.Series("digest", [sha256(first + rest).digest() for first, rest in pairs], dtype=pl.Binary)


def _second_part(frame: pl.DataFrame) -> pl.Expr:
    """Of natural keys, which are JSON arrays of texts, the second part; without escapes it is told by the marks."""
    key = pl.col("record_key")
    if frame.select(key.str.contains("\\", literal=True).any()).item():
        return key.str.json_path_match("$[1]")
    return key.str.split('"').list.get(3, null_on_oob=True)


def _document_key(frame: pl.DataFrame) -> pl.Expr:
    """The normalised document number: second in the natural key of kinds that have one; else from the number given.

    The few numbers without a key are normalised outside polars: a callback into Python from a polars worker could wait
    for the interpreter while another thread that has it waits for polars.
    """
    keyed = pl.col("kind").is_in(DOCUMENT_KINDS) & pl.col("record_key").is_not_null()
    loose = frame.select(pl.when(pl.col("record_key").is_null()).then(pl.col("document_number"))).to_series()
    if loose.null_count() < loose.len():
        loose = pl.Series([None if number is None else document_key(number) for number in loose], dtype=pl.String)
    return (
        pl.when(keyed)
        .then(_second_part(frame))
        .otherwise(pl.coalesce("repaired_document_key", pl.lit(loose)))
        .alias("document_key")
    )

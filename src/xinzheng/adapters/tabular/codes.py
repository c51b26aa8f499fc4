"""Set-based checks of unified social credit codes and identity numbers: table look-ups on byte columns.

The rules are those of :mod:`xinzheng.core.identifiers`; only what fails here is asked there, for its message.
"""

from functools import cache
from importlib import resources

import polars as pl

from xinzheng.core.identifiers import (
    IDENTITY_CHECKS,
    IDENTITY_WEIGHTS,
    ORGANISATION_CHECKS,
    ORGANISATION_WEIGHTS,
    USCC_ALPHABET,
    USCC_WEIGHTS,
    check_identity_number,
    check_uscc,
    normalise_identifier,
)

_LENGTH = 18
_WRONG = -100_000
# So many are sooner looked at one by one: most files come from one unit, and name few organs.
_FEW = 32
READ_SCHEMA = {"value": pl.String(), "fault": pl.String(), "message": pl.String(), "notice": pl.String()}


@cache
def known_divisions() -> frozenset[str]:
    """Administrative division codes in use at any time since 1981, from the list shipped with this package."""
    text = resources.files(__package__).joinpath("divisions.txt").read_text("ascii")
    return frozenset(text.split())


def _table(alphabet: str, values: dict[str, int]) -> pl.Series:
    entries = [values[chr(byte)] if chr(byte) in alphabet else _WRONG for byte in range(256)]
    return pl.Series(entries, dtype=pl.Int32())


_MOD31 = _table(USCC_ALPHABET, {c: i for i, c in enumerate(USCC_ALPHABET)})
_BASE36 = _table(USCC_ALPHABET, {c: int(c, 36) for c in USCC_ALPHABET})
_DIGIT = _table("0123456789", {c: int(c) for c in "0123456789"})
_ORGANISATION_CHECK = _table(ORGANISATION_CHECKS, {c: i for i, c in enumerate(ORGANISATION_CHECKS)})
_IDENTITY_CHECK = _table(IDENTITY_CHECKS, {c: i for i, c in enumerate(IDENTITY_CHECKS)})


def _bytes(codes: pl.Series) -> list[pl.Series]:
    """One column of byte values per place; codes must be 18 bytes long."""
    places = codes.cast(pl.Binary()).bin.reinterpret(dtype=pl.Array(pl.UInt8(), _LENGTH)).to_frame("b")
    found = places.select(pl.col("b").arr.get(i).cast(pl.UInt32()).alias(str(i)) for i in range(_LENGTH))
    return found.get_columns()


def _weighted(places: list[pl.Series], table: pl.Series, weights: tuple[int, ...]) -> pl.Series:
    total = table.gather(places[0]) * weights[0]
    for place, weight in zip(places[1 : len(weights)], weights[1:], strict=True):
        total = total + table.gather(place) * weight
    return total


def uscc_is_valid(codes: pl.Series) -> pl.Series:
    """For 18-byte codes: characters, GB 11714 at place 17 and GB 32100 at place 18 all right."""
    places = _bytes(codes)
    region = _weighted(places[2:8], _DIGIT, (1,) * 6)
    organisation = _weighted(places[8:16], _BASE36, ORGANISATION_WEIGHTS)
    whole = _weighted(places, _MOD31, USCC_WEIGHTS)
    organisation_right = (organisation + _ORGANISATION_CHECK.gather(places[16])) % 11 == 0
    right = organisation_right & ((whole + _MOD31.gather(places[17])) % 31 == 0)
    # A wrong character adds a large negative number, so that a sum below zero gives it away whatever the remainder.
    characters = (region >= 0) & (organisation >= 0) & (whole >= 0)
    last = (_MOD31.gather(places[17]) >= 0) & (_ORGANISATION_CHECK.gather(places[16]) >= 0)
    return right & characters & last


def identity_is_valid(numbers: pl.Series) -> pl.Series:
    """For 18-byte numbers: digits, a real date of birth, GB 11643 at place 18."""
    places = _bytes(numbers)
    total = _weighted(places, _DIGIT, IDENTITY_WEIGHTS)
    check = _IDENTITY_CHECK.gather(places[17])
    born = numbers.str.slice(6, 8).str.to_date("%Y%m%d", strict=False).is_not_null()
    return (total >= 0) & (check >= 0) & (total % 11 == check) & born


def read_usccs(texts: pl.Series) -> pl.DataFrame:
    """Codes as given to value (valid, normalised), fault, message and notice (unknown division)."""
    read = _read(texts, is_identity=False)
    division = pl.col("value").str.slice(2, 6)
    strange = set(read.select(division.unique().drop_nulls()).to_series()) - known_divisions()
    if not strange:
        return read
    return read.with_columns(notice=pl.when(division.is_in(sorted(strange))).then(division))


def read_identity_numbers(texts: pl.Series) -> pl.DataFrame:
    """Identity numbers as given to value, fault and message; notice stays empty."""
    return _read(texts, is_identity=True)


def _read(texts: pl.Series, *, is_identity: bool) -> pl.DataFrame:
    given = texts.unique().drop_nulls().alias("given")
    valid = _valid(given, is_identity=is_identity)
    nothing = {name: pl.lit(None, pl.String()) for name in ("fault", "message", "notice")}
    if valid.len() == given.len():
        return texts.to_frame("value").with_columns(**nothing)
    good = valid.to_frame("given").with_columns(**nothing, value="given").select("given", "value", "fault", "message")
    doubtful = given.filter(~given.is_in(valid.implode()))
    explained = [_explained(text, is_identity=is_identity) for text in doubtful]
    found = pl.concat([good, pl.DataFrame(explained, schema=good.schema, orient="row")])
    joined = texts.to_frame("given").join(found, on="given", how="left", maintain_order="left")
    return joined.select("value", "fault", "message", notice=pl.lit(None, pl.String()))


def _valid(given: pl.Series, *, is_identity: bool) -> pl.Series:
    """Those of 18 bytes that are right as they stand."""
    plain = given.filter(given.str.len_bytes() == _LENGTH)
    if plain.len() <= _FEW:
        return plain.filter(
            pl.Series([_explained(text, is_identity=is_identity)[1] == text for text in plain], dtype=pl.Boolean())
        )
    return plain.filter((identity_is_valid if is_identity else uscc_is_valid)(plain))


def _explained(text: str, *, is_identity: bool) -> tuple[str, str | None, str | None, str | None]:
    check = check_identity_number(text) if is_identity else check_uscc(text)
    if check.ok:
        return text, normalise_identifier(text), None, None
    return text, None, check.errors[0].code, "".join(issue.message for issue in check.errors[:4])

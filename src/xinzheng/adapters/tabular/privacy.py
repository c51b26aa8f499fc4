"""Identity numbers of persons, wherever they were written: kept out of messages, excerpts and payloads."""

import re

import polars as pl

NUMBER_MARK = "（证件号码略）"
NAME_MARK = "（略）"
_D = "[0-9０-９]"
_BIRTH = rf"\s?(?:[1１][89８９]|[2２][0０]){_D}{{2}}\s?[01０１]{_D}\s?[0-3０-３]{_D}\s?"
# One of these is in every number: six digits stand together, and they are in full width or not.
_PLAIN_RUN, _WIDE_DIGIT = "(?-u:[0-9]{6})", "[０-９]"
_SHORTEST, _SAMPLE = 18, 1_000
_NUMBER = rf"[1-9１-９]{_D}{{5}}{_BIRTH}{_D}{{3}}[0-9０-９XxＸｘ]"
# In what people are told, also the numbers of 15 digits issued until 1999; elsewhere those may be register numbers.
_OLD_NUMBER = r"\b[1-9]\d{7}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}\b"
_TOLD = f"{_NUMBER}|{_OLD_NUMBER}"
_TOLD_PATTERN = re.compile(_TOLD)
_WRITTEN_OUT = r"[\p{Han}A-Za-z·]{2,}"


def is_number_among(texts: pl.Series) -> bool:
    """Whether any of the texts holds what has the shape of an identity number.

    Looking for a run of digits first is twice as fast; so is looking at each text once, where few are different.
    """
    texts = texts.filter(texts.str.len_bytes() >= _SHORTEST)
    if texts.head(_SAMPLE).n_unique() < _SAMPLE // 2:
        texts = texts.unique()
    likely = texts.filter(texts.str.contains(_PLAIN_RUN) | texts.str.contains(_WIDE_DIGIT))
    return bool(likely.str.contains(_NUMBER).any())


def number_replaced(text: pl.Expr, mark: str = NUMBER_MARK) -> pl.Expr:
    """The text with a mark instead of identity numbers."""
    return text.str.replace_all(_NUMBER, mark)


def told(text: pl.Expr, is_person: pl.Expr) -> pl.Expr:
    """A cell as people may be told of it: no identity number; of a person's row no words, which could be a name."""
    masked = text.str.replace_all(_TOLD, NUMBER_MARK)
    return pl.when(is_person).then(masked.str.replace_all(_WRITTEN_OUT, NAME_MARK)).otherwise(masked)


def without_numbers(text: str) -> str:
    """One text as people may be told of it: no identity number."""
    return _TOLD_PATTERN.sub(NUMBER_MARK, text)

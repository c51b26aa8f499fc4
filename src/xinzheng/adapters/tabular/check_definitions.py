"""What a check is: one definition with its code, field, severity, message, source, and when it is true."""

from dataclasses import dataclass
from typing import Literal

import polars as pl

from xinzheng.adapters.tabular.fields import Field


@dataclass(frozen=True)
class Check:
    """``when``: true where the row is wrong (null: right). ``message``: Chinese, what is wrong, what to do.

    ``text`` is the message with {} where a row's own words stand.
    """

    code: str
    field: Field
    severity: Literal["error", "warning"]
    when: pl.Expr
    message: pl.Expr
    citation: str
    text: str


@dataclass(frozen=True)
class Message:
    """``text`` with {} for each of the ``parts``, columns of the row."""

    text: str
    parts: tuple[pl.Expr, ...]

    @property
    def expression(self) -> pl.Expr:
        """The message of each row."""
        return pl.format(self.text, *self.parts)


def told(text: str, *parts: pl.Expr) -> Message:
    """A message with a row's own words in it."""
    return Message(text, parts)


def check(field: Field, code: str, when: pl.Expr, message: Message | str, *, warning: bool = False) -> Check:
    """A check of a field, cited as the field is."""
    words, shown = (message, pl.lit(message)) if isinstance(message, str) else (message.text, message.expression)
    return Check(code, field, "warning" if warning else "error", when, shown, field.citation, words)

"""The shape of a record format: fields, their types, what is required; data, not code."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType

NO_WORDS: Mapping[str, str] = MappingProxyType({})


class FieldType(StrEnum):
    """How a cell is read; the value is the word used in the format's documentation."""

    TEXT = "文本"
    USCC = "统一社会信用代码"
    IDENTITY = "证件号码"
    DATE = "日期"
    MONTH = "年月"
    AMOUNT = "金额（万元，至多6位小数）"
    MONEY = "金额（元，至多2位小数）"
    WORD = "选项"
    FLAG = "是/否"


class Required(StrEnum):
    """When a cell must be filled; the value is the word used in the format's documentation."""

    NO = "否"
    YES = "是"
    ORGANISATION = "非自然人必填"
    PERSON = "自然人必填"


@dataclass(frozen=True)
class Field:
    """One column: stable identifier, Chinese name, codes and other names it may be headed by.

    ``words`` maps what a cell may say to the value recorded. ``personal``: an identity number or a name that is
    kept out of payloads and defects. ``past``: a date that cannot lie in the future.
    """

    id: str
    name: str
    codes: tuple[str, ...] = ()
    type: FieldType = FieldType.TEXT
    required: Required = Required.NO
    max_length: int = 200
    words: Mapping[str, str] = field(default_factory=lambda: NO_WORDS)
    personal: bool = False
    past: bool = False
    citation: str = ""
    note: str = ""


@dataclass(frozen=True)
class Format:
    """The columns of one kind of record (记录类型) and the fields that form its natural key besides the subject."""

    kind: str
    name: str
    fields: tuple[Field, ...]
    key: tuple[str, ...]
    citation: str

    def field(self, identifier: str) -> Field:
        """The field of that identifier; KeyError if the format has none."""
        return next(f for f in self.fields if f.id == identifier)

    def has(self, identifier: str) -> bool:
        """Whether the format has such a field."""
        return any(f.id == identifier for f in self.fields)

    def waiving(self, waived: frozenset[str]) -> "Format":
        """The same format in which the fields of these identifiers need not be filled."""
        if not waived:
            return self
        fields = (replace(f, required=Required.NO) if f.id in waived else f for f in self.fields)
        return replace(self, fields=tuple(fields))

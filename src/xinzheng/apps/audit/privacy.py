"""Recognise what must never be written where it cannot be erased."""

import re
import unicodedata

from xinzheng.core.errors import XinzhengError

# An identity number (公民身份号码): division, a date of birth, sequence, check character. The date tells it from a
# unified social credit code that happens to be all digits.
IDENTITY_NUMBER = re.compile(
    r"(?<!\d)[1-9]\d{5}(?:18|19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx](?![\dA-Za-z])"
)
# A mobile phone (手机号码) of the mainland; not a piece of a longer number, nor the decimals of one.
PHONE = re.compile(r"(?<![\d.])1[3-9]\d{9}(?![\d.]\d|\d)")


class UnkeepableTextError(XinzhengError):
    """A text shall be kept for ever and is too long, not printable, or holds a person's number."""

    code = "text-not-kept"


def text_to_keep(text: str, *, field: str, most: int = 100) -> str:
    """What somebody typed, trimmed, for a table from which nothing is erased.

    Args:
        text: as it came; line breaks and runs of spaces become one space.
        field: what it is called on the page, for the message.
        most: how many characters it may have.

    Raises:
        UnkeepableTextError: it is longer, holds control characters, an identity number or a phone.
    """
    kept = " ".join(text.split())
    if len(kept) > most:
        raise UnkeepableTextError(f"{field}最多{most}个字，现在有{len(kept)}个，请缩短。")
    if not kept.isprintable():
        raise UnkeepableTextError(f"{field}里有不能显示的字符，请重新填写。")
    if holds_number(kept):
        raise UnkeepableTextError(f"{field}里有身份号码或者手机号码。这里填写的内容会长期保存，请去掉号码。")
    return kept


def holds_number(text: str) -> bool:
    """Whether a text holds a person's identity number or phone.

    Full width digits and digits set apart are the same number; set beside other digits it is one still.
    """
    plain = unicodedata.normalize("NFKC", text)
    return any(IDENTITY_NUMBER.search(one) or PHONE.search(one) for one in (plain, "".join(plain.split())))

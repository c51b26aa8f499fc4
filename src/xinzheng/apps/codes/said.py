"""What a stranger says about itself (自报): the name of a body, and nothing that names or numbers a person."""

import re
import unicodedata

from xinzheng.apps.audit.privacy import IDENTITY_NUMBER
from xinzheng.core.errors import XinzhengError

LONGEST, SHORTEST = 100, 2
PHONE = re.compile(r"(?<!\d)1[3-9]\d{9}(?!\d)")


def check_body_name(text: str) -> str:
    """The name of a body (单位名称) as it is kept. Raises ``body-name-invalid`` where it cannot be one."""
    name = " ".join(text[: LONGEST * 4].split())
    if not SHORTEST <= len(name) <= LONGEST or not name.isprintable() or not any(c.isalpha() for c in name):
        raise XinzhengError(f"请填写单位全称，{SHORTEST}至{LONGEST}个字。", code="body-name-invalid")
    plain = unicodedata.normalize("NFKC", name)
    if any(IDENTITY_NUMBER.search(one) or PHONE.search(one) for one in (plain, "".join(plain.split()))):
        raise XinzhengError("只填单位名称，不要填个人的身份号码、手机号码。", code="body-name-invalid")
    return name


def is_same_body(one: str, other: str) -> bool:
    """Whether two names are the same but for spaces, width, brackets and case."""
    return _key(one) == _key(other)


def _key(name: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKC", name).casefold() if c.isalnum())

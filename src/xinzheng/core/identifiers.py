"""Identifiers (标识): unified social credit code, citizen identity number, document number; their checks and masks.

Sources: GB 32100-2015 (18 places, mod 31), GB 11714-1997 (organisation code, check at place 17 of the 18),
GB 11643-1999 (identity number, ISO 7064 MOD 11-2).
"""

import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
USCC_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
ORGANISATION_CHECKS = "0123456789X"
IDENTITY_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
IDENTITY_CHECKS = "10X98765432"

# GB 32100 leaves these letters out because they are misread; the neighbour is what was most often meant.
_MISREAD: Mapping[str, str] = MappingProxyType({"I": "1", "O": "0", "S": "5", "V": "U", "Z": "2"})
_DROPPED = dict.fromkeys(map(ord, " \t\r\n\u00a0\u200b\u200c\u200d\u3000\ufeff'`-‐‑–—"))
_DROPPED_IN_NAMES = dict.fromkeys(map(ord, " \t\r\n\u00a0\u200b\u200c\u200d\u3000\ufeff"))
DOCUMENT_BRACKETS: Mapping[str, str] = MappingProxyType(
    {**dict.fromkeys("[【(〖{《<〈「『", "〔"), **dict.fromkeys("]】)〗}》>〉」』", "〕")}
)
DASHES = "‐‑‒–—―−"

# GB 32100 places 1–2: registering authority and its class of organisation. A class that the subject kinds do not
# distinguish (state organs, law firms, village collectives) is absent: the register decides. 91 also covers
# partnerships, sole proprietorships and branches; only the register tells them from legal persons.
_KIND_OF_PREFIX: Mapping[str, str] = MappingProxyType(
    {
        "91": "enterprise_legal_person",
        "92": "individual_business",
        "93": "cooperative",
        "12": "public_institution",
        "13": "social_organisation",
        "51": "social_organisation",
        "52": "social_organisation",
        "53": "social_organisation",
        "59": "social_organisation",
        "81": "social_organisation",
        "89": "social_organisation",
    }
)


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing wrong with an identifier: a stable kebab-case code and a Chinese message."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class UsccCheck:
    """Outcome of checking a unified social credit code (统一社会信用代码): raw as given, value normalised."""

    raw: str
    value: str
    errors: tuple[Issue, ...] = ()
    warnings: tuple[Issue, ...] = ()

    @property
    def ok(self) -> bool:
        """True when nothing is wrong; warnings do not count."""
        return not self.errors


@dataclass(frozen=True, slots=True)
class IdentityCheck:
    """Outcome of checking a citizen identity number (公民身份号码); messages never repeat the number."""

    value: str
    errors: tuple[Issue, ...] = ()

    @property
    def ok(self) -> bool:
        """True when nothing is wrong."""
        return not self.errors


def normalise_identifier(raw: str) -> str:
    """Half width, upper case, without spaces, hyphens and invisible characters."""
    return _folded(raw, _DROPPED)


def _folded(raw: str, dropped: Mapping[int, None]) -> str:
    # Normalised again at the end: dropping a space can bring a letter and a combining mark together.
    text = unicodedata.normalize("NFKC", raw).translate(dropped).upper()
    return unicodedata.normalize("NFKC", text)


def uscc_check_character(first17: str) -> str:
    """Place 18 for the 17 characters before it (GB 32100, mod 31)."""
    total = sum(USCC_ALPHABET.index(c) * w for c, w in zip(first17, USCC_WEIGHTS, strict=True))
    return USCC_ALPHABET[-total % 31]


def organisation_check_character(first8: str) -> str:
    """Check character of an organisation code (组织机构代码) of 8 characters (GB 11714, mod 11)."""
    total = sum(int(c, 36) * w for c, w in zip(first8, ORGANISATION_WEIGHTS, strict=True))
    return ORGANISATION_CHECKS[-total % 11]


def identity_check_character(first17: str) -> str:
    """Place 18 of an identity number for the 17 digits before it (GB 11643)."""
    return IDENTITY_CHECKS[sum(int(c) * w for c, w in zip(first17, IDENTITY_WEIGHTS, strict=True)) % 11]


def check_uscc(raw: str, known_divisions: Collection[str] | None = None) -> UsccCheck:
    """Check a unified social credit code (统一社会信用代码): characters, both check characters, division.

    A division code (places 3–8) absent from ``known_divisions`` is only a warning: development zones and
    bonded areas have codes outside the official list. None leaves the division unexamined.
    """
    value = normalise_identifier(raw)
    errors = _uscc_shape(value) or _uscc_checks(value)
    warnings: tuple[Issue, ...] = ()
    if not errors and known_divisions is not None and value[2:8] not in known_divisions:
        text = f"第3至8位{value[2:8]}不在行政区划代码表内，请核对；开发区、园区代码可以忽略本提示。"
        warnings = (Issue("uscc-division-unknown", text),)
    return UsccCheck(raw, value, errors, warnings)


def _uscc_shape(value: str) -> tuple[Issue, ...]:
    if _looks_scientific(value):
        return (Issue("number-rounded", "代码被表格软件改成了科学计数法，请将该列设为文本格式后重新填写。"),)
    if len(value) != 18:
        return (Issue("uscc-length", f"统一社会信用代码应为18位，现为{len(value)}位，请核对后补正。"),)
    wrong = [(place, c) for place, c in enumerate(value, 1) if _uscc_character_is_wrong(place, c)]
    return tuple(Issue("uscc-character", _uscc_character_message(place, c)) for place, c in wrong)


def _uscc_character_is_wrong(place: int, character: str) -> bool:
    allowed = "0123456789" if 3 <= place <= 8 else ORGANISATION_CHECKS if place == 17 else USCC_ALPHABET
    return character not in allowed


def _uscc_character_message(place: int, character: str) -> str:
    named = f"字母{character}" if character.isascii() and character.isalpha() else f"“{character}”"
    if character in _MISREAD:
        return f"第{place}位是{named}，统一社会信用代码不使用字母I、O、S、V、Z，可能应为{_MISREAD[character]}，请核对。"
    if 3 <= place <= 8:
        return f"第{place}位是{named}，第3至8位（行政区划码）应为数字，请核对。"
    if place == 17:
        return f"第17位是{named}，该位（组织机构代码校验位）应为数字或者字母X，请核对。"
    return f"第{place}位是{named}，应为数字或者大写字母，请核对。"


def _uscc_checks(value: str) -> tuple[Issue, ...]:
    issues = []
    if organisation_check_character(value[8:16]) != value[16]:
        issues.append(Issue("uscc-organisation-check", "第9至17位组织机构代码校验不通过，请逐位核对。"))
    if uscc_check_character(value[:17]) != value[17]:
        issues.append(Issue("uscc-check", "统一社会信用代码第18位校验不通过，请逐位核对。"))
    return tuple(issues)


def check_identity_number(raw: str) -> IdentityCheck:
    """Check a citizen identity number (公民身份号码): 18 places, a real date of birth, check character."""
    value = normalise_identifier(raw)
    if _looks_scientific(value):
        text = "证件号码被表格软件改成了科学计数法，请将该列设为文本格式后重新填写。"
        return IdentityCheck(value, (Issue("number-rounded", text),))
    if len(value) != 18:
        return IdentityCheck(value, (Issue("identity-length", f"公民身份号码应为18位，现为{len(value)}位，请核对。"),))
    if not (value[:17].isascii() and value[:17].isdigit() and value[17] in IDENTITY_CHECKS):
        text = "公民身份号码前17位应为数字，末位应为数字或者字母X，请核对。"
        return IdentityCheck(value, (Issue("identity-character", text),))
    return IdentityCheck(value, _identity_issues(value))


def _identity_issues(value: str) -> tuple[Issue, ...]:
    try:
        date(int(value[6:10]), int(value[10:12]), int(value[12:14]))
    except ValueError:
        return (Issue("identity-birth-date", "公民身份号码中的出生日期不存在，请核对。"),)
    if identity_check_character(value[:17]) != value[17]:
        return (Issue("identity-check", "公民身份号码末位校验不通过，请逐位核对。"),)
    return ()


def _looks_scientific(value: str) -> bool:
    head, separator, tail = value.replace("+", "").partition("E")
    return bool(separator) and "." in head and head.replace(".", "", 1).isdigit() and tail.isdigit()


def subject_kind_of(code: str) -> str | None:
    """Subject kind (市场主体类别) that places 1–2 of a unified social credit code tell, or None if they do not."""
    return _KIND_OF_PREFIX.get(normalise_identifier(code)[:2])


def subject_kind_prefixes() -> Mapping[str, str]:
    """The table behind :func:`subject_kind_of`, for set-based use."""
    return _KIND_OF_PREFIX


def document_key(raw: str) -> str:
    """Document number (文号) for comparing: half width, one kind of bracket and dash, no spaces, upper case."""
    text = _folded(raw, _DROPPED_IN_NAMES)
    for bracket, unified in DOCUMENT_BRACKETS.items():
        text = text.replace(bracket, unified)
    for dash in DASHES:
        text = text.replace(dash, "-")
    return text


def name_key(raw: str) -> str:
    """Name of an organ or a subject for comparing: half width, no spaces, upper case."""
    return _folded(raw, _DROPPED_IN_NAMES)


def mask_identifier(identifier: str) -> str:
    """First 6 and last 4 characters, stars between; of shorter ones only the last 2 stay."""
    hidden = len(identifier) - 10
    if hidden < 4:
        return "*" * max(len(identifier) - 2, 0) + identifier[-2:] if len(identifier) > 4 else "*" * len(identifier)
    return f"{identifier[:6]}{'*' * hidden}{identifier[-4:]}"


def mask_name(name: str, *, is_person: bool = True) -> str:
    """Person: the first character stays. Organisation: the first 2 and the last 4 (short ones: the first 2)."""
    if is_person or len(name) <= 4:
        return name[:1] + "＊" * (len(name) - 1)
    tail = 4 if len(name) >= 10 else 0
    return f"{name[:2]}{'＊' * (len(name) - 2 - tail)}{name[len(name) - tail :]}"

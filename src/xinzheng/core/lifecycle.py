"""Life of a report (报告): its number, its codes, its states and which may follow which."""

import unicodedata
from collections.abc import Mapping
from datetime import date
from enum import StrEnum

from stdnum.iso7064 import mod_37_36

from xinzheng.core.errors import XinzhengError

LOOPBACK_HOSTS = ("127.0.0.1", "localhost")
TYPED_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
TYPED_LENGTH = 12
SERIAL_DIGITS = 7


class ReportStatus(StrEnum):
    """Status of a report (报告状态)."""

    PREPARED = "prepared"
    IN_FORCE = "in_force"
    SUPERSEDED = "superseded"
    REVOKED = "revoked"
    EXPIRED = "expired"
    VOIDED = "voided"


TRANSITIONS: Mapping[ReportStatus, frozenset[ReportStatus]] = {
    ReportStatus.PREPARED: frozenset({ReportStatus.IN_FORCE, ReportStatus.VOIDED}),
    ReportStatus.IN_FORCE: frozenset({ReportStatus.SUPERSEDED, ReportStatus.REVOKED, ReportStatus.EXPIRED}),
    ReportStatus.SUPERSEDED: frozenset({ReportStatus.REVOKED}),
    ReportStatus.EXPIRED: frozenset({ReportStatus.REVOKED}),
    ReportStatus.REVOKED: frozenset(),
    ReportStatus.VOIDED: frozenset(),
}


# What everybody may read of a status (报告状态).
STATUS_WORDS: Mapping[str, str] = {
    ReportStatus.PREPARED: "未生效",
    ReportStatus.IN_FORCE: "正常",
    ReportStatus.SUPERSEDED: "已更正，请以新报告为准",
    ReportStatus.REVOKED: "已作废",
    ReportStatus.EXPIRED: "已过期",
    ReportStatus.VOIDED: "未生效",
}


class SupersedingReason(StrEnum):
    """Why a report is superseded (更正原因), as its subject may know it."""

    RECORDS_ADDED = "records-added"
    RECORDS_CORRECTED = "records-corrected"
    RECORDS_WITHDRAWN = "records-withdrawn"
    COVERAGE_WITHDRAWN = "coverage-withdrawn"
    COVERAGE_COMPLETED = "coverage-completed"


class RevocationReason(StrEnum):
    """Why a report is revoked (作废原因)."""

    ISSUED_IN_ERROR = "issued-in-error"
    SUBJECT_WRONG = "subject-wrong"
    KEY_COMPROMISED = "key-compromised"
    LEGAL_DOCUMENT = "legal-document"


# One sentence for whatever superseded a report: a finer one would tell a stranger what the new content is like.
SUPERSEDED_IN_GENERAL = "出具后，出具前的数据有补充或者更正"
REASON_WORDS: Mapping[str, str] = {
    SupersedingReason.RECORDS_ADDED: "出具后，数源单位补充报送了出具前的记录",
    SupersedingReason.RECORDS_CORRECTED: "出具后，数源单位更正了出具前的记录",
    SupersedingReason.RECORDS_WITHDRAWN: "出具后，数源单位撤下了出具前的记录",
    SupersedingReason.COVERAGE_WITHDRAWN: "出具后，数源单位撤回了出具前数据完整的声明",
    SupersedingReason.COVERAGE_COMPLETED: "出具后，数源单位补齐了出具前的数据",
    RevocationReason.ISSUED_IN_ERROR: "出具有误",
    RevocationReason.SUBJECT_WRONG: "申请主体登记有误",
    RevocationReason.KEY_COMPROMISED: "签名密钥失密",
    RevocationReason.LEGAL_DOCUMENT: "依据生效法律文书",
}


def general_reason(code: str) -> str:
    """The reason of a status for whoever has a report's code (一般原因); nothing of what a new one would say."""
    if code in set(SupersedingReason):
        return SUPERSEDED_IN_GENERAL
    return REASON_WORDS[code] if code in set(RevocationReason) else ""


def check_transition(before: ReportStatus, after: ReportStatus) -> None:
    """Raise ``report-transition-illegal`` when the status may not follow."""
    if after not in TRANSITIONS[before]:
        raise XinzhengError(f"报告状态不能由“{before}”变为“{after}”。", code="report-transition-illegal")


def report_number(prefix: str, day: date, serial: int) -> str:
    """Number of a report (报告编号): prefix, day in China, seven-digit serial, ISO 7064 MOD 37,36 check character.

    Raises ``serial-exhausted`` for a serial that does not fit.
    """
    if not 0 < serial < 10**SERIAL_DIGITS:
        raise XinzhengError("当日报告编号已经用完，请明日再试或者联系信用办。", code="serial-exhausted")
    body = f"{prefix}{day:%Y%m%d}{serial:0{SERIAL_DIGITS}d}"
    return body + str(mod_37_36.calc_check_digit(body))


def is_report_number(text: str) -> bool:
    """Whether the text has the form and the check character of a report number."""
    return len(text) == 2 + 8 + SERIAL_DIGITS + 1 and bool(mod_37_36.is_valid(text))


def typed_code(secret: bytes) -> str:
    """The twelve characters (核验码) a person types: the first 60 of the code's 128 random bits, without I, L, O, U."""
    value = int.from_bytes(secret[:8], "big") >> 4
    return "".join(TYPED_ALPHABET[(value >> shift) & 31] for shift in range(55, -1, -5))


def normalise_number(text: str) -> str:
    """What was typed as a report number: full width made narrow, letters made capital, spaces dropped."""
    return "".join(unicodedata.normalize("NFKC", text).split()).upper()


def normalise_typed_code(text: str) -> str:
    """What was typed, in the code's own alphabet: full width made narrow, the rest dropped, look-alikes mended."""
    kept = "".join(c for c in unicodedata.normalize("NFKC", text).upper() if c.isalnum())
    return kept.translate(str.maketrans("ILOU", "110V"))


def verification_origin(host: str) -> str:
    """Where a report is verified: https, but for a demonstration that runs on this machine alone, which has none."""
    scheme = "http" if host.partition(":")[0] in LOOPBACK_HOSTS else "https"
    return f"{scheme}://{host}"

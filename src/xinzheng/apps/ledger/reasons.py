"""Reasons (理由) that people give: they stay for good, so what must be erasable may not stand in them."""

from xinzheng.apps.audit.privacy import IDENTITY_NUMBER
from xinzheng.apps.ledger.errors import IntakeError

LONGEST_REASON = 500


def check_reason(reason: str, missing: str) -> None:
    """Refuse a reason that says nothing, says too much, or holds an identity number.

    Args:
        reason: as it was given.
        missing: what to say when there is none.

    Raises:
        IntakeError: ``reason-missing``, ``reason-unfit`` or ``identity-number-in-reason``.
    """
    if not reason.strip():
        raise IntakeError(missing, code="reason-missing")
    if len(reason) > LONGEST_REASON or "\0" in reason:
        raise IntakeError(f"理由不得超过{LONGEST_REASON}个字，不含控制字符，请改短。", code="reason-unfit")
    if IDENTITY_NUMBER.search(reason):
        message = "理由会一直保存，不得写身份号码，请删去后再提交。"
        raise IntakeError(message, code="identity-number-in-reason")

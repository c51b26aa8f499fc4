"""What speaks against a signer whose certificate leads to a root of ours (对签发者的疑点): revoked, lost or retired.

A signer says himself when he signed. Where others may have had the key that word is nothing: only a time stamp, or a
place in the log, proves that a signature is older than the loss.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from xinzheng.adapters.signing.key_ends import KeyEnds
from xinzheng.adapters.signing.revocation_check import RevocationFacts

REVOKED_BEFORE = "签名证书在签名之前已被吊销。"
REVOKED_AFTER = "{stamp}，证书后来被吊销，不能证明签名在吊销之前。"
LOST_BEFORE = "签名时间在签名密钥公布失密以后。"
LOST_AFTER = "{stamp}，签名密钥后来公布失密，不能证明签名在失密之前。"
RETIRED = "签名时间在签名密钥停用以后。"
NO_STAMP, LATE_STAMP = "签名没有时间戳", "时间戳是后来盖的"
PROVABLE = frozenset(
    words.format(stamp=stamp) for words in (REVOKED_AFTER, LOST_AFTER) for stamp in (NO_STAMP, LATE_STAMP)
)
NOT_COVERED = "没有涵盖签名时间的吊销名单，未核对签名证书是否被吊销。"


@dataclass(frozen=True)
class Moments:
    """When a signature was made (签名时间): the signer's own word, and that of a time-stamping authority."""

    signed_at: datetime | None
    stamped_at: datetime | None


@dataclass(frozen=True)
class Doubt:
    """One thing that speaks against the signer. ``provable_before``: it is gone if the signature is proved older."""

    reason: str
    provable_before: datetime | None = None


def doubts_about(moments: Moments, revocation: RevocationFacts, ends: KeyEnds) -> Iterator[Doubt]:
    """By the lists of revoked certificates and by the history of the signer's key; none if nothing does."""
    revoked = revocation.revocation
    of_lists = tuple(_ended(moments, revoked.at, (REVOKED_BEFORE, REVOKED_AFTER))) if revoked is not None else ()
    yield from of_lists
    if not of_lists and not revocation.is_covered:
        yield Doubt(NOT_COVERED)
    if ends.lost_at is not None:
        yield from _ended(moments, ends.lost_at, (LOST_BEFORE, LOST_AFTER))
    told = [moment for moment in (moments.signed_at, moments.stamped_at) if moment is not None]
    if told and ends.is_retired(min(told)):  # a stamp may be put in late; nobody else had the key
        yield Doubt(RETIRED)


def _ended(moments: Moments, at: datetime, words: tuple[str, str]) -> Iterator[Doubt]:
    before, after = words
    if moments.stamped_at is not None and moments.stamped_at < at:
        return
    if moments.signed_at is None or moments.signed_at >= at:
        yield Doubt(before)
    else:
        yield Doubt(after.format(stamp=NO_STAMP if moments.stamped_at is None else LATE_STAMP), at)

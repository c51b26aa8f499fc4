"""Time stamps (时间戳, RFC 3161) in signed reports: what one must cover, and how it is put in, in place."""

import hashlib
from datetime import datetime

from asn1crypto import cms  # type: ignore[import-untyped]

from xinzheng.adapters.signing.errors import StampUnavailableError
from xinzheng.adapters.signing.form import (
    FormError,
    container_bytes,
    normal_signature,
    normal_token,
    read_container,
    signed_ranges,
    stamp_info,
)


def stamp_imprint(pdf: bytes) -> bytes:
    """What a stamp for a signed file must cover: the SHA-256 of the signature value."""
    return _imprint(read_container(pdf)["content"])


def with_token(pdf: bytes, token: bytes) -> bytes:
    """The file with a stamp in its signature's container: same length, no signed byte changed.

    Raises StampUnavailableError if the token does not belong to this signature or does not fit. Whether its authority
    is to be believed is not asked here.
    """
    begin, end = signed_ranges(pdf)
    given = read_container(pdf)["content"]
    try:
        stamp = normal_token(cms.ContentInfo.load(token))
        imprint = stamp_info(stamp)["message_imprint"]
        if imprint["hash_algorithm"]["algorithm"].native != "sha256":
            raise FormError("时间戳没有用 SHA-256。")
        if imprint["hashed_message"].native != _imprint(given):
            raise FormError("时间戳不是给这份签名的。")
        written = container_bytes(normal_signature(given, end - begin, token=stamp), end - begin)
    except (FormError, ValueError, TypeError, KeyError, AttributeError) as error:
        reason = error.message if isinstance(error, FormError) else "时间戳读不出。"
        raise StampUnavailableError(reason, code="stamp-unfit") from None
    return pdf[:begin] + written + pdf[end:]


def stamp_time(token: bytes) -> datetime:
    """The time a token vouches for, aware. Raises StampUnavailableError if it is no token."""
    try:
        stamped_at: datetime = stamp_info(cms.ContentInfo.load(token))["gen_time"].native
    except (ValueError, TypeError, KeyError):
        raise StampUnavailableError("时间戳读不出。", code="stamp-unfit") from None
    return stamped_at


def _imprint(given: cms.SignedData) -> bytes:
    value: bytes = given["signer_infos"][0]["signature"].native
    return hashlib.sha256(value).digest()

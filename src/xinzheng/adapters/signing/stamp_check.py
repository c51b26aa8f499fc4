"""Check the time stamp (时间戳, RFC 3161) beside a signature. No digest but its own covers it, so it must be whole:
over this signature, by an authority that leads to a root, with that authority's chain and nothing else."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from asn1crypto import cms  # type: ignore[import-untyped]
from asn1crypto import x509 as asn1_x509
from pyhanko.sign.validation.generic_cms import message_imprint_checker, validate_tst_signed_data
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.status import TimestampSignatureStatus
from pyhanko_certvalidator import ValidationContext

from xinzheng.adapters.signing.chains import Chain, as_cryptography, bag_of, embedded, path_of
from xinzheng.adapters.signing.finishing import finish
from xinzheng.adapters.signing.form import FormError, stamp_info, token_of
from xinzheng.adapters.signing.key_ends import ends_of
from xinzheng.adapters.signing.key_history import spki_in
from xinzheng.adapters.signing.revocation_check import revocation_of
from xinzheng.adapters.signing.trust import Trust

UNFIT = "时间戳与签名不相符，或者形式不是盖上时的原样。"
UNTRUSTED = "时间戳不是由受信任的时间戳机构签发。"
UNKNOWN_ROOT = "没有时间戳机构的根证书，未核对时间戳。"
REVOKED = "时间戳机构的证书已被吊销，时间戳不作数。"
LOST = "时间戳机构的密钥已经公布失密，时间戳不作数。"


@dataclass(frozen=True)
class StampFacts:
    """What was found about a stamp: when, if it holds; else the reason. ``is_fit`` is None if it was not examined."""

    stamped_at: datetime | None = None
    is_fit: bool | None = True
    reason: str | None = None


NO_STAMP = StampFacts()


def examine_stamp(signature: EmbeddedPdfSignature, trust: Trust, crls: Iterable[bytes]) -> StampFacts:
    """Of the stamp of one signature; NO_STAMP if there is none. ``crls`` are the trust's and the file's own.

    A revoked authority's stamp counts as none: if its key was stolen, whoever has it can date as he likes.
    """
    roots = trust.stamp_roots or trust.roots
    try:
        token = token_of(signature.signed_data)
        if token is None:
            return NO_STAMP
        stamped_at: datetime = stamp_info(token)["gen_time"].native
        status = _validated(signature, token, roots, stamped_at)
    except Exception:  # whatever cannot be read or added up in a token, it is no stamp of ours
        return StampFacts(is_fit=False, reason=UNFIT)
    path = path_of(status)
    if not (status.intact and status.valid) or (path is not None and not _is_bare(token, path)):
        return StampFacts(is_fit=False, reason=UNFIT)
    if path is None:
        is_root_known = bool(trust.stamp_roots)
        return StampFacts(is_fit=False, reason=UNTRUSTED) if is_root_known else StampFacts(None, None, UNKNOWN_ROOT)
    spoiled = _spoiled(path, stamped_at, trust, crls)
    return StampFacts(reason=spoiled) if spoiled else StampFacts(stamped_at)


def _spoiled(path: Chain, stamped_at: datetime, trust: Trust, crls: Iterable[bytes]) -> str | None:
    """Why the word of the authority at the end of ``path`` is nothing, by the keys' history or by the lists."""
    if any(ends_of(trust.keys, "stamp", spki_in(one.dump())).lost_at is not None for one in path):
        return LOST
    revocation = revocation_of(as_cryptography(path), crls, stamped_at).revocation
    if revocation is not None and (revocation.is_suspicious or revocation.at <= stamped_at):
        return REVOKED
    return None


def _is_bare(token: cms.ContentInfo, path: Chain) -> bool:
    """Whether the token brought the certificates of its path and no other."""
    return sorted(one.dump() for one in embedded(path)) == sorted(bag_of(token["content"]))


def _validated(
    signature: EmbeddedPdfSignature, token: cms.ContentInfo, roots: tuple[bytes, ...], moment: datetime
) -> TimestampSignatureStatus:
    if token["content_type"].native != "signed_data" or len(token["content"]["signer_infos"]) != 1:
        raise FormError(UNFIT)
    context = ValidationContext(
        trust_roots=[asn1_x509.Certificate.load(root) for root in roots],
        allow_fetching=False,
        moment=moment,
        revocation_mode="soft-fail",
    )
    imprint = message_imprint_checker(signature.signer_info)
    return TimestampSignatureStatus(**finish(validate_tst_signed_data(token["content"], context, imprint)))

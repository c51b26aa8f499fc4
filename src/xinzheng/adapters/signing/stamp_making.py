"""The demonstration's time-stamping authority (演示时间戳机构): answers requests by RFC 3161 with ESSCertIDv2.

The serial number is the time in nanoseconds followed by 64 random bits: there is no counter that a restored backup
could set back.
"""

import hashlib
import secrets
import time
import uuid
from datetime import UTC, datetime
from functools import lru_cache

from asn1crypto import algos, core, tsp  # type: ignore[import-untyped]
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.sign.general import as_signing_certificate_v2

from xinzheng.adapters.signing.der import INTEGER, OCTETS, SEQUENCE, SET, der, set_of
from xinzheng.adapters.signing.signer import ReportSigner

# An object identifier anybody may have without asking (ITU-T X.667): the policy that says "a demonstration".
POLICY = f"2.25.{uuid.uuid5(uuid.NAMESPACE_DNS, 'demonstration.xinzheng').int}"
EXPLICIT_0 = 0xA0
# PKCS #9 and S/MIME: content type, message digest, signing certificate; signed data, what a stamp says.
CONTENT, DIGEST, SIGNER_MARK, SIGNED_DATA, TOLD_TYPE = (
    core.ObjectIdentifier(f"1.2.840.113549.1.{one}").dump() for one in ("9.3", "9.4", "9.16.2.47", "7.2", "9.16.1.4")
)
SHA256_DER = algos.DigestAlgorithm({"algorithm": "sha256"}).dump()
GRANTED = der(SEQUENCE, der(INTEGER, b"\x00"))
TOLD = der(SEQUENCE, CONTENT, der(SET, TOLD_TYPE))
DIGEST_SIZES = {"sha256": 32, "sha384": 48, "sha512": 64}
Imprint = tuple[str, bytes]


def make_token(key: ReportSigner, imprint: Imprint, now: datetime, nonce: int | None = None) -> bytes:
    """A time-stamp token over an imprint (algorithm, digest), DER. ``now`` is aware."""
    told = _told(imprint, now, nonce).dump()
    attributes = set_of(SET, TOLD, _attribute(DIGEST, der(OCTETS, hashlib.sha256(told).digest())), _signer_mark(key))
    issuer, serial, certificate = _certificate_parts(key)
    signer = der(
        SEQUENCE,
        der(INTEGER, b"\x01"),
        der(SEQUENCE, issuer, serial),
        SHA256_DER,
        bytes((EXPLICIT_0,)) + attributes[1:],
        algos.SignedDigestAlgorithm({"algorithm": f"sha256_{key.key.kind}"}).dump(),
        der(OCTETS, key.key.sign(attributes)),
    )
    inner = der(SEQUENCE, TOLD_TYPE, der(EXPLICIT_0, der(OCTETS, told)))
    bag = der(EXPLICIT_0, certificate)
    signed = der(SEQUENCE, der(INTEGER, b"\x03"), der(SET, SHA256_DER), inner, bag, der(SET, signer))
    return der(SEQUENCE, SIGNED_DATA, der(EXPLICIT_0, signed))


def answer_request(key: ReportSigner, request: bytes, now: datetime) -> bytes:
    """The answer to a request as it comes over the network: a token, or a refusal where the request is no good."""
    try:
        asked = tsp.TimeStampReq.load(request)
        imprint = asked["message_imprint"]
        algorithm, digest = imprint["hash_algorithm"]["algorithm"].native, imprint["hashed_message"].native
    except (ValueError, TypeError, KeyError):
        return _refusal("bad_data_format")
    if DIGEST_SIZES.get(algorithm) != len(digest):
        return _refusal("bad_alg")
    token = make_token(key, (algorithm, digest), now, asked["nonce"].native)
    return der(SEQUENCE, GRANTED, token)


def _told(imprint: Imprint, now: datetime, nonce: int | None) -> tsp.TSTInfo:
    algorithm, digest = imprint
    fields = {
        "version": "v1",
        "policy": POLICY,
        "message_imprint": {
            "hash_algorithm": algos.DigestAlgorithm({"algorithm": algorithm}),
            "hashed_message": digest,
        },
        "serial_number": time.time_ns() << 64 | secrets.randbits(64),
        "gen_time": core.GeneralizedTime(now.astimezone(UTC).replace(microsecond=0)),
        "accuracy": {"seconds": 1},
    }
    return tsp.TSTInfo(fields if nonce is None else {**fields, "nonce": nonce})


def _attribute(kind: bytes, value: bytes) -> bytes:
    return der(SEQUENCE, kind, der(SET, value))


@lru_cache(maxsize=8)
def _signer_mark(key: ReportSigner) -> bytes:
    """The attribute that ties the token to one certificate (ESSCertIDv2, RFC 5816)."""
    certificate = asn1_x509.Certificate.load(key.certificate.public_bytes(Encoding.DER))
    return _attribute(SIGNER_MARK, as_signing_certificate_v2(certificate).dump())


@lru_cache(maxsize=8)
def _certificate_parts(key: ReportSigner) -> tuple[bytes, bytes, bytes]:
    certificate = key.certificate.public_bytes(Encoding.DER)
    parsed = asn1_x509.Certificate.load(certificate)
    return parsed.issuer.dump(), parsed["tbs_certificate"]["serial_number"].dump(), certificate


def _refusal(reason: str) -> bytes:
    status = tsp.PKIStatusInfo({"status": "rejection", "fail_info": {reason}})
    answer: bytes = tsp.TimeStampResp({"status": status}).dump()
    return answer

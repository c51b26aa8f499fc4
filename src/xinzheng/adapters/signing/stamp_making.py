"""The demonstration's time-stamping authority (演示时间戳机构): answers requests by RFC 3161 with ESSCertIDv2.

The serial number is the time in nanoseconds followed by 64 random bits: there is no counter that a restored backup
could set back.
"""

import hashlib
import secrets
import time
import uuid
from datetime import UTC, datetime

from asn1crypto import algos, cms, core, tsp  # type: ignore[import-untyped]
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.sign.general import as_signing_certificate_v2

from xinzheng.adapters.signing.signer import ReportSigner

# An object identifier anybody may have without asking (ITU-T X.667): the policy that says "a demonstration".
POLICY = f"2.25.{uuid.uuid5(uuid.NAMESPACE_DNS, 'demonstration.xinzheng').int}"
DIGEST_SIZES = {"sha256": 32, "sha384": 48, "sha512": 64}
Imprint = tuple[str, bytes]


def make_token(key: ReportSigner, imprint: Imprint, now: datetime, nonce: int | None = None) -> bytes:
    """A time-stamp token over an imprint (algorithm, digest), DER. ``now`` is aware."""
    certificate = asn1_x509.Certificate.load(key.certificate.public_bytes(Encoding.DER))
    told = _told(imprint, now, nonce).dump()
    said = {
        "content_type": "tst_info",
        "message_digest": hashlib.sha256(told).digest(),
        "signing_certificate_v2": as_signing_certificate_v2(certificate),
    }
    attributes = cms.CMSAttributes([{"type": kind, "values": [value]} for kind, value in said.items()])
    signer = cms.SignerInfo(
        {
            "version": "v1",
            "sid": cms.SignerIdentifier(
                {
                    "issuer_and_serial_number": {
                        "issuer": certificate.issuer,
                        "serial_number": certificate.serial_number,
                    }
                }
            ),
            "digest_algorithm": {"algorithm": "sha256"},
            "signature_algorithm": {"algorithm": f"sha256_{key.key.kind}"},
            "signed_attrs": attributes,
            "signature": key.key.sign(attributes.dump()),
        }
    )
    token: bytes = _packed(told, certificate, signer).dump()
    return token


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
    answer: bytes = tsp.TimeStampResp(
        {"status": {"status": "granted"}, "time_stamp_token": cms.ContentInfo.load(token)}
    ).dump()
    return answer


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


def _packed(told: bytes, certificate: asn1_x509.Certificate, signer: cms.SignerInfo) -> cms.ContentInfo:
    signed = {
        "version": "v3",
        "digest_algorithms": [{"algorithm": "sha256"}],
        "encap_content_info": {"content_type": "tst_info", "content": cms.ParsableOctetString(told)},
        "certificates": [cms.CertificateChoices("certificate", certificate)],
        "signer_infos": [signer],
    }
    return cms.ContentInfo({"content_type": "signed_data", "content": cms.SignedData(signed)})


def _refusal(reason: str) -> bytes:
    status = tsp.PKIStatusInfo({"status": "rejection", "fail_info": {reason}})
    answer: bytes = tsp.TimeStampResp({"status": status}).dump()
    return answer

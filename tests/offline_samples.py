"""Reports signed in every way we sign them, and the published keys to examine them with, for verifying off line."""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import rfc8785
from asn1crypto import cms  # type: ignore[import-untyped]
from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from pyhanko.sign.timestamps import DummyTimeStamper

from tests.certificates import SIGNER, Holder, Key, Kind, certified, named
from xinzheng.adapters.pdf import render_report
from xinzheng.adapters.signing.finishing import finish
from xinzheng.adapters.signing.form import signed_digest, signed_ranges
from xinzheng.adapters.signing.raw_keys import SoftwareKey
from xinzheng.adapters.signing.seals import ReportSeal, SealKey, qr_text, seal_payload
from xinzheng.adapters.signing.signer import ReportSigner, sign_pdf
from xinzheng.adapters.signing.stamping import stamp_imprint, with_token
from xinzheng.adapters.transparency import Head, LogKey, sign_head
from xinzheng.core.inclusion import Inclusion, proof_document
from xinzheng.core.leaves import issued_leaf, status_leaf
from xinzheng.core.lifecycle import ReportStatus
from xinzheng.core.merkle import inclusion_path, leaf_hash, node_of, root_of, tree_of

HOST = "credit.example"
SIGNED_AT = datetime(2026, 11, 21, 7, 8, 2, tzinfo=UTC)
SAMPLE = Path(__file__).parent / "data" / "reports" / "suzhou-clear.json"
CONTENT = rfc8785.dumps(json.loads(SAMPLE.read_text(encoding="utf-8")))
DIGEST = sha256(CONTENT).digest()
NUMBER: str = json.loads(CONTENT)["number"]
CODE = "7K3M9Q2XB4HTWNPDR5"


def certify(name: str, key: Key, issuer: Holder | None = None, kind: Kind = SIGNER) -> Holder:
    """A certificate for the key under the name; self-signed without an issuer."""
    return certified(named(name, "CN"), key, issuer, kind, SIGNED_AT)


def new_p256() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@cache
def new_rsa() -> rsa.RSAPrivateKey:
    """Making one takes long: one is made for all."""
    return rsa.generate_private_key(65537, 3072)


@dataclass(frozen=True)
class City:
    """All keys of a city that issues."""

    root: Holder
    signer: Holder
    stamper: Holder
    seal: ec.EllipticCurvePrivateKey
    log: Ed25519PrivateKey

    @property
    def log_key(self) -> LogKey:
        return LogKey(f"{HOST}/log", self.log.public_key().public_bytes_raw())


@cache
def city() -> City:
    """The one city of these tests."""
    root = certify("示例根 ROOT", new_p256(), kind=Kind(below=1))
    signer = certify("示例报告签发 SIGNER", new_p256(), root)
    stamper = certify("示例时间戳 STAMPS", new_rsa(), root, Kind(is_stamper=True))
    return City(root, signer, stamper, new_p256(), Ed25519PrivateKey.generate())


def in_base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def certificate_entry(holder: Holder, purpose: str, **changed: object) -> dict[str, object]:
    """A published certificate as the well-known address shows it."""
    return {
        "id": sha256(spki(holder.key)).digest()[:8].hex(),
        "purpose": purpose,
        "algorithm": "x509",
        "certificate": in_base64(holder.der),
        "from": "2026-11-20T00:00:00+08:00",
        "until": None,
        "status": "current",
        "since": None,
    } | changed


def spki(key: Key) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def seal_entry(key: ec.EllipticCurvePrivateKey, **changed: object) -> dict[str, object]:
    """A published key of seals as the well-known address shows it."""
    return {
        "id": sha256(spki(key)).digest()[:8].hex(),
        "purpose": "seal",
        "algorithm": "ES256",
        "spki": in_base64(spki(key)),
        "from": "2026-11-20T00:00:00+08:00",
        "until": None,
        "status": "current",
        "since": None,
    } | changed


def log_entry(**changed: object) -> dict[str, object]:
    """The published key of the log as the well-known address shows it."""
    data = city().log.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    entry = seal_entry(city().seal) | {"purpose": "log", "algorithm": "Ed25519", "spki": in_base64(data)}
    return entry | changed


def published(*entries: dict[str, object], **changed: object) -> dict[str, Any]:
    """The document of published keys; the city's own keys unless others are given."""
    own = city()
    usual = [
        certificate_entry(own.root, "root"),
        certificate_entry(own.signer, "document"),
        certificate_entry(own.stamper, "stamp"),
        seal_entry(own.seal),
        log_entry(),
    ]
    return {
        "format": "xinzheng.keys/1",
        "host": HOST,
        "keys": list(entries) or usual,
        "log": {"origin": f"{HOST}/log", "vkey": str(own.log_key), "checkpoint": "/log/checkpoint"},
        "crl": ["/pki/demo.crl"],
        "crls": [in_base64(revocations(own.root))],
    } | changed


def revocations(
    issuer: Holder,
    revoked: dict[int, datetime] | None = None,
    why: x509.ReasonFlags = x509.ReasonFlags.key_compromise,
) -> bytes:
    """A list of revoked certificates."""
    builder = x509.CertificateRevocationListBuilder(issuer.certificate.subject, SIGNED_AT, SIGNED_AT + timedelta(7))
    for serial, since in (revoked or {}).items():
        entry = x509.RevokedCertificateBuilder(serial, since).add_extension(x509.CRLReason(why), critical=False)
        builder = builder.add_revoked_certificate(entry.build())
    return builder.sign(issuer.key, SHA256()).public_bytes(Encoding.DER)


def container(pdf: bytes) -> slice:
    """Where the signature's container stands in a signed file."""
    return slice(*signed_ranges(pdf))


@cache
def unsigned() -> bytes:
    """The report as rendered."""
    return render_report(CONTENT, "https://host.example/v/7K3M9Q2XB4HT#" + "A" * 240)


def signed(signer: Holder, *others: Holder, at: datetime = SIGNED_AT) -> bytes:
    """The report signed."""
    chain = [other.certificate for other in others]
    return sign_pdf(unsigned(), ReportSigner(SoftwareKey(signer.key), signer.certificate, chain), at)


def token(imprint: bytes, stamper: Holder, at: datetime) -> bytes:
    """A time stamp over the digest."""
    private = stamper.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    authority = DummyTimeStamper(
        asn1_x509.Certificate.load(stamper.der), asn1_keys.PrivateKeyInfo.load(private), fixed_dt=at
    )
    made: cms.ContentInfo = finish(authority.async_timestamp(imprint, "sha256"))
    data: bytes = made.dump()
    return data


def stamped(pdf: bytes, stamper: Holder, at: datetime = SIGNED_AT + timedelta(seconds=5)) -> bytes:
    """A signed report with a time stamp put in."""
    return with_token(pdf, token(stamp_imprint(pdf), stamper, at))


def qr(key: ec.EllipticCurvePrivateKey | None = None, host: str = HOST, digest: bytes = DIGEST) -> str:
    """The text of the report's QR code."""
    seal = ReportSeal(NUMBER, digest, host, SIGNED_AT, "suzhou-2024")
    return qr_text(seal_payload(seal, SealKey(key or city().seal)), CODE)


def proof(pdf: bytes, *statuses: ReportStatus, beside: Sequence[bytes] = ()) -> dict[str, object]:
    """The proof that the report stands in a log of eleven leaves, with what became of it; and of leaves beside it."""
    place = 5
    leaves = [sha256(str(n).encode()).hexdigest().encode() for n in range(11)]
    own = [*beside, issued_leaf(DIGEST, signed_digest(pdf), SIGNED_AT)]
    own += [status_leaf(DIGEST, status, SIGNED_AT + timedelta(days=9)) for status in statuses]
    leaves[place : place + len(own)] = own
    node = node_of(tree_of([leaf_hash(leaf) for leaf in leaves]))
    note = sign_head(Head(f"{HOST}/log", len(leaves), root_of(len(leaves), node)), city().log)
    held = [Inclusion(leaf, place + n, inclusion_path(place + n, len(leaves), node)) for n, leaf in enumerate(own)]
    return proof_document(note, held)

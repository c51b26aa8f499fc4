"""Signatures filled into a template are byte for byte those that pyHanko makes."""

import hashlib
from datetime import UTC, datetime, timedelta

import pytest
from asn1crypto import cms  # type: ignore[import-untyped]
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID

from xinzheng.adapters.signing.finishing import finish
from xinzheng.adapters.signing.raw_keys import SoftwareKey
from xinzheng.adapters.signing.signer import DIGEST, ReportSigner

NOW = datetime(2026, 11, 21, tzinfo=UTC)
DIGEST_OF_FILE = hashlib.sha256(b"a report").digest()


def signer_of(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> ReportSigner:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "示例签发者")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 7, NOW, NOW + timedelta(days=9))
    return ReportSigner(SoftwareKey(key), builder.sign(key, SHA256()))


def test_an_rsa_signature_is_the_one_that_pyhanko_makes() -> None:
    signer = signer_of(rsa.generate_private_key(65537, 3072))
    made = finish(signer.cms.async_sign(DIGEST_OF_FILE, DIGEST, use_pades=True)).dump()
    assert signer.template.filled(DIGEST_OF_FILE, signer.key.sign) == made


@pytest.mark.parametrize("size", [0, 60, 72, 120, 130, 300])
def test_lengths_are_written_as_der_writes_them_whatever_the_signature_takes(size: int) -> None:
    signer = signer_of(ec.generate_private_key(ec.SECP256R1()))
    filled = signer.template.filled(DIGEST_OF_FILE, lambda _: bytes(size))
    content = cms.ContentInfo.load(filled, strict=True)
    assert content["content"]["signer_infos"][0]["signature"].native == bytes(size)
    assert content.copy().dump(force=True) == filled


def test_what_is_signed_are_the_attributes_that_name_the_digest() -> None:
    signer = signer_of(ec.generate_private_key(ec.SECP256R1()))
    given: list[bytes] = []

    def sign(data: bytes) -> bytes:
        given.append(data)
        return b"signature"

    filled = signer.template.filled(DIGEST_OF_FILE, sign)
    info = cms.ContentInfo.load(filled)["content"]["signer_infos"][0]
    assert given == [info["signed_attrs"].untag().dump()]
    named = {one["type"].native: one["values"][0].native for one in info["signed_attrs"]}
    assert named["message_digest"] == DIGEST_OF_FILE

"""A small authority for tests (测试证书机构): root, signer, time stamps and lists, all of one's own making."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache

from asn1crypto import algos, keys, tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pyhanko.sign.timestamps import DummyTimeStamper

from tests.certificates import Holder, Key, Kind, certified, named
from xinzheng.adapters.signing import Evidence, ReportSigner, Trust, sign_pdf, stamp_imprint, with_token
from xinzheng.adapters.signing.raw_keys import SoftwareKey

LIST_AT = "http://127.0.0.1:8765/pki/root.crl"
SOME = 5  # authorities one below the other


@cache
def rsa_key(number: int = 0) -> rsa.RSAPrivateKey:
    """Keys of 2048 bits, made once in a run."""
    assert number >= 0
    return rsa.generate_private_key(65537, 2048)


class SmallPki:
    """A root named ``root`` that certifies from a day before ``made_at`` on, for ten years."""

    def __init__(self, made_at: datetime, root_key: Key | None = None) -> None:
        self.made_at = made_at
        key = root_key or ec.generate_private_key(ec.SECP256R1())
        self.root = self.certified("TEST ROOT", key, None)
        self.signer = self.certified("TEST SIGNER", ec.generate_private_key(ec.SECP256R1()), self.root)
        self.stamper = self.certified("TEST STAMPS", rsa_key(), self.root, is_stamper=True)

    def certified(
        self, name: str, key: Key, issuer: Holder | None, *, is_stamper: bool = False, is_authority: bool = False
    ) -> Holder:
        """``key`` under ``name``, certified by ``issuer``, or by itself as a root."""
        kind = Kind(
            below=SOME if is_authority or issuer is None else None,
            is_stamper=is_stamper,
            list_at=LIST_AT if issuer is not None else None,
        )
        return certified(named(name), key, issuer, kind, self.made_at)

    def crl(
        self,
        *revoked: x509.RevokedCertificate,
        at: datetime | None = None,
        issuer: Holder | None = None,
        extension: x509.ExtensionType | None = None,
    ) -> bytes:
        """The list of ``issuer``, or of the root, from ``at`` on for a week."""
        by, at = issuer or self.root, at or self.made_at
        subject = by.certificate.subject
        builder = x509.CertificateRevocationListBuilder(subject, at - timedelta(hours=1), at + timedelta(days=7))
        for one in revoked:
            builder = builder.add_revoked_certificate(one)
        if extension is not None:
            builder = builder.add_extension(extension, critical=True)
        return builder.sign(by.key, SHA256()).public_bytes(Encoding.DER)

    def trust(self, *crls: bytes) -> Trust:
        """In the root, for signers and stamps."""
        return Trust((self.root.der,), crls, (self.root.der,))

    def signed(self, pdf: bytes, at: datetime, *crls: bytes, others: Sequence[Holder] = ()) -> bytes:
        """``pdf`` signed by the signer, with the lists and certificates beside it."""
        signer = ReportSigner(
            SoftwareKey(self.signer.key), self.signer.certificate, [one.certificate for one in others]
        )
        certificates = (self.signer.der, self.stamper.der, self.root.der, *(one.der for one in others))
        return sign_pdf(pdf, signer, at, Evidence(certificates, crls) if crls else Evidence())

    def token(self, imprint: bytes, at: datetime, by: Holder | None = None) -> bytes:
        """A time stamp over a SHA-256."""
        holder = by or self.stamper
        key = holder.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        certificate = asn1_x509.Certificate.load(holder.der)
        authority = DummyTimeStamper(certificate, keys.PrivateKeyInfo.load(key), fixed_dt=at)
        algorithm = algos.DigestAlgorithm({"algorithm": "sha256"})
        imprinted = tsp.MessageImprint({"hash_algorithm": algorithm, "hashed_message": imprint})
        request = tsp.TimeStampReq({"version": 1, "message_imprint": imprinted, "cert_req": True})
        return authority.request_tsa_response(request)["time_stamp_token"].dump()

    def stamped(self, pdf: bytes, at: datetime, by: Holder | None = None) -> bytes:
        """A signed file with a time stamp put in."""
        return with_token(pdf, self.token(stamp_imprint(pdf), at, by))


def revoked(
    holder: Holder,
    at: datetime,
    reason: x509.ReasonFlags | None = x509.ReasonFlags.key_compromise,
    invalid_from: datetime | None = None,
) -> x509.RevokedCertificate:
    """An entry of a list."""
    builder = x509.RevokedCertificateBuilder(holder.certificate.serial_number, at)
    if reason is not None:
        builder = builder.add_extension(x509.CRLReason(reason), critical=False)
    if invalid_from is not None:
        builder = builder.add_extension(x509.InvalidityDate(invalid_from), critical=False)
    return builder.build()

"""Certificates of tests' own making (测试证书): of an authority, of a signer, of somebody who stamps times."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from xinzheng.adapters.signing.demo_authority import KEY_USAGES

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True)
class Holder:
    """A certificate with its key."""

    certificate: x509.Certificate
    key: Key

    @property
    def der(self) -> bytes:
        """The certificate."""
        return self.certificate.public_bytes(Encoding.DER)


@dataclass(frozen=True)
class Kind:
    """What a certificate is for: an authority with so many authorities below, a signer, or a stamper.

    ``list_at``: where it says that its list of revoked certificates is to be had.
    """

    below: int | None = None
    is_stamper: bool = False
    life: tuple[timedelta, timedelta] = field(default=(timedelta(days=-1), timedelta(days=3650)))
    list_at: str | None = None


SIGNER = Kind()


def certified(subject: x509.Name, key: Key, issuer: Holder | None, kind: Kind, at: datetime) -> Holder:
    """A certificate for the key under the name, for its life around ``at``; self-signed without an issuer."""
    is_authority = kind.below is not None
    usages = {"key_cert_sign", "crl_sign"} if is_authority else {"digital_signature", "content_commitment"}
    above = issuer.certificate.subject if issuer else subject
    begins, ends = (at + moment for moment in kind.life)
    builder = (
        x509.CertificateBuilder(above, subject, key.public_key(), x509.random_serial_number(), begins, ends)
        .add_extension(x509.BasicConstraints(is_authority, kind.below), critical=True)
        .add_extension(x509.KeyUsage(**{usage: usage in usages for usage in KEY_USAGES}), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if kind.is_stamper:
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
    if kind.list_at is not None:
        place = x509.DistributionPoint([x509.UniformResourceIdentifier(kind.list_at)], None, None, None)
        builder = builder.add_extension(x509.CRLDistributionPoints([place]), critical=False)
    return Holder(builder.sign(issuer.key if issuer else key, SHA256()), key)


def named(common_name: str, country: str = "") -> x509.Name:
    """A name of a certificate."""
    parts = [(NameOID.COUNTRY_NAME, country)] if country else []
    return x509.Name([x509.NameAttribute(*part) for part in (*parts, (NameOID.COMMON_NAME, common_name))])

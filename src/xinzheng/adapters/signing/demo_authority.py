"""The demonstration authority (演示证书机构): a root, and what it certifies, loudly labelled as of no use.

Its root key stays in the folder, encrypted, for without it no list of revoked certificates can be made.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
    pkcs12,
)
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

from xinzheng.adapters.signing.errors import KeyFileError
from xinzheng.adapters.signing.key_files import read_key_file
from xinzheng.adapters.signing.raw_keys import PrivateKey, PublicKey
from xinzheng.core.lifecycle import verification_origin

ROOT_FILE, ROOT_KEY_FILE, ROOT_PASS_FILE, CRL_FILE = "root.pem", "root-key.pem", "root.pass", "list.crl"
HOST_FILE = "host"
ROOT_LIFE, STAMP_LIFE, SIGNER_LIFE = timedelta(days=30 * 366), timedelta(days=25 * 366), timedelta(days=3652)
SKEW = timedelta(days=1)
ORGANISATION = "信证演示 DEMO NOT FOR USE"
SIGNER_NAME, STAMP_NAME = "信证演示报告签发 DEMO REPORT SIGNER", "信证演示时间戳 DEMO TIME STAMPS"
KEY_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


@dataclass(frozen=True)
class Authority:
    """The root with its key (证书机构). ``name`` stands in the addresses of its list; ``host`` is where they point."""

    name: str
    host: str
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    def __repr__(self) -> str:
        return f"Authority({self.name!r})"


def authority_files(number: int, host: str, made_at: datetime) -> dict[str, bytes]:
    """The files of a new root. Its name is unlike any other's: a name alone must never lead to another root."""
    key = ec.generate_private_key(ec.SECP256R1())
    mark = x509.SubjectKeyIdentifier.from_public_key(key.public_key()).digest[:4].hex()
    name = demo_name(f"信证演示根 DEMO ROOT CA {number} {mark}")
    builder = _builder(
        (name, key.public_key()), (name, key), (made_at, made_at + ROOT_LIFE), {"key_cert_sign", "crl_sign"}
    )
    root = builder.sign(key, SHA256())
    passphrase = secrets.token_urlsafe(32).encode("ascii")
    return {
        ROOT_FILE: root.public_bytes(Encoding.PEM),
        ROOT_PASS_FILE: passphrase,
        ROOT_KEY_FILE: key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(passphrase)),
        HOST_FILE: host.encode(),
    }


def load_authority(folder: Path) -> Authority:
    """The authority kept in ``folder``, whose name ends the authority's. KeyFileError if unusable."""
    try:
        certificate = x509.load_pem_x509_certificate(read_key_file(folder / ROOT_FILE))
        key = load_pem_private_key(read_key_file(folder / ROOT_KEY_FILE), read_key_file(folder / ROOT_PASS_FILE))
    except ValueError:
        raise KeyFileError(f"演示根密钥 {ROOT_KEY_FILE} 无法打开，请从备份恢复。") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
        raise KeyFileError(f"演示根密钥 {ROOT_KEY_FILE} 与 {ROOT_FILE} 不是一对，请从备份恢复。")
    return Authority(authority_name(folder), read_key_file(folder / HOST_FILE).decode(), certificate, key)


def authority_name(folder: Path) -> str:
    """The name in addresses of the authority kept in ``folder``."""
    return f"demo-{folder.name}"


def issue_signer(authority: Authority, public: PublicKey, made_at: datetime) -> x509.Certificate:
    """A certificate that may sign documents and nothing else."""
    return _issue(authority, (SIGNER_NAME, public), made_at, SIGNER_LIFE)


def issue_stamper(authority: Authority, public: PublicKey, made_at: datetime) -> x509.Certificate:
    """A certificate that may stamp times and nothing else; it outlives every report it stamps by many years."""
    return _issue(authority, (STAMP_NAME, public), made_at, STAMP_LIFE, is_stamper=True)


def new_key(algorithm: str) -> PrivateKey:
    """A new key: ``ecdsa-p256`` or ``rsa-3072``."""
    if algorithm == "rsa-3072":
        return rsa.generate_private_key(65537, 3072)
    return ec.generate_private_key(ec.SECP256R1())


def packed(key: PrivateKey, certificate: x509.Certificate, root: x509.Certificate) -> tuple[bytes, bytes]:
    """A PKCS#12 file with key and certificates, and the passphrase made for it."""
    passphrase = secrets.token_urlsafe(32).encode("ascii")
    encryption = BestAvailableEncryption(passphrase)
    return pkcs12.serialize_key_and_certificates(b"demo", key, certificate, [root], encryption), passphrase


def demo_name(common_name: str) -> x509.Name:
    """A name nobody can take for a real one."""
    attributes = ((NameOID.COUNTRY_NAME, "CN"), (NameOID.ORGANIZATION_NAME, ORGANISATION))
    return x509.Name([x509.NameAttribute(*pair) for pair in (*attributes, (NameOID.COMMON_NAME, common_name))])


def is_demonstration(certificate: x509.Certificate) -> bool:
    """Whether a certificate is one of a demonstration's."""
    names = certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    return any(name.value == ORGANISATION for name in names)


def _issue(
    authority: Authority, whose: tuple[str, PublicKey], made_at: datetime, life: timedelta, *, is_stamper: bool = False
) -> x509.Certificate:
    common_name, public = whose
    issuer = (authority.certificate.subject, authority.key)
    usages = {"digital_signature"} if is_stamper else {"digital_signature", "content_commitment"}
    until = min(made_at + life, authority.certificate.not_valid_after_utc)
    builder = _builder((demo_name(common_name), public), issuer, (made_at, until), usages)
    if is_stamper:
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
    place = f"{verification_origin(authority.host)}/pki/{authority.name}"
    list_at, root_at = (x509.UniformResourceIdentifier(f"{place}.{kind}") for kind in ("crl", "cer"))
    return (
        builder.add_extension(
            x509.CRLDistributionPoints([x509.DistributionPoint([list_at], None, None, None)]), critical=False
        )
        .add_extension(
            x509.AuthorityInformationAccess(
                [x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, root_at)]
            ),
            critical=False,
        )
        .sign(authority.key, SHA256())
    )


def _builder(
    whose: tuple[x509.Name, PublicKey],
    issuer: tuple[x509.Name, ec.EllipticCurvePrivateKey],
    life: tuple[datetime, datetime],
    usages: set[str],
) -> x509.CertificateBuilder:
    (subject, public), (issuer_name, issuer_key) = whose, issuer
    is_root = subject == issuer_name
    usage = x509.KeyUsage(**{one: one in usages for one in KEY_USAGES})
    return (
        x509.CertificateBuilder(issuer_name, subject, public, x509.random_serial_number(), life[0] - SKEW, life[1])
        .add_extension(x509.BasicConstraints(ca=is_root, path_length=0 if is_root else None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )

"""Keys and certificates (密钥与证书): a demonstration authority made at first start, or an operator's own PKCS#12."""

import os
import secrets
import shutil
import tempfile
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    pkcs12,
)
from cryptography.x509.oid import NameOID

from xinzheng.adapters.signing.check import Trust
from xinzheng.adapters.signing.errors import KeyFileError
from xinzheng.adapters.signing.raw_keys import SoftwareKey
from xinzheng.adapters.signing.seals import SealKey, key_id_of
from xinzheng.adapters.signing.signer import ReportSigner

SIGNER_FILE, PASSPHRASE_FILE, ROOT_FILE, SEAL_FILE = "signer.p12", "signer.pass", "root.pem", "seal-key.pem"
YEARS = timedelta(days=3652)
SKEW = timedelta(days=1)
ORGANISATION = "信证演示 DEMO NOT FOR USE"
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


def ensure_demo_keys(folder: Path, made_at: datetime) -> None:
    """Make the demonstration root, report signer and seal key once; a folder that exists is left as it is.

    ``folder`` gets mode 0700 and its files 0600. It appears whole or not at all, so that processes that start
    together agree. The root's private key is thrown away: nothing else is ever signed with it.
    """
    if folder.exists():
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        for name, content in _demo_files(made_at).items():
            _write_private(draft / name, content)
        draft.rename(folder)
    except OSError:
        if not folder.exists():
            raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def load_signer(folder: Path) -> ReportSigner:
    """The signer kept in a folder made by ensure_demo_keys; read once in a process. KeyFileError if unusable."""
    return load_pkcs12(folder / SIGNER_FILE, folder / PASSPHRASE_FILE)


@lru_cache(maxsize=8)
def load_pkcs12(path: Path, passphrase_file: Path) -> ReportSigner:
    """A signer from a PKCS#12 file (P-256, P-384 or RSA) and its passphrase file; the key is parsed once."""
    passphrase = _read(passphrase_file).strip()
    try:
        key, certificate, others = pkcs12.load_key_and_certificates(_read(path), passphrase)
    except ValueError:
        raise KeyFileError(f"签名证书 {path.name} 无法打开。请检查文件和口令文件 {passphrase_file.name}。") from None
    if certificate is None or not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise KeyFileError(f"签名证书 {path.name} 中没有可用的私钥和证书，需要 ECDSA 或者 RSA。")
    return ReportSigner(
        SoftwareKey(key), certificate, tuple(other for other in others if other.subject != other.issuer)
    )


def load_seal_key(folder: Path) -> SealKey:
    """The key of the QR codes. KeyFileError if unusable."""
    try:
        key = load_pem_private_key(_read(folder / SEAL_FILE), password=None)
    except ValueError:
        raise KeyFileError(f"二维码签章密钥 {SEAL_FILE} 无法打开。") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
        raise KeyFileError(f"二维码签章密钥 {SEAL_FILE} 应当是 P-256 密钥。")
    return SealKey(key)


def load_seal_public_keys(folder: Path) -> dict[bytes, ec.EllipticCurvePublicKey]:
    """The published keys by key id, as open_seal takes them."""
    public = load_seal_key(folder).private.public_key()
    return {key_id_of(public): public}


def load_trust(*root_files: Path) -> Trust:
    """The roots in PEM files that a report's signer must lead to."""
    try:
        roots = tuple(root for file in root_files for root in x509.load_pem_x509_certificates(_read(file)))
    except ValueError:
        raise KeyFileError("受信任的根证书文件无法读取，应当是 PEM 格式。") from None
    return Trust(tuple(root.public_bytes(Encoding.DER) for root in roots))


def load_demo_trust(folder: Path) -> Trust:
    """Trust in the demonstration root of ``folder`` alone."""
    return load_trust(folder / ROOT_FILE)


def _demo_files(made_at: datetime) -> dict[str, bytes]:
    root_key, signer_key, seal_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
    root_name, signer_name = _name("信证演示根 DEMO ROOT CA"), _name("信证演示报告签发 DEMO REPORT SIGNER")
    root = _certificate(root_name, root_key.public_key(), (root_name, root_key), made_at)
    signer = _certificate(signer_name, signer_key.public_key(), (root_name, root_key), made_at)
    passphrase = secrets.token_urlsafe(32).encode("ascii")
    return {
        ROOT_FILE: root.public_bytes(Encoding.PEM),
        PASSPHRASE_FILE: passphrase,
        SIGNER_FILE: pkcs12.serialize_key_and_certificates(
            b"demo report signer", signer_key, signer, [root], BestAvailableEncryption(passphrase)
        ),
        SEAL_FILE: seal_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    }


def _name(common_name: str) -> x509.Name:
    attributes = ((NameOID.COUNTRY_NAME, "CN"), (NameOID.ORGANIZATION_NAME, ORGANISATION))
    return x509.Name([x509.NameAttribute(*pair) for pair in (*attributes, (NameOID.COMMON_NAME, common_name))])


def _certificate(
    subject: x509.Name,
    public: ec.EllipticCurvePublicKey,
    issuer: tuple[x509.Name, ec.EllipticCurvePrivateKey],
    made_at: datetime,
) -> x509.Certificate:
    """Self-issued means the root; anything else may only sign documents."""
    issuer_name, issuer_key = issuer
    is_root = subject == issuer_name
    allowed = {"key_cert_sign", "crl_sign"} if is_root else {"digital_signature", "content_commitment"}
    usage = x509.KeyUsage(**{usage: usage in allowed for usage in KEY_USAGES})
    return (
        x509.CertificateBuilder(
            issuer_name, subject, public, x509.random_serial_number(), made_at - SKEW, made_at + YEARS
        )
        .add_extension(x509.BasicConstraints(ca=is_root, path_length=0 if is_root else None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
        .sign(issuer_key, SHA256())
    )


def _write_private(path: Path, content: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise KeyFileError(f"读不到密钥文件 {path.name}（{error.strerror}）。请检查路径和权限。") from None

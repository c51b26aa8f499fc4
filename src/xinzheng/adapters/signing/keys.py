"""Keys and certificates in files (密钥与证书): PKCS#12 of a signer, PEM of a seal key, and what a verifier trusts."""

from functools import lru_cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key, pkcs12

from xinzheng.adapters.signing.errors import KeyFileError
from xinzheng.adapters.signing.generations import read_certificates
from xinzheng.adapters.signing.key_files import read_key_file
from xinzheng.adapters.signing.raw_keys import SoftwareKey
from xinzheng.adapters.signing.seals import SealKey
from xinzheng.adapters.signing.signer import ReportSigner
from xinzheng.adapters.signing.trust import Trust


@lru_cache(maxsize=8)
def load_pkcs12(path: Path, passphrase_file: Path) -> ReportSigner:
    """A signer from a PKCS#12 file (P-256, P-384 or RSA) and its passphrase file; the key is parsed once."""
    passphrase = read_key_file(passphrase_file).strip()
    try:
        key, certificate, others = pkcs12.load_key_and_certificates(read_key_file(path), passphrase)
    except ValueError:
        raise KeyFileError(f"签名证书 {path.name} 无法打开。请检查文件和口令文件 {passphrase_file.name}。") from None
    if certificate is None or not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise KeyFileError(f"签名证书 {path.name} 中没有可用的私钥和证书，需要 ECDSA 或者 RSA。")
    return ReportSigner(SoftwareKey(key), certificate, chain_of(certificate, others))


def chain_of(certificate: x509.Certificate, others: list[x509.Certificate]) -> list[x509.Certificate]:
    """Those of the others that lead from a certificate towards its root, nearest first; no root."""
    chain = [certificate]
    while True:
        above = [one for one in others if one.subject == chain[-1].issuer and one.subject != one.issuer]
        issuer = next((one for one in above if one not in chain), None)
        if issuer is None:
            return chain[1:]
        chain.append(issuer)


@lru_cache(maxsize=8)
def load_seal_file(path: Path) -> SealKey:
    """The key of QR codes from a PEM file. KeyFileError if unusable."""
    try:
        key = load_pem_private_key(read_key_file(path), password=None)
    except ValueError:
        raise KeyFileError(f"二维码签章密钥 {path.name} 无法打开。") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
        raise KeyFileError(f"二维码签章密钥 {path.name} 应当是 P-256 密钥。")
    return SealKey(key)


def load_trust(*root_files: Path) -> Trust:
    """The roots in PEM files that a report's signer must lead to."""
    for file in root_files:
        read_key_file(file)
    roots = [root for file in root_files for root in read_certificates(file)]
    return Trust(tuple(root.public_bytes(Encoding.DER) for root in roots))

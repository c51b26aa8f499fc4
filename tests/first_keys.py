"""A folder of keys as the first release made it: one root whose key was thrown away, a signer, a seal key."""

import secrets
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)

from xinzheng.adapters.signing.demo_authority import KEY_USAGES, demo_name

Issuer = tuple[x509.Name, ec.EllipticCurvePrivateKey]


def make_first_keys(folder: Path, made_at: datetime, organisation: x509.Name | None = None) -> None:
    """Write the four files; ``organisation`` names the signer of an operator's own certificate."""
    root_key, signer_key, seal_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
    root_name = demo_name("信证演示根 DEMO ROOT CA") if organisation is None else organisation
    root = certificate(root_name, root_key, (root_name, root_key), made_at)
    signer_name = organisation and x509.Name([*organisation.rdns[:-1], *demo_name("签发").rdns[-1:]])
    signer = certificate(signer_name or demo_name("信证演示报告签发"), signer_key, (root_name, root_key), made_at)
    passphrase = secrets.token_urlsafe(32).encode("ascii")
    files = {
        "root.pem": root.public_bytes(Encoding.PEM),
        "signer.pass": passphrase,
        "signer.p12": pkcs12.serialize_key_and_certificates(
            b"report signer", signer_key, signer, [root], BestAvailableEncryption(passphrase)
        ),
        "seal-key.pem": seal_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    }
    folder.mkdir(mode=0o700, parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
        (folder / name).chmod(0o600)


def certificate(
    name: x509.Name, key: ec.EllipticCurvePrivateKey, issuer: Issuer, made_at: datetime
) -> x509.Certificate:
    """A root if it is its own issuer, else a signer of documents; neither says where a list would be."""
    is_root = name == issuer[0]
    usages = {"key_cert_sign", "crl_sign"} if is_root else {"digital_signature", "content_commitment"}
    day = timedelta(days=1)
    return (
        x509.CertificateBuilder(
            issuer[0], name, key.public_key(), x509.random_serial_number(), made_at - day, made_at + 3650 * day
        )
        .add_extension(x509.BasicConstraints(ca=is_root, path_length=0 if is_root else None), critical=True)
        .add_extension(x509.KeyUsage(**{usage: usage in usages for usage in KEY_USAGES}), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer[1].public_key()), critical=False)
        .sign(issuer[1], SHA256())
    )

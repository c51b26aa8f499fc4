"""What a published key is (公布的密钥): a certificate or a bare public key, and of which kind."""

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from xinzheng.adapters.transparency.note import LogKey


def form_and_algorithm(material: bytes) -> tuple[str, str]:
    """``certificate`` or ``spki``, and ``ES256``, ``RS256`` or ``Ed25519``; ValueError for anything else in DER."""
    try:
        form, public = "certificate", x509.load_der_x509_certificate(material).public_key()
    except ValueError:
        form, public = "spki", load_der_public_key(material)  # type: ignore[assignment]
    if isinstance(public, ec.EllipticCurvePublicKey) and isinstance(public.curve, ec.SECP256R1):
        return form, "ES256"
    if isinstance(public, rsa.RSAPublicKey):
        return form, "RS256"
    if isinstance(public, ed25519.Ed25519PublicKey):
        return form, "Ed25519"
    raise ValueError("neither P-256, RSA nor Ed25519")


def spki_of(key: LogKey) -> bytes:
    """A log's key as SubjectPublicKeyInfo, DER."""
    public = ed25519.Ed25519PublicKey.from_public_bytes(key.public)
    return public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def raw_key(spki: bytes) -> bytes:
    """The 32 bytes of an Ed25519 key given as SubjectPublicKeyInfo; ValueError for another key."""
    public = load_der_public_key(spki)
    if not isinstance(public, ed25519.Ed25519PublicKey):
        raise ValueError("not Ed25519")
    return public.public_bytes_raw()

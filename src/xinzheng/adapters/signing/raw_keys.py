"""Private keys as the signer sees them (私钥): something that signs bytes, in memory or in a key store."""

from typing import Literal, Protocol

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey
CURVES = {curve.name: curve for curve in (ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1())}


class RawKey(Protocol):
    """A key that signs with SHA-256 (签名密钥): DER-encoded ECDSA in its lower form, or RSA PKCS#1 v1.5."""

    @property
    def kind(self) -> Literal["ecdsa", "rsa"]: ...

    @property
    def bits(self) -> int: ...

    @property
    def public(self) -> PublicKey: ...

    def sign(self, data: bytes) -> bytes:
        """The signature over ``data``. Raises SigningUnavailableError when the key cannot be reached."""
        ...


class SoftwareKey:
    """A private key held in memory, parsed once; it never shows itself."""

    def __init__(self, private: PrivateKey) -> None:
        self._private = private
        self.public: PublicKey = private.public_key()
        self.kind: Literal["ecdsa", "rsa"] = kind_of(self.public)
        self.bits = private.key_size

    def sign(self, data: bytes) -> bytes:
        if isinstance(self._private, rsa.RSAPrivateKey):
            return self._private.sign(data, PKCS1v15(), SHA256())
        return low_s(self._private.sign(data, ec.ECDSA(SHA256())), self._private.curve)

    def __repr__(self) -> str:
        return f"SoftwareKey({self.kind}, {self.bits})"


def kind_of(public: PublicKey) -> Literal["ecdsa", "rsa"]:
    """Which of the two kinds a public key is."""
    return "rsa" if isinstance(public, rsa.RSAPublicKey) else "ecdsa"


def low_s(signature: bytes, curve: ec.EllipticCurve) -> bytes:
    """An ECDSA signature in the lower of its two valid forms, DER: anybody can make either from the other."""
    r, s = decode_dss_signature(signature)
    return encode_dss_signature(r, min(s, curve.group_order - s))

"""The signed part of a report's QR code (报告签章码): COSE_Sign1 with ES256, RFC 9052, and the text that carries it."""

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol
from zoneinfo import ZoneInfo

import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from xinzheng.core.errors import XinzhengError
from xinzheng.core.lifecycle import verification_origin

COSE_SIGN1_TAG = 18
ALGORITHM, KEY_ID, ES256 = 1, 4, -7  # RFC 9052 header labels, RFC 9053 algorithm
NUMBER, DIGEST, HOST, AS_OF, POLICY = 1, 2, 3, 4, 5  # our own payload labels
COORDINATE = 32
MAX_TEXT = 2000
CHINA = ZoneInfo("Asia/Shanghai")
QR_TEXT = re.compile(r"(https?)://([A-Za-z0-9.-]+(?::\d{1,5})?)/v/([A-Za-z0-9_-]{8,64})#([A-Za-z0-9_-]{40,1200})")


class SealError(XinzhengError):
    """A code that cannot be read or whose signature does not hold."""

    code = "seal-invalid"


@dataclass(frozen=True)
class ReportSeal:
    """What the code vouches for (签章内容): no name, no outcome.

    ``digest`` is the SHA-256 of the canonical content, 32 bytes; ``as_of`` is aware and kept to the second.
    """

    number: str
    digest: bytes
    host: str
    as_of: datetime
    policy_id: str

    def __post_init__(self) -> None:
        if self.as_of.tzinfo is None or len(self.digest) != 32:
            raise ValueError("as_of must be aware and digest 32 bytes")
        object.__setattr__(self, "as_of", self.as_of.astimezone(CHINA).replace(microsecond=0))


class SealingKey(Protocol):
    """What signs seals: a P-256 key in memory, or one in a key store that looks like it."""

    def public_key(self) -> ec.EllipticCurvePublicKey: ...

    def sign(self, data: bytes, signature_algorithm: ec.EllipticCurveSignatureAlgorithm) -> bytes: ...


@dataclass(frozen=True)
class SealKey:
    """A P-256 key with its id (签章密钥)."""

    private: SealingKey

    @property
    def key_id(self) -> bytes:
        return key_id_of(self.private.public_key())


def key_id_of(public: ec.EllipticCurvePublicKey) -> bytes:
    """The first eight bytes of the SHA-256 of the SubjectPublicKeyInfo."""
    spki = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(spki).digest()[:8]


def seal_payload(seal: ReportSeal, key: SealKey) -> bytes:
    """COSE_Sign1 of the seal, about 180 bytes. ECDSA is randomised: store the bytes to get the same again."""
    protected = cbor2.dumps({ALGORITHM: ES256, KEY_ID: key.key_id}, canonical=True)
    payload = cbor2.dumps(_to_map(seal), canonical=True)
    r, s = utils.decode_dss_signature(key.private.sign(_to_be_signed(protected, payload), ec.ECDSA(SHA256())))
    signature = r.to_bytes(COORDINATE, "big") + s.to_bytes(COORDINATE, "big")
    return cbor2.dumps(cbor2.CBORTag(COSE_SIGN1_TAG, [protected, {}, payload, signature]), canonical=True)


def open_seal(sealed: bytes, keys: Mapping[bytes, ec.EllipticCurvePublicKey]) -> ReportSeal:
    """The seal, after its signature was checked under the key its header names.

    Raises SealError: ``seal-unreadable``, ``seal-key-unknown`` or ``seal-signature-invalid``.
    """
    protected, payload, signature = _parts(sealed)
    public = keys.get(_key_id(protected))
    if public is None:
        raise SealError("二维码由未公布的密钥签发，不能确认来源。请核对网址。", code="seal-key-unknown")
    r, s = (int.from_bytes(half, "big") for half in (signature[:COORDINATE], signature[COORDINATE:]))
    try:
        public.verify(utils.encode_dss_signature(r, s), _to_be_signed(protected, payload), ec.ECDSA(SHA256()))
    except InvalidSignature:
        raise SealError("二维码的签名无效，内容可能被改动过。", code="seal-signature-invalid") from None
    return _from_map(_load(payload))


def qr_text(sealed: bytes, code: str) -> str:
    """What the QR code holds: the verification address, and after ``#`` the seal, which browsers do not send."""
    host = _from_map(_load(_parts(sealed)[1])).host
    return f"{verification_origin(host)}/v/{code}#{base64.urlsafe_b64encode(sealed).rstrip(b'=').decode('ascii')}"


def parse_qr_text(text: str) -> tuple[str, str, bytes]:
    """(host, code, sealed bytes) of a scanned text; SealError ``qr-text-invalid`` if it is not one of ours."""
    match = QR_TEXT.fullmatch(text.strip()) if len(text) <= MAX_TEXT else None
    if match is None or f"{match[1]}://{match[2]}" != verification_origin(match[2]):
        raise SealError("不是本系统报告的二维码内容，应当以 https:// 开头并含有 /v/。", code="qr-text-invalid")
    _, host, code, encoded = match.groups()
    try:
        return host, code, base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
    except (binascii.Error, ValueError):
        raise SealError("二维码内容不完整，请重新扫描。", code="qr-text-invalid") from None


def _to_be_signed(protected: bytes, payload: bytes) -> bytes:
    return cbor2.dumps(["Signature1", protected, b"", payload], canonical=True)


def _to_map(seal: ReportSeal) -> dict[int, object]:
    return {
        NUMBER: seal.number,
        DIGEST: seal.digest,
        HOST: seal.host,
        AS_OF: int(seal.as_of.timestamp()),
        POLICY: seal.policy_id,
    }


def _from_map(fields: object) -> ReportSeal:
    match fields:
        case {1: str(number), 2: bytes(digest), 3: str(host), 4: int(as_of), 5: str(policy)}:
            try:
                return ReportSeal(number, digest, host, datetime.fromtimestamp(as_of, UTC), policy)
            except (ValueError, OverflowError, OSError):
                raise _unreadable() from None
    raise _unreadable()


def _parts(sealed: bytes) -> tuple[bytes, bytes, bytes]:
    match _load(sealed):
        case cbor2.CBORTag(tag=18, value=[bytes(protected), unprotected, bytes(payload), bytes(signature)]):
            if not unprotected and len(signature) == 2 * COORDINATE:
                return protected, payload, signature
    raise _unreadable()


def _key_id(protected: bytes) -> bytes:
    match _load(protected):
        case {1: -7, 4: bytes(key_id)}:
            return key_id
    raise _unreadable()


def _load(data: bytes) -> object:
    """One CBOR value in its one canonical form: nothing after it, nothing encoded another way."""
    if len(data) > MAX_TEXT:
        raise _unreadable()
    try:
        value: object = cbor2.loads(data)
        if cbor2.dumps(value, canonical=True) != data:
            raise _unreadable()
    except (cbor2.CBORError, ValueError, TypeError, OverflowError, RecursionError, OSError):
        raise _unreadable() from None
    return value


def _unreadable() -> SealError:
    return SealError("二维码的签名部分读不出。请重新扫描，或者输入报告编号和核验码。", code="seal-unreadable")

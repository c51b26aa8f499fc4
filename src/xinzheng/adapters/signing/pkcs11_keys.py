"""Keys kept in a hardware store (硬件密钥, PKCS #11): they sign there and never come out.

A description in TOML names the module, the token, a file with the PIN, and the labels of the two keys. One session a
process, used by one thread at a time; a session that broke is opened once more before the store counts as gone. What
the store signed is checked with the published key, so that a wrong label can never make a worthless report.
"""

import contextlib
import hashlib
import os
import threading
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from xinzheng.adapters.signing.errors import KeyFileError, SigningUnavailableError
from xinzheng.adapters.signing.key_files import read_key_file
from xinzheng.adapters.signing.raw_keys import PublicKey, kind_of, low_s

NEEDED, OPTIONAL = ("module", "token_label", "pin_file", "document_key", "seal_key"), ("certificate", "roots")


@dataclass(frozen=True)
class StoreDescription:
    """Where a key store is and what its keys are called (密钥库说明). Paths are as the description gives them.

    ``certificate``: the document key's chain in PEM, leaf first; None for one of the demonstration's own.
    """

    module: Path
    token_label: str
    pin_file: Path
    document_key: str
    seal_key: str
    certificate: Path | None = None
    roots: Path | None = None


def read_description(path: Path) -> StoreDescription:
    """The description in a TOML file; relative paths start from its folder. KeyFileError names what is wrong."""
    try:
        fields = tomllib.loads(read_key_file(path).decode())
    except ValueError:
        raise KeyFileError(f"{path.name} 不是有效的 TOML 文件。") from None
    wrong = [name for name in NEEDED if not isinstance(fields.get(name), str) or not fields[name]]
    wrong += sorted(set(fields) - {*NEEDED, *OPTIONAL})
    if wrong:
        raise KeyFileError(f"{path.name} 缺少或者不认识这些项：{'、'.join(wrong)}。")
    certificate, roots = (path.parent / fields[name] if name in fields else None for name in OPTIONAL)
    if (certificate is None) != (roots is None):
        raise KeyFileError(f"{path.name} 中的 certificate 和 roots 应当一起给出。")
    return StoreDescription(
        path.parent / fields["module"],
        fields["token_label"],
        path.parent / fields["pin_file"],
        fields["document_key"],
        fields["seal_key"],
        certificate,
        roots,
    )


class HardwareKey:
    """A key in a store, by its label; ``public`` is the one published for it."""

    def __init__(self, store: "KeyStore", label: str, public: PublicKey) -> None:
        self._store, self._label = store, label
        self.public = public
        self.kind: Literal["ecdsa", "rsa"] = kind_of(public)
        self.bits = public.key_size

    def sign(self, data: bytes) -> bytes:
        signature = self._signed(data)
        try:
            if isinstance(self.public, rsa.RSAPublicKey):
                self.public.verify(signature, data, PKCS1v15(), SHA256())
            else:
                self.public.verify(signature, data, ec.ECDSA(SHA256()))
        except InvalidSignature:
            raise SigningUnavailableError(
                f"硬件密钥“{self._label}”与公布的密钥不是同一把。换过密钥，请运行 xinzheng signing rotate。"
            ) from None
        return signature

    def _signed(self, data: bytes) -> bytes:
        if not isinstance(self.public, ec.EllipticCurvePublicKey):
            return self._store.sign(self._label, "SHA256_RSA_PKCS", data)
        raw = self._store.sign(self._label, "ECDSA", hashlib.sha256(data).digest())
        half = len(raw) // 2
        r, s = int.from_bytes(raw[:half], "big"), int.from_bytes(raw[half:], "big")
        return low_s(encode_dss_signature(r, s), self.public.curve)

    def __repr__(self) -> str:
        return f"HardwareKey({self._label!r}, {self.kind}, {self.bits})"


class HardwareSealKey:
    """A P-256 key in a store, in the shape that seals take."""

    def __init__(self, key: HardwareKey) -> None:
        self._key = key

    def public_key(self) -> ec.EllipticCurvePublicKey:
        public = self._key.public
        if not isinstance(public, ec.EllipticCurvePublicKey) or public.curve.name != "secp256r1":
            raise KeyFileError("二维码签章密钥应当是 P-256 密钥。")
        return public

    def sign(self, data: bytes, signature_algorithm: ec.EllipticCurveSignatureAlgorithm) -> bytes:  # noqa: ARG002
        return self._key.sign(data)


class KeyStore:
    """One token of one module, as this process uses it (密钥库). The PIN is read when a session opens and not kept."""

    def __init__(self, module: Path, token_label: str, pin_file: Path) -> None:
        self._module, self._token_label, self._pin_file = module, token_label, pin_file
        self._lock = threading.Lock()
        self._process: int | None = None
        self._library: Any = None
        self._session: Any = None
        self._keys: dict[str, Any] = {}

    def sign(self, label: str, mechanism: str, data: bytes) -> bytes:
        """What the store makes of ``data`` under one of its mechanisms. Raises SigningUnavailableError."""
        from pkcs11 import Mechanism

        def signed(session: Any) -> bytes:
            if label not in self._keys:
                self._keys[label] = _one(session, "PRIVATE_KEY", label)
            return bytes(self._keys[label].sign(data, mechanism=Mechanism[mechanism]))

        return bytes(self._with_session(signed))

    def public_key(self, label: str) -> PublicKey:
        """The public half of a key. SigningUnavailableError if it is not there or of no kind we sign with."""
        from pkcs11.util.ec import encode_ec_public_key
        from pkcs11.util.rsa import encode_rsa_public_key

        def encoded(session: Any) -> bytes:
            key = _one(session, "PUBLIC_KEY", label)
            return bytes((encode_rsa_public_key if key.key_type.name == "RSA" else encode_ec_public_key)(key))

        der = self._with_session(encoded)
        try:
            public = load_der_public_key(der)
        except ValueError:
            public = None
        if not isinstance(public, ec.EllipticCurvePublicKey | rsa.RSAPublicKey):
            raise SigningUnavailableError(f"硬件密钥“{label}”不是 ECDSA 或者 RSA 密钥。")
        return public

    def _with_session(self, work: Any) -> Any:
        from pkcs11.exceptions import PKCS11Error

        with self._lock:
            for is_last in (False, True):
                try:
                    return work(self._opened())
                except (PKCS11Error, OSError) as error:
                    self._forget()
                    if is_last:
                        # The class says what happened; the text of a driver may hold anything.
                        raise SigningUnavailableError(
                            f"硬件密钥库“{self._token_label}”不能用（{type(error).__name__}）。"
                            "请检查设备、PIN 文件和密钥标签，恢复后会自动接着签发。"
                        ) from None
        raise AssertionError

    def _opened(self) -> Any:
        """A session of this very process: one that was opened before a fork is of no use after it."""
        if self._session is None or self._process != os.getpid():
            if self._process not in (None, os.getpid()):
                self._let_go()
            self._keys, self._process = {}, os.getpid()
            self._session = self._open()
        return self._session

    def _open(self) -> Any:
        import pkcs11

        self._library = pkcs11.lib(str(self._module))
        token = self._library.get_token(token_label=self._token_label)
        return token.open(user_pin=read_key_file(self._pin_file).decode().strip())

    def _forget(self) -> None:
        if self._session is not None and self._process == os.getpid():
            with contextlib.suppress(Exception):
                self._session.close()
        self._session, self._keys = None, {}
        self._let_go()

    def _let_go(self) -> None:
        """Have the module begin anew at the next session: after a fork, or when a token came back."""
        if self._library is not None:
            with contextlib.suppress(Exception):
                self._library.finalize()


@lru_cache(maxsize=4)
def _store(module: Path, token_label: str, pin_file: Path) -> KeyStore:
    return KeyStore(module, token_label, pin_file)


def store_of(description: StoreDescription) -> KeyStore:
    """The store described, one object a process. KeyFileError if the Python package for it is not installed."""
    try:
        import pkcs11  # noqa: F401
    except ImportError:
        raise KeyFileError("没有安装硬件密钥的支持，请安装 xinzheng[hsm]。") from None
    return _store(description.module, description.token_label, description.pin_file)


def _one(session: Any, kind: str, label: str) -> Any:
    from pkcs11 import ObjectClass

    return session.get_key(object_class=ObjectClass[kind], label=label)

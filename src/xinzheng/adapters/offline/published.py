"""The published keys (公布的密钥), as the well-known address serves them or as the folders of keys hold them."""

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key

from xinzheng.adapters.signing import PublishedKey, Trust, current_trust, key_id_of, published_keys
from xinzheng.adapters.transparency import LogKey, parse_key, published_log_key
from xinzheng.core.errors import XinzhengError

FORMAT = "xinzheng.keys/1"
MOST_KEYS = 1000
EVER = datetime.min.replace(tzinfo=UTC)  # what nobody knows the beginning of has always been so


@dataclass(frozen=True)
class OfflineKeys:
    """All that is needed to verify without the site (离线核验依据). ``host`` is the site the keys are of, if known."""

    host: str | None
    keys: tuple[PublishedKey, ...]
    crls: tuple[bytes, ...] = ()
    log: LogKey | None = None

    @property
    def trust(self) -> Trust:
        """What a report's signature is held against, with the history of the keys."""
        roots = self._material("root")
        return Trust(roots, self.crls, (*roots, *self._material("stamp"))).knowing(self.keys)

    @cached_property
    def seals(self) -> tuple[tuple[bytes, ec.EllipticCurvePublicKey, bytes], ...]:
        """The published keys of QR codes, each with its id and its SubjectPublicKeyInfo."""
        sealing = [(load_der_public_key(one.material), one.material) for one in self.keys if one.purpose == "seal"]
        return tuple(
            (key_id_of(public), public, material)
            for public, material in sealing
            if isinstance(public, ec.EllipticCurvePublicKey) and public.curve.name == "secp256r1"
        )

    @property
    def is_log_lost(self) -> bool:
        """Whether others may have the log's key."""
        lost = [one.material for one in self.keys if one.purpose == "log" and one.compromised_at is not None]
        return self.log is not None and any(spki.endswith(self.log.public) for spki in lost)

    def _material(self, purpose: str) -> tuple[bytes, ...]:
        return tuple(one.material for one in self.keys if one.purpose == purpose)


def keys_in_text(text: str) -> OfflineKeys:
    """The keys in what the well-known address served. XinzhengError ``offline-keys-invalid`` if it is anything else."""
    try:
        document = json.loads(text)
        if document["format"] != FORMAT or not 0 < len(document["keys"]) <= MOST_KEYS:
            raise ValueError
        log = document.get("log") or {}
        return OfflineKeys(
            str(document["host"]),
            tuple(_known(shown) for shown in document["keys"]),
            tuple(_crls(document.get("crls") or ())),
            parse_key(log["vkey"]) if log.get("vkey") else None,
        )
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise XinzhengError(
            "密钥文件读不出，应当是从核验网站 /.well-known/xinzheng.json 另存的文件。", code="offline-keys-invalid"
        ) from None


def keys_in_folders(signing: Path, log: Path) -> OfflineKeys:
    """The keys of an installation. XinzhengError ``offline-keys-missing`` where there are none."""
    if not signing.is_dir():
        raise XinzhengError(
            "这台电脑上没有公布的密钥。请用 --keys 指定从核验网站 /.well-known/xinzheng.json 另存的文件。",
            code="offline-keys-missing",
        )
    return OfflineKeys(None, published_keys(signing), current_trust(signing).crls, published_log_key(log))


def _known(shown: Mapping[str, Any]) -> PublishedKey:
    """One entry, its material read once so that no bad one is found later."""
    certificate = shown.get("certificate")
    material = base64.b64decode(certificate or shown["spki"], validate=True)
    if certificate:
        x509.load_der_x509_certificate(material)
    else:
        load_der_public_key(material)
    lost_at = (_moment(shown.get("since")) or EVER) if shown["status"] == "compromised" else None
    from_at, until_at = _moment(shown.get("from")) or EVER, _moment(shown.get("until"))
    return PublishedKey(str(shown["id"]), shown["purpose"], material, from_at, until_at, lost_at)


def _moment(text: str | None) -> datetime | None:
    moment = datetime.fromisoformat(text) if text else None
    if moment is not None and moment.tzinfo is None:
        raise ValueError(text)
    return moment


def _crls(encoded: Iterable[str]) -> Iterable[bytes]:
    for text in encoded:
        crl = base64.b64decode(text, validate=True)
        x509.load_der_x509_crl(crl)
        yield crl

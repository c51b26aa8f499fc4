"""What became of each key (密钥历史): published, retired, compromised; one line a fact, public material only.

The file stands beside the keys, so that keys and their history are carried and put back together. It is only ever
added to.
"""

import base64
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from xinzheng.adapters.signing.errors import KeyFileError
from xinzheng.adapters.signing.key_files import append_line, whole_lines
from xinzheng.adapters.signing.raw_keys import PublicKey

HISTORY_FILE = "history.jsonl"
ID_BYTES = 8
SPKI = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
Purpose = Literal["document", "seal", "stamp", "root", "log"]
Event = Literal["published", "retired", "compromised"]


@dataclass(frozen=True)
class KeyFact:
    """One line of the history (密钥事件). ``effective_at`` is aware: since when it holds, not when it was written."""

    key_id: str
    purpose: Purpose
    event: Event
    material: bytes
    effective_at: datetime
    reason: str = ""


@dataclass(frozen=True)
class PublishedKey:
    """A key as others may know it (公布的密钥), and when it was in use.

    ``material`` is DER: a certificate, or a SubjectPublicKeyInfo for a seal key. ``until_at``: since when it makes
    nothing new. ``compromised_at``: since when others may have had it.
    """

    key_id: str
    purpose: Purpose
    material: bytes
    from_at: datetime
    until_at: datetime | None = None
    compromised_at: datetime | None = None
    reason: str = ""


def spki_of(public: PublicKey) -> bytes:
    """The SubjectPublicKeyInfo, DER."""
    return public.public_bytes(*SPKI)


def spki_in(material: bytes) -> bytes:
    """The SubjectPublicKeyInfo in a key's published material: that of its certificate, or the material itself."""
    try:
        return x509.load_der_x509_certificate(material).public_key().public_bytes(*SPKI)
    except ValueError:
        return material


def key_id_of_public(public: PublicKey) -> str:
    """The first eight bytes of the SHA-256 of the SubjectPublicKeyInfo, in hex."""
    return hashlib.sha256(spki_of(public)).digest()[:ID_BYTES].hex()


def certificate_fact(
    purpose: Purpose, event: Event, certificate: x509.Certificate, effective_at: datetime, reason: str = ""
) -> KeyFact:
    """The fact about the key of a certificate."""
    key_id = key_id_of_public(certificate.public_key())  # type: ignore[arg-type]
    return KeyFact(key_id, purpose, event, certificate.public_bytes(Encoding.DER), effective_at, reason)


def seal_fact(event: Event, public: PublicKey, effective_at: datetime) -> KeyFact:
    """The fact about a key of QR codes, which has no certificate."""
    return KeyFact(key_id_of_public(public), "seal", event, spki_of(public), effective_at)


def write_facts(folder: Path, facts: Iterable[KeyFact]) -> None:
    """Add what is new to the history; a key is published, retired and compromised once each. Needs the lock."""
    known = {(fact.key_id, fact.purpose, fact.event) for fact in read_facts(folder)}
    for fact in facts:
        if (fact.key_id, fact.purpose, fact.event) not in known:
            append_line(folder / HISTORY_FILE, _line(fact))


def read_facts(folder: Path) -> list[KeyFact]:
    """The history of a folder, oldest first; empty where none was begun. KeyFileError if it cannot be read."""
    if not (folder / HISTORY_FILE).exists():
        return []
    try:
        return [_fact(line) for line in whole_lines(folder / HISTORY_FILE)]
    except (ValueError, KeyError, TypeError):
        raise KeyFileError(f"密钥历史 {HISTORY_FILE} 读不出，请从备份恢复密钥目录。") from None


def published(facts: Iterable[KeyFact]) -> tuple[PublishedKey, ...]:
    """The keys those facts speak of, oldest first."""
    keys: dict[tuple[str, str], PublishedKey] = {}
    for fact in facts:
        place = (fact.key_id, fact.purpose)
        key = keys.get(place) or PublishedKey(fact.key_id, fact.purpose, fact.material, fact.effective_at)
        if fact.event == "retired":
            key = replace(key, until_at=fact.effective_at)
        elif fact.event == "compromised":
            key = replace(key, compromised_at=fact.effective_at, reason=fact.reason)
        keys[place] = key
    return tuple(keys.values())


def _line(fact: KeyFact) -> bytes:
    fields = {
        "key_id": fact.key_id,
        "purpose": fact.purpose,
        "event": fact.event,
        "material": base64.b64encode(fact.material).decode("ascii"),
        "effective_at": fact.effective_at.isoformat(),
        "reason": fact.reason,
    }
    return json.dumps(fields, ensure_ascii=False).encode()


def _fact(line: bytes) -> KeyFact:
    fields = json.loads(line)
    return KeyFact(
        fields["key_id"],
        fields["purpose"],
        fields["event"],
        base64.b64decode(fields["material"], validate=True),
        datetime.fromisoformat(fields["effective_at"]),
        fields["reason"],
    )

"""Natural persons' names and numbers (自然人身份信息): sealed for the one erasable table, opened for printing."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from xinzheng.apps.registry.keys import decrypt, encrypt, new_data_key, unwrap_key, wrap_held
from xinzheng.apps.registry.number_keys import number_hash, number_key_in_use, person_owner
from xinzheng.core.identifiers import normalise_identifier


@dataclass(frozen=True, slots=True)
class SealedIdentity:
    """The encrypted columns of one ``PersonIdentity`` row."""

    number_hash: bytes
    wrapped_key: bytes
    name_ct: bytes
    number_ct: bytes


@dataclass(frozen=True, slots=True)
class NameSince:
    """A person's name from an entry on."""

    entry_id: int
    name: str


def person_hashes(numbers: Iterable[str], key: bytes | None = None) -> list[bytes]:
    """HMAC-SHA256 of each identity number (公民身份号码), normalised, under the key outside the database.

    Join them with ``registry_personidentity.number_hash`` to find the subjects set-wise. ``key``: the key in use, where
    who asks has it already.
    """
    under = number_key_in_use() if key is None else key
    return [number_hash(under, normalise_identifier(number)) for number in numbers]


def seal_identity(subject_id: int, number: str, since: NameSince, hashed: bytes) -> SealedIdentity:
    """Encrypt a person under a fresh data key, wrapped and bound to the subject; the caller holds the keys.

    ``hashed``: the number's hash, made while the keys were held.
    """
    key, owner = new_data_key(), person_owner(subject_id)
    return SealedIdentity(
        number_hash=hashed,
        wrapped_key=wrap_held(key, owner),
        name_ct=_seal_names(key, owner, [since]),
        number_ct=encrypt(key, normalise_identifier(number).encode(), f"{owner}:number"),
    )


def renamed(subject_id: int, sealed: SealedIdentity, since: NameSince) -> bytes:
    """``name_ct`` with one more name, so that an earlier position still sees the earlier one."""
    key = unwrap_key(sealed.wrapped_key, person_owner(subject_id))
    return _seal_names(key, person_owner(subject_id), [*names_of(subject_id, sealed), since])


def names_of(subject_id: int, sealed: SealedIdentity) -> list[NameSince]:
    """The person's names, oldest first."""
    owner = person_owner(subject_id)
    plain = decrypt(unwrap_key(sealed.wrapped_key, owner), sealed.name_ct, f"{owner}:name")
    return [NameSince(entry_id, name) for entry_id, name in json.loads(plain)]


def number_of(subject_id: int, sealed: SealedIdentity) -> str:
    """The person's identity number."""
    owner = person_owner(subject_id)
    return decrypt(unwrap_key(sealed.wrapped_key, owner), sealed.number_ct, f"{owner}:number").decode()


def _seal_names(key: bytes, owner: str, names: list[NameSince]) -> bytes:
    plain = json.dumps([[since.entry_id, since.name] for since in names], ensure_ascii=False)
    return encrypt(key, plain.encode(), f"{owner}:name")

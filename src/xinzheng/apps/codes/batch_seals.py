"""What is kept of a batch check (批量核验), sealed: each part under the check's own key, bound to its place."""

import json
import uuid
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from xinzheng.apps.codes.key_hooks import batch_check_owner
from xinzheng.apps.registry.keys import decrypt, encrypt, new_data_key, unwrap_key, wrap_key

LENGTH_BYTES = 4


@dataclass(frozen=True, slots=True)
class CheckKey:
    """The data key of a check (核验数据密钥)."""

    key: bytes
    owner: str

    @classmethod
    def fresh(cls, check_id: uuid.UUID) -> "CheckKey":
        """A new key, for a check that is just made."""
        return cls(new_data_key(), batch_check_owner(check_id))

    @classmethod
    def unwrapped(cls, check_id: uuid.UUID, wrapped: "bytes | memoryview[int]") -> "CheckKey":
        """The key of a check that was kept. Raises KeyFileError."""
        owner = batch_check_owner(check_id)
        return cls(unwrap_key(bytes(wrapped), owner), owner)

    def wrapped(self) -> bytes:
        """The key as it is stored; the key around it is not replaced before this transaction ends."""
        return wrap_key(self.key, self.owner)

    def seal_bytes(self, plain: bytes, part: str) -> bytes:
        """A part of the check, encrypted."""
        return encrypt(self.key, plain, f"{self.owner}/{part}")

    def unseal_bytes(self, sealed: "bytes | memoryview[int]", part: str) -> bytes:
        """The part back. Raises KeyFileError where it is not this part of this check."""
        return decrypt(self.key, bytes(sealed), f"{self.owner}/{part}")

    def seal(self, value: Any, part: str) -> bytes:
        """Anything that JSON can say, made small and encrypted."""
        return self.seal_bytes(zlib.compress(json.dumps(value, ensure_ascii=False).encode()), part)

    def unseal(self, sealed: "bytes | memoryview[int]", part: str) -> Any:
        """What :meth:`seal` was given."""
        return json.loads(zlib.decompress(self.unseal_bytes(sealed, part)))


def framed(part: bytes) -> bytes:
    """A sealed part with its length in front, so that several can stand one behind the other."""
    return len(part).to_bytes(LENGTH_BYTES) + part


def unframed(kept: bytes) -> Iterator[bytes]:
    """The parts that stand one behind the other."""
    at = 0
    while at < len(kept):
        end = at + LENGTH_BYTES + int.from_bytes(kept[at : at + LENGTH_BYTES])
        yield kept[at + LENGTH_BYTES : end]
        at = end

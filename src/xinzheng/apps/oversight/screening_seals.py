"""What is kept of a screening, sealed: list and answer in pieces under its own key, each bound to its place."""

import json
import uuid
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from xinzheng.apps.oversight.key_hooks import screening_owner
from xinzheng.apps.oversight.models import ScreeningPiece
from xinzheng.apps.registry.keys import decrypt, encrypt, new_data_key, unwrap_key, wrap_key

ASKED, ANSWER = "asked", "answer"
ROWS_A_PIECE = 20_000


@dataclass(frozen=True, slots=True)
class ScreeningKey:
    """The data key of a screening (名单数据密钥)."""

    screening_id: uuid.UUID
    key: bytes

    @classmethod
    def fresh(cls, screening_id: uuid.UUID) -> "ScreeningKey":
        """A new key, for a screening that is just made."""
        return cls(screening_id, new_data_key())

    @classmethod
    def unwrapped(cls, screening_id: uuid.UUID, wrapped: "bytes | memoryview[int]") -> "ScreeningKey":
        """The key of a screening that was kept. Raises KeyFileError."""
        return cls(screening_id, unwrap_key(bytes(wrapped), screening_owner(screening_id)))

    def wrapped(self) -> bytes:
        """The key as it is stored; the key around it is not replaced before this transaction ends."""
        return wrap_key(self.key, screening_owner(self.screening_id))

    def sealed(self, part: str, place: int, piece: Any) -> bytes:
        """What JSON can say, made small and encrypted for its place."""
        packed = zlib.compress(json.dumps(piece, ensure_ascii=False).encode(), 1)
        return encrypt(self.key, packed, self._owner(part, place))

    def store(self, part: str, sealed: Iterable[bytes]) -> None:
        """Store sealed pieces, from place 0 on."""
        for place, piece in enumerate(sealed):
            ScreeningPiece.objects.create(screening_id=self.screening_id, part=part, seq=place, piece_ct=piece)

    def kept(self, part: str, places: range | None = None) -> Iterator[Any]:
        """The pieces of a part in their order, or those of some places. Raises KeyFileError where one is exchanged."""
        found = ScreeningPiece.objects.filter(screening_id=self.screening_id, part=part).order_by("seq")
        if places is not None:
            found = found.filter(seq__gte=places.start, seq__lt=places.stop)
        for place, sealed in found.values_list("seq", "piece_ct").iterator(chunk_size=2):
            yield json.loads(zlib.decompress(decrypt(self.key, bytes(sealed), self._owner(part, place))))

    def _owner(self, part: str, place: int) -> str:
        return f"{screening_owner(self.screening_id)}/{part}/{place}"


def in_pieces(rows: Iterable[Sequence[Any]]) -> Iterator[list[Sequence[Any]]]:
    """The rows in pieces of twenty thousand."""
    piece: list[Sequence[Any]] = []
    for row in rows:
        piece.append(row)
        if len(piece) == ROWS_A_PIECE:
            yield piece
            piece = []
    if piece:
        yield piece

"""The container of an old workbook (Compound File Binary, [MS-CFB]): its directory and one stream, chains bounded."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_END, _LAST_SECTOR = 0xFFFFFFFE, 0xFFFFFFFA
_ENTRY = 128
_HEADER = 512
_FIRST_FATS = 109


@dataclass(frozen=True)
class Entry:
    """A member of the directory: name, kind (1 storage, 2 stream, 5 root), first sector, length in bytes."""

    name: str
    kind: int
    start: int
    size: int


class CompoundFile:
    """The container in memory. Raises ValueError for whatever is not as the format says, chains in a ring included."""

    def __init__(self, data: bytes) -> None:
        if len(data) < _HEADER or not data.startswith(MAGIC):
            raise ValueError("no compound file")
        shift, mini_shift = struct.unpack_from("<HH", data, 30)
        if shift not in (9, 12) or mini_shift != 6:
            raise ValueError("sector size")
        self._data, self._size = data, 1 << shift
        start, self._cutoff, mini, _, more = struct.unpack_from("<I4xIIII", data, 48)
        self._fat = self._numbers(self._fat_sectors(more))
        self.entries = tuple(self._entries(b"".join(map(self._sector, self._chain(start)))))
        roots = [entry for entry in self.entries if entry.kind == 5]
        if len(roots) != 1:
            raise ValueError("root")
        self._mini_fat = self._numbers(list(self._chain(mini)))
        self._mini = b"".join(map(self._sector, self._chain(roots[0].start)))

    def stream(self, entry: Entry) -> bytes:
        """The bytes of a stream."""
        if entry.size >= self._cutoff:
            found = b"".join(map(self._sector, self._chain(entry.start)))
        else:
            places = _followed(entry.start, self._mini_fat)
            found = b"".join(self._mini[place * 64 : place * 64 + 64] for place in places)
        return found[: entry.size]

    def _sector(self, number: int) -> bytes:
        at = (number + 1) * self._size
        if at >= len(self._data):
            raise ValueError("sector beyond the end")
        return self._data[at : at + self._size]

    def _chain(self, start: int) -> Iterator[int]:
        return _followed(start, self._fat)

    def _numbers(self, sectors: list[int]) -> list[int]:
        data = b"".join(map(self._sector, sectors))
        return list(struct.unpack(f"<{len(data) // 4}I", data[: len(data) // 4 * 4]))

    def _fat_sectors(self, more: int) -> list[int]:
        found = list(struct.unpack_from(f"<{_FIRST_FATS}I", self._data, 76))
        seen = set[int]()
        while more <= _LAST_SECTOR:
            if more in seen:
                raise ValueError("ring")
            seen.add(more)
            *numbers, more = self._numbers([more])
            found.extend(numbers)
        sectors = [number for number in found if number <= _LAST_SECTOR]
        if len(set(sectors)) < len(sectors):
            raise ValueError("ring")
        return sectors

    def _entries(self, data: bytes) -> Iterator[Entry]:
        for at in range(0, len(data) - _ENTRY + 1, _ENTRY):
            length, kind = struct.unpack_from("<HB", data, at + 64)
            start, size = struct.unpack_from("<II", data, at + 116)
            if kind:
                yield Entry(
                    data[at : at + max(min(length, 64) - 2, 0)].decode("utf-16-le", "replace"), kind, start, size
                )


def _followed(start: int, table: list[int]) -> Iterator[int]:
    """The numbers of a chain. Raises ValueError when it leaves the table or returns to where it was."""
    number, count = start, 0
    while number != _END and not (number > _LAST_SECTOR and not count):
        if number >= len(table) or count > len(table):
            raise ValueError("chain")
        yield number
        number, count = table[number], count + 1

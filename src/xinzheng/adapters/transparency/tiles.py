"""Where tiles of the log stand (日志瓦片): rows of up to 256 hashes, addressed as c2sp.org/tlog-tiles does."""

import re
from dataclasses import dataclass

from xinzheng.core.merkle import HASH_BYTES, Coordinate

HEIGHT = 8
WIDTH = 1 << HEIGHT
MOST_LEVELS = 8  # 2 ** 64 leaves
PATH = re.compile(r"(0|[1-9][0-9]?)/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")


@dataclass(frozen=True, slots=True)
class Tile:
    """The ``index``-th tile of a tile level (瓦片): ``width`` hashes of complete subtrees, all of one tree level."""

    level: int
    index: int
    width: int = WIDTH

    @property
    def tree_level(self) -> int:
        """The level of its hashes in the tree."""
        return self.level * HEIGHT

    @property
    def first(self) -> int:
        """The place of its first hash on that level."""
        return self.index * WIDTH

    @property
    def path(self) -> str:
        """Its address below ``tile/``: three digits a step, all but the last marked x; a partial one says its width."""
        steps = [f"{self.index % 1000:03}"]
        rest = self.index // 1000
        while rest:
            steps.insert(0, f"x{rest % 1000:03}")
            rest //= 1000
        partial = "" if self.width == WIDTH else f".p/{self.width}"
        return f"{self.level}/{'/'.join(steps)}{partial}"


def tile_at(path: str) -> Tile | None:
    """The tile an address below ``tile/`` means; None for an address that is no tile's own."""
    match = PATH.fullmatch(path)
    if match is None or len(path) > 64:
        return None
    level, steps, width = match.groups()
    tile = Tile(int(level), int(steps.replace("x", "").replace("/", "")), int(width or WIDTH))
    return tile if tile.path == path and tile.level < MOST_LEVELS else None


def tile_of(coordinate: Coordinate, size: int) -> tuple[Tile, int, int]:
    """In a log of ``size`` leaves: the tile below which a node lies, and the range of its hashes that make the node."""
    tree_level, place = coordinate
    level, up = divmod(tree_level, HEIGHT)
    first = place << up
    index, begin = divmod(first, WIDTH)
    width = min(WIDTH, (size >> (level * HEIGHT)) - index * WIDTH)
    return Tile(level, index, width), begin, begin + (1 << up)


def hashes_in(data: bytes, tile: Tile) -> list[bytes]:
    """A tile's bytes as hashes; ValueError when they are not as many as its width."""
    if len(data) != tile.width * HASH_BYTES:
        raise ValueError("a tile is a row of hashes of 32 bytes")
    return [data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES)]

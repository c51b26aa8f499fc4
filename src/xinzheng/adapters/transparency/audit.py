"""Check a log from outside (外部核查), with its public key alone: signature, root, growth, and what it includes."""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from xinzheng.adapters.transparency.note import Head, LogKey, open_note
from xinzheng.adapters.transparency.sources import LogSource, LogSourceError
from xinzheng.adapters.transparency.tiles import HEIGHT, WIDTH, Tile, hashes_in, tile_of
from xinzheng.core.errors import XinzhengError
from xinzheng.core.inclusion import Inclusion, read_proof
from xinzheng.core.merkle import Growth, consistency_path, holds_consistency, node_hash, root_of


class LogFaultError(XinzhengError):
    """The log contradicts itself or what it showed before."""

    code = "log-fault"


class OutsideLog:
    """A log as read from a source, its checkpoint signed by ``key`` (被核查的日志).

    Raises NoteError when the checkpoint is not the key's, LogSourceError when it cannot be read.
    """

    def __init__(self, source: LogSource, key: LogKey) -> None:
        self._source = source
        self.note = _text(_wanted(source, "checkpoint"))
        self.head = open_note(self.note, key)
        self._tile = lru_cache(maxsize=256)(self._read_tile)

    def check_all(self, before: Head | None = None) -> None:
        """Read every leaf's hash: they must make the root, the stored rows, and the head seen ``before``.

        Raises LogFaultError.
        """
        tree, rows = Growth(), _Rows()
        self._refuse_shrunk(before)
        for hashes in self._leaves(before.size if before else 0):
            rows.take(tree.add(hashes))
            if before is not None and tree.size == before.size and tree.root() != before.root:
                raise LogFaultError(f"日志的前{before.size}条与上次看到的不同：已有的内容被改写。")
        if tree.root() != self.head.root:
            raise LogFaultError("日志各条的摘要与检查点的根不符。")
        for tile, row in rows.tiles(self.head.size):
            if self._tile(tile) != row:
                raise LogFaultError(f"日志的 tile/{tile.path} 与下一层不符。")

    def check_edge(self, before: Head | None = None) -> None:
        """Read only the rows that the root and the growth since ``before`` need. Raises LogFaultError."""
        self._refuse_shrunk(before)
        if root_of(self.head.size, self._node) != self.head.root:
            raise LogFaultError("日志的行与检查点的根不符。")
        if before is not None:
            self._check_growth(before, self.head)

    def check_head(self, other: Head) -> None:
        """Another head of the key's must be of the same log, whichever is older. Raises LogFaultError."""
        older, newer = sorted((other, self.head), key=lambda head: head.size)
        if newer is other and other.size > self.head.size:
            raise LogFaultError("收录证明的检查点比日志现在的还长：日志被截短了。")
        self._check_growth(older, newer)

    def _refuse_shrunk(self, before: Head | None) -> None:
        if before is not None and before.size > self.head.size:
            raise LogFaultError(f"日志比上次看到的短（{self.head.size} < {before.size}）：已有的内容被撤下。")

    def _check_growth(self, older: Head, newer: Head) -> None:
        path = consistency_path(older.size, newer.size, self._node)
        if not holds_consistency((older.size, older.root), (newer.size, newer.root), path):
            raise LogFaultError(f"日志的前{older.size}条与从前签过的检查点不同：已有的内容被改写。")

    def _leaves(self, cut: int) -> Iterator[list[bytes]]:
        """The leaves' hashes, a row at a time, cut once more after ``cut`` leaves."""
        for index in range(-(-self.head.size // WIDTH)):
            first = index * WIDTH
            row = self._tile(Tile(0, index, min(WIDTH, self.head.size - first)))
            parts = (row[: cut - first], row[cut - first :]) if first < cut < first + len(row) else (row,)
            yield from parts

    def _node(self, level: int, index: int) -> bytes:
        tile, begin, end = tile_of((level, index), self.head.size)
        row = self._tile(tile)[begin:end]
        while len(row) > 1:
            row = [node_hash(row[at], row[at + 1]) for at in range(0, len(row), 2)]
        return row[0]

    def _read_tile(self, tile: Tile) -> list[bytes]:
        try:
            return hashes_in(_wanted(self._source, f"tile/{tile.path}"), tile)
        except ValueError:
            raise LogFaultError(f"日志的 tile/{tile.path} 长度不对。") from None


class _Rows:
    """What the higher rows of tiles have to hold, gathered while the tree grows."""

    def __init__(self) -> None:
        self._levels: dict[int, list[bytes]] = {}

    def take(self, made: Iterable[tuple[int, int, Sequence[bytes]]]) -> None:
        for level, _, row in made:
            if level and level % HEIGHT == 0:
                self._levels.setdefault(level // HEIGHT, []).extend(row)

    def tiles(self, size: int) -> Iterator[tuple[Tile, list[bytes]]]:
        for level, hashes in self._levels.items():
            for first in range(0, size >> (level * HEIGHT), WIDTH):
                row = hashes[first : first + WIDTH]
                yield Tile(level, first // WIDTH, len(row)), row


def open_proof(text: str, key: LogKey) -> tuple[Head, list[Inclusion]]:
    """The leaves that a proof's JSON shows to be in the log of ``key``, and the head it shows them under.

    Raises ProofError for what is no proof, NoteError for a checkpoint that is not the key's, and LogFaultError when a
    leaf does not lead to the root.
    """
    note, leaves = read_proof(text)
    head = open_note(note, key)
    for leaf in leaves:
        if not leaf.holds_in((head.size, head.root)):
            raise LogFaultError(f"收录证明不成立：序号{leaf.index}推不出检查点的根。")
    return head, list(leaves)


def _wanted(source: LogSource, path: str) -> bytes:
    data = source.read(path)
    if data is None:
        raise LogSourceError(f"{source.name} 没有 {path}，不是透明日志，或者缺了文件。", code="log-incomplete")
    return data


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise LogSourceError("检查点不是文本。", code="checkpoint-invalid") from None

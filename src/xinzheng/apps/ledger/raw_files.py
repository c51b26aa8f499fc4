"""Files as they came (原始文件): compressed, then AES-256-GCM in pieces under a key of their own.

Shredding the key makes the file unreadable and leaves history untouched. Each piece is bound to its owner and place,
so that pieces can be neither swapped nor taken from another batch; the compressed stream's own end shows a cut.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from django.db import connection
from isal import isal_zlib

from xinzheng.apps.ledger.key_models import BatchKey
from xinzheng.apps.ledger.models import Batch, RawFile
from xinzheng.apps.registry.keys import decrypt, encrypt, unwrap_key
from xinzheng.core.errors import XinzhengError

READ_BYTES = 4 * 1024**2
PIECE_BYTES = 1024**2
# What zlib reads, written five times as fast. Level 1: higher ones shrink a file of records by hardly more.
COMPRESSION = 1


class RawFileError(XinzhengError):
    """A kept file is incomplete or its key was shredded."""

    code = "raw-file-unreadable"


def seal_file(path: Path, key: bytes, owner: str) -> Iterator[bytes]:
    """The file's pieces, encrypted, in order; together they hold all of it."""
    return seal_pieces(pack_file(path), key, owner)


def seal_pieces(pieces: Iterable[bytes], key: bytes, owner: str) -> Iterator[bytes]:
    """The pieces of a packed file, encrypted, in order."""
    for seq, piece in enumerate(pieces):
        yield encrypt(key, piece, f"{owner}:{seq}")


def pack_file(path: Path) -> Iterator[bytes]:
    """The file's pieces, compressed, in order."""
    packer = isal_zlib.compressobj(COMPRESSION)
    pending = bytearray()
    with path.open("rb") as file:
        while data := file.read(READ_BYTES):
            pending += packer.compress(data)
            while len(pending) >= PIECE_BYTES:
                yield bytes(pending[:PIECE_BYTES])
                del pending[:PIECE_BYTES]
    yield bytes(pending) + packer.flush()


def open_pieces(pieces: Iterable[bytes], key: bytes, owner: str, into: Path) -> None:
    """Write the file that ``seal_file`` was given to ``into``.

    Raises:
        KeyFileError: a piece is not this owner's, or not where it belongs.
        RawFileError: pieces are missing at the end.
    """
    unpacker = isal_zlib.decompressobj()
    with into.open("wb") as file:
        for seq, sealed in enumerate(pieces):
            piece = decrypt(key, sealed, f"{owner}:{seq}")
            while piece:
                file.write(unpacker.decompress(piece, READ_BYTES))
                piece = unpacker.unconsumed_tail
        file.write(unpacker.flush())
    if not unpacker.eof:
        raise RawFileError(f"{owner}的原始文件不完整，请从备份恢复数据库后再试。", owner=owner)


def keep_raw_file(entry_id: int, pieces: Iterable[bytes]) -> None:
    """Store a batch's sealed pieces."""
    with (
        connection.cursor() as cursor,
        cursor.copy("COPY ledger_rawfile (entry_id, seq, chunk) FROM STDIN (FORMAT BINARY)") as copy,
    ):
        copy.set_types(["int8", "int4", "bytea"])
        for seq, piece in enumerate(pieces):
            copy.write_row((entry_id, seq, piece))


def restore_raw_file(batch: Batch, into: Path) -> None:
    """Write the batch's file, as it came, to ``into``. Raises RawFileError, KeyFileError."""
    owner = batch_owner(batch.pk)
    anew = BatchKey.objects.filter(batch_id=batch.pk).first()
    key = unwrap_key(bytes(batch.wrapped_key if anew is None else anew.wrapped_key), owner)
    pieces = RawFile.objects.filter(entry_id=batch.pk).order_by("seq").values_list("chunk", flat=True)
    open_pieces((bytes(piece) for piece in pieces.iterator(chunk_size=8)), key, owner, into)


def batch_owner(entry_id: int) -> str:
    """What the pieces of a batch's file are bound to."""
    return f"batch:{entry_id}"

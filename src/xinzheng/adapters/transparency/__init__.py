"""The transparency log as others see it (透明日志): its key, its checkpoints, its tiles, and checking them."""

from xinzheng.adapters.transparency.key_material import form_and_algorithm, raw_key, spki_of
from xinzheng.adapters.transparency.log_key import (
    LogKeyError,
    LogSigner,
    made_at,
    open_log_signer,
    published_log_key,
)
from xinzheng.adapters.transparency.note import (
    Head,
    LogKey,
    NoteError,
    open_note,
    open_own_note,
    parse_key,
    read_head,
    sign_head,
)
from xinzheng.adapters.transparency.tiles import Tile, hashes_in, tile_at, tile_of

__all__ = [
    "Head",
    "LogKey",
    "LogKeyError",
    "LogSigner",
    "NoteError",
    "Tile",
    "form_and_algorithm",
    "hashes_in",
    "made_at",
    "open_log_signer",
    "open_note",
    "open_own_note",
    "parse_key",
    "published_log_key",
    "raw_key",
    "read_head",
    "sign_head",
    "spki_of",
    "tile_at",
    "tile_of",
]

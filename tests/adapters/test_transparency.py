"""Checkpoints, tiles and the log's key: others read what we write, and nothing malformed is taken."""

import contextlib
import json
import stat
import threading
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from tlog_scales import tiles as theirs
from tlog_scales.signing import PlainEd25519Signer, Vkey
from tlog_scales.tlog import Checkpoint

from xinzheng.adapters.transparency import (
    Head,
    LogKey,
    LogKeyError,
    NoteError,
    Tile,
    open_log_signer,
    open_note,
    open_own_note,
    parse_key,
    published_log_key,
    sign_head,
    tile_at,
    tile_of,
)
from xinzheng.core.inclusion import Inclusion, ProofError, proof_document, read_proof

PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEY = LogKey("example.net/log", PRIVATE.public_key().public_bytes_raw())
HEAD = Head(KEY.name, 7, bytes(range(32)))
NOTE = sign_head(HEAD, PRIVATE)


def test_others_read_our_checkpoint_and_key() -> None:
    read = Checkpoint.from_text(NOTE)
    read.verify(Vkey.from_string(str(KEY)))
    assert (read.origin, read.size, read.root_hash) == (HEAD.origin, HEAD.size, HEAD.root)


def test_we_read_the_checkpoint_and_key_of_others() -> None:
    signer = PlainEd25519Signer(KEY.name, PRIVATE)
    note = Checkpoint.make_signed(HEAD.origin, HEAD.size, HEAD.root, [signer]).serialize()
    assert note == NOTE
    assert open_note(note, parse_key(signer.vkey.serialize())) == HEAD  # type: ignore[no-untyped-call]


def test_signatures_of_witnesses_are_passed_over() -> None:
    witness = PlainEd25519Signer("witness.example", Ed25519PrivateKey.generate())
    ours = PlainEd25519Signer(KEY.name, PRIVATE)
    note = Checkpoint.make_signed(HEAD.origin, HEAD.size, HEAD.root, [witness, ours]).serialize()
    assert open_note(note, KEY) == HEAD


@given(st.integers(0, len(NOTE.encode()) - 1), st.integers(1, 255))
def test_no_changed_byte_of_a_checkpoint_gives_another_head(place: int, change: int) -> None:
    data = bytearray(NOTE.encode())
    data[place] ^= change
    try:
        assert open_note(data.decode(), KEY) == HEAD
    except (NoteError, UnicodeDecodeError):
        return
    # What may differ is only the spare bits at the end of the signature's Base64.
    assert place >= len(NOTE.encode()) - 5


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    for reading in (lambda: open_note(text, KEY), lambda: parse_key(text), lambda: read_proof(text)):
        with pytest.raises((NoteError, ProofError)):
            reading()


@pytest.mark.parametrize(
    "note",
    [
        NOTE.replace("\n7\n", "\n07\n"),
        NOTE.replace("\n7\n", "\n+7\n"),
        NOTE.replace("\n7\n", "\n٧\n"),
        NOTE.replace("\n\n", "\nextension\n\n"),
        NOTE.removesuffix("\n"),
        NOTE + "— short AAAA\nnoise\n",
        NOTE.split("\n\n")[0] + "\n\n",
        NOTE.replace("\n", "\r\n"),
    ],
)
def test_a_checkpoint_is_written_in_one_way_only(note: str) -> None:
    with pytest.raises(NoteError):
        open_note(note, KEY)


def test_a_key_under_another_name_or_another_key_under_the_name_did_not_sign() -> None:
    other = LogKey(KEY.name, Ed25519PrivateKey.generate().public_key().public_bytes_raw())
    for key in (LogKey("example.net/other", KEY.public), other):
        with pytest.raises(NoteError) as refused:
            open_note(NOTE, key)
        assert refused.value.code == "checkpoint-unsigned"
    assert open_own_note(NOTE, [other.public, KEY.public]) == HEAD


def test_a_log_that_signs_under_a_name_that_is_not_its_keys_is_refused() -> None:
    with pytest.raises(NoteError):
        open_note(NOTE.replace("example.net/log\n7", "example.org/log\n7"), KEY)


@given(st.integers(0, 10**12), st.integers(0, 5), st.integers(1, 256))
def test_tiles_stand_where_others_look_for_them(index: int, level: int, width: int) -> None:
    tile = Tile(level, index, width)
    assert "tile/" + tile.path == "/".join(theirs.tile_path(level, index, width % 256))
    assert tile_at(tile.path) == tile


@given(st.integers(0, 3), st.data())
def test_every_node_lies_within_one_tile(level: int, data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 10**9))
    tree_level = data.draw(st.integers(0, size.bit_length() - 1))
    place = data.draw(st.integers(0, (size >> tree_level) - 1))
    tile, begin, end = tile_of((tree_level, place), size)
    assert 0 <= begin < end <= tile.width <= 256
    assert (tile.first + begin) << tile.tree_level == place << tree_level
    assert (end - begin) << tile.tree_level == 1 << tree_level


@given(st.text(alphabet="0123456789x/.p", max_size=30))
def test_an_address_is_a_tiles_own_or_none(path: str) -> None:
    tile = tile_at(path)
    assert tile is None or tile.path == path


def test_the_key_is_made_once_with_its_name_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    folder = tmp_path / "keys" / "log"
    assert published_log_key(folder) is None
    first = open_log_signer(folder, "example.net/log")
    assert open_log_signer(folder, "moved.example/log").key == first.key == published_log_key(folder)
    assert first.key.name == "example.net/log"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    first.remember(first.sign(3, bytes(32)))
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == dict.fromkeys(
        ("log.pem", "log.vkey", "log.checkpoint"), 0o600
    )
    assert [path.name for path in folder.parent.iterdir()] == ["log"]


def test_those_who_begin_together_get_the_same_key(tmp_path: Path) -> None:
    found: list[LogKey] = []
    threads = [
        threading.Thread(target=lambda name=f"n{n}": found.append(open_log_signer(tmp_path / "log", name).key))
        for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1


@pytest.mark.parametrize("file", ["log.pem", "log.vkey", "log.checkpoint"])
@pytest.mark.parametrize("content", [b"", b"\xff", b"something else\n"])
def test_a_damaged_key_folder_is_said_to_be_damaged(file: str, content: bytes, tmp_path: Path) -> None:
    signer = open_log_signer(tmp_path / "log", "example.net/log")
    signer.remember(signer.sign(3, bytes(32)))
    (tmp_path / "log" / file).write_bytes(content)
    with pytest.raises(LogKeyError, match="备份"):
        open_log_signer(tmp_path / "log", "example.net/log").last_signed()


def test_a_key_of_another_log_beside_the_name_is_refused(tmp_path: Path) -> None:
    open_log_signer(tmp_path / "a", "a")
    open_log_signer(tmp_path / "b", "b")
    (tmp_path / "a" / "log.pem").write_bytes((tmp_path / "b" / "log.pem").read_bytes())
    with pytest.raises(LogKeyError, match="不是一对"):
        open_log_signer(tmp_path / "a", "a")


@pytest.mark.parametrize("name", ["", "with space", "a+b", "line\nfeed"])
def test_a_name_that_no_note_can_carry_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(LogKeyError, match="XINZHENG_LOG_ORIGIN"):
        open_log_signer(tmp_path / "log", name)


@given(
    st.dictionaries(
        st.sampled_from(["format", "checkpoint", "leaves"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just("xinzheng.proof/1"),
            lambda inner: (
                st.lists(inner, max_size=2)
                | st.dictionaries(st.sampled_from(["leaf", "index", "path"]), inner, max_size=3)
            ),
            max_leaves=8,
        ),
    )
)
def test_any_json_is_read_or_refused(document: dict[str, object]) -> None:

    with contextlib.suppress(ProofError):
        note, leaves = read_proof(json.dumps(document))
        assert isinstance(note, str)
        assert leaves


def test_what_a_proof_says_is_read_back_as_it_was_written() -> None:

    leaf = Inclusion(b'{"type":"issued"}', 3, (bytes(32), bytes(range(32))))
    assert read_proof(json.dumps(proof_document(NOTE, [leaf]))) == (NOTE, [leaf])

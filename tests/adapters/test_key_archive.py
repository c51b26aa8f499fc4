"""The keys as one sealed file: opened by the passphrase alone, whole, and never over keys that are there."""

import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from xinzheng.adapters.key_archive import open_keys, seal_keys
from xinzheng.core.errors import XinzhengError

PASSPHRASE = "correct horse battery staple"


def code_of(act: Callable[..., object], *args: object) -> str:
    """The code by which something is refused."""
    with pytest.raises(XinzhengError) as refused:
        act(*args)
    return refused.value.code


def some_keys(folder: Path) -> Path:
    (folder / "signing" / "1").mkdir(parents=True)
    (folder / "signing" / "1" / "document.p12").write_bytes(b"\x00\x01")
    (folder / "person-number-hash.key").write_bytes(bytes(32))
    return folder


def test_what_was_sealed_comes_back_readable_by_its_owner_only(tmp_path: Path) -> None:
    keys = some_keys(tmp_path / "keys")
    sealed = seal_keys({"keys": keys, "secret-key": tmp_path / "none"}, PASSPHRASE)
    assert bytes(32) not in sealed
    names = open_keys(sealed, PASSPHRASE, tmp_path / "new")
    assert sorted(names) == ["keys/person-number-hash.key", "keys/signing/1/document.p12"]
    back = tmp_path / "new" / "keys"
    assert (back / "signing" / "1" / "document.p12").read_bytes() == b"\x00\x01"
    assert stat.S_IMODE((back / "person-number-hash.key").stat().st_mode) == 0o600
    assert stat.S_IMODE(back.stat().st_mode) == 0o700
    assert code_of(open_keys, sealed, PASSPHRASE, tmp_path / "new") == "keys-there-already"


def test_another_passphrase_a_changed_byte_or_another_file_open_nothing(tmp_path: Path) -> None:
    sealed = seal_keys({"keys": some_keys(tmp_path / "keys")}, PASSPHRASE)
    for odd in (sealed[:-1] + bytes([sealed[-1] ^ 1]), sealed[:40], b"PK\x03\x04"):
        assert code_of(open_keys, odd, PASSPHRASE, tmp_path / "new") == "key-archive-unusable"
    assert code_of(open_keys, sealed, PASSPHRASE + "r", tmp_path / "new") == "key-archive-unusable"
    assert not (tmp_path / "new").exists()
    assert code_of(seal_keys, {"keys": tmp_path / "keys"}, "short") == "passphrase-too-short"

"""A disk of keys that is full: nothing is half changed, what is in use stays in use, and it is said in words."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.small_volume import SmallVolume, small_volume

ACT = """
import json, sys
from datetime import UTC, datetime
from pathlib import Path
from xinzheng.adapters.signing import *
from xinzheng.core.errors import XinzhengError
keys, now, told = Path(sys.argv[1]), datetime.now(UTC), {}
for act in sys.argv[2:]:
    try:
        if act == "make":
            ensure_demo_keys(keys, now)
        elif act == "rotate":
            rotate_demo_keys(keys, now, "credit.example")
        else:
            stamp = next(key for key in published_keys(keys) if key.purpose == "stamp")
            report_compromised(keys, stamp.key_id, now, now)
    except XinzhengError as error:
        told[act] = [error.code, error.message]
ring = open_keyring(keys)
ring.ready(now)
lost = [key.purpose for key in published_keys(keys) if key.compromised_at]
print(json.dumps({"told": told, "number": ring.generation.number, "lost": lost}))
"""


def acted(volume: SmallVolume, script: Path, *acts: str) -> dict[str, Any]:
    """What came of working with the keys on the volume; the keys in use can sign afterwards."""
    source = Path(__file__).parents[2] / "src"
    said = volume.run(f"PYTHONPATH={source} {sys.executable} {script} {volume.folder}/keys {' '.join(acts)}")
    answer: dict[str, Any] = json.loads(said.splitlines()[-1])
    return answer


@pytest.mark.slow
def test_keys_that_cannot_be_written_for_want_of_room_stay_as_they_are(tmp_path: Path) -> None:
    script = tmp_path / "act.py"
    script.write_text(ACT, encoding="utf-8")
    with small_volume() as volume:
        assert acted(volume, script, "make")["number"] == 1
        volume.fill()
        full = acted(volume, script, "rotate", "give-up")
        assert (full["number"], full["lost"]) == (1, [])
        for act in ("rotate", "give-up"):
            code, words = full["told"][act]
            assert code == "signing-keys-unwritable"
            assert "No space left on device" in words
            assert "正在使用的密钥没有改变" in words
        volume.make_room()
        assert acted(volume, script, "rotate", "give-up") == {"told": {}, "number": 2, "lost": ["stamp"]}

"""The log's public addresses, the published keys, and the proof beside a report."""

import base64
import json
from hashlib import sha256
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_der_public_key
from django.conf import settings
from django.test import Client
from django.utils import timezone
from tlog_scales.reader import TilesReader
from tlog_scales.tlog import ConsistencyProof

from tests.web.conftest import People, client_of, issue
from xinzheng.adapters.signing import load_seal_public_keys, published_keys
from xinzheng.adapters.transparency import open_note, parse_key
from xinzheng.adapters.transparency.report_file import leaf_bytes, leaf_of_file
from xinzheng.apps.audit.keys import key_histories, note_keys
from xinzheng.apps.audit.log import add_leaf, log_signer, seal_log
from xinzheng.apps.audit.models import AuditEvent, Checkpoint, KeyEvent
from xinzheng.apps.reports.issuing import ensure_keys
from xinzheng.apps.reports.models import Report
from xinzheng.apps.reports.queries import report_pdf
from xinzheng.apps.reports.signing_keys import Rotation, give_up_key, rotate_keys
from xinzheng.core.inclusion import read_proof
from xinzheng.core.merkle import leaf_hash

pytestmark = pytest.mark.django_db


@pytest.fixture
def report(people: People) -> Report:
    return issue(people.clean)


def fill(count: int) -> None:
    for number in range(count):
        add_leaf(data=f"leaf {number}".encode(), kind="other", object_id=str(number))
    seal_log(timezone.now())


class OurSite:
    """The pages as another reader of tiled logs asks for them."""

    def get(self, *path: str) -> bytes | None:
        answer = Client().get("/log/" + "/".join(path))
        return answer.content if answer.status_code == 200 else None


@pytest.mark.parametrize("count", [1, 256, 600])
def test_another_reader_of_tiled_logs_reads_ours(count: int) -> None:
    fill(count)
    reader = TilesReader(OurSite())
    checkpoint = reader.get_checkpoint()
    assert (checkpoint.size, checkpoint.root_hash) == (count, reader.calculate_root_hash())
    place = count // 2
    reader.get_inclusion_proof(place, count).check(leaf_hash(f"leaf {place}".encode()), checkpoint.root_hash)


def test_before_the_first_report_there_is_no_checkpoint_and_a_page_says_so() -> None:
    answer = Client().get("/log/checkpoint")
    assert answer.status_code == 404


def test_growth_between_any_two_sizes_is_proven_to_another_implementation() -> None:
    fill(20)
    roots = {c.size: bytes(c.root) for c in Checkpoint.objects.all()}
    fill(13)
    newest = Checkpoint.objects.latest("size")
    for old, root in (roots | {33: bytes(newest.root)}).items():
        answer = Client().get(f"/log/consistency/{old}/33")
        told = json.loads(answer.content)
        assert (told["format"], told["old"], told["new"]) == ("xinzheng.consistency/1", old, 33)
        ConsistencyProof(old, 33, [base64.b64decode(one) for one in told["path"]]).check(root, bytes(newest.root))
        assert "immutable" in answer.headers["Cache-Control"]
    for wrong in ("20/34", "21/20", "-1/20", "a/20", "20", f"20/{10**30}"):
        assert Client().get(f"/log/consistency/{wrong}").status_code == 404


def test_people_see_how_far_the_log_has_come_under_which_key_and_how_to_check_it() -> None:
    assert "日志还没有条目" in Client().get("/log").content.decode()
    fill(1200)
    page = Client().get("/log").content.decode()
    assert "已收录1,200条" in page
    assert str(log_signer().key) in page
    assert "xinzheng log verify" in page
    assert settings.XINZHENG_ORIGIN in page


def test_a_checkpoint_is_asked_for_each_time_and_a_tile_never_again() -> None:
    fill(300)
    checkpoint, tile = Client().get("/log/checkpoint"), Client().get("/log/tile/0/000")
    assert checkpoint.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert checkpoint.headers["Cache-Control"] == "no-cache"
    assert "immutable" in tile.headers["Cache-Control"]
    assert tile.headers["Content-Type"] == "application/octet-stream"
    assert len(tile.content) == 256 * 32
    assert {one.headers["Access-Control-Allow-Origin"] for one in (checkpoint, tile)} == {"*"}
    assert open_note(checkpoint.content.decode(), log_signer().key).size == 300


NO_TILES = (
    "0/001 0/001.p/45 0/000.p/256 0/000.p/0 0/0 0/x000/000 1/000 1/000.p/2 00/000 9/000 entries/000 0/000/ -1/000 "
    "0/x999/x999/x999/999 0/00\u0661 " + "0/" + "x001/" * 40 + "000"
).split()


def test_a_tile_that_is_not_there_or_is_written_otherwise_is_not_found() -> None:
    fill(300)
    assert [path for path in NO_TILES if Client().get(f"/log/tile/{path}").status_code != 404] == []


def test_no_address_of_the_log_says_what_a_leaf_holds(report: Report) -> None:
    seal_log(timezone.now())
    for path in ("checkpoint", "tile/0/000.p/1"):
        content = Client().get(f"/log/{path}").content
        assert report.number.encode() not in content
        assert bytes(report.digest) not in content
    assert Client().get("/log/tile/entries/000.p/1").status_code == 404


def test_who_has_the_file_gets_its_proof_and_who_has_not_gets_nothing(report: Report) -> None:
    leaf = leaf_of_file(report_pdf(report.number))
    address = f"/log/proof/{leaf_hash(leaf_bytes(leaf)).hex()}"
    assert Client().get(address).status_code == 404
    seal_log(timezone.now())
    note, leaves = read_proof(Client().get(address).content.decode())
    head = open_note(note, log_signer().key)
    assert [one.holds_in((head.size, head.root)) for one in leaves] == [True]
    assert leaves[0].leaf == leaf_bytes(leaf)
    for other in (report.number, "0" * 64, address[-64:].upper(), "0" * 63):
        assert Client().get(f"/log/proof/{other}").status_code == 404


def test_the_subject_downloads_the_proof_beside_the_report_and_nobody_else_does(report: Report, people: People) -> None:
    address = f"/reports/{report.number}/proof.json"
    assert client_of(people.clean).get(address, follow=True).redirect_chain == [(f"/reports/{report.number}", 302)]
    seal_log(timezone.now())
    answer = client_of(people.clean).get(address)
    assert answer.headers["Content-Type"] == "application/json"
    assert "no-store" in answer.headers["Cache-Control"]
    note, leaves = read_proof(answer.content.decode())
    head = open_note(note, log_signer().key)
    assert all(one.holds_in((head.size, head.root)) for one in leaves)
    assert AuditEvent.objects.filter(action="proof-downloaded", object_id=report.number).count() == 1
    assert client_of(people.punished).get(address).status_code == 403
    assert client_of(people.officer).get(address).status_code == 403
    assert Client().get(address).headers["Location"].startswith("/sign-in")
    assert client_of(people.clean).get("/reports/SZ2026112200000015X/proof.json").status_code == 404


def keys_page() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Client().get("/.well-known/xinzheng.json").content)
    return found


def test_the_published_keys_are_those_that_sign(report: Report) -> None:
    seal_log(timezone.now())
    page = keys_page()
    assert (page["format"], page["host"]) == ("xinzheng.keys/1", settings.XINZHENG_HOST)
    purposes = {one["purpose"] for one in page["keys"]}
    assert {"document", "seal", "root", "log"} <= purposes
    assert {one["status"] for one in page["keys"]} == {"current"}
    seals = [base64.b64decode(one["spki"]) for one in page["keys"] if one["purpose"] == "seal"]
    ours = load_seal_public_keys(settings.XINZHENG_KEYS / "signing")
    assert {sha256(spki).digest()[:8] for spki in seals} == set(ours)
    for one in page["keys"]:
        if "certificate" in one:
            x509.load_der_x509_certificate(base64.b64decode(one["certificate"]))
        else:
            load_der_public_key(base64.b64decode(one["spki"]))
    assert open_note(page["log"]["checkpoint"], parse_key(page["log"]["vkey"])).size == 1
    assert "PRIVATE" not in json.dumps(page)


def test_before_anything_was_signed_the_page_is_there_all_the_same() -> None:
    assert keys_page()["format"] == "xinzheng.keys/1"


def test_the_history_of_keys_outlives_the_folder_they_lay_in(report: Report, tmp_path: Any, settings: Any) -> None:
    seal_log(timezone.now())
    before = key_histories()
    assert note_keys() == len(before)
    assert note_keys() == 0
    settings.XINZHENG_KEYS = tmp_path / "gone"
    assert key_histories() == before


def test_a_key_that_became_known_to_others_is_published_as_such_with_its_date(report: Report) -> None:
    ensure_keys()
    note_keys()
    seal = next(one for one in published_keys(settings.XINZHENG_KEYS / "signing") if one.purpose == "seal")
    since = timezone.now()
    KeyEvent.objects.create(
        key_id=seal.key_id, purpose="seal", event="compromised", material=seal.material, effective_at=since
    )
    shown = next(one for one in keys_page()["keys"] if one["id"] == seal.key_id)
    assert (shown["status"], shown["until"]) == ("compromised", None)
    assert shown["since"] == timezone.localtime(since).isoformat(timespec="seconds")


def test_keys_that_were_rotated_or_stolen_stay_published_with_what_became_of_them(
    settings: Any, tmp_path: Any, db: None
) -> None:
    settings.XINZHENG_KEYS = tmp_path / "keys"
    ensure_keys()
    first = {one["id"] for one in keys_page()["keys"] if one["purpose"] in ("document", "seal")}
    rotate_keys(Rotation(None, False, "ecdsa-p256"), "test")
    note_keys()
    stolen = next(one["id"] for one in keys_page()["keys"] if one["status"] == "retired" and one["purpose"] == "seal")
    give_up_key(stolen, timezone.now(), "示例", "test")
    note_keys()
    settings.XINZHENG_KEYS = tmp_path / "lost"
    shown = {one["id"]: one for one in keys_page()["keys"]}
    assert first <= shown.keys()
    assert {shown[one]["status"] for one in first} == {"retired", "compromised"}
    assert (shown[stolen]["status"], shown[stolen]["reason"]) == ("compromised", "示例")
    now = [one["purpose"] for one in shown.values() if one["status"] == "current" and one["id"] not in first]
    assert {"document", "seal"} <= set(now)

"""The transparency log in the database: places in order, one checkpoint a size, and never two stories."""

import threading
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from django.db import ProgrammingError, connection, connections, transaction
from django.utils import timezone
from tlog_scales.signing import Vkey
from tlog_scales.tlog import Checkpoint as TheirCheckpoint

from xinzheng.adapters.transparency import open_note
from xinzheng.apps.audit import log
from xinzheng.apps.audit.log import LogForkError, add_leaf, log_signer, seal_log
from xinzheng.apps.audit.log_check import check_log
from xinzheng.apps.audit.log_queries import newest_checkpoint, proof_for, proof_of_hash, proofs_about
from xinzheng.apps.audit.models import Checkpoint, KeyEvent, LogLeaf, LogNode, LogPlace, LogWaiting
from xinzheng.apps.audit.tasks import seal as seal_task
from xinzheng.core.merkle import holds_inclusion, leaf_hash, node_of, root_of, tree_of

pytestmark = pytest.mark.django_db


def write(*names: str) -> None:
    with transaction.atomic():
        for name in names:
            add_leaf(data=f"leaf of {name}".encode(), kind="issued", object_id=name)


def seal() -> int:
    return seal_log(timezone.now())


def test_leaves_get_their_places_in_order_and_the_root_is_theirs() -> None:
    write("a", "b", "c")
    assert seal() == 3
    write("d", "e")
    assert seal() == 5
    hashes = [leaf_hash(f"leaf of {name}".encode()) for name in "abcde"]
    assert [place.leaf.object_id for place in LogPlace.objects.order_by("index")] == list("abcde")
    assert [(c.size, bytes(c.root)) for c in Checkpoint.objects.order_by("size")] == [
        (3, root_of(3, node_of(tree_of(hashes)))),
        (5, root_of(5, node_of(tree_of(hashes)))),
    ]
    assert {(n.level, n.index): bytes(n.hash) for n in LogNode.objects.all()} == tree_of(hashes)


def test_without_new_leaves_nothing_is_signed_again() -> None:
    assert seal() == 0
    assert newest_checkpoint() is None
    write("a")
    assert [seal(), seal(), seal()] == [1, 1, 1]
    assert Checkpoint.objects.count() == 1


def test_a_checkpoint_is_a_signed_note_that_other_tools_read() -> None:
    write("a", "b")
    seal()
    found = newest_checkpoint()
    assert found is not None
    key = log_signer().key
    assert open_note(found.note, key).size == 2
    theirs = TheirCheckpoint.from_text(found.note)
    theirs.verify(Vkey.from_string(str(key)))
    assert (theirs.origin, theirs.size, theirs.root_hash) == (key.name, 2, bytes(found.root))


def test_a_leaf_is_proven_once_it_is_sealed_and_not_before() -> None:
    write("a", "b", "c")
    assert proof_for("issued", "b") is None
    seal()
    write(*"defgh")
    seal()
    proof = proof_for("issued", "b")
    assert proof is not None
    assert (proof.index, proof.size, proof.leaf) == (1, 8, b"leaf of b")
    head = open_note(proof.note, log_signer().key)
    assert holds_inclusion(leaf_hash(proof.leaf), proof.index, (head.size, head.root), proof.path)
    assert proof_for("status", "b") is None
    assert proof_for("issued", "nobody") is None


def test_all_leaves_of_a_report_are_proven_under_one_checkpoint() -> None:
    write("a")
    add_leaf(data=b"revoked", kind="status", object_id="a")
    seal()
    proofs = proofs_about("a")
    assert [proof.leaf for proof in proofs] == [b"leaf of a", b"revoked"]
    head = open_note(proofs[0].note, log_signer().key)
    assert all(proof.inclusion.holds_in((head.size, head.root)) for proof in proofs)


def test_a_leaf_is_found_by_its_hash_alone() -> None:
    write("a", "b")
    seal()
    found = proof_of_hash(leaf_hash(b"leaf of b"))
    assert found is not None
    assert found.index == 1
    assert proof_of_hash(leaf_hash(b"leaf of c")) is None


def test_a_proof_costs_three_questions_however_large_the_log(django_assert_num_queries: Any) -> None:
    write(*(str(n) for n in range(300)))
    seal()
    with django_assert_num_queries(3):
        proof_for("issued", "150")


def test_a_burst_is_sealed_in_stretches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "MOST_AT_ONCE", 4)
    write(*"abcdefghij")
    assert seal() == 10
    assert [c.size for c in Checkpoint.objects.order_by("size")] == [4, 8, 10]
    assert not LogWaiting.objects.exists()
    assert all(proof_for("issued", name) for name in "abcdefghij")


@pytest.mark.django_db(transaction=True)
def test_a_leaf_that_is_committed_late_is_placed_the_next_time(second_connection: psycopg.Connection[Any]) -> None:
    second_connection.execute(log.WRITE_LEAF, [b"late", leaf_hash(b"late"), "issued", "late"])
    write("a")
    assert seal() == 1
    assert proof_for("issued", "late") is None
    second_connection.commit()
    assert seal() == 2
    late = proof_for("issued", "late")
    assert late is not None
    assert late.index == 1
    assert LogLeaf.objects.get(object_id="late").pk < LogLeaf.objects.get(object_id="a").pk


@pytest.mark.django_db(transaction=True)
def test_sealers_at_the_same_time_agree() -> None:
    write(*(str(n) for n in range(50)))
    in_parallel(*[seal] * 4)
    in_parallel(*[write_and_seal] * 4)
    hashes = [bytes(place.leaf.leaf_hash) for place in LogPlace.objects.order_by("index").select_related("leaf")]
    assert list(LogPlace.objects.order_by("index").values_list("index", flat=True)) == list(range(58))
    found = newest_checkpoint()
    assert found is not None
    assert (found.size, bytes(found.root)) == (58, root_of(58, node_of(tree_of(hashes))))


@pytest.mark.django_db(transaction=True)
def test_a_check_while_the_log_grows_finds_no_fault() -> None:
    write(*(str(n) for n in range(40)))
    seal()
    found: list[tuple[int, tuple[str, ...]]] = []
    done = threading.Event()

    def grow() -> None:
        while not done.is_set():
            write("x", "y", "z")
            seal()

    def check() -> None:
        try:
            for _ in range(8):
                state = check_log()
                found.append((state.size, state.faults))
        finally:
            done.set()

    in_parallel(grow, check)
    assert {faults for _, faults in found} == {()}
    assert found[-1][0] > found[0][0] >= 40


def write_and_seal() -> None:
    write("x", "y")
    seal()


def in_parallel(*works: Callable[[], object]) -> None:
    broken: list[BaseException] = []

    def run(work: Callable[[], object]) -> None:
        try:
            work()
        except BaseException as error:
            broken.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert broken == []


def rolled_back_to_two_leaves() -> None:
    """What restoring an older backup leaves behind: the key remembers more than the database holds."""
    write("a", "b")
    seal()
    log_signer().remember(log_signer().sign(5, bytes(32)))


def test_after_an_older_backup_was_restored_nothing_is_signed() -> None:
    rolled_back_to_two_leaves()
    write("c")
    with pytest.raises(LogForkError, match=r"5条.*只有2条"):
        seal()
    assert Checkpoint.objects.count() == 1
    assert proof_for("issued", "c") is None


def test_a_new_database_beside_an_old_key_is_not_signed() -> None:
    signer = log_signer()
    signer.remember(signer.sign(2, bytes(32)))
    write("a")
    with pytest.raises(LogForkError, match="只有0条"):
        seal()


def test_a_log_whose_nodes_differ_from_what_was_signed_is_not_signed() -> None:
    write("a", "b", "c")
    seal()
    signer = log_signer()
    (signer.folder / "log.checkpoint").unlink(missing_ok=True)
    signer.remember(signer.sign(2, bytes(32)))
    write("d")
    with pytest.raises(LogForkError, match="前2条"):
        seal()


@pytest.mark.django_db(transaction=True)
def test_what_was_signed_is_remembered_beside_the_key_and_never_goes_back() -> None:
    write("a")
    seal()
    signer = log_signer()
    remembered = signer.last_signed()
    assert remembered is not None
    assert remembered.size == 1
    signer.remember(signer.sign(0, root_of(0, node_of({}))))
    assert signer.last_signed() == remembered


@pytest.mark.parametrize("table", ["audit_logleaf", "audit_logplace", "audit_lognode", "audit_checkpoint"])
def test_nothing_of_the_log_can_be_changed_or_removed(table: str) -> None:
    write("a")
    seal()
    with pytest.raises(ProgrammingError, match="Cannot"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {table}")


def test_the_task_seals_and_notes_the_keys_that_came_into_use() -> None:
    write("a", "b")
    seal_task(timestamp=0)
    found = newest_checkpoint()
    assert found is not None
    assert found.size == 2
    log_key = KeyEvent.objects.get(purpose="log")
    assert (log_key.key_id, log_key.event) == (log_signer().key.key_id.hex(), "published")
    seal_task(timestamp=10)
    assert KeyEvent.objects.filter(purpose="log").count() == Checkpoint.objects.count() == 1

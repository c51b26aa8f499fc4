"""Audit events are sealed behind their writers, and nobody changes, removes or adds one unnoticed."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection, connections, transaction
from django.utils import timezone

from xinzheng.apps.audit import seals
from xinzheng.apps.audit.actions import About, record_event
from xinzheng.apps.audit.log import add_leaf, seal_log
from xinzheng.apps.audit.log_check import check_log
from xinzheng.apps.audit.log_queries import proof_for
from xinzheng.apps.audit.models import AuditAnchor, AuditEvent, AuditSeal, AuditWaiting
from xinzheng.apps.audit.seal_check import check_chain
from xinzheng.apps.audit.seals import chain_head, seal_events
from xinzheng.apps.audit.tasks import seal as seal_task
from xinzheng.core.audit_chain import NO_HEAD, event_bytes, next_head
from xinzheng.core.leaves import AuditLeaf, read_leaf

pytestmark = pytest.mark.django_db(transaction=True)

NOW = timezone.now()


def write(count: int, first: int = 0) -> None:
    with transaction.atomic():
        for number in range(first, first + count):
            about = About(number or None, "苏州", {"n": number, "ratio": 0.1, "big": 2**60, "words": "甲\n乙"})
            record_event(who="system", action="tested", object_kind="test", object_id=number, details=about)


@contextmanager
def as_whoever_runs_the_database() -> Iterator[Any]:
    """A cursor for which no trigger fires."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        yield cursor


def test_every_event_is_sealed_in_order_over_what_the_database_holds() -> None:
    write(3)
    assert AuditWaiting.objects.count() == 3
    assert seal_events(NOW) == 3
    write(2, 3)
    assert seal_events(NOW) == 5
    assert not AuditWaiting.objects.exists()
    head = NO_HEAD
    found = seals.chained_events(list(AuditEvent.objects.values_list("pk", flat=True)))
    events = [found[number] for number in sorted(found)]
    for index, (event, seal) in enumerate(zip(events, AuditSeal.objects.order_by("index"), strict=True), 1):
        head = next_head(head, event_bytes(event))
        assert (seal.index, seal.event_id, bytes(seal.head)) == (index, event.id, head)
    assert check_chain().faults == ()


def test_nothing_to_seal_is_no_seal_and_no_anchor() -> None:
    assert seal_events(NOW) == 0
    assert (chain_head().count, chain_head().head) == (0, NO_HEAD)
    assert not AuditAnchor.objects.exists()
    assert check_chain().faults == ()


def test_an_event_committed_late_is_sealed_the_next_time_and_keeps_nobody_waiting(
    second_connection: psycopg.Connection[Any],
) -> None:
    second_connection.execute(
        "INSERT INTO audit_auditevent (who, action, object_kind, object_id, details, place)"
        " VALUES ('system', 'tested', 'test', 'late', '{}', '')"
    )
    write(2)
    assert seal_events(NOW) == 2
    second_connection.commit()
    assert seal_events(NOW) == 3
    late = AuditSeal.objects.latest("index")
    assert late.event.object_id == "late"
    assert late.event_id == min(AuditEvent.objects.values_list("pk", flat=True))
    assert check_chain().faults == ()


def test_a_burst_is_sealed_in_stretches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seals, "MOST_AT_ONCE", 4)
    write(10)
    assert seal_events(NOW) == 10
    assert AuditAnchor.objects.get().index == 10
    assert check_chain().faults == ()


def test_sealers_at_the_same_time_agree() -> None:
    write(200)

    def work() -> None:
        try:
            for turn in range(5):
                write(3, 1000 + turn)
                seal_events(NOW)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert seal_events(NOW) == 260
    assert list(AuditSeal.objects.order_by("index").values_list("index", flat=True)) == list(range(1, 261))
    assert check_chain().faults == ()


def test_the_head_is_anchored_in_the_log_at_once_and_then_every_ten_minutes() -> None:
    write(3)
    seal_events(NOW)
    first = chain_head()
    write(1, 3)
    seal_events(NOW + timedelta(minutes=9))
    assert [anchor.index for anchor in AuditAnchor.objects.all()] == [3]
    seal_events(NOW + timedelta(minutes=11))
    seal_events(NOW + timedelta(minutes=30))
    assert [anchor.index for anchor in AuditAnchor.objects.order_by("index")] == [3, 4]
    seal_log(NOW)
    proof = proof_for(seals.ANCHOR_KIND, "3")
    assert proof is not None
    assert read_leaf(proof.leaf) == AuditLeaf(3, first.head, NOW)
    assert check_chain().anchored == 4


def test_the_task_puts_the_head_under_the_very_next_checkpoint() -> None:
    write(3)
    seal_task(timestamp=0)
    assert proof_for(seals.ANCHOR_KIND, "3") is not None
    assert check_log().faults == ()


@pytest.mark.parametrize(
    ("deed", "says"),
    [
        ("UPDATE audit_auditevent SET who = 'account:9' WHERE object_id = '2'", "第3条：审计记录"),
        ("UPDATE audit_auditevent SET details = '{}' WHERE object_id = '0'", "第1条：审计记录"),
        ("UPDATE audit_auditevent SET at = at + interval '1 microsecond' WHERE object_id = '4'", "第5条"),
        ("UPDATE audit_auditevent SET place = '' WHERE object_id = '1'", "第2条：审计记录"),
        ("UPDATE audit_auditevent SET subject_id = 5 WHERE object_id = '1'", "第2条：审计记录"),
        ("DELETE FROM audit_auditevent WHERE object_id = '1'", "不见了"),
        ("DELETE FROM audit_auditseal WHERE index = 3", "缺1条封存"),
        ("DELETE FROM audit_auditseal WHERE index = 5", "比锚定时短"),
        ("UPDATE audit_auditseal SET head = sha256(head) WHERE index = 5", "与锚定时不同"),
        ("DELETE FROM audit_auditanchor", "锚定清单里没有"),
        ("UPDATE audit_auditanchor SET head = sha256(head)", "与锚定时不同"),
        ("DELETE FROM audit_logleaf", "不在透明日志里"),
        ("UPDATE audit_logleaf SET data = sha256(data)", "与透明日志所记不同"),
        ("INSERT INTO audit_auditwaiting SELECT min(id) FROM audit_auditevent", "已经封存"),
        ("INSERT INTO audit_auditwaiting VALUES (99999999)", "没有对应的记录"),
        (
            "INSERT INTO audit_auditevent (who, action, object_kind, object_id, details, place)"
            " VALUES ('x', 'x', 'x', 'x', '{}', '')",
            "既没有封存，也不在等待封存",
        ),
    ],
)
def test_whatever_is_done_to_the_tables_is_told(deed: str, says: str) -> None:
    write(5)
    seal_events(NOW)
    with as_whoever_runs_the_database() as cursor:
        cursor.execute(deed)
        assert cursor.rowcount == 1
    faults = check_chain().faults
    assert any(says in fault for fault in faults), faults


def test_a_changed_event_is_told_once_and_the_rest_is_not_blamed() -> None:
    write(50)
    seal_events(NOW)
    with as_whoever_runs_the_database() as cursor:
        cursor.execute("UPDATE audit_auditevent SET action = 'other' WHERE object_id = '20'")
    assert len(check_chain().faults) == 1


def test_who_changes_much_is_told_the_first_places_and_how_many_more() -> None:
    write(50)
    seal_events(NOW)
    with as_whoever_runs_the_database() as cursor:
        cursor.execute("UPDATE audit_auditevent SET action = 'other'")
    faults = check_chain().faults
    assert len(faults) == 21
    assert faults[-1] == "此外还有30处不符。"


def test_who_computes_the_whole_chain_anew_is_given_away_by_the_log() -> None:
    write(5)
    seal_events(NOW)
    seal_log(NOW)
    with as_whoever_runs_the_database() as cursor:
        cursor.execute("UPDATE audit_auditevent SET who = 'account:9' WHERE object_id = '2'")
        cursor.execute("DELETE FROM audit_auditseal")
        cursor.execute("DELETE FROM audit_auditanchor")
        cursor.execute("DELETE FROM audit_logleaf")
        cursor.execute("INSERT INTO audit_auditwaiting SELECT id FROM audit_auditevent")
    seal_events(NOW)
    assert check_chain().faults == ()
    assert check_log().faults != ()


@pytest.mark.parametrize("table", ["audit_auditseal", "audit_auditanchor"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET head = head", "DELETE FROM {}", "TRUNCATE {}"])
def test_the_database_refuses_to_change_seals_and_anchors(table: str, statement: str) -> None:
    write(1)
    seal_events(NOW)
    with pytest.raises(Exception, match="Cannot"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement.format(table))


def test_a_writer_never_waits_for_the_sealer(second_connection: psycopg.Connection[Any]) -> None:
    write(3)
    with transaction.atomic():
        seal_events(NOW)
        second_connection.execute("SET statement_timeout = '3s'")
        second_connection.execute(
            "INSERT INTO audit_auditevent (who, action, object_kind, object_id, details, place)"
            " VALUES ('system', 'tested', 'test', 'meanwhile', '{}', '')"
        )
        second_connection.commit()
    assert seal_events(NOW) == 4


def test_other_leaves_and_anchors_share_the_log() -> None:
    add_leaf(data=b"another", kind="issued", object_id="1")
    write(2)
    seal_events(NOW)
    assert seal_log(NOW) == 2
    assert check_chain().faults == ()

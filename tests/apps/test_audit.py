"""The ledger's order: positions become visible in order and without gaps, and history cannot be changed."""

import threading
import time
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from django.db import Error, connection, transaction

from xinzheng.apps.audit.actions import PersonalDataError, open_entry, record_event, take_position
from xinzheng.apps.audit.models import AuditEvent, Entry, Position
from xinzheng.apps.audit.queries import head_position

PERSON = "110101199003074477"


def in_threads(work: Callable[[int], None], count: int) -> None:
    """Run work(0) … work(count-1) at the same time, each with its own database connection; raise what one raised."""
    raised: list[BaseException] = []

    def run(number: int) -> None:
        try:
            work(number)
        except BaseException as error:
            raised.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    if raised:
        raise raised[0]


def then_fail(work: Callable[[], object]) -> None:
    """Do the work in a transaction that fails afterwards."""

    def do_and_fail() -> None:
        with transaction.atomic():
            work()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        do_and_fail()


@pytest.mark.django_db
def test_an_empty_ledger_stands_at_position_zero() -> None:
    assert head_position() == 0


@pytest.mark.django_db
def test_positions_count_up_by_one_from_one() -> None:
    assert [take_position(open_entry(kind="test", by="system")) for _ in range(3)] == [1, 2, 3]
    assert head_position() == 3


@pytest.mark.django_db
def test_an_entry_keeps_who_what_for_whom_and_when() -> None:
    entry = open_entry(kind="batch", by="command-line", unit_id=7, note={"lines": 3})
    entry.refresh_from_db()
    assert (entry.kind, entry.actor, entry.unit_id, entry.note) == ("batch", "command-line", 7, {"lines": 3})
    assert entry.recorded_at.tzinfo is not None


@pytest.mark.django_db(transaction=True)
def test_a_position_cannot_be_taken_outside_a_transaction() -> None:
    with pytest.raises(transaction.TransactionManagementError):
        open_entry(kind="test", by="system")
    with transaction.atomic():
        entry = open_entry(kind="test", by="system")
    with pytest.raises(transaction.TransactionManagementError):
        take_position(entry)


@pytest.mark.django_db(transaction=True)
def test_a_rolled_back_transaction_leaves_no_gap() -> None:
    then_fail(lambda: take_position(open_entry(kind="lost", by="system")))
    with transaction.atomic():
        assert take_position(open_entry(kind="kept", by="system")) == 1


@pytest.mark.django_db(transaction=True)
def test_a_later_position_waits_until_the_earlier_one_is_committed(second_connection: psycopg.Connection[Any]) -> None:
    taken = threading.Event()
    order: list[str] = []

    def second(_number: int) -> None:
        taken.wait(30)
        with transaction.atomic():
            position = take_position(open_entry(kind="second", by="system"))
            order.append(f"second has {position}")

    waiting = threading.Thread(target=lambda: in_threads(second, 1))
    waiting.start()
    with transaction.atomic():
        assert take_position(open_entry(kind="first", by="system")) == 1
        taken.set()
        time.sleep(0.3)
        assert second_connection.execute("SELECT count(*) FROM audit_position").fetchone() == (0,)
        order.append("first commits")
    waiting.join(30)
    assert order == ["first commits", "second has 2"]


@pytest.mark.django_db(transaction=True)
def test_whoever_looks_while_many_write_never_sees_a_gap(second_connection: psycopg.Connection[Any]) -> None:
    second_connection.autocommit = True
    done = threading.Event()
    seen: list[tuple[int, int]] = []

    def look() -> None:
        while not done.is_set():
            row = second_connection.execute(
                "SELECT count(*), coalesce(max(position), 0) FROM audit_position"
            ).fetchone()
            assert row is not None
            seen.append((row[0], row[1]))

    def write(number: int) -> None:
        for turn in range(10):
            with transaction.atomic():
                entry = open_entry(kind="test", by="system", note={"writer": number})
                # Entries are opened in one order and finish in another.
                time.sleep(0.002 * ((number + turn) % 3))
                take_position(entry)

    looking = threading.Thread(target=look)
    looking.start()
    in_threads(write, 6)
    done.set()
    looking.join(30)
    assert head_position() == 60
    assert len(set(seen)) > 5
    assert [counted for counted, highest in seen if counted != highest] == []
    assert [highest for _, highest in seen] == sorted(highest for _, highest in seen)


HISTORY = ["audit_entry", "audit_position", "audit_auditevent"]


@pytest.mark.django_db
@pytest.mark.parametrize("table", HISTORY)
@pytest.mark.parametrize("statement", ["UPDATE {0} SET {1} = {1}", "DELETE FROM {0}", "TRUNCATE {0} CASCADE"])
def test_the_database_refuses_to_change_history(table: str, statement: str) -> None:
    take_position(open_entry(kind="test", by="system"))
    record_event(who="system", action="tested", object_kind="test", object_id=1)
    column = {"audit_entry": "kind", "audit_position": "entry_id", "audit_auditevent": "who"}[table]
    with connection.cursor() as cursor:
        # Otherwise PostgreSQL would refuse TRUNCATE for another reason: foreign keys that still wait for the commit.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        with pytest.raises(Error, match=f"Cannot .* {table} table|Cannot .* audit_position table"):
            cursor.execute(statement.format(table, column))


@pytest.mark.django_db
def test_the_models_refuse_to_change_history_too() -> None:
    entry = open_entry(kind="test", by="system")
    entry.kind = "another"
    with pytest.raises(Error, match="Cannot"), transaction.atomic():
        entry.save()
    with pytest.raises(Error, match="Cannot"), transaction.atomic():
        Entry.objects.all().delete()
    assert not Position.objects.exists()


@pytest.mark.django_db
def test_an_event_says_who_did_what_to_which_object() -> None:
    record_event(who="account:3", action="report-issued", object_kind="report", object_id=9, details={"pages": 2})
    event = AuditEvent.objects.get()
    assert (event.who, event.action) == ("account:3", "report-issued")
    assert (event.object_kind, event.object_id) == ("report", "9")
    assert event.details == {"pages": 2}


@pytest.mark.django_db(transaction=True)
def test_an_event_falls_with_the_transaction_it_belongs_to() -> None:
    then_fail(lambda: record_event(who="system", action="tested", object_kind="test", object_id=1))
    assert not AuditEvent.objects.exists()


@pytest.mark.django_db
def test_identity_numbers_get_neither_into_events_nor_into_notes() -> None:
    with pytest.raises(PersonalDataError):
        record_event(who="system", action="tested", object_kind="test", object_id=PERSON)
    with pytest.raises(PersonalDataError):
        record_event(who="system", action="tested", object_kind="test", object_id=1, details={"about": [f"号{PERSON}"]})
    with pytest.raises(PersonalDataError):
        open_entry(kind="test", by="system", note={"about": PERSON})

"""Writing behind: one thread writes while another judges, and the connection is never used by both."""

import sys
import time
from threading import Event, get_ident

import pytest
from django.db import connection

from xinzheng.apps.ledger.writing import writing_behind

pytestmark = pytest.mark.django_db


def ask() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def test_what_is_written_behind_goes_through_the_same_connection_in_another_thread() -> None:
    seen: list[tuple[int, int]] = []
    with writing_behind() as writer:
        writer.hand(lambda: seen.append((ask(), get_ident())))
    ((backend, thread),) = seen
    assert backend == ask()
    assert thread != get_ident()


def test_a_statement_of_who_judges_waits_for_the_write_under_way() -> None:
    order: list[str] = []
    may_end = Event()

    def write() -> None:
        ask()
        may_end.wait(5)
        order.append("written")

    with writing_behind() as writer:
        writer.hand(write)
        writer.begin()
        may_end.set()
        ask()
        order.append("asked")
    assert order == ["written", "asked"]


def test_writes_are_done_one_after_the_other_in_the_order_they_were_handed_over() -> None:
    done: list[int] = []

    def write(number: int) -> None:
        time.sleep(0.01 * (3 - number))
        done.append(number)

    with writing_behind() as writer:
        for number in range(3):
            writer.hand(lambda number=number: write(number))  # type: ignore[misc]
    assert done == [0, 1, 2]


def test_a_failed_write_fails_the_delivery_and_the_thread_gives_the_connection_back() -> None:
    def fail() -> None:
        raise ValueError("broken")

    def deliver() -> None:
        with writing_behind() as writer:
            writer.hand(fail)
            writer.begin()
            ask()

    usual = sys.getswitchinterval()
    with pytest.raises(ValueError, match="broken"):
        deliver()
    assert (ask() > 0, sys.getswitchinterval()) == (True, usual)


def test_when_judging_fails_what_was_only_handed_over_is_not_written() -> None:
    done: list[str] = []

    def deliver() -> None:
        with writing_behind() as writer:
            writer.hand(lambda: done.append("written"))
            raise KeyError

    with pytest.raises(KeyError):
        deliver()
    assert (done, ask() > 0) == ([], True)

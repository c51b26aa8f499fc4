"""A second officer lets a held batch in: once, whole, and as if it had been booked when it came."""

import os
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from django.conf import LazySettings
from django.db import connection

from tests.held_city import (
    SECOND,
    content_of,
    everything,
    held_surge,
    numbered,
    refused,
    stated,
    surge,
    taxation_of,
    usual_city,
)
from tests.small_city import BY, PENALTY, SmallCity, today, uscc
from xinzheng.apps.audit.models import AuditEvent
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.ledger.actions import (
    Scope,
    confirm_batch,
    submit_batch,
    withdraw_batch,
    withdraw_coverage,
)
from xinzheng.apps.ledger.errors import IntakeError
from xinzheng.apps.ledger.models import Batch, Defect, Line, RecordVersion
from xinzheng.apps.ledger.queries import batch_summary, pending_for, records_at
from xinzheng.apps.registry.queries import find_subject
from xinzheng.core.decision import Result
from xinzheng.core.subjects import Tie


@pytest.fixture
def city(db: None, tmp_path: Path, settings: LazySettings) -> SmallCity:
    """Everything is covered, and the tax unit has delivered two lines twice."""
    return usual_city(tmp_path, settings)


def test_once_confirmed_the_ledger_says_what_it_would_have_said_at_once(
    city: SmallCity, settings: LazySettings
) -> None:
    held = held_surge(city)
    booked = confirm_batch(batch_id=held.batch, by=SECOND)
    assert (booked.held, booked.reasons, booked.new, booked.is_covered) == (False, (), 8, True)
    assert stated() == [everything()]
    assert taxation_of(uscc(1)) is Result.RECORDS_FOUND
    batch = Batch.objects.select_related("entry").get(pk=booked.batch)
    assert (batch.confirms_id, batch.entry.actor, batch.file_name) == (held.batch, SECOND, "file-3.csv")
    assert bytes(batch.file_sha256) == bytes(Batch.objects.get(pk=held.batch).file_sha256)
    assert batch_summary(held.batch).is_withdrawn
    assert AuditEvent.objects.filter(action="batch-confirmed", who=SECOND, object_id=str(held.batch)).exists()
    assert not Line.objects.filter(entry_id=booked.batch).exists()


def test_nobody_confirms_what_they_sent_and_another_still_can(city: SmallCity) -> None:
    held = held_surge(city)
    with pytest.raises(IntakeError) as error:
        confirm_batch(batch_id=held.batch, by=BY)
    assert error.value.code == "second-officer-needed"
    assert Batch.objects.filter(confirms_id=held.batch).count() == 0
    assert confirm_batch(batch_id=held.batch, by=SECOND).new == 8


def test_what_is_not_held_or_not_there_or_settled_cannot_be_confirmed(city: SmallCity) -> None:
    ordinary = city.submit([numbered(city, 30), numbered(city, 31)])
    confirmed, declined = held_surge(city), city.submit(surge(city, 9))
    confirm_batch(batch_id=confirmed.batch, by=SECOND)
    withdraw_batch(batch_id=declined.batch, reason="报错了文件", by=BY)
    expected = {
        ordinary.batch: "batch-not-held",
        confirmed.batch: "batch-withdrawn-already",
        declined.batch: "batch-withdrawn-already",
        10**9: "unknown-batch",
    }
    for batch, code in expected.items():
        with pytest.raises(IntakeError) as error:
            confirm_batch(batch_id=batch, by=SECOND)
        assert error.value.code == code


def test_what_was_delivered_after_the_held_batch_stays_when_that_is_confirmed(city: SmallCity) -> None:
    held = held_surge(city, is_covering=False)
    city.submit([numbered(city, 1, uscc(1), 处罚内容="罚款5万元"), numbered(city, 40)])
    booked = confirm_batch(batch_id=held.batch, by=SECOND)
    assert (booked.lines, booked.new, booked.changed, booked.duplicate) == (8, 7, 0, 1)
    assert content_of(uscc(1)) == ["罚款5万元"]
    assert content_of(uscc(2)) == ["罚款1万元"]
    assert Defect.objects.get(entry_id=booked.batch, code="delivered-again-since").line == 2


def test_what_was_said_again_after_the_held_batch_stays_too(city: SmallCity) -> None:
    old = numbered(city, 1, uscc(1), 处罚内容="罚款5万元")
    assert not city.submit([old, numbered(city, 40)]).held
    held = held_surge(city, is_covering=False)
    assert held.changed == 1
    assert city.submit([old, numbered(city, 41)]).identical == 1
    assert confirm_batch(batch_id=held.batch, by=SECOND).duplicate == 1
    assert content_of(uscc(1)) == ["罚款5万元"]


def test_what_was_delivered_before_the_held_batch_is_changed_by_it(city: SmallCity) -> None:
    city.submit([numbered(city, 1, uscc(1), 处罚内容="罚款5万元"), numbered(city, 40)])
    held = held_surge(city, is_covering=False)
    assert content_of(uscc(1)) == ["罚款5万元"]
    assert taxation_of(uscc(1)) is Result.RECORDS_FOUND
    assert confirm_batch(batch_id=held.batch, by=SECOND).changed == 1
    assert content_of(uscc(1)) == ["罚款1万元"]


def test_a_held_snapshot_says_nothing_of_records_that_came_after_it(city: SmallCity) -> None:
    snapshot = replace(city.delivery([numbered(city, 100), numbered(city, 101)]), mode="snapshot")
    held = submit_batch(snapshot, by=BY)
    city.submit([numbered(city, 50), numbered(city, 51)])
    assert confirm_batch(batch_id=held.batch, by=SECOND).put_forward == 2


def test_a_statement_taken_back_meanwhile_does_not_come_back(city: SmallCity) -> None:
    held = held_surge(city)
    scope = Scope(city.unit("taxation"), "taxation", PENALTY)
    withdraw_coverage(scope, from_date=today(), through_date=today(), by=BY)
    assert not confirm_batch(batch_id=held.batch, by=SECOND).is_covered
    assert stated() == []


@pytest.mark.django_db(transaction=True)
def test_of_two_confirmations_at_once_one_wins_and_the_other_is_told(
    transactional_db: None, tmp_path: Path, settings: LazySettings
) -> None:
    held = held_surge(usual_city(tmp_path, settings))
    told: list[str] = []

    def confirm(by: str) -> None:
        try:
            told.append(f"{confirm_batch(batch_id=held.batch, by=by).new} booked")
        except IntakeError as error:
            told.append(error.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=confirm, args=(f"account:{n}",)) for n in (2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == ["8 booked", "batch-withdrawn-already"]
    assert Batch.objects.filter(confirms_id=held.batch).count() == 1


def test_what_a_waiting_held_file_repeats_is_not_taken_back_before_it_is_settled(city: SmallCity) -> None:
    first = city.submit([numbered(city, 1, uscc(1)), numbered(city, 40)])
    held = held_surge(city, is_covering=False)
    assert held.identical == 1
    message = refused("held-batch-waits", lambda: withdraw_batch(batch_id=first.batch, reason="报错了文件", by=BY))
    assert f"批次{held.batch}" in message
    assert taxation_of(uscc(1)) is Result.RECORDS_FOUND
    withdraw_batch(batch_id=held.batch, reason="也报错了", by=BY)
    withdraw_batch(batch_id=first.batch, reason="报错了文件", by=BY)
    assert taxation_of(uscc(1)) is Result.NONE_FOUND


def test_what_a_confirmed_file_repeats_stays_when_the_first_is_taken_back(city: SmallCity) -> None:
    first = city.submit([numbered(city, 1, uscc(1)), numbered(city, 40)])
    held = held_surge(city, is_covering=False)
    confirm_batch(batch_id=held.batch, by=SECOND)
    withdraw_batch(batch_id=first.batch, reason="报错了文件", by=BY)
    assert content_of(uscc(1)) == ["罚款1万元"]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_two_held_batches_count_as_they_came_in_whatever_order_they_are_confirmed(
    city: SmallCity, order: tuple[int, int]
) -> None:
    held = [city.submit(surge(city)), city.submit(surge(city, 9, 处罚内容="罚款6万元"))]
    assert all(one.held for one in held)
    for n in order:
        booked = confirm_batch(batch_id=held[n].batch, by=SECOND)
        # The later word settles what the earlier one left open, never the other way round.
        assert booked.mended == (8 if n == 1 and order == (1, 0) else 0)
        assert taxation_of(uscc(1)) is not Result.NONE_FOUND
    assert content_of(uscc(1)) == ["罚款6万元"]
    assert not pending_for([find_subject(uscc(1)) or 0], head_position())


def test_an_older_held_file_does_not_change_what_a_later_one_repeats(city: SmallCity) -> None:
    city.submit([numbered(city, 1, uscc(1)), numbered(city, 40)])
    older, later = city.submit(surge(city, 8, 处罚内容="罚款6万元")), held_surge(city, is_covering=False)
    assert (older.changed, later.identical) == (1, 1)
    refused("held-batch-waits", lambda: confirm_batch(batch_id=older.batch, by=SECOND))
    confirm_batch(batch_id=later.batch, by=SECOND)
    assert confirm_batch(batch_id=older.batch, by=SECOND).duplicate == 8
    assert content_of(uscc(1)) == ["罚款1万元"]


def test_a_held_file_mends_only_what_was_broken_before_it(city: SmallCity) -> None:
    city.firm(uscc(1))
    before = numbered(city, 1, uscc(1), 处罚决定日期="2026-02-30")
    city.submit([before, numbered(city, 40)])
    held = held_surge(city, is_covering=False)
    after = numbered(city, 2, uscc(2), 处罚决定日期="2026-02-30")
    city.submit([after, numbered(city, 41)])
    assert confirm_batch(batch_id=held.batch, by=SECOND).mended == 1
    subjects = [find_subject(uscc(n)) or 0 for n in (1, 2)]
    assert [bool(pending_for([subject], head_position())) for subject in subjects] == [False, True]


def test_a_confirmed_batch_can_be_taken_back_whole(city: SmallCity) -> None:
    held = held_surge(city, is_covering=False)
    booked = confirm_batch(batch_id=held.batch, by=SECOND)
    assert withdraw_batch(batch_id=booked.batch, reason="仍有错误", by=SECOND).gone == 8
    assert taxation_of(uscc(1)) is Result.NONE_FOUND


def test_at_no_position_is_a_held_line_neither_waiting_nor_booked(city: SmallCity) -> None:
    held = held_surge(city, is_covering=False)
    subject = find_subject(uscc(1))
    assert subject is not None
    confirm_batch(batch_id=held.batch, by=SECOND)
    for position in range(held.position, head_position() + 1):
        is_booked = bool(records_at({subject: Tie.SELF}, position, "320500"))
        assert is_booked or pending_for([subject], position), position


CONFIRM = """
import sys, django
django.setup()
from xinzheng.apps.ledger.actions import confirm_batch
print("began", flush=True)
confirm_batch(batch_id=int(sys.argv[1]), by="account:2")
print("done", flush=True)
"""
MANY = 20_000
WRITING = """
    SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
    AND query ~ 'ledger_(fates|recordversion|recordhead)' AND state <> 'idle'
"""


def is_writing(other: "psycopg.Connection[object]") -> bool:
    row = other.execute(WRITING).fetchone()
    other.commit()
    return bool(row and row[0])


@pytest.mark.slow
def test_kill_9_while_confirming_leaves_the_batch_held_and_it_can_be_confirmed_again(
    transactional_db: None,
    tmp_path: Path,
    settings: LazySettings,
    second_connection: "psycopg.Connection[object]",
) -> None:
    city = usual_city(tmp_path, settings)
    held = city.submit([numbered(city, 1000 + n, uscc(n % 500)) for n in range(MANY)], covers=everything())
    known, before = RecordVersion.objects.count(), head_position()
    database = connection.settings_dict
    parts = {"dbname": "NAME", "user": "USER", "host": "HOST", "port": "PORT"}
    url = " ".join(f"{key}={database[name]}" for key, name in parts.items() if database[name])
    child = subprocess.Popen(
        [sys.executable, "-c", CONFIRM, str(held.batch)],
        env=os.environ | {"XINZHENG_DATABASE_URL": url, "PYTHONPATH": "src"},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "began\n"
    while not is_writing(second_connection) and child.poll() is None:
        time.sleep(0.005)
    child.kill()
    assert "done" not in child.stdout.read()
    child.wait()
    child.stdout.close()

    assert not batch_summary(held.batch).is_withdrawn
    assert (RecordVersion.objects.count(), head_position()) == (known, before)
    booked = confirm_batch(batch_id=held.batch, by=SECOND)
    assert (booked.new, booked.position) == (MANY, before + 1)
    assert Batch.objects.filter(confirms_id=held.batch).count() == 1

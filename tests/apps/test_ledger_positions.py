"""What stands at a position never changes, also while a long delivery is committing; a killed one leaves nothing."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import psycopg
import pytest
from django.db import connection, transaction

from tests.running_site import database_url
from tests.small_city import BY, LONG_AGO, PENALTY, SmallCity, build_small_city, today, uscc
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.ledger.actions import Delivery, Scope, declare_coverage, submit_batch
from xinzheng.apps.ledger.models import Batch, CoverageStatement, Defect, Line, RecordHead, RecordVersion
from xinzheng.apps.ledger.queries import case_coverage, records_at
from xinzheng.core.subjects import Tie

MANY = 60_000
PAUSE = 0.05  # between looks, in seconds: whoever only looks keeps the delivery from ending
TAKE_IN = """
import sys, django
from pathlib import Path
django.setup()
from xinzheng.apps.ledger.actions import Delivery, Scope, submit_batch
file, unit = sys.argv[1:]
print("began", flush=True)
submit_batch(Delivery(Path(file), Scope(unit, "taxation", "administrative_penalty")), by="test")
print("done", flush=True)
"""


@pytest.fixture
def city(transactional_db: None, tmp_path: Path) -> SmallCity:
    return build_small_city(tmp_path, units_per_domain=1)


def many_rows(city: SmallCity) -> Delivery:
    rows = [city.penalty(uscc(n % 500), f"苏税罚〔2026〕{n}号") for n in range(MANY)]
    return city.delivery(rows, covers=(LONG_AGO, today()))


def test_what_an_older_position_says_holds_while_a_long_delivery_commits(city: SmallCity) -> None:
    firm = city.firm(uscc(1))
    city.submit([city.penalty(uscc(1), "苏税罚〔2025〕9号")], covers=(LONG_AGO, today()))
    position = head_position()
    expected = (records_at({firm: Tie.SELF}, position, "320500"), case_coverage("suzhou-2024", [firm], position))
    delivery = many_rows(city)
    failed: list[BaseException] = []

    def deliver() -> None:
        try:
            submit_batch(delivery, by=BY)
        except BaseException as error:
            failed.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=deliver)
    thread.start()
    reads = 0
    while thread.is_alive():
        found = (records_at({firm: Tie.SELF}, position, "320500"), case_coverage("suzhou-2024", [firm], position))
        assert found == expected
        latest = records_at({firm: Tie.SELF}, head_position(), "320500")
        assert len(latest) in (1, 1 + MANY // 500)
        reads += 1
        thread.join(PAUSE)
    assert failed == []
    assert reads > 10
    assert len(records_at({firm: Tie.SELF}, head_position(), "320500")) == 1 + MANY // 500
    assert records_at({firm: Tie.SELF}, position, "320500") == expected[0]


def test_a_long_delivery_keeps_no_statement_waiting(city: SmallCity) -> None:
    """Positions are given at the very end: whoever states coverage meanwhile commits at once, and before it."""
    submit_done = threading.Event()
    delivery = many_rows(city)
    results: list[int] = []

    def deliver() -> None:
        results.append(submit_batch(delivery, by=BY).position)
        submit_done.set()
        connection.close()

    thread = threading.Thread(target=deliver)
    thread.start()
    scope = Scope(city.unit("transport"), "transport", PENALTY)
    declared = declare_coverage(scope, from_date=LONG_AGO, through_date=today(), by=BY)
    assert not submit_done.is_set()
    thread.join()
    assert results[0] > declared.position


def test_two_deliveries_at_once_are_merged_one_after_the_other(city: SmallCity) -> None:
    deliveries = [city.delivery([city.penalty(uscc(n)) for n in range(50)]) for _ in range(4)]
    failed: list[BaseException] = []

    def deliver(delivery: Delivery) -> None:
        try:
            submit_batch(delivery, by=BY)
        except BaseException as error:
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=deliver, args=(d,)) for d in deliveries]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert RecordVersion.objects.count() == RecordHead.objects.count() == 50
    assert sorted(Batch.objects.values_list("new", "identical")) == [(0, 50), (0, 50), (0, 50), (50, 0)]
    assert head_position() == 5


def merging_now(other: "psycopg.Connection[object]") -> bool:
    row = other.execute(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        " AND query ~ 'ledger_(staging|fates)_|ledger_recordversion' AND state <> 'idle'"
    ).fetchone()
    other.commit()
    return bool(row and row[0])


@pytest.mark.slow
@pytest.mark.parametrize("delay", [0.0, 0.15, 0.4])
def test_kill_9_in_the_middle_leaves_nothing_and_the_file_can_be_sent_again(
    city: SmallCity, second_connection: "psycopg.Connection[object]", delay: float
) -> None:
    delivery = many_rows(city)
    before = head_position()
    child = subprocess.Popen(
        [sys.executable, "-c", TAKE_IN, str(delivery.file), delivery.scope.unit_uscc],
        env=os.environ | {"XINZHENG_DATABASE_URL": database_url(), "PYTHONPATH": "src"},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "began\n"
    while not merging_now(second_connection) and child.poll() is None:
        time.sleep(0.005)
    time.sleep(delay)
    child.kill()
    assert "done" not in child.stdout.read()
    child.wait()
    child.stdout.close()

    again = submit_batch(delivery, by=BY)

    assert (again.lines, again.new) == (MANY, MANY)
    assert again.position == before + 1
    entries = {again.batch}
    assert set(Batch.objects.values_list("entry_id", flat=True)) == entries
    assert set(RecordVersion.objects.values_list("entry_id", flat=True).distinct()) == entries
    assert set(CoverageStatement.objects.values_list("entry_id", flat=True)) == entries
    assert RecordHead.objects.count() == MANY
    assert not Line.objects.exclude(entry_id=again.batch).exists()
    assert not Defect.objects.exclude(entry_id=again.batch).exists()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_class WHERE relname ~ '^ledger_(staging|fates)_'")
        assert cursor.fetchone() == (0,)

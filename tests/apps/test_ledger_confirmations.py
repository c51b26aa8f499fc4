"""A confirmation waits like an upload, is taken in behind the scenes, and books once."""

import threading
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.db import connection
from django.utils import timezone

from tests.held_city import SECOND, everything, held_surge, numbered, surge, taxation_of, usual_city
from tests.small_city import BY, SmallCity, uscc
from xinzheng.apps.ledger.actions import confirm_batch, queue_confirmation, withdraw_batch
from xinzheng.apps.ledger.errors import IntakeError
from xinzheng.apps.ledger.models import Batch, CoverageStatement, Upload
from xinzheng.apps.ledger.queries import batch_summary, confirmation_of, held_batches
from xinzheng.apps.ledger.uploads import requeue_broken_off, take_in_upload
from xinzheng.core.decision import Result


@pytest.fixture
def city(transactional_db: None, tmp_path: Path, settings: LazySettings) -> SmallCity:
    """Everything is covered, and the tax unit has delivered two lines twice."""
    return usual_city(tmp_path, settings)


def jobs_of(upload: Upload) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'ledger.run_intake'"
            " AND (args->>'upload_id')::bigint = %s",
            [upload.pk],
        )
        return int(cursor.fetchone()[0])


def test_a_queued_confirmation_changes_nothing_until_it_is_taken_in_and_then_books_what_confirming_does(
    city: SmallCity,
) -> None:
    held = held_surge(city)
    queued = queue_confirmation(batch_id=held.batch, by=SECOND)
    assert (queued.state, queued.lines_total, queued.pieces.count(), jobs_of(queued)) == ("queued", 8, 0, 1)
    assert (queued.from_date, queued.through_date) == everything()
    assert taxation_of(uscc(1)) is Result.NOT_VERIFIABLE
    assert [found.is_being_confirmed for found in held_batches()] == [True]

    result = take_in_upload(queued.pk)

    assert result is not None
    assert (result.held, result.new, result.is_covered) == (False, 8, True)
    queued.refresh_from_db()
    assert (queued.state, queued.batch_id, queued.lines_done) == ("done", result.batch, 8)
    booked = Batch.objects.select_related("entry").get(pk=result.batch)
    assert (booked.confirms_id, booked.entry.actor) == (held.batch, SECOND)
    assert taxation_of(uscc(1)) is Result.RECORDS_FOUND
    assert not held_batches()


def test_its_progress_is_told_while_it_runs(city: SmallCity) -> None:
    held = held_surge(city)
    told = list[int]()
    confirm_batch(batch_id=held.batch, by=SECOND, progress=told.append)
    assert told[-1] == 8


def test_what_cannot_be_confirmed_is_refused_at_once_and_nothing_is_queued(city: SmallCity) -> None:
    ordinary = city.submit([numbered(city, 30), numbered(city, 31)])
    held, declined = held_surge(city), city.submit(surge(city, 9))
    withdraw_batch(batch_id=declined.batch, reason="报错了文件", by=BY)
    expected = {
        (ordinary.batch, SECOND): "batch-not-held",
        (declined.batch, SECOND): "batch-withdrawn-already",
        (10**9, SECOND): "unknown-batch",
        (held.batch, BY): "second-officer-needed",
    }
    for (batch, by), code in expected.items():
        with pytest.raises(IntakeError) as error:
            queue_confirmation(batch_id=batch, by=by)
        assert error.value.code == code
    assert not Upload.objects.exists()


def test_asked_again_and_taken_in_again_it_books_once(city: SmallCity) -> None:
    held = held_surge(city)
    queued = queue_confirmation(batch_id=held.batch, by=SECOND)
    assert queue_confirmation(batch_id=held.batch, by="account:3").pk == queued.pk
    assert jobs_of(queued) == 1
    assert take_in_upload(queued.pk) is not None
    assert take_in_upload(queued.pk) is None
    with pytest.raises(IntakeError) as error:
        queue_confirmation(batch_id=held.batch, by=SECOND)
    assert error.value.code == "batch-withdrawn-already"
    assert Batch.objects.filter(confirms_id=held.batch).count() == 1
    assert CoverageStatement.objects.filter(batch_id=Batch.objects.get(confirms_id=held.batch).pk).count() == 1


def test_two_officers_who_confirm_at_once_queue_one_confirmation(city: SmallCity) -> None:
    held = held_surge(city)
    queued, gate = list[int](), threading.Barrier(2)

    def confirm(by: str) -> None:
        try:
            gate.wait()
            queued.append(queue_confirmation(batch_id=held.batch, by=by).pk)
        finally:
            connection.close()

    threads = [threading.Thread(target=confirm, args=(f"account:{n}",)) for n in (2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(queued) == 2
    assert len(set(queued)) == 1


def test_what_a_killed_worker_left_is_queued_again_and_books_once(city: SmallCity) -> None:
    held = held_surge(city)
    queued = queue_confirmation(batch_id=held.batch, by=SECOND)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET status = 'doing' WHERE task_name = 'ledger.run_intake'")
    long_ago = timezone.now() - timedelta(hours=1)
    Upload.objects.filter(pk=queued.pk).update(state="running", created_at=long_ago)
    assert requeue_broken_off() == 1
    assert jobs_of(queued) == 2
    assert take_in_upload(queued.pk) is not None
    assert Batch.objects.filter(confirms_id=held.batch).count() == 1


def test_one_that_is_taken_back_meanwhile_fails_and_says_so(city: SmallCity) -> None:
    held = held_surge(city)
    queued = queue_confirmation(batch_id=held.batch, by=SECOND)
    withdraw_batch(batch_id=held.batch, reason="文件不完整", by=BY)
    assert take_in_upload(queued.pk) is None
    found = confirmation_of(held.batch)
    assert found is not None
    assert (found.state, found.failure_code) == ("failed", "batch-withdrawn-already")
    assert "已经撤回，不能确认" in found.message
    assert not Batch.objects.filter(confirms_id=held.batch).exists()


def test_one_that_is_refused_leaves_the_batch_held_and_can_be_queued_anew(city: SmallCity) -> None:
    city.submit([numbered(city, 1, uscc(1)), numbered(city, 40)])
    older, later = city.submit(surge(city, 8, 处罚内容="罚款6万元")), held_surge(city, is_covering=False)
    first = queue_confirmation(batch_id=older.batch, by=SECOND)
    assert take_in_upload(first.pk) is None
    first.refresh_from_db()
    assert (first.state, first.failure_code) == ("failed", "held-batch-waits")
    assert not batch_summary(older.batch).is_withdrawn
    confirm_batch(batch_id=later.batch, by=SECOND)
    second = queue_confirmation(batch_id=older.batch, by=SECOND)
    assert second.pk != first.pk
    assert take_in_upload(second.pk) is not None

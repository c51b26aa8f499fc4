"""An uploaded file is taken in behind the scenes, once, and its outcome is told."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone

from tests.small_city import BY, LONG_AGO, SmallCity, build_small_city, today, uscc
from xinzheng.apps.ledger.actions import queue_upload
from xinzheng.apps.ledger.errors import CoverageError, IntakeError
from xinzheng.apps.ledger.models import Batch, Upload, UploadPiece
from xinzheng.apps.ledger.uploads import requeue_broken_off, take_in_upload


@pytest.fixture
def city(transactional_db: None, tmp_path: Path) -> SmallCity:
    return build_small_city(tmp_path, units_per_domain=1)


def jobs_of(upload_id: int | None = None) -> int:
    """Jobs that take an upload in (None: any); the queue's own tables outlive a test."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'ledger.run_intake'"
            " AND (%(id)s::bigint IS NULL OR (args->>'upload_id')::bigint = %(id)s)",
            {"id": upload_id},
        )
        return int(cursor.fetchone()[0])


def test_an_upload_becomes_a_batch_with_its_name_and_statement(city: SmallCity) -> None:
    delivery = replace(city.delivery([city.penalty(uscc(1))], covers=(LONG_AGO, today())), file_name="十一月.csv")
    upload = queue_upload(delivery, by=BY)
    delivery.file.unlink()
    assert jobs_of(upload.pk) == 1
    assert uscc(1).encode() not in b"".join(bytes(p.chunk) for p in upload.pieces.all())

    result = take_in_upload(upload.pk)

    assert result is not None
    upload.refresh_from_db()
    assert (upload.state, upload.batch_id, upload.lines_done, upload.lines_total) == ("done", result.batch, 1, 1)
    assert Batch.objects.get(pk=result.batch).file_name == "十一月.csv"
    assert not UploadPiece.objects.exists()
    assert result.is_covered


def test_taking_in_twice_makes_one_batch(city: SmallCity) -> None:
    upload = queue_upload(city.delivery([city.penalty(uscc(1))]), by=BY)
    assert take_in_upload(upload.pk) is not None
    assert take_in_upload(upload.pk) is None
    assert Batch.objects.count() == 1


def test_a_file_that_cannot_be_read_fails_with_its_reason(city: SmallCity, tmp_path: Path) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_bytes(b"%PDF-1.7 ...")
    upload = queue_upload(replace(city.delivery([city.penalty(uscc(1))]), file=bad), by=BY)
    assert take_in_upload(upload.pk) is None
    upload.refresh_from_db()
    assert upload.state == "failed"
    assert "不是表格" in upload.message
    assert not Batch.objects.exists()
    assert not UploadPiece.objects.exists()


def test_what_is_plainly_wrong_is_refused_before_it_is_queued(city: SmallCity) -> None:
    delivery = city.delivery([city.penalty(uscc(1))])
    before = jobs_of()
    with pytest.raises(CoverageError):
        queue_upload(replace(delivery, covers=(today(), today() + timedelta(days=9))), by=BY)
    with pytest.raises(IntakeError):
        queue_upload(replace(delivery, scope=replace(delivery.scope, unit_uscc="nobody")), by=BY)
    assert not Upload.objects.exists()
    assert jobs_of() == before


def test_what_a_killed_worker_left_is_queued_again_and_done_once(city: SmallCity) -> None:
    upload = queue_upload(city.delivery([city.penalty(uscc(1))]), by=BY)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET status = 'doing' WHERE task_name = 'ledger.run_intake'")
    long_ago = timezone.now() - timedelta(hours=1)
    Upload.objects.filter(pk=upload.pk).update(state="running", created_at=long_ago)
    assert requeue_broken_off() == 1
    assert requeue_broken_off() == 0
    assert jobs_of(upload.pk) == 2
    assert take_in_upload(upload.pk) is not None
    assert Batch.objects.count() == 1

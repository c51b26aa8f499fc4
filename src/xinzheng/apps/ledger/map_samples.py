"""Samples (样本文件): the file somebody makes a column map for, kept encrypted for an hour at the most.

Of a text only the beginning is kept; a workbook cannot be cut, and is refused when it is large.
"""

import tempfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from xinzheng.apps.ledger.delivery import today_in_china
from xinzheng.apps.ledger.map_models import MapSample, StoredMap
from xinzheng.apps.ledger.maps import ColumnMapError, column_maps_of
from xinzheng.apps.ledger.models import Upload, UploadPiece
from xinzheng.apps.ledger.reading import Reading, defaults_of, tabular
from xinzheng.apps.ledger.uploads import KEPT_FOR_MAPPING, is_kept_for_mapping, opened_upload, queue_again
from xinzheng.apps.registry.keys import decrypt, encrypt, new_data_key, unwrap_key, wrap_key

KEPT_FOR = timedelta(hours=1)
TEXT_BYTES = 2 * 1024**2
WORKBOOK_BYTES = 20 * 1024**2
WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")


@dataclass(frozen=True)
class SampleFile:
    """A file to make a map for: whose, of which kind of record, and what it was called; ``upload_id`` if it failed."""

    unit_id: int
    kind: str
    file: Path
    file_name: str
    upload_id: int | None = None


@transaction.atomic
def keep_sample(given: SampleFile, *, by: str) -> MapSample:
    """Keep a sample for the time of editing. Raises ColumnMapError ``sample-too-large``."""
    key = new_data_key()
    sample = MapSample(
        unit_id=given.unit_id, by=by, kind=given.kind, file_name=given.file_name, upload_id=given.upload_id
    )
    sample.wrapped_key = wrap_key(key, sample_owner(sample.pk))
    sample.content = encrypt(key, zlib.compress(_beginning(given.file)), sample_owner(sample.pk))
    sample.save(force_insert=True)
    return sample


def keep_failed_upload(upload: Upload, unit_id: int, *, by: str) -> MapSample:
    """The file of an upload that failed for its headings, as a sample. Raises ColumnMapError ``upload-gone``."""
    if not is_kept_for_mapping(upload):
        message = "这份文件已经清除（失败的上传只保留1小时），请新建列对照时重新选择文件。"
        raise ColumnMapError(message, code="upload-gone")
    with opened_upload(upload) as file:
        return keep_sample(SampleFile(unit_id, upload.kind, file, upload.file_name, upload.pk), by=by)


def sample_of(unit_id: int, sample_id: UUID) -> MapSample:
    """A unit's sample, while it is kept. Raises ColumnMapError ``sample-gone``."""
    kept_since = timezone.now() - KEPT_FOR
    found = MapSample.objects.filter(pk=sample_id, unit_id=unit_id, created_at__gt=kept_since)
    sample = found.select_related("upload").first()
    if sample is None:
        raise ColumnMapError("样本文件已经清除（只保留1小时），请重新选择文件。", code="sample-gone")
    return sample


def preview_sample(sample: MapSample, content: Mapping[str, Any] | None, rows: int = 20) -> Any:
    """The adapter's ``Preview`` of a sample under a map's content. Raises TabularError."""
    reading = Reading(sample.kind, sample.kind, today_in_china(), sample.file_name, content)
    with _opened(sample) as file:
        return tabular().preview(file, defaults_of(reading), rows)


def best_map(sample: MapSample) -> tuple[str | None, bool]:
    """The name of the map there is that takes most of the sample's headings, and whether it leaves nothing missing."""
    best: tuple[int, bool, str] | None = None
    for summary in column_maps_of(sample.unit_id, sample.kind):
        seen = preview_sample(sample, summary.content, rows=0)
        taken = sum(heading.how == "mapped" for heading in seen.headings)
        if taken and (best is None or (taken, not seen.missing) > best[:2]):
            best = (taken, not seen.missing, summary.name)
    return (None, False) if best is None else (best[2], best[1])


@transaction.atomic
def deliver_sample(sample: MapSample, column_map: StoredMap, *, by: str) -> Upload:
    """Queue the failed upload a sample was taken from once more, by a map; the sample is dropped.

    Raises ColumnMapError ``upload-gone``.
    """
    if sample.upload is None or not is_kept_for_mapping(sample.upload):
        raise ColumnMapError("这份文件已经清除（失败的上传只保留1小时），请重新选择文件报送。", code="upload-gone")
    queue_again(sample.upload, column_map, by=by)
    sample.delete()
    return sample.upload


def drop_kept_files() -> int:
    """Delete samples, and files of failed uploads, that were kept long enough; how many rows."""
    kept_since = timezone.now() - KEPT_FOR
    samples, _ = MapSample.objects.filter(created_at__lte=kept_since).delete()
    failed = UploadPiece.objects.filter(
        upload__state=Upload.State.FAILED, upload__failed_at__lte=timezone.now() - KEPT_FOR_MAPPING
    )
    pieces, _ = failed.delete()
    return samples + pieces


@contextmanager
def _opened(sample: MapSample) -> Iterator[Path]:
    key = unwrap_key(bytes(sample.wrapped_key), sample_owner(sample.pk))
    with tempfile.TemporaryDirectory(prefix="xinzheng-sample-") as folder:
        file = Path(folder) / "file"
        file.write_bytes(zlib.decompress(decrypt(key, bytes(sample.content), sample_owner(sample.pk))))
        yield file


def _beginning(file: Path) -> bytes:
    with file.open("rb") as opened:
        data = opened.read(WORKBOOK_BYTES + 1)
    if data.startswith(WORKBOOKS):
        if len(data) > WORKBOOK_BYTES:
            message = f"样本文件超过{WORKBOOK_BYTES // 1024**2} MB，请另存前几百行再上传；列对照可以用来报送整个文件。"
            raise ColumnMapError(message, code="sample-too-large")
        return data
    if len(data) <= TEXT_BYTES:
        return data
    # Cut behind a whole line: the byte of a line's end is part of no other character.
    return data[: data.rfind(b"\n", 0, TEXT_BYTES) + 1] or data[:TEXT_BYTES]


def sample_owner(sample_id: UUID) -> str:
    """What a sample, and its key, are bound to."""
    return f"map-sample:{sample_id}"

"""Files of a batch to take away (批次文件): the file as it came, and the lines to correct; never whole in memory."""

import hashlib
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

import polars as pl
from django.db import connection, transaction

from xinzheng.apps.audit.actions import record_event
from xinzheng.apps.ledger.errors import IntakeError
from xinzheng.apps.ledger.models import Batch
from xinzheng.apps.ledger.raw_files import RawFileError, restore_raw_file
from xinzheng.apps.ledger.reading import write_lines

MEDIA_TYPES = {
    ".csv": "text/csv",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".xls": "application/vnd.ms-excel",
    ".jsonl": "application/jsonl",
}
UNKNOWN_TYPE = "application/octet-stream"

# What is wrong with some lines, each line's in the order it was found.
PROBLEMS = """
    SELECT line, string_agg(message, '；' ORDER BY id) FROM ledger_defect
    WHERE entry_id = %(batch)s AND line BETWEEN %(first)s AND %(last)s
    AND (%(unit)s::bigint IS NULL OR line IN (
        SELECT l.line FROM ledger_line l
        WHERE l.entry_id = %(batch)s AND l.unit_id = %(unit)s AND l.status = 'rejected'))
    GROUP BY line ORDER BY line
"""


@dataclass(frozen=True)
class KeptFile:
    """A file to hand out: its name, media type, SHA-256 (hexadecimal; of the file as it came), and it, open."""

    name: str
    media_type: str
    sha256: str
    content: IO[bytes]


@transaction.atomic
def fetch_raw_file(*, batch_id: int, by: str) -> KeptFile:
    """The batch's file as it came (原始文件); that it was fetched is in the audit trail.

    Raises:
        IntakeError: ``unknown-batch``.
        RawFileError, KeyFileError: it cannot be restored, or is not what was delivered.
    """
    batch, content = _restored(batch_id)
    sha256 = bytes(batch.file_sha256).hex()
    if _sha256(Path(content.name)) != sha256:
        raise RawFileError(f"批次{batch_id}的原始文件与报送时的摘要值不符，请从备份恢复数据库后再试。", batch=batch_id)
    record_event(who=by, action="raw-file-fetched", object_kind="batch", object_id=batch_id)
    media_type = MEDIA_TYPES.get(Path(batch.file_name).suffix.lower(), UNKNOWN_TYPE)
    return KeptFile(batch.file_name, media_type, sha256, content)


@transaction.atomic
def fetch_defects_file(*, batch_id: int, by: str, unit_id: int | None = None) -> IO[bytes]:
    """The lines with problems, with their original columns and all that is wrong, as CSV for a spreadsheet.

    What is wrong is what the ledger kept, whoever found it: the file's checks, the register, the ledger itself. With
    ``unit_id`` only the rejected lines that this unit answers for, of a file that another one brought, say.

    Raises:
        IntakeError: ``unknown-batch``.
        RawFileError, KeyFileError: the batch's file cannot be restored.
    """
    batch, content = _restored(batch_id)
    with ExitStack() as unless_done:
        written = unless_done.enter_context(tempfile.TemporaryFile(prefix="xinzheng-defects-"))
        with content:
            write_lines(Path(content.name), batch, partial(_problems, batch_id, unit_id), written)
        written.seek(0)
        record_event(who=by, action="defects-fetched", object_kind="batch", object_id=batch_id)
        unless_done.pop_all()
    return written


def _restored(batch_id: int) -> tuple[Batch, IO[bytes]]:
    """The batch and its file; the file is gone when it is closed."""
    batch = Batch.objects.filter(pk=batch_id).select_related("entry").first()
    if batch is None:
        raise IntakeError(f"没有编号为{batch_id}的批次，请核对。", code="unknown-batch")
    with ExitStack() as unless_done:
        content = unless_done.enter_context(tempfile.NamedTemporaryFile(prefix="xinzheng-raw-"))
        restore_raw_file(batch, Path(content.name))
        unless_done.pop_all()
    return batch, content


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _problems(batch_id: int, unit_id: int | None, first: int, last: int) -> pl.DataFrame:
    with connection.cursor() as cursor:
        cursor.execute(PROBLEMS, {"batch": batch_id, "unit": unit_id, "first": first, "last": last})
        rows = cursor.fetchall()
    return pl.DataFrame(rows, schema={"line": pl.Int64, "message": pl.String}, orient="row")

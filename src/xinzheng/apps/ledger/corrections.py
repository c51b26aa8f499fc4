"""Correcting one record (更正): a batch of one line in the transaction of the objection it answers.

There is no second way into the ledger: checks, raw file, rank, mending and position come along. Only the floors, which
judge a unit's usual files, do not. A person's name and number are in no record: they are added in memory, and kept
only in the batch's sealed raw file.
"""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import polars as pl
from django.db import connection, transaction
from django.db.models import Max

from xinzheng.apps.audit.models import Position
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.ledger.delivery import CORRECTION, Delivery, Scope
from xinzheng.apps.ledger.errors import IntakeError
from xinzheng.apps.ledger.intake import BatchResult, take_in
from xinzheng.apps.ledger.merge import begin_merging_soon
from xinzheng.apps.ledger.models import Defect, RecordVersion
from xinzheng.apps.ledger.ranks import returned_versions
from xinzheng.apps.ledger.reading import tabular
from xinzheng.apps.registry.persons import full_identity
from xinzheng.apps.registry.queries import subject_at

FILE_NAME = "异议更正.jsonl"

# A head without a digest is that of a record that is gone.
CURRENT = """
    SELECT h.record_id, h.version_id, h.unit_id, coalesce(b.unit_id, h.unit_id), h.subject_id, v.domain, v.kind,
           v.payload
    FROM ledger_recordhead h
    JOIN ledger_recordversion v ON v.id = h.version_id AND v.subject_id = h.subject_id
    LEFT JOIN ledger_batch b ON b.entry_id = v.batch_id
"""
OF_RECORD = f"{CURRENT} WHERE h.record_id = %(record)s AND h.payload_sha256 IS NOT NULL"
SINCE = f"""
    {CURRENT} JOIN audit_position p ON p.entry_id = v.entry_id
    WHERE h.subject_id = %(subject)s AND h.kind = %(kind)s AND h.payload_sha256 IS NOT NULL
    AND p.position > %(after)s AND (%(document)s::text IS NULL OR v.document_key = %(document)s)
    AND (%(domain)s::text IS NULL OR v.domain = %(domain)s) AND v.sealed IS NOT TRUE
    ORDER BY p.position DESC, h.record_id DESC LIMIT 1
"""


@dataclass(frozen=True)
class CurrentRow:
    """What the ledger says of a record now (现有内容), as a person would type it.

    ``unit_id`` answers for it, ``delivered_by`` is the unit whose file brought it: another one where ``is_returned``
    (数据回流), unless the answering unit has sent the same since. ``values`` are the cells by field id of the record's
    format; a natural person's hold neither name nor number.
    """

    record_id: int
    version_id: int
    unit_id: int
    delivered_by: int
    subject_id: int
    domain: str
    kind: str
    values: Mapping[str, str]
    is_returned: bool


@dataclass(frozen=True)
class CorrectedRow:
    """A row as it should be (更正后的内容): of which subject, and from the unit that answers for it.

    ``values`` by field id, empty ones left out or empty. With a ``record_id`` it has to be that record which changes.
    """

    subject_id: int
    domain: str
    kind: str
    unit_uscc: str
    values: Mapping[str, str]
    record_id: int | None = None
    file_name: str = FILE_NAME


def current_row(record_id: int) -> CurrentRow:
    """What a record says now. Raises IntakeError ``unknown-record``, also where it was taken out."""
    found = _found(OF_RECORD, {"record": record_id})
    if found is None:
        raise IntakeError("没有这条记录，或者已经撤下，请刷新后核对。", code="unknown-record")
    return found


def head_since(
    subject_id: int, kind: str, document_key: str | None, after_entry: int, *, domain: str | None = None
) -> CurrentRow | None:
    """The subject's record of a kind that was delivered or changed after an entry, the latest first; None without.

    Of any domain unless told; a sealed one (依法封存) is none.
    ``document_key`` is the normalised document number, of a credit repair that of the penalty; without one, as
    lists and arrears are, any record of the kind.
    """
    after = Position.objects.filter(entry_id=after_entry).values_list("position", flat=True).first()
    if after is None:
        after = Position.objects.filter(entry_id__lt=after_entry).aggregate(last=Max("position"))["last"] or 0
    asked = {"subject": subject_id, "kind": kind, "document": document_key or None, "after": after, "domain": domain}
    return _found(SINCE, asked)


@transaction.atomic
def submit_correction(row: CorrectedRow, *, by: str) -> BatchResult:
    """Deliver the corrected row, in the caller's transaction if there is one; nothing of it stays when it is refused.

    Raises:
        IntakeError: ``correction-rejected`` with ``defects`` in the context (``field`` id, ``message``): rejected by
            a check, another unit's record, another subject's or another record than the one named;
            ``correction-unchanged``; ``ledger-busy``; as of :func:`~xinzheng.apps.ledger.delivery.answering`.
    """
    begin_merging_soon()
    with _in_memory(_line(row)) as file:
        scope = Scope(row.unit_uscc, row.domain, row.kind)
        done = take_in(Delivery(file, scope, mode=CORRECTION, file_name=row.file_name), by=by)
    if done.identical:
        message = "更正后的内容与现有的相同，没有可以更正的。请改正有误的栏目；原内容无误的，办理为异议不成立。"
        raise IntakeError(message, code="correction-unchanged")
    if done.new + done.changed != 1:
        _refuse(*_defects(row.kind, done.batch))
    _check_record(row, done.batch)
    return done


def _check_record(row: CorrectedRow, batch_id: int) -> None:
    version = RecordVersion.objects.filter(batch_id=batch_id, entry_id=batch_id).get()
    if version.subject_id != row.subject_id:
        _refuse(("", "更正后的内容写的是另一个主体。记录不属于该主体的，请办理为撤下记录。"))
    if row.record_id is not None and version.record_id != row.record_id:
        _refuse(("", "更正后的文号、机关等栏目指向另一条记录。请办理为撤下并另行报送，使原记录不再计入。"))


def _defects(kind: str, batch_id: int) -> list[tuple[str, str]]:
    """Field id, or nothing where the whole line is meant, and message of what rejected the line."""
    ids = tabular().column_ids(kind)
    found = Defect.objects.filter(entry_id=batch_id, severity="error").order_by("id")
    return [(ids.get(column, ""), message) for column, message in found.values_list("field", "message")]


def _refuse(*defects: tuple[str, str]) -> NoReturn:
    told = "".join(message for _, message in defects)
    raise IntakeError(
        f"更正没有入账：{told}",
        code="correction-rejected",
        defects=[{"field": field, "message": message} for field, message in defects],
    )


def _line(row: CorrectedRow) -> bytes:
    values = {name: text.strip() for name, text in row.values.items() if text.strip()}
    try:
        return bytes(tabular().json_line(row.kind, values | _subject(row, values)))
    except KeyError as error:
        _refuse(("", f"没有“{error.args[0]}”这一栏，请刷新页面后重新填写。"))


def _subject(row: CorrectedRow, values: Mapping[str, str]) -> dict[str, str]:
    """Whose record it is: a natural person's name and number from the register, others' where they are not given."""
    person = full_identity(row.subject_id)
    if person is not None:
        return {"subject_class": "自然人", "subject_name": person.name, "identity_number": person.number}
    if values.get("subject_uscc") and values.get("subject_name"):
        return {}
    subject = subject_at(row.subject_id, head_position())
    known = {"subject_class": "法人及非法人组织", "subject_uscc": subject.identifier, "subject_name": subject.name}
    return {name: text for name, text in known.items() if name not in values}


@contextmanager
def _in_memory(content: bytes) -> Iterator[Path]:
    """A file that lies on no disk, for it may hold a person's name and number."""
    descriptor = os.memfd_create("correction", os.MFD_CLOEXEC)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        yield Path(f"/proc/self/fd/{descriptor}")


def _found(statement: str, asked: Mapping[str, Any]) -> CurrentRow | None:
    with connection.cursor() as cursor:
        cursor.execute(statement, asked)
        found = cursor.fetchone()
    if found is None:
        return None
    record, version, unit, delivered_by, subject, domain, kind, payload = found
    head = pl.DataFrame({"head_version": [version], "subject_id": [subject]})
    is_returned = delivered_by != unit and bool(returned_versions(head))
    values = tabular().typed_values(kind, json.loads(payload))
    brought_by = delivered_by if is_returned else unit
    return CurrentRow(record, version, unit, brought_by, subject, domain, kind, values, is_returned)

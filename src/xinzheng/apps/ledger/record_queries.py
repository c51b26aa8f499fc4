"""Read records as they stood at a position: the latest version of each whose position is not later."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.db import connection

from xinzheng.apps.ledger.organs import Organs, organs_at
from xinzheng.core.records import Outcome, Procedure, Record, RecordKind, Standing
from xinzheng.core.subjects import Tie

RECORDS = """
    SELECT v.record_id, v.subject_id, v.unit_id, v.kind, v.domain, v.organ_code, v.organ_name, v.document_key,
           v.decision_date, v.served_date, v.procedure, v.outcome, v.standing, v.standing_date, v.repaired_date,
           v.sealed, v.listed_from, v.listed_through, v.owing, v.payload,
           coalesce((
               SELECT d.is_open FROM ledger_recorddispute d JOIN audit_position p ON p.entry_id = d.entry_id
               WHERE d.subject_id = v.subject_id AND d.record_id = v.record_id AND p.position <= %(disputed_at)s
               ORDER BY p.position DESC LIMIT 1), false) AS disputed
    FROM (
        SELECT DISTINCT ON (v.record_id) v.*
        FROM ledger_recordversion v JOIN audit_position p ON p.entry_id = v.entry_id
        WHERE v.subject_id = ANY(%(subjects)s) AND p.position <= %(position)s
        ORDER BY v.record_id, p.position DESC
    ) v
    WHERE v.is_present AND v.unit_id = ANY(%(units)s)
    ORDER BY v.record_id
"""


def records_at(subject_ids: Mapping[int, Tie], position: int, jurisdiction: str) -> tuple[Record, ...]:
    """The records of these subjects at a position, each with its subject's tie to the one who asks.

    ``jurisdiction`` (division code of the policy's city): only what its own units deliver is read, whoever decided;
    it also tells whether an organ is here or elsewhere. ``content`` is every payload field as text, and
    who delivered it where the payload names no source; a natural person's holds neither name nor number.
    """
    return _records(subject_ids, (position, position), organs_at(jurisdiction, position))


def records_in_hindsight(subject_ids: Mapping[int, Tie], then: int, now: int, jurisdiction: str) -> tuple[Record, ...]:
    """The records at ``now``, with the organs as they were placed at ``then``; what units delivered that were
    registered since is read too. In the shape of :func:`records_at`."""
    organs = organs_at(jurisdiction, then)
    names = {**organs_at(jurisdiction, now).unit_names, **organs.unit_names}
    return _records(subject_ids, (now, then), replace(organs, unit_names=names))


def _records(subject_ids: Mapping[int, Tie], at: tuple[int, int], organs: Organs) -> tuple[Record, ...]:
    with connection.cursor() as cursor:
        who = {"subjects": list(subject_ids), "units": list(organs.unit_names)}
        cursor.execute(RECORDS, who | {"position": at[0], "disputed_at": at[1]})
        columns = [column.name for column in cursor.description]
        rows = [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
    return tuple(_record(row, subject_ids[row["subject_id"]], organs) for row in rows)


def _record(row: Mapping[str, Any], tie: Tie, organs: Organs) -> Record:
    return Record(
        id=str(row["record_id"]),
        kind=RecordKind(row["kind"]),
        domain=row["domain"],
        tie=tie,
        organ=organs.place(row["organ_code"], row["organ_name"]),
        decision_date=row["decision_date"],
        served_date=row["served_date"],
        procedure=Procedure(row["procedure"]) if row["procedure"] else None,
        outcome=Outcome(row["outcome"]) if row["outcome"] else None,
        standing=Standing(row["standing"]) if row["standing"] else None,
        standing_date=row["standing_date"],
        repaired_date=row["repaired_date"],
        sealed=row["sealed"],
        disputed=row["disputed"],
        listed_from=row["listed_from"],
        listed_through=row["listed_through"],
        owing=row["owing"],
        document_key=row["document_key"],
        organ_key=organs.key(row["organ_code"], row["organ_name"]),
        content={"source_name": organs.unit_names[row["unit_id"]]} | _content(row["payload"]),
    )


def _content(payload: str) -> dict[str, str | None]:
    return {name: None if value is None else _text(value) for name, value in json.loads(payload).items()}


def _text(value: object) -> str:
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)

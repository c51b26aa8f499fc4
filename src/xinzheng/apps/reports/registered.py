"""Looking up what verification needs of registered reports (登记的报告): one statement, however many are asked for."""

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import connection
from django.utils import timezone

from xinzheng.apps.reports.prepared import fetched
from xinzheng.apps.reports.verdicts import LogFact
from xinzheng.core.identifiers import mask_name
from xinzheng.core.lifecycle import ReportStatus
from xinzheng.core.subjects import SubjectKind

# The sealer places leaves every few seconds; what waits longer than this has been left out.
SEALING_TAKES_AT_MOST = timedelta(minutes=10)

# The content (8 kB) is fetched only for a report whose scope was never written down.
SELECT = """
SELECT r.number, r.secret, r.digest, r.as_of, e.status, coalesce(e.effective_at, e.at), e.reason, e.reason_code,
       s.masked_name, s.report_title, s.policy_title, s.record_word, s.is_demonstration,
       CASE WHEN s.report_id IS NULL THEN r.content END,
       l.added_at, p.index, c.made_at, t.stamped_at
FROM reports_report r
JOIN LATERAL (
    SELECT status, effective_at, at, reason, reason_code FROM reports_statusevent
    WHERE report_id = r.number ORDER BY id DESC LIMIT 1
) e ON true
LEFT JOIN reports_reportscope s ON s.report_id = r.number
LEFT JOIN reports_documentstamp t ON t.report_id = r.number
LEFT JOIN LATERAL (
    SELECT id, added_at FROM audit_logleaf WHERE object_id = r.number AND kind = 'issued' ORDER BY id LIMIT 1
) l ON true
LEFT JOIN audit_logplace p ON p.leaf_id = l.id
LEFT JOIN LATERAL (SELECT made_at FROM audit_checkpoint WHERE size > p.index ORDER BY size LIMIT 1) c ON true
"""
BY_NUMBER = SELECT + "WHERE r.number = ANY(%s)"
BY_SECRET = SELECT + "WHERE r.secret = ANY(%s)"
BY_EITHER = SELECT + "WHERE r.number = ANY(%s) OR r.secret = ANY(%s)"


class Shown(NamedTuple):
    """What a stranger with the code is shown of a report."""

    masked_name: str
    report_title: str
    policy_title: str
    record_word: str
    is_demonstration: bool


@dataclass(frozen=True, slots=True)
class Registered:
    """A report as the register knows it: its secret and digest, its status, what may be shown, its place in the log."""

    number: str
    secret: bytes
    digest: bytes
    issued_at: datetime
    status: str
    since: datetime
    reason: str
    reason_code: str
    shown: Shown
    log: LogFact | None
    stamped_at: datetime | None


def by_numbers(numbers: Sequence[str]) -> dict[str, Registered]:
    """Reports by number; what is not registered is left out."""
    return {found.number: found for found in _rows(BY_NUMBER, [list(numbers)])}


def by_secrets(secrets: Sequence[bytes]) -> dict[bytes, Registered]:
    """Reports by the random bits of their code; what is not registered is left out."""
    return {found.secret: found for found in _rows(BY_SECRET, [list(secrets)])}


def by_either(numbers: Sequence[str], secrets: Sequence[bytes]) -> tuple[Registered, ...]:
    """Reports by number or by the random bits of their code, in no order."""
    return tuple(_rows(BY_EITHER, [list(numbers), list(secrets)]))


def file_digests(number: str) -> frozenset[bytes]:
    """SHA-256 of each form in which the report's file was given out: as signed, and with its time stamp."""
    return digests_of_files([number])[number]


def digests_of_files(numbers: Collection[str]) -> dict[str, frozenset[bytes]]:
    """The same of several reports, by number; empty for one that was never given out."""
    wanted = list(numbers)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT report_id, sha256 FROM reports_reportdocument WHERE report_id = ANY(%s)"
            " UNION ALL SELECT report_id, sha256 FROM reports_documentstamp WHERE report_id = ANY(%s)",
            [wanted, wanted],
        )
        found = cursor.fetchall()
    return {number: frozenset(bytes(digest) for of, digest in found if of == number) for number in wanted}


def _rows(statement: str, parameters: list[Any]) -> Iterator[Registered]:
    return map(_registered, fetched(statement, parameters))


def _registered(row: Sequence[Any]) -> Registered:
    number, secret, digest, as_of, status, since, reason, code, *shown, content, added_at, index, sealed_at, stamp = row
    texts = Shown(*shown) if content is None else _shown_of(bytes(content))
    log = None if status in NEVER_ISSUED else _log_fact(added_at, index, sealed_at)
    return Registered(number, bytes(secret), bytes(digest), as_of, status, since, reason, code, texts, log, stamp)


NEVER_ISSUED = (ReportStatus.PREPARED, ReportStatus.VOIDED)


def _log_fact(added_at: datetime | None, index: int | None, sealed_at: datetime | None) -> LogFact:
    """A place that no checkpoint covers yet is no place."""
    if sealed_at is not None:
        return LogFact(True, index, sealed_at)
    waits = added_at is not None and timezone.now() - added_at < SEALING_TAKES_AT_MOST
    return LogFact(None if waits else False)


def _shown_of(content: bytes) -> Shown:
    """The same from the report's content, for reports issued before it was written down apart."""
    said = json.loads(content)
    subject, policy = said["subject"], said["policy"]
    masked = mask_name(subject["name"], is_person=subject["kind"] == SubjectKind.NATURAL_PERSON)
    return Shown(masked, said["title"][0], policy["document_title"], policy["record_word"], said["demonstration"])

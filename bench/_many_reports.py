"""Many reports to verify: each has a number, a secret, a seal and a place in the log of its own; none a document."""

import base64
import hashlib
import os
import secrets
import uuid
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

AT_ONCE = 2_000
DAY = date(2026, 1, 5)

SCOPES = """
    INSERT INTO reports_reportscope
    SELECT (jsonb_populate_record(s, jsonb_build_object('report_id', n.number))).*
    FROM unnest(%s::text[]) n (number) CROSS JOIN reports_reportscope s WHERE s.report_id = %s
"""
LEAVES = """
    WITH leaf AS (
        INSERT INTO audit_logleaf (data, leaf_hash, kind, object_id)
        SELECT data, sha256('\\x00'::bytea || data), 'issued', number
        FROM (SELECT number, convert_to('{"number":"' || number || '","type":"issued"}', 'UTF8') AS data
              FROM unnest(%s::text[]) n (number)) made
        RETURNING id
    )
    INSERT INTO audit_logwaiting (leaf_id) SELECT id FROM leaf
"""


@dataclass(frozen=True)
class Known:
    """What a receiver has of a report: number and typed code, or the text of its QR code."""

    number: str
    code: str
    qr: str


def many_reports(count: int) -> list[Known]:
    """In a small city one report is issued as any other, and so many like it are made: in force, sealed, logged."""
    from django.db import connection
    from django.utils import timezone

    from tests.small_city import build_small_city, uscc
    from xinzheng.apps.audit.log import seal_log
    from xinzheng.apps.reports.issuing import Order, issue_report
    from xinzheng.core.decision import Request

    city = build_small_city(Path(os.environ["XINZHENG_HOME"]), units_per_domain=1)
    city.declare_everything()
    sample = issue_report(Order("suzhou-2024", city.firm(uscc(1)), Request(), "bench")).number
    known = [one for start in range(0, count, AT_ONCE) for one in _made(sample, start, min(AT_ONCE, count - start))]
    seal_log(timezone.now())
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")
    return known


def _made(sample: str, start: int, count: int) -> list[Known]:
    from django.db import connection, transaction

    from xinzheng.apps.reports import ports
    from xinzheng.apps.reports.models import Report, StatusEvent

    like, key = Report.objects.get(pk=sample), ports.keyring().seal_key
    rows = [_like(like, start + place, key) for place in range(1, count + 1)]
    numbers = [row.number for row in rows]
    with transaction.atomic(), connection.cursor() as cursor:
        Report.objects.bulk_create(rows)
        for status in ("prepared", "in_force"):
            StatusEvent.objects.bulk_create(StatusEvent(report_id=n, status=status, actor="bench") for n in numbers)
        cursor.execute(SCOPES, [numbers, sample])
        cursor.execute(LEAVES, [numbers])
    return [_known(row) for row in rows]


def _like(sample: Any, serial: int, key: Any) -> Any:
    """A report like the sample, but for what tells one from another. Its content stands in its scope already."""
    from django.conf import settings

    from xinzheng.apps.reports import ports
    from xinzheng.apps.reports.models import Report
    from xinzheng.core.lifecycle import report_number

    number, signing = report_number("SZ", DAY, serial), ports.signing()
    digest = hashlib.sha256(number.encode()).digest()
    seal = signing.ReportSeal(number, digest, settings.XINZHENG_HOST, sample.as_of, sample.policy_id)
    kept = ("subject_id", "policy_id", "pack_id", "calendar_id", "setting", "position", "as_of", "request", "outcome")
    return Report(
        number=number,
        idempotency_key=uuid.uuid4(),
        secret=secrets.token_bytes(16),
        content=b"{}",
        digest=digest,
        cose=signing.seal_payload(seal, key),
        findings=[],
        created_by="bench",
        **{name: getattr(sample, name) for name in kept},
    )


def _known(report: Any) -> Known:
    from xinzheng.apps.reports import ports
    from xinzheng.core.lifecycle import typed_code

    code = base64.urlsafe_b64encode(report.secret).rstrip(b"=").decode()
    return Known(report.number, typed_code(report.secret), ports.signing().qr_text(report.cose, code))

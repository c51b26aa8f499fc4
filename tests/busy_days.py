"""Reports, looks and views of days long past, written as rows: their moments are told, nothing is signed."""

import hashlib
import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime

from xinzheng.apps.codes.models import ShareCode, View
from xinzheng.apps.reports.models import Look, Report, ReportGap, ReportScope, StatusEvent, StoredInput

FAR = datetime(2100, 1, 1, tzinfo=UTC)
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Made:
    """A report as it is to be: its number's serial, when it came into force, and what it says."""

    serial: int
    at: datetime
    policy_id: str = "suzhou-2024"
    outcome: str = "clear"
    domain_count: int | None = 20
    gaps: tuple[str, ...] = ()

    @property
    def number(self) -> str:
        """A number that no real report has."""
        return f"SZ{self.serial:018d}"


def _stored() -> StoredInput:
    digest = hashlib.sha256(b"busy days").digest()
    return StoredInput.objects.get_or_create(sha256=digest, defaults={"kind": "policy", "name": "示例", "body": {}})[0]


def in_force(*made: Made) -> None:
    """Reports with a row for each thing that is counted of them."""
    stored = _stored()
    Report.objects.bulk_create(
        Report(
            number=one.number, idempotency_key=uuid.uuid4(), subject_id=one.serial, policy_id=one.policy_id,
            pack=stored, calendar=stored, setting={}, position=1, as_of=one.at, request={}, outcome=one.outcome,
            findings=[], secret=uuid.uuid4().bytes, content=b'{"domains":[1,2,3]}', digest=b"", cose=b"",
            created_by="test", created_at=one.at,
        )
        for one in made
    )  # fmt: skip
    ReportScope.objects.bulk_create(
        ReportScope(
            report_id=one.number, subject_id=one.serial, policy_id=one.policy_id, from_date=date(2024, 1, 1),
            to_date=date(2024, 1, 1), as_of_date=date(2024, 1, 1), as_of=one.at, position=1, masked_name="示*",
            report_title="示例", policy_title="示例", record_word="违法记录", is_demonstration=True,
            domain_count=one.domain_count,
        )
        for one in made
    )  # fmt: skip
    StatusEvent.objects.bulk_create(
        StatusEvent(report_id=one.number, status=status, actor="test", at=one.at)
        for one in made
        for status in ("prepared", "in_force")
    )
    ReportGap.objects.bulk_create(
        ReportGap(report_id=one.number, unit_id=unit, domain=domain, kind="administrative_penalty")
        for one in made
        for domain in one.gaps
        for unit in (1, 2)
    )


def ended(made: Made, status: str, at: datetime) -> None:
    """The report ended."""
    StatusEvent.objects.create(report_id=made.number, status=status, actor="test", at=at)


def looked(number: str, way: str, at: datetime) -> None:
    """Somebody verified a report."""
    Look.objects.create(report_number=number, way=way, by="public", status="in_force", at=at)


def viewed(number: str, way: str, at: datetime) -> None:
    """Somebody saw a report's content by a code."""
    code = ShareCode.objects.create(
        report_number=number, subject_id=1, purpose="listing", purpose_name="上市", views_allowed=1, created_by="test",
        created_at=LONG_AGO, expires_at=FAR,
    )  # fmt: skip
    View.objects.create(share=code, way=way, status="in_force", open_until=FAR, at=at)

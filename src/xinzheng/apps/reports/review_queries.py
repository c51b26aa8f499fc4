"""Read what became of reports after they were issued, for the credit office; subjects stay masked."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Count, Q

from xinzheng.apps.reports.models import ReportScope, ReviewFlag, StatusEvent
from xinzheng.apps.reports.replaying import report_by_number
from xinzheng.apps.reports.reviewing import FAILED, NOT_DERIVABLE
from xinzheng.core.lifecycle import STATUS_WORDS, TRANSITIONS, ReportStatus

ENDED = (ReportStatus.SUPERSEDED, ReportStatus.REVOKED, ReportStatus.EXPIRED)


@dataclass(frozen=True, slots=True)
class StatusChange:
    """A change of a report's status (状态变更); ``id`` orders them."""

    id: int
    number: str
    masked_name: str
    policy_title: str
    status: str
    words: str
    since: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class ReviewState:
    """How many reports are to be decided again, wait for a line to be settled, and could not be decided at all."""

    due: int
    waiting: int
    broken: int


@dataclass(frozen=True, slots=True)
class OfficeReport:
    """A report as the credit office sees it: what it is about and its history, no content."""

    number: str
    masked_name: str
    report_title: str
    policy_title: str
    as_of_date: date
    history: tuple[StatusChange, ...]

    @property
    def status(self) -> str:
        """The present status."""
        return self.history[0].status

    @property
    def may_be_revoked(self) -> bool:
        """Whether it can still be revoked."""
        return ReportStatus.REVOKED in TRANSITIONS[ReportStatus(self.status)]


def status_changes(limit: int, before: int | None = None) -> list[StatusChange]:
    """The latest changes that ended a report's force, newest first; those before an id."""
    found = StatusEvent.objects.filter(status__in=ENDED).select_related("report__scope").order_by("-id")
    if before is not None:
        found = found.filter(pk__lt=before)
    return [_change(event, event.report.scope) for event in found.defer(*_heavy())[:limit]]


def review_state() -> ReviewState:
    """What waits to be decided again."""
    broken = Q(answer__in=(NOT_DERIVABLE, FAILED))
    counts: dict[str, Any] = ReviewFlag.objects.filter(decided_at=None).aggregate(
        due=Count("pk", filter=Q(waits_since=None)),
        waiting=Count("pk", filter=~Q(waits_since=None) & ~broken),
        broken=Count("pk", filter=~Q(waits_since=None) & broken),
    )
    return ReviewState(**counts)


def office_report(number: str) -> OfficeReport:
    """One report. Raises ``unknown-report``."""
    report = report_by_number(number)
    scope = ReportScope.objects.get(pk=report.pk)
    events = StatusEvent.objects.filter(report=report).order_by("-id")
    history = tuple(_change(event, scope) for event in events)
    return OfficeReport(
        report.number, scope.masked_name, scope.report_title, scope.policy_title, scope.as_of_date, history
    )


def _heavy() -> tuple[str, ...]:
    """What a list does not need of a report: content, findings and what goes with them."""
    heavy = ("content", "findings", "setting", "request", "cose", "digest", "secret")
    return tuple(f"report__{name}" for name in heavy)


def _change(event: StatusEvent, scope: ReportScope) -> StatusChange:
    return StatusChange(
        event.pk,
        event.report_id,
        scope.masked_name,
        scope.policy_title,
        event.status,
        STATUS_WORDS[event.status],
        event.effective_at or event.at,
        event.reason,
    )

"""Late units and how they were reminded (催办)."""

from dataclasses import dataclass
from datetime import date

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.accounts.permissions import refusals_to_run_the_office
from xinzheng.apps.oversight.actions import remind
from xinzheng.apps.oversight.queries import CoverageCalendar, Row
from xinzheng.apps.oversight.reminders import Reminded, reminded
from xinzheng.apps.reports.packs import current_calendar
from xinzheng.core.coverage_calendar import working_days_late
from xinzheng.core.sentences import spoken_date
from xinzheng.web.access import refuse_if
from xinzheng.web.office.choices import office_choices, quality_page
from xinzheng.web.office.coverage_now import calendar_now
from xinzheng.web.office.heat import kind_name

NEVER = "尚未归集该项数据"


@dataclass(frozen=True)
class LateView:
    """A late responsibility in words."""

    unit: str
    name: str
    through: str
    working_days: str
    reminded: str
    day: date | None

    @property
    def words(self) -> str:
        """What the unit reads."""
        return f"数据截至{self.through}" if self.through != NEVER else NEVER


@require_http_methods(["GET", "HEAD", "POST"])
@quality_page
def office_reminders(request: HttpRequest, account: Account) -> HttpResponse:
    """All late responsibilities; POST reminds those that are to be reminded today."""
    choices = office_choices(request, account)
    if request.method == "POST":
        return _remind(request, account, choices.policy.id)
    calendar = calendar_now(choices.policy)
    context = {"choices": choices, "calendar": calendar, "rows": late_views(calendar)}
    return render(request, "office/reminders.html", context)


def _remind(request: HttpRequest, account: Account, policy_id: str) -> HttpResponse:
    refuse_if(refusals_to_run_the_office(account))
    today = timezone.localdate()
    count = remind(today, account.actor)
    said = f"已催办{count}项。" if count else _why_nobody(today)
    messages.add_message(request, messages.SUCCESS, said, extra_tags="none")
    response = redirect("office-reminders")
    response.headers["Location"] += f"?policy={policy_id}"
    return response


def _why_nobody(today: date) -> str:
    if not current_calendar().is_working_day(today):
        return "今天不是工作日，没有催办。"
    return "没有要催办的：近日已经催办，或者没有单位逾期。"


def late_views(calendar: CoverageCalendar) -> list[LateView]:
    """The late responsibilities of a calendar, those never delivered first, then the longest late."""
    found = reminded(calendar)
    rows = sorted(calendar.late_rows, key=lambda row: (row.late.through if row.late else None) or date.min)
    return [_view(row, found.get(row.scope.key)) for row in rows]


def _view(row: Row, past: Reminded | None) -> LateView:
    through = row.late.through if row.late else None
    days = working_days_late(row.late, current_calendar()) if row.late else None
    return LateView(
        unit=row.scope.unit.short_name,
        name=f"{row.scope.domain_name}，{kind_name(row.scope.kind)}",
        through=spoken_date(through) if through else NEVER,
        working_days="—" if days is None else str(days),
        reminded=f"{past.times}次，最近{spoken_date(past.last)}" if past else "还没有催办",
        day=past.last if past else None,
    )

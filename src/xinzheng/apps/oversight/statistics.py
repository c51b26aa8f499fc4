"""What everybody may read of how the system is used (公开统计): totals alone, no small numbers, nobody named."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.oversight import public_figures as objection_totals
from xinzheng.apps.oversight.calendar_queries import Row, View, coverage_calendar_of
from xinzheng.apps.oversight.desk_figures import Figures, Range, figures
from xinzheng.apps.oversight.saving import Saving, saving
from xinzheng.apps.oversight.scopes import due_date, overseen_policies
from xinzheng.apps.oversight.scoring import scoring
from xinzheng.apps.oversight.tallies import ONE_DAY
from xinzheng.core.coverage_calendar import Month, months_until
from xinzheng.core.decision import china_date
from xinzheng.core.errors import CalendarError
from xinzheng.core.policy import Policy
from xinzheng.core.small_numbers import LEAST, published

# Nothing was issued anywhere before the first decree of this kind.
BEGUN = date(2020, 1, 1)
MONTHS_SHOWN = 12


@dataclass(frozen=True, slots=True)
class MonthTotal:
    """Reports and certificates of a month (月度合计); None is not shown. The month at hand is not over yet."""

    month: Month
    reports: int | None
    certificates: int | None
    is_partial: bool


@dataclass(frozen=True, slots=True)
class Freshness:
    """How fresh a domain's data is (数据截至): the earliest day that a unit's data reaches; None: some never came."""

    code: str
    name: str
    is_up_to_date: bool
    through: date | None


@dataclass(frozen=True, slots=True)
class PolicyTotals:
    """One policy's totals (一项政策的合计); None is not shown. ``due``: the day that data should reach by now."""

    policy: Policy
    reports: int | None
    certificates: int | None
    verifications: int | None
    hours_saved: int | None
    months: tuple[MonthTotal, ...]
    domains: tuple[Freshness, ...]
    due: date | None

    @property
    def hides_months(self) -> bool:
        """Whether a month is not shown, so that a chart of them would lie."""
        return any(month.reports is None for month in self.months)

    @property
    def up_to_date(self) -> int:
        """In how many domains every unit's data reaches as far as it should."""
        return sum(domain.is_up_to_date for domain in self.domains)


@dataclass(frozen=True, slots=True)
class ObjectionTotals:
    """Objections of a year's whole quarters (异议); None is not shown."""

    year: int
    first: date
    last: date
    lodged: int | None
    in_time_percent: int | None
    mean_days: Decimal | None


@dataclass(frozen=True, slots=True)
class PublicFigures:
    """The public figures as at a moment (公开数)."""

    at: datetime
    policies: tuple[PolicyTotals, ...]
    reports: int | None
    certificates: int | None
    hours_saved: int | None
    saving: Saving
    objections: ObjectionTotals | None


def public_figures(now: datetime) -> PublicFigures:
    """Every public figure as it stands now; what is below five is left out, and what would tell it."""
    today, assumed = china_date(now), saving()
    policies = {policy.id: policy for policy in overseen_policies(today)}
    counted = {policy_id: figures(Range(BEGUN, today), policy_id, now) for policy_id in policies}
    issued = {policy_id: found.total("issued") for policy_id, found in counted.items()}
    shown = published(issued)
    totals = tuple(
        _totals(policy, counted[policy.id], shown.parts[policy.id] is not None, now) for policy in policies.values()
    )
    certificates = sum(found.total("replaced") for found in counted.values()) if shown.total is not None else None
    return PublicFigures(
        now,
        totals,
        shown.total,
        certificates,
        None if certificates is None else assumed.of(certificates),
        assumed,
        _objections(),
    )


def _totals(policy: Policy, found: Figures, is_shown: bool, now: datetime) -> PolicyTotals:
    due, domains = _freshness(policy, china_date(now))
    looks = found.total("looks") + found.total("views")
    certificates = found.total("replaced") if is_shown else None
    return PolicyTotals(
        policy,
        found.total("issued") if is_shown else None,
        certificates,
        None if 0 < looks < LEAST else looks,
        None if certificates is None else saving().of(certificates),
        _months(policy, now) if is_shown else (),
        domains,
        due,
    )


def _months(policy: Policy, now: datetime) -> tuple[MonthTotal, ...]:
    """The latest months; where one of them is small, so many are left out that no sum tells it."""
    today = china_date(now)
    months = months_until(Month.of(today), MONTHS_SHOWN)
    found = figures(Range(months[0].first, today), policy.id, now)
    reports, certificates = (_by_month(found, figure, months) for figure in ("issued", "replaced"))
    before = figures(Range(BEGUN, months[0].first - ONE_DAY), policy.id, now).total("issued")
    shown = published({**{str(month): count for month, count in reports.items()}, "before": before}).parts
    return tuple(
        MonthTotal(
            month,
            shown[str(month)],
            certificates[month] if shown[str(month)] is not None else None,
            is_partial=month == months[-1],
        )
        for month in months
    )


def _by_month(found: Figures, figure: str, months: Sequence[Month]) -> Mapping[Month, int]:
    counts = dict(zip((Month.of(bucket.first) for bucket in found.buckets), found.series(figure), strict=True))
    return {month: counts.get(month, 0) for month in months}


def _freshness(policy: Policy, today: date) -> tuple[date | None, tuple[Freshness, ...]]:
    """How far each domain's data reaches; nothing is claimed in a year whose working days are not known."""
    try:
        due = due_date(policy, today)
    except CalendarError:
        return None, ()
    months = months_until(Month.of(today), scoring().calendar_months)
    view = View(head_position(), months, due, counts_records=False)
    rows: dict[str, list[Row]] = {}
    for row in coverage_calendar_of(policy, view).rows:
        rows.setdefault(row.scope.domain, []).append(row)
    return due, tuple(_fresh(domain.code, domain.name, rows.get(domain.code, []), due) for domain in policy.domains)


def _fresh(code: str, name: str, rows: Sequence[Row], due: date) -> Freshness:
    """Where nobody answers for a domain, nothing ever came."""
    late = [row.late.through for row in rows if row.late is not None]
    if rows and not late:
        return Freshness(code, name, True, due)
    through = None if not rows or None in late else min(day for day in late if day is not None)
    return Freshness(code, name, False, through)


def _objections() -> ObjectionTotals | None:
    found = objection_totals.public_figures()
    if found is None:
        return None
    total = found.outcomes.total
    return ObjectionTotals(found.year, found.first, found.last, total, found.in_time_percent, found.mean_days)

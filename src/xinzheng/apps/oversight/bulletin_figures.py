"""The figures of a bulletin (通报数据): what is frozen, as plain values."""

from datetime import date
from decimal import Decimal
from typing import Any

from xinzheng.apps.oversight.calendar_queries import View, coverage_calendar_of
from xinzheng.apps.oversight.scopes import due_date
from xinzheng.apps.oversight.score_queries import Scorecard, scorecards
from xinzheng.apps.oversight.scoring import scoring
from xinzheng.apps.reports.packs import current_setting
from xinzheng.core.coverage_calendar import Month
from xinzheng.core.policy import Policy

FORMAT = "xinzheng.bulletin/1"
COUNTS_CORRECTIONS = True  # bulletins published before objections were taken in say that they do not


def bulletin_figures(policy: Policy, month: Month, position: int, today: date) -> dict[str, Any]:
    """The month's figures under a policy, read at a position; shares and scores as text with one decimal.

    Raises CalendarError when working days of a year that was not announced are needed.
    """
    weights, issuer = scoring().weights, current_setting(policy.id).issuer
    return {
        "format": FORMAT,
        "policy": {"id": policy.id, "title": policy.title, "jurisdiction": policy.jurisdiction_name},
        "issuer": issuer.seal_name,
        "demonstration": issuer.is_demonstration,
        "month": str(month),
        "position": position,
        "as_of": today.isoformat(),
        "due": due_date(policy, today).isoformat(),
        "freshness_days": policy.freshness_days,
        "weights": {name: weights.of(name) for name in ("completeness", "timeliness", "accuracy")},
        "counts_corrections": COUNTS_CORRECTIONS,
        "units": [_unit(card) for card in scorecards(policy, month, position, today)],
        "late": _late(policy, month, position, today),
    }


def _unit(card: Scorecard) -> dict[str, Any]:
    counts = card.counts
    return {
        "uscc": card.unit.uscc,
        "name": card.unit.short_name,
        "rank": card.rank,
        "score": _text(card.score),
        "trend": _text(card.trend),
        "shares": {name: _text(share.percent) for name, share in counts.shares.items()},
        "days_due": counts.days_due,
        "days_covered": counts.days_covered,
        "records": counts.records,
        "in_time": counts.in_time,
        "lines": counts.lines,
        "rejected": counts.rejected,
        "corrected": counts.corrected,
    }


def _late(policy: Policy, month: Month, position: int, today: date) -> list[dict[str, Any]]:
    calendar = coverage_calendar_of(policy, View(position, (month,), due_date(policy, today), counts_records=False))
    return [
        {
            "unit": row.scope.unit.short_name,
            "domain": row.scope.domain_name,
            "kind": row.scope.kind,
            "lacking": row.cells[0].lacking,
            "needed": row.cells[0].needed,
        }
        for row in calendar.late_rows
    ]


def _text(value: Decimal | None) -> str | None:
    return None if value is None else str(value)

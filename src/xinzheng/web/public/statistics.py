"""Public statistics (公开统计): one page for people, one JSON object for programs, of the same figures."""

from typing import Any

from django.conf import settings
from django.core.cache import caches
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from xinzheng.apps.oversight.saving import FORMULA, Saving
from xinzheng.apps.oversight.statistics import ObjectionTotals, PolicyTotals, PublicFigures, public_figures
from xinzheng.core.small_numbers import LEAST
from xinzheng.web.desk.charts import Chart, Point, Series, bars

FORMAT = "xinzheng.statistics/1"
# Everybody may ask, and everything is counted.
KEPT_SECONDS = 600
KEY = "public-statistics"


@require_safe
def statistics(request: HttpRequest) -> HttpResponse:
    """The page."""
    found = _kept()
    context = {
        "found": found,
        "cities": [(totals, _chart(totals)) for totals in found.policies],
        "is_estimate": not found.saving.is_measured,
        "formula": FORMULA,
        "least": LEAST,
        "licence": settings.XINZHENG_DATA_LICENCE,
        "format": FORMAT,
    }
    return render(request, "public/statistics.html", context)


@require_safe
def open_statistics(request: HttpRequest) -> HttpResponse:  # noqa: ARG001  every view takes it
    """The same for programs; its form is told on the page and in docs/how-to/公开统计.md."""
    response = JsonResponse(as_object(_kept()), json_dumps_params={"ensure_ascii": False, "indent": 1})
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cache-Control"] = f"public, max-age={KEPT_SECONDS}"
    return response


def as_object(found: PublicFigures) -> dict[str, Any]:
    """The figures as open data; null stands for what is not shown."""
    return {
        "format": FORMAT,
        "documentation": f"{settings.XINZHENG_ORIGIN}/statistics#form",
        "license": settings.XINZHENG_DATA_LICENCE,
        "publisher": settings.XINZHENG_HOST,
        "demonstration": settings.XINZHENG_DEMONSTRATION,
        "counted_at": timezone.localtime(found.at).isoformat(timespec="seconds"),
        "not_shown_below": LEAST,
        "totals": {
            "reports": found.reports,
            "certificates_replaced": found.certificates,
            "hours_saved": found.hours_saved,
        },
        "saving": _assumed(found.saving),
        "policies": [_policy(totals) for totals in found.policies],
        "objections": None if found.objections is None else _objections(found.objections),
    }


def _kept() -> PublicFigures:
    """Counted once in a while only."""
    kept: PublicFigures | None = caches["local"].get(KEY)
    if kept is None:
        kept = public_figures(timezone.now())
        caches["local"].set(KEY, kept, KEPT_SECONDS)
    return kept


def _chart(totals: PolicyTotals) -> Chart | None:
    """Reports by month; none where there are none, or where a month is not shown: a bar would say nought of it."""
    if totals.hides_months or not any(one.reports for one in totals.months):
        return None
    points = tuple(
        Point(
            label=f"{one.month.number}",
            value=one.reports or 0,
            name=f"{one.month.year}年{one.month.number}月",
            group=f"{one.month.year}年",
            is_partial=one.is_partial,
            note="本月未完" if one.is_partial else "",
        )
        for one in totals.months
    )
    city = totals.policy.jurisdiction_name
    return bars(Series(f"m-{totals.policy.id}", f"{city}各月出具的报告", "份", "月份", points, axis="月"))


def _assumed(saving: Saving) -> dict[str, Any]:
    return {
        "formula": FORMULA,
        "hours_per_certificate": float(saving.hours),
        "is_estimate": not saving.is_measured,
        "assumed_on": saving.dated.isoformat(),
        "reason": saving.reason,
    }


def _policy(totals: PolicyTotals) -> dict[str, Any]:
    policy = totals.policy
    return {
        "id": policy.id,
        "title": policy.title,
        "document": policy.document,
        "jurisdiction": policy.jurisdiction,
        "jurisdiction_name": policy.jurisdiction_name,
        "reports": totals.reports,
        "certificates_replaced": totals.certificates,
        "verifications": totals.verifications,
        "hours_saved": totals.hours_saved,
        "months": [
            {
                "month": str(one.month),
                "reports": one.reports,
                "certificates_replaced": one.certificates,
                "is_partial": one.is_partial,
            }
            for one in totals.months
        ],
        "data_due": None if totals.due is None else totals.due.isoformat(),
        "domains": [
            {
                "code": domain.code,
                "name": domain.name,
                "is_up_to_date": domain.is_up_to_date,
                "data_through": None if domain.through is None else domain.through.isoformat(),
            }
            for domain in totals.domains
        ],
    }


def _objections(found: ObjectionTotals) -> dict[str, Any]:
    return {
        "year": found.year,
        "from": found.first.isoformat(),
        "through": found.last.isoformat(),
        "lodged": found.lodged,
        "in_time_percent": found.in_time_percent,
        "mean_working_days": None if found.mean_days is None else float(found.mean_days),
    }

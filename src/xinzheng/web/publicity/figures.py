"""Figures of objections (异议统计): totals for everybody, all of it for the office and the leads, as a workbook too."""

from datetime import date

from django.core.cache import caches
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.oversight.objection_figures import GROUNDS, OUTCOMES, Figures, figures
from xinzheng.apps.oversight.objection_files import HEAD, NOTES, cells_of, figures_workbook
from xinzheng.apps.oversight.permissions import refusals_to_see_all_quality
from xinzheng.apps.oversight.public_figures import PublicFigures, periods, public_figures
from xinzheng.apps.redress.clock import today
from xinzheng.core.small_numbers import LEAST
from xinzheng.web.access import refuse_if, signed_in
from xinzheng.web.form_errors import FieldError, by_field
from xinzheng.web.office.bulletins import XLSX

UNKNOWN = "—"
# Each objection of the period is counted day by day; more than this is asked for in parts.
DAYS_AT_MOST = 731
KEPT_SECONDS = 600
UNFIT = "日期应为“年-月-日”，先后不颠倒，至多两年，例如2026-01-01至2026-06-30。"


@require_safe
def objections_in_public(request: HttpRequest) -> HttpResponse:
    """The totals of a year's whole quarters."""
    asked = request.GET.get("year", "")
    found = _kept(int(asked) if asked.isascii() and asked.isdigit() and len(asked) == 4 else None)
    if found is None:
        raise Http404("没有这一年的统计。")
    context = {
        "found": found,
        "years": [year for year, _first, _last in periods(today())],
        "tables": [
            ("办理结果", [(OUTCOMES[name], count) for name, count in found.outcomes.parts.items()]),
            ("异议事由", [(GROUNDS[name], count) for name, count in found.grounds.parts.items()]),
        ],
        "least": LEAST,
    }
    return render(request, "publicity/figures.html", context)


@require_safe
@signed_in
def objection_figures(request: HttpRequest, account: Account) -> HttpResponse:
    """All figures of a period: this year's unless asked otherwise."""
    refuse_if(refusals_to_see_all_quality(account))
    asked, errors = _period(request)
    found = figures(*asked)
    context = {
        "found": found,
        "head": HEAD,
        "notes": NOTES,
        "tables": [
            ("按单位", "单位", _rows(found, "units")),
            ("按记录类型", "记录类型", _rows(found, "kinds")),
            ("按事由", "事由", _rows(found, "grounds")),
        ],
        "errors": errors,
        "error_of": by_field(errors),
    }
    return render(request, "office/objection_figures.html", context, status=422 if errors else 200)


@require_safe
@signed_in
def objection_table(request: HttpRequest, account: Account) -> HttpResponse:
    """The same as XLSX."""
    refuse_if(refusals_to_see_all_quality(account))
    asked, _errors = _period(request)
    response = HttpResponse(figures_workbook(figures(*asked)), content_type=XLSX)
    name = f"objections-{asked[0]:%Y%m%d}-{asked[1]:%Y%m%d}.xlsx"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _kept(year: int | None) -> PublicFigures | None:
    """Counted once in a while only: everybody may ask, and each objection's days are gone through."""
    key = f"figures-objections:{year}:{today()}"
    kept: PublicFigures | None = caches["local"].get(key)
    if kept is None:
        kept = public_figures(year)
        caches["local"].set(key, kept, KEPT_SECONDS)
    return kept


def _rows(found: Figures, groups: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """Each group with its cells, as words under their headings."""
    return [
        (group.name, [(title, _cell(value)) for title, value in zip(HEAD, cells_of(group.tally), strict=True)])
        for group in getattr(found, groups)
    ]


def _cell(value: int | float | None) -> str:
    return UNKNOWN if value is None else f"{value:,}"


def _period(request: HttpRequest) -> tuple[tuple[date, date], tuple[FieldError, ...]]:
    """What was asked for, this year up to today where that is unfit or nothing was."""
    usual = date(today().year, 1, 1), today()
    try:
        first = date.fromisoformat(request.GET.get("from") or usual[0].isoformat())
        last = date.fromisoformat(request.GET.get("to") or usual[1].isoformat())
    except ValueError:
        return usual, (FieldError("from", UNFIT),)
    if not 0 <= (last - first).days < DAYS_AT_MOST:
        return usual, (FieldError("from", UNFIT),)
    return (first, last), ()

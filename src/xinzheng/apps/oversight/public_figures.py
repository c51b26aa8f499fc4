"""What everybody may read of objections (公开的异议统计): totals of whole quarters, without small numbers."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from xinzheng.apps.oversight.objection_figures import GROUNDS, OUTCOMES, figures
from xinzheng.apps.redress.clock import today
from xinzheng.core.small_numbers import Published, published

ONE_DAY = timedelta(days=1)
YEARS_SHOWN = 3
# Shares of fewer would tell how many there were.
LEAST_FOR_SHARES = 20
MONTHS_OF_A_QUARTER = 3


@dataclass(frozen=True, slots=True)
class PublicFigures:
    """A year's totals (公开数); shares and days are told only where there is enough to take them of."""

    year: int
    first: date
    last: date
    outcomes: Published
    grounds: Published
    mean_days: Decimal | None
    in_time_percent: int | None


def periods(day: date) -> list[tuple[int, date, date]]:
    """The years to choose from, latest first: each with its first day and the last day of its last whole quarter."""
    begun = date(day.year, (day.month - 1) // MONTHS_OF_A_QUARTER * MONTHS_OF_A_QUARTER + 1, 1)
    last = begun - ONE_DAY
    years = [(last.year, date(last.year, 1, 1), last)]
    return years + [(year, date(year, 1, 1), date(year, 12, 31)) for year in _years_before(last.year)]


def public_figures(year: int | None = None) -> PublicFigures | None:
    """The totals of a year, the latest unless told; None of a year that is not to be had."""
    found = next((one for one in periods(today()) if year in (None, one[0])), None)
    if found is None:
        return None
    counted = figures(found[1], found[2])
    whole, by_ground = counted.whole, {group.key: group.tally.lodged for group in counted.grounds}
    has_shares = whole.concluded >= LEAST_FOR_SHARES
    return PublicFigures(
        *found,
        published({name: whole.outcomes[name] for name in OUTCOMES}),
        published({ground: by_ground.get(ground, 0) for ground in GROUNDS}),
        whole.mean_days if has_shares else None,
        whole.in_time_percent if has_shares else None,
    )


def _years_before(year: int) -> list[int]:
    return [year - n for n in range(1, YEARS_SHOWN)]

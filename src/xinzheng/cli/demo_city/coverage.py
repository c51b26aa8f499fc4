"""What units state to be complete (归集覆盖): through which day, and who is late or silent."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from xinzheng.adapters.deployment_files import Deployment

FROM: Mapping[str, date] = {"suzhou": date(2021, 1, 1), "huzhou": date(2020, 5, 1)}
# A unit's data ends this many days ago at most; seven working days would still do.
LAG_DAYS = 4
LATE_DAYS = 52
LATE = ("市邮政管理局",)
NEVER = ("国网湖州供电公司",)


@dataclass(frozen=True, slots=True)
class Coverage:
    """One statement (覆盖声明) to be made."""

    uscc: str
    domain: str
    kind: str
    from_date: date
    through_date: date


def through_day(uscc: str, today: date, is_late: bool) -> date:
    """The last day for which a unit's data is complete: some days ago, each unit its own."""
    return today - timedelta(days=LATE_DAYS if is_late else 1 + int(uscc[11:16].translate(_DIGITS)) % LAG_DAYS)


_DIGITS = {ord(c): str(i % 10) for i, c in enumerate("0123456789ABCDEFGHJKLMNPQRTUWXY")}


def statements(deployment: Deployment, today: date, late: frozenset[str]) -> list[Coverage]:
    """One statement for each responsibility of a city, but none of units that never delivered."""
    names = {unit.uscc: unit.short_name for unit in deployment.units}
    return [
        Coverage(
            found.uscc,
            found.domain,
            found.kind,
            FROM[deployment.city],
            through_day(found.uscc, today, names[found.uscc] in late),
        )
        for found in deployment.responsibilities
        if names[found.uscc] not in NEVER
    ]

"""Figures of objections (异议统计): by unit, kind, ground and outcome, days taken, who was late, what was appealed.

An objection counts in the period it was lodged in, for the unit it lay with last, else the unit that answers.
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from types import MappingProxyType
from typing import Any

from django.db import connection

from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.ledger.reading import tabular
from xinzheng.apps.oversight.objection_cases import OPEN_YET, Case, cases_between
from xinzheng.apps.registry.queries import units_at
from xinzheng.core.coverage_calendar import Month

OUTCOMES: Mapping[str, str] = MappingProxyType(
    {
        "upheld": "成立",
        "dismissed": "不成立",
        "declined": "不予受理",
        "withdrawn": "已撤回",
        "lapsed": "逾期未补充",
        OPEN_YET: "办理中",
    }
)
GROUNDS: Mapping[str, str] = MappingProxyType(
    {"wrong": "内容有误", "missing": "有记录遗漏", "not-mine": "不是本主体的", "over-period": "公示期满仍在公示"}
)
CONCLUDED = ("upheld", "dismissed", "declined")
NO_UNIT = "未转办"
TENTH = Decimal("0.1")

# Of what was taken down from publication the ledger says nothing: it was no fault of what was delivered.
CORRECTED = """
    SELECT c.blamed_unit_id, count(*)
    FROM redress_correction c
    JOIN audit_position p ON p.entry_id = c.entry_id AND p.position <= %(position)s
    JOIN redress_step s ON s.id = c.step_id
    JOIN redress_objection o ON o.id = s.objection_id
    JOIN unnest(%(units)s::bigint[], %(domains)s::text[], %(kinds)s::text[]) r(unit_id, domain, kind)
        ON r.unit_id = c.blamed_unit_id AND r.domain = o.domain AND r.kind = o.kind
    WHERE c.what <> 'taken-down' AND c.day BETWEEN %(first)s AND %(last)s
    GROUP BY c.blamed_unit_id
"""


@dataclass(frozen=True, slots=True)
class Tally:
    """Some objections counted together (合计).

    ``in_time`` are those concluded without anybody having been late; ``mean_days`` and ``most_days`` are of the
    concluded ones, None without any.
    """

    lodged: int
    outcomes: dict[str, int]
    concluded: int
    in_time: int
    mean_days: Decimal | None
    most_days: int | None
    late: int
    appealed: int
    remanded: int

    @property
    def in_time_percent(self) -> int | None:
        """How many of the concluded ones were in time; None without any."""
        return round(100 * self.in_time / self.concluded) if self.concluded else None


@dataclass(frozen=True, slots=True)
class Group:
    """What a tally is of: its key, what people call it."""

    key: str
    name: str
    tally: Tally


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of a period: of all, by unit, by kind of record, by ground; ``office_late``: the office itself was.

    A unit's ``late`` counts what it was late with itself.
    """

    first: date
    last: date
    whole: Tally
    units: tuple[Group, ...]
    kinds: tuple[Group, ...]
    grounds: tuple[Group, ...]
    office_late: int


def figures(first: date, last: date) -> Figures:
    """The objections lodged from the first to the last day in China, as they stand today."""
    cases = cases_between(first, last)
    names = {unit.id: unit.short_name for unit in units_at(head_position()).values()}
    return Figures(
        first,
        last,
        tally(cases),
        _units(cases, names),
        _groups(cases, lambda case: case.kind, tabular().KIND_NAMES),
        _groups(cases, lambda case: case.ground, GROUNDS),
        sum(case.is_office_late for case in cases),
    )


def corrections_by_unit(month: Month, position: int, scopes: Collection[tuple[int, str, str]]) -> dict[int, int]:
    """Records corrected after an objection in a month, by the unit that delivered them, as at a position.

    Args:
        scopes: unit, domain and kind of each responsibility that is looked at.
    """
    units, domains, kinds = ([scope[n] for scope in scopes] for n in range(3))
    values: dict[str, Any] = {"units": units, "domains": domains, "kinds": kinds, "position": position}
    with connection.cursor() as cursor:
        cursor.execute(CORRECTED, values | {"first": month.first, "last": month.last})
        return dict(cursor.fetchall())


def tally(cases: Sequence[Case]) -> Tally:
    """Count some objections; late is what anybody was late with."""
    outcomes = Counter(case.outcome for case in cases)
    days = [case.days for case in cases if case.days is not None and case.outcome in CONCLUDED]
    mean = (Decimal(sum(days)) / len(days)).quantize(TENTH, ROUND_HALF_UP) if days else None
    return Tally(
        len(cases),
        {outcome: outcomes[outcome] for outcome in OUTCOMES},
        sum(outcomes[outcome] for outcome in CONCLUDED),
        sum(case.outcome in CONCLUDED and not case.is_late for case in cases),
        mean,
        max(days, default=None),
        sum(case.is_late for case in cases),
        sum(case.is_appealed for case in cases),
        sum(case.is_remanded for case in cases),
    )


def _units(cases: Sequence[Case], names: Mapping[int, str]) -> tuple[Group, ...]:
    """Each unit with what lay with it last; its lateness is its own, also with what went on to another."""
    keys = {case.unit_id for case in cases} | {unit for case in cases for unit in case.late_units}
    found = []
    for unit_id in sorted(keys, key=lambda key: (key is None, key)):
        own = tally([case for case in cases if case.unit_id == unit_id])
        late = sum(case.is_office_late and case.unit_id is None for case in cases)
        if unit_id is not None:
            late = sum(unit_id in case.late_units for case in cases)
        name = NO_UNIT if unit_id is None else names.get(unit_id, str(unit_id))
        found.append(Group(str(unit_id or ""), name, replace(own, late=late)))
    return tuple(sorted(found, key=lambda group: -group.tally.lodged))


def _groups(cases: Sequence[Case], key: Callable[[Case], str], names: Mapping[str, str]) -> tuple[Group, ...]:
    keys = sorted({key(case) for case in cases})
    found = [Group(one, names.get(one, one), tally([case for case in cases if key(case) == one])) for one in keys]
    return tuple(sorted(found, key=lambda group: -group.tally.lodged))

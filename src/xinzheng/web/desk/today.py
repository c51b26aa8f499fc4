"""What waits to be done today (今天要处理): late units, held batches, objections, doubts, the system itself."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.accounts.permissions import refusals_to_run_the_office
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.ledger.queries import HeldBatch, held_batches
from xinzheng.apps.oversight.health import Check, State, checks
from xinzheng.apps.oversight.permissions import refusals_to_see_system
from xinzheng.apps.oversight.queries import CoverageCalendar
from xinzheng.apps.oversight.rulings import doubts
from xinzheng.apps.redress.clock import today
from xinzheng.apps.redress.permissions import refusals_to_take_in_objections
from xinzheng.apps.redress.queries import Listed, ObjectionRow, rows_of
from xinzheng.apps.registry.queries import RegisteredUnit, units_at

MOST = 5_000


@dataclass(frozen=True, slots=True)
class Duties:
    """What waits (待办); the lists are empty for who may only count them, and ``health`` for who may not see it."""

    late_units: int
    late_rows: int
    held: Sequence[tuple[HeldBatch, RegisteredUnit]]
    held_count: int
    objections: Sequence[ObjectionRow]
    open_count: int
    over_count: int
    doubts: int
    health: Sequence[Check] = field(default=())

    @property
    def faults(self) -> int:
        """How many checks found something broken, or could not look."""
        return sum(check.state in (State.BAD, State.UNKNOWN) for check in self.health)

    @property
    def cautions(self) -> int:
        """How many need somebody before long."""
        return sum(check.state is State.WARNING for check in self.health)

    @property
    def sentences(self) -> list[str]:
        """Each in a few words, the most pressing first; empty when nothing waits."""
        said = (
            (self.faults, f"系统有{self.faults}项故障"),
            (self.over_count, f"{self.over_count:,}件异议超期"),
            (self.late_units, f"{self.late_units:,}个单位数据逾期"),
            (self.held_count, f"{self.held_count:,}批数据待确认"),
            (self.doubts, f"{self.doubts:,}个政策问题待裁定"),
        )
        return [words for count, words in said if count]


def duties_of(account: Account, calendars: Sequence[CoverageCalendar], now: datetime) -> Duties:
    """What waits now, as far as this account may see it."""
    rows, held = rows_of(Listed(limit=MOST), today()), held_batches()
    units = units_at(head_position()) if held else {}
    is_office = not refusals_to_run_the_office(account)
    return Duties(
        late_units=len({row.scope.unit.id for calendar in calendars for row in calendar.late_rows}),
        late_rows=sum(len(calendar.late_rows) for calendar in calendars),
        held=[(batch, units[batch.unit_id]) for batch in held] if is_office else [],
        held_count=len(held),
        objections=[] if refusals_to_take_in_objections(account) else rows,
        open_count=len(rows),
        over_count=sum(row.clock is not None and row.clock.is_over for row in rows),
        doubts=sum(doubt.in_force is None for doubt in doubts()),
        health=() if refusals_to_see_system(account) else checks(now),
    )

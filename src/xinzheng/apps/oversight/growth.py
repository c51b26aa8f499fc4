"""Growth (拓展领域): what a policy's domains lack before they can be answered for, unit by unit.

A domain that a pack names, but for which nobody answers or whose data does not reach, is not clean; it reads 未能核查.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.ledger.queries import coverage_at
from xinzheng.apps.reports import packs
from xinzheng.core.coverage import Gap, GapReason
from xinzheng.core.coverage_check import domain_gaps, section_gaps
from xinzheng.core.decision import data_needed_through, window_of
from xinzheng.core.policy import Policy
from xinzheng.core.weighing import Period

WHY: Mapping[GapReason, str] = {
    GapReason.NOBODY_RESPONSIBLE: "没有责任单位",
    GapReason.NEVER_DELIVERED: "尚未归集",
    GapReason.STATEMENT_LAPSED: "报过，现在不作数",
    GapReason.ENDS_EARLY: "数据没有报至应达日",
    GapReason.STARTS_LATE: "没有回溯到查询期起点",
    GapReason.LINE_PENDING: "有待更正的行",
    GapReason.LINE_UNREADABLE: "有读不出主体的行待更正",
}


@dataclass(frozen=True, slots=True)
class Lack:
    """What a domain or section lacks (缺口): of a unit, or (``unit`` empty) somebody who answers.

    ``since`` is the day up to which the unit's data covers, or from which on it does; None where there is none.
    ``needed`` is the stretch that has to be covered.
    """

    domain: str
    domain_name: str
    unit: str
    unit_name: str
    kind: str
    reason: GapReason
    since: date | None
    needed: Period

    @property
    def why(self) -> str:
        """In words."""
        return WHY[self.reason]


def lacking(policy_id: str, day: date) -> tuple[Lack, ...]:
    """What the pack in force on the day lacks for whoever asks about everything it allows.

    Raises:
        RefusedError: ``unknown-policy``.
        CalendarError: the day data must reach lies in a year that was not announced.
    """
    return lacking_of(packs.current_policy(policy_id, day), day)


def lacking_of(policy: Policy, day: date) -> tuple[Lack, ...]:
    """The same for a pack that need not be in force, such as a draft: who answers and delivers is as of now."""
    coverage = coverage_at(policy.id, head_position())
    cutoff = data_needed_through(policy, day, packs.current_calendar())
    window = window_of(policy, day)
    needed = Period(window.from_date, max(window.from_date, min(window.to_date, cutoff)))
    latest = Period(min(window.from_date, cutoff), cutoff)
    found: list[Lack] = []
    for domain in policy.domains:
        found += _lacks((domain.code, domain.name), domain_gaps(domain, coverage, needed)[0], needed)
    for section in policy.other:
        found += _lacks((section.code, section.name), section_gaps(section, coverage, latest)[0], latest)
    return tuple(found)


def _lacks(what: tuple[str, str], gaps: Iterable[Gap], needed: Period) -> list[Lack]:
    code, name = what
    return [
        Lack(
            code,
            name,
            gap.unit,
            gap.unit_name if gap.unit else "",
            gap.kind,
            gap.reason,
            gap.through or gap.since,
            needed,
        )
        for gap in gaps
    ]

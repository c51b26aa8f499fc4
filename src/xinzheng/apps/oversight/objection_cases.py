"""What each objection counts for (异议计数): outcome, working days, who was late, whether it was appealed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from xinzheng.apps.redress.clock import today as redress_today
from xinzheng.apps.redress.models import Objection, Step
from xinzheng.apps.redress.terms import clock_on
from xinzheng.core.decision import china_date
from xinzheng.core.objections import OPEN, Act, Party, State

CHINA = ZoneInfo("Asia/Shanghai")
OPEN_YET = "open"
FIRST_ENDS = (State.CORRECTED, State.DISMISSED, State.DECLINED)


@dataclass(frozen=True, slots=True)
class Case:
    """What one objection counts for (计数); ``days``: working days until its first conclusion, None before it."""

    unit_id: int | None
    domain: str
    kind: str
    ground: str
    outcome: str
    days: int | None
    late_units: frozenset[int]
    is_office_late: bool
    is_appealed: bool
    is_remanded: bool

    @property
    def is_late(self) -> bool:
        """Whether anybody was late with it."""
        return self.is_office_late or bool(self.late_units)


def cases_between(first: date, last: date) -> list[Case]:
    """What each objection lodged in a period counts for, oldest first."""
    since, until = (datetime.combine(day, edge, CHINA) for day, edge in ((first, time.min), (last, time.max)))
    found = Objection.objects.filter(lodged_at__range=(since, until)).order_by("pk")
    steps: dict[int, list[Step]] = {}
    for step in Step.objects.filter(objection__in=found).order_by("objection_id", "seq"):
        steps.setdefault(step.objection_id, []).append(step)
    today = redress_today()
    return [_case(objection, steps[objection.pk], today) for objection in found if objection.pk in steps]


def outcome_of(acts: Sequence[Act], state: State) -> str:
    """What became of an objection (结果); what the review confirmed stays what it was."""
    if state in OPEN:
        return OPEN_YET
    if state is State.CONFIRMED:
        return "declined" if [a for a in acts if a in (Act.DECLINE, Act.DISMISS)][-1] is Act.DECLINE else "dismissed"
    return "upheld" if state is State.CORRECTED else state.value


def _case(objection: Objection, steps: Sequence[Step], today: date) -> Case:
    acts = [Act(step.act) for step in steps]
    late = list(_late(objection, steps, today))
    units = [step.unit_id for step in steps if step.unit_id is not None]
    return Case(
        units[-1] if units else objection.unit_id,
        objection.domain,
        objection.kind,
        objection.ground,
        outcome_of(acts, State(steps[-1].state)),
        _days(objection, steps),
        frozenset(unit_id for unit_id in late if unit_id is not None),
        None in late,
        Act.APPEAL in acts,
        Act.REMAND in acts,
    )


def _late(objection: Objection, steps: Sequence[Step], today: date) -> Iterable[int | None]:
    """Who was over the term when it was acted on, or is today: units by key, None for the office."""
    moments = [(number, china_date(step.at)) for number, step in enumerate(steps) if number]
    for number, day in [*moments, (len(steps), today)]:
        before = steps[number - 1]
        by_subject = number < len(steps) and steps[number].by == Party.SUBJECT
        if before.state not in OPEN or before.state == State.MORE_ASKED or by_subject:
            continue
        if clock_on(objection, steps[:number], day).is_over:
            yield before.unit_id if before.state in (State.WITH_UNIT, State.AWAITED) else None


def _days(objection: Objection, steps: Sequence[Step]) -> int | None:
    """Working days until the first conclusion, without what waited for the subject."""
    number = next((n for n, step in enumerate(steps) if step.state in FIRST_ENDS), None)
    if number is None:
        return None
    clock = clock_on(objection, steps[:number], china_date(steps[number].at))
    return None if clock.unknown_year is not None else clock.used

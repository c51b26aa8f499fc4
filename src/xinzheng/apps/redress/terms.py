"""Which terms hold for an objection (适用时限), and its clock on a day."""

from collections.abc import Iterable
from datetime import date
from functools import lru_cache

from xinzheng.apps.redress import ports
from xinzheng.apps.redress.models import Objection, Step
from xinzheng.apps.reports.packs import current_calendar, jurisdiction_of
from xinzheng.core.decision import china_date
from xinzheng.core.errors import CalendarError
from xinzheng.core.objection_clock import Clock, Stepped, clock_of
from xinzheng.core.objections import Act, State
from xinzheng.core.redress_terms import DatedTerms, RedressRules


@lru_cache(maxsize=1)
def redress_rules() -> RedressRules:
    """The rules as shipped, read once a process."""
    rules: RedressRules = ports.redress_terms().load_redress_terms()
    return rules


def terms_of(objection: Objection) -> DatedTerms:
    """The terms of the day it was lodged, in the city of its policy."""
    place = jurisdiction_of(objection.policy_id)
    return redress_rules().terms_on(china_date(objection.lodged_at), place)


def stepped(steps: Iterable[Step]) -> list[Stepped]:
    """Steps as a clock reads them."""
    return [Stepped(Act(step.act), china_date(step.at), State(step.state)) for step in steps]


def clock_on(objection: Objection, steps: Iterable[Step], today: date) -> Clock:
    """The clock of whoever has to act next."""
    return clock_of(stepped(steps), today, terms_of(objection).terms, current_calendar())


def last_day(objection: Objection, since: Step, stretch: str) -> date | None:
    """The last day of a stretch (``supply``, ``appeal_within``) counted from a step; None where nobody can tell yet."""
    days = getattr(terms_of(objection).terms, stretch)
    try:
        return current_calendar().plus_working_days(china_date(since.at), days)
    except CalendarError:
        return None

"""What the demonstration's offices did last month: a bulletin per city, reminders, a reconciliation that was signed."""

from contextlib import suppress
from datetime import date

from django.db import transaction

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.ledger.delivery import Scope, today_in_china
from xinzheng.apps.oversight.actions import own_list, publish_bulletin, reconcile, remind, sign_reconciliation
from xinzheng.apps.oversight.bulletins import refusals_to_publish_month
from xinzheng.apps.oversight.models import Reconciliation
from xinzheng.apps.oversight.queries import due_date, overseen_policies
from xinzheng.apps.oversight.reconciling import platform_copy
from xinzheng.apps.oversight.scopes import NATIONWIDE
from xinzheng.cli.demo_city.marks import BY
from xinzheng.core.coverage_calendar import Month
from xinzheng.core.errors import CalendarError
from xinzheng.core.policy import Policy
from xinzheng.core.records import RecordKind

WATER = "water_affairs"


def show_quality(officer: Account | None, unit_uscc: str) -> None:
    """Do what is not done yet; done again on the same day it changes nothing.

    ``officer``: the responsible officer of the unit ``unit_uscc``, whose list of the month equals the platform's copy.
    """
    today = today_in_china()
    # Of a year whose working days were not announced nothing of this can be said; the city is there all the same.
    with suppress(CalendarError), transaction.atomic():
        cities = [policy for policy in overseen_policies(today) if policy.jurisdiction != NATIONWIDE]
        months = [_publish(policy, today) for policy in cities]
        remind(today, BY)
        if officer is not None and months:
            _reconcile(officer, unit_uscc, months[0])


def _publish(policy: Policy, today: date) -> Month:
    """Publish the latest month whose time is over; which that is."""
    due = due_date(policy, today)
    this = Month.of(due)
    month = this if this.last <= due else this.plus(-1)
    if not refusals_to_publish_month(policy, month):
        publish_bulletin(month, BY, policy.id)
    return month


def _reconcile(officer: Account, unit_uscc: str, month: Month) -> None:
    scope = Scope(unit_uscc, WATER, RecordKind.ADMINISTRATIVE_PENALTY)
    if officer.unit_id is None or Reconciliation.objects.filter(unit_id=officer.unit_id, month=month.first).exists():
        return
    own = own_list(platform_copy(officer.unit_id, scope, month, head_position()))
    sign_reconciliation(reconcile(scope, month, own, by=officer.actor), officer, "")

"""What the demonstration did with its reports today (演示使用): some more are issued, verified and shown to a bank.

So that desk and statistics have something to show; on another day it is done again, and days come together.
"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from django.db import transaction
from django.utils import timezone

from xinzheng.apps.accounts.queries import account_named
from xinzheng.apps.codes.looking import Ticket, Visitor, open_view
from xinzheng.apps.codes.models import View
from xinzheng.apps.codes.sharing import Terms, share
from xinzheng.apps.registry.models import SubjectCode
from xinzheng.apps.registry.queries import find_subject
from xinzheng.apps.reports.issuing import Order, issue_report
from xinzheng.apps.reports.looks import PUBLIC, record_looks
from xinzheng.apps.reports.models import Report
from xinzheng.cli.demo_city.characters import known_codes
from xinzheng.cli.demo_city.marks import BY
from xinzheng.core.decision import Request
from xinzheng.core.errors import XinzhengError
from xinzheng.core.lifecycle import ReportStatus

USES = uuid.UUID("6d0c2c8e-6a5b-5d43-8f8f-757365730000")
SUZHOU, AGENT = "suzhou-2024", "demo-suzhou"
KNOWN = ("records", "pending", "branch")
OTHERS = 3
WAYS = ("link", "code", "file", "qr", "batch")


@dataclass
class Used:
    """How many of each."""

    reports: int = 0
    looks: int = 0
    views: int = 0


def show_use(today: date) -> Used:
    """Do what was not done on this day yet; whom the policy does not serve is passed over."""
    used = Used()
    for subject_id in _subjects():
        key = uuid.uuid5(USES, f"{subject_id}/{today}")
        if Report.objects.filter(idempotency_key=key).exists():
            continue
        try:
            report = issue_report(Order(SUZHOU, subject_id, Request(), BY, key))
        except XinzhengError:
            continue
        used.reports += 1
        looks = [(report.number, way, PUBLIC, ReportStatus.IN_FORCE.value) for way in WAYS[: 1 + used.reports % 5]]
        record_looks(looks)
        used.looks += len(looks)
    if used.reports:
        used.views = _shown(today)
    return used


def _subjects() -> Iterator[int]:
    codes = known_codes()
    found = [find_subject(codes[role]) for role in KNOWN]
    yield from (subject_id for subject_id in found if subject_id is not None)
    others = SubjectCode.objects.exclude(code__in=codes.values()).order_by("subject_id")
    yield from others.values_list("subject_id", flat=True)[:OTHERS]


@transaction.atomic
def _shown(today: date) -> int:
    """The company's agent shows its report of today to a bank."""
    agent = account_named(AGENT)
    if agent is None or agent.subject_id is None:
        return 0
    report = Report.objects.filter(subject_id=agent.subject_id).order_by("created_at").last()
    if report is None:
        return 0
    terms = Terms("financing", timezone.now() + timedelta(days=7), 20)
    made = share(agent, report.number, terms, by=agent.actor)
    bank = Visitor("示例银行苏州分行（演示）", "financing")
    for place, way in enumerate((View.Way.SCAN, View.Way.TYPED)):
        open_view(Ticket(made.pk, way, uuid.uuid5(USES, f"{made.pk}/{today}/{place}")), bank)
    return 2

"""Status: one writer, the transitions of the life cycle and no other, a leaf and a trace with each; expiry."""

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from itertools import product
from pathlib import Path

import pytest
from django.db import transaction

from tests.small_city import BY, SmallCity, build_small_city, today, uscc
from xinzheng.apps.audit.models import AuditEvent, LogLeaf
from xinzheng.apps.reports import packs
from xinzheng.apps.reports.expiring import expire_reports
from xinzheng.apps.reports.issuing import Order, issue_report
from xinzheng.apps.reports.models import Report, StatusEvent
from xinzheng.apps.reports.status import Why, change_status, revoke_report
from xinzheng.core.decision import CHINA, Request
from xinzheng.core.errors import XinzhengError
from xinzheng.core.leaves import status_leaf
from xinzheng.core.lifecycle import TRANSITIONS, ReportStatus, RevocationReason

pytestmark = pytest.mark.django_db
VALIDITY = """
validity:
  days: 30
  basis: judgement
  citation: {source: 试验, note: 试验用的有效期。}
"""


@pytest.fixture
def city(db: None, tmp_path: Path) -> SmallCity:
    small = build_small_city(tmp_path, units_per_domain=1)
    small.declare_everything()
    return small


def issue(city: SmallCity) -> Report:
    return issue_report(Order("suzhou-2024", city.firm(uscc(1)), Request(), BY))


def statuses_of(report: Report) -> list[str]:
    return list(StatusEvent.objects.filter(report=report).order_by("id").values_list("status", flat=True))


def walk(report: Report, first: ReportStatus, second: ReportStatus) -> None:
    for status in (first, second):
        change_status(report, status, BY, Why("为了试验", "issued-in-error"))


LATER = (ReportStatus.SUPERSEDED, ReportStatus.REVOKED, ReportStatus.EXPIRED)


@pytest.mark.parametrize(("first", "second"), list(product(LATER, ReportStatus)))
def test_only_the_transitions_of_the_life_cycle_are_written(
    city: SmallCity, first: ReportStatus, second: ReportStatus
) -> None:
    report = issue(city)
    before = LogLeaf.objects.count(), AuditEvent.objects.count()
    if second in TRANSITIONS[first]:
        walk(report, first, second)
        assert statuses_of(report) == ["prepared", "in_force", first, second]
        assert (LogLeaf.objects.count(), AuditEvent.objects.count()) == (before[0] + 2, before[1] + 2)
    else:
        with pytest.raises(XinzhengError) as refused, transaction.atomic():
            walk(report, first, second)
        assert refused.value.code == "report-transition-illegal"
        assert statuses_of(report) == ["prepared", "in_force"]
        assert (LogLeaf.objects.count(), AuditEvent.objects.count()) == before


def test_the_leaf_says_what_changed_and_names_nobody(city: SmallCity) -> None:
    report = issue(city)
    revoke_report(report.number, RevocationReason.KEY_COMPROMISED, BY)
    leaf = LogLeaf.objects.filter(kind="status").latest("id")
    data = bytes(leaf.data).decode()
    assert report.number not in data
    assert bytes(report.digest).hex() in data
    assert '"revoked"' in data
    assert leaf.object_id == report.number
    event = StatusEvent.objects.get(report=report, status="revoked")
    assert status_leaf(bytes(report.digest), ReportStatus.REVOKED, event.at) == bytes(leaf.data)


@pytest.fixture
def short_lived(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The policy as shipped, but its reports may be used for thirty days."""
    files = dict(packs._pack("suzhou-2024"))
    files["policy.yaml"] += VALIDITY.encode()
    with monkeypatch.context() as patch:
        patch.setattr(packs, "_pack", lambda _: files)
        packs._shipped.cache_clear()
        yield
    packs._shipped.cache_clear()


def test_a_report_expires_after_its_last_day_where_the_policy_says_so(city: SmallCity, short_lived: None) -> None:
    report = issue(city)
    assert expire_reports(today() + timedelta(days=30)) == 0
    assert expire_reports(today() + timedelta(days=31)) == 1
    event = StatusEvent.objects.filter(report=report).latest("id")
    assert event.status == "expired"
    assert event.effective_at == datetime.combine(today() + timedelta(days=31), time(), CHINA)
    assert expire_reports(today() + timedelta(days=400)) == 0


def test_what_was_superseded_or_revoked_does_not_expire(city: SmallCity, short_lived: None) -> None:
    report = issue(city)
    revoke_report(report.number, RevocationReason.ISSUED_IN_ERROR, BY)
    assert expire_reports(today() + timedelta(days=400)) == 0
    assert statuses_of(report)[-1] == "revoked"


def test_no_report_of_a_policy_without_a_term_expires(city: SmallCity) -> None:
    report = issue(city)
    assert expire_reports(today() + timedelta(days=40_000)) == 0
    assert statuses_of(report)[-1] == "in_force"

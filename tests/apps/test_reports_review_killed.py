"""kill -9 while two review at once: in the end every touched report is superseded, once, with one leaf."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.running_site import database_url
from tests.small_city import BY, SmallCity, build_small_city, uscc
from xinzheng.apps.audit.models import AuditEvent, LogLeaf
from xinzheng.apps.reports.issuing import Order, issue_report
from xinzheng.apps.reports.models import Report, ReviewFlag, StatusEvent
from xinzheng.apps.reports.reviewing import review_reports
from xinzheng.core.decision import Request

REPORTS, ROUNDS = 12, 5
REVIEW = """
import django
django.setup()
from xinzheng.apps.reports.reviewing import review_reports
print("ready", flush=True)
while True:
    review_reports()
"""


def reviewer() -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", REVIEW],
        env=os.environ | {"XINZHENG_DATABASE_URL": database_url(), "PYTHONPATH": "src"},
        stdout=subprocess.PIPE,
        text=True,
    )


def review_until_killed(after_seconds: float) -> None:
    """Two at once, killed in the middle of whatever they do then."""
    both = [reviewer(), reviewer()]
    for one in both:
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"
    time.sleep(after_seconds)
    for one in both:
        one.send_signal(signal.SIGKILL)
    for one in both:
        one.wait()
        assert one.stdout is not None
        one.stdout.close()


def touched_reports(city: SmallCity) -> None:
    """Reports that a batch contradicts, and one that it does not."""
    codes = [uscc(n) for n in range(1, REPORTS + 1)]
    for code in (*codes, uscc(99)):
        issue_report(Order(city.policy_id, city.firm(code), Request(), BY))
    city.submit([city.penalty(code, f"{n}号") for n, code in enumerate(codes)])
    city.submit([city.penalty(uscc(99), "简易号", 程序="简易程序")])


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_killing_two_reviewers_again_and_again_supersedes_every_touched_report_once(tmp_path: Path) -> None:
    city = build_small_city(tmp_path, units_per_domain=1)
    city.declare_everything()
    touched_reports(city)
    moments = random.Random(11)
    for _ in range(ROUNDS):
        review_until_killed(moments.uniform(0.01, 0.12))

    review_reports()

    superseded = StatusEvent.objects.filter(status="superseded")
    assert superseded.count() == superseded.values("report").distinct().count() == REPORTS
    assert Report.objects.count() == REPORTS + 1
    assert LogLeaf.objects.filter(kind="status").count() == REPORTS
    assert AuditEvent.objects.filter(action="report-superseded").count() == REPORTS
    assert not ReviewFlag.objects.filter(decided_at=None)

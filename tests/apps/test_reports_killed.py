"""kill -9 while reports are issued: no number without a report, no report without its document in the end."""

import os
import random
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest

from tests.running_site import database_url
from tests.small_city import build_small_city, uscc
from xinzheng.adapters.pdf import read_attachment
from xinzheng.apps.audit.models import LogLeaf
from xinzheng.apps.reports.issuing import ensure_keys, resume_prepared
from xinzheng.apps.reports.models import DayCounter, DocumentStamp, Report, ReportScope
from xinzheng.apps.reports.queries import current_status, report_pdf
from xinzheng.apps.reports.replaying import replay_report

ROUNDS = 6
ISSUE_FOR_EVER = """
import sys, uuid, django
django.setup()
from xinzheng.apps.reports.issuing import Order, issue_report
from xinzheng.core.decision import Request
while True:
    issue_report(Order("suzhou-2024", int(sys.argv[1]), Request(), "test", uuid.uuid4()))
    print("issued", flush=True)
"""

ISSUE_THESE = """
import sys, uuid, django
django.setup()
from xinzheng.apps.reports.issuing import Order, issue_report
from xinzheng.core.decision import Request
for key in sys.argv[2:]:
    print(issue_report(Order("suzhou-2024", int(sys.argv[1]), Request(), "test", uuid.UUID(key))).number)
"""


def issue_until_killed(subject_id: int, after_seconds: float) -> None:
    """A process that issues without a pause, killed after its first report in the middle of whatever it does then."""
    child = subprocess.Popen(
        [sys.executable, "-c", ISSUE_FOR_EVER, str(subject_id)],
        env=os.environ | {"XINZHENG_DATABASE_URL": database_url(), "PYTHONPATH": "src"},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "issued\n"
    time.sleep(after_seconds)
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_killing_the_issuer_again_and_again_leaves_no_gap_and_nothing_unfinished(tmp_path: Path) -> None:
    city = build_small_city(tmp_path, units_per_domain=1)
    city.declare_everything()
    subject_id = city.firm(uscc(1))
    ensure_keys()
    moments = random.Random(7)
    for _ in range(ROUNDS):
        issue_until_killed(subject_id, moments.uniform(0.1, 0.9))

    resume_prepared()

    numbers = sorted(Report.objects.values_list("number", flat=True))
    assert len(numbers) > ROUNDS
    for kept in (
        LogLeaf.objects.filter(kind="issued").values_list("object_id", flat=True),
        DocumentStamp.objects.values_list("report_id", flat=True),
        ReportScope.objects.values_list("report_id", flat=True),
    ):
        assert sorted(kept) == numbers
    assert [int(number[10:17]) for number in numbers] == list(range(1, len(numbers) + 1))
    assert DayCounter.objects.get().last == len(numbers)
    for number in numbers:
        assert current_status(number) == "in_force"
        assert read_attachment(report_pdf(number)) == bytes(Report.objects.get(pk=number).content)
    assert replay_report(numbers[-1]).is_same


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_processes_with_the_same_orders_make_each_report_once(tmp_path: Path) -> None:
    city = build_small_city(tmp_path, units_per_domain=1)
    city.declare_everything()
    subject_id = city.firm(uscc(1))
    ensure_keys()
    keys = [str(uuid.uuid4()) for _ in range(10)]
    orders = (keys, keys[::-1], keys[5:] + keys[:5])
    children = [
        subprocess.Popen(
            [sys.executable, "-c", ISSUE_THESE, str(subject_id), *order],
            env=os.environ | {"XINZHENG_DATABASE_URL": database_url(), "PYTHONPATH": "src"},
            stdout=subprocess.PIPE,
            text=True,
        )
        for order in orders
    ]
    printed = [child.communicate()[0].split() for child in children]
    said = [dict(zip(order, numbers, strict=True)) for order, numbers in zip(orders, printed, strict=True)]
    assert [child.returncode for child in children] == [0, 0, 0]
    assert said[0] == said[1] == said[2]
    numbers = sorted(Report.objects.values_list("number", flat=True))
    assert sorted(said[0].values()) == numbers
    assert [int(number[10:17]) for number in numbers] == list(range(1, len(keys) + 1))
    assert LogLeaf.objects.filter(kind="issued").count() == len(keys)

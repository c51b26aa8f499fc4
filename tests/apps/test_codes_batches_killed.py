"""kill -9 in the middle of a file: it goes on where it was, and each line is answered and looked at once."""

import os
import random
import signal
import subprocess
import sys
import time
import uuid
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from tests.running_site import database_url
from tests.small_city import BY, build_small_city, uscc
from xinzheng.apps.accounts.actions import NewAccount, open_account
from xinzheng.apps.accounts.models import Role
from xinzheng.apps.codes.batch_files import CheckLine
from xinzheng.apps.codes.batch_queries import summary_of
from xinzheng.apps.codes.batches import HandedIn, queue_check, requeue_checks
from xinzheng.apps.codes.models import BatchCheck, Receiver
from xinzheng.apps.codes.receivers import Decision, Registration, State, decide, register
from xinzheng.apps.codes.tasks_batches import work_on_batch_check
from xinzheng.apps.reports.issuing import Order, issue_report
from xinzheng.apps.reports.models import Look
from xinzheng.core.decision import Request
from xinzheng.core.lifecycle import typed_code

LINES, ROUNDS, PATIENCE_SECONDS = 10_000, 3, 30
WORK = """
import sys, uuid
import django
django.setup()
from xinzheng.apps.codes.batch_work import work_on
while True:
    work_on(uuid.UUID(sys.argv[1]))
"""
WORKER = (sys.executable, "-m", "django", "procrastinate", "worker", "--one-shot", "-q", "codes")


def environment() -> dict[str, str]:
    return os.environ | {
        "XINZHENG_DATABASE_URL": database_url(),
        "PYTHONPATH": "src",
        "DJANGO_SETTINGS_MODULE": "xinzheng.config.settings",
    }


def work_until_killed(check: BatchCheck, after_seconds: float) -> None:
    """Two at the same file, killed in the middle of whatever they do so soon after they came further."""
    both = [subprocess.Popen([sys.executable, "-c", WORK, str(check.pk)], env=environment()) for _ in range(2)]
    until = time.monotonic() + PATIENCE_SECONDS
    while BatchCheck.objects.only("done").get(pk=check.pk).done == check.done:
        assert time.monotonic() < until, "nothing was done"
        time.sleep(0.005)
    time.sleep(after_seconds)
    for one in both:
        one.send_signal(signal.SIGKILL)
    for one in both:
        one.wait()


def long_file(folder: Path) -> BatchCheck:
    """Ten thousand lines of a verified receiver, queued."""
    city = build_small_city(folder, units_per_domain=1)
    city.declare_everything()
    report = issue_report(Order(city.policy_id, city.firm(uscc(1)), Request(), BY))
    account = open_account(NewAccount("bank", "示例", Role.RECEIVER), by=BY)
    register(account, Registration(uscc(50), "示例银行", "bank"))
    receiver = Receiver.objects.get()
    decide(receiver.pk, Decision(State.VERIFIED, account_ids=[account.pk]), by=BY)
    account.refresh_from_db()
    code = typed_code(bytes(report.secret))
    lines = [CheckLine(at, report.number, code) for at in range(2, LINES + 2)]
    return queue_check(HandedIn(uuid.uuid4(), "清单.csv", lines), receiver, account=account)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_file_whose_worker_is_killed_again_and_again_is_answered_and_its_looks_are_counted_once(
    tmp_path: Path,
) -> None:
    check = long_file(tmp_path)
    moments, seen = random.Random(7), [0]
    for _ in range(ROUNDS):
        work_until_killed(check, moments.uniform(0.0, 0.05))
        check.refresh_from_db()
        seen.append(check.done)
        assert Look.objects.count() == check.done
    assert seen == sorted(seen)
    assert 0 < seen[-1] < LINES, "killed in the middle"

    ProcrastinateJob.objects.filter(task_name=work_on_batch_check.name).update(status="failed")
    BatchCheck.objects.filter(pk=check.pk).update(created_at=timezone.now() - timedelta(minutes=6))
    assert requeue_checks() == 1
    subprocess.run(WORKER, env=environment(), check=True, capture_output=True)

    check.refresh_from_db()
    assert (check.state, check.done, Look.objects.count()) == ("done", LINES, LINES)
    assert summary_of(check.pk).good == LINES

"""A worker that dies holds nothing for ever: its task is tried again or ended, and another takes its place."""

import os
import signal
import subprocess
import sys
import uuid
from pathlib import Path

import pytest
from django.db import connection
from procrastinate.contrib.django.models import ProcrastinateJob

from tests.apps.test_reports_clicked_twice import PASSWORD
from tests.running_site import Visitor, database_url, filled, running_site, wait_until
from tests.small_city import build_small_city, uscc
from xinzheng.apps.accounts.actions import NewAccount, open_account
from xinzheng.apps.accounts.models import Role
from xinzheng.apps.audit.log_queries import newest_checkpoint
from xinzheng.apps.audit.tasks import seal
from xinzheng.apps.audit.tasks_dead import ATTEMPTS_AT_MOST, take_over
from xinzheng.apps.oversight.tasks_screening import screen
from xinzheng.apps.reports.issuing import ensure_keys
from xinzheng.apps.reports.models import Application, Report
from xinzheng.apps.reports.serialising import request_to_json
from xinzheng.apps.reports.tasks import fulfil
from xinzheng.core.decision import Request

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
A_DEAD_WORKER_HOLDS = """
    WITH dead AS (
        INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '5 minutes') RETURNING id
    )
    UPDATE procrastinate_jobs SET status = 'doing', attempts = 1, worker_id = dead.id FROM dead
    WHERE procrastinate_jobs.id = ANY(%s)
"""


def work_off() -> None:
    """A worker that ends when nothing is left to do."""
    environment = {"XINZHENG_DATABASE_URL": database_url(), "DJANGO_SETTINGS_MODULE": "xinzheng.config.settings"}
    command = [sys.executable, "-m", "django", "procrastinate", "worker", "--one-shot"]
    subprocess.run(command, env=os.environ | environment | {"PYTHONPATH": "src"}, check=True, timeout=120)


@pytest.fixture
def subject(transactional_db: None, tmp_path: Path) -> int:
    ProcrastinateJob.objects.all()._raw_delete("default")
    city = build_small_city(tmp_path, units_per_domain=1)
    city.declare_everything()
    ensure_keys()
    return city.firm(uscc(1))


def test_what_a_dead_worker_had_in_hand_is_tried_again_and_its_locks_are_let_go(subject: int) -> None:
    asked = {"policy_id": "suzhou-2024", "request": request_to_json(Request()), "state": "signing"}
    application = Application.objects.create(subject_id=subject, account_id=1, **asked)
    sealing, fulfilling = seal.defer(timestamp=0), fulfil.defer(application_id=str(application.pk))
    with connection.cursor() as cursor:
        cursor.execute(A_DEAD_WORKER_HOLDS, [[sealing, fulfilling]])
        cursor.execute(A_DEAD_WORKER_HOLDS, [[killing := screen.defer(screening_id=str(uuid.uuid4()))]])
        cursor.execute("UPDATE procrastinate_jobs SET attempts = %s WHERE id = %s", [ATTEMPTS_AT_MOST, killing])
    seal.defer(timestamp=1)  # waits for the lock
    take_over.defer(timestamp=0)
    work_off()
    assert Application.objects.get().number == Report.objects.get().number
    jobs = dict(ProcrastinateJob.objects.values_list("id", "status"))
    assert (jobs[sealing], jobs[fulfilling]) == ("failed", "succeeded")
    assert jobs[killing] == "failed", "what killed its worker each time is not tried for ever"
    assert "todo" not in jobs.values()
    assert newest_checkpoint() is not None


def test_a_worker_that_is_killed_is_started_again(subject: int, tmp_path: Path) -> None:
    open_account(NewAccount("agent", "示例甲", Role.SUBJECT_AGENT, None, subject, PASSWORD), by="test")
    with running_site(tmp_path) as site:
        wait_until(lambda: site.task_worker() is not None)
        first = site.task_worker()
        assert first is not None
        os.kill(first, signal.SIGKILL)
        visitor = Visitor(site.port)
        visitor.sign_in("agent", PASSWORD)
        assert visitor.post("/apply", filled(visitor.get("/apply"), "/apply"))[0] == 302
        wait_until(lambda: Application.objects.filter(state="done").exists())
        assert site.task_worker() not in (None, first)
    assert site.task_worker() is None

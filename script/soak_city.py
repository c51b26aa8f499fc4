"""What the parts of script/soak do inside a home: prepare a city, apply, count. Each use is a process of its own."""

import json
import os
import signal
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

PASSWORD = "soak-Perlen-fischen-7"
POLICY = "suzhou-2024"
BY = "soak"
READ_AGAIN = 0.05


def firms(count: int) -> list[int]:
    """So many subjects of the register that may apply."""
    from xinzheng.apps.registry.models import SubjectVersion

    found = SubjectVersion.objects.filter(kind="enterprise_legal_person", is_deregistered=False)
    return list(found.order_by("subject_id").values_list("subject_id", flat=True).distinct()[:count])


def prepare(out: str, agents: str, reports: str) -> None:
    """Agents with a password for as many firms, and reports with their codes, written down for who puts the load on."""
    from xinzheng.apps.accounts.actions import NewAccount, open_account
    from xinzheng.apps.accounts.models import Role
    from xinzheng.apps.reports.issuing import Order, issue_report
    from xinzheng.core.decision import Request
    from xinzheng.core.lifecycle import typed_code

    found = firms(int(agents) + int(reports))
    names = []
    for subject in found[: int(agents)]:
        names.append(f"soak-{subject}")
        new = NewAccount(names[-1], "压力测试经办人", Role.SUBJECT_AGENT, subject_id=subject, password=PASSWORD)
        open_account(new, by=BY)
    known = []
    for subject in found[int(agents) :]:
        report = issue_report(Order(POLICY, subject, Request(), BY))
        known.append([report.number, typed_code(bytes(report.secret))])
    facts = {"agents": names, "password": PASSWORD, "known": known, "numbers": [number for number, _ in known]}
    Path(out).write_text(json.dumps(facts), encoding="utf-8")


def write(out: str, seed: str) -> None:
    """Apply again and again until told to stop; a line is written once the application was acknowledged.

    When the database goes away the same application is sent again, under the same key, until somebody takes it.
    """
    from django.db import connection
    from django.db.utils import Error

    stopping: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: stopping.append(number))
    apply = _applying(int(seed))
    with Path(out).open("w", encoding="ascii", buffering=1) as told:
        while not stopping:
            key = uuid.uuid4()
            while not stopping:
                try:
                    apply(key)
                except Error:
                    connection.close()
                    time.sleep(READ_AGAIN)
                else:
                    told.write(f"{key} {time.time():.3f}\n")
                    break


def _applying(seed: int) -> Callable[[uuid.UUID], object]:
    from xinzheng.apps.accounts.models import Account
    from xinzheng.apps.reports.applications import Applying, submit_application
    from xinzheng.core.decision import Request

    agents = list(Account.objects.filter(username__startswith="soak-").order_by("pk"))
    agent = agents[seed % len(agents)]
    wanted = Applying(agent, agent.subject_id or 0, POLICY, Request())
    return lambda key: submit_application(wanted, key)


def count(keys: str) -> None:
    """How many of these applications there are, of which state, and with how many reports in force."""
    from xinzheng.apps.reports.models import Application, Report

    wanted = [line.split()[0] for line in Path(keys).read_text(encoding="ascii").splitlines()]
    found = Application.objects.filter(pk__in=wanted)
    states = {state: found.filter(state=state).count() for state in found.values_list("state", flat=True).distinct()}
    reports = Report.objects.filter(idempotency_key__in=wanted).count()
    _tell({"asked": len(set(wanted)), "there": found.count(), "states": states, "reports": reports})


def totals() -> None:
    """How much of everything there is."""
    from xinzheng.apps.ledger.models import RecordVersion
    from xinzheng.apps.reports.look_models import Look
    from xinzheng.apps.reports.models import Application, Report

    models = {"applications": Application, "reports": Report, "looks": Look, "versions": RecordVersion}
    _tell({name: model.objects.count() for name, model in models.items()})


def fulfil(keys: str) -> None:
    """Issue the reports of some applications, as the task worker would."""
    from xinzheng.apps.reports.applications import fulfil_application

    for line in Path(keys).read_text(encoding="ascii").splitlines():
        fulfil_application(line.split()[0])


def _tell(facts: dict[str, Any]) -> None:
    print(json.dumps(facts))


ACTS: dict[str, Callable[..., None]] = {
    "prepare": prepare,
    "write": write,
    "count": count,
    "totals": totals,
    "fulfil": fulfil,
}


def main() -> int:
    """Set Django up in the home of the environment, and act."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "xinzheng.config.settings")
    import django

    django.setup()
    ACTS[sys.argv[1]](*sys.argv[2:])
    return 0


if __name__ == "__main__":
    sys.exit(main())

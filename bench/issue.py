"""Documents a second, the whole way: decide, rehearse, number, render, sign, store, with two worker processes.

    python bench/issue.py [--seconds S]

The reference, measured in the same run with as many processes, is WeasyPrint + pyHanko as commonly called: it sets the
content of the very report that was issued and signs it with the same P-256 key; it decides, numbers and stores nothing.
Goals, for the clear report: at least 15 documents a second, and at least 4 times the reference. Everything runs in a
throwaway home with a small demonstration city.
"""

import argparse
import json
import logging
import multiprocessing
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

WORKERS = 2
TARGET_PER_SECOND, TARGET_RATIO = 15.0, 4.0
POLICY = "suzhou-2024"
ROLES = ("clear", "records")
WARM_UP = 2


@dataclass(frozen=True)
class Job:
    """What each worker makes, again and again, for some seconds."""

    maker: str
    subject_id: int
    content: bytes
    seconds: float


def prepare() -> None:
    """Set Django up in this process."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "xinzheng.config.settings"
    import django

    logging.disable(logging.CRITICAL)
    django.setup()


def our_document(job: Job, turn: int) -> None:  # noqa: ARG001  every order is a new one
    """One report, issued as the task behind the page does it."""
    from xinzheng.apps.reports.issuing import Order, issue_report
    from xinzheng.core.decision import Request

    issue_report(Order(POLICY, job.subject_id, Request(), "system"))


def their_document(job: Job, turn: int) -> None:
    """The same content, with another number each time."""
    from django.conf import settings

    from bench.issue_pdf import theirs

    content = json.loads(job.content)
    content["number"] = f"{content['number'][:10]}{turn:07}X"
    theirs(json.dumps(content, ensure_ascii=False).encode(), settings.XINZHENG_KEYS / "signing")


MAKERS: dict[str, Callable[[Job, int], None]] = {"ours": our_document, "theirs": their_document}


def per_second(job: Job) -> float:
    """Documents a second of all workers together, from the first start to the last end, after a warm-up."""
    context = multiprocessing.get_context("spawn")
    ready, done = context.Barrier(WORKERS), context.Queue()
    workers = [context.Process(target=work, args=(job, index, ready, done)) for index in range(WORKERS)]
    for worker in workers:
        worker.start()
    spans = [done.get(timeout=job.seconds + 180) for _ in workers]
    for worker in workers:
        worker.join()
    first, last = min(start for _, start, _ in spans), max(end for _, _, end in spans)
    return float(sum(made for made, _, _ in spans) / (last - first))


def work(job: Job, worker: int, ready: Any, done: Any) -> None:
    """One worker process."""
    prepare()
    make = MAKERS[job.maker]
    for turn in range(WARM_UP):
        make(job, turn)
    ready.wait(timeout=120)
    made, start = 0, time.monotonic()
    while time.monotonic() - start < job.seconds:
        make(job, worker * 1_000_000 + WARM_UP + made)
        made += 1
    done.put((made, start, time.monotonic()))


def load_small_city() -> None:
    """A demonstration city of 300 subjects."""
    from xinzheng.apps.ledger.delivery import today_in_china
    from xinzheng.cli.demo_city.loading import load_city
    from xinzheng.cli.demo_city.marks import CityMark
    from xinzheng.cli.demo_city.progress import watching

    with watching() as watcher:
        load_city(CityMark(7, 300, (), today_in_china()), watcher)


def compare(role: str, seconds: float) -> tuple[float, float]:
    """(ours, theirs) in documents a second for one known subject, one after the other."""
    from django.db import connections

    from xinzheng.apps.registry.queries import find_subject
    from xinzheng.apps.reports.issuing import Order, issue_report
    from xinzheng.cli.demo_city.characters import known_codes
    from xinzheng.core.decision import Request

    subject_id = find_subject(known_codes()[role])
    if subject_id is None:
        raise LookupError(role)
    content = bytes(issue_report(Order(POLICY, subject_id, Request(), "system")).content)
    connections.close_all()
    job = Job("ours", subject_id, content, seconds)
    return per_second(job), per_second(Job("theirs", subject_id, content, seconds))


def measure(seconds: float) -> bool:
    """Print every comparison; whether the clear report reaches both goals."""
    reached = True
    for role in ROLES:
        mine, peer = compare(role, seconds)
        ratio = mine / peer
        print(
            f"{role}, {WORKERS} processes: ours {mine:.1f}/s (decide, rehearse, number, render, sign, store), "
            f"WeasyPrint + pyHanko {peer:.2f}/s, ratio {ratio:.1f}",
            flush=True,
        )
        if role == "clear":
            reached = mine >= TARGET_PER_SECOND and ratio >= TARGET_RATIO
    return reached


def main() -> int:
    """Run the benchmark; exit 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10.0, help="how long each of the four measurements lasts")
    args = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="xinzheng-bench-home-"))
    os.environ["XINZHENG_HOME"] = str(home)
    try:
        prepare()
        from xinzheng.config.readiness import ensure_ready

        ensure_ready()
        load_small_city()
        reached = measure(args.seconds)
    finally:
        from xinzheng.adapters.postgres_embedded import stop

        stop(home)
        shutil.rmtree(home, ignore_errors=True)
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())

"""Documents a second, the whole way: decide, rehearse, number, render, sign, store, with two worker processes.

    python -m bench.issue [--seconds S]

Reports are signed PAdES B-B: no time stamp is asked for. Each order is for another subject of a demonstration city, in
turn, as a city issues them. Two references are measured in the same run with as many processes, on the contents of the
very reports that were issued:

- typst alone: the same template compiled once a document with one compiler and one set of faces in a process, each
  time with another number and code; what it is given was prepared before the clock starts. It decides, rehearses,
  reads back, signs and stores nothing, and lays out from scratch what our own rehearsal lays out from scratch.
- WeasyPrint + pyHanko as commonly called: HTML to PDF/A-3b, signed in one call with the same P-256 key.

Goals, for the clear reports: at least 20 documents a second, at least 0.4 of typst alone, at least 5 times WeasyPrint +
pyHanko. Processor milliseconds a document are printed beside, PostgreSQL's included: what other work on the machine
disturbs least. Everything runs in a throwaway home with a small demonstration city.
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
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

WORKERS = 2
TARGET_PER_SECOND, TARGET_OF_TYPST, TARGET_RATIO = 20.0, 0.4, 5.0
POLICY = "suzhou-2024"
OUTCOMES = {"clear": "clear", "records": "not_clear"}
SUBJECTS, ASKED = 40, 300  # of each kind at most; subjects looked at in search of them
WARM_UP = 3
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Sample:
    """A subject and what was issued for it."""

    subject_id: int
    content: bytes
    qr_text: str


@dataclass(frozen=True)
class Job:
    """What each worker makes, again and again, for some seconds."""

    maker: str
    samples: tuple[Sample, ...]
    seconds: float


@dataclass(frozen=True)
class Rate:
    """Documents a second of all workers together, and processor milliseconds a document."""

    per_second: float
    processor: float

    def __str__(self) -> str:
        return f"{self.per_second:.1f}/s ({self.processor:.0f} ms of processor each)"


Make = Callable[[int], object]


def prepare() -> None:
    """Set Django up in this process."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "xinzheng.config.settings"
    os.environ["XINZHENG_TSA"] = ""
    import django

    logging.disable(logging.CRITICAL)
    django.setup()


def ours(samples: Sequence[Sample]) -> Make:
    """Reports issued as the task behind the page does it; every order is a new one."""
    from xinzheng.apps.reports.issuing import Order, issue_report
    from xinzheng.core.decision import Request

    return lambda turn: issue_report(Order(POLICY, samples[turn % len(samples)].subject_id, Request(), "system"))


def typst_alone(samples: Sequence[Sample]) -> Make:
    """The template compiled with what the renderer gives it."""
    from xinzheng.adapters.pdf.fonts import OWN
    from xinzheng.adapters.pdf.typesetting import _compiler, _files, parse, view_of

    given = [_files(s.content, view_of(parse(s.content)), s.qr_text, OWN) for s in samples]
    compiler = _compiler(OWN)

    def make(turn: int) -> object:
        pages = given[turn % len(given)]
        number = json.loads(pages["numbering.json"])["number"]
        other = numbered(number, turn)
        changed = {
            **pages,
            "numbering.json": json.dumps({"number": other, "code": f"{turn:012}"}).encode(),
            "content.json": pages["content.json"].replace(number.encode(), other.encode()),
        }
        # typst takes a mapping of files, which its own types leave out
        return compiler.compile_with_warnings(  # type: ignore[type-var]
            input=changed, pdf_standards=["a-3b"], timestamp=turn
        )

    return make


def theirs(samples: Sequence[Sample]) -> Make:
    """The same contents, with another number each time."""
    from bench import issue_pdf
    from xinzheng.apps.reports.trusting import keys_folder

    def make(turn: int) -> object:
        content = json.loads(samples[turn % len(samples)].content)
        content["number"] = numbered(content["number"], turn)
        return issue_pdf.theirs(json.dumps(content, ensure_ascii=False).encode(), keys_folder())

    return make


def numbered(number: str, turn: int) -> str:
    """The number of another report of the day."""
    return f"{number[:10]}{turn % 10_000_000:07}X"


MAKERS: dict[str, Callable[[Sequence[Sample]], Make]] = {"ours": ours, "typst": typst_alone, "theirs": theirs}


def rate(job: Job) -> Rate:
    """All workers at once, from the first start to the last end, after a warm-up."""
    context = multiprocessing.get_context("spawn")
    ready, done = context.Barrier(WORKERS), context.Queue()
    before = database_seconds()
    workers = [context.Process(target=work, args=(job, index, ready, done)) for index in range(WORKERS)]
    for worker in workers:
        worker.start()
    spans = [done.get(timeout=job.seconds + 240) for _ in workers]
    for worker in workers:
        worker.join()
    made, first, last = sum(s[0] for s in spans), min(s[1] for s in spans), max(s[2] for s in spans)
    share = made / (made + WORKERS * WARM_UP)  # the database worked for the warm-up too
    processor = sum(s[3] for s in spans) + (database_seconds() - before) * share
    return Rate(made / (last - first), processor / made * 1000)


def work(job: Job, worker: int, ready: Any, done: Any) -> None:
    """One worker process, with every second sample."""
    prepare()
    make = MAKERS[job.maker](job.samples[worker::WORKERS])
    for turn in range(WARM_UP):
        make(turn)
    ready.wait(timeout=180)
    made, start, processor = 0, time.monotonic(), time.process_time()
    while time.monotonic() - start < job.seconds:
        make(worker * 1_000_000 + WARM_UP + made)
        made += 1
    done.put((made, start, time.monotonic(), time.process_time() - processor))


def database_seconds() -> float:
    """Processor seconds of the database server and of every session that it ever had."""
    from django.db import connections

    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (session,) = cursor.fetchone()
        server = int(Path(f"/proc/{session}/stat").read_text().rsplit(")", 1)[1].split()[1])
    connections.close_all()
    time.sleep(0.3)  # a session's time counts as its server's when it has ended
    children = Path(f"/proc/{server}/task/{server}/children").read_text().split()
    return sum(times(server)) + sum(sum(times(int(child))[:2]) for child in children)


def times(process: int) -> list[float]:
    """User and system seconds, of a process and of its children that ended."""
    fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    return [int(field) / TICKS for field in fields[11:15]]


def load_small_city() -> None:
    """A demonstration city of 300 subjects."""
    from xinzheng.apps.ledger.delivery import today_in_china
    from xinzheng.cli.demo_city.loading import load_city
    from xinzheng.cli.demo_city.marks import CityMark
    from xinzheng.cli.demo_city.progress import watching

    with watching() as watcher:
        load_city(CityMark(7, 300, (), today_in_china()), watcher)


def issued() -> Iterator[tuple[str, Sample]]:
    """The outcome of a report for each subject that is served, and the report."""
    from xinzheng.apps.registry.models import Subject
    from xinzheng.apps.reports import ports
    from xinzheng.apps.reports.issuing import Order, issue_report, long_code
    from xinzheng.core.decision import Request
    from xinzheng.core.errors import XinzhengError

    for subject_id in Subject.objects.order_by("id").values_list("id", flat=True)[:ASKED]:
        try:
            report = issue_report(Order(POLICY, subject_id, Request(), "system"))
        except XinzhengError:
            continue  # not served: deregistered, or of a kind that the policy does not serve
        text = ports.signing().qr_text(bytes(report.cose), long_code(bytes(report.secret)))
        yield report.outcome, Sample(subject_id, bytes(report.content), text)


def gather() -> dict[str, tuple[Sample, ...]]:
    """Samples by kind."""
    from django.db import connections

    found: dict[str, list[Sample]] = {outcome: [] for outcome in OUTCOMES.values()}
    for outcome, sample in issued():
        if outcome in found and len(found[outcome]) < SUBJECTS:
            found[outcome].append(sample)
        if all(len(samples) == SUBJECTS for samples in found.values()):
            break
    connections.close_all()
    return {kind: tuple(found[outcome]) for kind, outcome in OUTCOMES.items()}


def measure(seconds: float) -> bool:
    """Print every comparison; whether the clear reports reach the goals."""
    reached = True
    for kind, samples in gather().items():
        mine, typst, peer = (rate(Job(maker, samples, seconds)) for maker in MAKERS)
        of_typst, ratio = mine.per_second / typst.per_second, mine.per_second / peer.per_second
        print(
            f"{kind}, {len(samples)} subjects, {WORKERS} processes: "
            f"ours {mine} (decide, rehearse, number, render, sign, store); typst alone {typst}, of it {of_typst:.2f}, "
            f"by processor {typst.processor / mine.processor:.2f}; WeasyPrint + pyHanko {peer}, ratio {ratio:.1f}",
            flush=True,
        )
        if kind == "clear":
            reached = mine.per_second >= TARGET_PER_SECOND and of_typst >= TARGET_OF_TYPST and ratio >= TARGET_RATIO
    return reached


def main() -> int:
    """Run the benchmark; exit 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10.0, help="how long each of the six measurements lasts")
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

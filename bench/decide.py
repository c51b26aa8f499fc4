"""Deciding one subject through the database, beside the bare SELECT of the same rows, at a million records.

    python bench/decide.py [--rows N] [--subjects N] [--asked N] [--profile]

Loads N penalties through the real intake into Suzhou's deployment, then decides random subjects in all twenty domains
under suzhou-2024. Prints p50 and p95 of the whole question (position, subject, ties, records, coverage, weighing), p50
of the bare SELECT of the same rows on the same connection, and the ratio. Goal: p50 at most 5 ms. The server is the
embedded one in a throwaway home, or XINZHENG_DATABASE_URL, whose database must be empty.
"""

import argparse
import cProfile
import json
import os
import pstats
import random
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

GOAL_MS = 5.0
POLICY, DOMAIN, KIND = "suzhou-2024", "market_regulation", "administrative_penalty"
SEED = 20261121
BARE = """
    SELECT record_id, subject_id, kind, domain, organ_code, organ_name, document_key, decision_date, served_date,
           procedure, outcome, standing, standing_date, repaired_date, sealed, listed_from, listed_through, owing,
           payload
    FROM ledger_recordversion WHERE subject_id = %s
"""


def load(count: int, subjects: Sequence[str]) -> list[int]:
    """Suzhou with so many penalties, all units current; the subjects' keys."""
    from bench.intake_1m import write_file
    from xinzheng.adapters.deployment_files import load_deployment
    from xinzheng.adapters.policy_files import load_policy
    from xinzheng.apps.ledger.actions import Delivery, Scope, declare_coverage, submit_batch
    from xinzheng.apps.ledger.delivery import today_in_china
    from xinzheng.apps.registry.actions import apply_deployment
    from xinzheng.apps.registry.models import SubjectCode

    deployment = load_deployment("suzhou", load_policy(POLICY))
    apply_deployment(deployment, by="system")
    _register(subjects)
    through = today_in_china() - timedelta(days=1)
    since = through.replace(year=through.year - 5, day=1)
    (organ,) = deployment.answering[DOMAIN]
    with tempfile.TemporaryDirectory(prefix="xinzheng-bench-") as folder:
        path = Path(folder) / "penalties.csv"
        write_file(path, count, list(subjects), organ)
        submit_batch(Delivery(path, Scope(organ, DOMAIN, KIND), covers=(since, through)), by="system")
    for found in deployment.responsibilities:
        if (found.uscc, found.domain, found.kind) != (organ, DOMAIN, KIND):
            scope = Scope(found.uscc, found.domain, found.kind)
            declare_coverage(scope, from_date=since, through_date=through, by="system")
    return list(SubjectCode.objects.filter(code__in=subjects).values_list("subject_id", flat=True))


def _register(subjects: Sequence[str]) -> None:
    from django.db import transaction

    from xinzheng.apps.audit.actions import open_entry, take_position
    from xinzheng.apps.registry.actions import Sighting, register_unknown_subjects

    with transaction.atomic():
        entry = open_entry(kind="bench", by="system")
        register_unknown_subjects((Sighting(code, "") for code in subjects), entry=entry)
        take_position(entry)


def milliseconds(work: Callable[[int], object], keys: Sequence[int]) -> list[float]:
    """What the work takes for each key."""
    times = []
    for key in keys:
        begin = time.perf_counter()
        work(key)
        times.append((time.perf_counter() - begin) * 1000)
    return times


def decide_one(subject_id: int) -> object:
    """The whole question, as ``xinzheng decide`` and an issue ask it."""
    from xinzheng.apps.reports.cases import answer_question
    from xinzheng.apps.reports.issuing import question_now
    from xinzheng.apps.reports.packs import current_policy
    from xinzheng.core.decision import Request

    return answer_question(question_now(current_policy(POLICY), subject_id, Request()))


def select_one(subject_id: int) -> object:
    """The same rows, and nothing else."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(BARE, [subject_id])
        return cursor.fetchall()


def measure(count: int, subject_count: int, asked: int) -> dict[str, object]:
    """Load, warm up, and measure both in turns on the same subjects."""
    from django.db import connection

    from bench.intake_1m import codes

    keys = load(count, codes("91320500", subject_count))
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    dice = random.Random(SEED)
    chosen = dice.sample(keys, min(asked, len(keys)))
    milliseconds(decide_one, keys[:20])
    decided, selected = [], []
    for start in range(0, len(chosen), 50):
        decided += milliseconds(decide_one, chosen[start : start + 50])
        selected += milliseconds(select_one, chosen[start : start + 50])
    p50, bare = statistics.median(decided), statistics.median(selected)
    return {
        "records": count,
        "subjects": len(keys),
        "asked": len(chosen),
        "decide_p50_ms": round(p50, 2),
        "decide_p95_ms": round(statistics.quantiles(decided, n=20)[18], 2),
        "bare_select_p50_ms": round(bare, 2),
        "ratio": round(p50 / bare, 1),
        "goal_p50_ms": GOAL_MS,
    }


def profile(keys: Sequence[int]) -> None:
    """Say on stderr where the time goes."""
    profiler = cProfile.Profile()
    profiler.runcall(milliseconds, decide_one, keys)
    pstats.Stats(profiler, stream=sys.stderr).sort_stats("cumulative").print_stats(45)


def main() -> int:
    """Run the benchmark; exit 1 when the goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--subjects", type=int, default=200_000)
    parser.add_argument("--asked", type=int, default=1000, help="random subjects, at least 500")
    parser.add_argument("--profile", action="store_true")
    args = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="xinzheng-bench-home-"))
    os.environ["XINZHENG_HOME"] = str(home)
    os.environ["DJANGO_SETTINGS_MODULE"] = "xinzheng.config.settings"
    try:
        import django

        django.setup()
        from xinzheng.config.readiness import ensure_ready

        ensure_ready()
        found = measure(args.rows, min(args.subjects, args.rows), args.asked)
        if args.profile:
            from xinzheng.apps.registry.models import Subject

            profile(list(Subject.objects.values_list("pk", flat=True)[:500]))
    finally:
        from xinzheng.adapters.postgres_embedded import stop

        stop(home)
        shutil.rmtree(home, ignore_errors=True)
    print(json.dumps(found, ensure_ascii=False, indent=1))
    return 0 if float(str(found["decide_p50_ms"])) <= GOAL_MS else 1


if __name__ == "__main__":
    sys.exit(main())

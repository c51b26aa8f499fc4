"""Looking a subject's records up as they stand, at fifty million records beside one million.

    python bench/lookup.py [--rows N] [--small N] [--asked N] [--payload BYTES]

A small Suzhou comes through the real intake; the many records beside it are rows that PostgreSQL writes itself, five of
each subject, scattered as deliveries scatter them, with a payload of so many bytes. Measured is ``records_at``, the one
query that deciding, issuing and replaying share, for random subjects, each asked once. Goal: p50 at the large size at
most twice that at the small one. The disk is looked at first: the large size needs about 20 GiB. Everything runs in a
throwaway home with the embedded server.
"""

import argparse
import json
import os
import random
import shutil
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

GOAL_RATIO = 2.0
SEED = 20261122
EACH = 5
GIB = 1024**3
# Heap, two indexes, the index while it is built, and what a shared disk should keep.
BYTES_A_ROW, LEFT_FREE = 260, 6 * GIB
STRANGER = 1_000_000_000
INDEX = "CREATE INDEX version_of_subject ON ledger_recordversion (subject_id, record_id)"
# Row n is of subject n modulo the number of subjects: the rows of one subject lie far from each other.
ROWS = f"""
    INSERT INTO ledger_recordversion (
        record_id, subject_id, entry_id, batch_id, line, unit_id, kind, domain, organ_code, organ_name, document_key,
        decision_date, procedure, outcome, standing, is_present, payload, payload_sha256)
    SELECT {STRANGER} + g.n, {STRANGER} + %(shift)s + g.n %% %(subjects)s, t.entry_id, t.batch_id, g.n, t.unit_id,
           t.kind, t.domain, t.organ_code, t.organ_name, 'bench-' || g.n, t.decision_date, t.procedure, t.outcome,
           t.standing, true, %(payload)s, '\\x00'
    FROM generate_series(%(first)s::bigint, %(last)s::bigint) g (n)
    CROSS JOIN (SELECT * FROM ledger_recordversion WHERE is_present AND record_id < {STRANGER} LIMIT 1) t
"""


def room_for(rows: int, payload: int, home: Path) -> str:
    """Why the disk does not hold so many; empty when it does."""
    needed = rows * (BYTES_A_ROW + payload) + LEFT_FREE
    free = shutil.disk_usage(home).free
    if free >= needed:
        return ""
    there = f"{home} 所在的磁盘只有 {free / GIB:.0f} GiB"
    return f"磁盘不够：{rows:,} 条记录约需 {needed / GIB:.0f} GiB，{there}。请用 --rows 改小。"


def grow(first: int, last: int, payload: int) -> float:
    """Write rows up to a number and build the index; the seconds it took."""
    from django.db import connection

    begun = time.perf_counter()
    subjects = max((last - first + 1) // EACH, 1)
    content = json.dumps({"CF_NR": "x" * max(payload - 14, 1)})
    values = {"first": first, "last": last, "shift": first // EACH, "subjects": subjects, "payload": content}
    with connection.cursor() as cursor:
        cursor.execute("SET maintenance_work_mem = '1GB'")
        cursor.execute("DROP INDEX IF EXISTS version_of_subject")
        cursor.execute(ROWS, values)
        cursor.execute(INDEX)
        cursor.execute("VACUUM ANALYZE ledger_recordversion")
    return time.perf_counter() - begun


@dataclass(frozen=True)
class Looked:
    """Milliseconds of each look-up on the clock, and of processors for one of them, ours and the server's together."""

    times: list[float]
    processor_ms: float


def lookups(rows: int, asked: int) -> Looked:
    """Look random subjects up; half of them before the clock runs."""
    from django.db import connection

    from xinzheng.apps.audit.queries import head_position
    from xinzheng.apps.ledger.record_queries import records_at
    from xinzheng.apps.reports.packs import current_policy
    from xinzheng.core.subjects import Tie

    position, city = head_position(), current_policy("suzhou-2024").jurisdiction
    dice = random.Random(SEED)
    chosen = [STRANGER + dice.randrange(rows // EACH) for _ in range(asked * 2)]
    times: list[float] = []
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (backend,) = cursor.fetchone()
    spent = 0.0
    for number, subject in enumerate(chosen):
        if number == asked:
            spent = processor_seconds(backend)
        begun = time.perf_counter()
        found = records_at({subject: Tie.SELF}, position, city)
        took = (time.perf_counter() - begun) * 1000
        assert len(found) == EACH, (subject, len(found))
        if number >= asked:
            times.append(took)
    return Looked(times, (processor_seconds(backend) - spent) / asked * 1000)


def processor_seconds(backend: int) -> float:
    """What this process and the server's one for it have used: other work on the machine disturbs it least."""
    fields = Path(f"/proc/{backend}/stat").read_text().rpartition(") ")[2].split()
    ticks = int(fields[11]) + int(fields[12])
    return time.process_time() + ticks / os.sysconf("SC_CLK_TCK")


def measure(small: int, rows: int, asked: int, payload: int) -> dict[str, Any]:
    """Both sizes in one table, the small one first."""
    from django.db import connection

    from bench.decide import load
    from bench.intake_1m import codes

    load(1_000, codes("91320500", 200))
    with connection.cursor() as cursor:
        # What is thrown away need not survive a crash; and the disk need not hold it twice.
        cursor.execute("ALTER TABLE ledger_recordversion SET UNLOGGED")
    found: dict[str, Any] = {"asked": asked, "payload": payload, "goal_ratio": GOAL_RATIO}
    medians: list[float] = []
    for first, last in ((1, small), (small + 1, rows)):
        seconds = grow(first, last, payload)
        looked = lookups(last, asked)
        medians.append(statistics.median(looked.times))
        found |= told(last, seconds, looked)
    return found | {"ratio": round(medians[1] / medians[0], 2)}


def told(rows: int, seconds: float, looked: Looked) -> dict[str, Any]:
    """What one size gave."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_total_relation_size('ledger_recordversion')")
        (size,) = cursor.fetchone()
    name = f"{rows}"
    return {
        f"p50_ms_at_{name}": round(statistics.median(looked.times), 3),
        f"p95_ms_at_{name}": round(statistics.quantiles(looked.times, n=20)[18], 3),
        f"processor_ms_at_{name}": round(looked.processor_ms, 3),
        f"gib_at_{name}": round(size / GIB, 2),
        f"seconds_to_write_{name}": round(seconds),
    }


def main() -> int:
    """Run the benchmark; exit 1 when the goal is missed, 2 when the disk does not hold the records."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=50_000_000)
    parser.add_argument("--small", type=int, default=1_000_000)
    parser.add_argument("--asked", type=int, default=2_000, help="random subjects at each size")
    parser.add_argument("--payload", type=int, default=40, help="bytes of a record's fields as delivered")
    args = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="xinzheng-bench-home-"))
    refused = room_for(args.rows, args.payload, home)
    if refused:
        print(refused, file=sys.stderr)
        home.rmdir()
        return 2
    os.environ["XINZHENG_HOME"] = str(home)
    os.environ["DJANGO_SETTINGS_MODULE"] = "xinzheng.config.settings"
    try:
        import django

        django.setup()
        from xinzheng.config.readiness import ensure_ready

        ensure_ready()
        found = measure(args.small, args.rows, args.asked, args.payload)
    finally:
        from xinzheng.adapters.postgres_embedded import stop

        stop(home)
        shutil.rmtree(home, ignore_errors=True)
    print(json.dumps(found, ensure_ascii=False, indent=1))
    return 0 if found["ratio"] <= GOAL_RATIO else 1


if __name__ == "__main__":
    sys.exit(main())

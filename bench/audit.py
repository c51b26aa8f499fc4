"""The audit trail: events sealed a second, the chain checked again, and what waiting for a seal costs a writer.

    python bench/audit.py [--events N] [--written W]

Events are written beforehand. The reference in the same run is the least any sealer in Python does in this database:
read each event as one text, hash it onto the hash before, copy that into a bare table; no canonical form, no queue.
What a writer pays is told for one ``record_event``, with the trigger that queues the event and without it, turn about.
Every figure is of processor time, this process's and its server process's together, so that a busy machine gives the
same; the two take turns, so alone they take as long.
Limits: at least 0.2 of the reference, at least 10,000 events a second sealed and checked, and at most 40 microseconds
of processor time for the trigger. Everything runs in a throwaway home.
"""

import argparse
import os
import shutil
import statistics
import sys
import tempfile
import time
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

EVENTS, WRITTEN, TURNS = 1_000_000, 4_000, 5
LEAST_RATIO, LEAST_PER_SECOND, MOST_MICROSECONDS = 0.2, 10_000.0, 40.0

WRITE_EVENTS = """
    INSERT INTO audit_auditevent (who, action, object_kind, object_id, details, subject_id, place)
    SELECT 'account:' || n %% 50, 'report-read', 'report', 'SZ2026' || n, jsonb_build_object('pages', n %% 9),
        n %% 1000, '' FROM generate_series(%s, %s) n
"""
AS_TEXT = "SELECT id, event::text FROM audit_auditevent event WHERE id > %s ORDER BY id LIMIT %s"
BARE = "CREATE TABLE bare_seal (index bigint PRIMARY KEY, event_id bigint UNIQUE, head bytea)"
TRIGGER = "ALTER TABLE audit_auditevent {} TRIGGER pgtrigger_waits_for_its_seal_ed082"


def sealed_per_second(count: int) -> float:
    """Write events, then seal them all."""
    from django.db import connection
    from django.utils import timezone

    from xinzheng.apps.audit.seals import seal_events

    with connection.cursor() as cursor:
        for first in range(0, count, 50_000):
            cursor.execute(WRITE_EVENTS, [first, min(first + 50_000, count) - 1])
        cursor.execute("VACUUM ANALYZE audit_auditevent, audit_auditwaiting")
    began = _spent()
    if seal_events(timezone.now()) != count:
        raise RuntimeError("not every event was sealed")
    return count / (_spent() - began)


def bare_per_second(count: int) -> float:
    """The least a sealer does: read each event as one text, hash it onto the hash before, copy that into bare rows."""
    from django.db import connection, transaction

    from xinzheng.apps.audit.seals import MOST_AT_ONCE

    with connection.cursor() as cursor:
        cursor.execute(BARE)
        began, head, last = _spent(), bytes(32), 0
        for first in range(0, count, MOST_AT_ONCE):
            with transaction.atomic():
                cursor.execute(AS_TEXT, [last, MOST_AT_ONCE])
                rows = cursor.fetchall()
                with cursor.copy("COPY bare_seal (index, event_id, head) FROM STDIN (FORMAT BINARY)") as copy:
                    copy.set_types(("int8", "int8", "bytea"))
                    for index, (number, text) in enumerate(rows, first):
                        head = sha256(head + text.encode()).digest()
                        copy.write_row((index, number, head))
                last = rows[-1][0]
    return count / (_spent() - began)


def checked_per_second(count: int) -> float:
    """The whole chain computed again; nothing may be found wanting."""
    from xinzheng.apps.audit.seal_check import check_chain

    began = _spent()
    found = check_chain()
    if found.faults or found.count != count:
        raise RuntimeError(f"the check found {found.faults}")
    return count / (_spent() - began)


def microseconds_written(written: int, *, queued: bool) -> float:
    """Processor time of one event, of this process and of its server process together."""
    from django.db import connection, transaction

    from xinzheng.apps.audit.actions import record_event

    with connection.cursor() as cursor:
        cursor.execute(TRIGGER.format("ENABLE" if queued else "DISABLE"))
    began = _spent()
    for _ in range(0, written, 20):
        with transaction.atomic():
            for number in range(20):
                record_event(who="account:3", action="report-read", object_kind="report", object_id=number)
    return (_spent() - began) / written * 1e6


def _spent() -> float:
    """Seconds of processor time that this process and its server process have used."""
    from django.db import connection

    connection.ensure_connection()
    server = connection.connection.info.backend_pid
    nanoseconds, *_ = Path(f"/proc/{server}/schedstat").read_text().split()
    return time.process_time() + int(nanoseconds) / 1e9


def measure(count: int, written: int) -> bool:
    """Print every figure; whether all limits are kept."""
    sealed = sealed_per_second(count)
    bare, checked = bare_per_second(count), checked_per_second(count)
    print(
        f"{count:,} events sealed: {sealed:,.0f} in a second of processor time; the least a sealer does {bare:,.0f}, "
        f"ratio {sealed / bare:.2f} (limit {LEAST_RATIO}); checked again: {checked:,.0f}",
        flush=True,
    )
    microseconds_written(written, queued=True)
    turns = [[microseconds_written(written, queued=queued) for queued in (True, False)] for _ in range(TURNS)]
    with_it, without = (statistics.median(one) for one in zip(*turns, strict=True))
    print(
        f"one event written: {with_it:.0f} µs of processor time, {without:.0f} µs without the queue; "
        f"the queue costs {with_it - without:.0f} µs (limit {MOST_MICROSECONDS:.0f} µs)"
    )
    is_fast = min(sealed, checked) >= LEAST_PER_SECOND and sealed / bare >= LEAST_RATIO
    return is_fast and with_it - without <= MOST_MICROSECONDS


def main() -> int:
    """Run the benchmark; exit 1 when a limit is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=EVENTS)
    parser.add_argument("--written", type=int, default=WRITTEN)
    args = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="xinzheng-bench-home-"))
    os.environ["XINZHENG_HOME"] = str(home)
    os.environ["DJANGO_SETTINGS_MODULE"] = "xinzheng.config.settings"
    try:
        import django

        django.setup()
        from xinzheng.config.readiness import ensure_ready

        ensure_ready()
        reached = measure(args.events, args.written)
    finally:
        from xinzheng.adapters.postgres_embedded import stop

        stop(home)
        shutil.rmtree(home, ignore_errors=True)
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())

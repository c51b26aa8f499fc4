"""Flagging after a batch: which of a million issued reports may a batch of 10,000 rows touch?

    python bench/flagging.py [--reports N] [--rows N] [--each N]

The reports are rows with a tiny content, written by PostgreSQL itself, ``--each`` of every subject; the batch comes
through the real intake and names one registered subject a row, so that rows × each reports must be flagged: no fewer,
no others. Goal: at most 3 seconds from the batch's commit until every flag is committed. Everything runs in a throwaway
home with the embedded server.
"""

import argparse
import csv
import logging
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

GOAL_SECONDS = 3.0
STRANGER = 1_000_000_000

# Report n is of subject n modulo the number of subjects; the first subjects are those the batch names.
PEOPLE = """
    CREATE TEMPORARY TABLE people AS
    SELECT g.n, coalesce(r.subject_id, %(stranger)s + g.n) AS subject_id
    FROM generate_series(0, %(subjects)s - 1) g (n)
    LEFT JOIN (
        SELECT subject_id, row_number() OVER (ORDER BY subject_id) - 1 AS n
        FROM registry_subjectcode WHERE subject_id <> %(sample)s
    ) r ON r.n = g.n
"""
NUMBERED = """
    CREATE TEMPORARY TABLE numbered AS
    SELECT 'SZ' || lpad(c.n::text, 16, '0') AS number, p.subject_id
    FROM generate_series(1, %(reports)s) c (n) JOIN people p ON p.n = c.n %% %(subjects)s
"""
REPORTS = """
    INSERT INTO reports_report (
        number, idempotency_key, subject_id, policy_id, pack_id, calendar_id, setting, position, as_of, request,
        outcome, findings, secret, content, digest, cose, created_by)
    SELECT c.number, gen_random_uuid(), c.subject_id, r.policy_id, r.pack_id, r.calendar_id, '{}', r.position, r.as_of,
           '{}', r.outcome, '[]', decode(md5(c.number), 'hex'), '\\x7b7d', '\\x00', '\\x00', 'bench'
    FROM numbered c CROSS JOIN reports_report r WHERE r.number = %(number)s
"""
STATUSES = """
    INSERT INTO reports_statusevent (report_id, status, reason, reason_code, actor)
    SELECT number, status, '', '', 'bench' FROM numbered CROSS JOIN (VALUES ('prepared'), ('in_force')) s (status)
"""
SCOPES = """
    INSERT INTO reports_reportscope
    SELECT (jsonb_populate_record(s, jsonb_build_object('report_id', c.number, 'subject_id', c.subject_id))).*
    FROM numbered c CROSS JOIN reports_reportscope s WHERE s.report_id = %(number)s
"""
TIES = "INSERT INTO reports_reporttie (report_id, subject_id) SELECT number, subject_id FROM numbered"
EXPECTED = """
    SELECT count(*), count(*) FILTER (WHERE t.subject_id < %s)
    FROM reports_reviewflag f JOIN reports_reporttie t ON t.report_id = f.report_id
"""


def people_file(folder: Path, codes: list[str]) -> Path:
    """A file of the register with these firms."""
    path = folder / "subjects.csv"
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["名称", "统一社会信用代码", "法定代表人", "登记状态"])
        writer.writerows([f"苏州示例第{n}有限公司", code, "示例甲", "存续"] for n, code in enumerate(codes))
    return path


def fill(number: str, reports: int, each: int) -> None:
    """A million reports like the one of this number."""
    from django.db import connection, transaction

    from xinzheng.apps.reports.models import Report

    values = {"stranger": STRANGER, "sample": Report.objects.get(pk=number).subject_id, "number": number}
    values |= {"subjects": reports // each, "reports": reports}
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in (PEOPLE, NUMBERED, REPORTS, STATUSES, SCOPES, TIES):
            cursor.execute(statement, values)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")


def measure(folder: Path, reports: int, rows: int, each: int) -> bool:
    """Print the seconds; whether the goal is reached."""
    from django.db import connection

    from tests.small_city import BY, build_small_city, uscc
    from xinzheng.apps.registry.actions import import_subjects
    from xinzheng.apps.reports.flagging import flag_reports
    from xinzheng.apps.reports.issuing import Order, issue_report
    from xinzheng.core.decision import Request

    city = build_small_city(folder, units_per_domain=1)
    city.declare_everything()
    codes = [uscc(n) for n in range(1, rows + 1)]
    sample = issue_report(Order(city.policy_id, city.firm(uscc(999_999)), Request(), BY)).number
    import_subjects(people_file(folder, codes), by=BY)
    fill(sample, reports, each)
    flag_reports()
    result = city.submit([city.penalty(code, f"苏税罚〔2026〕{n}号") for n, code in enumerate(codes)])
    if result.held or result.new != rows:
        raise AssertionError(result)
    begun = time.perf_counter()
    flag_reports()
    seconds = time.perf_counter() - begun
    with connection.cursor() as cursor:
        cursor.execute(EXPECTED, [STRANGER])
        found, right = cursor.fetchone()
    print(f"{reports:,} reports, batch of {rows:,} rows: {found:,} flagged in {seconds:.2f} s (goal {GOAL_SECONDS} s)")
    return bool(found == right == rows * each and seconds <= GOAL_SECONDS)


def main() -> int:
    """Run the benchmark; exit 1 when the goal is missed or not exactly the right reports are flagged."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reports", type=int, default=1_000_000)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--each", type=int, default=5, help="reports of one subject")
    args = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="xinzheng-bench-home-"))
    os.environ |= {"XINZHENG_HOME": str(home), "DJANGO_SETTINGS_MODULE": "xinzheng.config.settings"}
    try:
        import django

        logging.disable(logging.CRITICAL)
        django.setup()
        from xinzheng.config.readiness import ensure_ready

        ensure_ready()
        with tempfile.TemporaryDirectory() as folder:
            reached = measure(Path(folder), args.reports, args.rows, args.each)
    finally:
        from xinzheng.adapters.postgres_embedded import stop

        stop(home)
        shutil.rmtree(home, ignore_errors=True)
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())

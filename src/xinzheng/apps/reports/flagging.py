"""Flagging (标记复核): which reports the ledger's new entries may touch. Sets, never a report at a time.

A cursor tells up to which position that was done, so that every entry is caught, whoever wrote it. A report whose
decision was overtaken while it was being numbered flags itself (``note_scope``): a position is announced before
anything is flagged up to it, and whoever numbers a report afterwards sees it.

What may touch any report of a unit, domain and kind becomes a sweep: a row to be worked off in slices.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.ledger.delivery import CORRECTION
from xinzheng.apps.ledger.models import Batch
from xinzheng.apps.reports import packs
from xinzheng.apps.reports.models import ReportScope, ReviewCursor, StoredInput
from xinzheng.apps.reports.scopes import ANNOUNCED, OBJECTION, SCOPE_LOCK
from xinzheng.core.records import LISTING_KINDS, RecordKind

FLAGGED = "flagged"
# How many entries are looked at in one transaction.
ENTRIES = 1000
# How many reports of a sweep are flagged at once.
SLICE = 5000

NEW_ENTRIES = """
    SELECT p.position, e.id, e.kind FROM audit_position p JOIN audit_entry e ON e.id = p.entry_id
    WHERE p.position > %s AND p.position <= %s ORDER BY p.position LIMIT %s
"""

IS_OPEN = """NOT EXISTS (
    SELECT 1 FROM reports_statusevent e
    WHERE e.report_id = s.report_id AND e.status IN ('superseded', 'revoked', 'expired', 'voided'))"""

# A flag that is open already keeps its first entry; that it was touched again makes whoever looks at it look again.
# Once an objection's, it stays one, and its entry is the first of an objection: an objection may name one of long ago.
TOUCH = f"""
    ON CONFLICT (report_id) WHERE decided_at IS NULL
    DO UPDATE SET flagged_at = clock_timestamp(), waits_since = NULL,
        why = CASE WHEN excluded.why = '{OBJECTION}' THEN excluded.why ELSE reports_reviewflag.why END,
        entry_id = CASE WHEN excluded.why <> '{OBJECTION}' OR (reports_reviewflag.why = '{OBJECTION}' AND coalesce(
            (SELECT p.position FROM audit_position p WHERE p.entry_id = reports_reviewflag.entry_id), 0)
            <= (SELECT p.position FROM audit_position p WHERE p.entry_id = excluded.entry_id))
            THEN reports_reviewflag.entry_id ELSE excluded.entry_id END
"""  # noqa: S608

# Every version of a record that a new entry speaks of, or no longer speaks of, says which reports could print it: of
# its subject, with its domain and kind, with its day in their period. A repair follows its penalty, of whatever domain.
BY_RECORDS = f"""
    WITH changed AS MATERIALIZED (
        SELECT DISTINCT ON (v.subject_id, v.record_id) v.subject_id, v.record_id, b.entry_id
        FROM unnest(%(batches)s::bigint[], %(spoken)s::bigint[]) AS b (batch_id, entry_id)
        JOIN ledger_recordversion v ON v.batch_id = b.batch_id
        WHERE EXISTS (SELECT 1 FROM reports_reporttie t WHERE t.subject_id = v.subject_id)
        ORDER BY v.subject_id, v.record_id, b.entry_id
    ), told AS MATERIALIZED (
        SELECT v.subject_id, v.domain, v.kind, min(c.entry_id) AS entry_id,
               CASE WHEN v.kind = %(repair)s THEN '-infinity' WHEN v.kind = ANY(%(listing)s)
                    THEN coalesce(v.listed_from, '-infinity')
                    ELSE coalesce(v.decision_date, '-infinity') END AS first_day,
               CASE WHEN v.kind = %(repair)s THEN 'infinity' WHEN v.kind = ANY(%(listing)s)
                    THEN coalesce(v.listed_through, 'infinity')
                    ELSE coalesce(v.decision_date, 'infinity') END AS last_day
        FROM changed c
        JOIN ledger_recordversion v ON v.subject_id = c.subject_id AND v.record_id = c.record_id
        GROUP BY 1, 2, 3, 5, 6
    )
    INSERT INTO reports_reviewflag (report_id, entry_id, why, flagged_at, answer)
    SELECT s.report_id, min(v.entry_id), 'records', clock_timestamp(), ''
    FROM told v
    JOIN reports_reporttie t ON t.subject_id = v.subject_id
    JOIN reports_reportscope s ON s.report_id = t.report_id
    WHERE v.first_day <= s.to_date AND v.last_day >= s.from_date
      AND (v.kind = %(repair)s OR (s.policy_id, v.domain, v.kind) IN (
          SELECT * FROM unnest(%(policies)s::text[], %(domains)s::text[], %(kinds)s::text[])))
      AND s.position < %(last)s AND {IS_OPEN}
    GROUP BY s.report_id
    {TOUCH}
"""  # noqa: S608

# What an upheld objection did to a subject's records touches all that is printed of them, whatever it weighs.
BY_OBJECTIONS = f"""
    INSERT INTO reports_reviewflag (report_id, entry_id, why, flagged_at, answer)
    SELECT s.report_id, min(v.entry_id), '{OBJECTION}', clock_timestamp(), ''
    FROM ledger_recordversion v
    JOIN reports_reporttie t ON t.subject_id = v.subject_id
    JOIN reports_reportscope s ON s.report_id = t.report_id
    WHERE v.batch_id = ANY(%(objected)s)
    AND s.position < %(last)s AND {IS_OPEN}
    GROUP BY s.report_id
    {TOUCH}
"""  # noqa: S608

BY_SUCCESSIONS = f"""
    INSERT INTO reports_reviewflag (report_id, entry_id, why, flagged_at, answer)
    SELECT s.report_id, min(c.entry_id), 'successions', clock_timestamp(), ''
    FROM (
        SELECT successor_id, entry_id FROM registry_succession WHERE entry_id = ANY(%(entries)s)
        UNION ALL
        SELECT o.successor_id, r.entry_id FROM registry_successionrevision r
        JOIN registry_succession o ON o.id = r.succession_id WHERE r.entry_id = ANY(%(entries)s)
    ) c
    JOIN reports_reporttie t ON t.subject_id = c.successor_id
    JOIN reports_reportscope s ON s.report_id = t.report_id
    WHERE s.position < %(last)s AND {IS_OPEN}
    GROUP BY s.report_id
    {TOUCH}
"""  # noqa: S608

# Where data may have become complete: what was stated, what was held back by a line now settled, whose line it was,
# what such a line of a withdrawn batch held back; and whoever is served by the unit that a line was booked under.
FILLED = """
    WITH settled AS (
        SELECT r.entry_id, r.batch_id, l.unit_id, l.domain, l.kind
        FROM ledger_lineresolution r JOIN ledger_line l ON l.entry_id = r.batch_id AND l.line = r.line
        WHERE r.entry_id = ANY(%(entries)s)
        UNION
        SELECT w.entry_id, w.batch_id, l.unit_id, l.domain, l.kind
        FROM ledger_batchwithdrawal w JOIN ledger_line l ON l.entry_id = w.batch_id AND l.status IN ('rejected', 'held')
        WHERE w.entry_id = ANY(%(entries)s)
    )
    INSERT INTO reports_reviewsweep (entry_id, policy_id, unit_id, domain, kind, from_date, through_date, last_number)
    SELECT min(entry_id), '', unit_id, domain, kind, min(from_date), max(through_date), ''
    FROM (
        SELECT entry_id, unit_id, domain, kind, from_date, through_date
        FROM ledger_coveragestatement WHERE entry_id = ANY(%(entries)s)
        UNION ALL
        SELECT t.entry_id, s.unit_id, s.domain, s.kind, s.from_date, s.through_date
        FROM (SELECT DISTINCT entry_id, batch_id FROM settled) t
        JOIN ledger_coveragestatement s ON s.batch_id = t.batch_id
        UNION ALL
        SELECT entry_id, unit_id, domain, kind, '0001-01-01', '9999-12-31' FROM settled
        UNION ALL
        SELECT t.entry_id, c.unit_id, c.domain, c.kind, '0001-01-01', '9999-12-31'
        FROM settled t
        JOIN registry_returnchannel c ON c.source_id = t.unit_id AND c.domain = t.domain AND c.kind = t.kind
    ) f
    WHERE EXISTS (
        SELECT 1 FROM reports_reportgap g
        WHERE g.unit_id = f.unit_id AND g.domain = f.domain AND g.kind = f.kind)
    GROUP BY 3, 4, 5
"""

# Where data ceased to be complete: statements withdrawn, by themselves or with a batch that had spoken.
LOST = """
    INSERT INTO reports_reviewsweep (entry_id, policy_id, unit_id, domain, kind, from_date, through_date, last_number)
    SELECT DISTINCT l.entry_id, p.policy_id, l.unit_id, l.domain, l.kind, l.from_date, l.through_date, ''
    FROM (
        SELECT w.entry_id, s.unit_id, s.domain, s.kind, s.from_date, s.through_date
        FROM ledger_coveragewithdrawal w JOIN ledger_coveragestatement s ON s.id = w.statement_id
        WHERE w.entry_id = ANY(%(entries)s)
        UNION ALL
        SELECT w.entry_id, s.unit_id, s.domain, s.kind, s.from_date, s.through_date
        FROM ledger_batchwithdrawal w
        JOIN ledger_batch b ON b.entry_id = w.batch_id AND NOT b.held
        JOIN ledger_coveragestatement s ON s.batch_id = w.batch_id
        WHERE w.entry_id = ANY(%(entries)s)
    ) l
    JOIN registry_responsibility p ON p.unit_id = l.unit_id AND p.domain = l.domain AND p.kind = l.kind
"""

NEXT_SWEEP = """
    SELECT id, entry_id, policy_id, unit_id, domain, kind, from_date, through_date, last_number
    FROM reports_reviewsweep WHERE done_at IS NULL ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED
"""
OF_GAP = """
    SELECT g.report_id FROM reports_reportgap g
    WHERE g.unit_id = %(unit)s AND g.domain = %(domain)s AND g.kind = %(kind)s AND g.report_id > %(last)s
    ORDER BY g.report_id LIMIT %(limit)s
"""
OF_POLICY = """
    SELECT o.report_id FROM reports_reportscope o
    WHERE o.policy_id = %(policy)s AND o.report_id > %(last)s ORDER BY o.report_id LIMIT %(limit)s
"""
SLICE_OF_SWEEP = f"""
    WITH part AS MATERIALIZED ({{reports}}), flags AS (
        INSERT INTO reports_reviewflag (report_id, entry_id, why, flagged_at, answer)
        SELECT s.report_id, %(entry)s, 'coverage', clock_timestamp(), ''
        FROM part JOIN reports_reportscope s ON s.report_id = part.report_id
        WHERE s.from_date <= %(through)s AND s.to_date >= %(from)s AND {IS_OPEN}
        {TOUCH}
        RETURNING 1
    )
    SELECT (SELECT count(*) FROM flags), max(report_id), count(*) FROM part
"""  # noqa: S608
MOVE_SWEEP = """
    UPDATE reports_reviewsweep SET last_number = coalesce(%s, last_number), done_at = CASE WHEN %s THEN now() END
    WHERE id = %s
"""


@dataclass(frozen=True, slots=True)
class _New:
    """Entries not yet looked at, by what they can touch."""

    last: int
    entries: list[int]
    batches: list[tuple[int, int]]
    objected: list[int]


def flag_reports() -> int:
    """Flag every report that an entry since the last time may touch; how many flags were set or touched again.

    Safe to run at any time and by several at once; one that dies leaves its entries to the next.
    """
    head = _announce()
    flagged = 0
    while True:
        more, is_done = _flag_next(head)
        flagged += more
        if is_done:
            return flagged


@transaction.atomic
def _announce() -> int:
    """Say up to which position flagging begins; whoever numbers a report from now on knows it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [SCOPE_LOCK])
    head = head_position()
    ReviewCursor.objects.update_or_create(name=ANNOUNCED, defaults={"position": head})
    return head


@transaction.atomic
def _flag_next(head: int) -> tuple[int, bool]:
    begin = _oldest_position() if not ReviewCursor.objects.filter(name=FLAGGED).exists() else 0
    ReviewCursor.objects.get_or_create(name=FLAGGED, defaults={"position": begin})
    cursor = ReviewCursor.objects.select_for_update().get(name=FLAGGED)
    new = _new_entries(cursor.position, head)
    if new is None:
        return 0, True
    flagged = _flag_entries(new)
    cursor.position = new.last
    cursor.save()
    return flagged, new.last >= head


def _oldest_position() -> int:
    """Where flagging starts at the very first time: nothing before the first report can touch one."""
    first = ReportScope.objects.order_by("position").values_list("position", flat=True).first()
    return head_position() if first is None else first


def _new_entries(after: int, head: int) -> _New | None:
    rows = _rows(NEW_ENTRIES, [after, head, ENTRIES])
    if not rows:
        return None
    entries = [entry for _, entry, _ in rows]
    spoke = [(entry, entry) for _, entry, kind in rows if kind in ("batch", "record-withdrawn")]
    withdrawn = _rows("SELECT batch_id, entry_id FROM ledger_batchwithdrawal WHERE entry_id = ANY(%s)", [entries])
    objected = [entry for _, entry, kind in rows if kind == "record-withdrawn"] + _corrections_among(entries)
    return _New(rows[-1][0], entries, [*spoke, *withdrawn], objected)


def _corrections_among(entries: Iterable[int]) -> list[int]:
    """Those entries that are a corrected row each."""
    return list(Batch.objects.filter(pk__in=list(entries), mode=CORRECTION).values_list("pk", flat=True))


def _flag_entries(new: _New) -> int:
    values: dict[str, Any] = {"entries": new.entries, "last": new.last}
    flagged = _count(BY_SUCCESSIONS, values)
    if new.objected:
        flagged += _count(BY_OBJECTIONS, values | {"objected": new.objected})
    _count(FILLED, values)
    _count(LOST, values)
    return flagged + (_count(BY_RECORDS, values | _record_values(new.batches)) if new.batches else 0)


def _record_values(batches: Iterable[tuple[int, int]]) -> dict[str, Any]:
    spoke, entries = zip(*batches, strict=True)
    policies, domains, kinds = zip(*(_weighed() or [("", "", "")]), strict=True)
    return {
        "batches": list(spoke),
        "spoken": list(entries),
        "policies": list(policies),
        "domains": list(domains),
        "kinds": list(kinds),
        "repair": str(RecordKind.CREDIT_REPAIR),
        "listing": sorted(map(str, LISTING_KINDS)),
    }


def _weighed() -> list[tuple[str, str, str]]:
    """Policy, domain and kind of whatever any pack that decided a report weighs."""
    digests = StoredInput.objects.filter(kind="policy").values_list("sha256", flat=True)
    found = {
        (policy.id, domain.code, str(kind))
        for policy in (packs.stored_policy(bytes(digest)) for digest in digests)
        for domain in policy.domains
        for kind in domain.kinds
    }
    return sorted(found)


@transaction.atomic
def flag_slice() -> tuple[int, bool]:
    """Flag the next slice of the oldest sweep; how many, and whether there was one."""
    found = _rows(NEXT_SWEEP, [])
    if not found:
        return 0, False
    key, entry, policy, unit, domain, kind, first, through, last = found[0]
    values = {"entry": entry, "policy": policy, "unit": unit, "domain": domain, "kind": kind, "last": last}
    statement = SLICE_OF_SWEEP.format(reports=OF_POLICY if policy else OF_GAP)
    rows = _rows(statement, values | {"from": first, "through": through, "limit": SLICE})
    flagged, reached, seen = rows[0]
    _count(MOVE_SWEEP, [reached, seen < SLICE, key])
    return flagged, True


def _rows(statement: str, values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())


def _count(statement: str, values: Any) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return int(cursor.rowcount)

"""Holding a batch (暂存): what a would-be batch would do, against what its unit usually sends and what is there."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from django.conf import settings
from psycopg import sql

from xinzheng.apps.audit.models import Entry
from xinzheng.apps.ledger.delivery import Answering, Delivery
from xinzheng.apps.ledger.models import HoldReason
from xinzheng.apps.ledger.staging import rows_of
from xinzheng.core.floors import Floors, Reason, Shrinkage, Size, WouldBe, reasons_to_hold

# A year of monthly files, or the working days of a month.
BATCHES_LOOKED_BACK = 24

IS_LIVE = """({0}.is_present AND coalesce({0}.standing, '') NOT IN ('withdrawn', 'void')
    AND NOT coalesce({0}.sealed, false) AND coalesce({0}.outcome, '') <> 'not_penalised')"""

# A file that comes with a statement says to hold all of a period; a snapshot always says so.
EARLIER = sql.SQL("""
    SELECT b.lines, b.rejected, b.mode = 'snapshot' OR EXISTS (
        SELECT 1 FROM ledger_coveragestatement s WHERE s.entry_id = b.entry_id)
    FROM ledger_batch b
    WHERE b.unit_id = %(unit)s AND b.domain = %(domain)s AND b.kind = %(kind)s AND b.mode = %(mode)s
    AND b.entry_id <> %(entry)s AND NOT b.held
    AND NOT EXISTS (SELECT 1 FROM ledger_batchwithdrawal w WHERE w.batch_id = b.entry_id)
    ORDER BY b.entry_id DESC LIMIT %(limit)s
""")

# Of the records live before and changed by this batch, how many there are and how many it ends. A provincial return
# changes records of many units: each unit is judged by its own.
CHANGED = sql.SQL(f"""
    SELECT o.unit_id, o.domain, o.kind, count(*),
           count(*) FILTER (WHERE NOT {IS_LIVE.format("v")} OR v.domain <> o.domain)
    FROM ledger_recordversion v
    JOIN LATERAL (
        SELECT o.* FROM ledger_recordversion o
        WHERE o.subject_id = v.subject_id AND o.record_id = v.record_id AND o.id < v.id ORDER BY o.id DESC LIMIT 1
    ) o ON true
    WHERE v.batch_id = %(entry)s AND v.entry_id = %(entry)s AND {IS_LIVE.format("o")}
    GROUP BY 1, 2, 3
""")  # noqa: S608

MISSING = sql.SQL(f"""
    SELECT v.unit_id, v.domain, v.kind, count(*) FROM ledger_putforward f
    JOIN ledger_recordhead h ON h.record_id = f.record_id AND h.subject_id = f.subject_id
    JOIN ledger_recordversion v ON v.id = h.version_id AND v.subject_id = h.subject_id
    WHERE f.entry_id = %(entry)s AND {IS_LIVE.format("v")} GROUP BY 1, 2, 3
""")  # noqa: S608

UNTOUCHED = sql.SQL(f"""
    SELECT count(*) FROM ledger_recordhead h
    JOIN ledger_recordversion v ON v.id = h.version_id AND v.subject_id = h.subject_id
    WHERE h.unit_id = %(unit)s AND h.kind = %(kind)s AND v.domain = %(domain)s AND v.entry_id <> %(entry)s
    AND {IS_LIVE.format("v")}
""")  # noqa: S608


class Key(NamedTuple):
    """Whose records, of which domain and kind."""

    unit: int
    domain: str
    kind: str


@dataclass(frozen=True)
class Merged:
    """What became of a delivery's rows, by fate; with ``reasons``: what would become of them, for they are held."""

    counts: dict[str, int]
    mended: int
    put_forward: int
    reasons: tuple[Reason, ...] = ()


def reasons_against(entry: Entry, who: Answering, delivery: Delivery, merged: Merged) -> tuple[Reason, ...]:
    """Why the batch just merged, and not yet committed, needs a second officer; empty: it does not."""
    floors: Floors = settings.XINZHENG_FLOORS
    counts, is_whole = merged.counts, delivery.covers is not None or delivery.mode == "snapshot"
    scope = {"unit": who.unit.id, "domain": who.scope.domain, "kind": who.scope.kind, "mode": delivery.mode}
    values = scope | {"entry": entry.pk, "limit": BATCHES_LOOKED_BACK}
    history = [Size(*row) for row in rows_of(EARLIER, values)]
    # Counting what is live reads all heads of the unit: only where enough could end at all.
    may_shrink = counts["changed"] + merged.put_forward >= floors.ended_records
    shrinkages = _shrinkages(entry, floors) if may_shrink else []
    size = Size(sum(counts.values()), counts["rejected"], is_whole)
    return reasons_to_hold(WouldBe(size, shrinkages, merged.mended), history, floors)


def keep_reasons(entry: Entry, reasons: Iterable[Reason]) -> None:
    """Write down why the batch is held."""
    HoldReason.objects.bulk_create(HoldReason(entry=entry, code=r.code, message=r.message) for r in reasons)


def _shrinkages(entry: Entry, floors: Floors) -> list[Shrinkage]:
    """What the batch ends, by unit, domain and kind; where it is too little to matter is left out."""
    batch = {"entry": entry.pk}
    ended, touched = Counter[Key](), Counter[Key]()
    for unit, domain, kind, changed, gone in rows_of(CHANGED, batch):
        touched[Key(unit, domain, kind)], ended[Key(unit, domain, kind)] = changed, gone
    for unit, domain, kind, missing in rows_of(MISSING, batch):
        ended[Key(unit, domain, kind)] += missing
    found = []
    for key, count in ended.items():
        if count >= floors.ended_records:
            untouched = rows_of(UNTOUCHED, batch | key._asdict())[0][0]
            found.append(Shrinkage(count, touched[key] + int(untouched)))
    return found

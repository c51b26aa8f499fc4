"""Ranks (位次): what a unit says itself outranks what a return says of it (数据回流).

A returned row that differs from the unit's own record, or brings back one that the unit took back, is not booked and
waits until the unit has looked at it; a row of the unit that differs from a returned record replaces it, with a note
for review. Whether a record came by return is read from its batch, and only where two contents differ: nothing is
kept that a withdrawal could falsify.
"""

import json

import polars as pl
from psycopg import sql

from xinzheng.apps.ledger.register_words import line_defects
from xinzheng.apps.ledger.staging import DEFECT_COLUMNS, copy_frame, rows_of

# Where a record came from is no part of what it says.
SOURCES = frozenset({"source_name", "source_code"})

RETURNED = sql.SQL("""
    SELECT v.id, v.unit_id, v.entry_id
    FROM unnest({versions}::bigint[], {subjects}::bigint[]) AS s (version_id, subject_id)
    JOIN ledger_recordversion v ON v.id = s.version_id AND v.subject_id = s.subject_id
    JOIN ledger_batch b ON b.entry_id = v.batch_id
    WHERE b.unit_id <> v.unit_id
""")

# A unit that sent the same content itself has made the record its own.
CONFIRMED = sql.SQL("""
    SELECT DISTINCT c.version_id
    FROM ledger_identicalline c
    JOIN ledger_batch b ON b.entry_id = c.entry_id AND b.unit_id = c.unit_id
    JOIN unnest({versions}::bigint[], {units}::bigint[]) AS s (version_id, unit_id)
        ON s.version_id = c.version_id AND s.unit_id = c.unit_id
    WHERE c.entry_id > {since} AND NOT b.held AND c.version_id = ANY({versions}::bigint[])
    AND NOT EXISTS (SELECT 1 FROM ledger_batchwithdrawal w WHERE w.batch_id = b.entry_id)
""")

CONTENTS = sql.SQL("""
    SELECT v.id, v.domain, v.payload
    FROM unnest({versions}::bigint[], {subjects}::bigint[]) AS s (version_id, subject_id)
    JOIN ledger_recordversion v ON v.id = s.version_id AND v.subject_id = s.subject_id
""")


def ranked(decided: pl.DataFrame, entry_id: int, deliverer: int) -> pl.DataFrame:
    """The rows of a delivery by ``deliverer``, those that differ from the record they met settled by rank.

    ``decided`` holds ``fate``, the row's ``unit_id`` and the head it met; rows of another unit's record are decided.
    """
    differing = decided.filter(pl.col("fate") == "changed")
    if not differing.height:
        return decided
    is_own_row, is_live = pl.col("unit_id") == deliverer, pl.col("head_digest").is_not_null()
    is_returned_head = pl.col("head_version").is_in(returned_versions(differing))
    disputed = differing.filter(is_own_row == is_returned_head)
    live = disputed.filter(is_live)
    same = live.filter(pl.Series(_says_the_same(live), dtype=pl.Boolean)).get_column("line")
    is_other = ~pl.col("line").is_in(same.implode())
    beaten = disputed.filter(~is_own_row & is_other).get_column("line")
    noted = live.filter(is_own_row & is_other).get_column("line")
    if noted.len():
        defects = line_defects(noted, "returned-record-differed")
        copy_frame("ledger_defect", defects.with_columns(entry_id=pl.lit(entry_id, pl.Int64)), DEFECT_COLUMNS)
    is_same, is_beaten = pl.col("line").is_in(same.implode()), pl.col("line").is_in(beaten.implode())
    fate = pl.when(is_same).then(pl.lit("identical")).when(is_beaten).then(pl.lit("rejected"))
    return decided.with_columns(fate=fate.otherwise("fate"))


def returned_versions(rows: pl.DataFrame) -> list[int]:
    """Of the versions these rows met, those that a return brought and the unit has not confirmed since.

    ``rows`` holds ``head_version`` and ``subject_id``, at least one of them.
    """
    found = rows_of(RETURNED.format(versions=_array(rows, "head_version"), subjects=_array(rows, "subject_id")))
    if not found:
        return []
    versions, units, entries = ([row[place] for row in found] for place in range(3))
    since = sql.Literal(min(entries))
    statement = CONFIRMED.format(versions=sql.Literal(versions), units=sql.Literal(units), since=since)
    return sorted(set(versions) - {version for (version,) in rows_of(statement)})


def _says_the_same(rows: pl.DataFrame) -> list[bool]:
    """Of each row, whether it says what its head says, wherever each of them came from."""
    if not rows.height:
        return []
    found = rows_of(CONTENTS.format(versions=_array(rows, "head_version"), subjects=_array(rows, "subject_id")))
    heads = {version: (domain, _content(payload)) for version, domain, payload in found}
    told = rows.select("head_version", "domain", "payload").iter_rows()
    return [heads[version] == (domain, _content(payload)) for version, domain, payload in told]


def _content(payload: str) -> dict[str, object]:
    return {name: value for name, value in json.loads(payload).items() if name not in SOURCES}


def _array(rows: pl.DataFrame, column: str) -> sql.Literal:
    return sql.Literal("{" + rows.get_column(column).cast(pl.String).str.join(",").item() + "}")

"""The names under which subjects and units are known (现用名称、曾用名称), for comparing what a batch writes."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from io import BytesIO

import polars as pl
from django.db import connection
from psycopg import sql

LATEST = {"subject_id": pl.Int64, "registered_name": pl.String}

# An entry's number is not its position, but whoever differs from this name is compared with all names there are.
LATEST_NAMES = sql.SQL("""
    COPY (
        SELECT s.id, v.name FROM unnest({subjects}::bigint[]) AS s (id)
        CROSS JOIN LATERAL (
            SELECT v.name FROM registry_subjectversion v WHERE v.subject_id = s.id ORDER BY v.entry_id DESC LIMIT 1
        ) v
        WHERE v.name <> ''
    ) TO STDOUT (FORMAT CSV, FORCE_QUOTE (name))
""")

# What a batch called a subject that it was the first to name is not the register's word until the office has made it so
# and nothing newer has been said.
NAMES_EVER = """
    SELECT v.subject_id, v.name FROM registry_subjectversion v
    WHERE v.subject_id = ANY(%(subjects)s) AND v.name <> ''
    AND NOT EXISTS (
        SELECT 1 FROM registry_reviewitem i
        LEFT JOIN registry_reviewdecision d ON d.item_id = i.subject_id AND d.outcome IN ('confirmed', 'imported')
        WHERE i.subject_id = v.subject_id AND i.entry_id = v.entry_id
        AND (d.id IS NULL OR EXISTS (
            SELECT 1 FROM registry_subjectversion w WHERE w.subject_id = v.subject_id AND w.entry_id <> v.entry_id)))
    UNION
    SELECT f.subject_id, f.name FROM registry_formername f WHERE f.subject_id = ANY(%(subjects)s)
"""

UNITS_EVER = """
    SELECT u.id, u.uscc, array_agg(v.name) || array_agg(v.short_name),
           (array_agg(v.abolished_date ORDER BY p.position DESC))[1]
    FROM registry_unit u
    JOIN registry_unitversion v ON v.unit_id = u.id JOIN audit_position p ON p.entry_id = v.entry_id
    GROUP BY u.id, u.uscc
"""

# Who answers now, under any policy.
ANSWERING = """
    SELECT DISTINCT r.domain, r.kind, r.unit_id FROM (
        SELECT DISTINCT ON (r.policy_id, r.domain, r.kind, r.unit_id) r.domain, r.kind, r.unit_id, r.is_ended
        FROM registry_responsibility r JOIN audit_position p ON p.entry_id = r.entry_id
        ORDER BY r.policy_id, r.domain, r.kind, r.unit_id, p.position DESC
    ) r WHERE NOT r.is_ended
"""


@dataclass(frozen=True, slots=True)
class KnownUnit:
    """A unit with every full and short name it ever had, and the day it was abolished (撤销), if it was."""

    id: int
    uscc: str
    names: tuple[str, ...]
    abolished_date: date | None


def latest_names(subjects: pl.Series) -> pl.DataFrame:
    """The latest registered name of each of these subjects, in the shape of ``LATEST``; the unnamed are left out."""
    listed = sql.Literal("{" + subjects.cast(pl.String).str.join(",").item() + "}")
    with connection.cursor() as cursor, cursor.copy(LATEST_NAMES.format(subjects=listed)) as copy:
        text = b"".join(copy)
    return pl.read_csv(BytesIO(text), has_header=False, schema=LATEST) if text else pl.DataFrame(schema=LATEST)


def names_ever(subjects: Collection[int]) -> Mapping[int, frozenset[str]]:
    """Every name the register has had for each of these subjects; of a subject it does not know, none."""
    found: dict[int, set[str]] = {key: set() for key in subjects}
    with connection.cursor() as cursor:
        cursor.execute(NAMES_EVER, {"subjects": list(subjects)})
        for key, name in cursor.fetchall():
            found[key].add(name)
    return {key: frozenset(names) for key, names in found.items()}


def units_ever() -> tuple[KnownUnit, ...]:
    """Every unit that was ever registered."""
    with connection.cursor() as cursor:
        cursor.execute(UNITS_EVER)
        return tuple(KnownUnit(key, uscc, tuple(names), day) for key, uscc, names, day in cursor.fetchall())


def answering_units() -> Mapping[tuple[str, str], frozenset[int]]:
    """The units that answer now, under any policy, by domain and kind."""
    found: dict[tuple[str, str], set[int]] = {}
    with connection.cursor() as cursor:
        cursor.execute(ANSWERING)
        for domain, kind, unit_id in cursor.fetchall():
            found.setdefault((domain, kind), set()).add(unit_id)
    return {scope: frozenset(units) for scope, units in found.items()}

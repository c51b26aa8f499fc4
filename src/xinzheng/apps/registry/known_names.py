"""The names under which subjects and units are known (现用名称、曾用名称), for comparing what a batch writes."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl
from django.db import connection

KNOWN = {"subject_code": pl.String, "subject_id": pl.Int64, "registered_name": pl.String}
# Between names in one text: taking some thousand rows one by one would cost more than finding them.
BETWEEN = "\x01"

# An entry's number is not its position, but whoever differs from this name is compared with all names there are.
KNOWN_SUBJECTS = """
    SELECT string_agg(c.code, chr(1)), string_agg(c.subject_id::text, chr(1)),
           string_agg(translate(coalesce(v.name, ''), chr(1), ''), chr(1))
    FROM registry_subjectcode c
    LEFT JOIN LATERAL (
        SELECT v.name FROM registry_subjectversion v WHERE v.subject_id = c.subject_id ORDER BY v.entry_id DESC LIMIT 1
    ) v ON true
    WHERE c.code = ANY(string_to_array(%s, chr(1)))
"""

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


def known_subjects(codes: pl.Series) -> pl.DataFrame:
    """The registered subjects of normalised organisation codes with their latest name, in the shape of ``KNOWN``.

    The name is null where the register has none.
    """
    with connection.cursor() as cursor:
        cursor.execute(KNOWN_SUBJECTS, [codes.str.join(BETWEEN).item()])
        texts = cursor.fetchone()
    if texts[0] is None:
        return pl.DataFrame(schema=KNOWN)
    columns = [pl.Series(name, [text]).str.split(BETWEEN).explode() for name, text in zip(KNOWN, texts, strict=True)]
    found = pl.DataFrame(columns)
    return found.with_columns(pl.col("subject_id").cast(pl.Int64), pl.col("registered_name").replace("", None))


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

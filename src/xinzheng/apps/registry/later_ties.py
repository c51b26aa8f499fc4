"""Ties (关联) of an earlier day as they are known later: what happened after that day leaves them as they were."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection

from xinzheng.apps.registry.subject_queries import closest_ties
from xinzheng.core.subjects import Tie

# A succession nobody touched since counts as it did. One withdrawn since was wrong from the beginning, a mistyped code
# never was anybody else's; any other counts from its own date on, and where nobody knows that, as it did.
LATER_TIES = """
    WITH RECURSIVE tied(subject_id, kind, path) AS (
        SELECT %(subject_id)s::bigint, 'self'::text, ARRAY[%(subject_id)s::bigint]
        UNION ALL
        SELECT s.subject_id,
               CASE WHEN t.kind IN ('self', 'renamed') AND s.kind <> 'mistyped' THEN s.kind ELSE t.kind END,
               t.path || s.subject_id
        FROM tied t
        JOIN registry_succession s ON s.successor_id = t.subject_id AND s.subject_id <> ALL (t.path)
        JOIN audit_position p ON p.entry_id = s.entry_id AND p.position <= %(now)s
        LEFT JOIN LATERAL (
            SELECT r.is_ended, r.date, q.position
            FROM registry_successionrevision r
            JOIN audit_position q ON q.entry_id = r.entry_id AND q.position <= %(now)s
            WHERE r.succession_id = s.id ORDER BY q.position DESC LIMIT 1
        ) latest ON true
        LEFT JOIN LATERAL (
            SELECT r.is_ended
            FROM registry_successionrevision r
            JOIN audit_position q ON q.entry_id = r.entry_id AND q.position <= %(then)s
            WHERE r.succession_id = s.id ORDER BY q.position DESC LIMIT 1
        ) early ON true
        CROSS JOIN LATERAL (
            SELECT p.position <= %(then)s AND NOT coalesce(early.is_ended, false) AS held,
                   CASE WHEN latest.position IS NULL THEN s.date ELSE latest.date END AS date
        ) known
        WHERE CASE
            WHEN greatest(p.position, latest.position) <= %(then)s THEN known.held
            WHEN latest.is_ended THEN false
            WHEN s.kind = 'mistyped' THEN true
            WHEN known.date IS NULL THEN known.held
            ELSE known.date <= %(day)s
        END
    )
    SELECT subject_id, kind FROM tied
"""


@dataclass(frozen=True, slots=True)
class Hindsight:
    """From where one looks back (回看): what was known at ``then`` of the day, and is known at ``now``; positions."""

    then: int
    now: int
    day: date


def ties_in_hindsight(subject_id: int, view: Hindsight) -> dict[int, Tie]:
    """The subjects tied to this one on a day, as they are known now; in the shape of ``ties_at``."""
    values: dict[str, Any] = {"subject_id": subject_id, "then": view.then, "now": view.now, "day": view.day}
    with connection.cursor() as cursor:
        cursor.execute(LATER_TIES, values)
        return closest_ties(cursor.fetchall())

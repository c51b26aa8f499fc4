"""Many codes looked up at once, as the register was at a position; natural persons stay without a name."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from django.db import connection

from xinzheng.apps.registry.models import MISTYPED
from xinzheng.core.subjects import SubjectKind

CODES_AT_ONCE = 50_000

# A mistyped code (误录) was found to be somebody else's: nobody is known by it.
OF_CODES = f"""
    SELECT asked.code, c.subject_id, v.kind, v.name, v.is_deregistered,
           EXISTS (
               SELECT FROM registry_succession s
               JOIN audit_position p ON p.entry_id = s.entry_id AND p.position <= %(position)s
               WHERE s.subject_id = c.subject_id AND s.kind = '{MISTYPED}' AND NOT coalesce((
                   SELECT r.is_ended FROM registry_successionrevision r
                   JOIN audit_position q ON q.entry_id = r.entry_id AND q.position <= %(position)s
                   WHERE r.succession_id = s.id ORDER BY q.position DESC LIMIT 1), false))
    FROM unnest(%(codes)s::text[]) asked(code)
    JOIN registry_subjectcode c ON c.code = asked.code
    JOIN audit_position q ON q.entry_id = c.entry_id AND q.position <= %(position)s
    JOIN LATERAL (
        SELECT v.kind, v.name, v.is_deregistered
        FROM registry_subjectversion v JOIN audit_position p ON p.entry_id = v.entry_id
        WHERE v.subject_id = c.subject_id AND p.position <= %(position)s ORDER BY p.position DESC LIMIT 1
    ) v ON true
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class KnownSubject:
    """A subject that a code leads to (查到的主体): no kind where it is not known; a natural person has no name here."""

    id: int
    kind: SubjectKind | None
    name: str
    is_deregistered: bool
    is_mistyped: bool

    @property
    def is_person(self) -> bool:
        """Whether it is a natural person."""
        return self.kind is SubjectKind.NATURAL_PERSON


def subjects_of_codes(codes: Collection[str], position: int) -> Mapping[str, KnownSubject]:
    """The subjects with these unified social credit codes or former codes (normalised); who is not known is missing."""
    return dict(_found(codes, position))


def _found(codes: Collection[str], position: int) -> Iterator[tuple[str, KnownSubject]]:
    wanted = list(codes)
    with connection.cursor() as cursor:
        for first in range(0, len(wanted), CODES_AT_ONCE):
            some = wanted[first : first + CODES_AT_ONCE]
            cursor.execute(OF_CODES, {"codes": some, "position": position})
            for code, subject_id, kind, name, is_deregistered, is_mistyped in cursor.fetchall():
                known = SubjectKind(kind) if kind else None
                told = "" if known is SubjectKind.NATURAL_PERSON else name or ""
                yield code, KnownSubject(subject_id, known, told, bool(is_deregistered), bool(is_mistyped))

"""Read the register of subjects (市场主体), as it was at a position of the ledger."""

from collections.abc import Iterable
from typing import Any

from django.db import connection

from xinzheng.apps.registry.identities import SealedIdentity, names_of, number_of
from xinzheng.apps.registry.number_keys import number_hash, under_one_key
from xinzheng.core.errors import XinzhengError
from xinzheng.core.identifiers import check_identity_number, mask_identifier, mask_name, normalise_identifier
from xinzheng.core.subjects import Subject, SubjectKind, Tie

ERASED = "（身份信息已依法删除）"

SUBJECT = """
    SELECT v.kind, v.name, v.representative, v.status, v.is_deregistered, c.code,
           i.number_hash, i.wrapped_key, i.name_ct, i.number_ct
    FROM registry_subjectversion v
    JOIN audit_position p ON p.entry_id = v.entry_id
    LEFT JOIN LATERAL (
        SELECT c.code FROM registry_subjectcode c JOIN audit_position q ON q.entry_id = c.entry_id
        WHERE c.subject_id = v.subject_id AND q.position <= %(position)s
        ORDER BY c.scheme = 'uscc' DESC, q.position, c.id LIMIT 1
    ) c ON true
    LEFT JOIN registry_personidentity i ON i.subject_id = v.subject_id
    WHERE v.subject_id = %(subject_id)s AND p.position <= %(position)s
    ORDER BY p.position DESC LIMIT 1
"""

LATEST_ENTRY = "SELECT entry_id FROM audit_position WHERE entry_id = ANY(%s) AND position <= %s ORDER BY position DESC"

# The tie of a chain is its first link that is not a mere renaming: an absorbed firm's former self was absorbed, too.
# A mistyped code is the subject itself, so it passes its successor's tie on. The path keeps a ring of wrong
# successions from running for ever.
TIES = """
    WITH RECURSIVE tied(subject_id, kind, path) AS (
        SELECT %(subject_id)s::bigint, 'self'::text, ARRAY[%(subject_id)s::bigint]
        UNION ALL
        SELECT s.subject_id,
               CASE WHEN t.kind IN ('self', 'renamed') AND s.kind <> 'mistyped' THEN s.kind ELSE t.kind END,
               t.path || s.subject_id
        FROM tied t
        JOIN registry_succession s ON s.successor_id = t.subject_id AND s.subject_id <> ALL (t.path)
        JOIN audit_position p ON p.entry_id = s.entry_id AND p.position <= %(position)s
        WHERE NOT coalesce((
            SELECT r.is_ended
            FROM registry_successionrevision r
            JOIN audit_position q ON q.entry_id = r.entry_id AND q.position <= %(position)s
            WHERE r.succession_id = s.id ORDER BY q.position DESC LIMIT 1
        ), false)
    )
    SELECT subject_id, kind FROM tied
"""


class UnknownSubjectError(XinzhengError):
    """The subject is not in the register, was not at that position, or its kind is not known."""

    code = "subject-unknown"


def find_subject(code: str) -> int | None:
    """The subject with this unified social credit code, former code or identity number; None if there is none.

    The code is normalised first; an identity number is looked up by its keyed hash.
    """
    value = normalise_identifier(code)
    found = _one("SELECT subject_id FROM registry_subjectcode WHERE code = %s", [value])
    if found is None and check_identity_number(value).ok:
        by_hash = "SELECT subject_id FROM registry_personidentity WHERE number_hash = %s"
        found = under_one_key(lambda key: _one(by_hash, [number_hash(key, value)]))
    return None if found is None else int(found[0])


def subject_at(subject_id: int, position: int) -> Subject:
    """The subject as the register had it at a position; a natural person's name and number are masked.

    Raises:
        UnknownSubjectError: ``subject-unknown`` if it was not in the register then; ``subject-kind-unknown`` if only
            its code is known and does not tell its kind.
    """
    row = _one(SUBJECT, {"subject_id": subject_id, "position": position})
    if row is None:
        raise UnknownSubjectError("主体名录中没有该主体，请先导入主体名录。")
    kind, name, representative, status, is_deregistered, code, *sealed = row
    if kind is None:
        message = f"主体{code}的类型尚未登记，请先在主体名录中补充后再查询。"
        raise UnknownSubjectError(message, code="subject-kind-unknown")
    if kind == SubjectKind.NATURAL_PERSON:
        name, code = _masked(subject_id, sealed, position)
    return Subject(SubjectKind(kind), name, code or "", representative, status, is_deregistered)


def ties_at(subject_id: int, position: int) -> dict[int, Tie]:
    """The subjects whose records are tied to this one at a position, and how.

    Itself ``self``; whoever was renamed or converted into it, absorbed by it or split into it; its branches; and
    whoever is tied to those. Where two ways lead to one subject, the closer tie in the order of ``Tie`` holds.
    """
    with connection.cursor() as cursor:
        cursor.execute(TIES, {"subject_id": subject_id, "position": position})
        return closest_ties(cursor.fetchall())


def closest_ties(rows: Iterable[tuple[int, str]]) -> dict[int, Tie]:
    """Of each tied subject the closer tie in the order of ``Tie``."""
    order = list(Tie)
    ties: dict[int, Tie] = {}
    for tied_id, kind in rows:
        ties[tied_id] = min(Tie(kind), ties.get(tied_id, Tie.BRANCH), key=order.index)
    return ties


def _masked(subject_id: int, sealed: list[Any], position: int) -> tuple[str, str]:
    if sealed[0] is None:
        return ERASED, ""
    identity = SealedIdentity(*map(bytes, sealed))
    names = {since.entry_id: since.name for since in names_of(subject_id, identity)}
    entry = _one(LATEST_ENTRY, [list(names), position])
    name = names[entry[0]] if entry is not None else ""
    return mask_name(name), mask_identifier(number_of(subject_id, identity))


def _one(statement: str, values: dict[str, Any] | Iterable[Any]) -> tuple[Any, ...] | None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values if isinstance(values, dict) else list(values))
        row: tuple[Any, ...] | None = cursor.fetchone()
    return row

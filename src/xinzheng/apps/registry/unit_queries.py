"""Read units and responsibilities, as they were at a position of the ledger.

"At position P" means: as written by entries whose position is at most P. What is asked at a position never changes.
"""

from dataclasses import dataclass

from django.db import connection

from xinzheng.apps.audit.queries import head_position
from xinzheng.core.coverage import Responsibility
from xinzheng.core.identifiers import normalise_identifier

# Who answers at a position: the latest row of each policy × domain × kind × unit, unless it ends the responsibility.
RESPONSIBLE = """
    SELECT r.domain, r.kind, r.rank, r.unit_id, u.uscc, v.name, v.short_name
    FROM (
        SELECT DISTINCT ON (r.domain, r.kind, r.unit_id) r.domain, r.kind, r.unit_id, r.rank, r.is_ended
        FROM registry_responsibility r JOIN audit_position p ON p.entry_id = r.entry_id
        WHERE r.policy_id = %(policy_id)s AND p.position <= %(position)s
        ORDER BY r.domain, r.kind, r.unit_id, p.position DESC
    ) r
    JOIN registry_unit u ON u.id = r.unit_id
    CROSS JOIN LATERAL (
        SELECT v.name, v.short_name
        FROM registry_unitversion v JOIN audit_position p ON p.entry_id = v.entry_id
        WHERE v.unit_id = r.unit_id AND p.position <= %(position)s
        ORDER BY p.position DESC LIMIT 1
    ) v
    WHERE NOT r.is_ended
    ORDER BY r.domain, r.kind, r.rank, u.uscc
"""

REGISTRY_POSITION = """
    SELECT max(p.position) FROM audit_position p
    WHERE p.position <= %s AND p.entry_id IN (
        SELECT entry_id FROM registry_unitversion UNION SELECT entry_id FROM registry_responsibility
        UNION SELECT entry_id FROM registry_returnchannel
    )
"""

UNITS = """
    SELECT u.id, u.uscc, v.name, v.short_name, v.jurisdiction, v.division, v.responsible_officer, v.is_office
    FROM registry_unit u
    CROSS JOIN LATERAL (
        SELECT v.* FROM registry_unitversion v JOIN audit_position p ON p.entry_id = v.entry_id
        WHERE v.unit_id = u.id AND p.position <= %(position)s
        ORDER BY p.position DESC LIMIT 1
    ) v
    WHERE %(uscc)s::text IS NULL OR u.uscc = %(uscc)s
    ORDER BY u.uscc
"""


@dataclass(frozen=True, slots=True)
class RegisteredUnit:
    """A unit (单位) at a position; ``short_name`` is what is printed."""

    id: int
    uscc: str
    name: str
    short_name: str
    jurisdiction: str
    division: str
    responsible_officer: str | None
    is_office: bool


@dataclass(frozen=True, slots=True)
class ResponsibleUnit:
    """A unit that answers in a domain (责任单位), for the kinds named; ``name`` as it is printed."""

    unit_id: int
    uscc: str
    name: str
    full_name: str
    domain: str
    kinds: tuple[str, ...]


def responsibilities_at(policy_id: str, position: int) -> tuple[Responsibility, ...]:
    """Who answered under a policy at a position, by domain and kind in the deployment's order.

    ``unit`` is the unified social credit code, ``unit_name`` the name printed then.
    """
    return tuple(
        Responsibility(domain, kind, uscc, short_name)
        for domain, kind, _rank, _unit_id, uscc, _name, short_name in _responsible(policy_id, position)
    )


def responsible_units(policy_id: str, position: int | None = None) -> tuple[ResponsibleUnit, ...]:
    """One for each domain and unit with the kinds it answers for; at the head of the ledger unless told."""
    found: dict[tuple[str, int], ResponsibleUnit] = {}
    ranks: dict[tuple[str, int], int] = {}
    rows = _responsible(policy_id, head_position() if position is None else position)
    for domain, kind, rank, unit_id, uscc, name, short_name in rows:
        key = (domain, unit_id)
        kinds = (*found[key].kinds, kind) if key in found else (kind,)
        found[key] = ResponsibleUnit(unit_id, uscc, short_name, name, domain, kinds)
        ranks.setdefault(key, rank)
    return tuple(found[key] for key in sorted(found, key=lambda key: (key[0], ranks[key])))


def registry_position(position: int) -> int:
    """The last position, up to the one given, at which a unit, a responsibility or a channel changed; 0 if none did.

    What :func:`responsibilities_at` answers is the same from there on, so that it can be kept under this key.
    """
    with connection.cursor() as cursor:
        cursor.execute(REGISTRY_POSITION, [position])
        (found,) = cursor.fetchone()
    return int(found or 0)


def unit_by_uscc(uscc: str, position: int | None = None) -> RegisteredUnit | None:
    """The unit with this code, or None; as it is at the head of the ledger unless told."""
    found = _units(head_position() if position is None else position, normalise_identifier(uscc))
    return found[0] if found else None


def units_at(position: int) -> dict[int, RegisteredUnit]:
    """All units at a position by their key."""
    return {unit.id: unit for unit in _units(position, None)}


def is_responsible(policy_id: str, *, unit_id: int, domain: str, kind: str) -> bool:
    """Whether the unit answers now for a kind in a domain of the policy."""
    found = _responsible(policy_id, head_position())
    return any((row[0], row[1], row[3]) == (domain, kind, unit_id) for row in found)


def _units(position: int, uscc: str | None) -> list[RegisteredUnit]:
    with connection.cursor() as cursor:
        cursor.execute(UNITS, {"position": position, "uscc": uscc})
        return [RegisteredUnit(*row) for row in cursor.fetchall()]


def _responsible(policy_id: str, position: int) -> list[tuple[str, str, int, int, str, str, str]]:
    with connection.cursor() as cursor:
        cursor.execute(RESPONSIBLE, {"policy_id": policy_id, "position": position})
        return list(cursor.fetchall())

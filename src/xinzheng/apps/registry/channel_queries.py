"""Read return channels (回流渠道): through whom a unit's data come besides the unit itself."""

from dataclasses import dataclass

from django.db import connection

# The latest row of each channel at a position; one that was ended stays known, for what it left behind.
CHANNELS = """
    SELECT c.policy_id, c.domain, c.kind, s.uscc, u.uscc, c.is_ended
    FROM (
        SELECT DISTINCT ON (c.policy_id, c.domain, c.kind, c.source_id, c.unit_id) c.*
        FROM registry_returnchannel c JOIN audit_position p ON p.entry_id = c.entry_id
        WHERE p.position <= coalesce(%(position)s, 9223372036854775807)
        ORDER BY c.policy_id, c.domain, c.kind, c.source_id, c.unit_id, p.position DESC
    ) c
    JOIN registry_unit s ON s.id = c.source_id JOIN registry_unit u ON u.id = c.unit_id
    ORDER BY c.domain, c.kind, s.uscc, u.uscc, c.policy_id
"""

# Channels of one source that hold now, to units that answer now: nobody can be spoken for who does not answer.
SERVED = """
    SELECT DISTINCT c.domain, c.kind, c.unit_id, u.uscc
    FROM (
        SELECT DISTINCT ON (c.policy_id, c.domain, c.kind, c.unit_id) c.domain, c.kind, c.unit_id, c.is_ended
        FROM registry_returnchannel c JOIN audit_position p ON p.entry_id = c.entry_id
        WHERE c.source_id = %(source)s
        ORDER BY c.policy_id, c.domain, c.kind, c.unit_id, p.position DESC
    ) c
    JOIN registry_unit u ON u.id = c.unit_id
    WHERE NOT c.is_ended AND EXISTS (
        SELECT 1 FROM (
            SELECT DISTINCT ON (r.policy_id) r.is_ended
            FROM registry_responsibility r JOIN audit_position p ON p.entry_id = r.entry_id
            WHERE r.unit_id = c.unit_id AND r.domain = c.domain AND r.kind = c.kind
            ORDER BY r.policy_id, p.position DESC
        ) r WHERE NOT r.is_ended)
    ORDER BY 1, 2, 4
"""


@dataclass(frozen=True, slots=True)
class Channel:
    """A return channel (回流渠道) by codes: ``unit``'s data of a kind in a domain also come through ``source``.

    ``policy_id`` is the policy whose deployment names it.
    """

    policy_id: str
    domain: str
    kind: str
    source: str
    unit: str


@dataclass(frozen=True, slots=True)
class ServedUnit:
    """A unit that a source may deliver for, and for what."""

    domain: str
    kind: str
    unit_id: int
    uscc: str


def channels_at(position: int | None = None, *, with_ended: bool = False) -> tuple[Channel, ...]:
    """The return channels at a position of the ledger, at its head unless told; ``with_ended`` also former ones."""
    with connection.cursor() as cursor:
        cursor.execute(CHANNELS, {"position": position})
        rows = cursor.fetchall()
    return tuple(Channel(*channel) for *channel, is_ended in rows if with_ended or not is_ended)


def served_units(source_id: int) -> tuple[ServedUnit, ...]:
    """The units that this one may deliver for now, each in the domains and kinds that it answers for."""
    with connection.cursor() as cursor:
        cursor.execute(SERVED, {"source": source_id})
        return tuple(ServedUnit(*row) for row in cursor.fetchall())


def is_served(unit_id: int) -> bool:
    """Whether any of the unit's data has ever been able to come through another one."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT 1 FROM registry_returnchannel WHERE unit_id = %s)", [unit_id])
        return bool(cursor.fetchone()[0])

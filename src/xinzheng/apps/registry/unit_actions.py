"""Write units and responsibilities from a deployment; what is unchanged is not written again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

from django.db import connection, transaction

from xinzheng.apps.audit.actions import open_entry, record_event, take_position
from xinzheng.apps.audit.models import Entry
from xinzheng.apps.registry.channel_actions import channel_changes, write_channels
from xinzheng.apps.registry.channel_queries import Channel
from xinzheng.apps.registry.models import Responsibility, Unit, UnitVersion

# One deployment at a time is compared with what stands; nothing else may lock this constant.
DEPLOYMENT_LOCK = 0x7265676973747279
# Entries by which people said one by one who answers: a deployment's file does not take that back.
RESPONSIBILITY_ADDED, RESPONSIBILITY_ENDED = "responsibility-added", "responsibility-ended"

VERSION_FIELDS = (
    "name", "short_name", "jurisdiction", "division", "responsible_officer", "is_office", "abolished_date",
)  # fmt: skip

STANDING_UNITS = """
    SELECT DISTINCT ON (v.unit_id) u.uscc, v.name, v.short_name, v.jurisdiction, v.division, v.responsible_officer,
           v.is_office, v.abolished_date
    FROM registry_unitversion v JOIN registry_unit u ON u.id = v.unit_id
    JOIN audit_position p ON p.entry_id = v.entry_id
    ORDER BY v.unit_id, p.position DESC
"""

STANDING_RESPONSIBILITIES = """
    SELECT DISTINCT ON (r.domain, r.kind, r.unit_id) r.domain, r.kind, u.uscc, r.rank, r.is_ended, e.kind
    FROM registry_responsibility r JOIN registry_unit u ON u.id = r.unit_id
    JOIN audit_position p ON p.entry_id = r.entry_id
    JOIN audit_entry e ON e.id = r.entry_id
    WHERE r.policy_id = %s
    ORDER BY r.domain, r.kind, r.unit_id, p.position DESC
"""


class PlannedUnit(Protocol):
    """A unit as a deployment plans it."""

    @property
    def uscc(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def short_name(self) -> str: ...
    @property
    def division(self) -> str: ...
    @property
    def responsible_officer(self) -> str | None: ...
    @property
    def is_office(self) -> bool: ...
    @property
    def abolished_date(self) -> date | None: ...


class PlannedResponsibility(Protocol):
    """A responsibility as a deployment plans it."""

    @property
    def domain(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def uscc(self) -> str: ...
    @property
    def rank(self) -> int: ...


class PlannedReturn(Protocol):
    """A return channel as a deployment plans it."""

    @property
    def domain(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def source(self) -> str: ...
    @property
    def unit(self) -> str: ...


class Plan(Protocol):
    """What of a deployment (部署) the registry remembers: the shape of the adapter's ``Deployment``."""

    @property
    def city(self) -> str: ...
    @property
    def policy_id(self) -> str: ...
    @property
    def jurisdiction(self) -> str: ...
    @property
    def units(self) -> Sequence[PlannedUnit]: ...
    @property
    def responsibilities(self) -> Sequence[PlannedResponsibility]: ...
    @property
    def returns(self) -> Sequence[PlannedReturn]: ...


@dataclass(frozen=True, slots=True)
class DeploymentResult:
    """How many units, responsibilities and return channels were written or ended.

    ``channels`` counts those named and those ended; ``position`` is None when nothing changed.
    """

    units: int
    responsibilities: int
    ended: int
    position: int | None
    channels: int = 0


@dataclass(frozen=True, slots=True)
class _Changes:
    """What a plan changes: version fields by unit code, (rank, is_ended) by domain, kind and unit code; is_ended by
    return channel."""

    units: dict[str, tuple[Any, ...]]
    responsibilities: dict[tuple[str, str, str], tuple[int, bool]]
    channels: dict[Channel, bool]

    @property
    def ended(self) -> int:
        return sum(is_ended for _, is_ended in self.responsibilities.values())


@transaction.atomic
def apply_deployment(deployment: Plan, *, by: str) -> DeploymentResult:
    """Make units, responsibilities and return channels of the deployment's policy what the deployment says (部署).

    New or changed units get a version; responsibilities and channels that the deployment no longer names are ended.
    Applying the same deployment again changes nothing and writes no entry. Responsibilities that people added or ended
    one by one (``responsibility_actions``) stay as they decided.

    Args:
        deployment: a deployment with its responsibilities, i.e. loaded together with its policy.
        by: who does it, e.g. ``command-line``.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [DEPLOYMENT_LOCK])
    changes = _changes(deployment)
    if not changes.units and not changes.responsibilities and not changes.channels:
        return DeploymentResult(0, 0, 0, None)
    written = len(changes.responsibilities) - changes.ended
    note = {"city": deployment.city, "policy": deployment.policy_id, "units": len(changes.units)}
    counts = {"responsibilities": written, "channels": len(changes.channels)}
    entry = open_entry(kind="deployment-applied", by=by, note=note | counts)
    _write(changes, deployment, entry)
    record_event(
        who=by, action="deployment-applied", object_kind="policy", object_id=deployment.policy_id, details=note
    )
    return DeploymentResult(
        len(changes.units), written, changes.ended, take_position(entry), channels=len(changes.channels)
    )


def _changes(deployment: Plan) -> _Changes:
    with connection.cursor() as cursor:
        cursor.execute(STANDING_UNITS)
        standing_units = {row[0]: tuple(row[1:]) for row in cursor.fetchall()}
        cursor.execute(STANDING_RESPONSIBILITIES, [deployment.policy_id])
        rows = cursor.fetchall()
    standing = {(domain, kind, uscc): (rank, ended) for domain, kind, uscc, rank, ended, _entry in rows}
    added = {(domain, kind, uscc) for domain, kind, uscc, *_, entry in rows if entry == RESPONSIBILITY_ADDED}
    ended = {(domain, kind, uscc) for domain, kind, uscc, *_, entry in rows if entry == RESPONSIBILITY_ENDED}
    units = {unit.uscc: _version(unit, deployment.jurisdiction) for unit in deployment.units}
    planned = {(r.domain, r.kind, r.uscc): (r.rank, False) for r in deployment.responsibilities}
    planned = {key: value for key, value in planned.items() if key not in ended}
    gone = {
        key: (rank, True)
        for key, (rank, is_ended) in standing.items()
        if key not in planned and key not in added and not is_ended
    }
    return _Changes(
        units={uscc: version for uscc, version in units.items() if standing_units.get(uscc) != version},
        responsibilities={key: value for key, value in planned.items() if standing.get(key) != value} | gone,
        channels=channel_changes(
            deployment.policy_id,
            {Channel(deployment.policy_id, r.domain, r.kind, r.source, r.unit) for r in deployment.returns},
        ),
    )


def _version(unit: PlannedUnit, jurisdiction: str) -> tuple[Any, ...]:
    values = {field: getattr(unit, field) for field in VERSION_FIELDS if field != "jurisdiction"}
    return tuple((values | {"jurisdiction": jurisdiction})[field] for field in VERSION_FIELDS)


def _write(changes: _Changes, deployment: Plan, entry: Entry) -> None:
    Unit.objects.bulk_create([Unit(uscc=uscc) for uscc in sorted(changes.units)], ignore_conflicts=True)
    keys = dict(Unit.objects.values_list("uscc", "pk"))
    UnitVersion.objects.bulk_create(
        UnitVersion(entry=entry, unit_id=keys[uscc], **dict(zip(VERSION_FIELDS, version, strict=True)))
        for uscc, version in changes.units.items()
    )
    Responsibility.objects.bulk_create(
        Responsibility(
            entry=entry, policy_id=deployment.policy_id, domain=domain, kind=kind, unit_id=keys[uscc], rank=rank,
            is_ended=is_ended,
        )
        for (domain, kind, uscc), (rank, is_ended) in changes.responsibilities.items()
    )  # fmt: skip
    write_channels(changes.channels, entry)

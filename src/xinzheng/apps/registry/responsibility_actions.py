"""Say who answers for what (报送责任) and name units one at a time, beside the deployment's file.

What is written here stays when the deployment is applied again: its entry says that people decided it.
"""

from dataclasses import dataclass

from django.db import connection, transaction

from xinzheng.apps.audit.actions import open_entry, record_event, take_position
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.registry.models import Responsibility, Unit, UnitVersion
from xinzheng.apps.registry.unit_actions import (
    DEPLOYMENT_LOCK,
    RESPONSIBILITY_ADDED,
    RESPONSIBILITY_ENDED,
    STANDING_RESPONSIBILITIES,
)
from xinzheng.apps.registry.unit_queries import RegisteredUnit, unit_by_uscc, units_at
from xinzheng.core.errors import XinzhengError
from xinzheng.core.identifiers import check_uscc
from xinzheng.core.records import RecordKind


class ResponsibilityError(XinzhengError):
    """A unit or a responsibility cannot be written as asked."""

    code = "responsibility-refused"


@dataclass(frozen=True, slots=True)
class NewUnit:
    """A unit (单位) to be named: ``short_name`` is what is printed, ``jurisdiction`` the city it delivers to."""

    uscc: str
    name: str
    short_name: str
    jurisdiction: str


def check_new_unit(new: NewUnit) -> None:
    """Whether the unit can be named now.

    Raises:
        ResponsibilityError: ``uscc-wrong``, ``unit-known-already``, ``unit-name-taken``, ``unit-unnamed``.
    """
    issues = check_uscc(new.uscc).errors
    if issues:
        raise ResponsibilityError(f"统一社会信用代码有误：{issues[0].message}。", code="uscc-wrong")
    if not new.name or not new.short_name:
        raise ResponsibilityError("请写明单位的全称和简称。", code="unit-unnamed")
    if unit_by_uscc(new.uscc) is not None:
        raise ResponsibilityError("这个单位已经登记，不用再登记。", code="unit-known-already")
    for unit in units_at(head_position()).values():
        if unit.jurisdiction == new.jurisdiction and new.short_name == unit.short_name:
            raise ResponsibilityError(
                f"已有单位简称“{new.short_name}”，报告和通报里会分不清，请另取简称。", code="unit-name-taken"
            )


@transaction.atomic
def name_unit(new: NewUnit, *, by: str) -> int:
    """Register a unit (登记单位) so that it can answer for something; the position.

    Raises:
        ResponsibilityError: what ``check_new_unit`` says.
    """
    _lock()
    check_new_unit(new)
    entry = open_entry(kind="unit-registered", by=by, note={"uscc": new.uscc})
    unit = Unit.objects.create(uscc=new.uscc)
    UnitVersion.objects.create(
        entry=entry,
        unit=unit,
        name=new.name,
        short_name=new.short_name,
        jurisdiction=new.jurisdiction,
        division=new.uscc[2:8],
    )
    record_event(who=by, action="unit-registered", object_kind="unit", object_id=unit.pk, details={"uscc": new.uscc})
    return take_position(entry)


def add_responsibility(policy_id: str, domain: str, kind: str, uscc: str, *, by: str) -> int:
    """Make a unit answer for a kind in a domain (增加报送责任), after those that do already; the position.

    Raises:
        ResponsibilityError: ``unit-unknown``, ``kind-unknown``, ``responsible-already``.
    """
    return _write((policy_id, domain, kind, uscc), by, is_ended=False)


def end_responsibility(policy_id: str, domain: str, kind: str, uscc: str, *, by: str) -> int:
    """Let a unit answer for a kind in a domain no longer (终止报送责任); what it delivered stays. The position.

    Raises:
        ResponsibilityError: ``unit-unknown``, ``kind-unknown``, ``not-responsible``.
    """
    return _write((policy_id, domain, kind, uscc), by, is_ended=True)


def known_unit(uscc: str) -> RegisteredUnit:
    """The unit with this code. Raises ResponsibilityError ``unit-unknown``."""
    unit = unit_by_uscc(uscc)
    if unit is None:
        raise ResponsibilityError("没有这个统一社会信用代码的单位，请先登记单位。", code="unit-unknown")
    return unit


@transaction.atomic
def _write(duty: tuple[str, str, str, str], by: str, *, is_ended: bool) -> int:
    policy_id, domain, kind, uscc = duty
    _lock()
    unit = known_unit(uscc)
    if kind not in set(RecordKind):
        raise ResponsibilityError("没有这种数据，新的数据种类要随程序版本增加。", code="kind-unknown")
    ranks = _standing(policy_id, domain, kind)
    if is_ended and unit.uscc not in ranks:
        raise ResponsibilityError(f"{unit.short_name}现在不负责这项数据，不用终止。", code="not-responsible")
    if not is_ended and unit.uscc in ranks:
        raise ResponsibilityError(f"{unit.short_name}已经负责这项数据，不用再登记。", code="responsible-already")
    facts = {"policy": policy_id, "domain": domain, "kind": kind, "unit": unit.id}
    what = RESPONSIBILITY_ENDED if is_ended else RESPONSIBILITY_ADDED
    entry = open_entry(kind=what, by=by, unit_id=unit.id, note=facts)
    Responsibility.objects.create(
        entry=entry,
        policy_id=policy_id,
        domain=domain,
        kind=kind,
        unit_id=unit.id,
        rank=ranks[unit.uscc] if is_ended else max(ranks.values(), default=0) + 1,
        is_ended=is_ended,
    )
    action = "responsibility-ended" if is_ended else "responsibility-added"
    record_event(who=by, action=action, object_kind="unit", object_id=unit.id, details=facts)
    return take_position(entry)


def _standing(policy_id: str, domain: str, kind: str) -> dict[str, int]:
    """The rank of each unit that answers for a kind in a domain now."""
    with connection.cursor() as cursor:
        cursor.execute(STANDING_RESPONSIBILITIES, [policy_id])
        rows = cursor.fetchall()
    return {uscc: rank for d, k, uscc, rank, ended, _entry in rows if (d, k) == (domain, kind) and not ended}


def _lock() -> None:
    """Wait for a deployment that is being applied: it compares what stands with its file."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [DEPLOYMENT_LOCK])

"""What is delivered, by whom and for what; and whether that unit may deliver it."""

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from django.db import connection
from django.utils import timezone

from xinzheng.apps.ledger.errors import CoverageError, IntakeError
from xinzheng.apps.registry.queries import RegisteredUnit, ServedUnit, served_units, unit_by_uscc
from xinzheng.core.records import RecordKind

CHINA = ZoneInfo("Asia/Shanghai")
MODES = ("increment", "snapshot")
# One row that an upheld objection corrects; judged by no floor, chosen on no form.
CORRECTION = "correction"
OTHER_KINDS = frozenset(
    {RecordKind.SOCIAL_INSURANCE_ARREARS, RecordKind.HOUSING_FUND_ARREARS, RecordKind.CREDIT_REPAIR}
)

# What a unit answers for now, under any policy.
ANSWERS = """
    SELECT DISTINCT r.domain, r.kind FROM (
        SELECT DISTINCT ON (r.policy_id, r.domain, r.kind) r.domain, r.kind, r.is_ended
        FROM registry_responsibility r JOIN audit_position p ON p.entry_id = r.entry_id
        WHERE r.unit_id = %s ORDER BY r.policy_id, r.domain, r.kind, p.position DESC
    ) r WHERE NOT r.is_ended ORDER BY r.domain, r.kind
"""


@dataclass(frozen=True)
class Scope:
    """For what a unit (named by its unified social credit code) speaks: a kind of record in a domain."""

    unit_uscc: str
    domain: str
    kind: str


@dataclass(frozen=True)
class Delivery:
    """A file of a unit (报送). ``covers``: first and last day it is complete for; ``file_name`` as it was called.

    ``map_name``: the column map (列对照) its headings are read by; ``map_version``: the very version of one.
    """

    file: Path
    scope: Scope
    covers: tuple[date, date] | None = None
    mode: str = "increment"
    file_name: str = ""
    map_name: str | None = None
    map_version: int | None = None

    @property
    def name(self) -> str:
        """The file's name, for people."""
        return self.file_name or self.file.name


@dataclass(frozen=True)
class Answering:
    """A unit, the scope it speaks for, and all that it may deliver as (domain, kind).

    ``own`` is what it answers for itself. ``served`` are the units whose records it brings (数据回流): each row then
    names the one that answers, which stays answerable.
    """

    unit: RegisteredUnit
    scope: Scope
    answers: frozenset[tuple[str, str]]
    own: frozenset[tuple[str, str]]
    served: tuple[ServedUnit, ...] = ()

    @property
    def returned(self) -> frozenset[tuple[str, str]]:
        """What it brings for others, as (domain, kind)."""
        return frozenset((unit.domain, unit.kind) for unit in self.served)

    @property
    def unit_ids(self) -> list[int]:
        """The unit and those it brings records of."""
        return [self.unit.id, *sorted({unit.unit_id for unit in self.served} - {self.unit.id})]

    def units_of(self, domain: str, kind: str) -> list[int]:
        """The units it may state coverage for in a domain and kind: itself where it answers, and those it serves."""
        own = [self.unit.id] if (domain, kind) in self.own else []
        served = {unit.unit_id for unit in self.served if (unit.domain, unit.kind) == (domain, kind)}
        return [*own, *sorted(served - set(own))]


def today_in_china() -> date:
    """The day it is in China."""
    return timezone.localdate(timezone=CHINA)


def in_china(moment: datetime) -> datetime:
    """The moment on a Chinese clock."""
    return timezone.localtime(moment, CHINA)


def answering(scope: Scope) -> Answering:
    """The unit of a scope, once it is sure that it answers for it, or brings it for a unit that does.

    Raises:
        IntakeError: ``unknown-unit``, ``unknown-kind``, ``unknown-domain`` or ``unit-not-responsible``.
    """
    unit = registered_unit(scope.unit_uscc)
    own, served = _answers(unit.id), served_units(unit.id)
    answers = sorted({*own, *((found.domain, found.kind) for found in served)})
    if (scope.domain, scope.kind) not in answers:
        _refuse(unit, scope, answers)
    return Answering(unit, scope, frozenset(answers), frozenset(own), served)


def registered_unit(uscc: str) -> RegisteredUnit:
    """The unit of that code. Raises IntakeError ``unknown-unit``."""
    unit = unit_by_uscc(uscc)
    if unit is None:
        message = f"没有统一社会信用代码为“{uscc}”的单位，请核对；可以用 xinzheng units 查看已登记的单位。"
        raise IntakeError(message, code="unknown-unit", unit=uscc)
    return unit


def answering_itself(scope: Scope) -> Answering:
    """As :func:`answering`, but only a unit that answers itself, not one that brings the records of others."""
    who = answering(scope)
    if (scope.domain, scope.kind) not in who.own:
        _refuse(who.unit, scope, sorted(who.own))
    return who


def _answers(unit_id: int) -> list[tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute(ANSWERS, [unit_id])
        return [(domain, kind) for domain, kind in cursor.fetchall()]


def _refuse(unit: RegisteredUnit, scope: Scope, answers: list[tuple[str, str]]) -> None:
    if scope.kind not in set(RecordKind):
        kinds = "、".join(RecordKind)
        raise IntakeError(f"没有记录类型“{scope.kind}”，可用的有：{kinds}。", code="unknown-kind", kind=scope.kind)
    if not _domain_is_known(scope.domain):
        message = f"没有代码为“{scope.domain}”的领域，请核对；可以用 xinzheng units 查看各单位负责的领域。"
        raise IntakeError(message, code="unknown-domain", domain=scope.domain)
    listed = "；".join(f"{domain} {kind}" for domain, kind in answers) or "（尚未登记任何领域）"
    message = f"“{unit.name}”不负责 {scope.domain} {scope.kind}，不能报送。它负责的是：{listed}。"
    raise IntakeError(message, code="unit-not-responsible", unit=unit.uscc)


def _domain_is_known(domain: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT 1 FROM registry_responsibility WHERE domain = %s)", [domain])
        return bool(cursor.fetchone()[0])


def check_period(from_date: date, through_date: date) -> None:
    """Refuse a period that is reversed, or that speaks for days that have not been (``CoverageError``)."""
    if from_date > through_date:
        message = f"覆盖期的起始日期{from_date:%Y-%m-%d}晚于截止日期{through_date:%Y-%m-%d}，请调整。"
        raise CoverageError(message, code="coverage-reversed")
    today = today_in_china()
    if through_date > today:
        message = f"覆盖期的截止日期{through_date:%Y-%m-%d}晚于今天（{today:%Y-%m-%d}），不能预先声明完整，请调整。"
        raise CoverageError(message, code="coverage-in-future")

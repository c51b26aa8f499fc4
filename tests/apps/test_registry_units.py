"""Units and responsibilities: applied once, changed by new versions, and seen at each position as they were."""

from dataclasses import dataclass, replace
from datetime import date

import pytest

from xinzheng.adapters.deployment_files import DeployedReturn, Deployment, deployment_of_policy
from xinzheng.adapters.policy_files import load_policy
from xinzheng.apps.audit.actions import open_entry, take_position
from xinzheng.apps.audit.models import AuditEvent, Entry
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.registry.actions import apply_deployment
from xinzheng.apps.registry.models import Responsibility, Unit, UnitVersion
from xinzheng.apps.registry.queries import (
    is_responsible,
    registry_position,
    responsibilities_at,
    responsible_units,
    unit_by_uscc,
    units_at,
)
from xinzheng.core.coverage import Responsibility as Answer

pytestmark = pytest.mark.django_db

WATER, KUNSHAN, PARKS = "11320500DEM0100955", "11320583DEM010941X", "11320500DEM010060J"
PENALTY = "administrative_penalty"


@dataclass(frozen=True)
class OneUnit:
    uscc: str
    name: str
    short_name: str
    division: str = "320500"
    responsible_officer: str | None = "示例丙"
    is_office: bool = False
    abolished_date: date | None = None


@dataclass(frozen=True)
class OneResponsibility:
    domain: str
    uscc: str
    rank: int
    kind: str = PENALTY


@dataclass(frozen=True)
class OnePlan:
    units: tuple[OneUnit, ...]
    responsibilities: tuple[OneResponsibility, ...]
    city: str = "small"
    policy_id: str = "small-1"
    jurisdiction: str = "320500"
    returns: tuple[DeployedReturn, ...] = ()


CITY, DISTRICT = OneUnit(WATER, "苏州市水务局", "市水务局"), OneUnit(KUNSHAN, "昆山市水务局", "昆山市水务局")
PLAN = OnePlan(
    (CITY, DISTRICT), (OneResponsibility("water_affairs", WATER, 1), OneResponsibility("water_affairs", KUNSHAN, 2))
)


def suzhou() -> Deployment:
    return deployment_of_policy(load_policy("suzhou-2024"))


def names(position: int) -> list[str]:
    return [found.unit_name for found in responsibilities_at("small-1", position)]


def test_a_city_has_all_its_units_and_responsibilities_after_one_entry() -> None:
    deployment = suzhou()
    result = apply_deployment(deployment, by="command-line")
    assert (result.units, result.responsibilities, result.ended) == (168, 172, 0)
    assert Entry.objects.count() == 1
    assert result.position == head_position() == 1
    answers = responsibilities_at("suzhou-2024", 1)
    assert len(answers) == 172
    assert [a.unit_name for a in answers if a.domain == "water_affairs"][:3] == [
        "市水务局",
        "张家港市水务局",
        "常熟市水务局",
    ]


def test_applying_the_same_deployment_again_writes_nothing() -> None:
    apply_deployment(suzhou(), by="command-line")
    again = apply_deployment(suzhou(), by="command-line")
    assert (again.units, again.responsibilities, again.ended, again.position) == (0, 0, 0, None)
    assert Entry.objects.count() == AuditEvent.objects.count() == 1
    assert Unit.objects.count() == UnitVersion.objects.count() == 168
    assert Responsibility.objects.count() == 172


def test_an_answer_names_domain_kind_code_and_printed_name_in_the_plan_s_order() -> None:
    apply_deployment(PLAN, by="system")
    assert responsibilities_at("small-1", head_position()) == (
        Answer("water_affairs", PENALTY, WATER, "市水务局"),
        Answer("water_affairs", PENALTY, KUNSHAN, "昆山市水务局"),
    )


def test_a_renamed_unit_keeps_its_old_name_at_the_old_position() -> None:
    before = apply_deployment(PLAN, by="system").position
    renamed = replace(PLAN, units=(replace(CITY, name="苏州市水利局", short_name="市水利局"), DISTRICT))
    result = apply_deployment(renamed, by="system")
    assert before is not None
    assert (result.units, result.responsibilities) == (1, 0)
    assert names(before) == ["市水务局", "昆山市水务局"]
    assert names(head_position()) == ["市水利局", "昆山市水务局"]
    assert units_at(before)[unit_id(WATER)].name == "苏州市水务局"
    assert units_at(head_position())[unit_id(WATER)].name == "苏州市水利局"


def unit_id(uscc: str) -> int:
    found = unit_by_uscc(uscc)
    assert found is not None
    return found.id


def test_an_ended_responsibility_still_stands_at_the_old_position() -> None:
    before = apply_deployment(PLAN, by="system").position
    result = apply_deployment(replace(PLAN, responsibilities=PLAN.responsibilities[:1]), by="system")
    assert before is not None
    assert (result.units, result.responsibilities, result.ended) == (0, 0, 1)
    assert names(before) == ["市水务局", "昆山市水务局"]
    assert names(head_position()) == ["市水务局"]
    assert is_responsible("small-1", unit_id=unit_id(WATER), domain="water_affairs", kind=PENALTY)
    assert not is_responsible("small-1", unit_id=unit_id(KUNSHAN), domain="water_affairs", kind=PENALTY)


def test_a_responsibility_can_come_back_after_it_ended() -> None:
    apply_deployment(PLAN, by="system")
    ended = apply_deployment(replace(PLAN, responsibilities=PLAN.responsibilities[:1]), by="system").position
    apply_deployment(PLAN, by="system")
    assert ended is not None
    assert names(ended) == ["市水务局"]
    assert names(head_position()) == ["市水务局", "昆山市水务局"]


def test_before_the_first_deployment_nobody_answers() -> None:
    apply_deployment(PLAN, by="system")
    assert responsibilities_at("small-1", 0) == ()
    assert units_at(0) == {}


def test_one_policy_s_deployment_leaves_another_policy_s_responsibilities_alone() -> None:
    apply_deployment(PLAN, by="system")
    apply_deployment(replace(PLAN, policy_id="small-2", responsibilities=PLAN.responsibilities[1:]), by="system")
    assert names(head_position()) == ["市水务局", "昆山市水务局"]
    assert [a.unit for a in responsibilities_at("small-2", head_position())] == [KUNSHAN]


def test_a_unit_is_found_by_its_code_however_it_is_typed() -> None:
    apply_deployment(PLAN, by="system")
    found = unit_by_uscc("１１320500dem0100955 ")
    assert found is not None
    assert (found.uscc, found.short_name, found.name, found.jurisdiction) == (
        WATER,
        "市水务局",
        "苏州市水务局",
        "320500",
    )
    assert unit_by_uscc(PARKS) is None


def test_units_are_listed_once_for_each_domain_with_all_their_kinds() -> None:
    repair = OneResponsibility("water_affairs", WATER, 1, "other_determination")
    apply_deployment(replace(PLAN, responsibilities=(*PLAN.responsibilities, repair)), by="system")
    assert [(u.name, u.domain, u.kinds) for u in responsible_units("small-1")] == [
        ("市水务局", "water_affairs", (PENALTY, "other_determination")),
        ("昆山市水务局", "water_affairs", (PENALTY,)),
    ]


def test_the_registry_s_position_moves_only_when_units_or_responsibilities_change() -> None:
    assert registry_position(head_position()) == 0
    first = apply_deployment(PLAN, by="system").position
    take_position(open_entry(kind="batch", by="system"))
    take_position(open_entry(kind="batch", by="system"))
    assert registry_position(head_position()) == first
    second = apply_deployment(replace(PLAN, units=(replace(CITY, responsible_officer="示例丁"), DISTRICT)), by="system")
    assert registry_position(head_position()) == second.position
    assert first is not None
    assert registry_position(first + 1) == first

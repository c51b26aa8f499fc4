"""Who answers for what, decided one by one: it stands beside the deployment's file, which leaves it alone."""

from dataclasses import replace
from functools import partial

import pytest

from tests.apps.test_registry_units import CITY, DISTRICT, PENALTY, PLAN, WATER, OneResponsibility, names
from tests.module_database import module_database, refusal_code, undone_after
from tests.small_city import uscc
from xinzheng.apps.audit.models import AuditEvent, Entry
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.registry.actions import apply_deployment
from xinzheng.apps.registry.queries import unit_by_uscc
from xinzheng.apps.registry.responsibility_actions import (
    NewUnit,
    add_responsibility,
    end_responsibility,
    name_unit,
)

db, undone = module_database, undone_after
pytestmark = pytest.mark.usefixtures("undone")

POLICY, DOMAIN = PLAN.policy_id, "water_affairs"
NEW = NewUnit(uscc(7), "苏州示例气象局", "示例气象局", "320500")
BY = "account:1"


@pytest.fixture(autouse=True)
def planned(undone: None) -> None:
    apply_deployment(PLAN, by="system")


def now() -> list[str]:
    return names(head_position())


def test_a_unit_that_was_named_and_made_responsible_survives_the_next_deployment() -> None:
    before = head_position()
    name_unit(NEW, by=BY)
    added = add_responsibility(POLICY, DOMAIN, PENALTY, NEW.uscc, by=BY)
    assert now() == ["市水务局", "昆山市水务局", "示例气象局"]
    assert names(before) == ["市水务局", "昆山市水务局"], "what was then is as it was"
    assert apply_deployment(PLAN, by="system").position is None
    fewer = replace(PLAN, responsibilities=PLAN.responsibilities[:1])
    assert apply_deployment(fewer, by="system").ended == 1
    assert now() == ["市水务局", "示例气象局"]
    unit = unit_by_uscc(NEW.uscc)
    assert unit is not None
    assert (unit.name, unit.division, unit.jurisdiction, unit.is_office) == (NEW.name, "320500", "320500", False)
    assert Entry.objects.get(place__position=added).kind == "responsibility-added"
    assert list(AuditEvent.objects.order_by("-id").values_list("action", flat=True)[1:3]) == [
        "responsibility-added",
        "unit-registered",
    ]


def test_what_was_ended_one_by_one_is_not_begun_again_by_the_file() -> None:
    end_responsibility(POLICY, DOMAIN, PENALTY, WATER, by=BY)
    assert now() == ["昆山市水务局"]
    assert apply_deployment(PLAN, by="system").position is None
    add_responsibility(POLICY, DOMAIN, PENALTY, WATER, by=BY)
    assert sorted(now()) == sorted(["昆山市水务局", "市水务局"])


def test_a_file_that_names_it_with_its_own_rank_takes_it_over() -> None:
    name_unit(NEW, by=BY)
    add_responsibility(POLICY, DOMAIN, PENALTY, NEW.uscc, by=BY)
    unit = replace(CITY, uscc=NEW.uscc, name=NEW.name, short_name=NEW.short_name)
    first = OneResponsibility(DOMAIN, NEW.uscc, 9)
    apply_deployment(
        replace(PLAN, units=(CITY, DISTRICT, unit), responsibilities=(*PLAN.responsibilities, first)), by="system"
    )
    assert apply_deployment(PLAN, by="system").ended == 1
    assert now() == ["市水务局", "昆山市水务局"]


def test_units_and_responsibilities_that_cannot_be_are_refused() -> None:
    add = partial(add_responsibility, POLICY, DOMAIN)
    assert refusal_code(add, PENALTY, NEW.uscc, by=BY) == "unit-unknown"
    assert refusal_code(add, "new_kind", WATER, by=BY) == "kind-unknown"
    assert refusal_code(add, PENALTY, WATER, by=BY) == "responsible-already"
    assert refusal_code(end_responsibility, POLICY, "taxation", PENALTY, WATER, by=BY) == "not-responsible"
    assert refusal_code(name_unit, replace(NEW, uscc=NEW.uscc[:-1] + "0"), by=BY) == "uscc-wrong"
    assert refusal_code(name_unit, replace(NEW, uscc=WATER), by=BY) == "unit-known-already"
    assert refusal_code(name_unit, replace(NEW, short_name="市水务局"), by=BY) == "unit-name-taken"
    assert refusal_code(name_unit, replace(NEW, name=""), by=BY) == "unit-unnamed"

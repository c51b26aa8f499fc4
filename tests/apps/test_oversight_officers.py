"""Who signs for a domain: the officer named for it, else the unit's responsible officer; and the reminding task."""

from datetime import date
from pathlib import Path

import pytest
from procrastinate.contrib.django import app

from tests.small_city import BY, SmallCity, build_small_city, today
from xinzheng.apps.accounts.actions import NewAccount, open_account
from xinzheng.apps.accounts.models import Account, Role
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.oversight.actions import name_officer, remind
from xinzheng.apps.oversight.errors import OversightError
from xinzheng.apps.oversight.models import Notice
from xinzheng.apps.oversight.permissions import refusals_to_sign
from xinzheng.apps.registry.queries import unit_by_uscc
from xinzheng.core.errors import CalendarError
from xinzheng.core.workdays import Calendar

pytestmark = pytest.mark.django_db
DOMAIN = "taxation"


@pytest.fixture
def city(db: None, tmp_path: Path) -> SmallCity:
    return build_small_city(tmp_path, units_per_domain=1)


def unit_of(city: SmallCity, domain: str = DOMAIN) -> int:
    unit = unit_by_uscc(city.unit(domain))
    assert unit is not None
    return unit.id


def opened(username: str, role: Role, unit: int) -> Account:
    return open_account(NewAccount(username, username, role, unit_id=unit), by=BY)


def test_without_a_name_the_responsible_officer_signs_and_nobody_else(city: SmallCity) -> None:
    unit, other = unit_of(city), unit_of(city, "water_affairs")
    chief, officer = opened("chief", Role.RESPONSIBLE_OFFICER, unit), opened("officer", Role.DEPARTMENT_OFFICER, unit)
    stranger = opened("stranger", Role.RESPONSIBLE_OFFICER, other)
    assert refusals_to_sign(chief, unit, DOMAIN) == []
    assert refusals_to_sign(officer, unit, DOMAIN)
    assert refusals_to_sign(stranger, unit, DOMAIN)


def test_who_is_named_for_a_domain_signs_for_it_alone_until_the_name_is_taken_back(city: SmallCity) -> None:
    unit = unit_of(city)
    chief, officer = opened("chief", Role.RESPONSIBLE_OFFICER, unit), opened("officer", Role.DEPARTMENT_OFFICER, unit)
    name_officer(unit, DOMAIN, officer, by=BY)
    assert refusals_to_sign(officer, unit, DOMAIN) == []
    assert refusals_to_sign(chief, unit, DOMAIN)
    assert refusals_to_sign(chief, unit, "another") == []
    name_officer(unit, DOMAIN, None, by=BY)
    assert refusals_to_sign(chief, unit, DOMAIN) == []


def test_an_officer_of_another_unit_cannot_be_named(city: SmallCity) -> None:
    stranger = opened("stranger", Role.RESPONSIBLE_OFFICER, unit_of(city, "water_affairs"))
    with pytest.raises(OversightError) as refused:
        name_officer(unit_of(city), DOMAIN, stranger, by=BY)
    assert refused.value.code == "officer-of-another-unit"


def test_reminding_is_known_to_the_queue_once_a_day() -> None:
    assert "oversight.remind" in app.tasks


def test_in_a_year_that_was_not_announced_nobody_is_reminded_and_an_error_says_why(city: SmallCity) -> None:
    before = head_position()
    with pytest.raises(CalendarError, match="2031年"):
        remind(date(2031, 3, 3), BY, Calendar(frozenset({today().year})))
    assert not Notice.objects.exists()
    assert head_position() == before

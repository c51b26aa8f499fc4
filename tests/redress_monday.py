"""A city of redress for all tests of a module, on a Monday; what a test does is undone.

A module says ``db, built, city = module_database, built_city, monday_city``, and may have a ``MONDAY`` of its own.
"""

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.cache import caches
from django.db import transaction
from django.test import Client

from tests import told_time
from tests.module_database import refusal_code
from tests.redress_city import RedressCity, build_redress_city, do, lodge_one
from xinzheng.apps.audit.models import AuditEvent
from xinzheng.apps.redress.models import Step
from xinzheng.core.objections import Act

MONDAY = date(2026, 6, 1)


@pytest.fixture(scope="module")
def built_city(db: None, tmp_path_factory: pytest.TempPathFactory) -> RedressCity:
    """The city, made once."""
    return build_redress_city(tmp_path_factory.mktemp("redress"))


@pytest.fixture
def monday_city(built: RedressCity, settings: LazySettings, request: pytest.FixtureRequest) -> Iterator[RedressCity]:
    """The city on a Monday; what a test does is undone."""
    settings.XINZHENG_CLOCK = "tests.told_time.now"
    told_time.tell(getattr(request.module, "MONDAY", MONDAY))
    caches["local"].clear()
    with transaction.atomic():
        yield built
        transaction.set_rollback(True)
    told_time.forget()


def browser(city: RedressCity, who: str = "agent") -> Client:
    """A browser in which this account is signed in."""
    client = Client()
    client.force_login(city.accounts[who])
    return client


def with_unit(city: RedressCity, **changes: object) -> str:
    """The number of an objection that the office has given to the unit."""
    number = lodge_one(city, **changes).number
    do(city, number, Act.ACCEPT, "office")
    return number


def code_of(call: Callable[..., Any], *args: object, **kwargs: object) -> str:
    """The code by which something is refused; nothing of it is left behind."""
    steps, events = Step.objects.count(), AuditEvent.objects.count()
    code = refusal_code(call, *args, **kwargs)
    assert (Step.objects.count(), AuditEvent.objects.count()) == (steps, events)
    return code

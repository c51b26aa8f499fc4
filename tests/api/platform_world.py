"""Two companies, a person and a platform: made once for a module; what a test does is undone after it."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from django.core.cache import caches
from django.db import transaction

from tests.module_database import module_database
from tests.platform_callers import Calls, registered, token_for
from tests.small_city import build_small_city, uscc
from xinzheng.apps.accounts.actions import NewAccount, open_account
from xinzheng.apps.accounts.models import Account, Role
from xinzheng.apps.accounts.platforms import MadePlatform
from xinzheng.apps.registry.persons import register_person
from xinzheng.apps.reports.issuing import Order, issue_report
from xinzheng.core.decision import Request

OURS, THEIRS = uscc(1), uscc(2)
NAME = "苏州示例精密制造有限公司"


@dataclass(frozen=True)
class World:
    """Who is there, a report of either company, and the platform."""

    agent: Account
    other: Account
    person: Account
    made: MadePlatform
    number: str
    theirs: str

    def calls(self, *scopes: str, of: Account | None = None) -> Calls:
        """The platform acting for our agent, or for another account."""
        return Calls(token_for(of or self.agent, self.made, *scopes))


db = module_database


@pytest.fixture(scope="module")
def world(db: None, tmp_path_factory: pytest.TempPathFactory) -> World:
    city = build_small_city(tmp_path_factory.mktemp("city"), units_per_domain=1)
    city.declare_everything()
    firms = city.firm(OURS, NAME), city.firm(THEIRS, "苏州示例化工有限公司")
    agents = [
        open_account(NewAccount(f"agent-{firm}", "示例甲", Role.SUBJECT_AGENT, subject_id=firm), by="test")
        for firm in firms
    ]
    person = NewAccount(
        "person", "示例乙", Role.SUBJECT_AGENT, person_id=register_person("330502199001010014", "示例乙", by="test")
    )
    numbers = [issue_report(Order("suzhou-2024", firm, Request(), "test")).number for firm in firms]
    return World(*agents, open_account(person, by="test"), registered("示例平台"), *numbers)


@pytest.fixture(autouse=True)
def undone(world: World) -> Iterator[None]:
    """Nothing of a test is left for the next; limits begin at nothing."""
    for cache in ("local", "default"):
        caches[cache].clear()
    with transaction.atomic():
        yield
        transaction.set_rollback(True)

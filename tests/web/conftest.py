"""A small city with accounts of each role, and reports issued the real way."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth import base_user
from django.contrib.auth.hashers import make_password
from django.core.cache import caches
from django.test import Client

from tests.small_city import SmallCity, build_small_city, today, uscc
from xinzheng.apps.accounts.actions import NewAccount, open_account
from xinzheng.apps.accounts.models import Account, Role
from xinzheng.apps.ledger.actions import BatchResult
from xinzheng.apps.registry.queries import unit_by_uscc
from xinzheng.apps.reports.issuing import Order, issue_report
from xinzheng.apps.reports.models import Report
from xinzheng.core.decision import Request

PASSWORD = "only-for-this-test-1"  # the tests' own
QUICK_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # for tests that sign in very often
CLEAN, PUNISHED = uscc(1), uscc(2)


@dataclass(frozen=True)
class People:
    """One account of each role."""

    clean: Account
    punished: Account
    officer: Account
    chief: Account
    stranger: Account
    office: Account
    administrator: Account


@pytest.fixture(autouse=True)
def no_counts_from_before() -> Iterator[None]:
    """The limit of verifications counts per address; each test begins at nothing."""
    caches["local"].clear()
    yield
    caches["local"].clear()


@pytest.fixture
def city(db: None, tmp_path: Path) -> SmallCity:
    """Every unit's data is complete, except for the second water unit, which never delivered."""
    small = build_small_city(tmp_path)
    small.declare_everything(without=[("water_affairs", small.unit("water_affairs", 1))])
    return small


@pytest.fixture
def people(city: SmallCity) -> People:
    clean, punished = city.firm(CLEAN), city.firm(PUNISHED, "苏州示例化工有限公司")
    water, tax = (unit_by_uscc(city.unit(domain)) for domain in ("water_affairs", "taxation"))
    assert water is not None
    assert tax is not None

    def opened(username: str, name: str, role: Role, **of: int) -> Account:
        return open_account(NewAccount(username, name, role, password=PASSWORD, **of), by="test")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(base_user, "make_password", lambda password: _hashed_once(password, settings.PASSWORD_HASHERS[0]))
        return People(
            clean=opened("demo-suzhou", "示例甲", Role.SUBJECT_AGENT, subject_id=clean),
            punished=opened("agent-b", "示例乙", Role.SUBJECT_AGENT, subject_id=punished),
            officer=opened("demo-water", "示例丙", Role.DEPARTMENT_OFFICER, unit_id=water.id),
            chief=opened("chief", "示例丁", Role.RESPONSIBLE_OFFICER, unit_id=water.id),
            stranger=opened("tax", "示例戊", Role.DEPARTMENT_OFFICER, unit_id=tax.id),
            office=opened("demo-office", "示例己", Role.OFFICE_OPERATOR),
            administrator=opened("administrator", "示例庚", Role.SYSTEM_ADMINISTRATOR),
        )


@cache
def _hashed_once(password: str, _hasher: str) -> str:
    """Seven accounts for each test would otherwise be three seconds of hashing the same word."""
    return make_password(password)


def client_of(account: Account) -> Client:
    """A browser in which this account is signed in."""
    client = Client()
    client.force_login(account)
    return client


def issue(account: Account, policy_id: str = "suzhou-2024") -> Report:
    """A report of the account's subject, issued now."""
    assert account.subject_id is not None
    return issue_report(Order(policy_id, account.subject_id, Request(), "test"))


def penalties(city: SmallCity) -> list[dict[str, str]]:
    """One that counts, one under review, two that the decree leaves out."""
    since = (today() - timedelta(days=60)).isoformat()
    return [
        city.penalty(PUNISHED),
        city.penalty(PUNISHED, "苏税罚〔2026〕2号", 程序="简易程序", 违法行为类型="未按规定申报"),
        city.penalty(PUNISHED, "苏税罚〔2026〕3号", 处罚状态="复议诉讼中", 状态日期=since, 违法行为类型="虚开发票"),
        city.penalty(PUNISHED, "苏税罚〔2026〕4号", 处理结果="不予处罚", 违法行为类型="逾期申报"),
    ]


def water_rows(city: SmallCity, count: int = 6) -> list[dict[str, str]]:
    """Sound rows of the first water unit."""
    unit = city.unit("water_affairs")
    organ = {
        "处罚机关": "市水务局",
        "处罚机关统一社会信用代码": unit,
        "数据来源单位": "市水务局",
        "数据来源单位统一社会信用代码": unit,
    }
    return [city.penalty(uscc(20 + n), f"苏水罚〔2026〕{n}号", **organ) for n in range(count)]


@pytest.fixture
def faulty_batch(city: SmallCity) -> BatchResult:
    """A delivery of the water unit: eight lines, of which two are rejected and one is there twice."""
    rows = water_rows(city, 7)
    rows[1]["处罚决定日期"] = "2026-09-31"
    rows[3]["行政处罚决定书文号"] = ""
    return city.submit([*rows, dict(rows[0])], "water_affairs", (today() - timedelta(days=400), today()))

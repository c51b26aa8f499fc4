"""Screening of lists: its basis is demanded, persons never, the answers are those of decide, nothing else changes."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.db import transaction

from tests.module_database import module_database, undone_after
from tests.small_city import BY, SmallCity, build_small_city, uscc
from xinzheng.apps.accounts.actions import NewAccount, open_account
from xinzheng.apps.accounts.models import Account, Role
from xinzheng.apps.oversight.models import Screening
from xinzheng.apps.oversight.screening import NewScreening, ask
from xinzheng.apps.oversight.screening_queries import (
    answer_rows,
    reason_rows,
    screening_of,
)
from xinzheng.apps.oversight.screening_work import work_on
from xinzheng.apps.registry.queries import find_subject
from xinzheng.apps.reports.cases import answer_question
from xinzheng.apps.reports.packs import current_policy
from xinzheng.apps.reports.preparing import question_now
from xinzheng.core.decision import Request

PERSON = "330502199001010014"
CLEAN, PENALISED, WAITING, GONE, STRANGER, FORMER = (uscc(n) for n in (1, 2, 3, 4, 5, 6))
BASIS = {
    "basis": "《苏州市公共信用信息管理办法》第二十条",
    "document": "示信用办函〔2026〕1号",
    "purpose": "年度资金申请资格审核",
    "asked_for": "示例市财政局",
}


@dataclass(frozen=True)
class World:
    """A city with a clean firm, a penalised, one whose line waits, one deregistered; two of the office, an agent."""

    city: SmallCity
    folder: Path
    office: Account
    auditor: Account


db = module_database
__all__ = ["undone_after"]


@pytest.fixture(scope="module")
def made(db: None, tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("screening")
    city = build_small_city(folder, units_per_domain=1)
    city.declare_everything()
    city.firm(CLEAN, "示例清白有限公司")
    city.firm(PENALISED, "示例处罚有限公司", 曾用代码=FORMER)
    city.firm(WAITING, "示例待更正有限公司")
    city.firm(GONE, "示例注销有限公司", 登记状态="注销")
    city.submit([
        city.penalty(PENALISED, "示税罚〔2026〕1号", 行政相对人名称="示例处罚有限公司"),
        city.penalty(PENALISED, "示税罚〔2026〕2号", 行政相对人名称="示例处罚有限公司", 程序="简易程序"),
        city.penalty(WAITING, "示税罚〔2026〕3号", 行政相对人名称="示例待更正有限公司", 处罚决定日期="去年"),
    ])  # fmt: skip
    office = open_account(NewAccount("office", "信用办", Role.OFFICE_OPERATOR), by=BY)
    auditor = open_account(NewAccount("auditor", "审计员", Role.AUDITOR), by=BY)
    return World(city, folder, office, auditor)


@pytest.fixture
def world(made: World) -> Iterator[World]:
    """As made; what a test does is undone."""
    with transaction.atomic():
        yield made
        transaction.set_rollback(True)


def new(world: World, *codes: str, header: str = "统一社会信用代码", **stated: str) -> NewScreening:
    path = world.folder / f"{uuid.uuid4()}.csv"
    path.write_text("\n".join([header, *codes]) + "\n", encoding="utf-8")
    return NewScreening(world.city.policy_id, file=path, name="名单.csv", **(BASIS | stated))


def asked(world: World, *codes: str) -> Screening:
    return ask(new(world, *codes), account=world.office, key=uuid.uuid4())


def done(world: World, *codes: str) -> Screening:
    made = asked(world, *codes)
    work_on(made.pk)
    return made


def test_each_line_has_the_answer_that_a_report_would_give(world: World) -> None:
    listed = (CLEAN, PENALISED, WAITING, GONE, STRANGER, PENALISED.lower(), FORMER, "123")
    made = done(world, *listed)
    rows = list(answer_rows(made.pk))
    assert [row.line for row in rows] == list(range(2, 10))
    assert [row.mark for row in rows] == [
        "clear", "not_clear", "not_verifiable", "deregistered", "unknown", "repeated", "repeated", "unfit",
    ]  # fmt: skip
    for row in rows[:3]:
        subject = find_subject(row.code)
        assert subject is not None
        decision = answer_question(question_now(current_policy("suzhou-2024"), subject, Request())).decision
        assert row.mark == str(decision.outcome)
        assert row.counted == sum(finding.is_counted for finding in decision.findings)
    assert rows[1].words == "有违法记录1条"
    assert (rows[1].found, rows[2].open) == ("税务", "税务")
    assert rows[5].said == "与第3行是同一主体，结果见该行。"
    row = screening_of(made.pk)
    assert row is not None
    assert row.message == "共8行：未查询到违法记录1个，有违法记录1个，未能核查1个，没有核查5行。"


def test_a_reason_names_the_record_and_the_clause_and_nothing_that_does_not_count(world: World) -> None:
    made = done(world, CLEAN, PENALISED)
    (reason,) = reason_rows(made.pk)
    assert (reason.line, reason.code, reason.document_number) == (3, PENALISED, "示税罚〔2026〕1号")
    assert reason.effect == "计入"
    assert reason.source

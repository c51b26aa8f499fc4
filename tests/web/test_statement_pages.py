"""A zero return in one click for exactly what is missing; statements and batches taken back, with a reason."""

import re
from datetime import date, timedelta

import pytest
from django.test import Client

from tests.small_city import LONG_AGO, PENALTY, SmallCity, today, uscc
from tests.web.conftest import People, client_of, water_rows
from xinzheng.apps.audit.models import AuditEvent
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.ledger.actions import BatchResult, Scope, withdraw_coverage
from xinzheng.apps.ledger.models import BatchWithdrawal, CoverageStatement, CoverageWithdrawal
from xinzheng.apps.ledger.queries import coverage_at

pytestmark = pytest.mark.django_db

DOMAIN = "water_affairs"
SCOPE = f"{DOMAIN}|{PENALTY}"
PRESSED = re.compile(
    r'action="/department/zero/gap">.*?name="scope" value="([^"]+)">.*?name="from" value="([^"]+)">'
    r'.*?name="through" value="([^"]+)">',
    re.DOTALL,
)


def gap() -> tuple[date, date]:
    """The first and the last day that no statement reaches."""
    return today() - timedelta(days=60), today() - timedelta(days=40)


@pytest.fixture
def scope(city: SmallCity) -> Scope:
    """The first water unit's, with a hole in its statements."""
    scope = Scope(city.unit(DOMAIN), DOMAIN, PENALTY)
    withdraw_coverage(scope, from_date=gap()[0], through_date=gap()[1], by="test")
    return scope


def stated(scope: Scope) -> list[tuple[date, date]]:
    coverage = coverage_at("suzhou-2024", head_position())
    return [(s.from_date, s.through_date) for s in coverage.statements_of(scope.unit_uscc, PENALTY, DOMAIN)]


def press(client: Client, page: str) -> str:
    """Press the first button of a page that makes a zero return."""
    found = PRESSED.search(client.get(page).content.decode())
    assert found is not None
    fields = dict(zip(("scope", "from", "through"), found.groups(), strict=True))
    back = {"back": "calendar"} if "calendar" in page else {}
    return client.post("/department/zero/gap", fields | back, follow=True).content.decode()


@pytest.mark.parametrize("page", ["/department", "/department/calendar"])
def test_one_click_returns_zero_for_exactly_what_is_missing(people: People, scope: Scope, page: str) -> None:
    said = press(client_of(people.officer), page)
    assert "零报告已记录" in said
    assert stated(scope) == [(LONG_AGO, today())]
    made = CoverageStatement.objects.latest("id")
    assert (made.from_date, made.through_date, made.is_zero) == (*gap(), True)
    assert "/department/zero/gap" not in said


def test_a_stretch_that_is_no_longer_missing_is_not_stated_again(people: People, scope: Scope) -> None:
    fields = {"scope": SCOPE, "from": gap()[0].isoformat(), "through": gap()[1].isoformat()}
    client = client_of(people.officer)
    client.post("/department/zero/gap", fields)
    before = CoverageStatement.objects.count()
    for changes in (
        {},
        {"through": (gap()[1] - timedelta(days=1)).isoformat()},
        {"scope": "taxation|x"},
        {"from": "x"},
    ):
        page = client.post("/department/zero/gap", fields | changes, follow=True).content.decode()
        assert "没有补报" in page
    assert CoverageStatement.objects.count() == before


def test_where_records_stand_in_the_stretch_no_zero_return_is_made(
    city: SmallCity, people: People, scope: Scope
) -> None:
    rows = water_rows(city, 1)
    rows[0]["处罚决定日期"] = gap()[0].isoformat()
    city.submit(rows, DOMAIN)
    assert "不是零报告" in press(client_of(people.officer), "/department")
    assert len(stated(scope)) == 2


def test_while_lines_wait_no_zero_return_is_made_nor_offered(city: SmallCity, people: People, scope: Scope) -> None:
    rows = water_rows(city, 2)
    rows[1]["处罚决定日期"] = "2026-09-31"
    city.submit(rows, DOMAIN)
    fields = {"scope": SCOPE, "from": gap()[0].isoformat(), "through": gap()[1].isoformat()}
    page = client_of(people.officer).post("/department/zero/gap", fields, follow=True).content.decode()
    assert "1行这类数据等待改正" in page
    assert len(stated(scope)) == 2


def test_nobody_states_for_another_unit(people: People, scope: Scope) -> None:
    fields = {"scope": SCOPE, "from": gap()[0].isoformat(), "through": gap()[1].isoformat()}
    assert client_of(people.office).post("/department/zero/gap", fields).status_code == 403
    page = client_of(people.stranger).post("/department/zero/gap", fields, follow=True).content.decode()
    assert "没有补报" in page
    assert len(stated(scope)) == 2


def withdrawal(people: People, **changes: str) -> tuple[int, str]:
    fields = {
        "withdraw-scope": SCOPE,
        "withdraw-from": gap()[0].isoformat(),
        "withdraw-through": gap()[1].isoformat(),
        "withdraw-reason": "还有没报的决定",
    } | changes
    response = client_of(people.officer).post("/department/coverage/withdraw", fields, follow=True)
    return response.status_code, response.content.decode()


def test_a_statement_is_taken_back_for_a_period_and_the_rest_stays(city: SmallCity, people: People) -> None:
    status, page = withdrawal(people)
    assert status == 200
    assert "覆盖声明已撤回" in page
    scope = Scope(city.unit(DOMAIN), DOMAIN, PENALTY)
    assert stated(scope) == [(LONG_AGO, gap()[0] - timedelta(days=1)), (gap()[1] + timedelta(days=1), today())]
    assert CoverageWithdrawal.objects.get().reason == "还有没报的决定"
    assert AuditEvent.objects.get(action="coverage-withdrawn").who == people.officer.actor


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"withdraw-scope": "taxation|administrative_penalty"}, "请选择领域和数据种类"),
        ({"withdraw-from": ""}, "起始日期没有填对"),
        ({"withdraw-reason": " "}, "请写明撤回的原因"),
        ({"withdraw-reason": "当事人110101199003070018"}, "不得写身份号码"),
        ({"withdraw-from": "2010-01-01", "withdraw-through": "2010-02-01"}, "没有生效的覆盖声明"),
    ],
)
def test_a_mistake_is_shown_at_its_field_and_nothing_is_taken_back(
    people: People, changes: dict[str, str], message: str
) -> None:
    status, page = withdrawal(people, **changes)
    assert status == 422
    assert message in page
    assert "<details open>" in page
    assert not CoverageWithdrawal.objects.exists()


def test_the_responsible_officer_takes_a_batch_back_and_the_officer_may_not(
    people: People, faulty_batch: BatchResult
) -> None:
    address = f"/department/batches/{faulty_batch.batch}"
    fields = {"reason": "报错了文件"}
    assert "withdraw-h" not in client_of(people.officer).get(address).content.decode()
    assert client_of(people.officer).post(f"{address}/withdraw", fields).status_code == 403
    chief = client_of(people.chief)
    assert "依据本批出具的报告可能变为“已更正”" in chief.get(address).content.decode()
    assert "撤回批次须写明原因" in chief.post(f"{address}/withdraw", {}, follow=True).content.decode()
    page = chief.post(f"{address}/withdraw", fields, follow=True).content.decode()
    assert "5条记录不再入账" in page
    assert "本批已撤回" in page
    assert "withdraw-h" not in page
    assert BatchWithdrawal.objects.get().reason == "报错了文件"
    assert AuditEvent.objects.get(action="batch-withdrawn").who == people.chief.actor
    assert "已经撤回" in chief.post(f"{address}/withdraw", fields, follow=True).content.decode()


def test_another_units_batch_cannot_be_taken_back(city: SmallCity, people: People) -> None:
    batch = city.submit([city.penalty(uscc(1))])
    answer = client_of(people.chief).post(f"/department/batches/{batch.batch}/withdraw", {"reason": "x"})
    assert answer.status_code == 403
    assert not BatchWithdrawal.objects.exists()

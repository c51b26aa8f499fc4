"""Provincial return on the pages: what waits for a unit and who may settle it, and where data came from."""

import csv
import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.returning import PLATFORM, SOURCE
from tests.small_city import BY, LONG_AGO, PENALTY, SmallCity, build_small_city, today, uscc
from tests.web.conftest import People, client_of
from xinzheng.apps.accounts.actions import NewAccount, open_account
from xinzheng.apps.accounts.models import Account, Role
from xinzheng.apps.ledger.actions import BatchResult, Scope, declare_coverage, submit_batch
from xinzheng.apps.ledger.queries import batch_summary
from xinzheng.apps.registry.queries import unit_by_uscc

pytestmark = pytest.mark.django_db

PAGE = "/department/waiting"


@pytest.fixture
def chief_of_tax(people: People, city: SmallCity) -> Account:
    return officer("tax-chief", city.unit("taxation"), Role.RESPONSIBLE_OFFICER)


@pytest.fixture
def platform(people: People) -> Account:
    return officer("platform", PLATFORM, Role.RESPONSIBLE_OFFICER)


def officer(name: str, unit: str, role: Role) -> Account:
    found = unit_by_uscc(unit)
    assert found is not None
    return open_account(NewAccount(name, "示例辛", role, password="only-for-this-test-2", unit_id=found.id), by="test")


@pytest.fixture
def brought(city: SmallCity, people: People) -> BatchResult:
    """Line 2: a date that is none, of the tax office. Line 3: nobody knows whose. Line 4: sound."""
    rows = [
        city.penalty(uscc(1), "苏税罚〔2026〕7号", 处罚决定日期="2026-02-30"),
        city.penalty(uscc(1), "苏税罚〔2026〕8号", **{SOURCE: ""}),
        city.penalty(uscc(1), "苏税罚〔2026〕9号"),
    ]
    delivery = city.delivery(rows, covers=(LONG_AGO, today()))
    return submit_batch(replace(delivery, scope=Scope(PLATFORM, "taxation", PENALTY)), by=BY)


def page_of(account: Account, address: str = PAGE) -> str:
    response = client_of(account).get(address)
    assert response.status_code == 200
    return response.content.decode()


def test_a_unit_sees_its_lines_of_a_returned_batch_with_number_reason_and_who_brought_them(
    chief_of_tax: Account, brought: BatchResult
) -> None:
    page = page_of(chief_of_tax)
    assert "1行退回，等待本单位改正或者说明。" in page
    assert f'批次<span class="code">{brought.batch}</span>第2行' in page
    assert "经省级平台（演示）回流" in page
    assert "苏税罚〔2026〕7号" in page
    assert "苏税罚〔2026〕8号" not in page
    assert "这一天不存在" in page
    assert uscc(1) not in page


def test_lines_whose_unit_cannot_be_told_are_named_as_the_channel_s(
    chief_of_tax: Account, platform: Account, brought: BatchResult
) -> None:
    assert "1行认不出责任单位" in page_of(chief_of_tax)
    page = page_of(platform)
    assert f'批次<span class="code">{brought.batch}</span>第3行' in page
    assert "第2行" not in page


def test_another_unit_sees_nothing_of_it(people: People, brought: BatchResult) -> None:
    page = page_of(people.chief)
    assert "没有等待本单位处理的行。" in page
    assert "认不出责任单位" not in page
    assert client_of(people.chief).get(f"{PAGE}/{brought.batch}.csv").status_code == 404


def test_the_link_of_a_line_fills_the_form_in_and_the_responsible_officer_explains_it(
    chief_of_tax: Account, brought: BatchResult
) -> None:
    address = f"{PAGE}?batch={brought.batch}&line=2"
    assert 'name="line" inputmode="numeric" required value="2"' in page_of(chief_of_tax, address)
    fields = {"batch": str(brought.batch), "line": "2", "reason": "该决定已另行更正报送"}
    response = client_of(chief_of_tax).post(f"{PAGE}/explain", fields, follow=True)
    assert f"批次{brought.batch}第2行的说明已记录。" in response.content.decode()
    assert "没有等待本单位处理的行。" in page_of(chief_of_tax)


@pytest.mark.parametrize(("who", "line"), [("stranger", 2), ("platform", 2), ("chief", 2), ("chief_of_tax", 3)])
def test_nobody_else_explains_a_line(
    request: pytest.FixtureRequest, people: People, brought: BatchResult, who: str, line: int
) -> None:
    account = getattr(people, who) if hasattr(people, who) else request.getfixturevalue(who)
    fields = {"batch": str(brought.batch), "line": str(line), "reason": "不是本单位的"}
    assert client_of(account).post(f"{PAGE}/explain", fields).status_code == 403
    assert batch_summary(brought.batch).waiting == 2


def test_who_brought_the_batch_cannot_explain_another_unit_s_line_on_its_page_either(
    platform: Account, brought: BatchResult
) -> None:
    address = f"/department/batches/{brought.batch}/explain"
    client = client_of(platform)
    assert client.post(address, {"line": "2", "reason": "错报"}).status_code == 403
    assert client.post(address, {"line": "3", "reason": "错报"}, follow=True).status_code == 200
    assert batch_summary(brought.batch).waiting == 1


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"reason": " "}, "请写明为什么不用改正"),
        ({"line": "第2行"}, "请填写行号，只填数字。"),
        ({"line": "4"}, "没有第4行，或者该行没有被退回"),
        ({"batch": "9" * 30}, "请填写批次，只填数字。"),
    ],
)
def test_what_is_wrong_with_an_explanation_is_told_and_what_was_filled_in_stays(
    chief_of_tax: Account, brought: BatchResult, changes: dict[str, str], said: str
) -> None:
    fields = {"batch": str(brought.batch), "line": "2", "reason": "已另行报送"} | changes
    response = client_of(chief_of_tax).post(f"{PAGE}/explain", fields)
    page = response.content.decode()
    assert response.status_code == 422
    assert said in page
    assert f'value="{fields["batch"]}"' in page


def test_the_unit_downloads_its_own_lines_of_a_returned_file_and_no_others(
    chief_of_tax: Account, brought: BatchResult
) -> None:
    response = client_of(chief_of_tax).get(f"{PAGE}/{brought.batch}.csv")
    text = b"".join(response.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["行政处罚决定书文号"] for row in rows] == ["苏税罚〔2026〕7号"]


def test_the_desk_leads_to_the_lines(chief_of_tax: Account, brought: BatchResult) -> None:
    page = page_of(chief_of_tax, "/department")
    assert "1行待本单位处理" in page
    assert f'href="{PAGE}"' in page


def test_the_desk_says_where_data_came_from_that_the_unit_did_not_state_itself(db: None, tmp_path: Path) -> None:
    small = build_small_city(tmp_path)
    declare_coverage(Scope(PLATFORM, "taxation", PENALTY), from_date=LONG_AGO, through_date=today(), by=BY)
    chief = officer("tax-chief", small.unit("taxation"), Role.RESPONSIBLE_OFFICER)
    assert "经省级平台（演示）回流" in page_of(chief, "/department")
    small.declare(small.unit("taxation"), "taxation")
    assert "经省级平台（演示）回流" not in page_of(chief, "/department")


def test_the_calendars_say_of_each_month_that_its_data_came_by_return(db: None, tmp_path: Path) -> None:
    small = build_small_city(tmp_path)
    declare_coverage(Scope(PLATFORM, "taxation", PENALTY), from_date=LONG_AGO, through_date=today(), by=BY)
    office = open_account(
        NewAccount("office", "示例己", Role.OFFICE_OPERATOR, password="only-for-this-test-3"), by="test"
    )
    chief = officer("tax-chief", small.unit("taxation"), Role.RESPONSIBLE_OFFICER)
    for account, address in ((office, "/office/coverage?domain=taxation"), (chief, "/department/calendar")):
        page = page_of(account, address)
        assert page.count("零报告，经回流渠道归集") >= 11
        assert "零 回</td>" in page
    assert '经回流渠道归集"' not in page_of(office, "/office/coverage?domain=transport")


def test_the_platform_sees_in_its_calendar_what_it_brings_and_nothing_else(platform: Account) -> None:
    page = page_of(platform, "/department/calendar")
    assert '<small class="muted">税务，行政处罚</small>' in page
    assert page.count("金融监管，行政处罚</small>") == 2
    assert "水务" not in page


def test_the_platform_s_desk_offers_what_it_brings_and_takes_a_zero_return_for_all_its_units(
    platform: Account,
) -> None:
    page = page_of(platform, "/department")
    assert "税务，行政处罚（回流，1个单位）" in page
    assert "金融监管，行政处罚（回流，2个单位）" in page
    day = today().isoformat()
    fields = {"zero-scope": f"financial_regulation|{PENALTY}", "zero-from": day, "zero-through": day}
    assert "零报告已记录" in client_of(platform).post("/department/zero", fields, follow=True).content.decode()


def test_the_page_asks_a_bounded_number_of_questions(
    city: SmallCity,
    chief_of_tax: Account,
    brought: BatchResult,
    django_assert_max_num_queries: Callable[[int], object],
) -> None:
    client = client_of(chief_of_tax)
    client.get(PAGE)
    for _ in range(3):
        city.submit([city.penalty(uscc(1), f"苏税罚〔2026〕{n}号", 处罚决定日期="2026-02-30") for n in range(20, 26)])
    with django_assert_max_num_queries(11):  # type: ignore[attr-defined]
        assert client.get(PAGE).status_code == 200

"""The office's desk: what waits, figures of any range, charts with their tables, clocks, a workbook, the system."""

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from io import BytesIO

import pytest
from django.db import transaction
from django.utils import timezone
from python_calamine import CalamineWorkbook

from tests.busy_days import Made, ended, in_force, looked, viewed
from tests.module_database import module_database
from tests.redress_city import DOMAIN, KIND, NAME, RedressCity, build_redress_city, do, lodge_one
from tests.small_city import BY, LONG_AGO, today
from tests.web.conftest import client_of
from xinzheng.apps.accounts.actions import NewAccount, open_account
from xinzheng.apps.accounts.models import Account, Role
from xinzheng.apps.audit.models import AuditEvent
from xinzheng.apps.ledger.actions import Scope, withdraw_coverage
from xinzheng.apps.oversight.tallies import ONE_DAY, midnight, tally_days
from xinzheng.core.objections import Act
from xinzheng.web.desk.charts import MOST_SHOWN, Chart, Point, Series, bars, line, rows
from xinzheng.web.navigation import ITEMS, NavGroup, navigation_of
from xinzheng.web.office import coverage_now

db = module_database
HOUR = timedelta(hours=1)
WATCHERS = {"justice": Role.JUSTICE_LEAD, "data": Role.DATA_LEAD, "auditor": Role.AUDITOR}
OTHERS = {"administrator": Role.SYSTEM_ADMINISTRATOR, "security": Role.SECURITY_ADMINISTRATOR}


@pytest.fixture(scope="module")
def built(db: None, tmp_path_factory: pytest.TempPathFactory) -> RedressCity:
    """A city in which one unit withdrew its statement and one objection lies with a unit; everybody has an account."""
    city = build_redress_city(tmp_path_factory.mktemp("desk"))
    scope = Scope(city.city.unit(DOMAIN, 1), DOMAIN, KIND)
    withdraw_coverage(scope, from_date=LONG_AGO, through_date=today(), by=BY)
    made = lodge_one(city)
    do(city, made.number, Act.ACCEPT, "office", unit_id=city.unit)
    return city


@pytest.fixture(scope="module")
def accounts(built: RedressCity) -> Mapping[str, Account]:
    new = {name: NewAccount(f"desk-{name}", name, role) for name, role in (WATCHERS | OTHERS).items()}
    named = {name: open_account(one, by=BY) for name, one in new.items()}
    return {**built.accounts, **named}


@pytest.fixture
def busy(built: RedressCity) -> Iterator[Mapping[str, int]]:
    """Reports of today, of this month and of a year ago, and what became of them; undone after the test."""
    day = today()
    with transaction.atomic():
        now, past, long_past = midnight(day) + HOUR, midnight(day - 20 * ONE_DAY) + HOUR, midnight(day - 300 * ONE_DAY)
        made = [Made(n, now, gaps=("taxation",) if n == 1 else ()) for n in range(1, 4)]
        made += [Made(n, past, "huzhou-2023", "not_clear", 40, ("water_affairs",)) for n in range(4, 6)]
        made += [Made(n, long_past, "suzhou-2024", "not_verifiable", None, ("postal",)) for n in range(6, 10)]
        in_force(*made)
        ended(made[0], "superseded", now)
        for way in ("code", "link", "file"):
            looked(made[1].number, way, now)
        looked(made[5].number, "batch", long_past)
        viewed(made[1].number, "scan", now)
        yield {"issued": len(made)}
        transaction.set_rollback(True)


def page_of(account: Account, address: str = "/office", status: int = 200) -> str:
    response = client_of(account).get(address)
    assert response.status_code == status, response.content.decode()[:2000]
    return " ".join(response.content.decode().split())


def figures_of(page: str, heading: str) -> dict[str, str]:
    """The figures under a heading, by their names."""
    part = page.split(f'id="{heading}"')[1].split("</dl>", maxsplit=1)[0]
    found = re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", part)
    return {name: re.sub("<.*?>", "", value) for name, value in found}


def test_the_desk_says_first_what_waits_then_today_then_the_range(busy: None, accounts: Mapping[str, Account]) -> None:
    page = page_of(accounts["office"])
    answer = page.split('id="now-h"')[1].split("</section>")[0]
    assert "1个单位数据逾期" in answer
    assert "在办异议1件，逾期的归集责任1项" in answer
    assert figures_of(page, "today-h") == {
        "出具报告": "3份", "替代证明": "60份", "接受核验": "3次", "亮码查看": "1次", "失效报告": "1份",
    }  # fmt: skip
    # Nine reports: three and two of 20 and 40 domains, and four whose content names three.
    assert figures_of(page, "key-h") == {
        "出具报告": "9份", "替代证明": "152份", "接受核验": "4次", "亮码查看": "1次", "带“未能核查”的报告": "77.8%",
    }  # fmt: skip
    assert "失效报告：已更正1份。" in page


def test_a_range_and_a_policy_narrow_every_figure_and_tallied_days_change_none(
    busy: None, accounts: Mapping[str, Account]
) -> None:
    day = today()
    addresses = [
        "/office?policy=huzhou-2023",
        f"/office?from={day - 30 * ONE_DAY}&to={day - ONE_DAY}",
        f"/office?from={day - 400 * ONE_DAY}&to={day - 200 * ONE_DAY}&by=unit",
    ]
    before = [figures_of(page_of(accounts["office"], address), "key-h") for address in addresses]
    assert [one["出具报告"] for one in before] == ["2份", "2份", "4份"]
    assert [one["接受核验"] for one in before] == ["0次", "0次", "1次"]
    assert tally_days(timezone.now()) >= 300 - 1
    assert [figures_of(page_of(accounts["office"], address), "key-h") for address in addresses] == before


def test_charts_have_a_sentence_a_table_and_no_style_and_hatch_what_is_not_over(
    busy: None, accounts: Mapping[str, Account]
) -> None:
    page = page_of(accounts["office"])
    assert page.count('<svg viewBox="0 0 360') == page.count('role="img"') == page.count("看数据表<") == 4
    assert "每月出具报告：最多的是" in page
    assert 'class="bar-part" fill="url(#hatch-issued)"' in page
    assert " style=" not in page
    (drawn,) = re.findall(r"<h2>未能核查最多的领域</h2>.*?</figure>", page)
    names = re.findall(r'class="v"[^>]*text-anchor="end">(.*?)<', drawn)
    assert names[1] == "水务"  # in two reports; four before it, one after
    assert len(names) == 3


def test_coverage_is_shown_by_domain_or_by_unit_and_says_how_many_lack(
    busy: None, accounts: Mapping[str, Account]
) -> None:
    office = accounts["office"]
    by_domain, by_unit = page_of(office), page_of(office, "/office?by=unit")
    row = by_domain.split('id="heat-h"')[1].split("<tbody>")[1].split("</tr>")[0]
    assert "水务" in row
    assert 'aria-label="2个单位中1个不完整"' in row
    late = by_unit.split('id="heat-h"')[1].split("<tbody>")[1].split("</tr>")[0]
    assert 'class="h-gap"' in late
    assert "尚未归集该项数据" in by_domain.split('id="late-h"')[1]


def test_the_office_sees_clocks_and_names_and_those_who_watch_see_how_many(
    busy: None, accounts: Mapping[str, Account]
) -> None:
    office = page_of(accounts["office"])
    assert NAME in office
    assert "已用0个，还剩10个工作日" in office
    assert 'href="/office/system"' in office
    for name in WATCHERS:
        page = page_of(accounts[name])
        assert "在办异议1件" in page
        assert figures_of(page, "today-h")["出具报告"] == "3份"
        assert NAME not in page
        assert 'href="/office/system"' not in page


def test_the_workbook_holds_the_figures_of_the_page_and_the_trail_says_who_took_it(
    busy: None, accounts: Mapping[str, Account]
) -> None:
    day = today()
    first = day - 330 * ONE_DAY
    response = client_of(accounts["auditor"]).get(f"/office/desk.xlsx?from={first}&to={day}")
    assert f"desk-{first:%Y%m%d}-{day:%Y%m%d}.xlsx" in response.headers["Content-Disposition"]
    book = CalamineWorkbook.from_filelike(BytesIO(response.content))
    sums = {row[0]: row[1] for row in book.get_sheet_by_name("合计").to_python()}
    assert (sums["出具报告"], sums["替代证明"], sums["接受核验"], sums["失效报告"]) == (9, 152, 4, 1)
    parts = book.get_sheet_by_name("各期").to_python()
    assert sum(row[4] for row in parts[4:] if isinstance(row[4], float)) == 9
    kinds = [row[:3] for row in book.get_sheet_by_name("分类").to_python()]
    assert ["接受核验", "批量核验", 1] in kinds
    event = AuditEvent.objects.get(action="desk-exported")
    assert event.who == accounts["auditor"].actor
    assert event.details == {"from": first.isoformat(), "to": day.isoformat(), "policy": None}


@pytest.mark.parametrize(
    "period", ["from=x", "from=2026-06-02&to=2026-06-01", "from=1999-01-01", "to=9999-12-31", "from=2001-01-01"]
)
def test_an_unfit_range_is_told_at_its_field_and_the_workbook_leads_there(
    built: RedressCity, accounts: Mapping[str, Account], period: str
) -> None:
    page = page_of(accounts["office"], f"/office?{period}", 422)
    assert 'id="from-error"' in page
    assert "近12个月" in page
    away = client_of(accounts["office"]).get(f"/office/desk.xlsx?{period}")
    assert (away.status_code, away.headers["Location"].split("?")[0]) == (302, "/office")


@pytest.mark.parametrize("asked", ["policy=none-such", "by=planet"])
def test_what_is_not_there_is_not_found(built: RedressCity, accounts: Mapping[str, Account], asked: str) -> None:
    page_of(accounts["office"], f"/office?{asked}", 404)


def test_the_system_page_shows_what_is_wrong_first_and_what_to_do(
    built: RedressCity, accounts: Mapping[str, Account]
) -> None:
    page = page_of(accounts["administrator"], "/office/system")
    table = page.split("<tbody")[1]
    assert "数据库" in table
    assert "没有设置备份文件夹" in table
    states = re.findall(r"<span>(正常|需留意|有故障|未能查看)</span>", table)
    weight = {"有故障": 0, "未能查看": 1, "需留意": 2, "正常": 3}
    assert [weight[state] for state in states] == sorted(weight[state] for state in states)
    assert client_of(accounts["auditor"]).get("/office/system").status_code == 403


def test_the_desk_asks_the_database_a_bounded_number_of_times(
    busy: None, accounts: Mapping[str, Account], django_assert_max_num_queries: object
) -> None:
    client = client_of(accounts["office"])
    client.get("/office")
    with django_assert_max_num_queries(90):  # type: ignore[operator]
        client.get("/office")


def series(*values: int, **more: object) -> Series:
    points = tuple(Point(str(n), value, f"{n}月", "2026年", n == len(values)) for n, value in enumerate(values, 1))
    return Series("s", "出具报告", "份", "月份", points, **more)  # type: ignore[arg-type]


def test_bars_stay_within_the_drawing_and_the_axis_ends_above_the_highest() -> None:
    for values in ((0, 1), (612, 1216, 764), (99, 100, 101), (1_234_567, 9), tuple(range(1, 14))):
        chart = bars(series(*values))
        assert all(box.y >= 0 and box.height >= 0 and box.x + box.width <= chart.width for box in chart.boxes)
        assert max(box.height for box in chart.boxes) > 40
        assert [box.is_partial for box in chart.boxes] == [False] * (len(values) - 1) + [True]
        assert [row[1] for row in chart.table] == [f"{value:,}" for value in values]
        assert len(line(series(*values)).dots) == len(values)


def test_rows_beyond_those_shown_are_summed_up_and_stand_in_the_table() -> None:
    chart = rows(series(*range(1, 21), kind="unver"))
    assert len(chart.boxes) == MOST_SHOWN
    assert chart.texts[-2].words == f"其余{20 - MOST_SHOWN + 1}个"
    assert chart.texts[-1].words == f"{sum(range(1, 21)) - sum(range(14, 21))}份"
    assert len(chart.table) == 20


def test_a_chart_of_nothing_says_so_and_one_of_little_names_most_and_least() -> None:
    assert bars(series(0, 0)).is_empty
    assert bars(series()).spoken == rows(series()).spoken == "出具报告：没有数据"
    said: Chart = bars(series(5, 3, 9, 1))
    assert said.spoken == "出具报告：最多的是3月，9份；最少的是2月，3份；4月不完整"


def test_every_entry_of_the_navigation_lets_its_role_in(built: RedressCity, accounts: Mapping[str, Account]) -> None:
    refused = []
    for name in ("office", "justice", "auditor", "administrator"):
        client, account = client_of(accounts[name]), accounts[name]
        shown = [item.items if isinstance(item, NavGroup) else (item,) for item in ITEMS[Role(account.role)]]
        entries = [entry for group in shown for entry in group]
        answers = [(name, one.url, client.get(one.url).status_code) for one in entries]
        refused += [answer for answer in answers if answer[2] != 200]
    assert refused == []


def test_the_group_says_which_of_its_pages_is_at_hand(built: RedressCity, accounts: Mapping[str, Account]) -> None:
    page = page_of(accounts["office"], "/office/system")
    assert '<summary class="is-here">更多：系统状态</summary>' in page
    assert '<a href="/office/system" aria-current="page">系统状态</a>' in page
    assert "<summary>更多</summary>" in page_of(accounts["office"])
    # 名单核查 lies below 审计记录 and is not it.
    marked = navigation_of(accounts["auditor"], "/audit/screenings")
    assert [item.label for item in marked if not isinstance(item, NavGroup) and item.is_current] == ["名单核查"]


def test_of_a_large_ledger_the_coverage_page_says_delivered_and_counts_nothing(
    built: RedressCity, accounts: Mapping[str, Account], monkeypatch: pytest.MonkeyPatch
) -> None:
    counted = page_of(accounts["office"], "/office/coverage")
    assert 'aria-label="已报送1件"' in counted
    monkeypatch.setattr(coverage_now, "MOST_COUNTED", -2)
    page = page_of(accounts["office"], "/office/coverage")
    assert "这里不逐月清点件数" in page
    assert 'aria-label="已报送"' in page
    assert "零报告" not in page.split("<tbody>")[1]  # what is not counted is not called none

"""The pages on quality: the office sees all units, a unit its own, nobody else anything."""

import re
from datetime import date, timedelta
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from tests.small_city import PENALTY, SmallCity, today
from tests.web.conftest import People, client_of, water_rows
from xinzheng.apps.accounts.actions import NewAccount, open_account
from xinzheng.apps.accounts.models import Account, Role
from xinzheng.apps.oversight.models import Bulletin, Notice, Reconciliation, ReconciliationSignature
from xinzheng.apps.oversight.permissions import refusals_to_sign
from xinzheng.apps.oversight.reminders import remind
from xinzheng.apps.reports.packs import current_calendar
from xinzheng.core.coverage_calendar import Month
from xinzheng.core.workdays import Calendar

pytestmark = pytest.mark.django_db

OFFICE = ["/office/coverage", "/office/scores", "/office/bulletins", "/office/reminders", "/office/reconciliations"]
OFFICE += ["/office/officers", "/office/reports"]
OFFICE += ["/office/bulletins/{past}", "/office/bulletins/{past}.pdf", "/office/bulletins/{past}.xlsx"]
OWN = ["/department/calendar", "/department/score", "/department/reconciliation"]


def past() -> Month:
    return Month.of(today()).plus(-2)


def page(account: Account, address: str) -> str:
    response = client_of(account).get(address)
    assert response.status_code == 200, address
    return response.content.decode()


def without_tokens(told: str) -> str:
    """The page without what each request draws anew."""
    return re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", told)


def a_working_day() -> date:
    """Today, or the last working day before it."""
    day = today()
    while not current_calendar().is_working_day(day):
        day -= timedelta(days=1)
    return day


@pytest.mark.parametrize("address", OFFICE)
def test_only_the_office_opens_the_office_s_pages(people: People, address: str) -> None:
    address = address.format(past=past())
    assert client_of(people.office).get(address).status_code == 200
    for account in (people.officer, people.chief, people.clean):
        assert client_of(account).get(address).status_code == 403


def test_a_lead_reads_coverage_scores_and_bulletins_is_led_nowhere_else_and_publishes_nothing(people: People) -> None:
    lead = open_account(NewAccount("lead", "联络员", Role.DATA_LEAD), by="test")
    client, seen = client_of(lead), {"/office/coverage", "/office/scores", "/office/bulletins"}
    seen |= {f"/office/bulletins/{past()}"}
    seen |= {"/office/receivers"}
    links = {link for address in seen for link in re.findall(r'href="(/office/[^"]*)"', page(lead, address))}
    assert links
    assert [link for link in sorted(links) if client.get(link.replace("&amp;", "&")).status_code != 200] == []
    assert "发布后不能再改" in page(people.office, f"/office/bulletins/{past()}")
    assert "发布后不能再改" not in page(lead, f"/office/bulletins/{past()}")
    assert client.post(f"/office/bulletins/{past()}").status_code == 403
    assert client.get("/office/review").status_code == 403
    assert not Bulletin.objects.exists()


@pytest.mark.parametrize("address", OWN)
def test_only_officers_open_a_unit_s_pages(people: People, address: str) -> None:
    assert client_of(people.officer).get(address).status_code == 200
    for account in (people.office, people.clean):
        assert client_of(account).get(address).status_code == 403


def test_the_public_is_sent_to_sign_in(client: "object", people: People) -> None:
    for address in [*(one.format(past=past()) for one in OFFICE), *OWN]:
        response = client.get(address)  # type: ignore[attr-defined]
        assert (response.status_code, response.headers["Location"][:8]) == (302, "/sign-in")


def test_the_heat_map_says_in_words_what_each_cell_means(people: People) -> None:
    told = page(people.office, "/office/coverage")
    assert '<td class="h-gap" aria-label="没有报送">缺</td>' in told
    assert "零报告" in told
    assert 'role="region" aria-label="归集覆盖表，可以左右移动" tabindex="0"' in told


def test_the_heat_map_can_be_cut_to_a_domain_and_to_what_is_late(people: People) -> None:
    late = page(people.office, "/office/coverage?show=late")
    assert len(re.findall(r'<tr><th scope="row">', late)) == 1
    none = page(people.office, "/office/coverage?show=late&domain=taxation")
    assert "没有符合条件的单位" in none


def test_a_unit_s_calendar_shows_the_own_unit_only(people: People) -> None:
    told = page(people.officer, "/department/calendar")
    assert len(re.findall(r'<tr><th scope="row">', told)) == 1
    assert "近12个月全部完整" in told


def test_the_scores_rank_all_units_and_a_unit_sees_its_own_rank(people: People) -> None:
    assert "缺数据" in page(people.office, f"/office/scores?month={past()}")
    told = page(people.officer, "/department/score")
    assert re.search(r"得分100\.0，在\d+个单位中列第1名。", told)


@pytest.mark.parametrize("month", ["2026-13", "2099-01", "x"])
def test_a_month_that_is_none_is_not_found(people: People, month: str) -> None:
    assert client_of(people.office).get(f"/office/bulletins/{month}").status_code == 404


def test_a_draft_becomes_a_bulletin_that_cannot_be_published_again(people: People, city: SmallCity) -> None:
    address = f"/office/bulletins/{past()}"
    assert "草稿，未发布" in page(people.office, address)
    client = client_of(people.office)
    assert client_of(people.chief).post(address).status_code == 403
    assert "不再改动" in client.post(address, follow=True).content.decode()
    published = without_tokens(page(people.office, address))
    city.declare(city.unit("water_affairs", 1), "water_affairs")
    assert without_tokens(page(people.office, address)) == published
    assert "草稿" not in published
    assert "已经发布" in client.post(address, follow=True).content.decode()
    assert Bulletin.objects.count() == 1


def test_a_bulletin_comes_on_paper_and_as_a_workbook(people: People) -> None:
    client = client_of(people.office)
    paper, table = client.get(f"/office/bulletins/{past()}.pdf"), client.get(f"/office/bulletins/{past()}.xlsx")
    assert paper.content.startswith(b"%PDF-")
    assert table.content.startswith(b"PK")
    assert f"{past()}-draft.pdf" in paper.headers["Content-Disposition"]


def test_a_late_unit_is_reminded_once_and_reads_it_on_its_page(people: People, city: SmallCity) -> None:
    day = a_working_day()
    assert remind(day, "test") == 1
    assert remind(day, "test") == 0
    notice = Notice.objects.get()
    assert (notice.domain, notice.kind, notice.through_date) == ("water_affairs", PENALTY, None)
    assert "1次，最近" in page(people.office, "/office/reminders")
    late = Account.objects.get(pk=people.stranger.pk)
    Account.objects.filter(pk=late.pk).update(unit_id=notice.unit_id)
    assert "尚未归集该项数据" in page(Account.objects.get(pk=late.pk), "/department/calendar")
    assert "催办" not in page(people.officer, "/department/calendar")


def test_the_office_can_remind_at_once_and_is_told_what_came_of_it(people: People) -> None:
    told = client_of(people.office).post("/office/reminders", follow=True).content.decode()
    assert "已催办1项" in told or "今天不是工作日" in told
    assert client_of(people.officer).post("/office/reminders").status_code == 403


def test_a_year_that_was_not_announced_is_said_to_the_office(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xinzheng.apps.oversight.scopes.packs.current_calendar", lambda: Calendar(frozenset({1999})))
    response = client_of(people.office).get("/office/reminders")
    assert response.status_code == 503
    assert "尚未公布或者尚未导入" in response.content.decode()


def test_the_office_names_who_signs_for_a_domain(people: People) -> None:
    client, unit = client_of(people.office), people.officer.unit_id or 0
    duty = f"{unit}|water_affairs"
    told = client.post("/office/officers", {"duty": duty, "account": people.officer.pk}, follow=True).content.decode()
    assert "市水务局，水务：示例丙。" in told
    assert refusals_to_sign(people.officer, unit, "water_affairs") == []
    assert refusals_to_sign(people.chief, unit, "water_affairs")
    for wrong in (people.stranger.pk, people.clean.pk, "x", ""):
        client.post("/office/officers", {"duty": duty, "account": wrong})
    assert refusals_to_sign(people.officer, unit, "water_affairs") == []
    told = client.post("/office/officers", {"duty": duty, "account": "0"}, follow=True).content.decode()
    assert "由本单位责任人签字" in told
    assert refusals_to_sign(people.chief, unit, "water_affairs") == []
    assert client_of(people.chief).post("/office/officers", {"duty": duty, "account": "0"}).status_code == 403


def numbers_file(*numbers: str) -> SimpleUploadedFile:
    return SimpleUploadedFile("list.txt", "\n".join(numbers).encode())


def compare(account: Account, month: Month | None = None, **fields: object) -> tuple[int, str]:
    data = {"scope": f"water_affairs|{PENALTY}", "month": str(month or past())} | fields
    response = client_of(account).post("/department/reconciliation", data, follow=True)
    return response.status_code, response.content.decode()


@pytest.fixture
def decided(city: SmallCity) -> None:
    """Two decisions of the water unit in the past month."""
    rows = water_rows(city, 2)
    for row in rows:
        row["处罚决定日期"] = past().first.isoformat()
    city.submit(rows, "water_affairs")


def test_the_same_list_in_other_brackets_agrees_and_the_chief_signs(people: People, decided: None) -> None:
    status, told = compare(
        people.officer, file=numbers_file("苏水罚[2026]0号", "", "苏水罚（2026）1号", "苏水罚[2026]0号")
    )
    assert status == 200
    assert "两边一致" in told
    assert "签字确认，签字后不能再改" not in told  # an officer who is not the responsible one
    found = Reconciliation.objects.get()
    address = f"/department/reconciliation/{found.pk}/sign"
    assert client_of(people.officer).post(address).status_code == 403
    assert client_of(people.stranger).post(address).status_code == 404
    assert "已签字" in client_of(people.chief).post(address, follow=True).content.decode()
    assert "已经签字" in client_of(people.chief).post(address, follow=True).content.decode()
    assert ReconciliationSignature.objects.count() == 1


def test_differences_are_listed_and_need_a_reason_to_be_signed(people: People, decided: None) -> None:
    _status, told = compare(people.chief, file=numbers_file("苏水罚〔2026〕0号", "苏水罚〔2026〕9号"))
    assert "平台没有的1件，本单位没有的1件" in told
    found = Reconciliation.objects.get()
    assert (len(found.missing), len(found.surplus)) == (1, 1)
    client, address = client_of(people.chief), f"/department/reconciliation/{found.pk}/sign"
    assert "请写明原因" in client.post(address, {"note": " "}, follow=True).content.decode()
    assert "将补报" in client.post(address, {"note": "将补报"}, follow=True).content.decode()
    office = page(people.office, f"/office/reconciliations?month={past()}")
    assert "1项已核对，1项不一致" in office
    assert "0项等待责任人签字" in office


def test_a_count_and_a_digest_are_enough(people: People, decided: None) -> None:
    compare(people.officer, file=numbers_file("苏水罚〔2026〕0号", "苏水罚〔2026〕1号"))
    digest = bytes(Reconciliation.objects.get().sha256).hex()
    assert "两边一致" in compare(people.officer, count="2", digest=digest)[1]
    assert "看不出差在哪几件" in compare(people.officer, count="3", digest=digest)[1]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "请选择文号清单"),
        ({"count": "二", "digest": "00"}, "件数应为整数"),
        ({"count": "2", "digest": "00"}, "摘要值应为64位"),
        ({"scope": "taxation|x"}, "请选择领域"),
        ({"month": "2026-99"}, "请选择要核对的月份"),
        ({"month": "{this}", "count": "0", "digest": "0" * 64}, "还没有过完"),
    ],
)
def test_what_is_wrong_with_a_list_is_said_and_nothing_is_kept(
    people: People, fields: dict[str, str], said: str
) -> None:
    month = {"month": str(past())} | {name: text.format(this=Month.of(today())) for name, text in fields.items()}
    data = {"scope": f"water_affairs|{PENALTY}"} | month
    response = client_of(people.officer).post("/department/reconciliation", data)
    assert response.status_code == 422
    assert said in response.content.decode()
    assert not Reconciliation.objects.exists()


def test_a_list_with_an_identity_number_is_refused_without_repeating_it(people: People) -> None:
    number = "11010519491231002X"
    status, told = compare(people.officer, file=numbers_file("苏水罚〔2026〕0号", number))
    assert status == 422
    assert "第2行含有身份号码" in told
    assert number not in told


def test_a_file_that_is_no_text_is_refused(people: People) -> None:
    file = SimpleUploadedFile("list.xlsx", BytesIO(b"PK\x03\x04\xff\xfe\x00\x80\x81").getvalue())
    assert compare(people.officer, file=file)[0] == 422

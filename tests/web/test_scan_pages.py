"""The receiver's pages of 亮码: say who you are and for what, see the content; one answer to whatever is wrong."""

import logging
import re
import statistics
import time
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import caches
from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.small_city import SmallCity, uscc
from tests.web.conftest import PASSWORD, People, client_of, issue, penalties
from tests.web.test_frame import INLINE
from xinzheng.apps.accounts.actions import NewAccount, open_account
from xinzheng.apps.accounts.models import Account, Role
from xinzheng.apps.codes.looking import find
from xinzheng.apps.codes.models import Receiver, ShareCode, ShownCode, View
from xinzheng.apps.codes.receivers import Decision, Registration, State, decide, register
from xinzheng.apps.codes.sharing import Shown, Terms, share, show, take_back
from xinzheng.apps.codes.view_queries import views_of
from xinzheng.apps.reports.models import Look, Report
from xinzheng.apps.reports.status import Why, change_status
from xinzheng.core.lifecycle import ReportStatus
from xinzheng.web.codes.visitors import BAD_PER_WINDOW

pytestmark = pytest.mark.django_db

BANK = "示例银行苏州分行"
PHONE = "Mozilla/5.0 (Linux; Android 16) Mobile Safari/537.36"
FULL_NAME = "苏州示例化工有限公司"


@pytest.fixture(autouse=True)
def nothing_counted_before(db: None) -> None:
    caches["default"].clear()


@pytest.fixture
def report(people: People, city: SmallCity) -> Report:
    city.submit(penalties(city))
    return issue(people.punished)


@pytest.fixture
def agent(people: People) -> Account:
    return people.punished


def shared(agent: Account, report: Report, **changes: Any) -> ShareCode:
    terms = {"purpose": "financing", "expires_at": timezone.now() + timedelta(hours=1), "views": 3} | changes
    return share(agent, report.number, Terms(**terms), by=agent.actor)


def shown(agent: Account, report: Report, **changes: Any) -> Shown:
    return show(shared(agent, report, **changes).pk, ShownCode.Form.PAPER, by=agent.actor)


def ticket_on(page: str) -> str:
    found = re.search(r'name="ticket" value="([^"]+)"', page)
    assert found, page
    return found[1]


def enter(client: Client, code: str, **changes: Any) -> Any:
    """Scan, fill in, send."""
    page = client.get(f"/s/{code}").content.decode()
    fields = {"ticket": ticket_on(page), "body_name": BANK, "purpose": "financing"} | changes
    return client.post("/s", fields, REMOTE_ADDR="8.8.4.77", HTTP_USER_AGENT=PHONE)


def plain(response: Any) -> tuple[int, str, list[tuple[str, str]]]:
    """An answer without what differs by chance: the protection of its forms."""
    text = re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", response.content.decode())
    text = re.sub(r'name="next" value="[^"]*"', "", text)
    # The page's own address stands in it once; the policy names its parts in any order; each request has its number.
    apart = ("Content-Length", "Content-Security-Policy", "X-Request-ID")
    return response.status_code, text, sorted(item for item in response.headers.items() if item[0] not in apart)


def test_a_stranger_says_who_it_is_and_sees_the_report_and_the_subject_sees_the_look(
    client: Client, agent: Account, report: Report
) -> None:
    code = shown(agent, report)
    page = client.get(f"/s/{code.secret}").content.decode()
    assert "融资" in page
    assert report.number in page
    assert FULL_NAME not in page
    entered = enter(client, code.secret)
    address = entered.headers["Location"]
    assert re.fullmatch(r"/s/views/[0-9a-f-]{36}", address)
    content = client.get(address).content.decode()
    assert FULL_NAME in content
    assert "查询到违法记录2条" in re.sub("<[^>]+>", "", content)
    assert "苏税罚〔2026〕1号" in content
    assert "苏税罚〔2026〕2号" not in content  # the decree leaves it out: it is told to the subject only
    assert client.get(f"{address}/open").status_code == 204
    (row,) = views_of(number=report.number)
    assert (row.who, row.purpose, row.place, row.device) == (BANK, "融资", "网络 8.8.4.*", "手机")
    listed = client_of(agent).get(f"/reports/{report.number}").content.decode()
    for told in (BANK, "自己填写，没有核实", "网络 8.8.4.*", "手机"):
        assert told in listed


def test_a_typed_code_leads_to_the_same_form_without_standing_in_an_address(
    client: Client, agent: Account, report: Report
) -> None:
    code = shown(agent, report)
    spelled = f" {code.typed[:4].lower()} {code.typed[4:8]}-{code.typed[8:]}"
    page = client.post("/s", {"code": spelled}).content.decode()
    sent = client.post("/s", {"ticket": ticket_on(page), "body_name": BANK, "purpose": "financing"})
    assert sent.status_code == 302
    assert View.objects.get().way == "typed"
    empty = client.post("/s", {"code": " "})
    assert (empty.status_code, "请填写对方出示的12位码" in empty.content.decode()) == (422, True)


def test_a_receiver_that_signed_in_is_not_asked_its_name(agent: Account, report: Report) -> None:
    bank = open_account(NewAccount("bank", "柜员", Role.RECEIVER, password=PASSWORD), by="test")
    register(bank, Registration(uscc(70), BANK, "bank"))
    decide(Receiver.objects.get().pk, Decision(State.VERIFIED, account_ids=(bank.pk,)), by="test")
    client = client_of(bank)
    code = shown(agent, report, receiver_name=BANK)
    page = client.get(f"/s/{code.secret}").content.decode()
    assert 'name="body_name"' not in page
    address = enter(client, code.secret, body_name="别的名称").headers["Location"]
    (row,) = views_of(number=report.number)
    assert (row.who, row.known_by) == (BANK, "已核实的单位")
    assert client_of(bank).get(address).status_code == 200  # another browser of the same account


@pytest.mark.parametrize(
    ("changes", "field", "message"),
    [
        ({"body_name": ""}, "body_name", "请填写单位全称"),
        ({"body_name": "\0"}, "body_name", "请填写单位全称"),
        ({"body_name": "张三 110101199003070011"}, "body_name", "只填单位名称"),
        ({"body_name": "另一家银行"}, "body_name", "这个码只给"),
        ({"purpose": "listing"}, "purpose", "主体只同意用于"),
        ({"purpose": "\0"}, "purpose", "主体只同意用于"),
    ],
)
def test_what_does_not_fit_is_told_and_costs_no_look(
    client: Client, agent: Account, report: Report, changes: dict[str, str], field: str, message: str
) -> None:
    response = enter(client, shown(agent, report, receiver_name=BANK).secret, **changes)
    page = response.content.decode()
    assert response.status_code == 422
    assert f'<a href="#{field}">{message}' in page
    assert f'id="{field}"' in page
    assert not View.objects.exists()
    sent = client.post("/s", {"ticket": ticket_on(page), "body_name": BANK, "purpose": "financing"})
    assert sent.status_code == 302


def test_the_code_may_renew_itself_while_the_form_is_filled_in(client: Client, agent: Account, report: Report) -> None:
    page = client.get(f"/s/{shown(agent, report).secret}").content.decode()
    ShownCode.objects.update(good_until=timezone.now() - timedelta(seconds=1))
    sent = client.post("/s", {"ticket": ticket_on(page), "body_name": BANK, "purpose": "financing"})
    assert sent.status_code == 302


def test_every_code_that_opens_nothing_gets_the_same_answer(client: Client, agent: Account, report: Report) -> None:
    used, late, back = (shared(agent, report, views=1) for _ in range(3))
    codes = {share.pk: show(share.pk, ShownCode.Form.PAPER, by=agent.actor) for share in (used, late, back)}
    enter(client, codes[used.pk].secret)
    ShownCode.objects.filter(share=late).update(good_until=timezone.now() - timedelta(seconds=1))
    take_back(back.pk, by=agent.actor)
    bad = ["A" * 22, "0" * 12, "x", "views", "示例", "a" * 3000, *(code.secret for code in codes.values())]
    answers = []
    for code in bad:
        caches["default"].clear()
        answers.append(plain(client.get(f"/s/{code}")))
    for typed in ("0" * 12, "Z" * 200, "a\0b", *(code.typed for code in codes.values())):
        caches["default"].clear()
        answers.append(plain(client.post("/s", {"code": typed})))
    for ticket in ("", "x", "a\0", "A" * 5000):
        answers.append(plain(client.post("/s", {"ticket": ticket, "body_name": BANK, "purpose": "financing"})))
    answers.append(plain(client.get(f"/s/views/{uuid.uuid4()}")))
    assert {status for status, _, _ in answers} == {404}
    assert len({text for _, text, _ in answers}) == 1
    assert len({str(headers) for _, _, headers in answers}) == 1


def test_bad_codes_are_counted_by_address_and_good_ones_are_not(client: Client, agent: Account, report: Report) -> None:
    code = shown(agent, report).secret
    for _ in range(BAD_PER_WINDOW):
        assert client.get(f"/s/{code}").status_code == 200
        assert client.get("/s/wrong").status_code == 404
    refused = client.get(f"/s/{code}")
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) <= 60
    assert client.post("/s", {"code": "0" * 12}).status_code == 429
    assert client.get(f"/s/{code}", REMOTE_ADDR="8.8.4.78").status_code == 200
    with connection.cursor() as cursor:
        cursor.execute("SELECT cache_key FROM accounts_sharedcache")
        assert "127.0.0.1" not in str(cursor.fetchall())


def test_taken_back_the_open_page_is_gone_and_the_code_opens_nothing(
    client: Client, agent: Account, report: Report
) -> None:
    made = shared(agent, report)
    code = show(made.pk, ShownCode.Form.PAPER, by=agent.actor).secret
    address = enter(client, code).headers["Location"]
    assert client.get(address).status_code == 200
    take_back(made.pk, by=agent.actor)
    assert client.get(f"{address}/open").headers["HX-Refresh"] == "true"
    gone = client.get(address)
    assert gone.status_code == 410
    assert "主体已经收回同意" in gone.content.decode()
    assert FULL_NAME not in gone.content.decode()
    assert client.get(f"/s/{code}").status_code == 404


def test_a_view_ends_by_itself(client: Client, agent: Account, report: Report) -> None:
    with override_settings(XINZHENG_VIEW_MINUTES=0):
        address = enter(client, shown(agent, report).secret).headers["Location"]
    gone = client.get(address)
    assert (gone.status_code, "查看的时间到了" in gone.content.decode()) == (410, True)


def test_a_report_that_was_superseded_shows_its_status_and_nothing_of_its_content(
    client: Client, agent: Account, report: Report
) -> None:
    code = shown(agent, report).secret
    address = enter(client, code).headers["Location"]
    change_status(report, ReportStatus.SUPERSEDED, "test", Why())
    assert "已更正，请以新报告为准" in client.get(address).content.decode()
    page = client.get(f"/s/{code}").content.decode()
    assert "报告状态：已更正，请以新报告为准" in page
    assert 'name="ticket"' not in page
    look = Look.objects.get()
    assert (look.way, look.by, look.status) == ("share", "public", "superseded")


def test_a_view_belongs_to_the_browser_that_opened_it(client: Client, agent: Account, report: Report) -> None:
    code = shown(agent, report).secret
    first = enter(client, code)
    cookie = first.cookies["xz_view"]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", first.headers["Location"])
    address = first.headers["Location"]
    other = Client()
    for path in (address, f"{address}/open"):
        assert FULL_NAME not in other.get(path).content.decode()
    assert other.get(address).status_code == 404
    second = enter(other, code).headers["Location"]
    other.cookies["xz_view"].set("xz_view", cookie.value, cookie.value)
    assert other.get(second).status_code == 404  # its cookie is of the other view
    client.cookies["xz_view"].set("xz_view", f"{uuid.uuid4()}:forged", f"{uuid.uuid4()}:forged")
    assert client.get(address).status_code == 404
    assert client_of(agent).get(address).status_code == 404


def test_no_secret_is_kept_by_caches_referrers_or_logs(
    client: Client, agent: Account, report: Report, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    code = shown(agent, report)
    entered = enter(client, code.secret)
    client.get(entered.headers["Location"])
    client.post("/s", {"code": code.typed})
    wrong = "B" * 22
    for response in (client.get(f"/s/{code.secret}"), client.get(f"/s/{wrong}"), client.get("/s"), entered):
        assert "no-store" in response.headers["Cache-Control"]
        assert response.headers["Referrer-Policy"] == "strict-origin"
        assert "noindex" in response.headers["X-Robots-Tag"]
    client.post(f"/s/{code.secret}")  # not allowed, and refused without a word in the log
    for secret in (code.secret, code.typed, wrong):
        assert secret not in caplog.text


def test_the_form_is_protected_and_the_browser_may_send_it(agent: Account, report: Report) -> None:
    client = Client(enforce_csrf_checks=True)
    code = shown(agent, report).secret
    page = client.get(f"/s/{code}").content.decode()
    fields = {"ticket": ticket_on(page), "body_name": BANK, "purpose": "financing"}
    assert client.post("/s", fields).status_code == 403
    token = re.search(
        r'action="/s" id="main-form">\s*<input type="hidden" name="csrfmiddlewaretoken" value="(\w+)"', page
    )
    assert token
    assert client.post("/s", fields | {"csrfmiddlewaretoken": token[1]}).status_code == 302


def test_no_page_carries_inline_code(client: Client, agent: Account, report: Report) -> None:
    code = shown(agent, report).secret
    address = enter(client, code).headers["Location"]
    for path in ("/s", f"/s/{code}", address, "/s/wrong"):
        assert INLINE.search(client.get(path).content.decode()) is None, path


def test_a_place_is_what_the_operators_table_says(
    client: Client, agent: Account, report: Report, tmp_path: Path
) -> None:
    table = tmp_path / "places.csv"
    table.write_text("# 网段,地点\n8.8.0.0/16,江苏\n8.8.4.0/24,江苏苏州\n", encoding="utf-8")
    with override_settings(XINZHENG_PLACES=str(table)):
        enter(client, shown(agent, report).secret)
    (row,) = views_of(number=report.number)
    assert row.place == "江苏苏州"


@pytest.mark.parametrize(
    "written", [b"8.8.4.0/24\n8.8.0.0/99,x\n,\n8.8.0.0/16,\xe6\xb1\x9f\xe8\x8b\x8f\n", b"\xff\xff", None]
)
def test_a_table_that_cannot_be_read_keeps_nobody_from_looking(
    client: Client, agent: Account, report: Report, tmp_path: Path, written: bytes | None
) -> None:
    table = tmp_path / "places.csv"
    if written is not None:
        table.write_bytes(written)
    with override_settings(XINZHENG_PLACES=str(table)):
        assert enter(client, shown(agent, report).secret).status_code == 302
    (row,) = views_of(number=report.number)
    assert row.place == ("江苏" if written and written.startswith(b"8") else "网络 8.8.4.*")


def test_code_and_content_are_asked_for_in_one_statement_each(
    client: Client, agent: Account, report: Report, django_assert_max_num_queries: Any
) -> None:
    code = shown(agent, report).secret
    address = enter(client, code).headers["Location"]
    client.get(address)
    with django_assert_max_num_queries(1):
        client.get(f"/s/{code}")
    with django_assert_max_num_queries(1):
        client.get(address)
    with django_assert_max_num_queries(1):
        client.get(f"{address}/open")


def test_whatever_is_wrong_with_a_code_the_same_work_is_done(client: Client, agent: Account, report: Report) -> None:
    used, late, back = (shared(agent, report, views=1) for _ in range(3))
    codes = {share.pk: show(share.pk, ShownCode.Form.PAPER, by=agent.actor) for share in (used, late, back)}
    enter(client, codes[used.pk].secret)
    ShownCode.objects.filter(share=late).update(good_until=timezone.now() - timedelta(seconds=1))
    take_back(back.pk, by=agent.actor)
    done = set()
    for code in ("A" * 22, "x", "a" * 3000, *(code.secret for code in codes.values())):
        caches["default"].clear()
        with CaptureQueriesContext(connection) as asked:
            client.get(f"/s/{code}")
        done.add(len(asked.captured_queries))
    for typed in ("0" * 12, "x", *(code.typed for code in codes.values())):
        caches["default"].clear()
        with CaptureQueriesContext(connection) as asked:
            client.post("/s", {"code": typed})
        done.add(len(asked.captured_queries))
    assert len(done) == 1


def test_a_bad_code_takes_as_long_whether_it_was_ever_good(client: Client, agent: Account, report: Report) -> None:
    made = shared(agent, report)
    was_good = show(made.pk, ShownCode.Form.PAPER, by=agent.actor).typed
    take_back(made.pk, by=agent.actor)
    took: dict[str, list[float]] = {was_good: [], "0" * 12: []}
    for _ in range(200):
        for code, times in took.items():
            begun = time.thread_time()
            assert find(code) is None
            times.append(time.thread_time() - begun)
    known, unknown = (statistics.median(times) for times in took.values())
    assert 0.67 < known / unknown < 1.5

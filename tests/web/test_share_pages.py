"""The subject's pages of 亮码: terms preset, a code that renews itself, paper, who looked, taking back."""

import re
import uuid
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from django.test import Client, override_settings
from django.utils import timezone

from tests.web.conftest import People, client_of, issue
from tests.web.test_frame import INLINE
from xinzheng.apps.accounts.actions import NewAccount, open_account
from xinzheng.apps.accounts.models import Account, Mandate, Role
from xinzheng.apps.codes.looking import find
from xinzheng.apps.codes.models import ShareCode, ShareEnd, ShownCode
from xinzheng.apps.codes.sharing import Terms, share
from xinzheng.apps.reports.models import Report
from xinzheng.apps.reports.status import Why, change_status
from xinzheng.core.lifecycle import ReportStatus
from xinzheng.web.codes.same_terms import same_terms

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


@pytest.fixture
def report(people: People) -> Report:
    return issue(people.clean)


@pytest.fixture
def client(people: People) -> Client:
    return client_of(people.clean)


def shared(account: Account, report: Report, **changes: Any) -> ShareCode:
    terms = {"purpose": "financing", "expires_at": timezone.now() + timedelta(hours=1), "views": 3} | changes
    return share(account, report.number, Terms(**terms), by=account.actor)


def qr_texts(page: str) -> list[str]:
    """What a phone reads from the drawn code, and what a person reads below it."""
    from PIL import Image, ImageDraw

    from xinzheng.adapters.qr import decode

    size = int(re.search(r'viewBox="0 0 (\d+) \1"><path fill="#fff"', page)[1])  # type: ignore[index]
    image = Image.new("L", (size * 4, size * 4), 255)
    draw = ImageDraw.Draw(image)
    for x, y, run in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\d+Z", page):
        left, top = int(x) * 4, int(y) * 4
        draw.rectangle((left, top, left + int(run) * 4 - 1, top + 3), fill=0)
    drawn = BytesIO()
    image.save(drawn, "PNG")
    return decode(drawn.getvalue())


def typed_on(page: str) -> str:
    found = re.search(r"data-typed>(.*?)</p>", page)
    assert found
    return re.sub("<[^>]+>", "", found[1])


def test_the_report_offers_a_code_and_everything_is_preset(client: Client, report: Report) -> None:
    assert f'href="/reports/{report.number}/share"' in client.get(f"/reports/{report.number}").content.decode()
    page = client.get(f"/reports/{report.number}/share").content.decode()
    assert re.search(r'name="purpose" value="listing" checked', page)
    assert re.search(r'name="hours" value="1" checked', page)
    made = client.post(f"/reports/{report.number}/share", {"purpose": "listing", "hours": "1", "views": "3"})
    found = ShareCode.objects.get()
    assert made.headers["Location"] == f"/shares/{found.pk}"
    assert (found.purpose_name, found.views_allowed, found.receiver_name) == ("上市", 3, "")
    assert timedelta(minutes=59) < found.expires_at - timezone.now() <= timedelta(hours=1)


@pytest.mark.parametrize(
    ("changes", "field", "message"),
    [
        ({"purpose": "mischief"}, "purpose", "请从列出的用途中选一项"),
        ({"hours": "2"}, "hours", "请从列出的有效期中选一项"),
        ({"hours": "9999999"}, "hours", "请从列出的有效期中选一项"),
        ({"views": "0"}, "views", "次数请填1至1000的整数"),
        ({"views": "１"}, "views", "次数请填1至1000的整数"),
        ({"views": "三"}, "views", "次数请填1至1000的整数"),
        ({"receiver_name": "张三 13900001234"}, "receiver_name", "只填单位名称，不要填个人的身份号码、手机号码"),
        ({"receiver_name": "a\0b"}, "receiver_name", "请填写单位全称"),
    ],
)
def test_a_mistake_is_told_at_its_field_and_nothing_is_shared(
    client: Client, report: Report, changes: dict[str, str], field: str, message: str
) -> None:
    fields = {"purpose": "listing", "hours": "1", "views": "3"} | changes
    response = client.post(f"/reports/{report.number}/share", fields)
    page = response.content.decode()
    assert response.status_code == 422
    assert f'<a href="#{field}">{message}' in page
    assert f'id="{field}"' in page
    assert not ShareCode.objects.exists()


@override_settings(XINZHENG_SHARE_MAX_DAYS=3)
def test_no_longer_period_is_offered_than_the_operator_allows(client: Client, report: Report) -> None:
    page = client.get(f"/reports/{report.number}/share").content.decode()
    assert re.findall(r'name="hours" value="(\d+)"', page) == ["1", "24", "72"]


def test_the_code_on_the_screen_can_be_scanned_and_typed_and_each_time_it_is_another(
    client: Client, people: People, report: Report
) -> None:
    made = shared(people.clean, report)
    address = f"/shares/{made.pk}"
    first = client.get(address).content.decode()
    second = client.get(f"{address}/code", headers=HTMX).content.decode()
    assert second.lstrip().startswith("<div")
    texts = [*qr_texts(first), *qr_texts(second)]
    assert len(set(texts)) == 2
    for text, page in zip(texts, (first, second), strict=True):
        site, _, code = text.rpartition("/")
        assert site == "http://127.0.0.1:8000/s"
        assert find(code) is not None
        assert find(typed_on(page)) is not None
    assert 'hx-trigger="every 60s, renew"' in first
    assert '<noscript><meta http-equiv="refresh" content="60"></noscript>' in first


def test_a_page_with_a_code_stays_out_of_caches_and_carries_no_inline_code(
    client: Client, people: People, report: Report
) -> None:
    made = shared(people.clean, report)
    for response in (
        client.get(f"/shares/{made.pk}"),
        client.get(f"/shares/{made.pk}/code", headers=HTMX),
        client.post(f"/shares/{made.pk}/paper"),
    ):
        assert response.status_code == 200
        assert "no-store" in response.headers["Cache-Control"]
        assert INLINE.search(response.content.decode()) is None


def test_a_printed_code_names_its_terms_and_needs_a_press_of_the_button(
    client: Client, people: People, report: Report
) -> None:
    made = shared(people.clean, report, receiver_name="示例银行苏州分行")
    assert client.get(f"/shares/{made.pk}/paper").headers["Location"] == f"/shares/{made.pk}"
    page = client.post(f"/shares/{made.pk}/paper").content.decode()
    (text,) = qr_texts(page)
    assert find(text.rpartition("/")[2]) is not None
    assert find(typed_on(page)) is not None
    assert "示例银行苏州分行" in page
    assert ShownCode.objects.get(form="paper").good_until == made.expires_at


def test_taking_back_says_so_and_the_code_is_not_shown_again(client: Client, people: People, report: Report) -> None:
    made = shared(people.clean, report)
    code = typed_on(client.get(f"/shares/{made.pk}").content.decode())
    response = client.post(f"/shares/{made.pk}/take-back", follow=True)
    page = response.content.decode()
    assert "已收回：这个码和已打开的页面都不能再看" in page
    assert "<svg xmlns" not in page
    assert find(code) is None
    assert client.get(f"/shares/{made.pk}/code", headers=HTMX).headers["HX-Refresh"] == "true"
    assert client.get(f"/shares/{made.pk}/views?showing=1", headers=HTMX).headers["HX-Refresh"] == "true"
    assert "先前已经收回" in client.post(f"/shares/{made.pk}/take-back", follow=True).content.decode()
    assert "已收回" in client.get("/shares").content.decode()
    assert ShareEnd.objects.count() == 1


def test_a_report_that_is_not_in_force_is_not_offered_for_sharing(
    client: Client, people: People, report: Report
) -> None:
    made = shared(people.clean, report)
    change_status(report, ReportStatus.SUPERSEDED, "test", Why())
    assert "/share" not in client.get(f"/reports/{report.number}").content.decode().replace("/shares", "")
    assert "不能亮码" in client.get(f"/reports/{report.number}/share").content.decode()
    assert "不能再给人看" in client.get(f"/shares/{made.pk}").content.decode()
    sent = client.post(f"/reports/{report.number}/share", {"purpose": "listing", "hours": "1", "views": "3"})
    assert sent.status_code == 422
    assert ShareCode.objects.count() == 1


def test_nobody_else_sees_shows_prints_or_takes_back(people: People, report: Report) -> None:
    made = shared(people.clean, report)
    own = f"/shares/{made.pk}"
    for account in (people.punished, people.officer, people.office, people.administrator):
        other = client_of(account)
        for address in (f"/reports/{report.number}/share", own, f"{own}/code", f"{own}/views"):
            assert other.get(address).status_code == 403, address
        for address in (f"/reports/{report.number}/share", f"{own}/paper", f"{own}/take-back"):
            assert other.post(address).status_code == 403, address
    stranger = Client()
    for address in (f"/reports/{report.number}/share", own, f"{own}/code", f"{own}/views", "/shares"):
        assert stranger.get(address).headers["Location"].startswith("/sign-in?next=")
    unknown = f"/shares/{uuid.uuid4()}"
    assert client_of(people.clean).get(unknown).status_code == 404
    assert client_of(people.clean).get("/reports/SZ0/share").status_code == 404
    assert not ShareEnd.objects.exists()


def test_who_was_signed_out_meanwhile_is_led_to_the_sign_in_page(people: People, report: Report) -> None:
    made = shared(people.clean, report)
    for part in ("code", "views"):
        answer = Client().get(f"/shares/{made.pk}/{part}", headers=HTMX)
        assert (answer.headers["HX-Refresh"], answer.content) == ("true", b"")


def test_a_mandate_to_show_a_report_alone_does_not_reach_to_who_looked(people: People, report: Report) -> None:
    made = shared(people.clean, report)
    clerk = open_account(NewAccount("clerk", "示例辛", Role.SUBJECT_AGENT), by="test")
    Mandate.objects.create(account=clerk, subject_id=report.subject_id, basis="opened", scopes=["share"], by="test")
    page = client_of(clerk).get(f"/shares/{made.pk}").content.decode()
    assert "data-typed" in page
    assert "本账户的授权不包括查看这些记录" in page


def test_the_office_that_reads_a_report_stands_in_the_subjects_list(
    client: Client, people: People, report: Report
) -> None:
    assert "还没有人看过内容" in client.get(f"/reports/{report.number}").content.decode()
    client_of(people.office).get(f"/reports/{report.number}", REMOTE_ADDR="8.8.4.77")
    page = client.get(f"/reports/{report.number}").content.decode()
    assert "信用办工作人员" in page
    assert "网络 8.8.4.*" in page
    assert "8.8.4.77" not in page


def test_a_share_that_is_over_is_made_once_more_on_the_same_terms_and_never_changed(
    client: Client, people: People, report: Report
) -> None:
    day = timezone.now() + timedelta(days=1)
    made = shared(people.clean, report, views=7, expires_at=day, receiver_name="示例银行")
    again = f"/reports/{report.number}/share?again={made.pk}"
    assert again in client.get(f"/shares/{made.pk}").content.decode()
    client.post(f"/shares/{made.pk}/take-back")
    assert again in client.get(f"/shares/{made.pk}").content.decode()
    page = client.get(again).content.decode()
    assert re.search(r'name="purpose" value="financing" checked', page)
    assert re.search(r'name="hours" value="24" checked', page)
    assert re.search(r'name="views"[^>]* value="7"', page)
    assert re.search(r'name="receiver_name"[^>]* value="示例银行"', page)
    fields = {"purpose": "financing", "hours": "24", "views": "7", "receiver_name": "示例银行"}
    client.post(f"/reports/{report.number}/share", fields)
    assert ShareCode.objects.count() == 2
    assert ShareCode.objects.get(pk=made.pk).expires_at == day


@override_settings(XINZHENG_SHARE_MAX_DAYS=1)
def test_terms_that_are_no_longer_offered_become_the_longest_that_are(
    client: Client, people: People, report: Report
) -> None:
    made = shared(people.clean, report)
    with override_settings(XINZHENG_SHARE_MAX_DAYS=30):
        long = shared(people.clean, report, expires_at=timezone.now() + timedelta(days=7))
    assert same_terms(report.number, str(long.pk)).hours == "24"  # type: ignore[union-attr]
    assert same_terms(report.number, str(made.pk)).hours == "1"  # type: ignore[union-attr]


def test_only_a_share_of_this_report_lends_its_terms(client: Client, people: People, report: Report) -> None:
    other = issue(people.punished)
    theirs = shared(people.punished, other, views=9)
    for asked in (theirs.pk, uuid.uuid4(), "\0", "x"):
        page = client.get(f"/reports/{report.number}/share", {"again": str(asked)}).content.decode()
        assert re.search(r'name="views"[^>]* value="3"', page)

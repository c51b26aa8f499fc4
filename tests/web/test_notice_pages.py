"""The pages of notices and of the address they are mailed to."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from tests.mail_server import Box, mail_server
from tests.web.conftest import client_of
from xinzheng.apps.accounts.actions import NewAccount, open_account
from xinzheng.apps.accounts.models import Account, Role
from xinzheng.apps.codes.models import MailAddress, Notice
from xinzheng.apps.codes.notice_events import OBJECTION_OVERDUE
from xinzheng.apps.codes.notices import Addressee, tell
from xinzheng.config.environment import MailServer
from xinzheng.web.subjects.personal_data import everything

pytestmark = pytest.mark.django_db
NUMBER, ADDRESS = "Y20261122-0001", "example-li@example.com"


@pytest.fixture
def office(db: None) -> Account:
    return open_account(NewAccount("office", "信用办", Role.OFFICE_OPERATOR), by="test")


@pytest.fixture
def box(settings: Any) -> Iterator[Box]:
    with mail_server() as running:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.XINZHENG_MAIL = MailServer("127.0.0.1", running.port, tls="off", sender="site@example.gov.cn")
        settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = "127.0.0.1", running.port, False
        settings.DEFAULT_FROM_EMAIL = "site@example.gov.cn"
        yield running


def overdue(account: Account, count: int = 1) -> None:
    for number in range(count):
        tell(OBJECTION_OVERDUE, f"objection:{number}", [Addressee(role=account.role)], {"objection": NUMBER})


def text(client: Client, address: str = "/notices") -> str:
    return client.get(address).content.decode()


def test_the_head_of_every_page_tells_how_many_are_unread(office: Account) -> None:
    client = client_of(office)
    assert '<a class="told" href="/notices">通知</a>' in text(client, "/guide")
    overdue(office, 2)
    assert '通知<b>2<span class="vh">条未读</span></b>' in text(client, "/guide")
    assert 'class="told"' not in text(Client(), "/guide")


def test_a_notice_leads_on_and_is_read_then(office: Account) -> None:
    client = client_of(office)
    assert "没有通知" in text(client)
    overdue(office)
    page = text(client)
    assert f"异议{NUMBER}超过了办理时限，请立即办理。" in page
    assert "未读" in page
    leads = client.post("/notices", {"notice": str(Notice.objects.get().pk)})
    assert leads.headers["Location"] == f"/office/objections/{NUMBER}"
    assert 'class="is-fresh"' not in text(client)
    assert client.post("/notices", {"notice": "x"}).status_code == 302
    assert client.post("/notices", {"notice": "0b7e5c9e-2f4b-4c55-8a9f-6f7f0c1f4d11"}).status_code == 404


def test_all_are_marked_at_once_and_older_ones_are_a_page_away(office: Account) -> None:
    client = client_of(office)
    overdue(office, 51)
    first = text(client)
    older = re.search(r"/notices\?before=([\w-]+)", first)
    assert older is not None
    assert text(client, older[0]).count('name="notice"') == 1
    assert "已全部标为已读" in client.post("/notices", {"act": "read-all"}, follow=True).content.decode()
    assert "通知</a>" in text(client)


def test_without_a_mail_server_the_page_says_so(office: Account) -> None:
    page = text(client_of(office), "/account/mail")
    assert "本站没有设置邮件服务器" in page
    assert "docs/operations/邮件.md" in page
    assert 'name="address"' not in page
    refused = client_of(office).post("/account/mail", {"act": "keep", "address": ADDRESS})
    assert (refused.status_code, MailAddress.objects.count()) == (422, 0)


def test_an_address_is_kept_confirmed_by_the_code_in_the_mail_and_deleted(office: Account, box: Box) -> None:
    client = client_of(office)
    page = client.post("/account/mail", {"act": "keep", "address": ADDRESS}, follow=True).content.decode()
    assert "ex***@example.com" in page
    assert ADDRESS not in page
    assert "还没有确认" in page
    code = re.search(r"[0-9A-Z]{5} [0-9A-Z]{5}", box.mails[0].get_content())
    assert code is not None
    wrong = client.post("/account/mail", {"act": "confirm", "code": "AAAAA AAAAA"})
    assert (wrong.status_code, "确认码不对" in wrong.content.decode()) == (422, True)
    right = client.post("/account/mail", {"act": "confirm", "code": code[0].lower()}, follow=True)
    assert "邮箱已确认" in right.content.decode()
    assert everything(office)["mail"]["address"] == ADDRESS
    gone = client.post("/account/mail", {"act": "forget"}, follow=True)
    assert "邮箱已删除" in gone.content.decode()
    assert MailAddress.objects.count() == 0


@pytest.mark.parametrize("address", ["", "x", "a@b", "a@b.cn, c@d.cn", "A <a@b.cn>", "a@b.cn\nBcc: c@d.cn", "李@b.cn"])
def test_what_is_no_address_is_sent_back_with_words_at_the_field(office: Account, box: Box, address: str) -> None:
    refused = client_of(office).post("/account/mail", {"act": "keep", "address": address})
    assert refused.status_code == 422
    assert 'id="address-error"' in refused.content.decode()
    assert box.mails == []


def test_everybodys_account_of_the_demonstration_keeps_no_address(settings: Any, box: Box) -> None:
    settings.XINZHENG_DEMONSTRATION = True
    demo = open_account(NewAccount("demo-office", "演示", Role.OFFICE_OPERATOR), by="test")
    client = client_of(demo)
    client.session["demonstration"] = True
    page = client.post("/account/mail", {"act": "keep", "address": ADDRESS}).content.decode()
    assert "演示账户" in page
    assert (MailAddress.objects.count(), box.mails) == (0, [])

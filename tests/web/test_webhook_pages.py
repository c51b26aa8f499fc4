"""The pages of a receiver's webhooks: a secret is shown once, nobody reaches another's, what was sent is told."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import caches
from django.test import Client

from tests.small_city import uscc
from tests.webhook_server import HookServer, hooked, write_pair, write_roots
from xinzheng.apps.accounts.actions import NewAccount, open_account
from xinzheng.apps.accounts.models import Account, Role
from xinzheng.apps.codes.deliveries import send_round
from xinzheng.apps.codes.models import Receiver, Webhook
from xinzheng.apps.codes.notices import REPORT_ENDED, Addressee, tell
from xinzheng.apps.codes.receivers import Decision, Registration, State, decide, register

pytestmark = pytest.mark.django_db
PAGE = "/receiver/webhooks"
PUBLIC = "https://hooks.example.cn/bank"


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pair(tmp_path_factory.mktemp("pair"), "localhost")


@pytest.fixture
def server(pair: Path, settings: Any, tmp_path: Path) -> Iterator[HookServer]:
    """A server on this machine that the demonstration may call."""
    settings.XINZHENG_WEBHOOKS_LOOPBACK = True
    settings.XINZHENG_WEBHOOKS_ROOTS = str(write_roots(tmp_path))
    with hooked(pair) as running:
        yield running


def working_for(number: int) -> Account:
    """An account of a receiver that the office has verified."""
    account = open_account(NewAccount(f"bank-{number}", "示例", Role.RECEIVER), by="test")
    register(account, Registration(uscc(number), f"示例银行{'一二三'[number]}分行", "bank"))
    receiver = Receiver.objects.get(uscc=uscc(number))
    decide(receiver.pk, Decision(State.VERIFIED, account_ids=[account.pk]), by="test")
    account.refresh_from_db()
    return account


@pytest.fixture
def account(db: None) -> Account:
    caches["local"].clear()
    return working_for(1)


@pytest.fixture
def browser(account: Account) -> Client:
    return signed_in(account)


def signed_in(account: Account) -> Client:
    client = Client()
    client.force_login(account)
    return client


def text(response: Any) -> str:
    found: str = response.content.decode()
    return found


def secret_in(response: Any) -> str:
    (found,) = re.findall(r"whsec_[A-Za-z0-9+/=]+", text(response))
    return str(found)


def test_a_secret_is_shown_once_and_changed_on_the_page(browser: Client) -> None:
    assert "没有回调" in text(browser.get(PAGE))
    first = secret_in(browser.post(PAGE, {"url": PUBLIC}))
    again = text(browser.get(PAGE))
    assert (PUBLIC in again, "whsec_" in again) == (True, False)
    webhook = Webhook.objects.get()
    assert webhook.events == [REPORT_ENDED]
    rotated = browser.post(f"{PAGE}/{webhook.pk}/secret")
    assert secret_in(rotated) != first
    assert "原密钥的签名仍然附上" in text(rotated)
    assert browser.get(f"{PAGE}/{webhook.pk}/secret").headers["Location"] == PAGE


@pytest.mark.parametrize("url", ["http://hooks.example.cn/", "https://10.0.0.1/", "", "https://a.cn/\0", PUBLIC + "#x"])
def test_an_address_that_is_unfit_is_refused_at_its_field(browser: Client, url: str) -> None:
    refused = browser.post(PAGE, {"url": url})
    assert refused.status_code == 422
    assert 'id="url-error"' in text(refused)
    assert not Webhook.objects.exists()


def test_a_test_call_tells_what_was_answered(browser: Client, server: HookServer) -> None:
    browser.post(PAGE, {"url": server.url(host="localhost")})
    test = f"{PAGE}/{Webhook.objects.get().pk}/test"
    assert "试发成功，对方应答200。" in text(browser.post(test, follow=True))
    server.status = "500 Oops"
    assert "试发没有送到。对方应答500。" in text(browser.post(test, follow=True))
    assert [browser.post(test).status_code for _ in range(5)][-1] == 429
    assert len(server.got) == 6


def test_what_was_sent_is_told_and_ends_with_the_webhook(
    browser: Client, account: Account, server: HookServer, django_assert_num_queries: Callable[[int], Any]
) -> None:
    browser.post(PAGE, {"url": server.url(host="localhost")})
    for number, status in enumerate(("200 OK", "503 Busy")):
        server.status = status
        tell(REPORT_ENDED, f"status:{number}", [Addressee(account.receiver_id)], {"number": "SZ1"})
        send_round()
    shown = text(browser.get(PAGE))
    assert "已送到" in shown
    assert "还没有送到" in shown
    assert "对方应答503。" in shown
    with django_assert_num_queries(7):
        browser.get(PAGE)
    ended = browser.post(f"{PAGE}/{Webhook.objects.get().pk}/end", follow=True)
    assert "已停用，不再发送" in text(ended)
    assert "没有回调" in text(ended)


def test_another_receivers_webhook_is_not_there(browser: Client) -> None:
    browser.post(PAGE, {"url": PUBLIC})
    number = Webhook.objects.get().pk
    stranger = signed_in(working_for(2))
    for deed in ("test", "secret", "end"):
        assert stranger.post(f"{PAGE}/{number}/{deed}").status_code == 404
        assert stranger.post(f"{PAGE}/{'9' * 30}/{deed}").status_code == 404
    assert PUBLIC not in text(stranger.get(PAGE))
    assert Webhook.objects.get().ended_at is None


def test_a_suspended_receiver_sets_nothing(browser: Client, account: Account) -> None:
    assert account.receiver_id is not None
    decide(account.receiver_id, Decision(State.SUSPENDED, "示例理由"), by="test")
    assert browser.get(PAGE).status_code == 403
    assert browser.post(PAGE, {"url": PUBLIC}).status_code == 403
    assert not Webhook.objects.exists()

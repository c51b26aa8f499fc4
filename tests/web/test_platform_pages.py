"""The system administrator registers platforms, changes them, makes new secrets and revokes them; so does the CLI."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from tests.permissions.world import enter
from tests.small_city import uscc
from xinzheng.apps.accounts.actions import NewAccount, open_account
from xinzheng.apps.accounts.models import Account, Platform, Role
from xinzheng.apps.accounts.platforms import NewPlatform, PlatformError, client_of, register_platform
from xinzheng.apps.audit.models import AuditEvent
from xinzheng.apps.codes.models import Receiver
from xinzheng.apps.codes.receivers import Decision, State, decide
from xinzheng.cli import main

pytestmark = pytest.mark.django_db
PAGE = "/administration/platforms"
BACK = "https://sst.example/back"
FORM = {
    "name": "苏商通",
    "scopes": ["reports:apply", "reports:read", "verify"],
    "redirect_uris": BACK,
    "per_minute": "300",
    "receiver": "",
}


@pytest.fixture
def administrator() -> Account:
    return open_account(NewAccount("administrator", "系统管理员", Role.SYSTEM_ADMINISTRATOR), by="test")


@pytest.fixture
def browser(administrator: Account) -> Iterator[Client]:
    return enter(Client(), administrator)


def opens(client_id: str, secret: str) -> bool:
    form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
    return bool(Client().post("/identity/o/api/token", form).status_code == 200)


def secret_in(page: Any) -> str:
    assert "no-store" in page.headers["Cache-Control"]
    secret: str = page.context["made"].secret
    assert page.content.decode().count(secret) == 1
    return secret


def test_registering_takes_a_fresh_proof_of_who_is_there(administrator: Account) -> None:
    stale = Client()
    stale.force_login(administrator)
    assert stale.get(PAGE).status_code == 200
    asked = stale.post(PAGE, FORM | {"page": PAGE})
    assert (asked.status_code, asked.headers["Location"].partition("?")[0]) == (302, "/sign-in/again")
    assert not Platform.objects.exists()


def test_a_platform_is_registered_changed_given_a_new_secret_and_revoked(
    browser: Client, administrator: Account
) -> None:
    first = secret_in(browser.post(PAGE, FORM))
    platform = Platform.objects.get()
    one = f"{PAGE}/{platform.pk}"
    assert (platform.name, platform.per_minute, platform.created_by) == ("苏商通", 300, administrator.actor)
    assert opens(platform.pk, first)
    assert first not in browser.get(PAGE).content.decode() + browser.get(one).content.decode()

    changed = {"redirect_uris": f"{BACK}\n{BACK}/2", "per_minute": "50"}
    assert "已保存" in browser.post(f"{one}/change", changed, follow=True).content.decode()
    platform.refresh_from_db()
    assert (platform.per_minute, client_of(platform).get_redirect_uris()) == (50, [BACK, f"{BACK}/2"])
    wrong = browser.post(f"{one}/change", {"redirect_uris": "http://sst.example", "per_minute": "50"})
    assert (wrong.status_code, wrong.context["error_of"]["redirect_uris"] != "") == (422, True)
    assert browser.post(f"{one}/change", {"redirect_uris": "", "per_minute": "50"}).status_code == 422

    second = secret_in(browser.post(f"{one}/secret"))
    assert (opens(platform.pk, first), opens(platform.pk, second)) == (False, True)

    assert "已停用" in browser.post(f"{one}/revoke", follow=True).content.decode()
    assert not opens(platform.pk, second)
    for deed in ("change", "secret", "revoke"):
        assert browser.post(f"{one}/{deed}", changed, follow=True).status_code in (200, 422)
    assert client_of(platform).get_redirect_uris() == []
    done = AuditEvent.objects.filter(who=administrator.actor).order_by("id").values_list("action", flat=True)
    assert list(done) == [
        "platform-registered",
        "platform-changed",
        "platform-secret-rotated",
        "platform-revoked",
    ]


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "330502199001010014"}, "name"),
        ({"name": "同名"}, "name"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["everything"]}, "scopes"),
        ({"redirect_uris": ""}, "redirect_uris"),
        ({"scopes": ["verify"]}, "redirect_uris"),
        ({"per_minute": "0"}, "per_minute"),
        ({"per_minute": "²"}, "per_minute"),
        ({"per_minute": "9" * 400}, "per_minute"),
        ({"receiver": uscc(7)}, "receiver"),
    ],
)
def test_what_is_unfit_is_told_at_its_field_and_nothing_is_registered(
    browser: Client, more: dict[str, Any], field: str
) -> None:
    register_platform(NewPlatform("同名", ["verify"]), by="test")
    page = browser.post(PAGE, FORM | more)
    assert page.status_code == 422
    assert [error.field for error in page.context["errors"]] == [field]
    assert f'id="{field}-error"' in page.content.decode()
    assert Platform.objects.count() == 1


@pytest.mark.parametrize(
    "address",
    [
        "http://sst.example/",
        "sst.example",
        "https:///path",
        "https://user@sst.example/",
        "https://sst.example/#f",
        "https://*.example/",
        "https://sst.example:port/",
        "javascript:alert(1)",
        "https://sst.example/;x",
        "https://苏商通.example/",
        "https://sst.example/330502199001010014",
        "https://sst.example/?to=13800138000",
        "https://sst.example/" + "x" * 500,
    ],
)
def test_an_address_to_send_people_back_to_is_whole_and_safe(address: str) -> None:
    with pytest.raises(PlatformError) as refused:
        register_platform(NewPlatform("苏商通", ["codes"], [address]), by="test")
    assert refused.value.code == "redirect-address-unfit"
    assert not Platform.objects.exists()


def test_a_platform_belongs_to_a_receiver_the_office_has_verified(browser: Client) -> None:
    receiver = Receiver.objects.create(uscc=uscc(7), name="示例银行", kind="bank", created_by="test")
    asked = FORM | {"receiver": uscc(7)}
    assert browser.post(PAGE, asked).status_code == 422
    decide(receiver.pk, Decision(State.VERIFIED), by="test")
    assert "示例银行" in browser.post(PAGE, asked).content.decode()
    assert Platform.objects.get().receiver_id == receiver.pk


def test_only_the_system_administrator_sees_platforms_and_grave_things_take_a_fresh_proof(
    administrator: Account,
) -> None:
    made = register_platform(NewPlatform("苏商通", ["verify"]), by="test")
    other = open_account(NewAccount("security", "安全管理员", Role.SECURITY_ADMINISTRATOR), by="test")
    for address in (PAGE, f"{PAGE}/{made.platform.pk}"):
        assert enter(Client(), other).get(address).status_code == 403
    stale = Client()
    stale.force_login(administrator)
    response = stale.post(f"{PAGE}/{made.platform.pk}/revoke", {"page": PAGE})
    assert response.headers["Location"].startswith("/sign-in/again")
    assert opens(made.platform.pk, made.secret)


def test_the_command_line_does_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    def run(*words: str) -> Any:
        assert main(["platforms", *words, "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    made = run("register", "苏商通", "--scope", "reports:read", "verify", "--redirect", BACK, "--per-minute", "9")
    assert opens(made["client_id"], made["client_secret"])
    assert (made["per_minute"], made["redirect_uris"]) == (9, [BACK])
    assert made["scopes"] == ["reports:read", "verify", "openid"]
    changed = run("change", made["client_id"], "--per-minute", "90")
    assert (changed["per_minute"], changed["redirect_uris"]) == (90, [BACK])
    rotated = run("rotate", made["client_id"])
    assert not opens(made["client_id"], made["client_secret"])
    assert opens(made["client_id"], rotated["client_secret"])
    run("revoke", made["client_id"])
    assert not opens(made["client_id"], rotated["client_secret"])
    (listed,) = run("list")["platforms"]
    assert listed["revoked_at"] is not None
    assert "client_secret" not in listed
    assert main(["platforms", "list"]) == 0
    assert "已停用" in capsys.readouterr().out
    for words in (["rotate", "none"], ["revoke", made["client_id"]], ["change", made["client_id"]]):
        assert main(["platforms", *words]) == 1
    assert main(["platforms", "register", "x", "--scope", "verify", "--receiver", uscc(7)]) == 1
    told = capsys.readouterr().err
    for said in ("没有这个接入平台", "已经停用", "已核实核验单位"):
        assert said in told

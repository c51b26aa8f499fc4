"""The whole way over HTTP: a person lets a platform, it applies, follows, downloads, shows a code, sees who looked."""

import base64
import hashlib
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.test import Client

from tests.api.platform_world import NAME, OURS, World, db, undone, world
from tests.permissions.world import enter
from tests.platform_callers import BACK, Calls
from xinzheng.apps.accounts.actions import NewAccount, open_account
from xinzheng.apps.accounts.models import Account, Role
from xinzheng.apps.audit.models import AuditEvent
from xinzheng.apps.reports.applications import fulfil_application
from xinzheng.web.subjects.personal_data import everything

__all__ = ["db", "undone", "world"]
BANK = "示例银行苏州分行"
VERIFIER = "v" * 50
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


def let_in(world: World, account: Account) -> Calls:
    """The person agrees on the page; the platform's server fetches its token."""
    asked = {
        "response_type": "code",
        "client_id": world.made.platform.pk,
        "redirect_uri": BACK,
        "scope": "openid reports:apply reports:read codes views",
        "state": "s-1",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    browser = enter(Client(), account)
    page: Any = browser.get("/identity/o/authorize", asked)
    scopes = [scope for scope, _ in page.context["scopes"]]
    said = {"request": page.context["ticket"], "scopes": scopes, "answer": "allow"}
    back = browser.post("/identity/o/authorize", said).headers["Location"]
    redeemed = {
        "grant_type": "authorization_code",
        "code": parse_qs(urlsplit(back).query)["code"][0],
        "redirect_uri": BACK,
        "code_verifier": VERIFIER,
        "client_id": world.made.platform.pk,
        "client_secret": world.made.secret,
    }
    return Calls(Client().post("/identity/o/api/token", redeemed).json()["access_token"])


def scan(stranger: Client, address: str) -> Any:
    """A stranger opens what the QR code says, and says who it is."""
    page = stranger.get(urlsplit(address).path)
    found = re.search(r'name="ticket" value="([^"]+)"', page.content.decode())
    if found is None:
        return page
    return stranger.post("/s", {"ticket": found[1], "body_name": BANK, "purpose": "financing"}, follow=True)


def test_from_a_persons_consent_to_a_strangers_look_and_back(world: World) -> None:
    calls = let_in(world, world.agent)
    form = calls.get(f"/application-forms?subject={OURS}").json()["policies"][0]
    asked = {"subject": OURS, "policy": form["policy"], "purpose": "financing", "receiver_name": BANK}
    seen = {"exceptions_seen": form["exceptions_seen"]}
    applied = calls.post("/applications", asked | seen, Idempotency_Key="order-1")
    assert applied.status_code == 202, applied.content
    progress = applied.headers["Location"]
    assert calls.get(progress).json()["status"] == "queued"
    fulfil_application(applied.json()["id"])
    number = calls.get(progress).json()["number"]
    assert [row["number"] for row in calls.get(f"/reports?subject={OURS}&limit=1").json()["reports"]] == [number]
    assert calls.get(f"/reports/{number}/file").content.startswith(b"%PDF-")

    share = calls.post(f"/reports/{number}/codes", {"purpose": "financing", "views": 2, "receiver_name": BANK}).json()
    shown = calls.post(f"/codes/{share['id']}/shown").json()
    stranger = Client()
    looked = scan(stranger, shown["address"])
    content = looked.redirect_chain[-1][0]
    assert NAME in looked.content.decode()
    (view,) = calls.get(f"/reports/{number}/views").json()["views"]
    assert (view["who"], view["known_by"], view["purpose"]) == (BANK, "自己填写，没有核实", "融资")
    assert (view["way"], view["code"]) == ("扫码", share["id"])
    assert calls.get(f"/codes/{share['id']}").json()["views_used"] == 1

    assert calls.delete(f"/codes/{share['id']}").status_code == 204
    assert stranger.get(content).status_code == 410
    again = scan(Client(), shown["address"])
    assert again.status_code == 404
    assert NAME not in again.content.decode()
    assert calls.get(f"/codes/{share['id']}").json()["state"] == "taken_back"
    actor = f"client:{world.made.platform.pk}/{world.agent.actor}"
    deeds = list(AuditEvent.objects.filter(who=actor).order_by("id").values_list("action", flat=True))
    assert deeds == ["reports-listed", "report-downloaded", "share-made", "views-listed", "share-taken-back"]


def test_what_a_platform_did_is_told_by_name_to_the_person_and_to_the_auditor(world: World) -> None:
    let_in(world, world.agent).get(f"/reports?subject={OURS}")
    page = enter(Client(), world.agent).get("/my-data").content.decode()
    assert "接入平台“示例平台”代本账户" in page
    assert "查看报告清单" in page
    auditor = open_account(NewAccount("auditor", "审计员甲", Role.AUDITOR), by="test")
    trail = enter(Client(), auditor).get("/audit?action=reports-listed").content.decode()
    assert re.search("接入平台“示例平台”代示[^<例]*（经办人）", trail)
    for who in (world.agent.pk, f"client:{world.made.platform.pk}/{world.agent.actor}"):
        asked = enter(Client(), auditor).get("/audit", {"who": who, "action": "reports-listed"}).content.decode()
        assert "接入平台“示例平台”代" in asked
    assert [row["action"] for row in everything(world.agent)["events_by"]].count("reports-listed") == 1

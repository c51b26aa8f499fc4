"""Announcements on every page while they are due, and the register of everything that is connected."""

import re
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.module_database import module_database, refusal_code
from tests.small_city import SmallCity, build_small_city, today, uscc
from tests.web.test_frame import INLINE
from xinzheng.apps.accounts.actions import NewAccount, open_account
from xinzheng.apps.accounts.key_actions import create_key
from xinzheng.apps.accounts.models import Account, ApiKey, Role
from xinzheng.apps.accounts.platform_models import Platform
from xinzheng.apps.audit.models import AuditEvent
from xinzheng.apps.codes.receiver_models import Receiver
from xinzheng.apps.codes.webhook_models import Webhook
from xinzheng.apps.oversight.announcements import NewAnnouncement, announce, shown, standing_until, take_back
from xinzheng.apps.oversight.connected import connected
from xinzheng.apps.oversight.desk_models import EVERYBODY, Announcement
from xinzheng.apps.registry.queries import unit_by_uscc
from xinzheng.web.connections.announced import REMEMBERED, announcements_for

db = module_database
PAGE = "/office/announcements"
HOUR = timedelta(hours=1)
ROLES = {
    "office": Role.OFFICE_OPERATOR,
    "administrator": Role.SYSTEM_ADMINISTRATOR,
    "agent": Role.SUBJECT_AGENT,
    "auditor": Role.AUDITOR,
}


@pytest.fixture(scope="module")
def accounts(db: None) -> dict[str, Account]:
    return {name: open_account(NewAccount(name, name, role), by="test") for name, role in ROLES.items()}


@pytest.fixture(autouse=True)
def undone(accounts: dict[str, Account]) -> Iterator[None]:
    REMEMBERED.forget()
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
    REMEMBERED.standing, REMEMBERED.asked_at = (), time.monotonic()


def of(account: Account) -> Client:
    client = Client()
    client.force_login(account)
    return client


def news(audience: str = EVERYBODY, title: str = "新增住房公积金领域", **times: datetime) -> NewAnnouncement:
    now = timezone.now()
    period = {"shown_from": now - HOUR, "shown_until": now + HOUR} | times
    return NewAnnouncement("news", audience, title, "自下月起可以核查。", **period)


def maintenance(begins: datetime, ends: datetime) -> NewAnnouncement:
    return NewAnnouncement(
        "maintenance", EVERYBODY, "数据库升级", "期间不能申请报告。", timezone.now(), ends, begins, ends
    )


def told(account: Account | None, address: str = "/guide") -> str:
    REMEMBERED.forget()
    client = Client() if account is None else of(account)
    page = client.get(address).content.decode()
    found = re.search(r'<section class="announced.*?</section>', page, re.DOTALL)
    return found[0] if found else ""


# --- who sees what, when ---------------------------------------------------------------------------------------------


def test_news_to_everybody_stand_on_every_page_while_they_are_due(accounts: dict[str, Account]) -> None:
    assert told(None) == ""
    announce(news(), timezone.now(), account=accounts["office"])
    for address in ("/", "/guide", "/verify", "/nothing-there"):
        assert "新增住房公积金领域" in told(None, address), address
    assert "新增住房公积金领域" in told(accounts["auditor"], "/audit")


def test_news_to_a_role_are_for_that_role_alone(accounts: dict[str, Account]) -> None:
    announce(news(Role.SUBJECT_AGENT), timezone.now(), account=accounts["office"])
    assert "新增住房公积金领域" in told(accounts["agent"])
    assert told(None) == told(accounts["auditor"]) == ""


def test_nothing_is_shown_before_its_time_or_after(accounts: dict[str, Account]) -> None:
    now = timezone.now()
    announce(news(shown_from=now + HOUR, shown_until=now + 2 * HOUR), now, account=accounts["office"])
    standing = standing_until(now)
    moments = [now, now + HOUR, now + 2 * HOUR - timedelta(seconds=1), now + 2 * HOUR]
    assert [len(shown(standing, None, moment)) for moment in moments] == [0, 1, 1, 0]


def test_a_maintenance_window_says_when_in_china(accounts: dict[str, Account]) -> None:
    begins = timezone.make_aware(datetime(2035, 3, 1, 22, 0))
    now = timezone.make_aware(datetime(2035, 2, 27, 12, 0))
    announce(maintenance(begins, begins + HOUR), now, account=accounts["administrator"])
    (one,) = standing_until(now)
    assert (one.begins_at, one.ends_at) == (begins, begins + HOUR)
    assert "2035年3月1日 22:00" in of(accounts["office"]).get(PAGE).content.decode()


def test_what_is_mended_or_taken_back_is_no_longer_shown_and_stays_on_record(accounts: dict[str, Account]) -> None:
    now = timezone.now()
    first = announce(news(title="写错了"), now, account=accounts["office"])
    mended = NewAnnouncement("news", EVERYBODY, "写对了", "更正。", now - HOUR, now + HOUR, replaces=first)
    second = announce(mended, now, account=accounts["office"])
    assert "写对了" in told(None)
    assert "写错了" not in told(None)
    take_back(second, account=accounts["office"])
    assert told(None) == ""
    assert refusal_code(take_back, second, account=accounts["office"]) == "announcement-over"
    assert Announcement.objects.filter(pk=first, title="写错了").exists()
    events = AuditEvent.objects.filter(object_kind="announcement").order_by("id").values_list("action", flat=True)
    assert list(events) == ["announcement-made", "announcement-made", "announcement-taken-back"]


# --- who may, and what is fit ----------------------------------------------------------------------------------------


def test_system_administrators_announce_maintenance_and_nothing_else(accounts: dict[str, Account]) -> None:
    now = timezone.now()
    administrator = accounts["administrator"]
    number = announce(maintenance(now + HOUR, now + 2 * HOUR), now, account=administrator)
    assert refusal_code(announce, news(), now, account=administrator) == "not-permitted"
    made = announce(news(), now, account=accounts["office"])
    assert refusal_code(take_back, made, account=administrator) == "not-permitted"
    disguised = NewAnnouncement("maintenance", EVERYBODY, "x", "x", now, now + HOUR, now, now + HOUR, replaces=made)
    assert refusal_code(announce, disguised, now, account=administrator) == "not-permitted"
    assert refusal_code(take_back, number, account=accounts["auditor"]) == "not-permitted"
    assert "通知公告</option>" not in of(administrator).get(PAGE).content.decode()
    refused = of(administrator).post(PAGE, {"act": "announce", "kind": "news"})
    assert refused.status_code == 403


@pytest.mark.parametrize(
    ("filled", "field"),
    [
        ({"title": ""}, "title"),
        ({"title": "题" * 61}, "title"),
        ({"text": "请联系13800138000"}, "text"),
        ({"kind": "party"}, "kind"),
        ({"audience": "nobody"}, "audience"),
        ({"shown_until": ""}, "shown_until"),
        ({"shown_until": "明天"}, "shown_until"),
        ({"shown_until": "2020-01-01T00:00"}, "shown_until"),
        ({"shown_from": "2034-01-01T00:00", "shown_until": "2033-01-01T00:00"}, "shown_until"),
        ({"shown_until": "2090-01-01T00:00"}, "shown_until"),
        ({"shown_from": "0001-01-01T00:00"}, "shown_from"),
        ({"shown_until": "9999-12-31T23:59"}, "shown_until"),
        ({"title": "题\0"}, "title"),
        ({"kind": "maintenance"}, "begins_at"),
        ({"kind": "maintenance", "begins_at": "2030-01-01T02:00", "ends_at": "2030-01-01T01:00"}, "begins_at"),
    ],
)
def test_what_is_unfit_is_said_at_its_field_and_kept(
    accounts: dict[str, Account], filled: dict[str, str], field: str
) -> None:
    until = f"{timezone.localtime() + HOUR:%Y-%m-%dT%H:%M}"
    sound = {
        "act": "announce",
        "kind": "news",
        "audience": EVERYBODY,
        "title": "题",
        "text": "文",
        "shown_until": until,
    }
    answer = of(accounts["office"]).post(PAGE, sound | filled)
    assert answer.status_code == 422
    assert Announcement.objects.count() == 0
    page = answer.content.decode()
    assert f'id="{field}-error"' in page
    assert f'href="#{field}"' in page
    assert INLINE.search(page) is None


def test_the_form_announces_mends_and_takes_back(accounts: dict[str, Account]) -> None:
    office = of(accounts["office"])
    times = {"begins_at": "2035-03-01T22:00", "ends_at": "2035-03-01T23:30"}
    until = f"{timezone.localtime() + HOUR:%Y-%m-%dT%H:%M}"
    form = {"act": "announce", "kind": "maintenance", "audience": EVERYBODY, "title": "升级", "text": "暂停申请。"}
    assert office.post(PAGE, form | times | {"shown_until": until}).status_code == 302
    (one,) = Announcement.objects.all()
    assert timezone.localtime(one.begins_at).isoformat() == "2035-03-01T22:00:00+08:00"
    assert "停机维护：升级" in told(None)
    filled = office.get(f"{PAGE}?mend={one.pk}").content.decode()
    assert 'value="2035-03-01T22:00"' in filled
    mended = form | times | {"shown_until": until, "title": "升级推迟", "replaces": str(one.pk)}
    assert office.post(PAGE, mended).status_code == 302
    assert "升级推迟" in told(None)
    (last,) = standing_until(timezone.now())
    back = {"act": "take-back", "kind": "maintenance", "replaces": str(last.pk)}
    assert office.post(PAGE, back).status_code == 302
    assert told(None) == ""
    assert office.post(PAGE, back).status_code == 422


# --- what it costs ---------------------------------------------------------------------------------------------------


def test_pages_ask_for_announcements_once_in_a_while_only(settings: LazySettings) -> None:
    settings.XINZHENG_ANNOUNCED_SECONDS = 3600
    announcements_for(None)
    with CaptureQueriesContext(connection) as statements:
        announcements_for(None)
        announcements_for("auditor")
    assert len(statements) == 0
    settings.XINZHENG_ANNOUNCED_SECONDS = 0
    with CaptureQueriesContext(connection) as statements:
        announcements_for(None)
    assert len(statements) == 1


def test_a_database_that_is_gone_takes_no_page_with_it(
    accounts: dict[str, Account], monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.db import OperationalError

    announce(news(), timezone.now(), account=accounts["office"])
    assert len(announcements_for(None)) == 1

    def gone(_now: datetime) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr("xinzheng.web.connections.announced.standing_until", gone)
    REMEMBERED.forget()
    assert len(announcements_for(None)) == 1


# --- the register ----------------------------------------------------------------------------------------------------


@pytest.fixture
def some_connections(tmp_path: Path, accounts: dict[str, Account]) -> SmallCity:
    """A unit that delivered and one that never did, keys, a receiver, a platform, a webhook that fails."""
    city = build_small_city(tmp_path, units_per_domain=1)
    city.declare(city.unit("taxation"), "taxation")
    found = unit_by_uscc(city.unit("taxation"))
    assert found is not None
    unit = found.id
    create_key(unit_id=unit, name="税务系统", by="test")
    create_key(unit_id=unit, name="旧系统", by="test")
    long_ago = timezone.now() - timedelta(days=200)
    ApiKey.objects.filter(name="旧系统").update(created_at=long_ago)
    ApiKey.objects.filter(name="税务系统").update(created_at=long_ago, last_used_date=today())
    bank = Receiver.objects.create(uscc=uscc(77), name="示例银行", kind="bank", created_by="test")
    failing = timezone.now() - timedelta(days=3)
    Webhook.objects.create(
        receiver=bank,
        url="https://bank.example/hook?token=not-to-be-shown",
        events=[],
        wrapped_key=b"x",
        secret_ct=b"x",
        created_by="test",
        failing_since=failing,
    )
    Platform.objects.create(client_id="sst", name="示例平台", created_by="test", revoked_at=timezone.now())
    return city


@pytest.mark.usefixtures("some_connections")
def test_the_register_lists_everything_with_its_state_and_last_use() -> None:
    sections = {section.key: section for section in connected(timezone.now())}
    sources = {row.name: row for row in sections["sources"].rows}
    delivered = [row for row in sources.values() if row.used_at is not None]
    assert [row.state for row in delivered] == ["在报送"]
    assert all(row.needs for row in sources.values() if row.used_at is None)
    keys = {row.name: row for row in sections["keys"].rows}
    assert (keys["税务系统"].used_at, keys["税务系统"].needs) == (today(), "")
    assert "180天" in keys["旧系统"].needs
    assert [(row.name, row.state) for row in sections["platforms"].rows] == [("示例平台", "已停用")]
    assert [(row.state, row.needs) for row in sections["receivers"].rows] == [("待核实", "等待核实")]
    (hook,) = sections["webhooks"].rows
    assert (hook.name, hook.about, hook.state) == ("示例银行", "bank.example", "投递失败")
    assert "投递失败" in hook.needs


@pytest.mark.usefixtures("some_connections")
def test_the_page_shows_it_or_what_needs_looking_at_and_no_secret(accounts: dict[str, Account]) -> None:
    page = of(accounts["office"]).get("/office/connections").content.decode()
    assert "示例平台" in page
    assert "not-to-be-shown" not in page
    assert 'href="/office/receivers"' in page
    assert 'href="/administration/keys"' not in page.split("<main")[1]
    needing = of(accounts["administrator"]).get("/office/connections?show=needing").content.decode()
    assert "旧系统" in needing
    assert "示例平台" not in needing
    assert 'href="/administration/keys"' in needing.split("<main")[1]
    assert INLINE.search(page + needing) is None
    assert of(accounts["auditor"]).get("/office/connections").status_code == 403


@pytest.mark.usefixtures("some_connections")
def test_the_register_takes_a_few_statements_however_much_is_connected(accounts: dict[str, Account]) -> None:
    office = of(accounts["office"])
    office.get("/office/connections")
    with CaptureQueriesContext(connection) as before:
        office.get("/office/connections")
    for serial in range(20):
        Receiver.objects.create(uscc=uscc(100 + serial), name=f"单位{serial}", kind="other", created_by="test")
    with CaptureQueriesContext(connection) as after:
        office.get("/office/connections")
    assert len(after) == len(before) <= 30


def test_without_any_connection_the_page_says_what_comes(accounts: dict[str, Account]) -> None:
    page = of(accounts["office"]).get("/office/connections").content.decode()
    assert "还没有登记" in page
    assert "没有需要留意的接入" in of(accounts["office"]).get("/office/connections?show=needing").content.decode()

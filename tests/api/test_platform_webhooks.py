"""A platform has notices posted to its own address: over the interface, for itself, with its own token."""

import base64
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from django.test import Client

from tests.api.conftest import problem_in
from tests.webhook_server import HookServer, hooked, write_pair, write_roots
from xinzheng.api.v1.platform.webhook_schemas import Event
from xinzheng.apps.accounts.platforms import NewPlatform, register_platform
from xinzheng.apps.audit.models import AuditEvent
from xinzheng.apps.codes.application_notices import tell_of_applications
from xinzheng.apps.codes.deliveries import send_round
from xinzheng.apps.codes.notice_events import APPLICATION_DONE, EVENTS
from xinzheng.apps.codes.notices import REPORT_ENDED, Addressee, tell
from xinzheng.apps.reports.models import Application

pytestmark = pytest.mark.django_db

WEBHOOKS = "/api/v1/platform/webhooks"
PUBLIC = {"url": "https://hooks.example.cn/xinzheng", "events": [REPORT_ENDED]}


class Platform:
    """A platform's system with a token of its own."""

    def __init__(self, name: str = "苏商通", scopes: tuple[str, ...] = ("webhooks",)) -> None:
        made = register_platform(NewPlatform(name, scopes), by="test")
        self.client_id = made.platform.pk
        self.client = Client(raise_request_exception=False, enforce_csrf_checks=True)
        form = {"grant_type": "client_credentials", "client_id": self.client_id, "client_secret": made.secret}
        self._token = self.client.post("/identity/o/api/token", form).json()["access_token"]

    def asks(self, method: str, address: str = "", body: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {self._token}"}
        call = getattr(self.client, method)
        more = {} if body is None else {"data": body, "content_type": "application/json"}
        response = call(f"{WEBHOOKS}{address}", headers=headers, **more)
        if response.status_code >= 400:
            problem_in(response)
        return response


@pytest.fixture
def platform(db: None) -> Platform:
    return Platform()


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


def test_a_webhook_from_its_registration_to_its_end(platform: Platform, server: HookServer) -> None:
    asked = {"url": server.url(host="localhost"), "events": [REPORT_ENDED]}
    made = platform.asks("post", body=asked)
    assert made.status_code == 201
    assert made.headers["Location"] == f"{WEBHOOKS}/{made.json()['id']}"
    assert len(base64.b64decode(made.json()["secret"].removeprefix("whsec_"))) == 32
    number = f"/{made.json()['id']}"
    (listed,) = platform.asks("get").json()["webhooks"]
    assert (listed["url"], listed["events"], listed["failing_since"]) == (asked["url"], [REPORT_ENDED], None)
    assert "secret" not in listed
    assert platform.asks("post", f"{number}/test").json() == {"delivered": True, "answered": 200, "message": None}
    rotated = platform.asks("post", f"{number}/secret")
    assert rotated.json()["secret"] != made.json()["secret"]
    assert len(server.got) == 1
    assert platform.asks("delete", number).status_code == 204
    for method, address in (("get", number), ("delete", number), ("post", f"{number}/test")):
        assert platform.asks(method, address).status_code == 404
    actions = ["webhook-registered", "webhook-tried", "webhook-secret-rotated", "webhook-ended"]
    events = AuditEvent.objects.filter(object_kind="webhook").order_by("id")
    assert list(events.values_list("action", flat=True)) == actions
    assert set(events.values_list("who", flat=True)) == {f"client:{platform.client_id}"}


def test_the_last_deliveries_tell_what_became_of_each(platform: Platform, server: HookServer) -> None:
    made = platform.asks("post", body={"url": server.url(host="localhost"), "events": [REPORT_ENDED]}).json()
    for number, status in enumerate(("200 OK", "503 Busy")):
        server.status = status
        tell(REPORT_ENDED, f"status:{number}", [Addressee(client_id=platform.client_id)], {"number": "SZ1"})
        send_round()
    tell(REPORT_ENDED, "status:3", [Addressee(client_id=platform.client_id)], {"number": "SZ1"})
    told = platform.asks("get", f"/{made['id']}").json()["deliveries"]
    found = [(one["status"], one["tries"], one["answered"], one["message"]) for one in told]
    assert found == [
        ("waiting", 0, None, None),
        ("waiting", 1, 503, "对方应答503。"),
        ("delivered", 1, 200, None),
    ]
    assert [one["next_try_at"] is None for one in told] == [False, False, True]
    assert [got.headers["webhook-id"] for got in server.got] == [told[2]["notice"], told[1]["notice"]]


def test_a_test_call_that_fails_says_why(platform: Platform, server: HookServer) -> None:
    server.status = "302 Found"
    made = platform.asks("post", body={"url": server.url(host="localhost"), "events": [REPORT_ENDED]}).json()
    said = platform.asks("post", f"/{made['id']}/test").json()
    assert said == {"delivered": False, "answered": 302, "message": "对方应答302，要求转到别处，没有跟随。"}


def test_test_calls_are_few(platform: Platform, server: HookServer) -> None:
    made = platform.asks("post", body={"url": server.url(host="localhost"), "events": [REPORT_ENDED]}).json()
    answers = [platform.asks("post", f"/{made['id']}/test") for _ in range(7)]
    assert [answer.status_code for answer in answers] == [200] * 6 + [429]
    assert answers[-1].json()["code"] == "too-many-test-calls"
    assert int(answers[-1].headers["Retry-After"]) > 0
    assert len(server.got) == 6


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"url": "https://127.0.0.1/"}, 422, "webhook-address-refused"),
        ({"url": "https://169.254.169.254/latest/meta-data"}, 422, "webhook-address-refused"),
        ({"url": "https://hooks.example.cn:22/"}, 422, "webhook-address-refused"),
        ({"url": "https://li:mi@hooks.example.cn/"}, 422, "webhook-address-refused"),
        ({"url": "http://hooks.example.cn/"}, 422, "request-invalid"),
        ({"url": "https://hooks.example.cn/\u0000"}, 422, "request-invalid"),
        ({"url": 7}, 422, "request-invalid"),
        ({"events": []}, 422, "request-invalid"),
        ({"events": ["webhook-failing"]}, 422, "request-invalid"),
        ({"secret": "mine"}, 422, "request-invalid"),
    ],
)
def test_what_is_unfit_is_refused(platform: Platform, change: dict[str, Any], status: int, code: str) -> None:
    answer = platform.asks("post", body=PUBLIC | change)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert platform.asks("get").json() == {"webhooks": []}


def test_an_address_is_registered_once_and_five_are_enough(platform: Platform) -> None:
    for number in range(5):
        assert platform.asks("post", body=PUBLIC | {"url": f"{PUBLIC['url']}/{number}"}).status_code == 201
    for url, code in ((f"{PUBLIC['url']}/0", "webhook-exists"), (PUBLIC["url"], "too-many-webhooks")):
        answer = platform.asks("post", body=PUBLIC | {"url": url})
        assert (answer.status_code, answer.json()["code"]) == (409, code)


def test_another_platforms_webhook_is_not_there(platform: Platform) -> None:
    made = platform.asks("post", body=PUBLIC).json()
    other = Platform("浙里办")
    number = f"/{made['id']}"
    refused = [
        other.asks(method, address).json()
        for method, address in (
            ("get", number),
            ("delete", number),
            ("post", f"{number}/test"),
            ("post", f"{number}/secret"),
            ("get", f"/{made['id'] + 1}"),
        )
    ]
    assert {(one["status"], one["code"]) for one in refused} == {(404, "unknown-webhook")}
    assert other.asks("get", f"/{'9' * 40}").status_code == 404
    assert other.asks("get").json() == {"webhooks": []}


def test_without_the_scope_nothing_is_set(db: None) -> None:
    without = Platform("只核验", ("verify",))
    for method, address in (("get", ""), ("get", "/1"), ("delete", "/1"), ("post", "/1/test"), ("post", "/1/secret")):
        answer = without.asks(method, address)
        assert (answer.status_code, answer.json()["code"]) == (403, "scope-missing")
    assert without.asks("post", body=PUBLIC).json()["code"] == "scope-missing"


def test_a_platform_is_told_what_became_of_its_applications(platform: Platform, server: HookServer) -> None:
    asked = {"url": server.url(host="localhost"), "events": [APPLICATION_DONE]}
    platform.asks("post", body=asked)
    own, others = (
        Application.objects.create(
            id=uuid.uuid4(), subject_id=1, policy_id="suzhou-2024", request={}, account_id=1, client_id=client_id
        )
        for client_id in (platform.client_id, "")
    )
    assert tell_of_applications() == 0
    Application.objects.filter(pk__in=[own.pk, others.pk]).update(state="done", number="SZ2026112200000015")
    assert [tell_of_applications(), tell_of_applications()] == [1, 0]
    send_round()
    facts = {"application": str(own.pk), "status": "done", "number": "SZ2026112200000015"}
    assert [got.body.decode().count(str(own.pk)) for got in server.got] == [1]
    assert all(str(value) in server.got[0].body.decode() for value in facts.values())


def test_the_description_names_the_events_there_are() -> None:
    assert set(get_args(Event)) == set(EVENTS)

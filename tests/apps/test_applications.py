"""Applications: once for a key, within the day's limit, for whom one may apply, meant for a body, made again."""

import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from pytest_django import Settings

from tests.small_city import SmallCity, uscc
from xinzheng.apps.accounts.actions import NewAccount, open_account
from xinzheng.apps.accounts.models import Account, Role
from xinzheng.apps.audit.models import AuditEvent
from xinzheng.apps.audit.privacy import UnkeepableTextError
from xinzheng.apps.reports.applications import ApplicationError, Applying, retry_application, submit_application
from xinzheng.apps.reports.daily_limits import DailyLimitError, left_today
from xinzheng.apps.reports.models import Application, ApplicationState
from xinzheng.config import environment
from xinzheng.core.decision import CHINA, Request, china_date

pytestmark = pytest.mark.django_db
POLICY = "suzhou-2024"


@pytest.fixture
def agent(tmp_path: Path, settings: Settings) -> Account:
    settings.XINZHENG_KEYS = tmp_path / "keys"
    subject_id = SmallCity(tmp_path, POLICY, ()).firm(uscc(1))
    return open_account(NewAccount("agent", "示例甲", Role.SUBJECT_AGENT, subject_id=subject_id), by="test")


def apply(agent: Account, key: uuid.UUID | None = None, **more: str) -> Application:
    """One application for the widest report."""
    assert agent.subject_id is not None
    policy = more.pop("policy_id", POLICY)
    return submit_application(Applying(agent, agent.subject_id, policy, Request(), **more), key or uuid.uuid4())


def refused(act: Callable[[], object]) -> str:
    """The code of the refusal."""
    with pytest.raises(ApplicationError) as caught:
        act()
    return caught.value.code


def test_the_same_key_is_one_application_with_one_event(agent: Account) -> None:
    key = uuid.uuid4()
    first, second = apply(agent, key, receiver_name=" 示例  银行 "), apply(agent, key, receiver_name="示例 银行")
    assert first == second == Application.objects.get()
    assert first.receiver_name == "示例 银行"
    event = AuditEvent.objects.get(action="application-submitted")
    assert (event.who, event.object_id, event.subject_id) == (agent.actor, str(key), agent.subject_id)
    assert event.details == {"policy": POLICY}


@pytest.mark.parametrize("changes", [{"policy_id": "national-2025"}, {"receiver_name": "另一家"}, {"client_id": "x"}])
def test_a_key_is_not_used_for_something_else(agent: Account, changes: dict[str, str]) -> None:
    key = uuid.uuid4()
    apply(agent, key)
    assert refused(lambda: apply(agent, key, **changes)) == "idempotency-key-reused"


def test_nobody_applies_for_another_s_subject(agent: Account, tmp_path: Path) -> None:
    other = SmallCity(tmp_path, POLICY, ()).firm(uscc(2))
    asked = Applying(agent, other, POLICY, Request())
    assert refused(lambda: submit_application(asked, uuid.uuid4())) == "application-refused"
    assert not Application.objects.exists()


def test_only_one_s_own_report_is_made_again(agent: Account) -> None:
    assert refused(lambda: apply(agent, again_of="3205002026112200001")) == "application-refused"


@pytest.mark.parametrize(
    "name",
    ["示" * 101, "示例\u202e银行", "示例330502199001010014", "联系13812345678", "138 1234 \uff15\uff16\uff17\uff18"],
)
def test_a_receiver_s_name_is_short_printable_and_no_person(agent: Account, name: str) -> None:
    with pytest.raises(UnkeepableTextError):
        apply(agent, receiver_name=name)
    assert not Application.objects.exists()


def test_the_limit_of_the_day_counts_by_subject_and_policy(agent: Account, settings: Settings) -> None:
    settings.XINZHENG_DAILY_LIMITS = {POLICY: 2}
    key = uuid.uuid4()
    apply(agent, key)
    apply(agent)
    with pytest.raises(DailyLimitError, match="今天已经申请2份"):
        apply(agent)
    assert apply(agent, key) == Application.objects.get(pk=key)
    apply(agent, policy_id="national-2025")
    assert AuditEvent.objects.filter(action="application-submitted").count() == 3


def test_what_failed_does_not_count_until_it_is_tried_again(agent: Account, settings: Settings) -> None:
    settings.XINZHENG_DAILY_LIMITS = {POLICY: 1}
    first = apply(agent)
    Application.objects.update(state=ApplicationState.FAILED)
    second = apply(agent)
    with pytest.raises(DailyLimitError):
        retry_application(first)
    Application.objects.filter(pk=second.pk).update(state=ApplicationState.FAILED)
    retry_application(first)
    assert Application.objects.get(pk=first.pk).state == ApplicationState.QUEUED


def test_the_day_is_china_s(agent: Account, settings: Settings) -> None:
    settings.XINZHENG_DAILY_LIMITS = {POLICY: 5}
    made = apply(agent)
    day = china_date(made.created_at)
    midnight = datetime(day.year, day.month, day.day, tzinfo=CHINA)
    subject_id = made.subject_id
    for moment, left in (
        (midnight, 4),
        (midnight - timedelta(seconds=1), 5),
        (midnight + timedelta(days=1), 5),
        (midnight + timedelta(hours=23, minutes=59), 4),
    ):
        Application.objects.filter(pk=made.pk).update(created_at=moment)
        assert left_today(subject_id, POLICY, day) == left
    assert left_today(subject_id, "national-2025", day) is None


@pytest.mark.django_db(transaction=True)
def test_a_crowd_gets_no_more_than_the_day_allows(agent: Account, settings: Settings) -> None:
    settings.XINZHENG_DAILY_LIMITS = {POLICY: 3}
    start = threading.Barrier(8)

    def press(_: int) -> bool:
        try:
            start.wait()
            apply(agent)
        except DailyLimitError:
            return False
        finally:
            connections.close_all()
        return True

    with ThreadPoolExecutor(8) as crowd:
        assert sum(crowd.map(press, range(8))) == 3
    assert Application.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_a_double_click_on_the_last_one_of_the_day_is_one(agent: Account, settings: Settings) -> None:
    settings.XINZHENG_DAILY_LIMITS = {POLICY: 1}
    start, key = threading.Barrier(2), uuid.uuid4()

    def click(_: int) -> uuid.UUID:
        try:
            start.wait()
            return apply(agent, key).pk
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as clicks:
        assert set(clicks.map(click, range(2))) == {key}


def test_limits_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XINZHENG_DAILY_LIMITS", " suzhou-2024=10, huzhou-2023 = 3 ,")
    assert environment.numbers_by_name("XINZHENG_DAILY_LIMITS") == {"suzhou-2024": 10, "huzhou-2023": 3}
    for wrong in ("suzhou-2024", "suzhou-2024=0", "=3", "a=1,a=2", "a=-1", "a=１"):
        monkeypatch.setenv("XINZHENG_DAILY_LIMITS", wrong)
        with pytest.raises(ImproperlyConfigured):
            environment.numbers_by_name("XINZHENG_DAILY_LIMITS")

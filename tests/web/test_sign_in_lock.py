"""After failures in a row a name waits; who asks learns neither that nor whether the name exists."""

import statistics
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.test import Client, override_settings
from django.utils import timezone

from tests.web.conftest import PASSWORD, QUICK_HASHERS, People
from xinzheng.apps.accounts.locking import forget_old_failures, is_locked, unlock
from xinzheng.apps.accounts.models import SignInFailure
from xinzheng.apps.audit.models import AuditEvent

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def quick_hashers(request: pytest.FixtureRequest) -> Iterator[None]:
    """Only the test of the time needs the real, slow ones."""
    with override_settings(**{} if "slow" in request.keywords else {"PASSWORD_HASHERS": QUICK_HASHERS}):
        yield


def answer(username: str, password: str) -> tuple[int, str]:
    """Status and page, without what differs in every form: its token and the name that was typed."""
    response = Client().post("/sign-in", {"username": username, "password": password})
    page = response.content.decode().replace(username, "")
    return response.status_code, page.split("</header>")[-1].split("csrfmiddlewaretoken")[0]


def fail(username: str, times: int) -> None:
    for _ in range(times):
        answer(username, "wrong")


def test_the_fifth_failure_in_a_row_locks_the_name_even_for_the_right_password(people: People) -> None:
    fail("agent-b", 4)
    assert not is_locked("agent-b")
    fail("agent-b", 1)
    assert is_locked("agent-b")
    assert answer("agent-b", PASSWORD)[0] == 422
    assert answer("agent-b ", PASSWORD)[0] == 422
    assert answer("AGENT-B", PASSWORD)[0] == 422


def test_after_the_time_the_right_password_opens_again_and_one_more_failure_does_not_lock(people: People) -> None:
    fail("agent-b", 5)
    SignInFailure.objects.update(locked_until=timezone.now() - timedelta(seconds=1))
    fail("agent-b", 1)
    assert not is_locked("agent-b")
    assert answer("agent-b", PASSWORD)[0] == 302


def test_a_success_forgets_the_failures_before_it(people: People) -> None:
    for _ in range(3):
        fail("agent-b", 4)
        assert answer("agent-b", PASSWORD)[0] == 302


def test_unknown_wrong_closed_and_locked_get_the_very_same_answer(people: People) -> None:
    people.clean.is_active = False
    people.clean.save()
    fail("agent-b", 5)
    locked, wrong = answer("agent-b", PASSWORD), answer("tax", "wrong")
    unknown, closed = answer("nobody-here", "wrong"), answer("demo-suzhou", PASSWORD)
    assert locked == wrong == unknown == closed


def test_an_unknown_name_is_locked_like_a_known_one(people: People) -> None:
    fail("nobody-here", 5)
    assert is_locked("nobody-here")


@pytest.mark.slow
def test_neither_does_the_time_of_the_answer_tell_whether_a_name_exists(people: People) -> None:
    spent: dict[str, list[float]] = {"tax": [], "nobody-here": []}
    for _ in range(12):
        for name, times in spent.items():
            SignInFailure.objects.all().delete()
            began = time.process_time()
            answer(name, "wrong")
            times.append(time.process_time() - began)
    known, unknown = (statistics.median(times) for times in spent.values())
    assert abs(known - unknown) < 0.15 * known


def test_failures_are_recorded_by_account_and_never_by_what_was_typed(people: People) -> None:
    answer("tax", "a-secret-typed-wrongly")
    answer("11010119900307447X", "x")
    known, unknown = AuditEvent.objects.filter(action="sign-in-failed").order_by("pk")
    assert (known.object_id, unknown.object_id) == (str(people.stranger.pk), "unknown")
    assert "secret" not in str(known.details)
    assert known.who == "public"
    assert SignInFailure.objects.filter(name_hash__contains=b"tax").count() == 0


def test_an_administrator_can_unlock_and_that_is_recorded(people: People) -> None:
    fail("agent-b", 5)
    unlock(people.punished, by="account:1")
    assert answer("agent-b", PASSWORD)[0] == 302
    assert AuditEvent.objects.filter(action="account-unlocked").count() == 1


def test_old_failures_are_forgotten_but_no_lock_that_still_holds(people: People) -> None:
    fail("agent-b", 5)
    fail("tax", 1)
    SignInFailure.objects.update(last_at=timezone.now() - timedelta(days=2))
    assert forget_old_failures() == 1
    assert is_locked("agent-b")


@pytest.mark.parametrize("field", ["username", "password", "next", "demo"])
def test_a_nul_is_no_way_in_and_no_failure_of_the_site(people: People, field: str) -> None:
    fields = {"username": "agent-b", "password": "wrong"} | {field: "a\0b"}
    assert Client().post("/sign-in", fields).status_code == 422

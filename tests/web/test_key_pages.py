"""The page of keys: the system administrator makes one, sees it once, sees when it was used, revokes it."""

import re
from datetime import timedelta
from typing import Any

import pytest

from tests.small_city import today
from tests.web.conftest import People, client_of
from xinzheng.apps.accounts.key_actions import create_key, recognise_key
from xinzheng.apps.accounts.models import ApiKey
from xinzheng.apps.audit.models import AuditEvent

pytestmark = pytest.mark.django_db

PAGE = "/administration/keys"


def made(people: People, **changes: str) -> tuple[int, str]:
    fields = {"unit": str(people.officer.unit_id), "name": "行政处罚系统"} | changes
    response = client_of(people.administrator).post(PAGE, fields)
    return response.status_code, response.content.decode()


def test_a_key_is_made_shown_once_and_opens_what_its_unit_may(people: People) -> None:
    status, page = made(people)
    assert status == 200
    (secret,) = re.findall(r"xz_[\w-]{43}", page)
    key = recognise_key(secret, today=today())
    assert key is not None
    assert (key.unit_id, key.created_by, key.is_responsible) == (
        people.officer.unit_id,
        people.administrator.actor,
        False,
    )
    again = client_of(people.administrator).get(PAGE).content.decode()
    assert secret not in again
    assert "行政处罚系统" in again


def test_a_key_of_the_responsible_officer_is_marked(people: People) -> None:
    made(people, responsible="on")
    assert ApiKey.objects.get().is_responsible
    assert "责任人的密钥</small>" in client_of(people.administrator).get(PAGE).content.decode()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"unit": ""}, "请选择单位"),
        ({"unit": "999999999"}, "请选择单位"),
        ({"name": " "}, "密钥须有名称"),
        ({"name": "一\t二"}, "密钥须有名称"),
    ],
)
def test_a_mistake_is_shown_at_its_field_and_makes_no_key(
    people: People, changes: dict[str, str], message: str
) -> None:
    status, page = made(people, **changes)
    assert status == 422
    assert message in page
    assert not ApiKey.objects.exists()


def test_a_page_sent_again_makes_no_second_key(people: People) -> None:
    made(people)
    status, page = made(people)
    assert (status, ApiKey.objects.count()) == (422, 1)
    assert "同名" in page


def test_when_a_key_was_last_used_is_shown_and_revoking_ends_it(people: People) -> None:
    assert people.officer.unit_id is not None
    one = create_key(unit_id=people.officer.unit_id, name="征管系统", by="test")
    client = client_of(people.administrator)
    assert "还没有用过" in client.get(PAGE).content.decode()
    recognise_key(one.secret, today=today() - timedelta(days=1))
    assert "还没有用过" not in client.get(PAGE).content.decode()
    page = client.post(f"{PAGE}/{one.key.pk}/revoke", follow=True).content.decode()
    assert "已吊销，立即生效" in page
    assert "没有有效的密钥" in page
    assert recognise_key(one.secret, today=today()) is None
    assert AuditEvent.objects.filter(action="api-key-revoked", who=people.administrator.actor).count() == 1
    assert "已经吊销" in client.post(f"{PAGE}/{one.key.pk}/revoke", follow=True).content.decode()


@pytest.mark.parametrize("who", ["officer", "chief", "office", "clean"])
def test_nobody_else_sees_makes_or_revokes_keys(people: People, who: str) -> None:
    assert people.officer.unit_id is not None
    key = create_key(unit_id=people.officer.unit_id, name="征管系统", by="test").key
    client = client_of(getattr(people, who))
    assert client.get(PAGE).status_code == 403
    assert client.post(PAGE, {"unit": str(people.officer.unit_id), "name": "二"}).status_code == 403
    assert client.post(f"{PAGE}/{key.pk}/revoke").status_code == 403
    assert ApiKey.objects.get().revoked_at is None


def test_the_page_asks_the_database_the_same_number_of_times_however_many_keys_there_are(
    people: People, django_assert_max_num_queries: Any
) -> None:
    assert people.officer.unit_id is not None
    for number in range(20):
        create_key(unit_id=people.officer.unit_id, name=f"系统{number}", by="test")
    client = client_of(people.administrator)
    with django_assert_max_num_queries(7):
        assert client.get(PAGE).status_code == 200

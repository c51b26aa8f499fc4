"""Held batches on the pages: why, who may let them in, what follows; a unit's own and, for the credit office, all."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.conf import LazySettings

from tests.small_city import BY, SmallCity, today
from tests.web.conftest import People, client_of, water_rows
from xinzheng.apps.accounts.actions import NewAccount, open_account
from xinzheng.apps.accounts.models import Account, Role
from xinzheng.apps.ledger.actions import BatchResult, queue_upload, submit_batch
from xinzheng.apps.ledger.models import Batch, Upload
from xinzheng.apps.ledger.queries import batch_summary, booked_as
from xinzheng.apps.ledger.uploads import take_in_upload
from xinzheng.core.floors import Floors

pytestmark = pytest.mark.django_db
PART = {"HX-Request": "true"}


@pytest.fixture
def held(city: SmallCity, people: People, settings: LazySettings) -> BatchResult:
    """Sent by the water unit's officer, where one line was usual."""
    settings.XINZHENG_FLOORS = Floors(least_history=2, far_times=3, far_lines=3)
    rows = water_rows(city, 8)
    for row in rows[:2]:
        city.submit([row], "water_affairs")
    result = submit_batch(
        city.delivery(rows, "water_affairs", (today() - timedelta(days=400), today())), by=people.officer.actor
    )
    assert result.held
    return result


def page_of(account: Account, batch: int) -> str:
    return client_of(account).get(f"/department/batches/{batch}").content.decode()


def take_in_waiting() -> None:
    """What the worker does."""
    for upload_id in Upload.objects.filter(state="queued").values_list("pk", flat=True):
        take_in_upload(upload_id)


def settle(account: Account, batch: int, how: str, **fields: str) -> tuple[int, str, str]:
    response = client_of(account).post(f"/department/batches/{batch}/{how}", fields, follow=True)
    return response.status_code, response.content.decode(), str(response.request["PATH_INFO"])


def test_the_page_of_a_held_batch_says_why_and_what_it_would_do(people: People, held: BatchResult) -> None:
    page = page_of(people.chief, held.batch)
    assert "本批已暂存，等另一名工作人员确认。" in page
    assert "本批有8行，此前2批大多不超过1行" in page
    assert "行已入账" not in page
    assert "确认后，8行入账" in page
    assert "覆盖声明同时生效" in page
    assert "示例丙报送于" in page


def test_who_sent_it_is_told_that_another_has_to_confirm(people: People, held: BatchResult) -> None:
    page = page_of(people.officer, held.batch)
    assert "须由本单位另一名工作人员或者信用办确认" in page
    assert "/confirm" not in page
    assert settle(people.officer, held.batch, "confirm")[0] == 403
    assert booked_as(held.batch) is None


@pytest.mark.parametrize("who", ["chief", "office"])
def test_another_officer_and_the_credit_office_confirm_and_see_the_new_batch(
    people: People, held: BatchResult, who: str
) -> None:
    account: Account = getattr(people, who)
    assert "/confirm" in page_of(account, held.batch)
    status, page, address = settle(account, held.batch, "confirm")
    assert (status, address) == (200, f"/department/batches/{held.batch}")
    assert "本批正在确认入账。" in page
    take_in_waiting()
    booked, client = booked_as(held.batch), client_of(account)
    part = client.get(f"/department/batches/{held.batch}/confirmation", headers=PART)
    assert part.headers["HX-Redirect"] == f"/department/batches/{booked}"
    page = client.get(part.headers["HX-Redirect"]).content.decode()
    assert f"批次{held.batch}已确认，由批次{booked}入账。" in page
    assert "8行已入账" in page
    assert "<span>已确认</span>" in client_of(people.officer).get("/department").content.decode()
    before = page_of(account, held.batch)
    assert f"本批已确认，由批次{booked}入账。" in before
    assert f'<a class="more" href="/department/batches/{booked}">' in before
    assert "/decline" not in before


def test_a_second_confirmation_is_told_what_became_of_it(people: People, held: BatchResult) -> None:
    settle(people.chief, held.batch, "confirm")
    take_in_waiting()
    _, page, _ = settle(people.office, held.batch, "confirm")
    assert "已经确认，由批次" in page
    assert Batch.objects.filter(confirms_id=held.batch).count() == 1


def test_while_it_is_confirmed_the_page_tells_how_far_that_is_and_offers_nothing_more(
    people: People, held: BatchResult, django_assert_max_num_queries: Callable[[int], object]
) -> None:
    settle(people.chief, held.batch, "confirm")
    settle(people.office, held.batch, "confirm")
    Upload.objects.filter(confirms_id=held.batch).update(state="running", lines_done=2)
    for account in (people.chief, people.office, people.officer):
        page = page_of(account, held.batch)
        assert f'hx-get="/department/batches/{held.batch}/confirmation" hx-trigger="every 1s"' in page
        assert "已读2行，共8行。" in page
        assert '<noscript><meta http-equiv="refresh"' in page
        assert '/confirm"' not in page
        assert "/decline" not in page
    client = client_of(people.office)
    client.get(f"/department/batches/{held.batch}/confirmation", headers=PART)
    with django_assert_max_num_queries(5):  # type: ignore[attr-defined]
        part = client.get(f"/department/batches/{held.batch}/confirmation", headers=PART).content.decode()
    assert "25%" in part
    assert "<html" not in part
    desk = client_of(people.officer).get("/department").content.decode()
    assert f'href="/department/batches/{held.batch}#confirm-h">看进度' in desk
    assert "最近没有上传" in desk


def test_a_confirmation_that_fails_says_why_and_can_be_made_again(people: People, held: BatchResult) -> None:
    settle(people.chief, held.batch, "confirm")
    Upload.objects.update(state="failed", message="请先处理那一批。")
    client = client_of(people.chief)
    part = client.get(f"/department/batches/{held.batch}/confirmation", headers=PART)
    assert part.headers["HX-Refresh"] == "true"
    page = page_of(people.chief, held.batch)
    assert "上次确认没有成功</span></span>　请先处理那一批。" in page
    assert "hx-trigger" not in page
    settle(people.chief, held.batch, "confirm")
    take_in_waiting()
    assert booked_as(held.batch) is not None


def test_the_progress_is_a_part_of_the_page_and_shown_to_whom_the_page_is(people: People, held: BatchResult) -> None:
    address = f"/department/batches/{held.batch}/confirmation"
    assert client_of(people.chief).get(address, headers=PART).status_code == 404
    settle(people.chief, held.batch, "confirm")
    assert client_of(people.chief).get(address).headers["Location"] == f"/department/batches/{held.batch}"
    for account in (people.stranger, people.clean, people.administrator):
        assert client_of(account).get(address, headers=PART).status_code == 403
    own = Upload.objects.get()
    assert client_of(people.officer).get(f"/department/uploads/{own.pk}").status_code == 404


def test_the_desk_says_of_an_upload_whose_batch_is_held_that_it_waits(
    city: SmallCity, people: People, held: BatchResult
) -> None:
    delivery = city.delivery(water_rows(city, 1), "water_affairs")
    upload = queue_upload(delivery, by=people.officer.actor)
    Upload.objects.update(state="done", batch_id=held.batch, lines_done=8, lines_total=8)
    client = client_of(people.officer)
    part = client.get(f"/department/uploads/{upload.pk}", headers=PART).content.decode()
    for page in (client.get("/department").content.decode(), part):
        line = page[page.index(f'id="upload-{upload.pk}"') :]
        assert "<span>已暂存，待确认</span>" in line[: line.index("<p")]
    settle(people.chief, held.batch, "confirm")
    take_in_waiting()
    part = client.get(f"/department/uploads/{upload.pk}", headers=PART).content.decode()
    assert "<span>已处理</span>" in part


def test_declining_asks_for_a_reason_at_its_field_and_keeps_nothing_booked(people: People, held: BatchResult) -> None:
    status, page, _ = settle(people.officer, held.batch, "decline", reason=" ")
    assert status == 422
    assert '<a href="#decline-reason">' in page
    assert 'aria-describedby="decline-reason-error"' in page
    status, page, _ = settle(people.officer, held.batch, "decline", reason="重复导出")
    assert (status, batch_summary(held.batch).is_withdrawn) == (200, True)
    assert "已撤回，没有入账" in page


def test_an_ordinary_batch_cannot_be_taken_back_here(city: SmallCity, people: People) -> None:
    ordinary = city.submit(water_rows(city), "water_affairs")
    _, page, _ = settle(people.chief, ordinary.batch, "decline", reason="想撤回")
    assert "没有暂存" in page
    assert not batch_summary(ordinary.batch).is_withdrawn


def test_strangers_neither_see_nor_settle_it(people: People, held: BatchResult) -> None:
    for account in (people.stranger, people.clean):
        assert client_of(account).get(f"/department/batches/{held.batch}").status_code == 403
        assert settle(account, held.batch, "confirm")[0] == 403
        assert settle(account, held.batch, "decline", reason="x")[0] == 403
    assert not batch_summary(held.batch).is_withdrawn


def test_an_officer_of_another_role_has_no_say(people: People, held: BatchResult) -> None:
    auditor = open_account(NewAccount("auditor", "示例庚", Role.AUDITOR, password="only-for-this-test-1"), by=BY)
    assert settle(auditor, held.batch, "confirm")[0] == 403
    assert client_of(auditor).get("/office/held").status_code == 403


def test_the_desk_lists_what_waits_and_counts_nothing_of_it_as_booked(people: People, held: BatchResult) -> None:
    page = client_of(people.officer).get("/department").content.decode()
    assert "待第二人确认" in page
    assert f'href="/department/batches/{held.batch}#held-h"' in page
    row = page[page.index(f'<a href="/department/batches/{held.batch}">') :]
    assert 'data-label="入账">0</td>' in row[: row.index("</tr>")]


def test_the_credit_office_sees_all_units_held_batches_and_then_none(
    people: People, held: BatchResult, django_assert_max_num_queries: Callable[[int], object]
) -> None:
    client = client_of(people.office)
    client.get("/office/held")
    with django_assert_max_num_queries(10):  # type: ignore[attr-defined]
        page = client.get("/office/held").content.decode()
    assert f'href="/department/batches/{held.batch}"' in page
    assert "本批有8行" in page
    settle(people.office, held.batch, "confirm")
    assert "正在确认入账" in client.get("/office/held").content.decode()
    take_in_waiting()
    assert "没有暂存的批次" in client.get("/office/held").content.decode()
    assert client_of(people.officer).get("/office/held").status_code == 403


def test_the_office_reads_a_batch_but_does_not_take_its_files(people: People, held: BatchResult) -> None:
    page = page_of(people.office, held.batch)
    assert f"/department/batches/{held.batch}/file" not in page
    assert client_of(people.office).get(f"/department/batches/{held.batch}/file").status_code == 403
    assert 'href="/office/held"' in page

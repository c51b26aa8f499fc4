"""The credit office sees every line that a responsible officer explained: which, why it was rejected, why it stays."""

from typing import Any

import pytest

from tests.small_city import SmallCity, today
from tests.web.conftest import People, client_of, water_rows
from xinzheng.apps.accounts.key_actions import create_key
from xinzheng.apps.ledger.actions import BatchResult, explain_line, withdraw_batch
from xinzheng.apps.ledger.errors import IntakeError
from xinzheng.core.coverage_calendar import Month
from xinzheng.web.office import waivers

pytestmark = pytest.mark.django_db

PAGE = "/office/waivers"


def office(people: People, **asked: str) -> str:
    response = client_of(people.office).get(PAGE, asked)
    assert response.status_code == 200
    return response.content.decode()


def test_without_any_the_page_says_so_and_the_coverage_page_does_not_mention_them(people: People) -> None:
    assert "还没有说明过的行" in office(people)
    assert "说明了理由" not in client_of(people.office).get("/office/coverage").content.decode()


def test_an_explained_line_is_told_with_its_reasons_and_by_whom_in_which_role(
    people: People, faulty_batch: BatchResult
) -> None:
    explain_line(batch_id=faulty_batch.batch, line=3, reason="该决定已经撤销", by=people.chief.actor)
    page = office(people)
    assert f"批次{faulty_batch.batch}</a>，第3行" in page
    assert "处罚决定日期" in page
    assert "该决定已经撤销" in page
    assert "数源单位责任人" in page
    assert people.chief.display_name not in page
    assert "1个单位说明了1行" in page
    assert "1行退回的数据由责任人" in client_of(people.office).get("/office/coverage").content.decode()


def test_they_are_filtered_by_unit_and_month(people: People, faulty_batch: BatchResult) -> None:
    explain_line(batch_id=faulty_batch.batch, line=3, reason="该决定已经撤销", by=people.chief.actor)
    this, last = Month.of(today()), Month.of(today()).plus(-1)
    own, other = str(people.chief.unit_id), str(people.stranger.unit_id)
    assert "该决定已经撤销" in office(people, unit=own, month=str(this))
    for asked in ({"unit": other}, {"month": str(last)}):
        assert "没有符合条件的说明" in office(people, **asked)
    assert client_of(people.office).get(PAGE, {"month": "2026-13"}).status_code == 404


def test_of_a_batch_taken_back_it_is_said(people: People, faulty_batch: BatchResult) -> None:
    explain_line(batch_id=faulty_batch.batch, line=3, reason="该决定已经撤销", by="command-line")
    withdraw_batch(batch_id=faulty_batch.batch, reason="报错", by="test")
    page = office(people)
    assert "该批已撤回" in page
    assert "命令行" in page


def test_a_key_is_told_as_the_responsible_officers(people: People, faulty_batch: BatchResult) -> None:
    assert people.chief.unit_id is not None
    key = create_key(unit_id=people.chief.unit_id, name="系统", by="test", is_responsible=True).key
    explain_line(batch_id=faulty_batch.batch, line=3, reason="该决定已经撤销", by=key.actor)
    assert "责任人的接口密钥" in office(people)


def test_an_explanation_with_an_identity_number_is_not_kept(faulty_batch: BatchResult) -> None:
    with pytest.raises(IntakeError) as raised:
        explain_line(batch_id=faulty_batch.batch, line=3, reason="当事人110101199003070018已死亡", by="test")
    assert raised.value.code == "identity-number-in-reason"


def test_many_are_read_a_page_at_a_time_in_as_many_queries(
    city: SmallCity, people: People, monkeypatch: pytest.MonkeyPatch, django_assert_max_num_queries: Any
) -> None:
    monkeypatch.setattr(waivers, "PAGE", 3)
    rows = water_rows(city, 5)
    for row in rows:
        row["处罚决定日期"] = "2026-02-30"
    batch = city.submit(rows, "water_affairs")
    for line in range(2, 7):
        explain_line(batch_id=batch.batch, line=line, reason=f"理由{line}", by=people.chief.actor)
    client = client_of(people.office)
    with django_assert_max_num_queries(14):
        first = client.get(PAGE).content.decode()
    assert [f"理由{line}" in first for line in range(2, 7)] == [False, False, True, True, True]
    before = first.partition("before=")[2].partition('"')[0]
    second = client.get(PAGE, {"before": before}).content.decode()
    assert [f"理由{line}" in second for line in range(2, 7)] == [True, True, False, False, False]
    assert "回到最新" in second


@pytest.mark.parametrize("who", ["officer", "chief", "clean", "administrator"])
def test_nobody_but_the_office_sees_them(people: People, who: str) -> None:
    assert client_of(getattr(people, who)).get(PAGE).status_code == 403

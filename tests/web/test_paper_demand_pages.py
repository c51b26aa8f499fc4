"""A body still demands paper: the subject says so, the office sees how often, answers, and the subject reads it."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from tests.web.conftest import People, client_of
from xinzheng.apps.audit.models import AuditEvent
from xinzheng.apps.oversight.models import PaperDemand, PaperDemandAnswer
from xinzheng.apps.oversight.paper_demands import OPEN_AT_MOST, Demand, report_demand

pytestmark = pytest.mark.django_db
BODY = "示例招标平台"


def test_a_report_reaches_the_office_and_its_answer_the_subject(people: People) -> None:
    client, office = client_of(people.clean), client_of(people.office)
    fields = {"body_name": f" {BODY} ", "purpose": "投标", "division": "苏州", "said": "要求到20个单位盖章"}
    assert client.post("/paper-demands", fields).status_code == 302
    page = office.get("/office/paper-demands").content.decode()
    assert f"{BODY}1件" in page
    assert "苏州示例精密制造有限公司" in page
    assert "要求到20个单位盖章" in page
    demand = PaperDemand.objects.get()
    said = "已发函告知，该平台改为接收专用信用报告。"
    assert office.post(f"/office/paper-demands/{demand.pk}/answer", {"result": said}).status_code == 302
    assert said in client.get("/paper-demands").content.decode()
    assert "没有待答复的反映" in office.get("/office/paper-demands").content.decode()
    events = AuditEvent.objects.filter(subject_id=people.clean.subject_id, object_kind="paper-demand")
    assert [event.action for event in events.order_by("id")] == ["paper-demand-reported", "paper-demand-answered"]
    assert client_of(people.punished).get("/paper-demands").content.decode().count(BODY) == 0


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"body_name": ""}, "body_name"),
        ({"body_name": "示" * 101}, "body_name"),
        ({"body_name": "示例\0"}, "body_name"),
        ({"purpose": "找张某13812345678"}, "purpose"),
        ({"division": "示" * 101}, "division"),
        ({"said": "330502199001010014"}, "said"),
        ({"said": "示" * 501}, "said"),
    ],
)
def test_what_cannot_be_kept_is_told_at_its_field(people: People, changes: dict[str, str], field: str) -> None:
    response = client_of(people.clean).post("/paper-demands", {"body_name": BODY} | changes)
    page = response.content.decode()
    assert response.status_code == 422
    assert f'id="{field}-error"' in page
    assert not PaperDemand.objects.exists()


def test_the_same_body_is_not_reported_twice_while_the_first_is_open(people: People) -> None:
    client, office = client_of(people.clean), client_of(people.office)
    client.post("/paper-demands", {"body_name": BODY})
    assert "已经反映过" in client.post("/paper-demands", {"body_name": BODY}).content.decode()
    office.post(f"/office/paper-demands/{PaperDemand.objects.get().pk}/answer", {"result": "已联系。"})
    assert client.post("/paper-demands", {"body_name": BODY}).status_code == 302
    assert PaperDemand.objects.count() == 2


def test_nobody_floods_the_office(people: People) -> None:
    assert people.clean.subject_id is not None
    for n in range(OPEN_AT_MOST):
        report_demand(Demand(people.clean.subject_id, f"示例平台{n}"), by="test")
    response = client_of(people.clean).post("/paper-demands", {"body_name": BODY})
    assert (response.status_code, PaperDemand.objects.count()) == (422, OPEN_AT_MOST)


def test_an_answer_is_needed_once_and_only_by_the_office(people: People) -> None:
    client_of(people.clean).post("/paper-demands", {"body_name": BODY})
    address = f"/office/paper-demands/{PaperDemand.objects.get().pk}/answer"
    office = client_of(people.office)
    empty = office.post(address, {"result": " "})
    assert empty.status_code == 422
    assert "请写明怎样处理的" in empty.content.decode()
    for account in (people.clean, people.officer, people.administrator):
        assert client_of(account).post(address, {"result": "好"}).status_code == 403
        assert client_of(account).get("/office/paper-demands").status_code == 403
    assert client_of(people.office).get("/paper-demands").status_code == 403
    assert office.post(address, {"result": "已联系。"}).status_code == 302
    again = office.post(address, {"result": "另一答复"})
    assert again.status_code == 422
    assert "已经答复过" in again.content.decode()
    assert PaperDemandAnswer.objects.get().result == "已联系。"
    assert office.post("/office/paper-demands/999999/answer", {"result": "好"}).status_code == 404
    assert office.get(address).headers["Location"] == "/office/paper-demands"


def test_the_office_s_page_asks_no_more_with_more_reports_of_one_subject(
    people: People, django_assert_max_num_queries: Callable[[int], AbstractContextManager[object]]
) -> None:
    assert people.clean.subject_id is not None
    office = client_of(people.office)
    for n in range(5):
        report_demand(Demand(people.clean.subject_id, f"示例平台{n}"), by="test")
    office.get("/office/paper-demands")
    with django_assert_max_num_queries(12):
        office.get("/office/paper-demands")

"""The credit office sees what became of issued reports, and revokes one; nobody else does."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.small_city import SmallCity
from tests.web.conftest import CLEAN, People, client_of
from xinzheng.apps.reports.flagging import flag_reports
from xinzheng.apps.reports.issuing import Order, issue_report
from xinzheng.apps.reports.models import Report, ReviewFlag, StatusEvent
from xinzheng.apps.reports.reviewing import review_reports
from xinzheng.core.decision import Request

pytestmark = pytest.mark.django_db
PAGE = "/office/reports"


@pytest.fixture
def report(people: People) -> Report:
    assert people.clean.subject_id is not None
    return issue_report(Order("suzhou-2024", people.clean.subject_id, Request(), "test"))


def office(people: People, address: str = PAGE, **asked: str) -> str:
    response = client_of(people.office).get(address, asked)
    assert response.status_code == 200
    return response.content.decode()


def revoked(people: People, report: Report, **fields: str) -> Any:
    return client_of(people.office).post(f"{PAGE}/{report.number}/revoke", fields)


def test_only_the_office_may_look_or_revoke(people: People, report: Report) -> None:
    for account in (people.officer, people.clean, people.administrator):
        client = client_of(account)
        assert client.get(PAGE).status_code == 403
        assert client.get(f"{PAGE}/{report.number}").status_code == 403
        fields = {"reason": "issued-in-error", "number": report.number}
        assert client.post(f"{PAGE}/{report.number}/revoke", fields).status_code == 403
    assert StatusEvent.objects.filter(report=report).latest("id").status == "in_force"


def test_without_changes_the_page_says_so(people: People, report: Report) -> None:
    page = office(people)
    assert "没有等待复核的报告。" in page
    assert "出具的报告都有效" in page


def test_a_superseded_report_is_listed_masked_and_with_its_reason(
    people: People, city: SmallCity, report: Report
) -> None:
    city.submit([city.penalty(CLEAN)])
    flag_reports()
    assert "1份报告等待复核。" in office(people)
    review_reports()
    page = office(people)
    for told in (report.number, "已更正", "数源单位补充报送了出具前的记录", "苏州"):
        assert told in page
    assert "苏州示例精密制造有限公司" not in page
    one = office(people, f"{PAGE}/{report.number}")
    assert "作废报告" in one
    assert "苏州示例精密制造有限公司" not in one


def test_a_report_that_could_not_be_decided_is_shown_as_work_for_somebody(people: People, report: Report) -> None:
    ReviewFlag.objects.create(report=report, entry_id=1, why="records", answer="failed", waits_since=1)
    assert "1份报告没有复核成功" in office(people)


def test_a_number_typed_in_any_way_opens_the_report(people: People, report: Report) -> None:
    client = client_of(people.office)
    response = client.get(PAGE, {"number": f" {report.number.lower()} "})
    assert (response.status_code, response["Location"]) == (302, f"{PAGE}/{report.number}")
    unknown = client.get(PAGE, {"number": "SZ1"})
    assert unknown.status_code == 422
    assert "请核对编号" in unknown.content.decode()
    assert client.get(f"{PAGE}/SZ1").status_code == 404


def test_revoking_asks_for_a_reason_and_the_number_again(people: People, report: Report) -> None:
    missing = revoked(people, report, number="x")
    assert missing.status_code == 422
    for told in ("请选择作废的原因。", "与本报告的编号不一致", "报告没有作废。"):
        assert told in missing.content.decode()
    done = revoked(people, report, reason="subject-wrong", number=report.number.lower())
    assert (done.status_code, done["Location"]) == (302, f"{PAGE}/{report.number}")
    event = StatusEvent.objects.filter(report=report).latest("id")
    assert (event.status, event.reason_code, event.actor) == ("revoked", "subject-wrong", people.office.actor)
    page = office(people, f"{PAGE}/{report.number}")
    assert "已作废" in page
    assert 'action="/office/reports/' not in page
    assert revoked(people, report, reason="subject-wrong", number=report.number).status_code == 422


def test_the_list_is_paged_and_asks_the_database_the_same_however_long_it_is(
    people: People, city: SmallCity, report: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    from xinzheng.web.office import reports

    assert people.punished.subject_id is not None
    other = issue_report(Order("suzhou-2024", people.punished.subject_id, Request(), "test"))
    client = client_of(people.office)
    revoked(people, report, reason="issued-in-error", number=report.number)
    with CaptureQueriesContext(connection) as one:
        client.get(PAGE)
    revoked(people, other, reason="issued-in-error", number=other.number)
    with CaptureQueriesContext(connection) as two:
        client.get(PAGE)
    assert len(one) == len(two) <= 20
    monkeypatch.setattr(reports, "PAGE", 1)
    first = office(people)
    assert other.number in first
    assert report.number not in first
    before = StatusEvent.objects.get(report=other, status="revoked").pk
    assert report.number in office(people, before=str(before))

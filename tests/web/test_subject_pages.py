"""A subject's pages: applying with one click, watching, the report with every finding, the file; nobody else's."""

import re
import uuid
from collections.abc import Callable

import pytest
from django.test import Client
from django.utils.html import escape

from tests.small_city import SmallCity
from tests.web.conftest import People, client_of, issue, penalties
from xinzheng.apps.accounts.models import Account
from xinzheng.apps.audit.models import AuditEvent
from xinzheng.apps.reports.applications import fulfil_application
from xinzheng.apps.reports.models import Application
from xinzheng.apps.reports.packs import current_policy
from xinzheng.apps.reports.queries import report_view

pytestmark = pytest.mark.django_db


def preset_of(account: Account) -> dict[str, object]:
    """What the untouched form sends."""
    page = client_of(account).get("/apply").content.decode()
    fields: dict[str, object] = {}
    for name in ("key", "policy", "told", "from", "to"):
        found = re.search(rf'name="{name}"[^>]*value="([^"]*)"', page)
        assert found, name
        fields[name] = found[1]
    fields["purpose"] = re.findall(r'name="purpose" value="([^"]+)" checked', page)[0]
    fields["domains"] = re.findall(r'name="domains" value="([^"]+)" checked', page)
    return fields


def apply(account: Account, **changes: object) -> Application:
    """Press the one button."""
    response = client_of(account).post("/apply", preset_of(account) | changes)
    assert response.status_code == 302, response.content.decode()
    return Application.objects.get(pk=response.headers["Location"].rsplit("/", 1)[1])


def test_everything_is_preset_and_one_button_is_enough(people: People) -> None:
    page = client_of(people.clean).get("/apply").content.decode()
    policy = current_policy("suzhou-2024")
    assert "苏州示例精密制造有限公司" in page
    assert f"全部{len(policy.domains)}个领域" in page
    assert page.count("<button") - page.count('<button class="link"') - page.count('class="switch"') == 1
    application = apply(people.clean)
    assert application.request.get("domains") is None
    assert application.state == "queued"


def test_the_page_says_what_the_report_cannot_replace(people: People) -> None:
    page = client_of(people.clean).get("/apply").content.decode()
    for exception in current_policy("suzhou-2024").exceptions:
        assert exception.quote in page


def test_sending_the_same_page_twice_makes_one_application_and_one_report(people: People) -> None:
    fields = preset_of(people.clean)
    client = client_of(people.clean)
    first, second = client.post("/apply", fields), client.post("/apply", fields)
    assert first.headers["Location"] == second.headers["Location"]
    assert Application.objects.count() == 1


def test_fewer_domains_and_a_shorter_period_are_taken_as_chosen(people: People) -> None:
    application = apply(people.clean, domains=["taxation", "justice"], **{"from": "2025-01-01"})
    done = fulfil_application(application.pk)
    assert done.number is not None
    content = report_view(done.number).content
    assert [row["code"] for row in content["domains"]] == ["justice", "taxation"]
    assert content["scope"]["from"] == "2025-01-01"


@pytest.mark.parametrize(
    ("changes", "field", "message"),
    [
        ({"domains": []}, "domains", "至少要选一个领域"),
        ({"from": "2026-05-01", "to": "2026-04-01"}, "from", "开始日期晚于结束日期"),
        ({"from": "昨天"}, "from", "开始日期没有填对"),
        ({"to": ""}, "to", "结束日期没有填对"),
        ({"purpose": "mischief"}, "purpose", "请从列出的用途中选一项"),
    ],
)
def test_a_mistake_is_told_and_nothing_is_submitted(
    people: People, changes: dict[str, object], field: str, message: str
) -> None:
    response = client_of(people.clean).post("/apply", preset_of(people.clean) | changes)
    page = response.content.decode()
    assert response.status_code == 422
    assert f'<a href="#{field}">{message}' in page
    assert f'id="{field}"' in page
    assert not Application.objects.exists()


def test_a_policy_that_is_not_offered_is_told_and_never_swapped_for_another(people: People) -> None:
    response = client_of(people.clean).post("/apply", preset_of(people.clean) | {"policy": "huzhou-2023"})
    assert response.status_code == 422
    assert "原来选的政策现在不能申请" in response.content.decode()
    assert not Application.objects.exists()


def test_the_progress_page_shows_the_step_and_leads_to_the_report(people: People) -> None:
    application = apply(people.clean)
    client = client_of(people.clean)
    page = client.get(f"/applications/{application.pk}").content.decode()
    assert 'hx-trigger="every 1s"' in page
    assert '<noscript><meta http-equiv="refresh"' in page
    assert '<li class="is-now">' in page
    part = client.get(f"/applications/{application.pk}", headers={"HX-Request": "true"}).content.decode()
    assert part.lstrip().startswith('<div id="progress"')
    number = fulfil_application(application.pk).number
    assert client.get(f"/applications/{application.pk}").headers["Location"] == f"/reports/{number}"
    moved = client.get(f"/applications/{application.pk}", headers={"HX-Request": "true"})
    assert moved.headers["HX-Redirect"] == f"/reports/{number}"


def test_a_failure_says_what_happened_stops_asking_and_can_be_tried_again(people: People) -> None:
    application = apply(people.clean)
    Application.objects.filter(pk=application.pk).update(state="failed", message="签名服务没有应答。")
    client = client_of(people.clean)
    page = client.get(f"/applications/{application.pk}").content.decode()
    assert "签名服务没有应答。" in page
    assert "hx-trigger" not in page
    assert "http-equiv" not in page
    client.post(f"/applications/{application.pk}/retry")
    application.refresh_from_db()
    assert application.state == "queued"


def test_the_report_page_gives_the_conclusion_every_domain_and_every_finding_with_its_reason(
    city: SmallCity, people: People
) -> None:
    city.submit(penalties(city))
    number = issue(people.punished).number
    view = report_view(number)
    page = client_of(people.punished).get(f"/reports/{number}").content.decode()
    flat = re.sub(r"<[^>]+>", "", page)
    assert view.content["conclusion"]["text"] in flat
    assert '<section class="answer answer-found"' in page
    for row in view.content["domains"]:
        assert row["text"] in flat
    assert len(view.findings) == 4
    for finding in view.findings:
        assert escape(finding.sentence) in page
        assert escape(finding.quote) in page
        assert escape(finding.citation) in page
    assert {f.effect_word for f in view.findings} == {"计入", "没有计入"}
    assert "政策原文" in page
    assert "未能核查" in flat


def test_not_verifiable_stands_out_as_strongly_as_records_found(city: SmallCity, people: People) -> None:
    city.submit(penalties(city))
    page = client_of(people.punished).get(f"/reports/{issue(people.punished).number}").content.decode()
    assert page.count('class="row-found"') == 1
    assert page.count('class="row-unver"') == 1


def test_a_report_without_findings_says_how_far_the_data_reaches_instead_of_an_empty_list(people: People) -> None:
    page = client_of(people.clean).get(f"/reports/{issue(people.clean).number}").content.decode()
    assert "没有要逐条说明的记录" in page
    assert "暂无数据" not in page


def test_the_file_is_the_signed_report_and_fetching_it_is_recorded(people: People) -> None:
    number = issue(people.clean).number
    response = client_of(people.clean).get(f"/reports/{number}.pdf")
    assert response.headers["Content-Type"] == "application/pdf"
    assert response.headers["Content-Disposition"] == f'attachment; filename="{number}.pdf"'
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.content.startswith(b"%PDF-")
    assert AuditEvent.objects.filter(action="report-downloaded", object_id=number).count() == 1


def test_the_list_is_empty_with_a_way_on_and_later_shows_reports_and_what_is_under_way(people: People) -> None:
    client = client_of(people.clean)
    assert "还没有报告" in client.get("/reports").content.decode()
    number = issue(people.clean).number
    apply(people.clean)
    page = client.get("/reports").content.decode()
    assert f'href="/reports/{number}"' in page
    assert "正在出具" in page


def test_nobody_reads_or_follows_another_subjects_report_or_application(people: People) -> None:
    number = issue(people.punished).number
    application = apply(people.punished)
    for page in (f"/reports/{number}", f"/reports/{number}.pdf", f"/applications/{application.pk}"):
        for account in (people.clean, people.officer):
            assert client_of(account).get(page).status_code == 403, page
        assert Client().get(page).status_code == 302
    assert client_of(people.clean).post(f"/applications/{application.pk}/retry").status_code == 403


def test_the_refusal_gives_the_reason_and_what_to_do(people: People) -> None:
    page = client_of(people.officer).get("/apply").content.decode()
    assert "只有该主体的经办人可以申请" in page
    assert "换用有权限的账户" in page


def test_guessed_numbers_and_keys_are_not_found(people: People) -> None:
    client = client_of(people.clean)
    assert client.get("/reports/SZ2026010100000010").status_code == 404
    assert client.get("/reports/SZ2026010100000010.pdf").status_code == 404
    assert client.get(f"/applications/{uuid.uuid4()}").status_code == 404


def test_the_credit_office_may_read_a_report_and_that_is_recorded(people: People) -> None:
    number = issue(people.punished).number
    assert client_of(people.office).get(f"/reports/{number}").status_code == 200
    assert AuditEvent.objects.filter(action="report-read", object_id=number).count() == 1


def test_the_report_page_asks_a_bounded_number_of_questions_of_the_database(
    city: SmallCity, people: People, django_assert_max_num_queries: Callable[[int], object]
) -> None:
    city.submit(penalties(city))
    number, client = issue(people.punished).number, client_of(people.punished)
    with django_assert_max_num_queries(15):  # type: ignore[attr-defined]
        client.get(f"/reports/{number}")


def test_the_list_asks_no_more_with_more_reports(
    people: People, django_assert_max_num_queries: Callable[[int], object]
) -> None:
    for _ in range(3):
        issue(people.clean)
    client = client_of(people.clean)
    with django_assert_max_num_queries(6):  # type: ignore[attr-defined]
        client.get("/reports")

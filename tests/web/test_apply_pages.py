"""Applying: for whom it is meant, what it cannot replace, how often in a day, once more with the same scope."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from pytest_django import Settings

from tests.small_city import today
from tests.web.conftest import People, client_of, issue
from tests.web.test_subject_pages import apply, preset_of
from xinzheng.apps.audit.models import AuditEvent
from xinzheng.apps.reports.applications import fulfil_application
from xinzheng.apps.reports.forms import application_form
from xinzheng.apps.reports.models import Application
from xinzheng.apps.reports.packs import current_policy
from xinzheng.apps.reports.queries import report_view
from xinzheng.core.decision import Request
from xinzheng.web.subjects.request_form import within
from xinzheng.web.subjects.same_scope import closed_choices

pytestmark = pytest.mark.django_db


def hidden(page: str, name: str) -> str:
    """The value of a hidden field; empty where there is none."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    return found[1] if found else ""


def refill(page: str) -> dict[str, object]:
    """What the form sends as it stands."""
    fields: dict[str, object] = {name: hidden(page, name) for name in ("key", "policy", "told", "again_of")}
    for name in ("from", "to"):
        found = re.search(rf'name="{name}"[^>]*value="([^"]*)"', page)
        assert found
        fields[name] = found[1]
    fields["purpose"] = re.findall(r'name="purpose" value="([^"]+)" checked', page)[0]
    fields["domains"] = re.findall(r'name="domains" value="([^"]+)" checked', page)
    return {name: value for name, value in fields.items() if value != ""}


def test_the_receiver_is_optional_kept_with_the_application_and_not_in_the_report(people: People) -> None:
    assert apply(people.clean).receiver_name == ""
    application = apply(people.clean, receiver="  示例银行 苏州分行 ")
    assert application.receiver_name == "示例银行 苏州分行"
    done = fulfil_application(application.pk)
    assert done.number is not None
    assert "示例银行" not in str(report_view(done.number).content)
    assert "示例银行 苏州分行" in client_of(people.clean).get("/applications").content.decode()
    assert 'value="示例银行 苏州分行"' in client_of(people.clean).get(f"/reports/{done.number}/share").content.decode()


@pytest.mark.parametrize("name", ["示" * 101, "李某330502199001010014", "打 138 1234 5678"])
def test_a_receiver_that_is_no_body_s_name_is_told_at_its_field(people: People, name: str) -> None:
    response = client_of(people.clean).post("/apply", preset_of(people.clean) | {"receiver": name})
    page = response.content.decode()
    assert response.status_code == 422
    assert 'id="receiver-error"' in page
    assert 'aria-invalid="true"' in page
    assert not Application.objects.exists()


def test_the_exceptions_stand_before_the_button_and_what_was_told_is_recorded(people: People) -> None:
    page = client_of(people.clean).get("/apply").content.decode()
    quote = current_policy("suzhou-2024").exceptions[0].quote
    assert page.index(quote) < page.index("出具报告</button>")
    apply(people.clean)
    event = AuditEvent.objects.get(action="application-submitted")
    assert event.details["told"] == hidden(page, "told")


@pytest.mark.parametrize("told", ["", "0123456789abcdef"])
def test_without_having_seen_the_exceptions_nothing_is_submitted(people: People, told: str) -> None:
    response = client_of(people.clean).post("/apply", preset_of(people.clean) | {"told": told})
    assert response.status_code == 422
    assert '<a href="#told">' in response.content.decode()
    assert not Application.objects.exists()


def test_the_day_s_limit_is_told_before_it_is_reached_and_when_it_is(people: People, settings: Settings) -> None:
    settings.XINZHENG_DAILY_LIMITS = {"suzhou-2024": 2}
    client, fields = client_of(people.clean), preset_of(people.clean)
    assert "今天还可以申请2份" in client.get("/apply").content.decode()
    client.post("/apply", fields)
    assert client.post("/apply", fields).status_code == 302
    apply(people.clean)
    page = client.get("/apply").content.decode()
    assert "今天的份数已经用完" in page
    assert "出具报告</button>" not in page
    response = client.post("/apply", fields | {"key": "00000000-0000-4000-8000-000000000001"})
    assert response.status_code == 422
    assert "今天已经申请2份" in response.content.decode()
    assert Application.objects.count() == 2


def test_without_a_limit_the_page_says_nothing_of_one(people: People) -> None:
    assert "今天" not in client_of(people.clean).get("/apply").content.decode().split("<main")[1]


def test_a_report_is_made_again_with_the_same_scope_and_newer_data(people: People) -> None:
    start = (today() - timedelta(days=300)).isoformat()
    first = fulfil_application(apply(people.clean, domains=["taxation", "justice"], **{"from": start}).pk).number
    client = client_of(people.clean)
    page = client.get(f"/reports/{first}/again").content.decode()
    assert "按同样的范围再次出具" in page
    assert "有不同" not in page
    where = client.post("/apply", refill(page)).headers["Location"]
    again = Application.objects.get(pk=where.rsplit("/", 1)[1])
    assert again.again_of == first
    second = fulfil_application(again.pk).number
    assert first is not None
    assert second is not None
    assert second != first
    old, new = report_view(first).content, report_view(second).content
    assert [row["code"] for row in new["domains"]] == [row["code"] for row in old["domains"]]
    assert new["scope"] == old["scope"]
    assert AuditEvent.objects.filter(action="application-submitted", details__again_of=first).count() == 1


def test_the_widest_report_made_again_is_the_widest_of_its_day(people: People) -> None:
    number = issue(people.clean).number
    page = client_of(people.clean).get(f"/reports/{number}/again").content.decode()
    client_of(people.clean).post("/apply", refill(page))
    again = Application.objects.get()
    assert (again.again_of, again.request["domains"], again.request["from"]) == (number, None, None)


def test_what_is_changed_on_the_page_is_no_longer_the_same_scope(people: People) -> None:
    number = issue(people.clean).number
    page = client_of(people.clean).get(f"/reports/{number}/again").content.decode()
    client_of(people.clean).post("/apply", refill(page) | {"domains": ["taxation"]})
    assert Application.objects.get().again_of == ""


def test_what_cannot_be_asked_any_more_is_told_and_comes_inside(people: People) -> None:
    assert people.clean.subject_id is not None
    form = application_form("suzhou-2024", people.clean.subject_id)
    old = Request(("taxation", "gone"), form.from_date - timedelta(days=400), today() - timedelta(days=30), "gone")
    now = within(form, old)
    assert (now.domains, now.from_date, now.to_date) == (("taxation",), form.from_date, old.to_date)
    assert now.purpose == form.default_purpose
    assert len(list(closed_choices(form, old))) == 3
    assert list(closed_choices(form, Request())) == []


def test_nobody_repeats_another_s_report(people: People) -> None:
    number = issue(people.punished).number
    assert client_of(people.clean).get(f"/reports/{number}/again").status_code == 404
    assert client_of(people.clean).get("/reports/nothing/again").status_code == 404
    assert client_of(people.office).get(f"/reports/{number}/again").status_code == 403
    assert Client().get(f"/reports/{number}/again").status_code == 302
    client_of(people.clean).post("/apply", preset_of(people.clean) | {"again_of": number})
    assert Application.objects.get().again_of == ""


def test_the_history_lists_every_application_with_what_became_of_it(people: People) -> None:
    first, second = apply(people.clean), apply(people.clean)
    done = fulfil_application(first.pk)
    Application.objects.filter(pk=second.pk).update(state="failed")
    client = client_of(people.clean)
    page = client.get("/applications").content.decode()
    assert f"/reports/{done.number}/again" in page
    assert f"/applications/{second.pk}" in page
    assert "未能出具" in page
    assert client_of(people.punished).get("/applications").content.decode().count("<tr") == 0
    assert client.get("/applications?before=" + str(second.pk)).content.decode().count("<tr") == 2
    for wrong in ("x", "\0", "00000000-0000-4000-8000-000000000001"):
        assert client.get("/applications", {"before": wrong}).status_code == 404
    assert client_of(people.punished).get(f"/applications?before={second.pk}").status_code == 404

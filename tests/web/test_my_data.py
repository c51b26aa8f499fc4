"""What is kept about oneself: masked, in full after signing in again, taken along, and who looked at it."""

import io
import json
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest
from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY
from django.http import HttpResponse
from django.test import Client

from tests.bare_objection import lodged
from tests.permissions.world import enter
from tests.redress_city import small_pdf
from tests.small_city import SmallCity, build_small_city
from tests.web.conftest import PASSWORD, People, client_of, issue
from xinzheng.apps.accounts.actions import NewAccount, open_account
from xinzheng.apps.accounts.models import Account, Role
from xinzheng.apps.audit.models import AuditEvent
from xinzheng.apps.oversight.paper_demands import Demand, report_demand
from xinzheng.apps.redress.evidence import keep, read_file
from xinzheng.apps.redress.words import keep_words
from xinzheng.apps.registry.actions import erase_person, keep_phone, register_person
from xinzheng.apps.registry.queries import phone_of

pytestmark = pytest.mark.django_db

NUMBER, NAME, PHONE = "330502199001010014", "示例甲乙", "13812345678"


def fresh(account: Account, seconds_ago: float = 0) -> Client:
    """A browser in which this account proved who it is so long ago."""
    client = enter(Client(), account)
    session = client.session
    session[AUTHENTICATION_METHODS_SESSION_KEY] = [{"method": "password", "at": time.time() - seconds_ago}]
    session.save()
    return client


@pytest.fixture
def person(db: None) -> Account:
    """A natural person, signed in by a platform that vouched for the number."""
    subject_id = register_person(NUMBER, NAME, by="system")
    keep_phone(subject_id, PHONE, by="system")
    return open_account(NewAccount("person", NAME, Role.SUBJECT_AGENT, person_id=subject_id), by="test")


def exported(response: HttpResponse) -> dict[str, Any]:
    """What the file says."""
    with zipfile.ZipFile(io.BytesIO(response.content)) as file:
        assert file.namelist() == ["personal-information.json", "说明.txt"]
        found: dict[str, Any] = json.loads(file.read("personal-information.json"))
    return found


def test_name_number_and_phone_are_masked(person: Account) -> None:
    page = client_of(person).get("/my-data").content.decode().split("<main")[1]
    assert "示＊＊＊" in page
    assert "330502********0014" in page
    assert "138****5678" in page
    for secret in (NUMBER, PHONE):
        assert secret not in page


def test_the_full_view_takes_a_fresh_proof_and_each_is_an_event(person: Account) -> None:
    stale = fresh(person, 301).get("/my-data/full")
    assert stale.headers["Location"] == "/sign-in/again?next=%2Fmy-data%2Ffull"
    assert not AuditEvent.objects.filter(action="identity-shown").exists()
    response = fresh(person).get("/my-data/full")
    page = response.content.decode()
    assert NUMBER in page
    assert PHONE in page
    assert "no-store" in response.headers["Cache-Control"]
    event = AuditEvent.objects.get(action="identity-shown")
    assert (event.who, event.subject_id, event.details) == (person.actor, person.person_id, {})
    assert "显示完整身份信息" in client_of(person).get("/my-data").content.decode()


def test_who_has_no_identity_here_sees_no_full_view_and_keeps_no_phone(people: People) -> None:
    for account in (people.clean, people.office, people.administrator):
        assert fresh(account).get("/my-data").status_code == 200
        assert fresh(account).get("/my-data/full").status_code == 404
        assert fresh(account).post("/my-data/phone", {"phone": PHONE}).status_code == 404
    assert Client().get("/my-data").status_code == 302


def test_the_export_holds_everything_about_the_person_and_takes_a_fresh_proof(person: Account) -> None:
    assert person.person_id is not None
    stale = fresh(person, 301).post("/my-data/export", {"page": "/my-data"})
    assert stale.headers["Location"] == "/sign-in/again?next=%2Fmy-data"
    report_demand(Demand(person.person_id, "示例平台"), by=person.actor)
    response = fresh(person).post("/my-data/export", {"page": "/my-data"})
    assert response.headers["Content-Disposition"] == 'attachment; filename="personal-information.zip"'
    assert "no-store" in response.headers["Cache-Control"]
    found = exported(response)
    assert found["person"] == {"subject": person.person_id, "name": NAME, "identity_number": NUMBER, "phone": PHONE}
    assert found["account"]["username"] == "person"
    assert "password" not in found["account"]
    assert [row["body_name"] for row in found["paper_demands"]] == ["示例平台"]
    about = [row["words"] for row in found["events_about"]]
    assert {"登记自然人", "登记手机号码", "导出个人信息"} <= set(about)
    assert {row["action"] for row in found["events_by"]} >= {"paper-demand-reported", "personal-data-exported"}
    assert AuditEvent.objects.filter(action="personal-data-exported", subject_id=person.person_id).count() == 1


def test_the_export_names_reports_and_applications_of_a_person_under_huzhou(db: None, tmp_path: Path) -> None:
    city = build_small_city(tmp_path, "huzhou-2023", units_per_domain=1)
    city.declare_everything()
    subject = city.firm(NUMBER, NAME, 类型="自然人", 法定代表人="", 登记状态="")
    account = open_account(NewAccount("demo-person", "示例", Role.SUBJECT_AGENT, subject_id=subject), by="test")
    number = issue(account, "huzhou-2023").number
    found = exported(fresh(account).post("/my-data/export"))
    assert [row["number"] for row in found["reports"]] == [number]
    assert found["person"]["identity_number"] == NUMBER


def test_the_export_holds_a_person_s_objections_with_every_step_own_words_and_names_of_files(person: Account) -> None:
    assert person.person_id is not None
    step = lodged(subject=person.person_id)
    keep_words(step, "这不是我的")
    keep([read_file(small_pdf(), "证明.pdf")], step=step, by=person.actor)
    lodged("Y20261102-0002", subject=1)
    (found,) = exported(fresh(person).post("/my-data/export"))["objections"]
    assert (found["number"], found["state"], found["ground"]) == ("Y20261102-0001", "intake", "wrong")
    assert [(one["act"], one["words"]) for one in found["steps"]] == [("lodge", "这不是我的")]
    assert [file["name"] for file in found["files"]] == ["证明.pdf"]


def test_nothing_of_a_company_or_of_another_is_in_an_agent_s_export(city: SmallCity, people: People) -> None:
    issue(people.clean)
    issue(people.punished)
    found = exported(fresh(people.clean).post("/my-data/export"))
    assert (found["person"], found["reports"], found["shares"], found["events_about"]) == (None, [], [], [])
    said = json.dumps(found, ensure_ascii=False)
    assert people.punished.username not in said
    assert PASSWORD not in said


def test_the_phone_is_changed_and_deleted_after_a_fresh_proof(person: Account) -> None:
    assert person.person_id is not None
    assert fresh(person, 301).post("/my-data/phone", {"phone": "13912345678"}).status_code == 302
    assert phone_of(person.person_id) == PHONE
    assert fresh(person).post("/my-data/phone", {"phone": "139 1234 5678"}).headers["Location"] == "/my-data"
    assert phone_of(person.person_id) == "13912345678"
    wrong = fresh(person).post("/my-data/phone", {"phone": "12345"})
    assert wrong.status_code == 422
    assert 'id="phone-error"' in wrong.content.decode()
    fresh(person).post("/my-data/phone", {"delete": "1"})
    assert phone_of(person.person_id) is None


def test_the_log_names_staff_by_their_office_and_others_masked(city: SmallCity, people: People) -> None:
    number = issue(people.clean).number
    client_of(people.office).get(f"/reports/{number}")
    client_of(people.clean).get(f"/reports/{number}.pdf")
    page = client_of(people.clean).get("/my-data").content.decode().split("<main")[1]
    assert "查看报告" in page
    assert "信用办工作人员" in page
    assert people.office.display_name not in page
    assert "查看报告" not in client_of(people.punished).get("/my-data").content.decode()


def test_the_log_goes_on_page_by_page(person: Account) -> None:
    assert person.person_id is not None
    AuditEvent.objects.bulk_create(
        AuditEvent(
            who="system", action="report-read", object_kind="report", object_id=str(n), subject_id=person.person_id
        )
        for n in range(60)
    )
    client = client_of(person)
    first = client.get("/my-data").content.decode()
    assert first.count('data-label="事项"') == 50
    older = first.split('href="/my-data?before=')[1].split('"')[0]
    assert client.get(f"/my-data?before={older}").content.decode().count('data-label="事项"') >= 12
    for wrong in ("x", "-1", "9" * 30, "\0", "１"):
        assert client.get("/my-data", {"before": wrong}).status_code == 200


def test_an_erased_person_s_page_says_so(person: Account) -> None:
    assert person.person_id is not None
    erase_person(person.person_id, by="system")
    page = client_of(person).get("/my-data").content.decode()
    assert "没有保存" in page
    assert fresh(person).get("/my-data/full").status_code == 404
    assert exported(fresh(person).post("/my-data/export"))["person"]["identity_number"] is None

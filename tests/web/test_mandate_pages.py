"""The page of mandates: an agent asks with a letter, the representative confirms and revokes; each chooses his own."""

import re
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.permissions.world import enter
from tests.small_city import SmallCity, today, uscc
from tests.web.conftest import CLEAN, People, client_of, issue
from xinzheng.apps.accounts.actions import NewAccount, open_account
from xinzheng.apps.accounts.mandate_queries import scopes_of
from xinzheng.apps.accounts.models import Account, Mandate, MandateAnswer, MandateRequest, Role
from xinzheng.apps.audit.models import AuditEvent
from xinzheng.apps.registry.representatives import claim_representation
from xinzheng.web.subjects.personal_data import everything

pytestmark = pytest.mark.django_db

PAGE = "/mandates"
PDF = b"%PDF-1.7 sealed by the company"


@pytest.fixture
def clerk(people: People) -> Account:
    return open_account(NewAccount("clerk", "经办人小示", Role.SUBJECT_AGENT), by="test")


def fresh(account: Account) -> Client:
    """A browser that proved just now who is there."""
    return enter(Client(), account)


def asked(clerk: Account, content: bytes = PDF, **changes: object) -> tuple[int, str]:
    until = (today() + timedelta(days=30)).isoformat()
    file = SimpleUploadedFile("授权书.pdf", content)
    fields = {"code": CLEAN, "scopes": ["read"], "until": until, "letter": file} | changes
    response = client_of(clerk).post(PAGE, fields)
    return response.status_code, response.content.decode()


def waiting(clerk: Account) -> MandateRequest:
    assert asked(clerk)[0] == 302
    return MandateRequest.objects.get()


def test_an_agent_asks_the_representative_confirms_and_the_report_opens(people: People, clerk: Account) -> None:
    report, request = issue(people.clean), waiting(clerk)
    assert client_of(clerk).get(f"/reports/{report.number}").status_code == 403
    page = client_of(people.clean).get(PAGE).content.decode()
    assert "经办人小示" in page
    assert "查看报告" in page
    sent = fresh(people.clean).post(f"{PAGE}/requests/{request.pk}/answer", {"answer": "confirm"}, follow=True)
    assert "授权立即生效" in sent.content.decode()
    assert client_of(clerk).get(f"/reports/{report.number}").status_code == 200
    clerk.refresh_from_db()
    assert client_of(clerk).get("/reports").status_code == 200
    assert client_of(clerk).get("/apply").status_code == 403


def test_confirming_takes_a_fresh_proof_of_who_is_there(people: People, clerk: Account) -> None:
    request = waiting(clerk)
    sent = client_of(people.clean).post(f"{PAGE}/requests/{request.pk}/answer", {"answer": "confirm", "page": PAGE})
    assert sent.headers["Location"] == "/sign-in/again?next=%2Fmandates"
    assert not MandateAnswer.objects.exists()


def test_revoking_ends_everything_at_once(people: People, clerk: Account) -> None:
    report, request = issue(people.clean), waiting(clerk)
    head = fresh(people.clean)
    head.post(f"{PAGE}/requests/{request.pk}/answer", {"answer": "confirm"})
    mandate = Mandate.objects.get(account=clerk)
    assert "已撤销，立即生效" in head.post(f"{PAGE}/{mandate.pk}/revoke", follow=True).content.decode()
    assert client_of(clerk).get(f"/reports/{report.number}").status_code == 403
    assert "已结束的授权（1项）" in head.get(PAGE).content.decode()
    assert "已经撤销" in head.post(f"{PAGE}/{mandate.pk}/revoke", follow=True).content.decode()


def test_an_agent_gives_up_his_own_mandate(people: People, clerk: Account) -> None:
    request = waiting(clerk)
    fresh(people.clean).post(f"{PAGE}/requests/{request.pk}/answer", {"answer": "confirm"})
    mandate = Mandate.objects.get(account=clerk)
    assert client_of(clerk).post(f"{PAGE}/{mandate.pk}/revoke").status_code == 302
    assert people.clean.subject_id is not None
    assert scopes_of(clerk, people.clean.subject_id, today()) == frozenset()


def test_refusing_gives_nothing(people: People, clerk: Account) -> None:
    request = waiting(clerk)
    sent = fresh(people.clean).post(f"{PAGE}/requests/{request.pk}/answer", {"answer": "refuse"}, follow=True)
    assert "已拒绝" in sent.content.decode()
    assert not Mandate.objects.filter(account=clerk).exists()


def test_nobody_else_sees_answers_or_revokes(people: People, clerk: Account) -> None:
    request = waiting(clerk)
    mandate = Mandate.objects.get(account=people.clean)
    for stranger in (people.punished, people.officer, people.office, people.administrator):
        client = fresh(stranger)
        assert client.get(f"{PAGE}/requests/{request.pk}/letter").status_code == 404
        assert client.post(f"{PAGE}/requests/{request.pk}/answer", {"answer": "confirm"}).status_code == 404
        assert client.post(f"{PAGE}/{mandate.pk}/revoke").status_code == 404
    assert fresh(clerk).post(f"{PAGE}/requests/{request.pk}/answer", {"answer": "confirm"}, follow=True)
    assert not MandateAnswer.objects.exists()


def test_the_letter_is_a_file_to_keep_for_those_it_concerns_and_reading_it_is_recorded(
    people: People, clerk: Account
) -> None:
    request = waiting(clerk)
    for account in (people.clean, clerk):
        response = client_of(account).get(f"{PAGE}/requests/{request.pk}/letter")
        assert response.content == PDF
        assert response.headers["Content-Disposition"] == f'attachment; filename="letter-{request.pk}.pdf"'
        assert "no-store" in response.headers["Cache-Control"]
    assert AuditEvent.objects.filter(action="letter-read", subject_id=people.clean.subject_id).count() == 2


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"code": uscc(77)[:-1] + "I"}, "这不是统一社会信用代码"),
        ({"code": "330502199001010014"}, "这不是统一社会信用代码"),
        ({"code": "\0"}, "这不是统一社会信用代码"),
        ({"scopes": []}, "至少选一项"),
        ({"scopes": ["authorise"]}, "至少选一项"),
        ({"until": ""}, "最后一日"),
        ({"until": "2999-01-01"}, "最长一年"),
        ({"until": "2020-01-01"}, "最长一年"),
        ({"content": b"<html>"}, "须是PDF"),
        ({"letter": ""}, "不超过5MB"),
    ],
)
def test_a_mistake_is_told_at_its_field_and_nothing_waits(
    people: People, clerk: Account, changes: dict[str, object], told: str
) -> None:
    status, page = asked(clerk, **changes)  # type: ignore[arg-type]
    assert status == 422
    assert told in page
    assert "处需要改正" in page
    assert not MandateRequest.objects.exists()


def test_one_chooses_among_ones_own_and_no_other(people: People, city: SmallCity, clerk: Account) -> None:
    fresh(people.clean).post(f"{PAGE}/requests/{waiting(clerk).pk}/answer", {"answer": "confirm"})
    second = open_account(NewAccount("both", "示例", Role.SUBJECT_AGENT, subject_id=people.punished.subject_id), by="t")
    client = client_of(second)
    assert client.post(f"{PAGE}/choose", {"subject": str(people.clean.subject_id)}, follow=True).status_code == 200
    second.refresh_from_db()
    assert second.subject_id == people.punished.subject_id
    for odd in ("", "x", "٣", "9" * 40, "\0"):
        assert client.post(f"{PAGE}/choose", {"subject": odd}).status_code == 404


def test_the_chosen_company_is_the_one_applied_for(people: People, city: SmallCity) -> None:
    other = city.firm(uscc(5), "苏州另一示例有限公司", 法定代表人="示例甲")
    assert isinstance(claim_representation(people.clean, other, "示例甲"), Mandate)
    client = client_of(people.clean)
    page = client.get(PAGE).content.decode()
    assert "苏州另一示例有限公司" in page
    client.post(f"{PAGE}/choose", {"subject": str(other)})
    assert "苏州另一示例有限公司" in client.get("/apply").content.decode()


def test_who_the_register_does_not_name_waits_for_the_office(people: People, city: SmallCity, clerk: Account) -> None:
    firm = city.firm(uscc(6), "苏州待核示例有限公司", 法定代表人="示例甲")
    request = claim_representation(clerk, firm, "示例乙")
    office = fresh(people.office)
    assert "苏州待核示例有限公司" in office.get("/office/representatives").content.decode()
    sent = office.post(f"{PAGE}/requests/{request.pk}/answer", {"answer": "confirm"})
    assert sent.headers["Location"] == "/office/representatives"
    assert "authorise" in scopes_of(clerk, firm, today())


def test_whoever_acts_for_nobody_is_told_where_to_begin(clerk: Account) -> None:
    assert "/mandates" in client_of(clerk).get("/apply").content.decode()
    assert "还没有可以代理的主体" in client_of(clerk).get(PAGE).content.decode()


def _said_of(clerk: Account, code: str) -> tuple[int, str, int]:
    """The status, the page with nothing in it that each request draws anew, and how many statements it took."""
    until = (today() + timedelta(days=30)).isoformat()
    fields = {"code": code, "scopes": ["read"], "until": until, "letter": SimpleUploadedFile("授权书.pdf", PDF)}
    client = client_of(clerk)
    with CaptureQueriesContext(connection) as asked_of_it:
        answer = client.post(PAGE, fields)
    page = client.get(PAGE).content.decode().replace(code, "")
    return answer.status_code, re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", page), len(asked_of_it)


def test_asking_tells_nobody_which_companies_are_in_the_register(people: People, city: SmallCity) -> None:
    clerks = [open_account(NewAccount(f"clerk-{n}", "经办人", Role.SUBJECT_AGENT), by="test") for n in range(3)]
    _said_of(clerks[2], CLEAN)  # what a process does only once is done
    registered, unregistered = _said_of(clerks[0], CLEAN), _said_of(clerks[1], uscc(77))
    assert registered == unregistered
    assert registered[0] == 302
    assert "已提交" in registered[1]
    assert "等待确认的申请" in registered[1]
    assert [asked.subject_id for asked in MandateRequest.objects.order_by("pk")][1:] == [people.clean.subject_id, 0]
    assert everything(clerks[0])["mandate_requests"][0].keys() == everything(clerks[1])["mandate_requests"][0].keys()


def test_what_waits_for_nobody_is_seen_and_answered_by_nobody(people: People, clerk: Account) -> None:
    assert asked(clerk, code=uscc(77))[0] == 302
    request = MandateRequest.objects.get()
    assert fresh(people.clean).post(f"{PAGE}/requests/{request.pk}/answer", {"answer": "confirm"}).status_code == 404
    assert fresh(people.office).post(f"{PAGE}/requests/{request.pk}/answer", {"answer": "confirm"}).status_code == 404
    assert fresh(clerk).post(f"{PAGE}/requests/{request.pk}/answer", {"answer": "confirm"}, follow=True)
    assert not Mandate.objects.filter(account=clerk).exists()
    assert client_of(clerk).get(f"{PAGE}/requests/{request.pk}/letter").content == PDF
    assert AuditEvent.objects.get(action="mandate-asked").subject_id is None

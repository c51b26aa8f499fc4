"""The auditor's page: who did what, found by any of its sides, page by page, taken away; and refusals are in it."""

import csv
import re
from datetime import timedelta
from io import BytesIO, StringIO
from typing import Any

import pytest
from django.db import connection, transaction
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from python_calamine import CalamineWorkbook

from tests.small_city import today
from tests.web.conftest import PASSWORD, People, client_of
from xinzheng.apps.accounts.actions import NewAccount, open_account
from xinzheng.apps.accounts.models import Account, Role
from xinzheng.apps.audit.actions import About, record_event
from xinzheng.apps.audit.event_queries import EventFilter, events, trail_state
from xinzheng.apps.audit.log import seal_log
from xinzheng.apps.audit.models import AuditEvent
from xinzheng.apps.audit.seal_check import check_chain, note_check
from xinzheng.apps.audit.seals import chain_head, seal_events
from xinzheng.apps.audit.tasks import check_trail
from xinzheng.web.audit import files, trail

pytestmark = pytest.mark.django_db

PAGE = "/audit"
PERSON = "110101199003074477"


@pytest.fixture
def auditor(db: None) -> Account:
    return open_account(NewAccount("demo-auditor", "示例辛", Role.AUDITOR, password=PASSWORD), by="test")


def write(count: int, **changes: Any) -> None:
    given = {"who": "system", "action": "report-read", "object_kind": "report"} | changes
    for number in range(count):
        record_event(object_id=f"SZ{number}", **given)


def numbers(response: HttpResponse) -> list[str]:
    """The objects of the rows, in their order."""
    table = response.content.decode().partition("<tbody")[2].partition("</tbody>")[0]
    return re.findall(r'<span class="code">([^<]+)</span>', table)


def rows_of(response: Any) -> list[list[str]]:
    text = b"".join(response.streaming_content).decode("utf-8")
    assert text.startswith("\ufeff")
    return list(csv.reader(StringIO(text[1:])))


def test_only_the_auditor_reads_and_takes_away(people: People, auditor: Account) -> None:
    for address in (PAGE, "/audit/events.csv", "/audit/events.xlsx"):
        assert Client().get(address).status_code == 302
        for account in (people.clean, people.officer, people.chief, people.office, people.administrator):
            assert client_of(account).get(address).status_code == 403
            assert client_of(account).post(address).status_code in (403, 405)
    assert client_of(auditor).get(PAGE).status_code == 200
    for address in ("/audit/events.csv", "/audit/events.xlsx"):
        assert client_of(auditor).get(address).headers["Location"] == PAGE


def test_what_was_done_is_told_in_words_newest_first_and_page_by_page(auditor: Account) -> None:
    write(120)
    client = client_of(auditor)
    first = client.get(PAGE)
    assert numbers(first)[0] == "SZ119"
    assert "查看报告" in first.content.decode()
    seen, response = numbers(first), first
    while found := re.search(r'href="(/audit\?before=\d+)">更早的', response.content.decode()):
        response = client.get(found[1])
        seen += numbers(response)
    assert [number for number in seen if number.startswith("SZ")] == [f"SZ{n}" for n in reversed(range(120))]
    assert len(seen) == len(set(seen)) or len(seen) == AuditEvent.objects.count()
    assert "回到最新" in response.content.decode()


def test_every_side_of_an_event_finds_it_and_sides_add_up(people: People, auditor: Account) -> None:
    write(3)
    write(1, who=people.office.actor, action="report-revoked", details=About(people.clean.subject_id, "苏州"))
    write(1, who="command-line", object_kind="batch", action="batch-taken")
    client, day = client_of(auditor), today().isoformat()

    def found(**asked: object) -> list[str]:
        response = client.get(PAGE, asked)
        assert response.status_code == 200
        return numbers(response)

    assert found(who="demo-office") == found(who=people.office.pk) == found(who=people.office.actor) == ["SZ0"]
    assert found(who="命令行", kind="batch") == ["SZ0"]
    assert found(action="report-revoked") == ["SZ0"]
    assert found(kind="report", object="SZ2") == ["SZ2"]
    assert found(subject=people.clean.subject_id, action="report-revoked") == ["SZ0"]
    assert found(action="report-read", since=day, until=day) == ["SZ2", "SZ1", "SZ0"]
    assert found(action="report-read", until=today() - timedelta(1)) == []
    assert found(action="report-read", who="demo-office") == []


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"who": "nobody"}, "who"),
        ({"who": "account:x y"}, "who"),
        ({"action": "signed"}, "action"),
        ({"kind": "x"}, "kind"),
        ({"object": "1"}, "object"),
        ({"kind": "report", "object": PERSON}, "object"),
        ({"kind": "report", "object": "苏州"}, "object"),
        ({"subject": "91320500MA0000011X"}, "subject"),
        ({"subject": "9" * 19}, "subject"),
        ({"since": "20.11.2026"}, "since"),
        ({"since": "2026-11-20", "until": "2026-11-19"}, "until"),
    ],
)
def test_what_cannot_be_asked_is_said_at_its_field_and_shows_nothing(
    auditor: Account, asked: dict[str, str], field: str
) -> None:
    response = client_of(auditor).get(PAGE, asked)
    page = response.content.decode()
    assert response.status_code == 422
    assert f'id="{field}-error"' in page
    assert "<tbody" not in page
    before = AuditEvent.objects.count()
    assert client_of(auditor).post("/audit/events.csv", asked).status_code == 302
    assert AuditEvent.objects.count() == before


@pytest.mark.parametrize("odd", ["\0", "9" * 40, "-1", "1.5", "%00", "'; --", "9999-12-31"])
@pytest.mark.parametrize("field", ["who", "action", "kind", "object", "subject", "since", "until", "before"])
def test_no_odd_value_breaks_the_page(auditor: Account, field: str, odd: str) -> None:
    assert client_of(auditor).get(PAGE, {field: odd}).status_code in (200, 422)


def test_people_of_the_public_are_masked_and_staff_are_named(people: People, auditor: Account) -> None:
    write(1, who=people.clean.actor)
    write(1, who=people.office.actor)
    page = client_of(auditor).get(PAGE).content.decode()
    assert "示例甲" not in page
    assert "示＊＊（经办人）" in page
    assert "示例己（信用办工作人员）" in page


def test_the_state_of_the_chain_stands_on_the_page_and_a_bad_check_in_red(auditor: Account) -> None:
    client = client_of(auditor)
    assert "还没有核查过" in client.get(PAGE).content.decode()
    seal_events(timezone.now())
    check_trail(timestamp=0)
    page = client.get(PAGE).content.decode()
    assert "没有发现改动" in page
    assert chain_head().head.hex() in page
    assert "1条等待封存" in page
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(
            "UPDATE audit_auditevent SET who = 'account:9' WHERE id = (SELECT min(id) FROM audit_auditevent)"
        )
        cursor.execute("SET LOCAL session_replication_role = DEFAULT")
    note_check()
    page = client.get(PAGE).content.decode()
    assert "发现1处不符" in page
    assert "answer-found" in page


def test_the_page_costs_the_same_however_many_events_there_are(
    auditor: Account, django_assert_num_queries: Any
) -> None:
    client = client_of(auditor)
    for _ in range(2):
        write(60, who="account:1")
        write(5, who="api-key:1")
        with django_assert_num_queries(10):
            client.get(PAGE)


def test_csv_holds_all_that_fits_and_nothing_that_runs_and_the_export_is_an_event(
    auditor: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "AT_ONCE", 4)
    write(10)
    seal_events(timezone.now())
    record_event(who="system", action="report-read", object_kind="report", object_id="=1+1", details={"n": 1})
    response = client_of(auditor).post("/audit/events.csv", {"action": "report-read"})
    head, *rows = rows_of(response)
    assert head[:4] == ["记录编号", "时间（北京时间）", "操作人", "操作"]
    assert [row[6] for row in rows] == ["'=1+1", *(f"SZ{n}" for n in reversed(range(10)))]
    assert rows[0][10:] == ["", ""]
    assert rows[1][11] == chain_head().head.hex()
    told = AuditEvent.objects.get(action="audit-exported")
    assert (told.who, told.object_id, told.details) == (auditor.actor, "csv", {"action": "report-read"})
    assert response.headers["Content-Disposition"] == 'attachment; filename="audit.csv"'
    assert "no-store" in response.headers["Cache-Control"]


def test_a_workbook_holds_texts_only_and_too_many_are_refused_with_what_to_do(
    auditor: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(3, action="report-downloaded")
    record_event(who="system", action="report-downloaded", object_kind="report", object_id="=1+1")
    client, asked = client_of(auditor), {"action": "report-downloaded"}
    book = CalamineWorkbook.from_filelike(BytesIO(client.post("/audit/events.xlsx", asked).content))
    rows = book.get_sheet_by_index(0).to_python()
    assert [row[6] for row in rows[1:]] == ["=1+1", "SZ2", "SZ1", "SZ0"]
    monkeypatch.setattr(trail, "MOST_IN_A_WORKBOOK", 3)
    response = client.post("/audit/events.xlsx", asked, follow=True)
    assert "导出CSV" in response.content.decode()
    assert AuditEvent.objects.filter(action="audit-exported").count() == 1


def test_a_refused_attempt_is_an_event_and_many_in_a_minute_are_counted(people: People) -> None:
    client = client_of(people.clean)
    for number in range(12):
        assert client.get(f"/office/reports/SZ{number}").status_code == 403
    client.get("/administration/keys")
    told = AuditEvent.objects.filter(action="access-refused").order_by("id")
    assert [(event.who, event.object_kind, event.object_id) for event in told] == [
        (people.clean.actor, "page", page) for page in ("office-report", "office-report", "keys")
    ]
    assert told[0].details == {"attempts": 1, "method": "GET", "number": "SZ0"}
    assert told[1].details == {"attempts": 10, "method": "GET", "number": "SZ9"}


def test_a_refusal_tells_no_address_and_no_persons_number(people: People) -> None:
    client = client_of(people.clean)
    assert client.get(f"/office/reports/{PERSON}", {"code": "secret"}).status_code == 403
    told = AuditEvent.objects.get(action="access-refused")
    assert told.details == {"attempts": 1, "method": "GET"}
    assert Client().get("/office/reports/SZ1").status_code == 302
    assert AuditEvent.objects.filter(action="access-refused").count() == 1


def test_events_are_read_for_a_subject_by_whoever_asks_below_the_page(people: People) -> None:
    assert people.clean.subject_id is not None
    write(2, details=About(people.clean.subject_id))
    write(2, details=About(people.punished.subject_id))
    found = events(EventFilter(subject_id=people.clean.subject_id, action="report-read"), None, 10)
    assert [row.object_id for row in found] == ["SZ1", "SZ0"]
    assert all(row.place_in_chain is None for row in found)
    seal_events(timezone.now())
    seal_log(timezone.now())
    (newest, *_) = events(EventFilter(subject_id=people.clean.subject_id, action="report-read"), None, 10)
    assert newest.place_in_chain is not None
    assert trail_state().anchored == trail_state().count
    assert check_chain().faults == ()

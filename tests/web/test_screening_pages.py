"""Pages of screenings: hand a list in, follow it, take its answer; the auditor's register; what the subject reads."""

import io
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.http import HttpResponse
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from python_calamine import CalamineWorkbook

from tests.module_database import module_database
from tests.small_city import BY, build_small_city, uscc
from tests.web.conftest import client_of
from tests.web.test_frame import INLINE
from xinzheng.apps.accounts.actions import NewAccount, open_account
from xinzheng.apps.accounts.models import Account, Role
from xinzheng.apps.audit.models import AuditEvent
from xinzheng.apps.oversight.models import Screening, ScreeningWork
from xinzheng.apps.oversight.screening_work import work_on

PAGE, REGISTER = "/office/screenings", "/audit/screenings"
HTMX = {"HX-Request": "true"}
CLEAN, PENALISED = uscc(1), uscc(2)
STATED = {
    "policy": "suzhou-2024",
    "basis": "《示例市管理办法》第一条",
    "document": "示信用办函〔2026〕1号",
    "purpose": "年度资金申请资格审核",
    "asked_for": "示例市财政局",
}
LIST = f"序号,统一社会信用代码\n1,{CLEAN}\n2,{PENALISED}\n3,{uscc(3)}\n"


@dataclass(frozen=True)
class World:
    """The office, the auditor, the agents of a firm on the list and of one that is not."""

    office: Account
    auditor: Account
    agent: Account
    stranger: Account


db = module_database


@pytest.fixture(scope="module")
def made(db: None, tmp_path_factory: pytest.TempPathFactory) -> World:
    city = build_small_city(tmp_path_factory.mktemp("city"), units_per_domain=1)
    city.declare_everything()
    firm, stranger = city.firm(CLEAN, "示例清白有限公司"), city.firm(uscc(9), "示例旁人有限公司")
    city.firm(PENALISED, "示例处罚有限公司")
    city.submit([city.penalty(PENALISED, "示税罚〔2026〕1号", 行政相对人名称="示例处罚有限公司")])
    new = (
        NewAccount("office", "信用办", Role.OFFICE_OPERATOR),
        NewAccount("auditor", "审计员", Role.AUDITOR),
        NewAccount("agent", "经办人", Role.SUBJECT_AGENT, subject_id=firm),
        NewAccount("stranger", "经办人", Role.SUBJECT_AGENT, subject_id=stranger),
    )
    return World(*(open_account(one, by=BY) for one in new))


@pytest.fixture
def world(made: World) -> Iterator[World]:
    """As made; what a test does is undone."""
    with transaction.atomic():
        yield made
        transaction.set_rollback(True)


@pytest.fixture
def client(world: World) -> Client:
    return client_of(world.office)


def send(client: Client, text: str = LIST, **more: str) -> HttpResponse:
    headers = HTMX if more.pop("htmx", "") else {}
    file = SimpleUploadedFile("名单.csv", text.encode())
    response: HttpResponse = client.post(PAGE, {"file": file, **STATED, **more}, headers=headers)
    return response


def page(client: Client, address: str, status: int = 200) -> str:
    response = client.get(address)
    assert response.status_code == status, response.content.decode()[:2000]
    text: str = response.content.decode()
    assert not INLINE.search(text)
    return text


def screened(client: Client) -> tuple[uuid.UUID, str]:
    address = send(client).headers["Location"]
    screening_id = uuid.UUID(address.removeprefix(f"{PAGE}/"))
    work_on(screening_id)
    return screening_id, address


def test_a_list_is_handed_in_left_and_its_answer_is_there_on_coming_back(client: Client, world: World) -> None:
    address = send(client).headers["Location"]
    screening_id = uuid.UUID(address.removeprefix(f"{PAGE}/"))
    waiting = page(client, address)
    assert "3行的名单" in waiting
    assert "排队中" in page(client, PAGE)
    part = client.get(address, headers=HTMX).content.decode()
    assert "已收到名单，等待核查" in part
    assert "<html" not in part

    work_on(screening_id)

    assert client.get(address, headers=HTMX).headers["HX-Refresh"] == "true"
    done = page(client, address)
    assert "共3行：未查询到违法记录1个，有违法记录1个，未能核查0个，没有核查1行。" in done
    assert "示例处罚有限公司" in done
    assert "示例清白有限公司" not in done  # it needs nobody's attention
    assert all(said in done for said in STATED.values() if said != "suzhou-2024")
    assert "共3行" in page(client, PAGE)


def test_the_answer_is_taken_as_a_workbook_or_as_csv_and_each_time_is_an_event(client: Client, world: World) -> None:
    screening_id, address = screened(client)
    taken = client.get(f"{address}.xlsx")
    assert taken.headers["Content-Disposition"].startswith('attachment; filename="screening-')
    book = CalamineWorkbook.from_filelike(io.BytesIO(taken.content))
    assert book.sheet_names == ["核查结果", "理由"]
    rows, reasons = (book.get_sheet_by_name(name).to_python() for name in book.sheet_names)
    assert [row[3] for row in rows[-3:]] == [
        "未查询到违法记录", "有违法记录1条", "没有核查：主体名录中没有这个代码，请核对",
    ]  # fmt: skip
    assert any(STATED["basis"] in str(row[0]) for row in rows)
    assert reasons[-1][4] == "示税罚〔2026〕1号"
    texts = [b"".join(client.get(f"{address}.{form}").streaming_content).decode() for form in ("csv", "reasons.csv")]
    assert f"3,{PENALISED},示例处罚有限公司,有违法记录1条,1,税务" in texts[0]
    assert "示税罚〔2026〕1号" in texts[1]
    events = AuditEvent.objects.filter(action="screening-taken", object_id=str(screening_id)).order_by("id")
    assert [(one.who, one.details["form"]) for one in events] == [
        (world.office.actor, form) for form in ("xlsx", "csv", "reasons.csv")
    ]
    assert client.get(f"{address}.pdf").status_code == 404


@pytest.mark.parametrize("missing", ["basis", "document", "purpose", "asked_for"])
def test_what_is_not_stated_is_demanded_at_its_field(client: Client, missing: str) -> None:
    refused = send(client, **{missing: "  "})
    assert refused.status_code == 422
    text = refused.content.decode()
    assert f'id="{missing}-error"' in text
    assert "没有写明" in text
    assert all(f'value="{said}"' in text for name, said in STATED.items() if name != missing)
    assert not Screening.objects.exists()


def test_a_list_that_cannot_be_screened_is_refused_at_its_field(client: Client) -> None:
    for text, said in (
        (f"统一社会信用代码,法定代表人证件\n{CLEAN},330502199001010014\n", "名单核查不核查自然人"),
        ("名称\n示例\n", "没有“统一社会信用代码”一列"),
        ("统一社会信用代码\n123\n", "没有一行可以核查"),
    ):
        refused = send(client, text)
        assert refused.status_code == 422
        shown = refused.content.decode()
        assert said in shown
        assert 'id="file-error"' in shown
        assert "330502199001010014" not in shown
    assert "请先选择名单文件" in client.post(PAGE, STATED).content.decode()
    with override_settings(XINZHENG_SCREENING_LIST_MAX_BYTES=10):
        too_large = send(client, LIST * 2000)
    assert (too_large.status_code, Screening.objects.count()) == (422, 0)
    assert "没有接收" in too_large.content.decode()


def test_a_second_click_screens_nothing_twice(client: Client) -> None:
    number = str(uuid.uuid4())
    first = send(client, id=number, htmx="yes").headers["HX-Redirect"]
    assert send(client, id=number).headers["Location"] == first
    assert Screening.objects.count() == 1


def test_who_calls_a_screening_off_is_told_and_nothing_is_kept(client: Client) -> None:
    address = send(client).headers["Location"]
    assert client.post(address).headers["Location"] == address
    over = page(client, address)
    assert "没有核查完成" in over
    assert "已取消，没有保存结果。" in over
    work = ScreeningWork.objects.get()
    work_on(work.pk)
    assert ScreeningWork.objects.get().state == "failed"
    assert "已经结束，不能取消" in client.post(address, follow=True).content.decode()


def test_the_auditor_reads_the_basis_and_how_often_it_was_taken_but_no_subject(client: Client, world: World) -> None:
    _, address = screened(client)
    client.get(f"{address}.xlsx")
    auditor = client_of(world.auditor)
    text = page(auditor, REGISTER)
    assert all(said in text for said in STATED.values() if said != "suzhou-2024")
    assert "1次" in text
    assert "示例处罚有限公司" not in text
    assert PENALISED not in text
    assert auditor.get(address).status_code == 403
    assert auditor.get(f"{address}.xlsx").status_code == 403
    assert "没有更早的了" in page(auditor, f"{REGISTER}?before=2000-01-01T00:00:00%2B08:00")


def test_the_subject_reads_that_it_was_on_a_list_for_whom_and_why(client: Client, world: World) -> None:
    screened(client)
    text = page(client_of(world.agent), "/my-data")
    assert all(said in text for said in STATED.values() if said != "suzhou-2024")
    assert "示例处罚有限公司" not in text
    assert "名单核查" not in page(client_of(world.stranger), "/my-data")


def test_pages_ask_the_same_however_many_screenings_there_are(client: Client, world: World) -> None:
    def queries(address: str, asking: Client) -> int:
        with CaptureQueriesContext(
            connection,
        ) as caught:
            page(asking, address)
        return len(caught)

    auditor = client_of(world.auditor)
    page(client, PAGE), page(auditor, REGISTER)
    send(client)
    few = [queries(PAGE, client), queries(REGISTER, auditor)]
    send(client)
    send(client)
    assert [queries(PAGE, client), queries(REGISTER, auditor)] == few
    assert max(few) <= 20

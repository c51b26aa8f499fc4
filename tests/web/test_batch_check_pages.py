"""The receiver's pages of batch verification by file: hand in, follow, come back, take away, delete."""

import io
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace

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
from xinzheng.apps.codes.batch_work import SLICES_AT_ONCE, work_on
from xinzheng.apps.codes.models import BatchCheck, Receiver
from xinzheng.apps.codes.receivers import Decision, Registration, State, decide, register
from xinzheng.apps.reports.batch_verification import BATCH_AT_MOST
from xinzheng.apps.reports.issuing import Order, issue_report
from xinzheng.core.decision import Request
from xinzheng.core.lifecycle import typed_code

CHECKS = "/receiver/checks"
HTMX = {"HX-Request": "true"}
HEAD = "报告编号,核验码\n"


@dataclass(frozen=True)
class World:
    """A bank's account, a broker's, an agent; a line of a report in force."""

    bank: Account
    broker: Account
    agent: Account
    line: str


db = module_database


@pytest.fixture(scope="module")
def made(db: None, tmp_path_factory: pytest.TempPathFactory) -> World:
    city = build_small_city(tmp_path_factory.mktemp("city"), units_per_domain=1)
    city.declare_everything()
    subject = city.firm(uscc(1))
    report = issue_report(Order(city.policy_id, subject, Request(), BY))
    agent = open_account(NewAccount("agent", "经办人", Role.SUBJECT_AGENT, subject_id=subject), by=BY)
    line = f"{report.number},{typed_code(bytes(report.secret))}\n"
    return World(body("bank", uscc(50)), body("broker", uscc(51)), agent, line)


def body(username: str, code: str) -> Account:
    """An account of a body that the office has verified."""
    account = open_account(NewAccount(username, "示例", Role.RECEIVER), by=BY)
    register(account, Registration(code, f"示例单位{username}", "bank"))
    decide(Receiver.objects.get(uscc=code).pk, Decision(State.VERIFIED, account_ids=[account.pk]), by=BY)
    account.refresh_from_db()
    return account


@pytest.fixture
def world(made: World) -> Iterator[World]:
    """As made; what a test does is undone."""
    with transaction.atomic():
        yield replace(made, bank=Account.objects.get(pk=made.bank.pk))
        transaction.set_rollback(True)


@pytest.fixture
def client(world: World) -> Client:
    return client_of(world.bank)


def send(client: Client, text: str, name: str = "清单.csv", **more: str) -> HttpResponse:
    headers = HTMX if more.pop("htmx", "") else {}
    file = SimpleUploadedFile(name, text.encode())
    response: HttpResponse = client.post(CHECKS, {"file": file, **more}, headers=headers)
    return response


def page(client: Client, address: str, status: int = 200) -> str:
    response = client.get(address)
    assert response.status_code == status, response.content.decode()[:2000]
    text: str = response.content.decode()
    assert not INLINE.search(text)
    return text


def test_a_file_is_handed_in_left_and_its_answers_are_there_on_coming_back(client: Client, world: World) -> None:
    sent = send(client, HEAD + world.line + f"{world.line.split(',')[0]},000000000000\n" + "x,y\n")
    address = sent.headers["Location"]
    check_id = uuid.UUID(address.removeprefix(f"{CHECKS}/"))
    assert "已收到文件，共3行，等待核验" in page(client, address)
    assert "排队中" in page(client, CHECKS)

    work_on(check_id)

    assert "共3行：1份报告状态正常，1份需要留意，1行没有核验。" in page(client, CHECKS)
    done = page(client, address)
    assert "1份报告状态正常，1份需要留意，1行没有核验。" in done
    assert "“报告编号”应为18位" in done
    assert "核验码不对" in done
    assert "未提交文件，未核对内容" in done
    table = client.get(f"{address}.xlsx")
    assert table.headers["Content-Disposition"].startswith('attachment; filename="checked-')
    rows = CalamineWorkbook.from_filelike(io.BytesIO(table.content)).get_sheet_by_index(0).to_python()
    assert rows[-3][5] == "正常"
    fetched = AuditEvent.objects.get(action="batch-check-fetched")
    assert (fetched.who, fetched.object_id) == (world.bank.actor, str(check_id))


def test_progress_comes_as_a_part_and_the_page_loads_anew_when_it_is_over(client: Client, world: World) -> None:
    lines = SLICES_AT_ONCE * BATCH_AT_MOST + 500
    address = send(client, HEAD + world.line * lines, htmx="yes").headers["HX-Redirect"]
    check_id = uuid.UUID(address.removeprefix(f"{CHECKS}/"))
    work_on(check_id)
    part = client.get(address, headers=HTMX).content.decode()
    assert "<html" not in part
    assert 'hx-trigger="every 1s"' in part
    assert "已核验2,000行，共2,500行" in part
    assert '<noscript><meta http-equiv="refresh"' in page(client, address)
    work_on(check_id)
    assert client.get(address, headers=HTMX).headers["HX-Refresh"] == "true"
    assert "2,500份的报告状态都正常。" in page(client, address)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "清单.csv没有内容"),
        ("甲,乙\n1,2\n", "清单.csv第1行没有认得的列名"),
        (HEAD + "x,y\n", "第2行：“报告编号”应为18位"),
    ],
)
def test_what_is_wrong_with_a_file_stands_at_the_field(client: Client, text: str, said: str) -> None:
    response = send(client, text)
    shown = response.content.decode()
    assert response.status_code == 422
    assert shown.count(said) == 2
    assert "没有核验。文件要重新选择。" in shown
    assert not BatchCheck.objects.exists()


def test_no_file_and_one_that_is_too_large_are_refused_where_they_were_chosen(client: Client, world: World) -> None:
    assert "请先选择要核验的文件。" in client.post(CHECKS, {}).content.decode()
    with override_settings(XINZHENG_CHECK_FILE_MAX_BYTES=1024):
        response = send(client, HEAD + world.line * 3000)
    assert (response.status_code, "没有核验。请拆分成几个文件" in response.content.decode()) == (422, True)
    nobody = Client()
    with override_settings(XINZHENG_CHECK_FILE_MAX_BYTES=1024):
        assert send(nobody, HEAD + world.line * 3000).headers["Location"].startswith("/sign-in")


def test_the_same_form_sent_twice_is_one_check(client: Client, world: World) -> None:
    number = str(uuid.uuid4())
    assert len({send(client, HEAD + world.line, id=number).headers["Location"] for _ in range(2)}) == 1
    assert send(client, HEAD + world.line, id="no number").headers["Location"].startswith(CHECKS)
    assert BatchCheck.objects.count() == 2


def test_a_file_is_taken_from_our_own_form_only(world: World) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(world.bank)
    assert send(strict, HEAD + world.line).status_code == 403
    assert not BatchCheck.objects.exists()


def test_another_receiver_finds_nothing_and_others_are_not_let_in(client: Client, world: World) -> None:
    address = send(client, HEAD + world.line).headers["Location"]
    work_on(uuid.UUID(address.removeprefix(f"{CHECKS}/")))
    broker, agent = client_of(world.broker), client_of(world.agent)
    newcomer = client_of(open_account(NewAccount("new", "示例", Role.RECEIVER), by=BY))
    for path in (address, f"{address}.xlsx"):
        assert broker.get(path).status_code == 404
        assert agent.get(path).status_code == 403
        assert newcomer.get(path).status_code == 403
    assert broker.post(f"{address}/delete").status_code == 404
    assert "请先登记单位" in newcomer.get(CHECKS).content.decode()
    assert address not in page(broker, CHECKS)
    assert client.get(f"{address}.xlsx").status_code == 200


def test_a_file_and_its_answers_are_deleted_on_demand(client: Client, world: World) -> None:
    address = send(client, HEAD + world.line).headers["Location"]
    assert client.get(f"{address}.xlsx").status_code == 404, "not done yet"
    assert client.get(f"{address}/delete").headers["Location"] == CHECKS
    assert client.post(f"{address}/delete").headers["Location"] == CHECKS
    assert "已删除上传的文件和核验结果。" in page(client, CHECKS)
    assert client.get(address).status_code == 404


def test_a_suspended_receiver_is_told_and_its_waiting_file_is_not_verified(client: Client, world: World) -> None:
    address = send(client, HEAD + world.line).headers["Location"]
    receiver_id = world.bank.receiver_id
    assert receiver_id is not None
    decide(receiver_id, Decision(State.SUSPENDED, "示例"), by=BY)
    work_on(uuid.UUID(address.removeprefix(f"{CHECKS}/")))
    assert "停用" in page(client, CHECKS, 403)
    decide(receiver_id, Decision(State.VERIFIED), by=BY)
    shown = page(client, address)
    assert "没有核验完成" in shown
    assert "核验资格已停用" in shown


def test_the_template_is_a_table_that_is_read(client: Client) -> None:
    assert client.get(f"{CHECKS}/template.csv").content.decode("utf-8-sig") == "报告编号,核验码,二维码内容\r\n"


def test_the_list_costs_as_many_queries_for_many_as_for_one(client: Client, world: World) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as caught:
            page(client, CHECKS)
        return len(caught)

    work_on(uuid.UUID(send(client, HEAD + world.line).headers["Location"].removeprefix(f"{CHECKS}/")))
    one = queries()
    for _ in range(3):
        work_on(uuid.UUID(send(client, HEAD + world.line).headers["Location"].removeprefix(f"{CHECKS}/")))
    assert queries() == one
    assert one <= 8

"""Files of reports verified behind the scenes: read, sealed, worked off in slices, answered by a table, deleted."""

import base64
import io
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from zipfile import ZipFile

import pytest
from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob
from python_calamine import CalamineWorkbook

from tests.module_database import module_database
from tests.small_city import BY, build_small_city, uscc
from xinzheng.apps.accounts.actions import NewAccount, close_account, open_account
from xinzheng.apps.accounts.models import Account, Platform, Role
from xinzheng.apps.audit.models import AuditEvent
from xinzheng.apps.codes.batch_files import read_check_file
from xinzheng.apps.codes.batch_queries import check_of, checks_of, receiver_names, summary_of, table_of_check
from xinzheng.apps.codes.batch_work import SLICES_AT_ONCE, UNEXPECTED, work_on
from xinzheng.apps.codes.batches import (
    OPEN_AT_MOST,
    BatchCheckError,
    HandedIn,
    delete_check,
    forget_batch_checks,
    queue_check,
    requeue_checks,
)
from xinzheng.apps.codes.key_hooks import HOOKS
from xinzheng.apps.codes.models import BatchCheck, Receiver, ReceiverDecision
from xinzheng.apps.codes.receivers import Decision, Registration, State, decide, register
from xinzheng.apps.codes.tasks_batches import work_on_batch_check
from xinzheng.apps.registry.key_rotation import rotate_key
from xinzheng.apps.registry.keys import KeyFileError
from xinzheng.apps.reports import ports
from xinzheng.apps.reports.batch_verification import BATCH_AT_MOST
from xinzheng.apps.reports.issuing import Order, issue_report
from xinzheng.apps.reports.look_queries import looks_of
from xinzheng.apps.reports.looks import record_looks
from xinzheng.apps.reports.models import Look, Report
from xinzheng.apps.reports.status import Why, change_status
from xinzheng.core.decision import Request
from xinzheng.core.lifecycle import ReportStatus, typed_code

HEAD = "报告编号,核验码,二维码内容\n"
FULL_DISK = """
CREATE FUNCTION pg_temp.full_disk() RETURNS trigger AS 'BEGIN RAISE disk_full; END' LANGUAGE plpgsql;
CREATE TRIGGER full_disk BEFORE INSERT ON reports_look EXECUTE FUNCTION pg_temp.full_disk()
"""
BANK = "示例银行苏州分行"


@dataclass(frozen=True)
class World:
    """A bank that was verified, its account, and three reports, the last one revoked."""

    account: Account
    receiver: Receiver
    reports: list[Report]


db = module_database


@pytest.fixture(scope="module")
def made(db: None, tmp_path_factory: pytest.TempPathFactory) -> World:
    """Made once for all."""
    city = build_small_city(tmp_path_factory.mktemp("city"), units_per_domain=1)
    city.declare_everything()
    subject = city.firm(uscc(1))
    reports = [issue_report(Order(city.policy_id, subject, Request(), BY)) for _ in range(3)]
    change_status(reports[2], ReportStatus.REVOKED, BY, Why("出具有误", "issued-in-error"))
    return World(*receiver_with_account("bank", uscc(50), BANK), reports)


def receiver_with_account(username: str, code: str, name: str) -> tuple[Account, Receiver]:
    """A body the office has verified, and an account of it."""
    account = open_account(NewAccount(username, name, Role.RECEIVER), by=BY)
    register(account, Registration(code, name, "bank"))
    receiver = Receiver.objects.get(uscc=code)
    decide(receiver.pk, Decision(State.VERIFIED, account_ids=[account.pk]), by=BY)
    account.refresh_from_db()
    return account, receiver


@pytest.fixture
def world(made: World) -> Iterator[World]:
    """As made; what a test does is undone."""
    with transaction.atomic():
        yield replace(made, account=Account.objects.get(pk=made.account.pk))
        transaction.set_rollback(True)


def code_of(report: Report) -> str:
    return typed_code(bytes(report.secret))


def qr_of(report: Report) -> str:
    code = base64.urlsafe_b64encode(bytes(report.secret)).rstrip(b"=").decode()
    return str(ports.signing().qr_text(bytes(report.cose), code))


def csv_of(*rows: tuple[str, ...]) -> bytes:
    return (HEAD + "".join(",".join([*row, "", ""][:3]) + "\n" for row in rows)).encode()


def handed(content: bytes, check_id: uuid.UUID | None = None) -> HandedIn:
    return HandedIn(check_id or uuid.uuid4(), "清单.csv", read_check_file(content, "清单.csv"))


def queued(world: World, content: bytes) -> BatchCheck:
    return queue_check(handed(content), world.receiver, account=world.account)


def standing(world: World, check: BatchCheck) -> tuple[str, int, int, str]:
    row = check_of(world.receiver.pk, check.pk)
    assert row is not None
    return row.words, row.lines, row.done, row.message


def answers_by_line(check: BatchCheck) -> dict[int, list[str]]:
    """The cells behind the line's number, by that number."""
    rows = cells_of(table_of_check(check.pk))
    head = next(place for place, cells in enumerate(rows) if cells[0] == "文件行号")
    return {int(float(cells[0])): cells[1:] for cells in rows[head + 1 :]}


def cells_of(table: bytes) -> list[list[str]]:
    rows = CalamineWorkbook.from_filelike(io.BytesIO(table)).get_sheet_by_index(0).to_python()
    return [[str(cell) for cell in row] for row in rows]


# --- the whole way ---------------------------------------------------------------------------------------------------


def test_each_line_has_its_answer_and_its_look_by_the_receiver(world: World) -> None:
    first, second, revoked = world.reports
    check = queued(
        world,
        csv_of(
            (first.number, code_of(first)),
            ("", "", qr_of(second)),
            (revoked.number, code_of(revoked)),
            (first.number, "000000000000"),
            ("=1+1", "x"),
            (first.number, "", qr_of(second)),
        ),
    )
    assert standing(world, check) == ("排队中", 6, 0, "")
    work_on(check.pk)
    assert standing(world, check) == ("已完成", 6, 6, "共6行：2份报告状态正常，3份需要留意，1行没有核验。")
    looks = Look.objects.filter(by=f"receiver:{world.receiver.pk}", way="batch").values_list("report_number", "status")
    told = [(first.number, "in_force"), *[(second.number, "in_force")] * 2, (revoked.number, "revoked")]
    assert sorted(looks) == sorted(told)
    rows = answers_by_line(check)
    masked = rows[2][2]
    assert "＊" in masked
    assert rows[2][:5] == [first.number, first.number, masked, "没有填二维码", "正常"]
    assert rows[3][:5] == ["（二维码）", second.number, masked, "签名有效，签发者可信", "正常"]
    assert rows[4][4] == "已作废（出具有误）"
    assert rows[5][4:] == ["未查询到", "", "", "未查询到该编号，或者核验码不对，请核对后再试"]
    assert (rows[6][0], rows[6][4]) == ("=1+1", "没有核验")
    assert rows[7][-1] == "填写的编号与二维码里的不同，请核对是哪一份"
    shown = [(one.line, one.mark) for one in summary_of(check.pk).rows]
    assert shown == [(4, "bad"), (5, "wanting"), (6, "not-asked"), (7, "wanting")]
    assert AuditEvent.objects.filter(action="batch-check-asked", object_id=str(check.pk)).count() == 1


def test_a_seal_that_was_changed_is_bad_and_comes_first(world: World) -> None:
    first, second, _ = world.reports
    text = qr_of(first)
    forged = text[:-40] + ("A" if text[-40] != "A" else "B") + text[-39:]
    elsewhere = qr_of(second).replace(settings.XINZHENG_HOST, "127.0.0.1:1")
    check = queued(world, csv_of((second.number, "x" * 12), ("", "", forged), ("", "", elsewhere), ("", "", text)))
    work_on(check.pk)
    summary = summary_of(check.pk)
    assert [(row.line, row.mark) for row in summary.rows] == [(3, "bad"), (4, "bad"), (2, "wanting")]
    assert (summary.good, summary.wanting) == (1, 3)
    assert "签名无效" in summary.rows[0].seal
    assert "这张码被改过" in summary.rows[1].said
    assert Look.objects.count() == 1


def test_nothing_in_the_table_runs_as_a_formula(world: World) -> None:
    first = world.reports[0]
    check = queued(world, csv_of(("=1+1", "x"), ("@cmd", "x"), (first.number, code_of(first))))
    work_on(check.pk)
    table = table_of_check(check.pk)
    with ZipFile(io.BytesIO(table)) as parts:
        assert b"<f>" not in parts.read("xl/worksheets/sheet1.xml")
    assert {"=1+1", "@cmd"} <= {cell for row in cells_of(table) for cell in row}


def test_what_is_kept_can_be_read_with_the_check_s_own_key_only(world: World) -> None:
    first = world.reports[0]
    check, other = (queued(world, csv_of((first.number, code_of(first)))) for _ in range(2))
    kept = bytes(BatchCheck.objects.get(pk=check.pk).asked_ct)
    assert first.number.encode() not in kept
    work_on(check.pk)
    row = BatchCheck.objects.get(pk=check.pk)
    assert bytes(row.asked_ct) == b""
    assert b"PK\x03\x04" not in bytes(row.answer_ct or b"")
    work_on(other.pk)
    stolen = BatchCheck.objects.get(pk=other.pk).answer_ct
    BatchCheck.objects.filter(pk=check.pk).update(answer_ct=stolen)
    with pytest.raises(Exception, match="密文无法解开"):
        table_of_check(check.pk)


def test_a_new_key_around_the_keys_leaves_checks_readable_at_any_stage(world: World) -> None:
    first = world.reports[0]
    waiting, done = (queued(world, csv_of((first.number, code_of(first)))) for _ in range(2))
    work_on(done.pk)
    before = bytes(BatchCheck.objects.get(pk=done.pk).wrapped_key)
    assert rotate_key(by=BY, hooks=HOOKS).rewrapped["codes_batchcheck"] == 2
    assert bytes(BatchCheck.objects.get(pk=done.pk).wrapped_key) != before
    assert summary_of(done.pk).good == 1
    work_on(waiting.pk)
    assert summary_of(waiting.pk).good == 1


def test_a_long_file_lets_others_have_a_turn_and_is_done_in_the_end(world: World) -> None:
    first = world.reports[0]
    lines = SLICES_AT_ONCE * BATCH_AT_MOST + 1
    check = queued(world, csv_of(*[(first.number, code_of(first))] * lines))
    work_on(check.pk)
    row = check_of(world.receiver.pk, check.pk)
    assert row is not None
    assert (row.done, row.state, row.percent) == (lines - 1, "running", 99)
    work_on(check.pk)
    assert summary_of(check.pk).good == lines
    assert Look.objects.count() == lines
    work_on(check.pk)  # a task that came twice
    assert Look.objects.count() == lines


def test_no_line_is_answered_whose_look_cannot_be_written(world: World) -> None:
    first = world.reports[0]
    check = queued(world, csv_of(*[(first.number, code_of(first))] * (BATCH_AT_MOST + 1)))
    with connection.cursor() as cursor:
        cursor.execute(FULL_DISK)
    with pytest.raises(DatabaseError):
        work_on(check.pk)
    assert standing(world, check)[:3] == ("排队中", BATCH_AT_MOST + 1, 0)
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER full_disk ON reports_look")
    work_on(check.pk)
    assert summary_of(check.pk).good == Look.objects.count() == BATCH_AT_MOST + 1


def test_a_key_that_does_not_fit_ends_the_check_and_tells_its_receiver_no_path(world: World) -> None:
    first = world.reports[0]
    check = queued(world, csv_of((first.number, code_of(first))))
    BatchCheck.objects.filter(pk=check.pk).update(wrapped_key=b"x" * 60)
    with pytest.raises(KeyFileError):
        work_on(check.pk)
    assert standing(world, check) == ("没有完成", 1, 0, UNEXPECTED)
    work_on(check.pk)  # tried again: it is over


# --- who may, how many, how long -------------------------------------------------------------------------------------


def test_only_accounts_of_a_verified_receiver_have_files_verified(world: World) -> None:
    first = world.reports[0]
    new = handed(csv_of((first.number, code_of(first))))
    agent = open_account(NewAccount("agent", "示例", Role.SUBJECT_AGENT), by=BY)
    newcomer = open_account(NewAccount("newcomer", "示例", Role.RECEIVER), by=BY)
    other, body = receiver_with_account("broker", uscc(51), "示例证券")
    for account, receiver in ((agent, None), (newcomer, None), (other, world.receiver), (world.account, body)):
        with pytest.raises(BatchCheckError) as refused:
            queue_check(new, receiver, account=account)
        assert refused.value.message
    assert not BatchCheck.objects.exists()


@pytest.mark.parametrize("how", ["suspended", "closed"])
def test_who_loses_the_right_meanwhile_gets_no_answer(world: World, how: str) -> None:
    first = world.reports[0]
    check = queued(world, csv_of((first.number, code_of(first))))
    if how == "suspended":
        ReceiverDecision.objects.create(receiver=world.receiver, state="suspended", reason="示例", by=BY)
    else:
        close_account(world.account, by=BY)
    work_on(check.pk)
    row = BatchCheck.objects.get(pk=check.pk)
    assert (row.state, bytes(row.asked_ct), row.answer_ct) == ("failed", b"", None)
    assert "停用" in row.message
    assert not Look.objects.exists()


def test_the_same_click_twice_is_one_check_and_three_may_wait(world: World) -> None:
    first = world.reports[0]
    content = csv_of((first.number, code_of(first)))
    new = handed(content)
    assert queue_check(new, world.receiver, account=world.account).pk == new.id
    assert queue_check(new, world.receiver, account=world.account).pk == new.id
    for _ in range(OPEN_AT_MOST - 1):
        queued(world, content)
    with pytest.raises(BatchCheckError, match="已有3个文件在核验"):
        queued(world, content)
    other, body = receiver_with_account("broker", uscc(51), "示例证券")
    with pytest.raises(BatchCheckError, match="页面已经失效"):
        queue_check(new, body, account=other)
    assert len(checks_of(world.receiver.pk)) == OPEN_AT_MOST
    assert checks_of(body.pk) == []
    assert check_of(body.pk, new.id) is None


def test_what_a_killed_worker_left_is_queued_again_and_after_a_day_given_up(world: World) -> None:
    first = world.reports[0]
    stale, old, fresh = (queued(world, csv_of((first.number, code_of(first)))) for _ in range(3))
    for check, ago in ((stale, timedelta(minutes=6)), (old, timedelta(days=2))):
        BatchCheck.objects.filter(pk=check.pk).update(created_at=timezone.now() - ago)
    assert requeue_checks() == 0, "its task waits"
    ProcrastinateJob.objects.filter(task_name=work_on_batch_check.name, args__check_id=str(stale.pk)).update(
        status="failed"
    )
    assert requeue_checks() == 1
    assert requeue_checks() == 0
    states = {check.pk: BatchCheck.objects.get(pk=check.pk).state for check in (stale, old, fresh)}
    assert states == {stale.pk: "queued", old.pk: "failed", fresh.pk: "queued"}
    assert "一天里没有核验完" in BatchCheck.objects.get(pk=old.pk).message


def test_checks_are_deleted_after_their_days_or_when_their_receiver_says_so(world: World) -> None:
    first = world.reports[0]
    old, new, unwanted = (queued(world, csv_of((first.number, code_of(first)))) for _ in range(3))
    work_on(old.pk)
    BatchCheck.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=8))
    assert forget_batch_checks() == 1
    assert AuditEvent.objects.get(action="batch-checks-deleted").details == {"count": 1, "days": 7}
    delete_check(unwanted.pk, by=world.account.actor)
    delete_check(unwanted.pk, by=world.account.actor)
    assert AuditEvent.objects.filter(action="batch-check-deleted").count() == 1
    work_on(unwanted.pk)
    assert [row.id for row in checks_of(world.receiver.pk)] == [new.pk]
    assert Look.objects.count() == 1, "who looked stays"


def test_the_subject_reads_which_receiver_or_platform_looked(world: World) -> None:
    first = world.reports[0]
    Platform.objects.create(client_id="sst", name="苏商通", created_by=BY)
    record_looks(
        [
            (first.number, "batch", by, "in_force")
            for by in (f"receiver:{world.receiver.pk}", "client:sst", "client:gone", "receiver:999999", "public")
        ]
    )
    seen = {look.who for look in looks_of(first.number, receiver_names).newest}
    assert seen == {f"核验单位：{BANK}", "接入平台：苏商通", "接入平台", "核验单位", "公众（不用登录，不记录是谁）"}

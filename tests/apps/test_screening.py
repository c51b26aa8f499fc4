"""Screening of lists: its basis is demanded, persons never, the answers are those of decide, nothing else changes."""

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.test import override_settings
from procrastinate.contrib.django import app

from tests.all_tables import changed, digests
from tests.module_database import module_database, refusal_code
from tests.small_city import BY, SmallCity, build_small_city, today, uscc
from xinzheng.adapters.screening import FindingRow
from xinzheng.adapters.workbook_out import Column, Sheet, write_workbook
from xinzheng.apps.accounts.actions import NewAccount, close_account, open_account
from xinzheng.apps.accounts.models import Account, Role
from xinzheng.apps.audit.actions import open_entry, take_position
from xinzheng.apps.audit.models import AuditEvent
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.oversight import screening, screening_work, tasks_screening
from xinzheng.apps.oversight.key_hooks import HOOKS
from xinzheng.apps.oversight.models import ScreenedSubject, Screening, ScreeningPiece
from xinzheng.apps.oversight.screening import OPEN_AT_MOST, NewScreening, ask, call_off, end_left_behind, forget_old
from xinzheng.apps.oversight.screening_answers import Answers
from xinzheng.apps.oversight.screening_files import ListedLine, ScreeningListError
from xinzheng.apps.oversight.screening_queries import (
    answer_rows,
    csv_of,
    reason_rows,
    screened,
    screening_of,
    screenings,
    workbook_of,
)
from xinzheng.apps.oversight.screening_seals import ASKED, ScreeningKey
from xinzheng.apps.oversight.screening_work import work_on
from xinzheng.apps.registry.key_rotation import rotate_key
from xinzheng.apps.registry.listed_queries import KnownSubject
from xinzheng.apps.registry.models import SubjectVersion
from xinzheng.apps.registry.queries import find_subject
from xinzheng.apps.reports.cases import answer_question
from xinzheng.apps.reports.packs import current_policy
from xinzheng.apps.reports.preparing import question_now
from xinzheng.cli.main import main
from xinzheng.cli.task_worker import QUEUES, SCREENING
from xinzheng.core.decision import Request
from xinzheng.core.policy import DateSpan
from xinzheng.core.subjects import SubjectKind

PERSON = "330502199001010014"
CLEAN, PENALISED, WAITING, GONE, STRANGER, FORMER = (uscc(n) for n in (1, 2, 3, 4, 5, 6))
BASIS = {
    "basis": "《示例市管理办法》第一条",
    "document": "示信用办函〔2026〕1号",
    "purpose": "年度资金申请资格审核",
    "asked_for": "示例市财政局",
}


@dataclass(frozen=True)
class World:
    """A city with a clean firm, a penalised, one whose line waits, one deregistered; two of the office, an agent."""

    city: SmallCity
    folder: Path
    office: Account
    auditor: Account


db = module_database


@pytest.fixture(scope="module")
def made(db: None, tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("screening")
    city = build_small_city(folder, units_per_domain=1)
    city.declare_everything()
    city.firm(CLEAN, "示例清白有限公司")
    city.firm(PENALISED, "示例处罚有限公司", 曾用代码=FORMER)
    city.firm(WAITING, "示例待更正有限公司")
    city.firm(GONE, "示例注销有限公司", 登记状态="注销")
    city.submit([
        city.penalty(PENALISED, "示税罚〔2026〕1号", 行政相对人名称="示例处罚有限公司"),
        city.penalty(PENALISED, "示税罚〔2026〕2号", 行政相对人名称="示例处罚有限公司", 程序="简易程序"),
        city.penalty(WAITING, "示税罚〔2026〕3号", 行政相对人名称="示例待更正有限公司", 处罚决定日期="去年"),
    ])  # fmt: skip
    office = open_account(NewAccount("office", "信用办", Role.OFFICE_OPERATOR), by=BY)
    auditor = open_account(NewAccount("auditor", "审计员", Role.AUDITOR), by=BY)
    return World(city, folder, office, auditor)


@pytest.fixture
def world(made: World) -> Iterator[World]:
    """As made; what a test does is undone."""
    with transaction.atomic():
        yield made
        transaction.set_rollback(True)


def new(world: World, *codes: str, header: str = "统一社会信用代码", **stated: str) -> NewScreening:
    path = world.folder / f"{uuid.uuid4()}.csv"
    path.write_text("\n".join([header, *codes]) + "\n", encoding="utf-8")
    return NewScreening(world.city.policy_id, file=path, name="名单.csv", **(BASIS | stated))


def asked(world: World, *codes: str) -> Screening:
    return ask(new(world, *codes), account=world.office, key=uuid.uuid4())


def done(world: World, *codes: str) -> Screening:
    made = asked(world, *codes)
    work_on(made.pk)
    return made


def test_each_line_has_the_answer_that_a_report_would_give(world: World) -> None:
    listed = (CLEAN, PENALISED, WAITING, GONE, STRANGER, PENALISED.lower(), FORMER, "123")
    made = done(world, *listed)
    rows = list(answer_rows(made.pk))
    assert [row.line for row in rows] == list(range(2, 10))
    assert [row.mark for row in rows] == [
        "clear", "not_clear", "not_verifiable", "deregistered", "unknown", "repeated", "repeated", "unfit",
    ]  # fmt: skip
    for row in rows[:3]:
        subject = find_subject(row.code)
        assert subject is not None
        decision = answer_question(question_now(current_policy("suzhou-2024"), subject, Request())).decision
        assert row.mark == str(decision.outcome)
        assert row.counted == sum(finding.is_counted for finding in decision.findings)
    assert rows[1].words == "有违法记录1条"
    assert (rows[1].found, rows[2].open) == ("税务", "税务")
    assert rows[5].said == "与第3行是同一主体，结果见该行。"
    row = screening_of(made.pk)
    assert row is not None
    assert row.message == "共8行：未查询到违法记录1个，有违法记录1个，未能核查1个，没有核查5行。"


def test_a_reason_names_the_record_and_the_clause_and_nothing_that_does_not_count(world: World) -> None:
    made = done(world, CLEAN, PENALISED)
    (reason,) = reason_rows(made.pk)
    assert (reason.line, reason.code, reason.document_number) == (3, PENALISED, "示税罚〔2026〕1号")
    assert reason.effect == "计入"
    assert reason.source


def test_screening_changes_nothing_but_its_own_rows_and_tells_of_itself(world: World) -> None:
    made = asked(world, CLEAN, PENALISED)
    before = digests()
    work_on(made.pk)
    assert changed(before) == {
        "oversight_screeningwork", "oversight_screeningpiece", "oversight_screenedsubject",
        "audit_auditevent", "audit_auditwaiting",
    }  # fmt: skip
    events = AuditEvent.objects.filter(object_kind="screening", object_id=str(made.pk)).order_by("id")
    assert [one.action for one in events] == ["screening-asked", "screening-done"]
    assert events[0].who == world.office.actor
    assert BASIS.items() <= events[0].details.items()
    assert events[1].details["position"] == head_position()
    assert PENALISED not in str([one.details for one in events])


def test_the_reason_is_that_of_the_clause_that_holds_on_the_day(world: World) -> None:
    policy, day = current_policy("suzhou-2024"), date(2026, 1, 1)
    (last,) = policy.clauses[-1:]
    past = replace(last, reason="原来的理由", in_effect=DateSpan(until_date=date(2025, 12, 31)))
    known = {CLEAN: KnownSubject(1, SubjectKind.ENTERPRISE_LEGAL_PERSON, "示例清白有限公司", False, False)}
    answers = Answers(replace(policy, clauses=(past, *policy.clauses)), known, {}, {}, day)
    answers.first[1] = ListedLine(2, CLEAN)
    assert answers.reason(FindingRow(1, 1, "taxation", "counted", last.id, (), False), None).reason == last.reason


def test_list_and_answer_lie_sealed_and_are_bound_to_their_place(world: World) -> None:
    made = done(world, PENALISED)
    pieces = list(ScreeningPiece.objects.filter(screening=made).order_by("seq"))
    assert {piece.part for piece in pieces} == {"answer"}  # the list is deleted once it is answered
    assert not any(PENALISED.encode() in bytes(piece.piece_ct) for piece in pieces)
    rotate_key(by=BY, hooks=HOOKS)
    assert [row.mark for row in answer_rows(made.pk)] == ["not_clear"]
    ScreeningPiece.objects.filter(pk=pieces[0].pk).update(piece_ct=pieces[1].piece_ct)
    assert refusal_code(list, answer_rows(made.pk)) == "key-does-not-fit"


@pytest.mark.parametrize("field", list(BASIS))
def test_what_the_law_wants_stated_is_demanded(world: World, field: str) -> None:
    assert refusal_code(ask, new(world, CLEAN, **{field: " "}), account=world.office, key=uuid.uuid4()) == (
        "screening-without-basis"
    )
    assert refusal_code(ask, new(world, CLEAN, **{field: PERSON}), account=world.office, key=uuid.uuid4()) == (
        "text-not-kept"
    )
    assert not Screening.objects.exists()


def test_who_may_not_screen_is_refused_also_when_the_task_runs(world: World) -> None:
    assert refusal_code(ask, new(world, CLEAN), account=world.auditor, key=uuid.uuid4()) == "screening-refused"
    made = asked(world, CLEAN)
    close_account(Account.objects.get(pk=world.office.pk), by=BY)
    work_on(made.pk)
    row = screening_of(made.pk)
    assert row is not None
    assert (row.state, row.is_kept) == ("failed", False)
    assert "停用" in row.message
    assert not ScreeningPiece.objects.exists()


@pytest.mark.parametrize(
    ("header", "lines"),
    [
        ("统一社会信用代码", (CLEAN, PERSON)),
        ("统一社会信用代码,备注", (f"{CLEAN},经办人 {PERSON} 的材料",)),
        ("统一社会信用代码,备注", (f"{CLEAN},３３０５０２ 19900101 0014",)),
        (f"统一社会信用代码,{PERSON}", (f"{CLEAN},",)),
        ("统一社会信用代码,备注", (f"{CLEAN},经办人 {PERSON} 13800138000",)),
        ("统一社会信用代码,备注", (f"{CLEAN},2 {PERSON}",)),
        ("统一社会信用代码", (CLEAN, "".join(chr(0x1D7CE + int(digit)) for digit in PERSON))),
    ],
)
def test_one_number_of_a_person_refuses_the_whole_list(world: World, header: str, lines: tuple[str, ...]) -> None:
    with pytest.raises(ScreeningListError, match="不核查自然人") as refused:
        ask(new(world, *lines, header=header), account=world.office, key=uuid.uuid4())
    assert refused.value.code == "screening-names-people"
    assert PERSON not in refused.value.message
    assert not Screening.objects.exists()


def test_a_natural_person_is_not_screened_even_under_a_code(world: World) -> None:
    subject = world.city.firm(uscc(60), "示例某人")
    with transaction.atomic():
        entry = open_entry(kind="subjects-imported", by=BY)
        SubjectVersion.objects.create(entry=entry, subject_id=subject, kind="natural_person", name="")
        take_position(entry)
    world.city.firm(uscc(61), "=HYPERLINK(1)")
    made = done(world, uscc(60), uscc(61))
    assert ",'=HYPERLINK(1)," in b"".join(csv_of(made.pk, account=world.office)).decode()  # it runs nowhere
    (person, other) = answer_rows(made.pk)
    assert (person.mark, person.name, other.mark) == ("person", "", "clear")
    assert not screened(subject)


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("", "screening-list-unfit", "没有内容"),
        ("统一社会信用代码\n", "screening-list-unfit", "只有列名"),
        (f"名称\n{CLEAN}\n", "screening-list-unfit", "没有“统一社会信用代码”一列"),
        ("统一社会信用代码\n12\n34\n", "screening-list-unfit", "第2行：统一社会信用代码应为18位"),
    ],
)
def test_a_list_that_is_none_is_refused_with_its_lines(world: World, text: str, code: str, said: str) -> None:
    path = world.folder / f"{uuid.uuid4()}.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ScreeningListError, match=said) as refused:
        ask(replace(new(world, CLEAN), file=path), account=world.office, key=uuid.uuid4())
    assert refused.value.code == code


def test_a_list_may_be_a_workbook_or_in_the_old_encoding_and_say_more_than_codes(world: World) -> None:
    book = world.folder / "list.xlsx"
    sheet = Sheet("名单", (), [Column("企业名称"), Column("信用代码")], [["甲", f" {CLEAN} "], ["乙", PENALISED]])
    book.write_bytes(write_workbook([sheet]))
    old = world.folder / "list.csv"
    old.write_bytes(f"企业名称,社会信用代码\r\n甲,{CLEAN}\r\n乙,{PENALISED}\r\n".encode("gb18030"))
    for path in (book, old):
        made = ask(replace(new(world), file=path), account=world.office, key=uuid.uuid4())
        key = ScreeningKey.unwrapped(made.pk, made.work.wrapped_key)
        assert [code for _, code, _ in next(key.kept(ASKED))] == [CLEAN, PENALISED]


def test_no_more_than_so_many_lists_wait_and_the_same_number_is_the_same(world: World) -> None:
    number = uuid.uuid4()
    first = ask(new(world, CLEAN), account=world.office, key=number)
    assert ask(new(world, PENALISED), account=world.office, key=number).pk == first.pk
    for _ in range(OPEN_AT_MOST - 1):
        asked(world, CLEAN)
    assert refusal_code(ask, new(world, CLEAN), account=world.office, key=uuid.uuid4()) == "screening-refused"
    last = screening_of(screenings()[0].id)
    assert last is not None
    assert last.ahead == OPEN_AT_MOST - 1
    assert call_off(last.id, account=world.office)
    assert not call_off(last.id, account=world.office)
    asked(world, CLEAN)


def test_what_is_called_off_while_it_runs_keeps_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    made = asked(world, CLEAN)
    sealing = screening_work._sealed

    def called_off_meanwhile(*args: Any) -> Any:
        call_off(made.pk, account=world.office)
        return sealing(*args)

    monkeypatch.setattr(screening_work, "_sealed", called_off_meanwhile)
    work_on(made.pk)
    row = screening_of(made.pk)
    assert row is not None
    assert (row.state, row.message) == ("failed", "已取消，没有保存结果。")
    assert not ScreeningPiece.objects.exists()
    assert not ScreenedSubject.objects.exists()


def test_what_nobody_works_on_any_more_is_ended(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    made = asked(world, CLEAN)
    assert end_left_behind() == 0
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_events; DELETE FROM procrastinate_jobs")
    assert end_left_behind() == 0  # it was asked just now
    monkeypatch.setattr(screening, "STALE", timedelta(0))
    assert end_left_behind() == 1
    row = screening_of(made.pk)
    assert row is not None
    assert row.message.startswith("核查中断")


def test_list_and_answer_are_deleted_in_time_and_what_was_stated_stays(world: World) -> None:
    made = done(world, CLEAN)
    subject = find_subject(CLEAN)
    assert subject is not None
    last = today() + timedelta(days=settings.XINZHENG_KEEP_SCREENING_DAYS)
    assert forget_old(last) == 0
    assert forget_old(last + timedelta(days=1)) == 1
    row = screening_of(made.pk)
    assert row is not None
    assert (row.is_done, row.is_kept, row.purpose) == (True, False, BASIS["purpose"])
    assert row.marks == {"clear": 1}
    assert refusal_code(workbook_of, made.pk, account=world.office) == "screening-not-there"
    assert not ScreeningPiece.objects.exists()
    assert AuditEvent.objects.get(action="screenings-deleted").details["count"] == 1
    assert [one.basis for one in screened(subject)] == [BASIS["basis"]]
    forget_old(today() + timedelta(days=settings.XINZHENG_KEEP_VIEW_DAYS + 1))
    assert not screened(subject)


@override_settings(XINZHENG_SCREENING="abacus")
def test_an_engine_that_cannot_be_had_is_told_in_words(world: World) -> None:
    made = done(world, CLEAN)
    row = screening_of(made.pk)
    assert row is not None
    assert row.state == "failed"
    assert "XINZHENG_SCREENING" in row.message


def test_every_queue_is_somebodys_and_screenings_are_in_one_of_their_own() -> None:
    queues = {task.queue for task in app.tasks.values()}
    assert queues <= {*QUEUES[""], *QUEUES[SCREENING]}
    assert set(QUEUES[""]).isdisjoint(QUEUES[SCREENING])
    for task in (tasks_screening.screen, tasks_screening.simulate):
        assert (task.queue, task.lock) == (SCREENING, "oversight.screening")


def test_the_command_line_submits_tells_and_takes(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    def told(*words: str) -> Any:
        assert main(["screen", *words, "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    path = new(world, CLEAN, PENALISED).file
    stated = [f"--{name.replace('_', '-')}={said}" for name, said in BASIS.items()]
    made = told("submit", str(path), *stated, "--account=office", "--here")
    assert (made["state"], made["marks"]) == ("done", {"clear": 1, "not_clear": 1})
    assert told("show", made["id"]) == made
    assert [one["id"] for one in told("list")["screenings"]] == [made["id"]]
    for name, begins in (("answer.xlsx", b"PK"), ("answer.csv", "\ufeff名单核查结果".encode())):
        assert main(["screen", "take", made["id"], f"--out={world.folder / name}", "--account=office"]) == 0
        assert (world.folder / name).read_bytes().startswith(begins)
    assert main(["screen", "take", made["id"], f"--out={world.folder}/a.pdf", "--account=office"]) == 1
    assert main(["screen", "submit", str(path), *stated, "--account=auditor"]) == 1
    assert "信用办" in capsys.readouterr().err

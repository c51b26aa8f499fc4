"""Flagging: every report an entry may touch is caught, whenever it was issued and whoever dies on the way."""

import importlib
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import LazySettings
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from procrastinate.contrib.django.models import ProcrastinateJob

from tests.held_city import SECOND, held_surge, numbered, usual_city
from tests.small_city import BY, LONG_AGO, PENALTY, SmallCity, build_small_city, today, uscc
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.ledger.actions import Scope, confirm_batch, declare_coverage, withdraw_batch, withdraw_coverage
from xinzheng.apps.reports import flagging, preparing, reviewing, tasks
from xinzheng.apps.reports.cases import answer_question
from xinzheng.apps.reports.flagging import flag_reports
from xinzheng.apps.reports.issuing import Order, issue_report, question_now
from xinzheng.apps.reports.models import (
    Report,
    ReportGap,
    ReportScope,
    ReportTie,
    ReviewCursor,
    ReviewFlag,
    ReviewSweep,
    StatusEvent,
)
from xinzheng.apps.reports.packs import current_policy
from xinzheng.apps.reports.reviewing import review_reports
from xinzheng.apps.reports.status import revoke_report
from xinzheng.core.decision import Decision, Request, Result
from xinzheng.core.lifecycle import RevocationReason

pytestmark = pytest.mark.django_db
FIRM, OTHER = uscc(1), uscc(2)
POLICY = "suzhou-2024"


@pytest.fixture
def city(db: None, tmp_path: Path) -> SmallCity:
    small = build_small_city(tmp_path, units_per_domain=1)
    small.declare_everything()
    return small


def issue(city: SmallCity, code: str = FIRM) -> Report:
    return issue_report(Order(POLICY, city.firm(code), Request(), BY))


def status_of(report: Report) -> str:
    return StatusEvent.objects.filter(report=report).latest("id").status


def take_coverage_back(city: SmallCity) -> None:
    scope = Scope(city.unit("taxation"), "taxation", PENALTY)
    withdraw_coverage(scope, from_date=LONG_AGO, through_date=today(), by=BY)


def test_only_reports_of_the_subjects_a_batch_names_are_flagged(city: SmallCity) -> None:
    mine, _ = issue(city), issue(city, OTHER)
    flag_reports()
    batch = city.submit([city.penalty(FIRM)]).batch
    assert flag_reports() == 1
    assert [(f.report_id, f.entry_id) for f in ReviewFlag.objects.all()] == [(mine.number, batch)]
    assert ReviewCursor.objects.get(name=flagging.FLAGGED).position == head_position()
    assert flag_reports() == 0


def test_a_report_that_was_overtaken_while_it_was_being_numbered_is_caught(city: SmallCity) -> None:
    subject_id = city.firm(FIRM)
    issue(city, OTHER)

    def overtake(stage: str) -> None:
        if stage == "signing":
            city.submit([city.penalty(FIRM)])
            flag_reports()

    report = issue_report(Order(POLICY, subject_id, Request(), BY, on_stage=overtake))
    assert (report.outcome, status_of(report)) == ("clear", "in_force")
    assert review_reports()["superseded"] == 1
    assert status_of(report) == "superseded"


def test_what_no_longer_is_in_force_is_left_alone(city: SmallCity) -> None:
    report = issue(city)
    revoke_report(report.number, RevocationReason.ISSUED_IN_ERROR, BY)
    city.submit([city.penalty(FIRM)])
    take_coverage_back(city)
    assert review_reports()["flagged"] == 0
    assert status_of(report) == "revoked"


def test_a_report_revoked_after_it_was_flagged_is_closed(city: SmallCity) -> None:
    report = issue(city)
    city.submit([city.penalty(FIRM)])
    flag_reports()
    revoke_report(report.number, RevocationReason.ISSUED_IN_ERROR, BY)
    assert review_reports()["closed"] == 1
    assert not ReviewFlag.objects.filter(decided_at=None)


def test_a_sweep_is_worked_off_in_slices(city: SmallCity, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flagging, "SLICE", 2)
    reports = [issue(city, uscc(n)) for n in range(1, 6)]
    take_coverage_back(city)
    assert flag_reports() == 0, "a statement flags no report one by one"
    assert ReviewSweep.objects.filter(done_at=None).count() == 1
    assert review_reports(at_most=3)["left"] == 1
    assert [status_of(report) for report in reports].count("superseded") == 3
    assert review_reports()["superseded"] == 2
    assert not ReviewSweep.objects.filter(done_at=None)


def test_reports_whose_period_a_statement_does_not_reach_are_not_looked_at(city: SmallCity) -> None:
    subject_id = city.firm(FIRM)
    request = Request(from_date=today() - timedelta(days=30), to_date=today())
    report = issue_report(Order(POLICY, subject_id, request, BY))
    scope = Scope(city.unit("taxation"), "taxation", PENALTY)
    withdraw_coverage(scope, from_date=LONG_AGO, through_date=LONG_AGO + timedelta(days=30), by=BY)
    answers = review_reports()
    assert answers["superseded"] == 0
    assert status_of(report) == "in_force"


def test_data_of_later_days_does_not_have_old_reports_decided_again(city: SmallCity) -> None:
    take_coverage_back(city)
    request = Request(from_date=today() - timedelta(days=90), to_date=today() - timedelta(days=60))
    issue_report(Order(POLICY, city.firm(FIRM), request, BY))
    review_reports()
    scope = Scope(city.unit("taxation"), "taxation", PENALTY)
    declare_coverage(scope, from_date=today() - timedelta(days=30), through_date=today(), by=BY)
    assert review_reports()["flagged"] == 0
    declare_coverage(scope, from_date=today() - timedelta(days=120), through_date=today(), by=BY)
    answers = review_reports()
    assert (answers["flagged"], answers["superseded"]) == (1, 1)


def test_one_report_that_cannot_be_decided_keeps_no_other_waiting_and_is_not_lost(
    city: SmallCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = issue(city), issue(city, OTHER)
    city.submit([city.penalty(FIRM, "一号"), city.penalty(OTHER, "二号")])
    real = reviewing.decide

    def fails_for_one(policy: Any, case: Any, calendar: Any) -> Decision:
        if case.subject.identifier == FIRM:
            raise RuntimeError("boom")
        return real(policy, case, calendar)

    monkeypatch.setattr(reviewing, "decide", fails_for_one)
    with pytest.raises(RuntimeError):
        review_reports()
    assert (status_of(bad), status_of(good)) == ("in_force", "superseded")
    assert review_reports()["failed"] == 0, "it is not tried again before the ledger has gone on"
    monkeypatch.setattr(reviewing, "decide", real)
    city.submit([city.penalty(uscc(3), "三号")])
    assert review_reports()["superseded"] == 1
    assert status_of(bad) == "superseded"


def test_a_report_the_program_no_longer_derives_is_superseded_by_nobody(
    city: SmallCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = issue(city)
    city.submit([city.penalty(FIRM, 程序="简易程序")])
    for module in (reviewing, importlib.import_module("xinzheng.apps.reports.cases")):
        real = module.decide

        def stricter(policy: Any, case: Any, calendar: Any, real: Any = real) -> Decision:
            found: Decision = real(policy, case, calendar)
            object.__setattr__(found, "outcome", "not_clear")
            return found

        monkeypatch.setattr(module, "decide", stricter)
    answers = review_reports()
    assert (answers["superseded"], answers["not-derivable"]) == (0, 1)
    assert status_of(report) == "in_force"


def test_what_is_held_supersedes_only_once_it_is_confirmed(tmp_path: Path, settings: LazySettings) -> None:
    held = usual_city(tmp_path, settings)
    named, other = issue(held, uscc(1)), issue(held, uscc(50))
    batch = held_surge(held).batch
    held.submit([numbered(held, n, uscc(50), 程序="简易程序") for n in (90, 91)])
    answers = review_reports()
    assert (answers["superseded"], answers["waits"]) == (0, 1)
    confirm_batch(batch_id=batch, by=SECOND)
    answers = review_reports()
    assert (answers["superseded"], answers["stands"]) == (1, 1)
    assert (status_of(named), status_of(other)) == ("superseded", "in_force")


def test_a_held_batch_that_is_sent_back_supersedes_nothing(tmp_path: Path, settings: LazySettings) -> None:
    held = usual_city(tmp_path, settings)
    named, other = issue(held, uscc(1)), issue(held, uscc(50))
    withdraw_batch(batch_id=held_surge(held).batch, reason="报错了", by=SECOND)
    held.submit([numbered(held, n, uscc(50), 程序="简易程序") for n in (90, 91)])
    assert review_reports()["superseded"] == 0
    assert (status_of(named), status_of(other)) == ("in_force", "in_force")


def without_a_scope(monkeypatch: pytest.MonkeyPatch, city: SmallCity, code: str) -> Report:
    with monkeypatch.context() as patch:
        patch.setattr(preparing, "note_scope", lambda *_: None)
        return issue(city, code)


def rows_of(report: Report) -> list[Any]:
    """Scope, ties and gaps of a report but for its number and moment."""
    scope = ReportScope.objects.filter(report=report).values().get()
    mine = {key: value for key, value in scope.items() if key not in ("report_id", "as_of")}
    ties = list(ReportTie.objects.filter(report=report).values_list("subject_id", flat=True).order_by("subject_id"))
    gaps = ReportGap.objects.filter(report=report).values_list("unit_id", "domain", "kind")
    return [mine, ties, sorted(gaps)]


def test_reports_issued_before_scopes_were_kept_get_the_same(city: SmallCity, monkeypatch: pytest.MonkeyPatch) -> None:
    city.firm(FIRM)
    city.firm(OTHER, name="苏州从前有限公司", 承继关系="更名", 关联主体代码=FIRM)
    take_coverage_back(city)
    subject_id = issue(city).subject_id
    old = without_a_scope(monkeypatch, city, FIRM)
    new = issue_report(Order(POLICY, subject_id, Request(), BY))
    moved = importlib.import_module("xinzheng.apps.reports.migrations.0003_reports_already_issued")
    with connection.schema_editor() as editor:
        moved.note_reports_already_issued(None, editor)
    assert len(rows_of(old)[1]) == 2
    assert rows_of(old)[2]
    before, after = rows_of(old), rows_of(new)
    assert before[0].pop("position") <= after[0].pop("position")
    assert (before[0].pop("domain_count"), after[0].pop("domain_count")) == (None, len(current_policy(POLICY).domains))
    assert before == after


@pytest.mark.django_db(transaction=True)
def test_a_flag_touched_while_its_report_is_looked_at_is_set_anew(
    transactional_db: None, tmp_path: Path, second_connection: psycopg.Connection[Any]
) -> None:
    city = build_small_city(tmp_path, units_per_domain=1)
    city.declare_everything()
    issue(city)
    city.submit([city.penalty(FIRM, "简一", 程序="简易程序")])
    flag_reports()
    second_connection.execute("SELECT * FROM reports_reviewflag FOR UPDATE")
    assert review_reports()["taken"] == 1, "somebody else has it in hand"
    city.submit([city.penalty(FIRM, "一号")])
    second_connection.execute("UPDATE reports_reviewflag SET decided_at = now(), answer = 'stands'")
    waiting = threading.Thread(target=flag_and_close)
    waiting.start()
    waiting.join(0.5)
    assert waiting.is_alive(), "who flags waits for who looks"
    second_connection.commit()
    waiting.join(20)
    assert ReviewFlag.objects.filter(decided_at=None).count() == 1
    assert review_reports()["superseded"] == 1


def flag_and_close() -> None:
    try:
        flag_reports()
    finally:
        connection.close()


later = st.fixed_dictionaries(
    {
        "程序": st.sampled_from(["", "简易程序", "普通程序"]),
        "处理结果": st.sampled_from(["予以处罚", "不予处罚"]),
        "处罚状态": st.sampled_from(["", "复议诉讼中", "撤销"]),
        "状态日期": st.integers(-2, 40).map(lambda days: (today() - timedelta(days=days)).isoformat()),
        "处罚决定日期": st.integers(0, 1500).map(lambda days: (today() - timedelta(days=days)).isoformat()),
        "修复日期": st.booleans().map(lambda is_repaired: today().isoformat() if is_repaired else ""),
    }
)


def counted(decision: Decision) -> dict[str, set[str]]:
    return {
        d.code: {f.record.id for f in decision.findings if f.record.domain == d.code and f.is_counted}
        for d in decision.domains
    }


def results(decision: Decision) -> dict[str, Result]:
    return {domain.code: domain.result for domain in decision.domains}


def is_waiting(decision: Decision) -> bool:
    return any(gap.lines for domain in decision.domains for gap in domain.gaps)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=st.lists(later, max_size=2), after=st.lists(later, max_size=3))
def test_a_report_is_superseded_if_and_only_if_today_s_ledger_says_another_thing_of_its_moment(
    city: SmallCity, before: list[dict[str, str]], after: list[dict[str, str]]
) -> None:
    city.firms += 1
    code = uscc(200 + city.firms)
    city.firm(code)
    for rows in (before, after):
        if rows is after:
            report = issue(city, code)
            said = answer_question(question_now(current_policy(POLICY), report.subject_id, Request())).decision
        if rows:
            city.submit([city.penalty(code, f"{n}号", **row) for n, row in enumerate(rows)])
    question = question_now(current_policy(POLICY), report.subject_id, Request(), report.as_of)
    told = answer_question(question).decision
    review_reports()
    # What only a line that waits to be mended makes uncertain is waited for.
    has_other_results = results(told) != results(said) and not is_waiting(told)
    differs = counted(told) != counted(said) or has_other_results
    assert status_of(report) == ("superseded" if differs else "in_force")


def test_the_task_does_a_part_and_queues_the_next_behind_whoever_waits_for_a_report(
    city: SmallCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "REVIEWED_AT_ONCE", 1)
    reports = [issue(city, uscc(n)) for n in (1, 2)]
    city.submit([city.penalty(uscc(n), f"{n}号") for n in (1, 2)])
    tasks.review(timestamp=0)
    assert [status_of(report) for report in reports].count("superseded") == 1
    queued = ProcrastinateJob.objects.filter(task_name="reports.review", status="todo")
    assert [job.priority for job in queued] == [tasks.LAST]
    tasks.review(timestamp=0)
    assert [status_of(report) for report in reports].count("superseded") == 2
    assert queued.count() == 1

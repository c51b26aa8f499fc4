"""Kill a source: however data goes missing, 未查询到 turns into 未能核查 and names the unit; old reports replay."""

import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connections

from tests.small_city import BY, LONG_AGO, PENALTY, SmallCity, build_small_city, today, uscc
from xinzheng.apps.ledger.actions import Scope, explain_line, submit_batch, withdraw_batch, withdraw_coverage
from xinzheng.apps.reports.cases import answer_question
from xinzheng.apps.reports.issuing import Order, issue_report, question_now
from xinzheng.apps.reports.packs import current_policy
from xinzheng.apps.reports.preparing import Draft, Rehearsed
from xinzheng.apps.reports.replaying import replay_report
from xinzheng.core.decision import DomainResult, Request, data_needed_through
from xinzheng.core.sentences import say

pytestmark = pytest.mark.django_db(transaction=True)
DOMAIN = "taxation"


@pytest.fixture
def city(transactional_db: None, tmp_path: Path) -> SmallCity:
    return build_small_city(tmp_path)


def taxation(subject_id: int) -> DomainResult:
    """What a report made now would say of the domain."""
    question = question_now(current_policy("suzhou-2024"), subject_id, Request())
    return next(d for d in answer_question(question).decision.domains if d.code == DOMAIN)


def assert_not_verifiable(subject_id: int) -> None:
    result = taxation(subject_id)
    assert result.result == "not_verifiable"
    assert [gap.unit_name for gap in result.gaps] == ["市税务局"]


def late(city: SmallCity, unit: str, code: str) -> None:
    withdraw_coverage(Scope(unit, DOMAIN, PENALTY), from_date=today() - timedelta(days=40), through_date=today(), by=BY)


def statement_withdrawn(city: SmallCity, unit: str, code: str) -> None:
    withdraw_coverage(Scope(unit, DOMAIN, PENALTY), from_date=LONG_AGO, through_date=today(), by=BY)


def gap_in_the_middle(city: SmallCity, unit: str, code: str) -> None:
    day = today() - timedelta(days=400)
    withdraw_coverage(Scope(unit, DOMAIN, PENALTY), from_date=day, through_date=day, by=BY)


def rejected_line_that_names_it(city: SmallCity, unit: str, code: str) -> None:
    city.submit([city.penalty(code, 处罚决定日期="2022-09-31")])


def line_whose_subject_cannot_be_read(city: SmallCity, unit: str, code: str) -> None:
    city.submit([city.penalty("看不清的代码")])


@pytest.mark.parametrize(
    "kill",
    [late, statement_withdrawn, gap_in_the_middle, rejected_line_that_names_it, line_whose_subject_cannot_be_read],
)
def test_a_source_that_fails_turns_the_answer_and_leaves_the_earlier_report_alone(
    city: SmallCity, kill: Callable[[SmallCity, str, str], None]
) -> None:
    code = uscc(1)
    subject_id = city.firm(code)
    city.declare_everything()
    assert taxation(subject_id).result == "none_found"
    number = issue_report(Order("suzhou-2024", subject_id, Request(), BY)).number

    kill(city, city.unit(DOMAIN), code)

    assert_not_verifiable(subject_id)
    assert replay_report(number).is_same


def test_a_unit_that_never_delivered_is_named(city: SmallCity) -> None:
    subject_id = city.firm(uscc(1))
    city.declare_everything(without=[(DOMAIN, city.unit(DOMAIN))])
    assert_not_verifiable(subject_id)


def test_a_batch_rolled_back_takes_its_coverage_and_its_records_with_it(city: SmallCity) -> None:
    code = uscc(1)
    subject_id = city.firm(code)
    unit = city.unit(DOMAIN)
    city.declare_everything(without=[(DOMAIN, unit)])
    batch = city.submit([city.penalty(uscc(2), "别家的一号")], covers=(LONG_AGO, today()))
    assert taxation(subject_id).result == "none_found"
    number = issue_report(Order("suzhou-2024", subject_id, Request(), BY)).number

    withdraw_batch(batch_id=batch.batch, reason="报错了文件", by=BY)

    assert_not_verifiable(subject_id)
    assert replay_report(number).is_same


def test_a_batch_rolled_back_brings_back_what_it_had_changed(city: SmallCity) -> None:
    code = uscc(1)
    subject_id = city.firm(code)
    city.declare_everything()
    city.submit([city.penalty(code, "一号")])
    wrong = city.submit([city.penalty(code, "一号", 程序="简易程序")])
    assert taxation(subject_id).result == "none_found"
    withdraw_batch(batch_id=wrong.batch, reason="程序填错", by=BY)
    assert taxation(subject_id).result == "records_found"


def test_who_delivered_but_has_no_standing_statement_is_told_apart_from_who_never_delivered(city: SmallCity) -> None:
    subject_id, unit = city.firm(uscc(1)), city.unit(DOMAIN)
    city.declare_everything(without=[(DOMAIN, unit)])
    assert [gap.reason for gap in taxation(subject_id).gaps] == ["never_delivered"]
    batch = city.submit([city.penalty(uscc(2)), city.penalty("看不清")], covers=(LONG_AGO, today()))
    reasons = {gap.reason for gap in taxation(subject_id).gaps}
    assert reasons == {"statement_lapsed", "line_unreadable"}
    withdraw_batch(batch_id=batch.batch, reason="报错了", by=BY)
    (gap,) = taxation(subject_id).gaps
    assert say(current_policy("suzhou-2024"), f"gap_{gap.reason}", 单位=gap.unit_name) == (
        "市税务局报送的数据目前没有生效的完整声明"
    )


def test_a_rejected_line_touches_only_the_subject_it_names(city: SmallCity) -> None:
    named, other = uscc(1), uscc(2)
    subject_id, other_id = city.firm(named), city.firm(other)
    city.declare_everything()
    city.submit([city.penalty(named, 处罚决定日期="2022-09-31")])
    assert taxation(subject_id).result == "not_verifiable"
    assert taxation(other_id).result == "none_found"


def test_a_mended_line_sets_the_answer_right_again(city: SmallCity) -> None:
    code = uscc(1)
    subject_id = city.firm(code)
    city.declare_everything()
    city.submit([city.penalty(code, "一号", 处罚决定日期="2022-09-31")])
    city.submit([city.penalty(code, "一号", 程序="简易程序")])
    assert taxation(subject_id).result == "none_found"


def test_an_explained_line_no_longer_blocks(city: SmallCity) -> None:
    code = uscc(1)
    subject_id = city.firm(code)
    city.declare_everything()
    batch = city.submit([city.penalty("看不清的代码")])
    assert taxation(subject_id).result == "not_verifiable"
    explain_line(batch_id=batch.batch, line=2, reason="该行是表头残留，不是记录", by=BY)
    assert taxation(subject_id).result == "none_found"


def test_a_batch_with_an_unreadable_line_does_not_carry_its_statement_until_mended(city: SmallCity) -> None:
    code = uscc(1)
    subject_id = city.firm(code)
    city.declare_everything(without=[(DOMAIN, city.unit(DOMAIN))])
    batch = city.submit([city.penalty(uscc(2), "一号"), city.penalty("看不清")], covers=(LONG_AGO, today()))
    assert taxation(subject_id).result == "not_verifiable"
    explain_line(batch_id=batch.batch, line=3, reason="重复打印的残行", by=BY)
    assert taxation(subject_id).result == "none_found"


def test_a_zero_return_covers_like_a_delivery(city: SmallCity) -> None:
    subject_id, unit = city.firm(uscc(1)), city.unit(DOMAIN)
    city.declare_everything(without=[(DOMAIN, unit)])
    city.declare(unit, DOMAIN)
    assert taxation(subject_id).result == "none_found"


def test_a_statement_reaching_just_short_of_the_lag_is_not_enough(city: SmallCity) -> None:
    from xinzheng.apps.reports.packs import current_calendar

    policy = current_policy("suzhou-2024")
    cutoff = data_needed_through(policy, today(), current_calendar())
    subject_id, unit = city.firm(uscc(1)), city.unit(DOMAIN)
    city.declare_everything(without=[(DOMAIN, unit)])
    city.declare(unit, DOMAIN, through=cutoff - timedelta(days=1))
    assert taxation(subject_id).result == "not_verifiable"
    city.declare(unit, DOMAIN, through=cutoff)
    assert taxation(subject_id).result == "none_found"


def test_a_long_intake_that_commits_while_a_report_is_made_does_not_touch_it(
    city: SmallCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The intake starts before the report is decided and commits before it is numbered."""
    from xinzheng.apps.reports import issuing

    code = uscc(1)
    subject_id = city.firm(code)
    city.declare_everything()
    rows = [city.penalty(code, f"{n}号") for n in range(300)]
    delivery = city.delivery(rows)
    failures: list[Exception] = []

    def deliver() -> None:
        try:
            submit_batch(delivery, by=BY)
        except Exception as error:
            failures.append(error)
        finally:
            connections.close_all()

    intake = threading.Thread(target=deliver)
    rehearse = issuing.rehearse_report

    def rehearse_meanwhile(draft: Draft, number: str) -> Rehearsed:
        intake.start()
        intake.join()
        return rehearse(draft, number)

    monkeypatch.setattr(issuing, "rehearse_report", rehearse_meanwhile)
    report = issue_report(Order("suzhou-2024", subject_id, Request(), BY))
    assert failures == []
    assert report.outcome == "clear"
    assert taxation(subject_id).counted == 300
    assert replay_report(report.number).is_same

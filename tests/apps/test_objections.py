"""Objections one by one: what may be lodged, who may do what, what an upheld one does, what time does."""

import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import pytest
from django.conf import LazySettings
from django.db import transaction
from procrastinate.contrib.django import app
from pytest_django import DjangoAssertNumQueries

from tests import told_time
from tests.module_database import module_database
from tests.redress_city import (
    DOCUMENT,
    DOMAIN,
    FIRM,
    NAME,
    OTHER_FIRM,
    POLICY,
    RedressCity,
    build_redress_city,
    do,
    lodge_one,
    unit_id,
)
from tests.small_city import BY
from xinzheng.apps.accounts.actions import NewAccount, open_account
from xinzheng.apps.accounts.models import Role
from xinzheng.apps.audit.models import AuditEvent
from xinzheng.apps.codes.models import Notice
from xinzheng.apps.ledger.actions import withdraw_batch
from xinzheng.apps.ledger.corrections import current_row
from xinzheng.apps.ledger.models import RecordHead, RecordVersion
from xinzheng.apps.redress.handling import Doing, take_step
from xinzheng.apps.redress.lodging import A_DAY_AT_MOST, OPEN_AT_MOST, NewObjection, lodge
from xinzheng.apps.redress.models import Correction, Objection, Step
from xinzheng.apps.redress.queries import Listed, objection_view, open_on, rows_of
from xinzheng.apps.redress.sweeps import deliver_awaited, escalate, lapse, watch_corrections
from xinzheng.apps.redress.tasks import sweep_days, sweep_deliveries
from xinzheng.apps.redress.upholding import Upholding, uphold
from xinzheng.apps.reports.issuing import Order, issue_report
from xinzheng.apps.reports.printed import superseded_by
from xinzheng.apps.reports.reviewing import review_reports
from xinzheng.core.decision import Request
from xinzheng.core.errors import XinzhengError
from xinzheng.core.objections import Act, Ground, State

db = module_database
MONDAY = date(2026, 6, 1)
What = Correction.What


@pytest.fixture(scope="module")
def built(module_database: None, tmp_path_factory: pytest.TempPathFactory) -> RedressCity:
    return build_redress_city(tmp_path_factory.mktemp("redress"))


@pytest.fixture
def city(db: None, built: RedressCity, settings: LazySettings) -> Iterator[RedressCity]:
    """The city on a Monday; what a test does is undone."""
    settings.XINZHENG_CLOCK = "tests.told_time.now"
    told_time.tell(MONDAY)
    with transaction.atomic():
        yield built
        transaction.set_rollback(True)
    told_time.forget()


def code_of(call: object, *args: object, **kwargs: object) -> str:
    """The code by which something is refused; nothing of it is left behind."""
    steps, events = Step.objects.count(), AuditEvent.objects.count()
    with pytest.raises(XinzhengError) as refused, transaction.atomic():
        call(*args, **kwargs)  # type: ignore[operator]
    assert (Step.objects.count(), AuditEvent.objects.count()) == (steps, events)
    return refused.value.code


def upheld(city: RedressCity, number: str, what: What, who: str = "chief", **changes: object) -> Correction:
    seen = objection_view(number, MONDAY).seq
    upholding = replace(Upholding(number, seen, what, "经核对，记录有误"), **changes)
    return uphold(upholding, account=city.accounts[who])


def with_unit(city: RedressCity, **changes: object) -> str:
    number = lodge_one(city, **changes).number
    do(city, number, Act.ACCEPT, "office")
    return number


# Lodging


def test_a_form_sent_twice_makes_one_objection_and_numbers_count_the_day(city: RedressCity) -> None:
    new = NewObjection(city.firm, POLICY, Ground.WRONG, city.record, words="金额不对")
    key = uuid.uuid4()
    made = [lodge(new, account=city.accounts["agent"], key=key) for _ in range(2)]
    assert made[0] == made[1]
    assert made[0].number == "Y20260601-0001"
    assert Step.objects.filter(objection=made[0]).count() == 1
    assert open_on(city.firm) == {city.record: made[0].number}
    assert lodge_one(city, Ground.MISSING).number == "Y20260601-0002"
    assert code_of(lodge, replace(new, ground=Ground.NOT_MINE), account=city.accounts["agent"], key=key) == (
        "objection-refused"
    )


def test_what_is_not_shown_does_not_exist_whoever_it_belongs_to(city: RedressCity) -> None:
    (sealed,) = city.add(city.penalty("苏水罚〔2026〕3号", 依法封存="是"))
    (others,) = city.add(city.penalty("苏水罚〔2026〕4号", code=OTHER_FIRM))
    words = set()
    for record in (None, 0, 10**12, sealed, others):
        with pytest.raises(XinzhengError) as refused:
            lodge_one(city, record_id=record)
        assert refused.value.code == "record-not-shown"
        words.add(refused.value.message)
    assert len(words) == 1


def test_only_the_subjects_own_agent_lodges_and_says_what_is_wrong(city: RedressCity) -> None:
    for who in ("other_agent", "office", "chief"):
        assert code_of(lodge_one, city, who=who) == "not-permitted"
    assert code_of(lodge_one, city, words=" \n ") == "reason-missing"
    assert code_of(lodge_one, city, report_number="SZ2026010100000015") == "record-not-shown"


def test_one_objection_is_open_on_a_record_and_the_other_is_named(city: RedressCity) -> None:
    first = lodge_one(city)
    with pytest.raises(XinzhengError) as refused:
        lodge_one(city, Ground.NOT_MINE)
    assert (refused.value.code, first.number in refused.value.message) == ("objection-open-already", True)
    lodge_one(city, Ground.MISSING)
    assert code_of(lodge_one, city, Ground.MISSING, document_number="苏水罚(2026)9号") == "objection-open-already"
    do(city, first.number, Act.WITHDRAW, "agent")
    lodge_one(city)


def test_a_closed_one_is_not_appealed_while_another_is_open_on_the_record(city: RedressCity) -> None:
    first = with_unit(city)
    do(city, first, Act.DISMISS, "chief")
    second = lodge_one(city).number
    assert code_of(do, city, first, Act.APPEAL, "agent") == "objection-open-already"
    do(city, second, Act.WITHDRAW, "agent")
    do(city, first, Act.APPEAL, "agent")
    assert code_of(lodge_one, city) == "objection-open-already"


def test_a_subject_lodges_so_many_a_day_and_has_so_many_open(city: RedressCity) -> None:
    def missing(serial: int) -> Objection:
        return lodge_one(city, Ground.MISSING, document_number=f"苏水罚〔2025〕{serial}号")

    day = MONDAY
    for serial in range(OPEN_AT_MOST):
        if serial and serial % A_DAY_AT_MOST == 0:
            assert code_of(missing, 1000) == "too-many-objections"
            day += timedelta(days=1)
            told_time.tell(day)
        missing(serial)
    assert code_of(missing, 1000) == "too-many-objections"
    assert Objection.objects.filter(subject_id=city.firm).count() == OPEN_AT_MOST


def test_a_missing_record_names_domain_kind_and_number(city: RedressCity) -> None:
    for wrong in ({"domain": "nowhere"}, {"kind": "nothing"}, {"document_number": " "}, {"record_id": city.record}):
        assert code_of(lodge_one, city, Ground.MISSING, **wrong) == "objection-refused"


def test_what_is_named_as_a_report_is_one_of_the_subjects_own_whatever_is_missing(city: RedressCity) -> None:
    others = issue_report(Order(POLICY, city.other_firm, Request(), BY)).number
    for words in ("张三 320501199001011234", others, "\0", "SZ1" * 5000):
        assert code_of(lodge_one, city, Ground.MISSING, report_number=words) == "record-not-shown"
    own = city.report()
    assert lodge_one(city, Ground.MISSING, report_number=own).report_number == own


# Handling


def test_everybody_acts_for_his_own_party_and_what_is_missing_is_said(city: RedressCity) -> None:
    number = lodge_one(city).number
    for who in ("agent", "chief", "officer", "other_agent"):
        assert code_of(do, city, number, Act.ACCEPT, who) == "not-permitted"
    assert code_of(do, city, number, Act.DECLINE, "office", reason=" ") == "reason-missing"
    assert code_of(do, city, number, Act.DISMISS, "chief") == "not-permitted"
    assert code_of(do, city, number, Act.ACCEPT, "office", unit_id=10**9) == "unit-not-responsible"
    assert code_of(do, city, number, Act.UPHOLD, "office") == "not-permitted"
    do(city, number, Act.ACCEPT, "office")
    for who in ("officer", "other_chief", "stranger", "office"):
        assert code_of(do, city, number, Act.DISMISS, who) == "not-permitted"
    assert code_of(do, city, number, Act.DISMISS, "chief", files=()) == "evidence-missing"
    assert code_of(do, city, number, Act.DISMISS, "chief", reason="王某，320501199001010017") == "text-not-kept"
    assert code_of(do, city, number, Act.PROMISE, "chief") == "objection-step-illegal"
    assert code_of(do, city, number, Act.LAPSE, "office") == "not-permitted"
    nobody = Doing("Y20260601-9999", 1, Act.ACCEPT)
    assert code_of(take_step, nobody, account=city.accounts["office"]) == "unknown-objection"


def test_who_comes_second_is_told_who_was_first_and_when(city: RedressCity) -> None:
    number = with_unit(city)
    do(city, number, Act.HAND_OVER, "chief")
    for who in ("second_chief", "other_chief"):
        doing = Doing(number, 2, Act.RETURN, reason="不属于本单位")
        with pytest.raises(XinzhengError) as refused:
            take_step(doing, account=city.accounts[who])
        assert refused.value.code == "objection-moved-on"
        assert "数源单位责任人已于6月1日10:00办理“异议移交其他单位”" in refused.value.message
    assert code_of(take_step, doing, account=city.accounts["stranger"]) == "not-permitted"


def test_it_is_handed_over_twice_at_most_and_only_to_who_answers(city: RedressCity) -> None:
    number = with_unit(city)
    assert code_of(do, city, number, Act.HAND_OVER, "chief", unit_id=None) == "unit-missing"
    assert code_of(do, city, number, Act.HAND_OVER, "chief", unit_id=city.unit) == "unit-not-responsible"
    stranger = city.accounts["stranger"].unit_id
    assert code_of(do, city, number, Act.HAND_OVER, "chief", unit_id=stranger) == "unit-not-responsible"
    do(city, number, Act.HAND_OVER, "chief")
    do(city, number, Act.HAND_OVER, "other_chief", unit_id=city.unit)
    assert code_of(do, city, number, Act.HAND_OVER, "chief") == "handed-over-twice"
    do(city, number, Act.RETURN, "chief")
    assert objection_view(number, MONDAY).unit_id is None
    do(city, number, Act.ACCEPT, "office", unit_id=city.other_unit)
    do(city, number, Act.HAND_OVER, "other_chief", unit_id=city.unit)
    assert objection_view(number, MONDAY).units == {city.unit, city.other_unit}


def test_an_appeal_has_its_term_and_is_not_offered_after_it(city: RedressCity) -> None:
    number = with_unit(city)
    do(city, number, Act.DISMISS, "chief")
    last = date(2026, 6, 15)
    assert objection_view(number, last).appeal_until == last
    assert [move.act for move in objection_view(number, last).possible] == [Act.APPEAL]
    told_time.tell(last + timedelta(days=1))
    assert objection_view(number, last + timedelta(days=1)).possible == ()
    assert code_of(do, city, number, Act.APPEAL, "agent") == "appeal-too-late"
    told_time.tell(last, hour=23)
    do(city, number, Act.APPEAL, "agent")
    assert objection_view(number, last).clock is not None


def test_lists_show_what_is_late_first_and_a_unit_its_own(
    city: RedressCity, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    late = with_unit(city)
    told_time.tell(date(2026, 6, 15))
    soon = [lodge_one(city, Ground.MISSING, document_number=f"第{n}号").number for n in range(3)]
    waiting = lodge_one(city, Ground.MISSING, document_number="等待").number
    do(city, waiting, Act.ASK, "office")
    day = date(2026, 6, 16)
    with django_assert_max_num_queries(4):
        rows = rows_of(Listed(), day)
    assert [row.number for row in rows] == [late, *soon, waiting]
    assert [row.clock.is_over for row in rows if row.clock] == [True, False, False, False, False]
    assert [row.number for row in rows_of(Listed(unit_id=city.unit), day)] == [late]
    do(city, late, Act.HAND_OVER, "chief")
    assert rows_of(Listed(unit_id=city.unit), day) == []
    assert [row.number for row in rows_of(Listed(unit_id=city.unit, with_past=True), day)] == [late]
    assert len(rows_of(Listed(subject_id=city.firm, states=frozenset({State.MORE_ASKED})), day)) == 1
    assert rows_of(Listed(subject_id=city.other_firm, states=None), day) == []


# Upholding


def test_a_changed_row_supersedes_what_printed_the_old_one(city: RedressCity) -> None:
    report = city.report()
    number = with_unit(city, report_number=report)
    row = current_row(city.record)
    fixed = {**row.values, "fine": "2", "content": "罚款2万元"}
    assert code_of(upheld, city, number, What.CHANGED, values=row.values) == "correction-unchanged"
    assert code_of(upheld, city, number, What.CHANGED) == "correction-unfit"
    assert code_of(upheld, city, number, What.TAKEN_DOWN) == "correction-unfit"
    assert code_of(upheld, city, number, What.CHANGED, values=fixed, seen_version=0) == "record-moved-on"
    correction = upheld(city, number, What.CHANGED, values=fixed, seen_version=row.version_id)
    assert (correction.what, correction.record_id, correction.blamed_unit_id) == ("changed", city.record, city.unit)
    assert correction.step.entry_id == correction.entry_id == correction.batch_id
    assert current_row(city.record).values["fine"] == "2"
    review_reports()
    assert superseded_by(correction.entry_id) == [report]
    view = objection_view(number, MONDAY)
    assert (view.state, view.is_disputed, view.correction and view.correction.what) == (
        State.CORRECTED,
        False,
        "changed",
    )


def test_another_record_takes_the_place_of_the_wrong_one(city: RedressCity) -> None:
    number = with_unit(city)
    values = {**current_row(city.record).values, "document_number": "苏水罚〔2026〕2号"}
    assert code_of(upheld, city, number, What.CHANGED, values=values) == "correction-rejected"
    correction = upheld(city, number, What.REPLACED, values=values)
    assert RecordHead.objects.get(record_id=city.record).payload_sha256 is None
    assert current_row(correction.record_id or 0).values["document_number"] == "苏水罚〔2026〕2号"
    assert watch_corrections() == 0
    city.city.submit([city.penalty()], DOMAIN)
    assert watch_corrections() == 3


def test_what_is_not_the_subjects_is_taken_out_and_an_over_period_only_taken_down(city: RedressCity) -> None:
    number = with_unit(city, ground=Ground.NOT_MINE)
    assert code_of(upheld, city, number, What.CHANGED, values={}) == "correction-unfit"
    correction = upheld(city, number, What.REMOVED)
    assert (correction.payload_sha256, correction.batch_id) == (None, None)
    assert code_of(lodge_one, city) == "record-not-shown"
    (other,) = city.add(city.penalty("苏水罚〔2026〕5号"))
    number = with_unit(city, ground=Ground.OVER_PERIOD, record_id=other)
    correction = upheld(city, number, What.TAKEN_DOWN)
    assert (correction.entry_id, correction.record_id) == (None, other)
    assert current_row(other).values["document_number"] == "苏水罚〔2026〕5号"


def test_a_unit_that_has_delivered_it_already_names_the_batch(city: RedressCity) -> None:
    report = city.report()
    number = with_unit(city, report_number=report)
    assert code_of(upheld, city, number, What.CHANGED, batch_id=city.batch) == "batch-corrects-nothing"
    batch = city.city.submit([city.penalty(违法事实="更正后的事实")], DOMAIN).batch
    correction = upheld(city, number, What.CHANGED, batch_id=batch)
    assert (correction.batch_id, correction.entry_id) == (batch, batch)
    review_reports()
    assert superseded_by(batch) == [report]


def test_a_unit_that_has_taken_its_batch_back_upholds_by_that(city: RedressCity) -> None:
    report = city.report()
    number = with_unit(city, report_number=report)
    withdraw_batch(batch_id=city.batch, reason="整批报错", by="test")
    assert code_of(upheld, city, number, What.CHANGED, values={}) == "unknown-record"
    correction = upheld(city, number, What.REMOVED)
    gone = RecordHead.objects.get(record_id=city.record)
    assert RecordVersion.objects.get(pk=gone.version_id).entry_id == correction.entry_id
    assert watch_corrections() == 0
    review_reports()
    assert superseded_by(correction.entry_id or 0) == [report]


def test_what_was_handed_over_is_revived_by_the_unit_that_upholds(city: RedressCity) -> None:
    number = with_unit(city)
    do(city, number, Act.HAND_OVER, "chief")
    values = {**current_row(city.record).values, "fine": "3", "content": "罚款3万元"}
    assert code_of(upheld, city, number, What.CHANGED, values=values) == "not-permitted"
    correction = upheld(city, number, What.CHANGED, "other_chief", values=values)
    assert (correction.unit_id, correction.blamed_unit_id) == (city.other_unit, city.unit)
    assert current_row(city.record).unit_id == city.other_unit


def test_a_later_file_that_undoes_a_correction_is_told_once_to_everybody(city: RedressCity) -> None:
    number = with_unit(city)
    upheld(city, number, What.CHANGED, values={**current_row(city.record).values, "fine": "2"})
    assert watch_corrections() == 0
    city.city.submit([city.penalty()], DOMAIN)
    assert [watch_corrections(), watch_corrections()] == [3, 0]
    told = Notice.objects.filter(event="correction-undone")
    assert {(n.unit_id, n.role, n.subject_id) for n in told} == {
        (city.unit, "", None), (None, "office_operator", None), (None, "", city.firm)
    }  # fmt: skip


# What time and deliveries do


def test_what_nobody_supplies_lapses_after_its_term_and_once(city: RedressCity) -> None:
    number = lodge_one(city).number
    do(city, number, Act.ASK, "office")
    assert objection_view(number, MONDAY).supply_until == date(2026, 6, 8)
    assert lapse(date(2026, 6, 8)) == 0
    assert [lapse(date(2026, 6, 9)), lapse(date(2026, 6, 9))] == [1, 0]
    assert objection_view(number, MONDAY).state is State.LAPSED
    told_time.tell(date(2026, 12, 30))
    number = lodge_one(city).number
    do(city, number, Act.ASK, "office")
    assert lapse(date(2027, 3, 1)) == 0


def test_late_ones_are_told_of_stage_by_stage_and_each_stage_once(city: RedressCity) -> None:
    def told(number: str) -> set[tuple[object, ...]]:
        of = Notice.objects.filter(source__startswith="objection:", body__objection=number)
        return {(n.event, n.source.rsplit(":", 1)[1], n.unit_id or n.role or n.subject_id) for n in of}

    number = with_unit(city)
    office, unit = "office_operator", city.unit
    assert escalate(date(2026, 6, 10)) == 0
    assert [escalate(date(2026, 6, 11)), escalate(date(2026, 6, 12))] == [1, 0]
    assert told(number) == {("objection-due-soon", "soon", unit)}
    assert [escalate(date(2026, 6, 16)), escalate(date(2026, 6, 16))] == [2, 0]
    assert escalate(date(2026, 6, 18)) == 1
    late = {("objection-overdue", "over", unit), ("objection-overdue", "over", city.firm)}
    assert told(number) == {("objection-due-soon", "soon", unit), *late, ("objection-overdue", "escalated", office)}
    do(city, number, Act.HAND_OVER, "chief")
    assert escalate(date(2026, 6, 18)) == 1
    assert ("objection-overdue", "over", city.other_unit) in told(number)


def test_a_promised_record_is_closed_by_the_delivery_that_brings_it(city: RedressCity) -> None:
    city.add(city.penalty("苏水罚〔2026〕8号"))
    report = city.report()
    number = lodge_one(city, Ground.MISSING, document_number="苏水罚(2026)9号").number
    do(city, number, Act.ACCEPT, "office", unit_id=city.unit)
    assert code_of(upheld, city, number, What.REMOVED) == "objection-step-illegal"
    do(city, number, Act.PROMISE, "chief")
    assert code_of(do, city, number, Act.WITHDRAW, "agent") == "objection-step-illegal"
    city.city.submit([city.penalty()], DOMAIN)
    assert deliver_awaited() == 0
    (record,) = city.add(city.penalty("苏水罚〔2026〕9号"))
    assert [deliver_awaited(), deliver_awaited()] == [1, 0]
    view = objection_view(number, MONDAY)
    assert (view.state, view.steps[-1].role, view.is_disputed) == (State.CORRECTED, "系统", False)
    assert view.correction is not None
    assert (view.correction.what, view.correction.record_id) == ("delivered", record)
    review_reports()
    assert superseded_by(view.correction.entry_id or 0) == [report]


def test_what_has_no_number_is_awaited_by_its_kind_and_a_repair_by_that_of_its_penalty(city: RedressCity) -> None:
    owed, repaired = "housing_fund_arrears", "credit_repair"
    first = lodge_one(city, Ground.MISSING, domain=owed, kind=owed, document_number="").number
    second = lodge_one(city, Ground.MISSING, domain=repaired, kind=repaired, document_number=DOCUMENT).number
    assert code_of(lodge_one, city, Ground.MISSING, domain=repaired, kind=repaired, document_number="") == (
        "objection-refused"
    )
    for number, domain in ((first, owed), (second, repaired)):
        assert code_of(do, city, number, Act.PROMISE, "chief") == "not-permitted"
        of_unit = NewAccount(domain, "责任人", Role.RESPONSIBLE_OFFICER, unit_id=unit_id(city.city, domain))
        do(city, number, Act.ACCEPT, "office", unit_id=of_unit.unit_id)
        seen = objection_view(number, MONDAY).seq
        take_step(Doing(number, seen, Act.PROMISE, "经核对确有遗漏"), account=open_account(of_unit, by="test"))
    assert deliver_awaited() == 0
    firm = {"统一社会信用代码": FIRM, "主体名称": NAME}
    organ = {"原处罚决定书文号": DOCUMENT, "原处罚机关": "市税务局", "修复日期": "2026-05-30", "处罚类别": "罚款"}
    city.city.submit_kind([firm | organ], repaired, repaired)
    assert deliver_awaited() == 1
    assert objection_view(second, MONDAY).state is State.CORRECTED
    owing = {"征收经办机构": "市公积金中心", "欠缴起始年月": "2026-01", "欠缴截止年月": "2026-03"}
    city.city.submit_kind([firm | owing | {"欠缴金额(元)": "100.00", "数据日期": "2026-05-01"}], owed, owed)
    assert deliver_awaited() == 1


def test_what_many_units_answer_for_is_given_to_one_by_the_office(city: RedressCity) -> None:
    number = lodge_one(city, Ground.MISSING).number
    assert code_of(do, city, number, Act.ACCEPT, "office") == "unit-missing"
    do(city, number, Act.ACCEPT, "office", unit_id=city.other_unit)
    assert objection_view(number, MONDAY).unit_id == city.other_unit


def test_what_was_sealed_since_is_not_hinted_at_whatever_an_old_report_says(city: RedressCity) -> None:
    report = city.report()
    city.city.submit([city.penalty(依法封存="是")], DOMAIN)
    assert code_of(lodge_one, city, report_number=report) == "record-not-shown"


def test_an_older_report_is_objected_to_as_it_was_printed(city: RedressCity) -> None:
    report = city.report()
    city.city.submit([city.penalty(违法事实="后来的说法")], DOMAIN)
    assert lodge_one(city, report_number=report).version_id == city.version
    assert code_of(lodge_one, city, report_number=report, who="other_agent") == "not-permitted"


def test_the_sweeps_are_run_by_the_clock_and_do_what_they_say(city: RedressCity) -> None:
    number = lodge_one(city).number
    do(city, number, Act.ASK, "office")
    told_time.tell(date(2026, 6, 9))
    sweep_days(0)
    sweep_deliveries(0)
    assert objection_view(number, MONDAY).state is State.LAPSED
    due = {job.task.name: job.cron for job in app.periodic_registry.periodic_tasks.values()}
    assert (due["redress.days"], due["redress.deliveries"]) == ("10 16 * * *", "*/5 * * * *")

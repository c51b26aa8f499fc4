"""Objections one by one: what an upheld one does, what time and deliveries do."""

from dataclasses import replace
from datetime import date

from procrastinate.contrib.django import app

from tests import told_time
from tests.module_database import module_database
from tests.redress_city import (
    DOCUMENT,
    DOMAIN,
    FIRM,
    NAME,
    RedressCity,
    do,
    lodge_one,
    unit_id,
)
from tests.redress_monday import MONDAY, built_city, code_of, monday_city, with_unit
from xinzheng.apps.accounts.actions import NewAccount, open_account
from xinzheng.apps.accounts.models import Role
from xinzheng.apps.codes.models import Notice
from xinzheng.apps.ledger.actions import withdraw_batch
from xinzheng.apps.ledger.corrections import current_row
from xinzheng.apps.ledger.models import RecordHead, RecordVersion
from xinzheng.apps.redress.handling import Doing, take_step
from xinzheng.apps.redress.models import Correction
from xinzheng.apps.redress.queries import objection_view
from xinzheng.apps.redress.sweeps import deliver_awaited, escalate, lapse, watch_corrections
from xinzheng.apps.redress.tasks import sweep_days, sweep_deliveries
from xinzheng.apps.redress.upholding import Upholding, uphold
from xinzheng.apps.reports.printed import superseded_by
from xinzheng.apps.reports.reviewing import review_reports
from xinzheng.core.objections import Act, Ground, State

db, built, city = module_database, built_city, monday_city
What = Correction.What


def upheld(city: RedressCity, number: str, what: What, who: str = "chief", **changes: object) -> Correction:
    seen = objection_view(number, MONDAY).seq
    upholding = replace(Upholding(number, seen, what, "经核对，记录有误"), **changes)
    return uphold(upholding, account=city.accounts[who])


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

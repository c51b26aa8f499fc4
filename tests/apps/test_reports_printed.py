"""What upheld objections do to reports: also those whose result stands, where they print what was wrong."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.template.loader import render_to_string

from tests.module_database import module_database
from tests.small_city import BY, SmallCity, build_small_city, today, uscc
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.ledger.actions import CorrectedRow, mark_disputed, submit_correction, withdraw_record
from xinzheng.apps.ledger.models import RecordHead
from xinzheng.apps.ledger.queries import CurrentRow, current_row
from xinzheng.apps.reports.flagging import flag_reports
from xinzheng.apps.reports.issuing import Order, issue_report
from xinzheng.apps.reports.models import Report, ReviewFlag, StatusEvent
from xinzheng.apps.reports.printed import flag_printed, superseded_by
from xinzheng.apps.reports.queries import report_view
from xinzheng.apps.reports.replaying import question_of, replay_report
from xinzheng.apps.reports.reviewing import Lookback, review_reports
from xinzheng.core.decision import Request

db = module_database
FIRM, OTHER = uscc(1), uscc(2)
DOMAIN = "water_affairs"
AMOUNT = {"fine": "2", "content": "罚款2万元"}
INSURANCE = "social_insurance_arrears"


@pytest.fixture(scope="module")
def built(db: None, tmp_path_factory: pytest.TempPathFactory) -> SmallCity:
    city = build_small_city(tmp_path_factory.mktemp("printed"))
    city.declare_everything()
    city.firm(FIRM)
    return city


@pytest.fixture
def city(built: SmallCity) -> Iterator[SmallCity]:
    with transaction.atomic():
        yield built
        transaction.set_rollback(True)


def fined(city: SmallCity, number: str = "一号", **columns: str) -> CurrentRow:
    city.submit([city.penalty(FIRM, number, **columns)], DOMAIN)
    return current_row(RecordHead.objects.latest("record_id").record_id)


def owing(city: SmallCity, amount: str = "100.00") -> CurrentRow:
    row = {"统一社会信用代码": FIRM, "主体名称": "苏州示例精密制造有限公司", "险种": "养老保险",
           "征收经办机构": "市社保中心", "欠缴起始年月": "2026-01", "欠缴截止年月": "2026-03", "欠缴金额(元)": amount,
           "数据日期": "2026-06-01"}  # fmt: skip
    city.submit_kind([row], INSURANCE, INSURANCE)
    return current_row(RecordHead.objects.get(kind=INSURANCE).record_id)


def issue(city: SmallCity) -> Report:
    return issue_report(Order("suzhou-2024", city.firm(FIRM), Request(), BY))


def status(report: Report) -> tuple[str, str, int | None]:
    event = StatusEvent.objects.filter(report=report).latest("id")
    return event.status, event.reason_code, event.caused_by


def is_in_force(report: Report) -> bool:
    return status(report)[0] == "in_force"


def correct(city: SmallCity, row: CurrentRow, rank: int = 0, **values: str) -> int:
    """Correct a record by a unit of its domain; the batch."""
    unit = next(r.uscc for r in city.responsibilities if (r.domain, r.kind) == (row.domain, row.kind) and r.rank > rank)
    changed = {**row.values, **values}
    return submit_correction(CorrectedRow(row.subject_id, row.domain, row.kind, unit, changed), by=BY).batch


def take_out(row: CurrentRow) -> int:
    return withdraw_record(record_id=row.record_id, seen_version=row.version_id, reason="不属实", by=BY).entry


def content(report: Report) -> dict[str, Any]:
    return json.loads(bytes(report.content))


def test_a_corrected_amount_supersedes_although_the_result_stands(city: SmallCity) -> None:
    row = fined(city)
    report = issue(city)
    batch = correct(city, row, **AMOUNT)
    assert review_reports()["superseded"] == 1
    assert status(report) == ("superseded", "records-corrected", batch)
    assert superseded_by(batch) == [report.number]
    assert replay_report(report.number).is_same
    fresh = issue(city)
    assert content(fresh)["records"][0]["fine"] == "2.000000"
    assert review_reports()["superseded"] == 0


def test_the_same_amount_changed_by_the_unit_itself_supersedes_nothing(city: SmallCity) -> None:
    fined(city)
    report = issue(city)
    fined(city, **{"罚款金额(万元)": "2", "处罚内容": "罚款2万元"})
    review_reports()
    assert is_in_force(report)


def test_a_correction_does_not_answer_for_what_the_unit_had_changed_before(city: SmallCity) -> None:
    row, unlisted = fined(city), fined(city, "二号", 程序="简易程序")
    report = issue(city)
    fined(city, **{"罚款金额(万元)": "2", "处罚内容": "罚款2万元"})
    review_reports()
    correct(city, unlisted, facts="不曾列出的事实")
    review_reports()
    assert ReviewFlag.objects.filter(report=report).latest("id").why == "objection"
    assert is_in_force(report)
    correct(city, current_row(row.record_id), facts="更正了的事实")
    assert review_reports()["superseded"] == 1


def test_a_correction_that_changes_the_result_says_so_too(city: SmallCity) -> None:
    row = fined(city)
    report = issue(city)
    batch = correct(city, row, procedure="简易程序")
    review_reports()
    assert status(report) == ("superseded", "records-corrected", batch)
    assert issue(city).outcome == "clear"


def test_a_correction_undone_before_anybody_looked_leaves_the_report(city: SmallCity) -> None:
    row = fined(city)
    report = issue(city)
    correct(city, row, **AMOUNT)
    fined(city)
    review_reports()
    assert is_in_force(report)


def test_a_record_taken_out_supersedes_and_the_old_report_replays(city: SmallCity) -> None:
    row = fined(city)
    report = issue(city)
    entry = take_out(row)
    review_reports()
    assert status(report) == ("superseded", "records-withdrawn", entry)
    assert superseded_by(entry) == [report.number]
    assert replay_report(report.number).is_same
    assert issue(city).outcome == "clear"


def test_a_record_handed_over_and_corrected_is_one_act(city: SmallCity) -> None:
    row = fined(city)
    report = issue(city)
    with transaction.atomic():
        entry = take_out(row)
        batch = correct(city, row, rank=1, **AMOUNT)
    review_reports()
    assert status(report) == ("superseded", "records-corrected", batch)
    assert superseded_by(entry) == superseded_by(batch) == [report.number]


def test_a_record_replaced_by_one_of_another_number_is_one_act(city: SmallCity) -> None:
    row = fined(city)
    report = issue(city)
    with transaction.atomic():
        batch = correct(city, row, document_number="二号")
        entry = take_out(row)
    review_reports()
    assert status(report)[0] == "superseded"
    assert superseded_by(entry) == superseded_by(batch) == [report.number]


def test_two_acts_of_one_subject_are_not_taken_for_one(city: SmallCity) -> None:
    one, two = fined(city), fined(city, "二号")
    report = issue(city)
    first = correct(city, one, **AMOUNT)
    second = correct(city, two, **AMOUNT)
    review_reports()
    assert status(report)[2] == first
    assert superseded_by(second) == []


@pytest.mark.parametrize("upheld", ["amount", "gone"])
def test_arrears_decide_nothing_but_are_printed(city: SmallCity, upheld: str) -> None:
    row = owing(city)
    report = issue(city)
    owing(city, "90.00")
    review_reports()
    assert is_in_force(report)
    now = current_row(row.record_id)
    entry = take_out(now) if upheld == "gone" else correct(city, now, owing="50.00")
    review_reports()
    assert status(report) == ("superseded", "records-corrected", entry)


def test_what_only_waits_for_a_line_does_not_keep_a_wrong_amount_in_force(city: SmallCity) -> None:
    row = fined(city)
    report = issue(city)
    city.submit([city.penalty(FIRM, "坏行", 处罚决定日期="去年")])
    fined(city, 违法事实="只是换了说法")
    review_reports()
    assert ReviewFlag.objects.get(report=report).answer == "waits"
    batch = correct(city, current_row(row.record_id), **AMOUNT)
    review_reports()
    assert status(report) == ("superseded", "records-corrected", batch)


def test_what_a_unit_had_delivered_in_its_usual_way_supersedes_once_an_objection_names_it(city: SmallCity) -> None:
    row = fined(city)
    report = issue(city)
    batch = city.submit([city.penalty(FIRM, "一号", **{"罚款金额(万元)": "2", "处罚内容": "罚款2万元"})], DOMAIN).batch
    city.submit([city.penalty(FIRM, "坏行", 处罚决定日期="去年")])
    review_reports()
    assert is_in_force(report)
    # A flag waits already, for an entry that came later.
    assert ReviewFlag.objects.filter(report=report, decided_at=None).exists()
    assert flag_printed(row.subject_id, batch) == 1
    review_reports()
    assert status(report) == ("superseded", "records-corrected", batch)


def test_what_a_record_became_after_the_reports_moment_is_no_correction_of_it(city: SmallCity) -> None:
    row = fined(city)
    report = issue(city)
    asked = replace(question_of(report), as_of=report.as_of - timedelta(days=10))
    before = Lookback(report, asked).printed_at(report.position)
    correct(city, row, standing="撤销", standing_date=today().isoformat())
    look = Lookback(report, asked)
    assert look.printed_at(head_position()) == before
    long_ago = (today() - timedelta(days=20)).isoformat()
    correct(city, current_row(row.record_id), standing="变更", standing_date=long_ago)
    assert look.printed_at(head_position()) != before


def test_only_reports_of_before_the_entry_are_looked_at(city: SmallCity) -> None:
    row = fined(city)
    batch = correct(city, row, **AMOUNT)
    issue(city)
    assert flag_printed(row.subject_id, batch) == 0


def test_what_came_before_an_objection_is_not_laid_at_its_door(city: SmallCity) -> None:
    row = fined(city)
    report = issue(city)
    first = city.submit([city.penalty(FIRM, "补报的")]).batch
    batch = correct(city, row, **AMOUNT)
    flag_printed(row.subject_id, batch)
    review_reports()
    assert status(report) == ("superseded", "records-added", first)


def test_a_report_overtaken_by_an_objection_while_it_was_being_numbered_is_caught(city: SmallCity) -> None:
    row = fined(city)
    issue(city)

    def overtake(stage: str) -> None:
        if stage == "signing":
            correct(city, row, **AMOUNT)
            flag_reports()

    report = issue_report(Order("suzhou-2024", row.subject_id, Request(), BY, on_stage=overtake))
    assert is_in_force(report)
    review_reports()
    assert status(report)[:2] == ("superseded", "records-corrected")


def test_an_objection_marks_what_is_printed_while_it_is_open_and_supersedes_nothing(city: SmallCity) -> None:
    row, arrears = fined(city), owing(city)
    reports = [issue(city)]
    for is_open in (True, False):
        for one in (row, arrears):
            said = {"record_id": one.record_id, "subject_id": one.subject_id, "reference": "Y20261122-0001"}
            mark_disputed(**said, is_open=is_open, by=BY)
        reports.append(issue(city))
    marks = [content(report)["records"][0]["marks"] for report in reports]
    assert marks == [[], ["异议处理中"], []]
    assert [content(report)["arrears"][0].get("note") for report in reports] == [None, "异议处理中", None]
    assert {report.outcome for report in reports} == {"not_clear"}
    assert review_reports()["superseded"] == 0
    correct(city, row, procedure="简易程序")
    assert review_reports()["superseded"] == 3
    for report in reports:
        assert replay_report(report.number).is_same


def test_a_finding_names_its_record_and_clause_for_links(city: SmallCity) -> None:
    row = fined(city)
    (finding,) = report_view(issue(city).number).findings
    assert (finding.record, finding.clause) == (row.record_id, "penalty")


def test_pages_show_the_note_beside_arrears_and_repairs() -> None:
    row = dict.fromkeys(("agency", "from", "to", "due", "paid", "owing", "document_number", "organ"), "")
    noted = row | {"decision_date": None, "repaired_date": None}
    noted |= {"insurance": "养老保险", "reason": "已修复", "note": "异议处理中"}
    for name, words in (("arrears", "养老保险（异议处理中）"), ("repairs", "已修复（异议处理中）")):
        assert words in render_to_string(f"subjects/{name}.html", {"rows": [noted]})
        assert "异议处理中" not in render_to_string(f"subjects/{name}.html", {"rows": [noted | {"note": ""}]})

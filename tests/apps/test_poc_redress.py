"""Tried: what corrections, withdrawals and disputes do to the ledger and to reports."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from django.db import transaction

from tests.small_city import BY, SmallCity, build_small_city, uscc
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.ledger.actions import submit_batch, withdraw_batch
from xinzheng.apps.ledger.models import Batch, RecordHead
from xinzheng.apps.ledger.queries import records_at
from xinzheng.apps.ledger.record_withdrawal import withdraw_record
from xinzheng.apps.reports.issuing import Order, issue_report
from xinzheng.apps.reports.models import Report, StatusEvent
from xinzheng.apps.reports.replaying import replay_report
from xinzheng.apps.reports.reviewing import review_reports
from xinzheng.core.decision import Request
from xinzheng.core.subjects import Tie

pytestmark = pytest.mark.django_db
FIRM = uscc(1)


@pytest.fixture
def city(db: None, tmp_path: Path) -> SmallCity:
    small = build_small_city(tmp_path, units_per_domain=1)
    small.declare_everything()
    return small


def issue(city: SmallCity) -> Report:
    return issue_report(Order("suzhou-2024", city.firm(FIRM), Request(), BY))


def status(report: Report) -> tuple[str, str]:
    event = StatusEvent.objects.filter(report=report).latest("id")
    return event.status, event.reason_code


def correction(city: SmallCity, **columns: str):
    return submit_batch(replace(city.delivery([city.penalty(FIRM, "一号", **columns)]), mode="correction"), by=BY)


def test_a_correction_is_a_batch_of_one_row_inside_the_objections_transaction(city: SmallCity) -> None:
    city.firm(FIRM)
    city.submit([city.penalty(FIRM, "一号")])
    report = issue(city)
    with transaction.atomic():
        done = correction(city, 程序="简易程序")
        assert (done.changed, done.held, done.rejected) == (1, False, 0)
    review_reports()
    assert status(report) == ("superseded", "records-corrected")
    assert Batch.objects.get(pk=done.batch).mode == "correction"


def test_a_corrected_amount_supersedes_what_printed_the_wrong_one(city: SmallCity) -> None:
    city.submit([city.penalty(FIRM, "一号")])
    report = issue(city)
    correction(city, **{"处罚内容": "罚款2万元", "罚款金额(万元)": "2"})
    review_reports()
    assert status(report) == ("superseded", "records-corrected")


def test_a_withdrawn_record_is_gone_supersedes_and_the_old_report_replays(city: SmallCity) -> None:
    firm = city.firm(FIRM)
    first = city.submit([city.penalty(FIRM, "一号")]).batch
    report = issue(city)
    head = RecordHead.objects.get(subject_id=firm)
    withdraw_record(record_id=head.record_id, seen_version=head.version_id, reason="不是该主体的记录", by=BY)
    assert records_at({firm: Tie.SELF}, head_position(), "320500") == ()
    review_reports()
    assert status(report) == ("superseded", "records-withdrawn")
    assert replay_report(report.number)
    assert issue(city).outcome == "clear"
    # The trap: a wrong row sent again and taken back brings the first content back.
    again = city.submit([city.penalty(FIRM, "一号", 违法事实="又一次")]).batch
    assert again != first
    withdraw_batch(batch_id=again, reason="报错了", by=BY)
    found = records_at({firm: Tie.SELF}, head_position(), "320500")
    assert found == ()


def test_a_disputed_record_is_marked_from_its_position_on_and_the_report_replays(city: SmallCity) -> None:
    from xinzheng.apps.ledger.record_withdrawal import mark_disputed

    firm = city.firm(FIRM)
    city.submit([city.penalty(FIRM, "一号")])
    before = issue(city)
    record = RecordHead.objects.get(subject_id=firm).record_id
    mark_disputed(record_id=record, subject_id=firm, reference="Y1", is_open=True, by=BY)
    during = issue(city)
    mark_disputed(record_id=record, subject_id=firm, reference="Y1", is_open=False, by=BY)
    after = issue(city)
    cards = [json.loads(bytes(r.content))["records"][0] for r in (before, during, after)]
    assert [card["marks"] for card in cards] == [[], ["异议处理中"], []]
    assert {r.outcome for r in (before, during, after)} == {"not_clear"}
    assert review_reports()["superseded"] == 0
    correction(city, 程序="简易程序")
    assert review_reports()["superseded"] == 3
    for one in (before, during, after):
        assert replay_report(one.number)


def test_a_record_handed_over_is_revived_by_the_unit_that_upholds(db: None, tmp_path: Path) -> None:
    from xinzheng.apps.ledger.actions import Delivery, Scope

    city = build_small_city(tmp_path, units_per_domain=2)
    city.declare_everything()
    firm = city.firm(FIRM)
    city.submit([city.penalty(FIRM, "一号")], domain="water_affairs")
    other = city.unit("water_affairs", 1)
    row = city.delivery([city.penalty(FIRM, "一号", 程序="简易程序")], domain="water_affairs")
    theirs = Delivery(row.file, Scope(other, "water_affairs", row.scope.kind), mode="correction")
    with transaction.atomic():
        assert submit_batch(theirs, by=BY).rejected == 1  # another unit's live record stands
        transaction.set_rollback(True)
    head = RecordHead.objects.get(subject_id=firm)
    with transaction.atomic():
        withdraw_record(record_id=head.record_id, seen_version=head.version_id, reason="移交", by=BY)
        assert submit_batch(theirs, by=BY).changed == 1
    after = RecordHead.objects.get(subject_id=firm)
    assert after.record_id == head.record_id
    assert after.unit_id != head.unit_id
    assert len(records_at({firm: Tie.SELF}, head_position(), "320500")) == 1


def test_the_units_own_next_file_undoes_a_correction_without_a_word(city: SmallCity) -> None:
    firm = city.firm(FIRM)
    old = [city.penalty(FIRM, "一号")]
    city.submit(old)
    correction(city, 程序="简易程序")
    corrected = bytes(RecordHead.objects.get(subject_id=firm).payload_sha256 or b"")
    again = city.submit(old)
    assert (again.changed, again.held) == (1, False)
    assert bytes(RecordHead.objects.get(subject_id=firm).payload_sha256 or b"") != corrected

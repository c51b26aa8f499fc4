"""Issuing: numbers without gaps, one report per key, a document that can be read, replay that gives the same."""

import json
import threading
import uuid
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, connections
from django.db.utils import ProgrammingError

from tests.small_city import SmallCity, build_small_city, today, uscc
from xinzheng.adapters.pdf import read_attachment, render_report
from xinzheng.adapters.signing import load_seal_public_keys, open_seal, qr_text
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.ledger.queries import records_at
from xinzheng.apps.registry.queries import ties_at
from xinzheng.apps.reports.forms import policies_for
from xinzheng.apps.reports.issuing import (
    Order,
    complete_report,
    issue_report,
    long_code,
    resume_prepared,
    void_report,
)
from xinzheng.apps.reports.models import DayCounter, Report, ReportDocument, StatusEvent
from xinzheng.apps.reports.numbering import expected_number
from xinzheng.apps.reports.queries import current_status, report_pdf, report_view, reports_of
from xinzheng.apps.reports.replaying import replay_report
from xinzheng.core.decision import Request
from xinzheng.core.errors import RefusedError, XinzhengError
from xinzheng.core.lifecycle import is_report_number

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def city(transactional_db: None, tmp_path: Path) -> SmallCity:
    small = build_small_city(tmp_path)
    small.declare_everything()
    return small


def order(subject_id: int, **changes: object) -> Order:
    given: dict[str, object] = {
        "policy_id": "suzhou-2024",
        "subject_id": subject_id,
        "request": Request(),
        "by": "test",
    }
    return Order(**(given | changes))  # type: ignore[arg-type]


def test_a_report_is_numbered_sealed_signed_stored_and_in_force(city: SmallCity) -> None:
    report = issue_report(order(city.firm(uscc(1))))
    assert is_report_number(report.number)
    assert current_status(report.number) == "in_force"
    content = json.loads(bytes(report.content))
    assert content["conclusion"]["outcome"] == "clear"
    assert content["number"] == report.number
    assert read_attachment(report_pdf(report.number)) == bytes(report.content)


def test_the_same_key_gives_the_same_report_and_takes_no_second_number(city: SmallCity) -> None:
    one = order(city.firm(uscc(1)))
    assert issue_report(one).number == issue_report(one).number
    assert Report.objects.count() == 1
    assert DayCounter.objects.get().last == 1


def test_a_key_of_another_subjects_report_is_refused(city: SmallCity) -> None:
    key = uuid.uuid4()
    issue_report(order(city.firm(uscc(1)), key=key))
    with pytest.raises(XinzhengError) as caught:
        issue_report(order(city.firm(uscc(2)), key=key))
    assert caught.value.code == "idempotency-key-reused"


def test_ten_orders_with_one_key_at_once_make_one_report(city: SmallCity) -> None:
    one, numbers, failures = order(city.firm(uscc(1))), [], []

    def issue() -> None:
        try:
            numbers.append(issue_report(one).number)
        except Exception as error:
            failures.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=issue) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(set(numbers)) == 1
    assert DayCounter.objects.get().last == 1
    assert ReportDocument.objects.count() == 1


def test_numbers_of_many_reports_at_once_have_no_gap(city: SmallCity) -> None:
    subject_id, failures = city.firm(uscc(1)), []

    def issue() -> None:
        try:
            issue_report(order(subject_id))
        except Exception as error:
            failures.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=issue) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    serials = sorted(int(number[10:17]) for number in Report.objects.values_list("number", flat=True))
    assert serials == list(range(1, 9))


def test_a_report_left_prepared_is_completed_with_the_same_content(
    city: SmallCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = order(city.firm(uscc(1)))
    with monkeypatch.context() as crash:
        crash.setattr("xinzheng.apps.reports.issuing.complete_report", _crash)
        with pytest.raises(KeyboardInterrupt):
            issue_report(one)
    report = Report.objects.get()
    assert current_status(report.number) == "prepared"
    assert resume_prepared() == [report.number]
    assert current_status(report.number) == "in_force"
    assert read_attachment(report_pdf(report.number)) == bytes(report.content)
    assert issue_report(one).number == report.number


def _crash(*_: object, **__: object) -> Report:
    raise KeyboardInterrupt


def test_completing_twice_stores_one_document(city: SmallCity) -> None:
    report = issue_report(order(city.firm(uscc(1))))
    before = report_pdf(report.number)
    complete_report(report, "test")
    assert report_pdf(report.number) == before
    assert StatusEvent.objects.filter(report=report).count() == 2


def test_what_cannot_be_completed_is_voided_in_plain_sight_and_keeps_its_number(
    city: SmallCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    subject_id = city.firm(uscc(1))
    with monkeypatch.context() as crash:
        crash.setattr("xinzheng.apps.reports.issuing.complete_report", _crash)
        with pytest.raises(KeyboardInterrupt):
            issue_report(order(subject_id))

    def refuse(*_: object) -> Report:
        raise XinzhengError("缺字", code="glyph-missing")

    with monkeypatch.context() as broken:
        broken.setattr("xinzheng.apps.reports.completing.complete_report", refuse)
        resume_prepared()
    first = Report.objects.get()
    assert current_status(first.number) == "voided"
    assert int(issue_report(order(subject_id)).number[10:17]) == int(first.number[10:17]) + 1


def left_prepared(one: Order, monkeypatch: pytest.MonkeyPatch) -> Report:
    with monkeypatch.context() as crash:
        crash.setattr("xinzheng.apps.reports.issuing.complete_report", _crash)
        with pytest.raises(KeyboardInterrupt):
            issue_report(one)
    return Report.objects.get(idempotency_key=one.key)


def test_a_voided_report_never_comes_into_force_by_the_same_key(
    city: SmallCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = order(city.firm(uscc(1)))
    report = left_prepared(one, monkeypatch)
    void_report(report, "缺字", "test")
    void_report(report, "缺字", "test")
    for attempt in (lambda: issue_report(one), lambda: complete_report(report, "test")):
        with pytest.raises(XinzhengError) as caught:
            attempt()
        assert caught.value.code == "report-voided"
    assert current_status(report.number) == "voided"
    assert not ReportDocument.objects.exists()


def test_a_report_completed_meanwhile_is_not_voided(city: SmallCity) -> None:
    report = issue_report(order(city.firm(uscc(1))))
    void_report(report, "缺字", "test")
    assert current_status(report.number) == "in_force"


def test_one_report_that_breaks_unexpectedly_keeps_no_other_from_being_completed(
    city: SmallCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    subject_id = city.firm(uscc(1))
    first, second = (left_prepared(order(subject_id), monkeypatch).number for _ in range(2))

    def break_on_the_first(report: Report, by: str) -> Report:
        if report.number == first:
            raise RuntimeError("out of memory")
        return complete_report(report, by)

    with monkeypatch.context() as broken:
        broken.setattr("xinzheng.apps.reports.completing.complete_report", break_on_the_first)
        with pytest.raises(RuntimeError, match="out of memory"):
            resume_prepared()
    assert (current_status(first), current_status(second)) == ("prepared", "in_force")
    assert resume_prepared() == [first]


def test_what_is_probably_being_completed_is_left_alone(city: SmallCity, monkeypatch: pytest.MonkeyPatch) -> None:
    report = left_prepared(order(city.firm(uscc(1))), monkeypatch)
    assert resume_prepared(older_than=timedelta(minutes=2)) == []
    assert current_status(report.number) == "prepared"


def test_a_signing_key_that_cannot_be_read_voids_nothing(
    city: SmallCity, monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path
) -> None:
    report = left_prepared(order(city.firm(uscc(1))), monkeypatch)
    keys, settings.XINZHENG_KEYS = settings.XINZHENG_KEYS, tmp_path / "not-mounted"
    with pytest.raises(XinzhengError):
        resume_prepared()
    settings.XINZHENG_KEYS = keys
    assert current_status(report.number) == "prepared"
    assert resume_prepared() == [report.number]


def test_a_key_of_another_request_is_refused_and_does_not_answer_with_the_wrong_report(city: SmallCity) -> None:
    one = order(city.firm(uscc(1)))
    issue_report(one)
    with pytest.raises(XinzhengError) as caught:
        issue_report(order(one.subject_id, key=one.key, request=Request(domains=("taxation",))))
    assert caught.value.code == "idempotency-key-reused"


def test_a_name_with_a_character_no_font_has_is_refused_before_a_number_is_taken(city: SmallCity) -> None:
    subject_id = city.firm(uscc(1), name="苏州𪚥𪚥有限公司")
    with pytest.raises(XinzhengError) as caught:
        issue_report(order(subject_id))
    assert caught.value.code == "glyph-missing"
    assert "𪚥" in caught.value.message
    assert DayCounter.objects.count() == 0


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"policy_id": "beijing-1999"}, "unknown-policy"),
        ({"request": Request(domains=("sorcery",))}, "unknown-domain"),
        ({"request": Request(purpose="好奇")}, "unknown-purpose"),
    ],
)
def test_what_the_policy_does_not_offer_is_refused_and_leaves_nothing(
    city: SmallCity, change: dict[str, object], code: str
) -> None:
    with pytest.raises(RefusedError) as caught:
        issue_report(order(city.firm(uscc(1)), **change))
    assert caught.value.code == code
    assert Report.objects.count() == 0


def test_an_issued_report_can_be_neither_changed_nor_removed(city: SmallCity) -> None:
    report = issue_report(order(city.firm(uscc(1))))
    for statement in (
        "UPDATE reports_report SET outcome = 'clear'",
        "DELETE FROM reports_reportdocument",
        "UPDATE reports_statusevent SET status = 'in_force'",
        "DELETE FROM reports_storedinput",
    ):
        with pytest.raises(ProgrammingError, match="Cannot update or delete"), connection.cursor() as cursor:
            cursor.execute(statement)
    assert current_status(report.number) == "in_force"


def test_the_subject_reads_every_finding_with_its_reason_and_citation(city: SmallCity) -> None:
    code = uscc(1)
    subject_id = city.firm(code)
    city.submit([city.penalty(code, "一号"), city.penalty(code, "二号", 程序="简易程序")])
    view = report_view(issue_report(order(subject_id)).number)
    found = {finding.title + dict(finding.facts)["决定书文号"]: finding for finding in view.findings}
    counted, excluded = found["少缴税款一号"], found["少缴税款二号"]
    assert counted.effect_word == "计入"
    assert excluded.effect_word == "没有计入"
    assert excluded.sentence == "这条记录没有计入，因为它是依据简易程序作出的行政处罚。"
    assert "依据简易程序作出的行政处罚" in excluded.quote
    assert "苏府规字〔2024〕1号" in excluded.citation
    assert excluded.is_statute


def test_a_subjects_reports_are_listed_newest_first(city: SmallCity) -> None:
    subject_id = city.firm(uscc(1))
    numbers = [issue_report(order(subject_id)).number for _ in range(3)]
    assert [row.number for row in reports_of(subject_id)] == numbers[::-1]
    assert reports_of(city.firm(uscc(2))) == []


def test_replay_gives_the_digest_that_was_issued(city: SmallCity) -> None:
    code = uscc(1)
    subject_id = city.firm(code)
    city.submit([city.penalty(code, "一号"), city.penalty(code, "二号", 程序="简易程序")])
    replay = replay_report(issue_report(order(subject_id)).number)
    assert replay.is_same
    assert replay.issued_digest == replay.replayed_digest


def test_a_subjects_own_city_is_offered_first_and_another_citys_records_are_not_weighed(city: SmallCity) -> None:
    build_small_city(city.folder, "huzhou-2023", units_per_domain=1)
    code = uscc(1)
    subject_id = city.firm(code)
    city.submit([city.penalty(code, "苏州的一号")])
    assert [policy_id for policy_id, _ in policies_for(subject_id)] == ["suzhou-2024", "huzhou-2023"]
    at_home = issue_report(order(subject_id))
    away = issue_report(order(subject_id, policy_id="huzhou-2023"))
    assert len(at_home.findings) == 1
    assert away.findings == []


def test_a_city_that_was_never_set_up_issues_nothing(city: SmallCity) -> None:
    with pytest.raises(RefusedError) as caught:
        issue_report(order(city.firm(uscc(1)), policy_id="huzhou-2023"))
    assert caught.value.code == "deployment-not-applied"
    assert Report.objects.count() == 0


def test_a_record_without_a_source_names_the_unit_that_delivered_it(city: SmallCity) -> None:
    code = uscc(1)
    subject_id = city.firm(code)
    city.submit([city.penalty(code, "一号")])
    (record,) = records_at(ties_at(subject_id, head_position()), head_position(), "320500")
    assert record.content["source_name"] == "市税务局"


def test_what_was_read_back_is_what_is_signed_and_nothing_is_set_twice(
    city: SmallCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    subject_id = city.firm(uscc(1))
    set_again: list[bytes] = []
    monkeypatch.setattr("xinzheng.adapters.pdf.render_report", lambda content, *_: set_again.append(content))
    reports = [issue_report(order(subject_id)) for _ in range(3)]
    assert set_again == []
    monkeypatch.undo()
    for report in reports:
        text = qr_text(bytes(report.cose), long_code(bytes(report.secret)))
        assert report_pdf(report.number).startswith(render_report(bytes(report.content), text))


def test_a_number_that_another_took_meanwhile_is_not_used_and_the_document_is_set_again(
    city: SmallCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    subject_id = city.firm(uscc(1))
    overtaken = order(subject_id)

    def overtake(stage: str) -> None:
        if stage == "signing":
            other = threading.Thread(target=lambda: (issue_report(order(subject_id)), connections.close_all()))
            other.start()
            other.join()

    report = issue_report(replace(overtaken, on_stage=overtake))
    assert sorted(int(number[10:17]) for number in Report.objects.values_list("number", flat=True)) == [1, 2]
    assert json.loads(bytes(report.content))["number"] == report.number
    assert read_attachment(report_pdf(report.number)) == bytes(report.content)
    seal = open_seal(bytes(report.cose), load_seal_public_keys(settings.XINZHENG_KEYS / "signing"))
    assert (seal.number, seal.digest) == (report.number, bytes(report.digest))


def test_a_number_is_expected_after_those_who_are_rehearsing_already(city: SmallCity) -> None:
    day = today()
    with expected_number("SZ", day) as first:
        with expected_number("SZ", day) as again:
            assert again == first  # one's own announcement does not count
        found: list[str] = []

        def other() -> None:
            with expected_number("SZ", day) as number, expected_number("SZ", day - timedelta(days=1)) as yesterdays:
                found.extend((number, yesterdays))
            connections.close_all()

        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert [int(number[10:17]) for number in (first, *found)] == [1, 2, 1]
    with expected_number("SZ", day) as after:
        assert after == first
    assert not DayCounter.objects.exists()

"""One record corrected, taken out or marked: what upheld objections do to the ledger."""

import json
from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest
from django.db import connection, transaction

from tests.module_database import module_database
from tests.returning import PLATFORM, Return, unit_id
from tests.small_city import BY, PENALTY, SmallCity, build_small_city, uscc
from tests.tabular_rows import PERSON
from xinzheng.apps.audit.models import AuditEvent, Entry
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.ledger import merge
from xinzheng.apps.ledger.actions import (
    CorrectedRow,
    confirm_batch,
    explain_line,
    fetch_raw_file,
    mark_disputed,
    submit_correction,
    withdraw_batch,
    withdraw_record,
)
from xinzheng.apps.ledger.errors import IntakeError
from xinzheng.apps.ledger.models import Batch, RecordDispute, RecordHead, RecordVersion
from xinzheng.apps.ledger.queries import CurrentRow, current_row, head_since, records_at
from xinzheng.core.subjects import Tie

db = module_database
FIRM, OTHER = uscc(1), uscc(2)
NUMBER = "苏税罚〔2026〕1号"
HERE = "320500"


@pytest.fixture(scope="module")
def built(db: None, tmp_path_factory: pytest.TempPathFactory) -> SmallCity:
    city = build_small_city(tmp_path_factory.mktemp("corrections"))
    city.firm(FIRM)
    return city


@pytest.fixture
def city(built: SmallCity) -> Iterator[SmallCity]:
    with transaction.atomic():
        yield built
        transaction.set_rollback(True)


def shown(city: SmallCity, domain: str = "taxation", code: str = FIRM, **columns: str) -> CurrentRow:
    """What the ledger says of a penalty just delivered."""
    city.submit([city.penalty(code, NUMBER, **columns)], domain)
    return current_row(RecordHead.objects.latest("record_id").record_id)


def corrected(row: CurrentRow, city: SmallCity, **values: str) -> CorrectedRow:
    changed = {**row.values, **values}
    return CorrectedRow(row.subject_id, row.domain, row.kind, city.unit(row.domain), changed, row.record_id)


def code_of(error: pytest.ExceptionInfo[IntakeError]) -> str:
    return error.value.code


def test_what_is_shown_is_what_a_person_would_type(city: SmallCity) -> None:
    row = shown(city)
    said = {name: row.values[name] for name in ("subject_uscc", "document_number", "procedure", "fine", "category")}
    assert said == {
        "subject_uscc": FIRM,
        "document_number": NUMBER,
        "procedure": "普通程序",
        "fine": "1",
        "category": "罚款",
    }
    assert (row.domain, row.kind, row.is_returned) == ("taxation", PENALTY, False)
    assert row.unit_id == row.delivered_by


def test_a_correction_is_a_batch_of_one_line_and_the_records_next_version(city: SmallCity) -> None:
    row = shown(city)
    done = submit_correction(corrected(row, city, procedure="简易程序", fine="0.5"), by=BY)
    assert (done.lines, done.changed, done.held) == (1, 1, False)
    batch = Batch.objects.get(pk=done.batch)
    assert (batch.mode, batch.file_name) == ("correction", "异议更正.jsonl")
    now = current_row(row.record_id)
    assert now.version_id != row.version_id
    assert (now.values["procedure"], now.values["fine"]) == ("简易程序", "0.5")
    unchanged = {name for name, text in now.values.items() if text == row.values[name]}
    assert row.values.keys() - unchanged == {"procedure", "fine"}


def test_the_same_again_is_no_correction_and_leaves_nothing(city: SmallCity) -> None:
    row, batches = shown(city), Batch.objects.count()
    with pytest.raises(IntakeError) as refused:
        submit_correction(corrected(row, city), by=BY)
    assert code_of(refused) == "correction-unchanged"
    assert Batch.objects.count() == batches


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"decision_date": "去年"}, "处罚决定日期"),
        ({"fine": "若干"}, "罚款金额(万元)"),
        ({"violation": ""}, "违法行为类型"),
        ({"colour": "红"}, "colour"),
        ({"subject_uscc": OTHER, "subject_name": "苏州另一示例化工有限公司"}, "另一个主体"),
        ({"document_number": "苏税罚〔2026〕2号"}, "另一条记录"),
    ],
)
def test_what_the_checks_or_the_objection_do_not_allow_is_told_and_leaves_nothing(
    city: SmallCity, values: dict[str, str], told: str
) -> None:
    row, batches = shown(city), Batch.objects.count()
    with pytest.raises(IntakeError) as refused:
        submit_correction(corrected(row, city, **values), by=BY)
    assert code_of(refused) == "correction-rejected"
    assert told in refused.value.message
    assert refused.value.context["defects"]
    assert Batch.objects.count() == batches
    assert current_row(row.record_id) == row


def test_another_document_number_takes_the_old_record_out_in_the_same_transaction(city: SmallCity) -> None:
    row = shown(city)
    renumbered = replace(corrected(row, city, document_number="苏税罚〔2026〕2号"), record_id=None)
    with transaction.atomic():
        assert submit_correction(renumbered, by=BY).new == 1
        withdraw_record(record_id=row.record_id, seen_version=row.version_id, reason="文号有误", by=BY)
    (record,) = records_at({row.subject_id: Tie.SELF}, head_position(), HERE)
    assert record.document_key == "苏税罚〔2026〕2号"


def test_no_floor_holds_a_correction(city: SmallCity, settings) -> None:
    row = shown(city)
    settings.XINZHENG_FLOORS = replace(settings.XINZHENG_FLOORS, least_history=0, ended_records=1, ended_percent=0)
    ended = corrected(row, city, standing="撤销", standing_date=row.values["decision_date"])
    assert not submit_correction(ended, by=BY).held


def test_a_unit_that_does_not_answer_corrects_nothing(city: SmallCity) -> None:
    row = shown(city)
    with pytest.raises(IntakeError) as refused:
        submit_correction(replace(corrected(row, city), unit_uscc=city.unit("justice")), by=BY)
    assert code_of(refused) == "unit-not-responsible"


def test_a_persons_name_and_number_come_from_the_register_and_stay_out_of_the_record(city: SmallCity) -> None:
    person = {"行政相对人名称": "示例某乙", "行政相对人类别": "自然人", "证件号码": PERSON}
    row = shown(city, code="", **person, 违法事实="示例某乙未按期申报")
    assert "示例某乙" not in str(row.values)
    assert PERSON not in str(row.values)
    done = submit_correction(corrected(row, city, procedure="简易程序"), by=BY)
    version = RecordVersion.objects.get(batch_id=done.batch)
    assert (version.record_id, version.subject_id) == (row.record_id, row.subject_id)
    said = json.loads(version.payload)
    assert "示例某乙" not in version.payload
    assert PERSON not in version.payload
    assert said["facts"] == "当事人未按期申报"
    with fetch_raw_file(batch_id=done.batch, by=BY).content as kept:
        assert json.loads(kept.read())["证件号码"] == PERSON
    told = [*AuditEvent.objects.values_list("details", flat=True), *Entry.objects.values_list("note", flat=True)]
    assert PERSON not in str(told)


def test_a_large_intake_is_not_waited_for_and_the_transaction_goes_on(
    city: SmallCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = shown(city)
    monkeypatch.setattr(merge, "PATIENCE", "50ms")
    # Our own transaction holds the lock since the delivery: others are asked about another one.
    monkeypatch.setattr(merge, "INTAKE_LOCK", merge.INTAKE_LOCK + 1)
    with psycopg.connect(**{**connection.get_connection_params(), "autocommit": True}) as other:
        other.execute("SELECT pg_advisory_lock(%s)", [merge.INTAKE_LOCK])
        for act in (
            lambda: submit_correction(corrected(row, city, procedure="简易程序"), by=BY),
            lambda: withdraw_record(record_id=row.record_id, seen_version=row.version_id, reason="不属实", by=BY),
        ):
            with pytest.raises(IntakeError) as refused:
                act()
            assert code_of(refused) == "ledger-busy"
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == ("0",)
    assert submit_correction(corrected(row, city, procedure="简易程序"), by=BY).changed == 1


def test_a_withdrawn_record_is_gone_and_an_earlier_position_still_reads_it(city: SmallCity) -> None:
    row, before = shown(city), head_position()
    done = withdraw_record(record_id=row.record_id, seen_version=row.version_id, reason="不是该主体的", by=BY)
    ties = {row.subject_id: Tie.SELF}
    assert records_at(ties, done.position, HERE) == ()
    assert len(records_at(ties, before, HERE)) == 1
    with pytest.raises(IntakeError) as refused:
        current_row(row.record_id)
    assert code_of(refused) == "unknown-record"
    event = AuditEvent.objects.filter(action="record-withdrawn").latest("id")
    assert event.subject_id == row.subject_id


def test_only_what_was_looked_at_is_withdrawn(city: SmallCity) -> None:
    row = shown(city)
    city.submit([city.penalty(FIRM, NUMBER, 违法事实="改过")])
    for seen in (row.version_id, current_row(row.record_id).version_id):
        if seen != row.version_id:
            withdraw_record(record_id=row.record_id, seen_version=seen, reason="不属实", by=BY)
        with pytest.raises(IntakeError) as refused:
            withdraw_record(record_id=row.record_id, seen_version=seen, reason="不属实", by=BY)
        assert code_of(refused) == "record-moved-on"


def test_what_was_taken_out_does_not_come_back_when_a_later_batch_is_withdrawn(city: SmallCity) -> None:
    row = shown(city)
    withdraw_record(record_id=row.record_id, seen_version=row.version_id, reason="不属实", by=BY)
    again = city.submit([city.penalty(FIRM, NUMBER, 违法事实="又一次")]).batch
    withdraw_batch(batch_id=again, reason="报错了", by=BY)
    assert records_at({row.subject_id: Tie.SELF}, head_position(), HERE) == ()


@pytest.mark.parametrize("facts", ["示例事实", "另一事实"])
def test_nor_when_a_batch_is_confirmed_that_was_held_before(city: SmallCity, settings, facts: str) -> None:
    row = shown(city)
    settings.XINZHENG_FLOORS = replace(settings.XINZHENG_FLOORS, least_history=1, far_times=1, far_lines=1)
    others = [city.penalty(FIRM, f"苏税罚〔2026〕{number}号") for number in (7, 8, 9)]
    held = city.submit([city.penalty(FIRM, NUMBER, 违法事实=facts), *others])
    assert held.held
    withdraw_record(record_id=row.record_id, seen_version=row.version_id, reason="不属实", by=BY)
    confirm_batch(batch_id=held.batch, by="account:2")
    assert len(records_at({row.subject_id: Tie.SELF}, head_position(), HERE)) == 3
    with pytest.raises(IntakeError):
        current_row(row.record_id)


@pytest.mark.parametrize("facts", ["示例事实", "另一事实"])
def test_nor_does_a_batch_that_was_held_before_undo_a_correction(city: SmallCity, settings, facts: str) -> None:
    row = shown(city)
    settings.XINZHENG_FLOORS = replace(settings.XINZHENG_FLOORS, least_history=1, far_times=1, far_lines=1)
    others = [city.penalty(FIRM, f"苏税罚〔2026〕{number}号") for number in (7, 8, 9)]
    held = city.submit([city.penalty(FIRM, NUMBER, 违法事实=facts), *others])
    submit_correction(corrected(row, city, procedure="简易程序"), by=BY)
    booked = confirm_batch(batch_id=held.batch, by="account:2")
    assert (booked.new, booked.duplicate) == (3, 1)
    assert current_row(row.record_id).values["procedure"] == "简易程序"


def test_a_record_handed_over_is_revived_by_the_unit_that_upholds(city: SmallCity) -> None:
    row = shown(city, "water_affairs")
    other = replace(corrected(row, city, procedure="简易程序"), unit_uscc=city.unit("water_affairs", 1))
    with pytest.raises(IntakeError) as refused:
        submit_correction(other, by=BY)
    assert "其他单位" in refused.value.message
    with transaction.atomic():
        withdraw_record(record_id=row.record_id, seen_version=row.version_id, reason="移交", by=BY)
        assert submit_correction(other, by=BY).changed == 1
    after = current_row(row.record_id)
    assert after.unit_id != row.unit_id
    assert after.delivered_by == after.unit_id


def test_a_dispute_is_read_from_its_position_to_its_end(city: SmallCity) -> None:
    row = shown(city)
    ties, marked = {row.subject_id: Tie.SELF}, []
    for is_open in (None, True, False):
        if is_open is not None:
            mark_disputed(
                record_id=row.record_id, subject_id=row.subject_id, reference="Y20261122-0001", is_open=is_open, by=BY
            )
        marked.append(head_position())
    assert [records_at(ties, position, HERE)[0].disputed for position in marked] == [False, True, False]
    events = AuditEvent.objects.filter(subject_id=row.subject_id, object_id=str(row.record_id)).order_by("id")
    assert list(events.values_list("action", flat=True)) == ["record-disputed", "record-dispute-ended"]
    assert RecordDispute.objects.filter(record_id=row.record_id).count() == 2


def test_a_record_delivered_since_is_found_by_its_document(city: SmallCity) -> None:
    row = shown(city)
    promised = Entry.objects.latest("id").pk
    key = "苏税罚〔2026〕5号"
    assert head_since(row.subject_id, PENALTY, key, promised) is None
    assert head_since(row.subject_id, PENALTY, NUMBER, promised) is None
    city.submit([city.penalty(FIRM, "苏税罚(2026)5号")])
    found = head_since(row.subject_id, PENALTY, key, promised)
    assert found is not None
    assert found == head_since(row.subject_id, PENALTY, None, promised)
    assert head_since(row.subject_id, PENALTY, NUMBER, promised) is None
    assert head_since(row.subject_id, "credit_repair", key, promised) is None
    withdraw_record(record_id=found.record_id, seen_version=found.version_id, reason="不属实", by=BY)
    assert head_since(row.subject_id, PENALTY, key, promised) is None


def test_the_units_own_next_file_undoes_a_correction_and_so_must_be_watched(city: SmallCity) -> None:
    row = shown(city)
    submit_correction(corrected(row, city, procedure="简易程序"), by=BY)
    again = city.submit([city.penalty(FIRM, NUMBER)])
    assert (again.changed, again.held) == (1, False)
    assert current_row(row.record_id).values == row.values


def returned(city: SmallCity) -> tuple[Return, CurrentRow]:
    """A record that the provincial platform brought, and who did."""
    brought = Return(city)
    brought.bring(brought.row(FIRM))
    return brought, current_row(RecordHead.objects.latest("record_id").record_id)


def test_who_answers_for_a_returned_record_corrects_it_and_who_brought_it_is_named(city: SmallCity) -> None:
    brought, row = returned(city)
    assert (row.unit_id, row.delivered_by) == (unit_id(brought.units[0]), unit_id(PLATFORM))
    assert row.is_returned
    assert submit_correction(corrected(row, city, procedure="简易程序"), by=BY).changed == 1
    now = current_row(row.record_id)
    assert (now.unit_id, now.delivered_by, now.is_returned) == (row.unit_id, row.unit_id, False)


def test_the_old_row_returned_again_is_not_booked_and_keeps_the_domain_open_until_explained(city: SmallCity) -> None:
    city.declare_everything()
    brought, row = returned(city)
    submit_correction(corrected(row, city, procedure="简易程序"), by=BY)
    assert brought.domain(row.subject_id).result == "none_found"
    again = brought.bring(brought.row(FIRM))
    assert again.rejected == 1
    assert brought.domain(row.subject_id).result == "not_verifiable"
    assert current_row(row.record_id).values["procedure"] == "简易程序"
    explain_line(batch_id=again.batch, line=2, reason="经异议核实已更正", by=BY)
    assert brought.domain(row.subject_id).result == "none_found"


def test_what_was_taken_out_is_not_brought_back_by_a_return(city: SmallCity) -> None:
    brought, row = returned(city)
    withdraw_record(record_id=row.record_id, seen_version=row.version_id, reason="不属实", by=BY)
    assert brought.bring(brought.row(FIRM)).rejected == 1
    assert brought.send(brought.row(FIRM)).changed == 1
    assert not current_row(row.record_id).is_returned


def test_a_unit_that_sent_the_same_itself_stands_behind_a_returned_record(city: SmallCity) -> None:
    brought, row = returned(city)
    brought.send(brought.row(FIRM))
    now = current_row(row.record_id)
    assert (now.delivered_by, now.is_returned) == (row.unit_id, False)

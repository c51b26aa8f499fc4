"""A file goes in whole or not at all, every line is accounted for, and the same file twice changes nothing."""

import csv
import io
from dataclasses import replace
from pathlib import Path

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.small_city import BY, LONG_AGO, PENALTY, SmallCity, build_small_city, kept_lines, today, uscc
from xinzheng.apps.audit.models import AuditEvent
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.ledger.actions import BatchResult, Delivery, Scope, fetch_defects_file, fetch_raw_file, submit_batch
from xinzheng.apps.ledger.errors import IntakeError
from xinzheng.apps.ledger.models import Batch, Line, PutForward, RawFile, RecordHead, RecordVersion
from xinzheng.apps.ledger.queries import (
    batch_defects,
    batch_summary,
    batches_of,
    defects_total,
    records_at,
)
from xinzheng.apps.ledger.raw_files import RawFileError, restore_raw_file
from xinzheng.apps.registry.models import ReviewItem
from xinzheng.core.errors import XinzhengError
from xinzheng.core.records import OrganPlace, Procedure, RecordKind
from xinzheng.core.subjects import Tie

REAL = Path(__file__).parent.parent / "data" / "penalties-2022-anonymised.csv"


@pytest.fixture
def city(db: None, tmp_path: Path) -> SmallCity:
    return build_small_city(tmp_path, units_per_domain=1)


def adds_up(result: BatchResult) -> bool:
    return result.lines == result.new + result.changed + result.identical + result.rejected + result.duplicate


def test_the_real_file_goes_in_with_all_39_lines(city: SmallCity) -> None:
    scope = Scope(city.unit("market_regulation"), "market_regulation", PENALTY)
    first = submit_batch(Delivery(REAL, scope), by=BY)
    assert first.lines == 39
    assert adds_up(first)
    assert first.new + first.rejected == 39
    errors = {d.line for d in batch_defects(first.batch) if d.severity == "error"}
    assert len(errors) == first.rejected
    assert all(d.message for d in batch_defects(first.batch))
    again = submit_batch(Delivery(REAL, scope), by=BY)
    assert (again.new, again.changed) == (0, 0)
    assert (again.identical, again.rejected) == (first.new, first.rejected)
    assert RecordVersion.objects.count() == first.new


def test_a_record_arrives_as_it_was_delivered(city: SmallCity) -> None:
    firm = city.firm(uscc(1))
    result = city.submit([city.penalty(uscc(1))])
    (record,) = records_at({firm: Tie.SELF}, head_position(), "320500")
    assert (record.kind, record.domain, record.procedure) == (
        RecordKind.ADMINISTRATIVE_PENALTY, "taxation", Procedure.ORDINARY,
    )  # fmt: skip
    assert record.organ is OrganPlace.HERE
    assert record.document_key == "苏税罚〔2026〕1号"
    assert record.content["content"] == "罚款1万元"
    assert record.sealed is None
    assert adds_up(result)


def test_an_unknown_firm_is_registered_and_queued_for_review(city: SmallCity) -> None:
    city.submit([city.penalty(uscc(77))])
    assert ReviewItem.objects.count() == 1
    city.submit([city.penalty(uscc(77), "苏税罚〔2026〕2号")])
    assert ReviewItem.objects.count() == 1


def test_a_changed_line_makes_a_version_and_the_earlier_position_keeps_the_old_one(city: SmallCity) -> None:
    firm = city.firm(uscc(1))
    city.submit([city.penalty(uscc(1))])
    before = head_position()
    result = city.submit([city.penalty(uscc(1), 处罚内容="罚款2万元")])
    assert (result.new, result.changed) == (0, 1)
    (old,) = records_at({firm: Tie.SELF}, before, "320500")
    (new,) = records_at({firm: Tie.RENAMED}, head_position(), "320500")
    assert (old.id, old.content["content"]) == (new.id, "罚款1万元")
    assert (new.tie, new.content["content"]) == (Tie.RENAMED, "罚款2万元")
    assert RecordHead.objects.count() == 1


def test_of_lines_with_one_key_the_last_wins_and_the_others_are_kept(city: SmallCity) -> None:
    rows = [city.penalty(uscc(1), 处罚内容=f"罚款{n}万元") for n in range(1, 4)]
    result = city.submit(rows)
    assert (result.new, result.duplicate) == (1, 2)
    assert list(Line.objects.order_by("line").values_list("line", "status")) == [(2, "duplicate"), (3, "duplicate")]
    assert '"content":"罚款3万元"' in RecordVersion.objects.get().payload


KINDS = st.sampled_from(["good", "other", "bad-day", "unreadable", "changed"])


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(files=st.lists(st.lists(st.tuples(st.integers(1, 4), KINDS), min_size=1, max_size=8), min_size=1, max_size=3))
def test_every_line_is_accounted_for_and_the_same_file_again_changes_nothing(
    city: SmallCity, files: list[list[tuple[int, str]]]
) -> None:
    for lines in files:
        rows = [_row(city, serial, what) for serial, what in lines]
        delivery = city.delivery(rows)
        first = submit_batch(delivery, by=BY)
        assert first.lines == len(rows)
        assert adds_up(first)
        assert _lines_kept(first) == set(range(2, len(rows) + 2))
        versions = RecordVersion.objects.count()
        again = submit_batch(delivery, by=BY)
        assert (again.new, again.changed, again.identical) == (0, 0, first.new + first.changed + first.identical)
        assert RecordVersion.objects.count() == versions


def _row(city: SmallCity, serial: int, what: str) -> dict[str, str]:
    columns = {"bad-day": {"处罚决定日期": "2026-02-30"}, "changed": {"处罚内容": "罚款9万元"}}.get(what, {})
    code = "91320500MAXXXXXXX0" if what == "unreadable" else uscc(serial)
    return city.penalty(code, f"苏税罚〔2026〕{2 if what == 'other' else 1}号", **columns)


def _lines_kept(result: BatchResult) -> set[int]:
    versions = RecordVersion.objects.filter(entry_id=result.batch).values_list("line", flat=True)
    return {*versions, *kept_lines(result.batch)}


@pytest.mark.parametrize(
    ("unit", "domain", "kind", "code"),
    [
        ("91320500MA00000238", "taxation", PENALTY, "unknown-unit"),
        ("", "no_such_domain", PENALTY, "unknown-domain"),
        ("", "taxation", "no_such_kind", "unknown-kind"),
        ("", "transport", PENALTY, "unit-not-responsible"),
    ],
)
def test_who_may_not_deliver_is_refused_and_told_why(
    city: SmallCity, unit: str, domain: str, kind: str, code: str
) -> None:
    delivery = city.delivery([city.penalty(uscc(1))])
    delivery = replace(delivery, scope=Scope(unit or city.unit("taxation"), domain, kind))
    before = head_position()
    with pytest.raises(IntakeError) as error:
        submit_batch(delivery, by=BY)
    assert error.value.code == code
    assert head_position() == before
    if code == "unit-not-responsible":
        assert "taxation administrative_penalty" in error.value.message


def test_a_row_that_speaks_of_anothers_domain_is_rejected_and_waits_under_the_batchs(city: SmallCity) -> None:
    foreign = city.penalty(uscc(1)) | {"领域": "transport"}
    own = city.penalty(uscc(2), "苏税罚〔2026〕2号") | {"领域": "taxation"}
    result = city.submit([foreign, own])
    assert (result.new, result.rejected) == (1, 1)
    assert [(d.line, d.code) for d in batch_defects(result.batch)] == [(2, "unit-not-responsible")]
    assert Line.objects.get().domain == "taxation"


def test_another_units_record_is_not_overwritten_but_its_conflict_is_kept(city: SmallCity) -> None:
    city.submit([city.penalty(uscc(1))])
    result = city.submit([city.penalty(uscc(1), 处罚内容="罚款9万元")], domain="transport")
    assert (result.changed, result.rejected) == (0, 1)
    assert [d.code for d in batch_defects(result.batch) if d.severity == "error"] == ["conflict"]
    assert RecordVersion.objects.count() == 1


def test_what_a_snapshot_lacks_is_put_forward_and_stays(city: SmallCity) -> None:
    rows = [city.penalty(uscc(n), f"苏税罚〔2026〕{n}号") for n in (1, 2, 3)]
    city.submit(rows)
    snapshot = submit_batch(replace(city.delivery(rows[:1]), mode="snapshot"), by=BY)
    assert (snapshot.identical, snapshot.put_forward) == (1, 2)
    assert PutForward.objects.filter(entry_id=snapshot.batch).count() == 2
    assert batch_summary(snapshot.batch).put_forward == 2
    assert RecordVersion.objects.filter(is_present=False).count() == 0


def test_an_unknown_mode_is_refused(city: SmallCity) -> None:
    with pytest.raises(IntakeError, match="increment"):
        submit_batch(replace(city.delivery([city.penalty(uscc(1))]), mode="replace"), by=BY)


def test_the_file_comes_back_byte_for_byte_and_is_unreadable_in_the_database(city: SmallCity, tmp_path: Path) -> None:
    delivery = city.delivery([city.penalty(uscc(1))])
    result = submit_batch(delivery, by=BY)
    restored = tmp_path / "restored"
    restore_raw_file(Batch.objects.get(pk=result.batch), restored)
    assert restored.read_bytes() == delivery.file.read_bytes()
    stored = b"".join(bytes(c) for c in RawFile.objects.values_list("chunk", flat=True))
    assert uscc(1).encode() not in stored


def test_the_lines_to_correct_can_be_fetched_with_their_own_columns(city: SmallCity) -> None:
    result = city.submit([city.penalty(uscc(1)), city.penalty(uscc(2), "苏税罚〔2026〕2号", 处罚决定日期="2026-02-30")])
    assert defects_total(result.batch) >= 1
    with fetch_defects_file(batch_id=result.batch, by=BY) as file:
        rows = list(csv.DictReader(io.StringIO(file.read().decode("utf-8-sig"))))
    assert [row["处罚决定日期"] for row in rows] == ["2026-02-30"]


def test_the_lines_to_correct_tell_also_what_the_ledger_itself_found(
    city: SmallCity,
) -> None:
    rows = [
        city.penalty(uscc(1)) | {"领域": ""},
        city.penalty(uscc(2), "苏税罚〔2026〕2号") | {"领域": "water_affairs"},
        city.penalty(uscc(1)) | {"领域": ""},
    ]
    result = city.submit(rows)
    assert (result.rejected, result.duplicate) == (1, 1)
    with fetch_defects_file(batch_id=result.batch, by=BY) as file:
        problems = [row["问题"] for row in csv.DictReader(io.StringIO(file.read().decode("utf-8-sig")))]
    assert "以第4行为准" in problems[0]
    assert "不由报送单位负责" in problems[1]


def test_a_raw_file_that_is_not_what_was_delivered_is_not_handed_out(
    city: SmallCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = city.submit([city.penalty(uscc(1))])
    kept = fetch_raw_file(batch_id=result.batch, by=BY)
    with kept.content:
        assert kept.sha256 == batch_summary(result.batch).file_sha256
    assert AuditEvent.objects.filter(action="raw-file-fetched", object_id=str(result.batch)).count() == 1

    def altered(_batch: Batch, into: Path) -> None:
        into.write_bytes(b"something else")

    monkeypatch.setattr("xinzheng.apps.ledger.batch_files.restore_raw_file", altered)
    with pytest.raises(RawFileError, match="摘要值"):
        fetch_raw_file(batch_id=result.batch, by=BY)


def test_a_bad_file_changes_nothing(city: SmallCity, tmp_path: Path) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_bytes(b"\x89PNG....")
    before = head_position()
    with pytest.raises(XinzhengError):
        submit_batch(replace(city.delivery([city.penalty(uscc(1))]), file=bad), by=BY)
    assert head_position() == before
    assert not Batch.objects.exists()


def test_a_failure_in_the_middle_leaves_no_staging(city: SmallCity, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("in the middle")

    monkeypatch.setattr("xinzheng.apps.ledger.intake.mend_lines", broken)
    with pytest.raises(RuntimeError):
        city.submit([city.penalty(uscc(1))])
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_class WHERE relname ~ '^ledger_(staging|fates)_'")
        assert cursor.fetchone() == (0,)
    assert not RecordVersion.objects.exists()


def test_a_units_batches_are_listed_latest_first_with_what_waits(city: SmallCity) -> None:
    city.submit([city.penalty(uscc(1))], covers=(LONG_AGO, today()))
    second = city.submit([city.penalty(uscc(1), 处罚决定日期="2026-02-30")])
    unit_id = Batch.objects.get(pk=second.batch).unit_id
    found = batches_of(unit_id)
    assert [b.batch for b in found] == sorted((b.batch for b in found), reverse=True)
    assert [(b.waiting, b.covers_through) for b in found] == [(1, None), (0, today())]

"""A batch too unlike the usual is kept, not booked; until a second officer acts it covers nothing, clears nobody."""

from dataclasses import replace
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.db import transaction
from django.db.utils import DatabaseError
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.held_city import POLICY, SECOND, everything, held_surge, numbered, stated, surge, taxation_of, usual_city
from tests.small_city import BY, PENALTY, SmallCity, kept_lines, today, uscc
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.ledger.actions import (
    confirm_batch,
    explain_line,
    queue_upload,
    submit_batch,
    withdraw_batch,
)
from xinzheng.apps.ledger.errors import IntakeError
from xinzheng.apps.ledger.models import Batch, Defect, HoldReason, Line, PutForward, RecordHead, RecordVersion
from xinzheng.apps.ledger.queries import batch_summary, coverage_at
from xinzheng.apps.ledger.uploads import take_in_upload
from xinzheng.apps.oversight.queries import View, coverage_calendar_of, due_date
from xinzheng.apps.reports.packs import current_policy
from xinzheng.core.coverage_calendar import CellState, Month, months_until
from xinzheng.core.decision import Result


@pytest.fixture
def city(db: None, tmp_path: Path, settings: LazySettings) -> SmallCity:
    """Everything is covered, and the tax unit has delivered two lines twice."""
    return usual_city(tmp_path, settings)


def test_a_held_batch_is_kept_whole_and_books_nothing(city: SmallCity) -> None:
    versions, heads = RecordVersion.objects.count(), RecordHead.objects.count()
    rows = [*surge(city), numbered(city, 9, 处罚决定日期="2026-02-30"), numbered(city, 100), numbered(city, 100)]
    result = city.submit(rows, covers=everything())
    assert (result.held, result.is_covered) == (True, False)
    assert (result.lines, result.new, result.changed) == (11, 8, 0)
    assert (result.identical, result.rejected, result.duplicate) == (1, 1, 1)
    assert (RecordVersion.objects.count(), RecordHead.objects.count()) == (versions, heads)
    kept = kept_lines(result.batch)
    assert set(kept) == set(range(2, 13))
    assert sorted(kept.values()) == ["duplicate", *["held"] * 8, "identical", "rejected"]
    batch = Batch.objects.get(pk=result.batch)
    assert (batch.held, batch.new, batch.confirms_id) == (True, 8, None)
    assert Defect.objects.filter(entry_id=result.batch, severity="error").exists()


def test_its_reasons_are_told_and_never_changed(city: SmallCity) -> None:
    result = held_surge(city)
    (reason,) = result.reasons
    assert reason.code == "far-more-lines"
    kept = HoldReason.objects.get(entry_id=result.batch)
    assert (kept.code, kept.message) == (reason.code, reason.message)
    with pytest.raises(DatabaseError, match="Cannot update"), transaction.atomic():
        HoldReason.objects.update(message="")


def test_the_subject_of_a_held_line_is_not_clear_and_others_are_not_touched(city: SmallCity) -> None:
    for n in (1, 2, 50):
        city.firm(uscc(n))
    assert taxation_of(uscc(1)) is Result.NONE_FOUND
    held_surge(city, is_covering=False)
    assert taxation_of(uscc(1)) is Result.NOT_VERIFIABLE
    assert taxation_of(uscc(50)) is Result.NONE_FOUND


def test_a_held_batch_covers_nothing_and_what_it_speaks_of_is_no_longer_covered_otherwise(city: SmallCity) -> None:
    city.firm(uscc(50))
    held_surge(city)
    assert stated() == []
    assert taxation_of(uscc(50)) is Result.NOT_VERIFIABLE


def test_the_calendar_shows_held_days(city: SmallCity) -> None:
    held_surge(city)
    policy = current_policy(POLICY)
    view = View(head_position(), months_until(Month.of(today()), 6), due_date(policy, today()))
    rows = coverage_calendar_of(policy, view).rows
    row = next(r for r in rows if (r.scope.domain, r.scope.kind) == ("taxation", PENALTY))
    assert {c.state for c in row.cells if c.state is not CellState.NOT_DUE} == {CellState.HELD}


def test_a_declined_batch_leaves_nothing_behind_but_its_lines(city: SmallCity) -> None:
    versions = RecordVersion.objects.count()
    held = held_surge(city, is_covering=False)
    result = withdraw_batch(batch_id=held.batch, reason="重复导出", by=BY)
    assert (result.restored, result.gone) == (0, 0)
    assert RecordVersion.objects.count() == versions
    assert taxation_of(uscc(1)) is Result.NONE_FOUND
    assert Line.objects.filter(entry_id=held.batch, status="held").count() == 8


def test_a_later_ordinary_batch_goes_in_and_settles_the_held_lines_it_repeats(city: SmallCity) -> None:
    held = held_surge(city, is_covering=False)
    later = city.submit([numbered(city, 1, uscc(1), 处罚内容="罚款5万元"), numbered(city, 40)])
    assert (later.held, later.new, later.mended) == (False, 2, 1)
    assert taxation_of(uscc(1)) is Result.RECORDS_FOUND
    assert taxation_of(uscc(2)) is Result.NOT_VERIFIABLE
    assert batch_summary(held.batch).held


def test_a_held_line_is_settled_by_its_own_record_only_and_cannot_be_explained_away(city: SmallCity) -> None:
    held = held_surge(city, is_covering=False)
    # Another office's document of the same number about the same firm is another record.
    other = numbered(city, 1, uscc(1), 处罚机关="市生态环境局", 处罚机关统一社会信用代码=city.unit("water_affairs"))
    assert city.submit([other, numbered(city, 41)]).mended == 0
    with pytest.raises(IntakeError) as error:
        explain_line(batch_id=held.batch, line=2, reason="与本市无关", by=BY)
    assert error.value.code == "unknown-line"
    assert Line.objects.filter(entry_id=held.batch, status="held").count() == 8


def test_the_other_party_of_a_held_document_does_not_mend_the_unreadable_one(city: SmallCity) -> None:
    broken = numbered(city, 1, "91320500MAXXXXXXX0")
    assert city.submit([*surge(city), broken]).held
    # The line is one the held batch had itself: it settles that one, not the broken one beside it.
    assert city.submit([numbered(city, 1, uscc(1)), numbered(city, 42)]).mended == 1
    assert sum(p.count for p in coverage_at(POLICY, head_position()).pending) == 1


def test_a_snapshot_that_lacks_too_much_is_held_and_puts_nothing_forward(city: SmallCity) -> None:
    snapshot = replace(city.delivery([numbered(city, 100), numbered(city, 101)]), mode="snapshot")
    held = submit_batch(snapshot, by=BY)
    assert [reason.code for reason in held.reasons] == ["shrinks-live-records"]
    assert "原有4条" in held.reasons[0].message
    assert "其中2条" in held.reasons[0].message
    assert (held.put_forward, held.identical) == (2, 2)
    assert not PutForward.objects.exists()
    booked = confirm_batch(batch_id=held.batch, by=SECOND)
    assert booked.put_forward == PutForward.objects.filter(entry_id=booked.batch).count() == 2


@pytest.mark.parametrize(
    "columns",
    [
        {"处罚状态": "撤销", "状态日期": "今天"},
        {"处罚状态": "确认违法或无效", "状态日期": "今天"},
        {"处理结果": "不予处罚", "处罚内容": "不予行政处罚", "处罚类别": "不予行政处罚", "罚款金额(万元)": ""},
        {"依法封存": "是"},
    ],
)
def test_a_file_that_ends_many_records_is_held_and_they_stand_meanwhile(
    city: SmallCity, columns: dict[str, str]
) -> None:
    columns = {name: today().isoformat() if text == "今天" else text for name, text in columns.items()}
    held = city.submit([numbered(city, n, **columns) for n in (100, 101)])
    assert [reason.code for reason in held.reasons] == ["shrinks-live-records"], held
    assert taxation_of(uscc(9)) is Result.RECORDS_FOUND
    one = city.submit([numbered(city, 100, **columns), numbered(city, 60)])
    assert not one.held
    # Ended before and ended again is nothing ended.
    assert not city.submit([numbered(city, 100, **columns), numbered(city, 61)]).held


def test_a_file_mostly_rejected_is_held(city: SmallCity) -> None:
    bad = [numbered(city, n, 处罚决定日期="2026-02-30") for n in range(3)]
    result = city.submit([*bad, numbered(city, 70)])
    assert [reason.code for reason in result.reasons] == ["mostly-rejected"]


def test_held_and_withdrawn_batches_do_not_tell_what_is_usual(city: SmallCity) -> None:
    held = [held_surge(city, is_covering=False) for _ in range(3)]
    assert held_surge(city, is_covering=False)
    withdraw_batch(batch_id=held[0].batch, reason="重复", by=BY)
    booked = [confirm_batch(batch_id=one.batch, by=SECOND) for one in held[1:]]
    assert [b.identical for b in booked] == [0, 8]
    assert not city.submit(surge(city)).held


def test_an_upload_that_is_held_is_done_and_says_so(city: SmallCity) -> None:
    upload = queue_upload(city.delivery(surge(city)), by=BY)
    result = take_in_upload(upload.pk)
    upload.refresh_from_db()
    assert result is not None
    assert (result.held, upload.state, upload.batch_id) == (True, "done", result.batch)


WHAT = st.sampled_from(["new", "known", "changed", "broken", "unreadable", "twice"])


@hypothesis_settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(WHAT, min_size=7, max_size=12))
def test_every_line_of_a_held_batch_is_accounted_for_and_confirming_is_delivering(
    city: SmallCity, lines: list[str]
) -> None:
    point = transaction.savepoint()
    held = city.submit([_row(city, n, what) for n, what in enumerate(lines)])
    assert held.held
    assert held.lines == len(lines) == held.new + held.changed + held.identical + held.rejected + held.duplicate
    assert set(kept_lines(held.batch)) == set(range(2, len(lines) + 2))
    assert Line.objects.filter(entry_id=held.batch, status="held").count() == held.new + held.changed
    booked = confirm_batch(batch_id=held.batch, by=SECOND)
    fates = ("lines", "new", "changed", "identical", "rejected", "duplicate")
    assert [getattr(booked, name) for name in fates] == [getattr(held, name) for name in fates]
    transaction.savepoint_rollback(point)


def _row(city: SmallCity, number: int, what: str) -> dict[str, str]:
    if what in ("known", "changed"):
        return numbered(city, 100 + number % 4, **({"处罚内容": "罚款7万元"} if what == "changed" else {}))
    if what == "unreadable":
        return numbered(city, number, "91320500MAXXXXXXX0")
    if what == "twice":
        return numbered(city, 200, uscc(2))
    return numbered(city, number, uscc(number), **({"处罚决定日期": "2026-02-30"} if what == "broken" else {}))


def test_a_small_file_that_says_to_be_whole_is_held_and_one_that_does_not_is_booked(city: SmallCity) -> None:
    for first in (300, 320):
        assert not city.submit([numbered(city, first + n) for n in range(6)], covers=everything()).held
    cut = [numbered(city, 400)]
    assert [reason.code for reason in city.submit(cut, covers=everything()).reasons] == ["far-fewer-lines"]
    assert stated() == []
    assert not city.submit(cut).held


def test_the_lines_corrected_may_come_back_as_a_small_whole_file(city: SmallCity) -> None:
    rows = [numbered(city, 300 + n) for n in range(6)]
    broken = [*rows[:-1], rows[-1] | {"处罚决定日期": "2026-02-30"}]
    for sent in (rows, broken):
        assert not city.submit(sent, covers=everything()).held
    assert city.submit([numbered(city, 310 + n) for n in range(6)][:1], covers=everything()).held
    corrected = city.submit([numbered(city, 305)], covers=everything())
    assert (corrected.held, corrected.mended, corrected.is_covered) == (False, 1, True)

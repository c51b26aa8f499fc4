"""A file read in many stretches gives what one read at once gives, and one that turns out bad late leaves nothing."""

import hashlib
from pathlib import Path

import pytest
from django.db import connection

from tests.small_city import BY, SmallCity, build_small_city, kept_lines, uscc
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.ledger.actions import BatchResult, submit_batch
from xinzheng.apps.ledger.models import Batch, Defect, Line, RecordHead, RecordVersion
from xinzheng.core.errors import XinzhengError

ROWS = 120
SHORT = 7


@pytest.fixture
def city(db: None, tmp_path: Path) -> SmallCity:
    return build_small_city(tmp_path, units_per_domain=1)


@pytest.fixture
def short_stretches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xinzheng.apps.ledger.reading.ROWS_AT_ONCE", SHORT)


def number(row: int) -> str:
    return f"苏税罚〔2026〕{row}号"


def penalties(city: SmallCity, changed: int = 0) -> list[dict[str, str]]:
    """Some wrong, and with ``changed`` every so manieth of other content than before."""
    rows = [city.penalty(uscc(row % 9), number(row)) for row in range(ROWS)]
    for row in range(0, ROWS, 11):
        rows[row]["处罚决定日期"] = "2026-02-30"
    for row in range(0, ROWS if changed else 0, max(changed, 1)):
        rows[row]["处罚内容"] = f"罚款{row + 2}万元"
    return rows


def assert_every_line_has_its_own_content(result: BatchResult) -> None:
    versions = list(RecordVersion.objects.filter(entry_id=result.batch))
    assert len(versions) == result.new + result.changed
    for version in versions:
        row = version.line - 2
        assert f'"document_number":"{number(row)}"' in version.payload
        assert version.document_key == number(row)
        text = f"{version.domain}\n{version.payload}".encode()
        assert hashlib.sha256(text).digest() == bytes(version.payload_sha256)
        head = RecordHead.objects.get(version_id=version.pk)
        assert (head.record_id, head.subject_id) == (version.record_id, version.subject_id)
        assert number(row) in head.record_key
    lines = set(kept_lines(result.batch))
    assert lines | {v.line for v in versions} == set(range(2, result.lines + 2))


@pytest.mark.usefixtures("short_stretches")
def test_new_changed_identical_and_rejected_lines_meet_their_fates_across_stretches(city: SmallCity) -> None:
    wrong = len(range(0, ROWS, 11))
    first = city.submit(penalties(city))
    assert (first.lines, first.new, first.rejected) == (ROWS, ROWS - wrong, wrong)
    assert_every_line_has_its_own_content(first)

    second = city.submit([*penalties(city, changed=3), *[city.penalty(uscc(1), number(ROWS + n)) for n in range(20)]])

    changed = sum(1 for row in range(0, ROWS, 3) if row % 11)
    assert (second.changed, second.new, second.rejected) == (changed, 20, wrong)
    assert second.identical == ROWS - wrong - changed
    assert_every_line_has_its_own_content(second)


@pytest.mark.usefixtures("short_stretches")
def test_a_line_beaten_stretches_later_makes_no_version(city: SmallCity) -> None:
    rows = [city.penalty(uscc(row % 9), number(row)) for row in range(ROWS)]
    rows.append(city.penalty(uscc(3), number(3), 处罚内容="罚款9万元"))
    told: list[int] = []
    result = submit_batch(city.delivery(rows), by=BY, progress=told.append)
    assert (result.lines, result.new, result.duplicate) == (ROWS + 1, ROWS, 1)
    assert told[-1] == ROWS + 1
    assert Line.objects.get().line == 5
    assert Defect.objects.get(line=5, code="duplicate-line").message.startswith(f"与第{ROWS + 2}行是同一条记录")
    assert RecordVersion.objects.count() == RecordHead.objects.count() == ROWS
    assert RecordVersion.objects.get(line=ROWS + 2).payload.count("罚款9万元") == 1


@pytest.mark.usefixtures("short_stretches")
def test_a_file_that_turns_out_unreadable_at_its_end_leaves_nothing(city: SmallCity) -> None:
    delivery = city.delivery(penalties(city))
    with delivery.file.open("ab") as file:
        file.write('"没有写完'.encode())
    before = head_position()
    with pytest.raises(XinzhengError):
        submit_batch(delivery, by=BY)
    assert head_position() == before
    assert not Batch.objects.exists()
    assert not RecordVersion.objects.exists()
    assert not Defect.objects.exists()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_class WHERE relname ~ '^ledger_(staging|fates)_'")
        assert cursor.fetchone() == (0,)


def test_what_would_upset_a_text_copy_arrives_as_it_was_written(city: SmallCity) -> None:
    name = 'C:\\n\\N\t"市\\税务局"'
    city.submit([city.penalty(uscc(1), 处罚机关=name, 违法事实="第一行\n第二行\\")])
    version = RecordVersion.objects.get()
    assert version.organ_name == name
    assert '"facts":"第一行\\n第二行\\\\"' in version.payload


def test_a_key_of_marks_that_upset_arrays_and_text_copies_is_found_again(city: SmallCity) -> None:
    numbers = ('苏"税"{罚}1,2%s号', "苏\\税\\N罚'3'号", "苏税罚％(s)NULL号")
    rows = [city.penalty(uscc(1), text) for text in numbers]
    first, again = city.submit(rows), city.submit(rows)
    assert (first.new, again.identical) == (len(rows), len(rows))
    changed = city.submit([row | {"处罚内容": "罚款9万元"} for row in rows])
    assert (changed.changed, RecordHead.objects.count()) == (len(rows), len(rows))
    assert_every_head_is_its_latest_version()


def assert_every_head_is_its_latest_version() -> None:
    for head in RecordHead.objects.all():
        latest = RecordVersion.objects.filter(record_id=head.record_id).latest("id")
        assert (head.version_id, head.payload_sha256) == (latest.pk, latest.payload_sha256)

"""The chain of audit events: one text for one event, and no change, loss or order that goes unnoticed."""

import json
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256

import pytest
import rfc8785

from xinzheng.core.audit_chain import (
    NO_HEAD,
    ChainedEvent,
    CheckedLines,
    NotedHead,
    check_lines,
    event_bytes,
    export_line,
    next_head,
)
from xinzheng.core.errors import XinzhengError
from xinzheng.core.leaves import AuditLeaf, audit_leaf, read_leaf

AT = datetime(2026, 11, 22, 15, 30, tzinfo=timezone(timedelta(hours=8)))


def event(number: int, place: str = "", details: str = '{"n": 1.50, "大": 90071992547409931}') -> ChainedEvent:
    return ChainedEvent(number, "account:3", "report-read", "report", "SZ1", AT, details, None, place)


def lines(count: int) -> list[str]:
    head, made = NO_HEAD, []
    for index in range(1, count + 1):
        one = event(index * 10)
        head = next_head(head, event_bytes(one))
        made.append(export_line(index, one, head))
    return made


@pytest.mark.parametrize("text", ['甲\n\t"\\\x01\x7f', "\u2028𠮷", "</script>"])
def test_an_events_bytes_are_canonical_json_and_the_moment_is_one_whatever_its_zone(text: str) -> None:
    data = event_bytes(event(7, text))
    assert data == rfc8785.dumps(json.loads(data))
    assert json.loads(data)["at"] == "2026-11-22T07:30:00.000000+00:00"
    assert json.loads(data)["details"] == '{"n": 1.50, "大": 90071992547409931}'


def test_a_seal_covers_the_seal_before_and_is_no_hash_of_the_log() -> None:
    data = event_bytes(event(1))
    assert next_head(NO_HEAD, data) == sha256(b"\x02" + bytes(32) + data).digest()
    assert next_head(b"\1" * 32, data) != next_head(NO_HEAD, data)


def test_an_exported_trail_is_checked_by_itself_whole_or_from_a_place_on() -> None:
    made = lines(5)
    head = bytes.fromhex(json.loads(made[-1])["head"])
    assert check_lines(made) == CheckedLines(1, 5, head, ())
    assert check_lines(made[2:]) == CheckedLines(3, 5, head, ())
    assert check_lines([]) == CheckedLines(0, 0, NO_HEAD, ())


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda made: [made[0], made[1].replace("SZ1", "SZ2"), *made[2:]], "第2行与链值不符"),
        (lambda made: [made[0].replace("account:3", "account:4"), *made[1:]], "第1行与链值不符"),
        (lambda made: [made[0], made[2]], "第2行不连续"),
        (lambda made: [made[1], made[0]], "第2行不连续"),
        (lambda made: [made[0], "{}"], "第2行读不出"),
        (lambda made: ['{"event": "\\ud800", "index": 1, "head": ""}'], "第1行读不出"),
    ],
)
def test_what_was_changed_left_out_or_moved_in_it_is_told(change: object, says: str) -> None:
    assert callable(change)
    assert any(says in fault for fault in check_lines(change(lines(3))).faults)


def test_a_trail_that_was_computed_anew_is_found_by_a_head_somebody_wrote_down() -> None:
    made = lines(3)
    noted = NotedHead(2, bytes.fromhex(json.loads(made[1])["head"]))
    assert check_lines(made, [noted]).faults == ()
    assert check_lines(made, [NotedHead(2, bytes(32))]).faults == ("第2条的链值与另行记下的不同，审计链被改写。",)
    assert "没有第9条" in check_lines(made, [NotedHead(9, bytes(32))]).faults[0]


def test_an_anchor_is_a_leaf_that_reads_back_and_nothing_near_it_does() -> None:
    data = audit_leaf(1200, bytes(range(32)), AT)
    assert data == rfc8785.dumps(json.loads(data))
    assert read_leaf(data) == AuditLeaf(1200, bytes(range(32)), AT.astimezone(UTC))
    for wrong in (
        data.replace(b"1200", b'"1200"'),
        data.replace(b"1200", b"1e999"),
        data.replace(b"1200", b"1200.0"),
        data.replace(b"1200", b"true"),
        data.replace(b'"head":"00', b'"head":"'),
        data.replace(b'"type"', b'"digest":"00","type"'),
        data + b" ",
    ):
        with pytest.raises(XinzhengError) as refused:
            read_leaf(wrong)
        assert refused.value.code == "leaf-unreadable"

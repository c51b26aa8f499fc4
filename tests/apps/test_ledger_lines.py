"""Rejected lines wait until a later delivery mends them or the officer explains them; nothing else settles them."""

from pathlib import Path

import pytest

from tests.small_city import BY, SmallCity, build_small_city, uscc
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.ledger.actions import explain_line, withdraw_batch
from xinzheng.apps.ledger.errors import IntakeError
from xinzheng.apps.ledger.mending import pair_up
from xinzheng.apps.ledger.queries import batch_summary, coverage_at, pending_for

UNREADABLE = "91320500MAXXXXXXX0"
WRONG_DAY = {"处罚决定日期": "2026-02-30"}


@pytest.fixture
def city(db: None, tmp_path: Path) -> SmallCity:
    return build_small_city(tmp_path, units_per_domain=1)


def waiting_for_anybody() -> int:
    return sum(p.count for p in coverage_at("suzhou-2024", head_position()).pending)


def test_the_corrected_line_mends_the_rejected_one(city: SmallCity) -> None:
    firm = city.firm(uscc(1))
    city.submit([city.penalty(uscc(1), **WRONG_DAY)])
    assert [p.count for p in pending_for([firm], head_position())] == [1]
    later = city.submit([city.penalty(uscc(1))])
    assert (later.new, later.mended) == (1, 1)
    assert pending_for([firm], head_position()) == ()


def test_the_same_document_of_another_party_does_not_mend(city: SmallCity) -> None:
    firm = city.firm(uscc(1))
    city.submit([city.penalty(uscc(1), **WRONG_DAY)])
    assert city.submit([city.penalty(uscc(2))]).mended == 0
    assert pending_for([firm], head_position())


def test_a_line_of_another_unit_does_not_mend(city: SmallCity) -> None:
    firm = city.firm(uscc(1))
    city.submit([city.penalty(uscc(1), **WRONG_DAY)])
    assert city.submit([city.penalty(uscc(1))], domain="transport").mended == 0
    assert pending_for([firm], head_position())


def test_an_unreadable_party_is_mended_by_the_line_that_was_missing(city: SmallCity) -> None:
    city.submit([city.penalty(UNREADABLE)])
    assert waiting_for_anybody() == 1
    assert city.submit([city.penalty(uscc(1))]).mended == 1
    assert waiting_for_anybody() == 0


def test_the_other_party_of_one_document_does_not_mend_the_unreadable_one(city: SmallCity) -> None:
    both = [city.penalty(uscc(1)), city.penalty(UNREADABLE)]
    assert city.submit(both).rejected == 1
    again = city.submit([city.penalty(uscc(1))])
    assert (again.identical, again.mended) == (1, 0)
    changed = city.submit([city.penalty(uscc(1), 处罚内容="罚款2万元")])
    assert (changed.changed, changed.mended) == (1, 0)
    assert waiting_for_anybody() == 1
    assert city.submit([city.penalty(uscc(1), 处罚内容="罚款2万元"), city.penalty(uscc(2))]).mended == 1
    assert waiting_for_anybody() == 0


def test_one_new_line_mends_one_unreadable_line(city: SmallCity) -> None:
    broken = city.penalty(UNREADABLE), city.penalty("91320500MAYYYYYYY0")
    assert city.submit(list(broken)).rejected == 2
    assert city.submit([city.penalty(uscc(1))]).mended == 1
    assert waiting_for_anybody() == 1
    assert city.submit([city.penalty(uscc(1)), city.penalty(uscc(2))]).mended == 1
    assert waiting_for_anybody() == 0


def test_a_broken_line_sent_twice_counts_once_and_is_mended_in_both_batches(city: SmallCity) -> None:
    firm = city.firm(uscc(2))
    for _ in range(2):
        city.submit([city.penalty(UNREADABLE), city.penalty(uscc(2), **WRONG_DAY)])
        assert waiting_for_anybody() == 1
        assert [p.count for p in pending_for([firm], head_position())] == [1]
    assert city.submit([city.penalty(uscc(1))]).mended == 2
    assert waiting_for_anybody() == 0


def test_an_explanation_settles_the_line_in_every_delivery_of_the_file(city: SmallCity) -> None:
    first, second = (city.submit([city.penalty(UNREADABLE)]) for _ in range(2))
    explain_line(batch_id=second.batch, line=2, reason="表尾残行", by=BY)
    assert waiting_for_anybody() == 0
    assert [batch_summary(batch.batch).waiting for batch in (first, second)] == [0, 0]


def test_when_the_mending_batch_is_withdrawn_the_line_waits_again(city: SmallCity) -> None:
    firm = city.firm(uscc(1))
    city.submit([city.penalty(uscc(1), **WRONG_DAY)])
    mending = city.submit([city.penalty(uscc(1))])
    mended_at = head_position()
    withdraw_batch(batch_id=mending.batch, reason="报错", by=BY)
    assert pending_for([firm], head_position())
    assert pending_for([firm], mended_at) == ()
    assert city.submit([city.penalty(uscc(1))]).mended == 1
    assert pending_for([firm], head_position()) == ()


def test_a_line_without_document_number_can_only_be_explained(city: SmallCity) -> None:
    batch = city.submit([city.penalty(uscc(1), "")])
    firm = city.firm(uscc(1))
    assert city.submit([city.penalty(uscc(1))]).mended == 0
    assert pending_for([firm], head_position())
    explain_line(batch_id=batch.batch, line=2, reason="重复登记，已另行报送", by=BY)
    assert pending_for([firm], head_position()) == ()
    assert batch_summary(batch.batch).waiting == 0


@pytest.mark.parametrize(
    ("line", "reason", "code"), [(2, " ", "reason-missing"), (3, "x", "unknown-line"), (99, "x", "unknown-line")]
)
def test_an_explanation_needs_a_rejected_line_and_a_reason(city: SmallCity, line: int, reason: str, code: str) -> None:
    batch = city.submit([city.penalty(uscc(1), **WRONG_DAY), city.penalty(uscc(2), "苏税罚〔2026〕2号")])
    with pytest.raises(IntakeError) as error:
        explain_line(batch_id=batch.batch, line=line, reason=reason, by=BY)
    assert error.value.code == code


def test_a_line_is_settled_once(city: SmallCity) -> None:
    batch = city.submit([city.penalty(uscc(1), **WRONG_DAY)])
    explain_line(batch_id=batch.batch, line=2, reason="x", by=BY)
    with pytest.raises(IntakeError, match="已经处理"):
        explain_line(batch_id=batch.batch, line=2, reason="x", by=BY)


def test_pairs_use_every_line_once_per_batch() -> None:
    rows = [(1, 2, 7), (1, 2, 8), (1, 3, 7), (1, 3, 8), (1, 4, 7), (1, 4, 8), (2, 2, 7)]
    assert pair_up(rows) == [(1, 2), (1, 3), (2, 2)]

"""A withdrawn batch has never spoken: what others delivered comes back, what nobody else delivered is gone."""

from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.small_city import BY, SmallCity, build_small_city, uscc
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.ledger.actions import withdraw_batch
from xinzheng.apps.ledger.errors import IntakeError
from xinzheng.apps.ledger.models import RecordHead, RecordVersion
from xinzheng.apps.ledger.queries import records_at
from xinzheng.core.subjects import Tie

# A firm of its own for each example: the examples of one test share a database.
SERIALS = count(1000)


@pytest.fixture
def city(db: None, tmp_path: Path) -> SmallCity:
    return build_small_city(tmp_path, units_per_domain=1)


def contents(subject_id: int, position: int | None = None) -> list[str | None]:
    found = records_at({subject_id: Tie.SELF}, head_position() if position is None else position, "320500")
    return [record.content["content"] for record in found]


def deliver(city: SmallCity, amount: int) -> int:
    return city.submit([city.penalty(uscc(1), 处罚内容=f"罚款{amount}万元")]).batch


def withdraw(batch: int) -> tuple[int, int]:
    result = withdraw_batch(batch_id=batch, reason="测试", by=BY)
    return result.restored, result.gone


def test_a_record_nobody_else_delivered_is_gone_and_stays_at_the_earlier_position(city: SmallCity) -> None:
    firm = city.firm(uscc(1))
    batch = deliver(city, 1)
    before = head_position()
    assert withdraw(batch) == (0, 1)
    assert contents(firm) == []
    assert contents(firm, before) == ["罚款1万元"]


def test_the_earlier_content_comes_back(city: SmallCity) -> None:
    firm = city.firm(uscc(1))
    deliver(city, 1)
    assert withdraw(deliver(city, 2)) == (1, 0)
    assert contents(firm) == ["罚款1万元"]


def test_a_batch_whose_content_was_replaced_leaves_the_later_content(city: SmallCity) -> None:
    firm = city.firm(uscc(1))
    first = deliver(city, 1)
    second = deliver(city, 2)
    assert withdraw(first) == (0, 0)
    assert contents(firm) == ["罚款2万元"]
    assert withdraw(second) == (0, 1)
    assert contents(firm) == []


def test_a_record_another_batch_confirmed_is_not_lost(city: SmallCity) -> None:
    firm = city.firm(uscc(1))
    first, confirming = deliver(city, 1), deliver(city, 1)
    assert withdraw(first) == (1, 0)
    assert contents(firm) == ["罚款1万元"]
    assert withdraw(confirming) == (0, 1)
    assert contents(firm) == []


def test_a_gone_record_comes_back_with_the_next_delivery(city: SmallCity) -> None:
    firm = city.firm(uscc(1))
    withdraw(deliver(city, 1))
    again = city.submit([city.penalty(uscc(1), 处罚内容="罚款1万元")])
    assert (again.new, again.changed) == (0, 1)
    assert contents(firm) == ["罚款1万元"]
    assert RecordHead.objects.count() == 1


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.integers(-4, 3), min_size=2, max_size=8))
def test_whatever_is_withdrawn_the_last_standing_delivery_speaks(city: SmallCity, steps: list[int]) -> None:
    serial = next(SERIALS)
    firm = city.firm(uscc(serial))
    delivered: list[tuple[int, int]] = []
    for step in steps:
        if step >= 0:
            row = city.penalty(uscc(serial), 处罚内容=f"罚款{step}万元")
            delivered.append((city.submit([row]).batch, step))
        elif delivered:
            withdraw(delivered.pop(step % len(delivered))[0])
        assert contents(firm) == ([f"罚款{delivered[-1][1]}万元"] if delivered else [])


@pytest.mark.parametrize(("reason", "code"), [("", "reason-missing"), ("x", "batch-withdrawn-already")])
def test_a_withdrawal_needs_a_reason_and_happens_once(city: SmallCity, reason: str, code: str) -> None:
    batch = deliver(city, 1)
    if reason:
        withdraw(batch)
    with pytest.raises(IntakeError) as error:
        withdraw_batch(batch_id=batch, reason=reason, by=BY)
    assert error.value.code == code


def test_a_batch_that_does_not_exist_cannot_be_withdrawn(city: SmallCity) -> None:
    with pytest.raises(IntakeError) as error:
        withdraw_batch(batch_id=987_654, reason="x", by=BY)
    assert error.value.code == "unknown-batch"
    assert not RecordVersion.objects.exists()

"""What is far from usual waits for a second officer; what is usual, small or first never does."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xinzheng.core.floors import Floors, Shrinkage, Size, WouldBe, reasons_to_hold

FLOORS = Floors()
USUAL = [Size(100, 2)] * 5

SIZES = st.integers(0, 2000).flatmap(lambda lines: st.builds(Size, st.just(lines), st.integers(0, lines)))
LIVE = st.integers(0, 2000)
SHRINKAGES = LIVE.flatmap(lambda live: st.builds(Shrinkage, st.integers(0, live), st.just(live)))
HISTORIES = st.lists(SIZES, max_size=9)


def codes(size: Size, shrinkages: list[Shrinkage], history: list[Size], floors: Floors = FLOORS) -> set[str]:
    return {reason.code for reason in reasons_to_hold(WouldBe(size, shrinkages), history, floors)}


@pytest.mark.parametrize(
    ("lines", "expected"),
    [(0, {"far-fewer-lines"}), (19, {"far-fewer-lines"}), (20, set()), (500, set()), (501, {"far-more-lines"})],
)
def test_a_fifth_of_the_usual_and_five_times_it_are_the_edges(lines: int, expected: set[str]) -> None:
    assert codes(Size(lines, 0), [], USUAL) == expected


def test_far_in_proportion_but_near_in_lines_is_usual() -> None:
    assert codes(Size(50, 0), [], [Size(1, 0)] * 5) == set()
    assert codes(Size(51, 0), [], [Size(1, 0)] * 5) == {"far-more-lines"}
    assert codes(Size(0, 0), [], [Size(49, 0)] * 5) == set()


@pytest.mark.parametrize(("lines", "expected"), [(3, set()), (300, set()), (1500, set()), (1501, {"far-more-lines"})])
def test_where_large_and_small_files_take_turns_neither_is_far(lines: int, expected: set[str]) -> None:
    assert codes(Size(lines, 0), [], [Size(300, 0), Size(3, 0)] * 5) == expected


def test_a_first_load_and_a_slip_do_not_tell_what_is_usual() -> None:
    history = [Size(100, 2)] * 8 + [Size(50_000, 0), Size(1, 0)]
    assert codes(Size(501, 0), [], history) == {"far-more-lines"}
    assert codes(Size(19, 0), [], history) == {"far-fewer-lines"}


@pytest.mark.parametrize(
    ("batch", "is_held"),
    [
        (WouldBe(Size(4, 0)), True),
        (WouldBe(Size(4, 0, is_whole=False)), False),
        (WouldBe(Size(4, 0), mended=1), True),
        (WouldBe(Size(4, 0), mended=2), False),
        (WouldBe(Size(600, 0, is_whole=False), mended=600), True),
    ],
)
def test_what_is_no_whole_file_may_be_as_small_as_it_likes(batch: WouldBe, is_held: bool) -> None:
    assert bool(reasons_to_hold(batch, USUAL, FLOORS)) == is_held


def test_a_whole_file_is_compared_with_whole_files_when_it_is_small() -> None:
    parts = [Size(2, 0, is_whole=False)] * 20
    assert codes(Size(4, 0), [], [*USUAL, *parts]) == {"far-fewer-lines"}
    assert codes(Size(4, 0), [], [*USUAL[1:], *parts]) == set()


@pytest.mark.parametrize(
    ("ended", "live", "is_held"), [(10, 99, True), (10, 100, False), (9, 9, False), (11, 100, True), (10, 10, True)]
)
def test_a_batch_that_would_end_more_than_a_tenth_and_ten_records_is_held(ended: int, live: int, is_held: bool) -> None:
    assert codes(Size(5, 0), [Shrinkage(ended, live)], []) == ({"shrinks-live-records"} if is_held else set())


def test_each_scope_is_judged_by_its_own_records() -> None:
    assert codes(Size(20, 0), [Shrinkage(0, 100_000), Shrinkage(20, 20)], []) == {"shrinks-live-records"}


def test_a_batch_mostly_rejected_is_held_unless_it_is_always_so() -> None:
    assert codes(Size(100, 51), [], USUAL) == {"mostly-rejected"}
    assert codes(Size(100, 50), [], USUAL) == set()
    assert codes(Size(60, 49), [], [Size(60, 0)] * 5) == set()
    assert codes(Size(100, 90), [], [Size(100, 80)] * 3 + [Size(100, 0)] * 2) == set()


def test_a_reason_tells_its_numbers() -> None:
    batch = WouldBe(Size(3, 0), [Shrinkage(40, 160)])
    (shrinks, fewer) = reasons_to_hold(batch, [Size(240, 0)] * 6, FLOORS)
    assert all(number in shrinks.message for number in ("40条", "160条", "25%"))
    assert all(number in fewer.message for number in ("3行", "6批", "240行"))


@given(SIZES)
def test_a_first_delivery_is_never_held(size: Size) -> None:
    assert codes(size, [Shrinkage(0, 0)], []) == set()


@given(SIZES, st.lists(SIZES, max_size=FLOORS.least_history - 1))
def test_with_too_little_history_no_batch_is_held_for_its_size(size: Size, history: list[Size]) -> None:
    assert codes(size, [], history) == set()


@given(SIZES)
def test_a_batch_like_all_before_it_is_never_held(size: Size) -> None:
    assert codes(size, [], [size] * 5) == set()


@given(SIZES, SHRINKAGES, HISTORIES, st.integers(0, 500))
def test_ending_more_records_never_takes_a_reason_away(
    size: Size, shrinkage: Shrinkage, history: list[Size], more: int
) -> None:
    worse = replace(shrinkage, ended=min(shrinkage.ended + more, shrinkage.live))
    assert codes(size, [shrinkage], history) <= codes(size, [worse], history)


@given(SIZES, HISTORIES, st.integers(0, 500))
def test_more_rejected_lines_never_take_a_reason_away(size: Size, history: list[Size], more: int) -> None:
    worse = replace(size, rejected=min(size.rejected + more, size.lines))
    assert codes(size, [], history) <= codes(worse, [], history)


@given(st.lists(SIZES, min_size=5, max_size=9), st.integers(0, 3000), st.integers(0, 500))
def test_a_size_further_from_the_usual_never_loses_its_reason(history: list[Size], lines: int, more: int) -> None:
    far = codes(Size(lines, 0), [], history)
    if "far-more-lines" in far:
        assert codes(Size(lines + more, 0), [], history) == far
    if "far-fewer-lines" in far:
        assert codes(Size(max(lines - more, 0), 0), [], history) == far


@given(SIZES, SHRINKAGES, HISTORIES)
def test_laxer_floors_never_add_a_reason(size: Size, shrinkage: Shrinkage, history: list[Size]) -> None:
    laxer = Floors(9, 50, 500, 50, 100, 90, 500)
    assert codes(size, [shrinkage], history, laxer) <= codes(size, [shrinkage], history)


def test_a_laxer_share_does_not_forget_that_earlier_batches_were_mostly_rejected_too() -> None:
    history = [Size(100, 60)] * 5
    assert codes(Size(100, 95), [], history) == set()
    assert codes(Size(100, 95), [], history, Floors(rejected_percent=90)) == set()


def test_under_a_stricter_share_a_batch_like_the_earlier_ones_is_not_held() -> None:
    history = [Size(1000, 400)] * 5
    assert codes(Size(1000, 400), [], history, Floors(rejected_percent=30)) == set()
    assert codes(Size(1000, 450), [], history, Floors(rejected_percent=30)) == {"mostly-rejected"}

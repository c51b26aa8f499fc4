"""Published totals: small numbers are neither shown nor to be worked out."""

from hypothesis import given
from hypothesis import strategies as st

from xinzheng.core.small_numbers import LEAST, published

counts = st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 30), max_size=6)


@given(counts)
def test_what_is_left_out_is_never_one_part_alone_nor_a_small_sum(found: dict[str, int]) -> None:
    shown = published(found)
    if shown.total is None:
        assert 0 < sum(found.values()) < LEAST
        assert set(shown.parts.values()) == {None}
        return
    hidden = [found[name] for name, count in shown.parts.items() if count is None]
    assert all(count is None or count == 0 or count >= LEAST for count in shown.parts.values())
    assert len(hidden) != 1
    assert not hidden or sum(hidden) >= LEAST
    assert 0 not in hidden


@given(counts)
def test_what_is_shown_is_what_was_counted(found: dict[str, int]) -> None:
    shown = published(found)
    assert all(count in (None, found[name]) for name, count in shown.parts.items())
    assert shown.total in (None, sum(found.values()))


def test_no_more_is_left_out_than_needed() -> None:
    assert published({"a": 20, "b": 5, "c": 0}).parts == {"a": 20, "b": 5, "c": 0}
    assert published({"a": 20, "b": 6, "c": 2}).parts == {"a": 20, "b": None, "c": None}
    assert published({"a": 20, "b": 3, "c": 2}).parts == {"a": 20, "b": None, "c": None}
    assert published({"a": 20, "b": 1, "c": 2}).parts == {"a": None, "b": None, "c": None}
    assert published({"a": 4, "b": 0}) == published({"a": 1, "b": 3})
    assert not published({}).hides_something

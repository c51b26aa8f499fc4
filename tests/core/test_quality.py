"""Scores: shares, weights, ranks and trend."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from xinzheng.core.quality import Counts, Share, Weights, ranks, score, trend

WEIGHTS = Weights(50, 30, 20)
small = st.integers(0, 50)


@st.composite
def counts(draw: st.DrawFn) -> Counts:
    due, records, lines = draw(small), draw(small), draw(small)
    return Counts(
        due,
        draw(st.integers(0, due)),
        records,
        draw(st.integers(0, records)),
        lines,
        draw(st.integers(0, lines)),
        draw(st.integers(0, 3)),
    )


def test_percent_has_one_decimal_half_up_and_nothing_of_nothing_is_unknown() -> None:
    assert Share(1, 3).percent == Decimal("33.3")
    assert Share(1, 16).percent == Decimal("6.3")
    assert Share(0, 0).percent is None


def test_the_score_is_the_weighted_mean() -> None:
    found = Counts(days_due=30, days_covered=15, records=10, in_time=10, lines=100, rejected=50)
    assert score(found, WEIGHTS) == Decimal("65.0")  # 0.5 * 50 + 0.3 * 100 + 0.2 * 50


def test_what_was_not_measured_weighs_nothing() -> None:
    assert score(Counts(days_due=30, days_covered=30), WEIGHTS) == Decimal("100.0")
    assert score(Counts(), WEIGHTS) is None


def test_corrections_after_an_objection_lower_the_accuracy() -> None:
    assert Counts(lines=100, rejected=5, corrected=5).shares["accuracy"].percent == Decimal("90.0")


def test_a_month_without_files_does_not_hide_what_was_corrected_in_it() -> None:
    assert Counts(corrected=2).shares["accuracy"] == Share(0, 2)
    assert not Counts().shares["accuracy"].is_measured


@given(counts())
def test_a_score_lies_between_the_worst_and_the_best_share(found: Counts) -> None:
    result = score(found, WEIGHTS)
    shares = [share.percent for share in found.shares.values() if share.percent is not None]
    if result is None:
        assert shares == []
    else:
        assert min(shares) <= result <= max(shares)


@given(counts(), st.integers(0, 10))
def test_covering_more_days_never_lowers_the_score(found: Counts, more: int) -> None:
    better = Counts(
        found.days_due,
        min(found.days_due, found.days_covered + more),
        found.records,
        found.in_time,
        found.lines,
        found.rejected,
        found.corrected,
    )
    before, after = score(found, WEIGHTS), score(better, WEIGHTS)
    assert (before is None) == (after is None)
    assert before is None or after is None or after >= before


def test_equal_scores_share_a_rank_and_the_next_is_skipped() -> None:
    scores = {"a": Decimal("90.0"), "b": Decimal("95.0"), "c": Decimal("90.0"), "d": None, "e": Decimal("80.0")}
    assert ranks(scores) == {"a": 2, "b": 1, "c": 2, "d": None, "e": 4}


def test_the_trend_is_the_difference_to_the_month_before() -> None:
    assert trend(Decimal("91.0"), Decimal("93.5")) == Decimal("-2.5")
    assert trend(Decimal("91.0"), None) is None

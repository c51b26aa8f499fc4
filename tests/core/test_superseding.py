"""Superseding: final, so only for what no settling of a waiting line could undo."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xinzheng.core.decision import ReportOutcome, Result
from xinzheng.core.lifecycle import (
    REASON_WORDS,
    SUPERSEDED_IN_GENERAL,
    RevocationReason,
    SupersedingReason,
    general_reason,
)
from xinzheng.core.superseding import DomainStand, Judgement, Stand, judge, reason_of

NONE, FOUND, UNSURE = Result.NONE_FOUND, Result.RECORDS_FOUND, Result.NOT_VERIFIABLE
CLEAR = ReportOutcome.CLEAR


def domain(result: Result, *counted: str, unresolved: tuple[str, ...] = ()) -> DomainStand:
    return DomainStand(result, frozenset(counted), frozenset(unresolved))


def stand(*known: str, outcome: ReportOutcome = CLEAR, **domains: DomainStand) -> Stand:
    weighed = {key for d in domains.values() for key in d.counted | d.unresolved}
    return Stand(outcome, domains, frozenset({*known, *weighed}))


CLEAN = stand(tax=domain(NONE))
LATE = stand(tax=domain(UNSURE), outcome=ReportOutcome.NOT_VERIFIABLE)
FINED = stand(tax=domain(FOUND, "1"), outcome=ReportOutcome.NOT_CLEAR)


@pytest.mark.parametrize(
    ("then", "now", "reason"),
    [
        (CLEAN, FINED, SupersedingReason.RECORDS_ADDED),
        (FINED, CLEAN, SupersedingReason.RECORDS_WITHDRAWN),
        (FINED, replace(CLEAN, known=frozenset({"1"})), SupersedingReason.RECORDS_CORRECTED),
        (replace(CLEAN, known=frozenset({"1"})), FINED, SupersedingReason.RECORDS_CORRECTED),
        (stand(tax=domain(UNSURE, unresolved=("1",))), FINED, SupersedingReason.RECORDS_CORRECTED),
        (FINED, stand(tax=domain(FOUND, "1", "2")), SupersedingReason.RECORDS_ADDED),
        (FINED, stand("1", tax=domain(FOUND, "2")), SupersedingReason.RECORDS_ADDED),
        (CLEAN, LATE, SupersedingReason.COVERAGE_WITHDRAWN),
        (LATE, CLEAN, SupersedingReason.COVERAGE_COMPLETED),
    ],
)
def test_what_differs_says_why(then: Stand, now: Stand, reason: SupersedingReason) -> None:
    assert judge(then, now, now) is Judgement.SUPERSEDED
    assert reason_of(then, now) is reason


def test_what_only_a_waiting_line_causes_is_waited_for() -> None:
    assert judge(CLEAN, LATE, CLEAN) is Judgement.WAITS


def test_a_difference_beside_a_waiting_line_supersedes_all_the_same() -> None:
    now = stand(tax=domain(FOUND, "1"), water=domain(UNSURE))
    settled = stand(tax=domain(FOUND, "1"), water=domain(NONE))
    assert judge(stand(tax=domain(NONE), water=domain(NONE)), now, settled) is Judgement.SUPERSEDED


def test_a_record_that_was_weighed_before_without_counting_contradicts_nothing() -> None:
    known_more = replace(FINED, known=frozenset({"1", "summary", "sealed"}))
    assert judge(FINED, known_more, known_more) is Judgement.STANDS


stands = st.builds(
    Stand,
    st.sampled_from(ReportOutcome),
    st.fixed_dictionaries(
        {
            code: st.builds(
                DomainStand,
                st.sampled_from(Result),
                st.frozensets(st.sampled_from("abc")),
                st.frozensets(st.sampled_from("de")),
            )
            for code in ("tax", "water")
        }
    ),
    st.frozensets(st.sampled_from("abcdef")),
)


@given(then=stands, now=stands, settled=stands)
def test_nothing_is_superseded_that_today_or_a_settled_ledger_still_says(
    then: Stand, now: Stand, settled: Stand
) -> None:
    judgement = judge(then, now, settled)
    if now.is_same(then) or settled.is_same(then):
        assert judgement is not Judgement.SUPERSEDED
    else:
        assert judgement is Judgement.SUPERSEDED
        assert reason_of(then, settled) in SupersedingReason


def test_a_stranger_reads_one_sentence_whatever_superseded_a_report() -> None:
    assert {general_reason(reason) for reason in SupersedingReason} == {SUPERSEDED_IN_GENERAL}
    assert {general_reason(reason) for reason in RevocationReason} == {REASON_WORDS[r] for r in RevocationReason}
    assert general_reason("") == general_reason("unheard-of") == ""


def test_every_reason_has_its_words() -> None:
    assert set(REASON_WORDS) == {*SupersedingReason, *RevocationReason}

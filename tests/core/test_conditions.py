"""Conditions in Kleene's three-valued logic: what is unknown is never taken for false."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xinzheng.core.conditions import (
    FIELDS,
    After,
    And,
    Before,
    Equals,
    IsIn,
    Known,
    Not,
    Or,
    evaluate,
    kleene_and,
    kleene_not,
    kleene_or,
)

T, F, U = True, False, None
REFERENCES = {"as_of": date(2025, 6, 1), "window.from": date(2022, 6, 1), "window.to": date(2025, 6, 1)}
TRUTH = st.sampled_from([T, F, U])
PARTS = [
    Equals("procedure", "summary"),
    IsIn("tie", ("merged", "split")),
    Before("decision_date", date(2024, 1, 1)),
    After("repaired_date", "as_of"),
    Known("outcome"),
    Equals("sealed", True),
]
CONDITIONS = st.recursive(
    st.sampled_from(PARTS),
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.builds(And, st.lists(inner, min_size=2, max_size=3).map(tuple)),
        st.builds(Or, st.lists(inner, min_size=2, max_size=3).map(tuple)),
    ),
    max_leaves=8,
)
VALUES = {
    "procedure": st.sampled_from(["summary", "ordinary"]),
    "tie": st.sampled_from(["self", "merged"]),
    "decision_date": st.dates(date(2023, 1, 1), date(2025, 1, 1)),
    "repaired_date": st.dates(date(2025, 5, 1), date(2025, 7, 1)),
    "outcome": st.sampled_from(["penalised", "not_penalised"]),
    "sealed": st.booleans(),
}
KNOWN_FACTS = st.fixed_dictionaries(VALUES)


def facts(**known):
    return dict.fromkeys(FIELDS) | known


@pytest.mark.parametrize(
    ("a", "b", "both", "either"),
    [
        (T, T, T, T),
        (T, F, F, T),
        (T, U, U, T),
        (F, T, F, T),
        (F, F, F, F),
        (F, U, F, U),
        (U, T, U, T),
        (U, F, F, U),
        (U, U, U, U),
    ],
)
def test_and_and_or_follow_kleenes_tables(a, b, both, either):
    assert kleene_and([a, b]) is both
    assert kleene_or([a, b]) is either


@pytest.mark.parametrize(("value", "opposite"), [(T, F), (F, T), (U, U)])
def test_not_leaves_the_unknown_unknown(value, opposite):
    assert kleene_not(value) is opposite


@given(st.lists(TRUTH))
def test_de_morgan_holds_with_the_unknown(values):
    assert kleene_not(kleene_and(values)) is kleene_or([kleene_not(v) for v in values])


@pytest.mark.parametrize("condition", [PARTS[0], PARTS[1], PARTS[2], PARTS[3], PARTS[5]])
def test_every_comparison_with_an_unknown_fact_is_unknown(condition):
    assert evaluate(condition, facts(), REFERENCES) is None
    assert evaluate(Not(condition), facts(), REFERENCES) is None


def test_known_is_itself_never_unknown():
    assert evaluate(Known("outcome"), facts(), REFERENCES) is False
    assert evaluate(Known("outcome"), facts(outcome="penalised"), REFERENCES) is True
    assert evaluate(Known("sealed"), facts(sealed=False), REFERENCES) is True


@pytest.mark.parametrize(("day", "before", "after"), [(1, T, F), (2, F, F), (3, F, T)])
def test_before_and_after_are_strict(day, before, after):
    fact = facts(decision_date=date(2024, 1, day))
    assert evaluate(Before("decision_date", date(2024, 1, 2)), fact, REFERENCES) is before
    assert evaluate(After("decision_date", date(2024, 1, 2)), fact, REFERENCES) is after


@pytest.mark.parametrize("reference", REFERENCES)
def test_a_day_of_the_case_can_be_named(reference):
    fact = facts(served_date=REFERENCES[reference])
    assert evaluate(After("served_date", reference), fact, REFERENCES) is False
    assert evaluate(Before("served_date", reference), fact, REFERENCES) is False


def test_a_date_comparison_of_a_word_is_a_programming_error():
    with pytest.raises(TypeError):
        evaluate(Before("procedure", date(2024, 1, 1)), facts(procedure="summary"), REFERENCES)


@given(CONDITIONS, KNOWN_FACTS)
def test_with_every_fact_known_a_condition_is_true_or_false(condition, known):
    assert evaluate(condition, facts(**known), REFERENCES) is not None


@given(CONDITIONS.filter(lambda c: "Known" not in repr(c)), KNOWN_FACTS, st.sets(st.sampled_from(sorted(VALUES))))
def test_learning_a_fact_never_reverses_what_was_certain(condition, known, hidden):
    partly = {name: value for name, value in known.items() if name not in hidden}
    before = evaluate(condition, facts(**partly), REFERENCES)
    assert before is None or before is evaluate(condition, facts(**known), REFERENCES)

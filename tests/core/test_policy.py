"""A policy's own questions: its last day, its extensions, its clauses of a day."""

from datetime import date

import pytest

from tests.core.cases import policy
from xinzheng.core.errors import RefusedError
from xinzheng.core.policy import DateSpan, Extension

SHORT, LONG = Extension("短", date(2026, 6, 30)), Extension("长", date(2026, 12, 31))


@pytest.mark.parametrize(
    ("span", "inside"),
    [
        (DateSpan(), True),
        (DateSpan(date(2025, 1, 1), None), True),
        (DateSpan(date(2025, 1, 2), None), False),
        (DateSpan(None, date(2025, 1, 1)), True),
        (DateSpan(None, date(2024, 12, 31)), False),
        (DateSpan(date(2025, 1, 1), date(2025, 1, 1)), True),
    ],
)
def test_both_days_of_a_span_are_included(span, inside):
    assert span.includes(date(2025, 1, 1)) is inside


@pytest.mark.parametrize(
    ("extensions", "last"),
    [((), date(2026, 2, 28)), ((SHORT,), date(2026, 6, 30)), ((LONG, SHORT), date(2026, 12, 31))],
)
def test_the_last_day_is_that_of_the_longest_extension(extensions, last):
    assert policy(extensions=extensions).last_date == last


def test_a_policy_without_an_end_has_no_last_day_and_needs_no_extension():
    endless = policy(in_effect=DateSpan(date(2024, 3, 1), None), extensions=(SHORT,))
    assert endless.last_date is None
    assert endless.extension_on(date(2030, 1, 1)) is None


@pytest.mark.parametrize(
    ("day", "extension"),
    [
        (date(2026, 2, 28), None),
        (date(2026, 3, 1), SHORT),
        (date(2026, 6, 30), SHORT),
        (date(2026, 7, 1), LONG),
        (date(2027, 1, 1), None),
    ],
)
def test_the_extension_that_a_day_needs_is_the_shortest_that_reaches_it(day, extension):
    assert policy(extensions=(LONG, SHORT)).extension_on(day) == extension


def test_an_unknown_domain_is_refused_by_its_code():
    with pytest.raises(RefusedError, match="moon") as refused:
        policy().domain("moon")
    assert refused.value.code == "unknown-domain"


def test_the_clauses_of_a_day_are_those_in_effect_in_their_order():
    before = [c.id for c in policy().clauses_on(date(2025, 6, 2))]
    after = [c.id for c in policy().clauses_on(date(2025, 6, 3))]
    assert [c for c in after if c not in before] == ["new-rule"]
    assert before == [c for c in after if c != "new-rule"]

"""Objections as data: every state is reached and left by somebody, and no walk ends anywhere else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xinzheng.core.errors import XinzhengError
from xinzheng.core.objections import APPEALABLE, MOVES, OPEN, Act, Course, Ground, Need, Party, State, diagram


def walked(ground: Ground, choices: list[int]) -> Course:
    """A course by taking, each time, one of what is possible."""
    course = Course(ground)
    for choice in choices:
        possible = course.possible()
        if not possible:
            break
        course = Course(ground, (*course.acts, possible[choice % len(possible)].act))
    return course


def test_every_state_is_reached_and_only_closed_ones_are_ends() -> None:
    assert {move.after for move in MOVES} == set(State)
    assert {move.act for move in MOVES} == set(Act)
    left = {move.before for move in MOVES} - {None}
    assert left == OPEN | APPEALABLE


@given(st.sampled_from(Ground), st.lists(st.integers(0, 9), max_size=40))
def test_a_walk_appeals_once_at_most_and_a_closed_one_stays_closed(ground: Ground, choices: list[int]) -> None:
    course = walked(ground, choices)
    assert course.acts.count(Act.APPEAL) <= 1
    assert course.acts.count(Act.LODGE) <= 1
    if course.acts and not course.is_open:
        assert {move.act for move in course.possible()} <= {Act.APPEAL}
        assert not course.is_disputed
    if ground is Ground.MISSING:
        assert Act.UPHOLD not in course.acts
        assert not course.is_disputed


def test_only_the_source_unit_changes_data_and_nobody_decides_without_a_reason() -> None:
    corrects = [move for move in MOVES if Need.CORRECTION in move.needs]
    assert {move.by for move in corrects} == {Party.UNIT}
    deciding = (Act.DECLINE, Act.DISMISS, Act.UPHOLD, Act.CONFIRM, Act.REMAND, Act.HAND_OVER)
    assert all(Need.REASON in move.needs for move in MOVES if move.act in deciding)


def test_a_record_is_disputed_from_its_acceptance_to_the_end_and_again_on_appeal() -> None:
    said = []
    acts = (Act.LODGE, Act.ACCEPT, Act.RETURN, Act.ASK, Act.SUPPLY, Act.ACCEPT, Act.DISMISS, Act.APPEAL, Act.CONFIRM)
    for count in range(1, len(acts) + 1):
        said.append(Course(Ground.WRONG, acts[:count]).is_disputed)
    assert said == [False, True, True, True, True, True, False, True, False]


def test_an_act_that_does_not_fit_is_refused_by_code() -> None:
    with pytest.raises(XinzhengError) as refused:
        Course(Ground.WRONG, (Act.LODGE,)).move(Act.UPHOLD)
    assert refused.value.code == "objection-step-illegal"


def test_the_diagram_names_every_arrow() -> None:
    assert diagram().count("-->") == len(MOVES) + len(set(State) - OPEN)

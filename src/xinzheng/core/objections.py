"""Objections (异议): grounds, states, and which act leads from which to which; the docs' diagram is drawn from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from xinzheng.core.errors import XinzhengError


class Ground(StrEnum):
    """What is objected to (异议事由)."""

    WRONG = "wrong"
    MISSING = "missing"
    NOT_MINE = "not-mine"
    OVER_PERIOD = "over-period"


class State(StrEnum):
    """Where an objection stands (环节)."""

    INTAKE = "intake"
    MORE_ASKED = "more-asked"
    WITH_UNIT = "with-unit"
    AWAITED = "awaited"
    APPEALED = "appealed"
    DECLINED = "declined"
    DISMISSED = "dismissed"
    CORRECTED = "corrected"
    CONFIRMED = "confirmed"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"


class Act(StrEnum):
    """What somebody does with it (办理动作)."""

    LODGE = "lodge"
    ACCEPT = "accept"
    DECLINE = "decline"
    ASK = "ask"
    SUPPLY = "supply"
    LAPSE = "lapse"
    HAND_OVER = "hand-over"
    RETURN = "return"
    UPHOLD = "uphold"
    PROMISE = "promise"
    DELIVER = "deliver"
    DISMISS = "dismiss"
    APPEAL = "appeal"
    REMAND = "remand"
    CONFIRM = "confirm"
    WITHDRAW = "withdraw"


class Party(StrEnum):
    """Who acts (办理方)."""

    SUBJECT = "subject"
    OFFICE = "office"
    UNIT = "unit"
    SYSTEM = "system"


class Need(StrEnum):
    """What an act must bring (办理要件)."""

    REASON = "reason"
    EVIDENCE = "evidence"
    UNIT = "unit"
    CORRECTION = "correction"


@dataclass(frozen=True, slots=True)
class Move:
    """One arrow: who may do what, from where to where, and what must come with it."""

    act: Act
    by: Party
    before: State | None
    after: State
    needs: frozenset[Need] = frozenset()


def _moves(act: Act, by: Party, before: Sequence[State | None], after: State, *needs: Need) -> tuple[Move, ...]:
    return tuple(Move(act, by, state, after, frozenset(needs)) for state in before)


MOVES: tuple[Move, ...] = (
    *_moves(Act.LODGE, Party.SUBJECT, (None,), State.INTAKE, Need.REASON),
    *_moves(Act.ACCEPT, Party.OFFICE, (State.INTAKE,), State.WITH_UNIT, Need.UNIT),
    *_moves(Act.DECLINE, Party.OFFICE, (State.INTAKE,), State.DECLINED, Need.REASON),
    *_moves(Act.ASK, Party.OFFICE, (State.INTAKE,), State.MORE_ASKED, Need.REASON),
    *_moves(Act.SUPPLY, Party.SUBJECT, (State.MORE_ASKED,), State.INTAKE),
    *_moves(Act.LAPSE, Party.SYSTEM, (State.MORE_ASKED,), State.LAPSED, Need.REASON),
    *_moves(Act.HAND_OVER, Party.UNIT, (State.WITH_UNIT,), State.WITH_UNIT, Need.REASON, Need.UNIT),
    *_moves(Act.RETURN, Party.UNIT, (State.WITH_UNIT,), State.INTAKE, Need.REASON),
    *_moves(Act.UPHOLD, Party.UNIT, (State.WITH_UNIT,), State.CORRECTED, Need.REASON, Need.CORRECTION),
    *_moves(Act.PROMISE, Party.UNIT, (State.WITH_UNIT,), State.AWAITED, Need.REASON),
    *_moves(Act.DELIVER, Party.UNIT, (State.AWAITED,), State.CORRECTED, Need.CORRECTION),
    *_moves(Act.DISMISS, Party.UNIT, (State.WITH_UNIT,), State.DISMISSED, Need.REASON, Need.EVIDENCE),
    *_moves(Act.APPEAL, Party.SUBJECT, (State.DECLINED, State.DISMISSED), State.APPEALED, Need.REASON),
    *_moves(Act.REMAND, Party.OFFICE, (State.APPEALED,), State.WITH_UNIT, Need.REASON, Need.UNIT),
    *_moves(Act.CONFIRM, Party.OFFICE, (State.APPEALED,), State.CONFIRMED, Need.REASON),
    *_moves(
        Act.WITHDRAW,
        Party.SUBJECT,
        (State.INTAKE, State.MORE_ASKED, State.WITH_UNIT, State.APPEALED),
        State.WITHDRAWN,
    ),
)
_BY_PLACE: Mapping[tuple[State | None, Act], Move] = {(move.before, move.act): move for move in MOVES}
OPEN = frozenset({State.INTAKE, State.MORE_ASKED, State.WITH_UNIT, State.AWAITED, State.APPEALED})
# After these the subject may go to the office once more (申请复核).
APPEALABLE = frozenset({State.DECLINED, State.DISMISSED})
# What only a missing record can be told (遗漏), and what only a record that is there.
ONLY_MISSING, NEVER_MISSING = frozenset({Act.PROMISE, Act.DELIVER}), frozenset({Act.UPHOLD})


@dataclass(frozen=True, slots=True)
class Course:
    """What was done with one objection so far, in order (办理过程)."""

    ground: Ground
    acts: tuple[Act, ...] = ()

    @property
    def state(self) -> State | None:
        """Where it stands; None before it was lodged."""
        state: State | None = None
        for act in self.acts:
            state = _BY_PLACE[state, act].after
        return state

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to do something."""
        return self.state in OPEN

    @property
    def is_disputed(self) -> bool:
        """Whether its record shows 异议处理中: from the first acceptance on, until it is closed."""
        taken_up = Act.ACCEPT in self.acts or Act.REMAND in self.acts
        return self.ground is not Ground.MISSING and taken_up and self.is_open

    def possible(self) -> tuple[Move, ...]:
        """What may be done next, by whom."""
        return tuple(move for move in MOVES if move.before is self.state and self._fits(move.act))

    def move(self, act: Act) -> Move:
        """The arrow of an act. Raises ``objection-step-illegal``."""
        found = next((move for move in self.possible() if move.act is act), None)
        if found is None:
            raise XinzhengError("这件异议现在不能这样办理，请刷新页面看最新的环节。", code="objection-step-illegal")
        return found

    def _fits(self, act: Act) -> bool:
        if act is Act.APPEAL and Act.APPEAL in self.acts:
            return False
        is_missing = self.ground is Ground.MISSING
        return act not in (NEVER_MISSING if is_missing else ONLY_MISSING)


def diagram() -> str:
    """The states and acts as a Mermaid state diagram, for docs/objection-states.md."""
    lines = ["stateDiagram-v2"]
    lines += [f"    {_node(move.before)} --> {_node(move.after)}: {move.act} ({move.by})" for move in MOVES]
    ends = sorted(set(State) - OPEN)
    return "\n".join([*lines, *(f"    {_node(state)} --> [*]" for state in ends)]) + "\n"


def _node(state: State | None) -> str:
    return "[*]" if state is None else state.replace("-", "_")

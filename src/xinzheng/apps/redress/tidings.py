"""Who is told of which step (告知): one notice for each step and addressee, written with the step."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from xinzheng.apps.accounts.models import Role
from xinzheng.apps.codes.notice_events import OF_ACTS
from xinzheng.apps.codes.notices import Addressee, tell
from xinzheng.apps.redress.models import Objection, Step
from xinzheng.core.objections import Act, State

OFFICE = Addressee(role=Role.OFFICE_OPERATOR.value)


class To(StrEnum):
    """Who is told (告知对象)."""

    SUBJECT = "subject"
    CLIENT = "client"  # the platform that lodged it, if any
    OFFICE = "office"
    UNIT = "unit"  # it lies with it from now on
    FORMER_UNIT = "former-unit"  # it lay with it last
    HOLDER = "holder"  # unit or office: whoever had to act before
    DELIVERER = "deliverer"  # brought what was wrong, where that was another than who answers


@dataclass(frozen=True, slots=True)
class Tiding:
    """What is told to whom."""

    event: str
    to: To


def _tidings(act: Act, *to: To) -> tuple[Tiding, ...]:
    return tuple(Tiding(OF_ACTS[act], one) for one in to)


WHO: Mapping[Act, tuple[To, ...]] = MappingProxyType(
    {
        Act.LODGE: (To.OFFICE,),
        Act.ACCEPT: (To.SUBJECT, To.CLIENT, To.UNIT),
        Act.DECLINE: (To.SUBJECT, To.CLIENT),
        Act.ASK: (To.SUBJECT, To.CLIENT),
        Act.SUPPLY: (To.OFFICE,),
        Act.LAPSE: (To.SUBJECT, To.CLIENT, To.OFFICE),
        Act.HAND_OVER: (To.SUBJECT, To.CLIENT, To.UNIT),
        Act.RETURN: (To.SUBJECT, To.CLIENT, To.OFFICE),
        Act.UPHOLD: (To.SUBJECT, To.CLIENT, To.OFFICE, To.DELIVERER),
        Act.PROMISE: (To.SUBJECT, To.CLIENT, To.OFFICE),
        Act.DELIVER: (To.SUBJECT, To.CLIENT, To.OFFICE),
        Act.DISMISS: (To.SUBJECT, To.CLIENT),
        Act.APPEAL: (To.OFFICE, To.FORMER_UNIT),
        Act.REMAND: (To.SUBJECT, To.CLIENT, To.UNIT),
        Act.CONFIRM: (To.SUBJECT, To.CLIENT, To.FORMER_UNIT),
        Act.WITHDRAW: (To.HOLDER,),
    }
)
TIDINGS: Mapping[Act, tuple[Tiding, ...]] = MappingProxyType({act: _tidings(act, *to) for act, to in WHO.items()})


def tell_of(step: Step) -> None:
    """Tell those whom a step concerns; in the step's own transaction."""
    objection = step.objection
    body = {"objection": objection.number, "act": step.act, "state": step.state}
    for tiding in TIDINGS[Act(step.act)]:
        facts = body | {"delivered": True} if tiding.to is To.DELIVERER else body
        tell(tiding.event, f"step:{step.pk}", _addressees(tiding.to, objection, step), facts)


def _addressees(to: To, objection: Objection, step: Step) -> list[Addressee]:
    """Nobody where there is none of the kind."""
    if to is To.SUBJECT:
        return [Addressee(subject_id=objection.subject_id)]
    if to is To.CLIENT:
        return [Addressee(client_id=objection.client_id)] if objection.client_id else []
    if to is To.OFFICE or (to is To.HOLDER and not _was_with_a_unit(objection, step)):
        return [OFFICE]
    if to is To.DELIVERER:
        # Whose record it was, and who brought it: but for the unit that has just put it right.
        others = {objection.blamed_unit_id, objection.unit_id} - {step.unit_id}
        return [Addressee(unit_id=unit_id) for unit_id in others if unit_id is not None]
    unit_id = _unit_of(to, objection, step)
    return [] if unit_id is None else [Addressee(unit_id=unit_id)]


def _unit_of(to: To, objection: Objection, step: Step) -> int | None:
    if to is To.UNIT:
        return step.unit_id
    before = Step.objects.filter(objection=objection, seq__lt=step.seq, state=State.WITH_UNIT.value)
    return before.order_by("-seq").values_list("unit_id", flat=True).first()


def _was_with_a_unit(objection: Objection, step: Step) -> bool:
    return Step.objects.filter(objection=objection, seq=step.seq - 1, state=State.WITH_UNIT.value).exists()

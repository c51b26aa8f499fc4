"""Handling objections (办理异议): every act but lodging and upholding, one locked step at a time."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from django.db import transaction

from xinzheng.apps.accounts.models import Account, Role
from xinzheng.apps.accounts.permissions import refusals_to_object
from xinzheng.apps.audit.privacy import text_to_keep
from xinzheng.apps.redress.clock import today
from xinzheng.apps.redress.errors import RedressError
from xinzheng.apps.redress.evidence import Found
from xinzheng.apps.redress.models import Objection, ObjectionHead, Step
from xinzheng.apps.redress.permissions import refusals_to_decide_objection, refusals_to_take_in_objections
from xinzheng.apps.redress.stepping import Held, Taking, hold_objection, lock_record, write_step
from xinzheng.apps.redress.terms import last_day
from xinzheng.apps.redress.words import words_to_keep
from xinzheng.apps.registry.queries import is_responsible
from xinzheng.core.objections import MOVES, OPEN, Act, Move, Need, Party

REASON_AT_MOST = 500
HAND_OVERS_AT_MOST = 2
REASON_CODE = re.compile(r"[a-z][a-z-]{0,39}|")
# Done otherwise: lodging and upholding have functions of their own, the system does the rest.
NOT_HERE = frozenset({Act.LODGE, Act.UPHOLD, Act.LAPSE, Act.DELIVER})
# Every act is one party's, wherever it stands.
PARTY_OF: Mapping[Act, Party] = MappingProxyType({move.act: move.by for move in MOVES})
REASON_MISSING = {
    Party.SUBJECT: "请写明情况和理由。",
    Party.OFFICE: "请写明理由，申请人会看到。",
    Party.UNIT: "请写明理由，申请人和信用办会看到。",
}


@dataclass(frozen=True, slots=True)
class Doing:
    """What somebody does with an objection, looking at its step ``seen_seq`` (办理).

    ``reason`` is an official's and stays for good; ``words`` are the subject's and can be deleted. ``unit_id``: who
    shall have it next, the unit that answers for the record unless told.
    """

    number: str
    seen_seq: int
    act: Act
    reason: str = ""
    reason_code: str = ""
    unit_id: int | None = None
    words: str = ""
    files: Sequence[Found] = ()


@transaction.atomic
def take_step(doing: Doing, *, account: Account) -> Step:
    """Take one step; nothing of it is left behind where it is refused.

    Raises:
        RedressError: ``unknown-objection``; ``not-permitted``; ``objection-moved-on``: somebody was faster, the message
            says who and when; ``reason-missing``, ``evidence-missing``; ``unit-missing``, ``unit-not-responsible``,
            ``handed-over-twice``; ``appeal-too-late``; ``own-decision``; ``objection-open-already``: the record has
            another by now.
        XinzhengError: ``objection-step-illegal``; what keeping texts and files raises.
    """
    held = hold_objection(doing.number)
    move = may_move(held, doing.act, doing.seen_seq, account)
    if doing.act in NOT_HERE:
        raise RedressError("这一步不能这样办理，请刷新页面后从页面上的按钮办理。", code="objection-step-illegal")
    taking = Taking(
        doing.act, _next_unit(held, move, doing), reason_of(move, doing.reason), _code(doing.reason_code),
        _words(move, doing), doing.files,
    )  # fmt: skip
    if Need.EVIDENCE in move.needs and not doing.files:
        raise RedressError("认定异议不成立的，须至少附一份证据，例如决定书、送达回证。", code="evidence-missing")
    if doing.act is Act.APPEAL:
        _may_appeal(held)
    if doing.act is Act.CONFIRM:
        _may_confirm(held, account)
    return write_step(held, taking, by=account.actor)


def may_move(held: Held, act: Act, seen_seq: int, account: Account) -> Move:
    """The arrow of an act, once it is sure that this account may take it and saw the last step.

    A unit's officer who had the objection a moment ago is told who was faster, not that it is none of his business.

    Raises:
        RedressError: ``not-permitted``, ``objection-moved-on``.
        XinzhengError: ``objection-step-illegal``.
    """
    party = PARTY_OF[act]
    lay_with = {step.unit_id for step in held.steps if step.unit_id is not None}
    had_it = party is Party.UNIT and account.unit_id in lay_with
    unit_id = account.unit_id if had_it else held.unit_id
    _permit(_refusals(party, held.objection, unit_id, account))
    held.unless_moved_on(seen_seq)
    move = held.course.move(act)
    _permit(_refusals(party, held.objection, held.unit_id, account))
    return move


def _refusals(party: Party, objection: Objection, unit_id: int | None, account: Account) -> list[str]:
    if party is Party.SUBJECT:
        return refusals_to_object(account, objection.subject_id)
    if party is Party.OFFICE:
        return refusals_to_take_in_objections(account)
    if party is Party.SYSTEM:
        return ["这一步由系统到期办理。"]
    return refusals_to_decide_objection(account, unit_id if unit_id is not None else 0)


def _permit(refusals: list[str]) -> None:
    if refusals:
        raise RedressError("".join(refusals), code="not-permitted")


def reason_of(move: Move, reason: str) -> str:
    """An official's reason as it is kept. Raises ``reason-missing``, UnkeepableTextError."""
    kept = text_to_keep(reason, field="理由", most=REASON_AT_MOST) if move.by is not Party.SUBJECT else ""
    if Need.REASON in move.needs and move.by is not Party.SUBJECT and not kept:
        raise RedressError(REASON_MISSING[move.by], code="reason-missing")
    return kept


def _code(code: str) -> str:
    if not REASON_CODE.fullmatch(code):
        raise RedressError("没有这种理由，请刷新页面后重新选择。", code="reason-missing")
    return code


def _words(move: Move, doing: Doing) -> str:
    """The subject's words; an answer to a question has to hold something, in words or as a file."""
    if move.by is not Party.SUBJECT:
        return ""
    words = words_to_keep(doing.words)
    is_empty = not words and not doing.files
    if (Need.REASON in move.needs and not words) or (move.act is Act.SUPPLY and is_empty):
        raise RedressError(REASON_MISSING[Party.SUBJECT], code="reason-missing")
    return words


def _next_unit(held: Held, move: Move, doing: Doing) -> int | None:
    """Who has it next, where the act gives it to a unit."""
    if Need.UNIT not in move.needs:
        return None
    lay_with = [step.unit_id for step in reversed(held.steps) if step.unit_id is not None]
    unit_id = doing.unit_id
    if unit_id is None and move.act is not Act.HAND_OVER:
        unit_id = lay_with[0] if lay_with else held.objection.unit_id
    if unit_id is None:
        raise RedressError("请选择由哪个单位办理。", code="unit-missing")
    if not answers_for(held.objection, unit_id):
        raise RedressError("这个单位不负责这类记录，请另选责任单位。", code="unit-not-responsible")
    if move.act is Act.HAND_OVER:
        _may_hand_over(held, unit_id)
    return unit_id


def answers_for(objection: Objection, unit_id: int) -> bool:
    """Whether a unit may be asked: it answers for the record, or for its domain and kind under the policy."""
    if unit_id == objection.unit_id:
        return True
    return is_responsible(objection.policy_id, unit_id=unit_id, domain=objection.domain, kind=objection.kind)


def _may_hand_over(held: Held, unit_id: int) -> None:
    if unit_id == held.unit_id:
        raise RedressError("这件异议已经在本单位，请选择另一个单位。", code="unit-not-responsible")
    acts = held.course.acts
    since = max(n for n, act in enumerate(acts) if act in (Act.ACCEPT, Act.REMAND))
    if acts[since:].count(Act.HAND_OVER) >= HAND_OVERS_AT_MOST:
        message = f"这件异议已经移交{HAND_OVERS_AT_MOST}次，不能再移交；不属于本单位的，请退回信用办。"
        raise RedressError(message, code="handed-over-twice")


def _may_appeal(held: Held) -> None:
    """Within its term, and while no other objection to the record is open."""
    decided, record_id = held.steps[-1], held.objection.record_id
    until = last_day(held.objection, decided, "appeal_within")
    if until is not None and today() > until:
        message = f"申请复核的期限到{until.month}月{until.day}日为止，已经过去。有新的情况的，请重新提出异议。"
        raise RedressError(message, code="appeal-too-late")
    if record_id is None:
        return
    lock_record(record_id)
    if ObjectionHead.objects.filter(objection__record_id=record_id, state__in=OPEN).exists():
        raise RedressError("这条记录已有一件异议正在办理，请等它办结。", code="objection-open-already")


def _may_confirm(held: Held, account: Account) -> None:
    """Nobody confirms what he himself decided; sending it to a unit stays open to him."""
    decided = [step for step in held.steps if step.act in (Act.DECLINE, Act.DISMISS)][-1]
    if decided.actor == account.actor:
        message = "不予受理是您本人作出的，不能由您复核维持：请由信用办另一名工作人员办理，或者退回责任单位重办。"
        raise RedressError(message, code="own-decision")


def moves_for(possible: Sequence[Move], objection: Objection, unit_id: int | None, account: Account) -> list[Move]:
    """Of what is possible, what this account may do (for pages): nothing by an account of no party."""
    permitted = [party for party in Party if not _refusals(party, objection, unit_id, account)]
    if account.role == Role.SUBJECT_AGENT:
        permitted = [party for party in permitted if party is Party.SUBJECT]
    return [move for move in possible if move.by in permitted and move.act not in (Act.DELIVER, Act.LAPSE)]

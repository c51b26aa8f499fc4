"""Receivers (核验单位): a body registers itself, the credit office verifies it, refuses it, suspends it.

An account works for a receiver once the office has said so (``Account.receiver_id``). Until then it has claimed to:
the claim is an audit event, so that who registers a body that is registered already is answered like everybody else.
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from django.db import transaction

from xinzheng.apps.accounts.models import Account, Role
from xinzheng.apps.accounts.permissions import refusals_to_manage_receiver
from xinzheng.apps.audit.actions import record_event
from xinzheng.apps.audit.privacy import text_to_keep
from xinzheng.apps.codes.models import Receiver, ReceiverDecision
from xinzheng.apps.codes.receiver_claims import claims_on, open_claim
from xinzheng.apps.codes.said import check_body_name
from xinzheng.core.errors import XinzhengError
from xinzheng.core.identifiers import check_uscc

KINDS = {
    "bank": "银行",
    "broker": "证券公司",
    "tenderer": "招标人、招标代理",
    "office": "机关、事业单位",
    "other": "其他",
}
REASON_AT_MOST = 200
NOT_TIED = "本账户还没有核实过的单位。请先登记单位，等信用办核实。"


class State(StrEnum):
    """How a receiver stands (核实情况): what was decided last, or that nothing was yet."""

    PENDING = "pending"
    VERIFIED = "verified"
    REFUSED = "refused"
    SUSPENDED = "suspended"

    @property
    def words(self) -> str:
        """The state in words."""
        return "待核实" if self is State.PENDING else str(ReceiverDecision.State(self.value).label)


# Which decision may follow which.
FOLLOWING = {
    State.PENDING: (State.VERIFIED, State.REFUSED),
    State.VERIFIED: (State.SUSPENDED,),
    State.REFUSED: (State.VERIFIED,),
    State.SUSPENDED: (State.VERIFIED,),
}


class ReceiverError(XinzhengError):
    """A body is not registered or not decided on; ``field`` in the context names what is wrong."""

    code = "receiver-refused"


@dataclass(frozen=True, slots=True)
class Registration:
    """What a body says of itself (单位登记): USCC, name and kind, one of KINDS."""

    uscc: str
    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class Decision:
    """The office's decision (核实决定): the state, why, and which accounts that claimed so work for the body."""

    state: State
    reason: str = ""
    account_ids: Collection[int] = ()


@transaction.atomic
def register(account: Account, asked: Registration) -> None:
    """Register a body (单位登记) and claim that the account works for it. The answer tells nothing of who was before.

    Raises ``receiver-refused``: the account is no receiver's, has a body or waits for its answer; or, with ``field``,
    the USCC, name or kind cannot be one.
    """
    held = Account.objects.select_for_update().get(pk=account.pk)
    if held.role != Role.RECEIVER or not held.is_active:
        raise ReceiverError("只有核验单位的账户可以登记单位。")
    if held.receiver_id is not None or open_claim(held) is not None:
        raise ReceiverError("本账户已经登记过单位，不用再登记。")
    uscc, name = _checked(asked)
    Receiver.objects.bulk_create(
        [Receiver(uscc=uscc, name=name, kind=asked.kind, created_by=held.actor)], ignore_conflicts=True
    )
    found = Receiver.objects.get(uscc=uscc)
    record_event(
        who=held.actor, action="receiver-registered", object_kind="receiver", object_id=found.pk, details={"name": name}
    )


def _checked(asked: Registration) -> tuple[str, str]:
    check = check_uscc(asked.uscc[:100])
    if not check.ok:
        raise ReceiverError(check.errors[0].message, field="uscc")
    if asked.kind not in KINDS:
        raise ReceiverError("请从列出的类别中选一项。", field="kind")
    try:
        return check.value, check_body_name(asked.name)
    except XinzhengError as error:
        raise ReceiverError(error.message, field="name") from error


@transaction.atomic
def decide(receiver_id: int, decision: Decision, *, by: str) -> ReceiverDecision:
    """Verify, refuse or suspend a receiver (核实、不予通过、停用).

    Verified, the named accounts work for it from now on. Refused, whoever waited for an answer has it.
    Raises ``unknown-receiver``, ``receiver-refused``, ``text-not-kept``.
    """
    found = _locked(receiver_id)
    before, state = state_of(found), decision.state
    if state not in FOLLOWING[before]:
        raise ReceiverError(f"这个单位现在是“{before.words}”，不能改为“{state.words}”。", field="state")
    reason = text_to_keep(decision.reason, field="理由", most=REASON_AT_MOST)
    if state != State.VERIFIED and not reason:
        raise ReceiverError(f"{state.words}须写明理由，单位会看到。", field="reason")
    made = ReceiverDecision.objects.create(receiver=found, state=state.value, reason=reason, by=by)
    facts = {"state": state.value, "reason": reason}
    record_event(who=by, action="receiver-decided", object_kind="receiver", object_id=found.pk, details=facts)
    if state == State.VERIFIED:
        for account_id in decision.account_ids:
            answer_claim(found.pk, account_id, is_admitted=True, by=by)
    if state == State.REFUSED:
        for claim in claims_on(found.pk):
            answer_claim(found.pk, claim.account.pk, is_admitted=False, by=by)
    return made


@transaction.atomic
def correct_name(receiver_id: int, name: str, *, by: str) -> None:
    """Call a receiver by another name from now on (更正名称): misspelt when it registered, or renamed since.

    Looks that were recorded keep the name of their time. Raises ``unknown-receiver``, ``receiver-refused``.
    """
    found = _locked(receiver_id)
    try:
        new = check_body_name(name)
    except XinzhengError as error:
        raise ReceiverError(error.message, field="name") from error
    if new == found.name:
        raise ReceiverError("名称没有变化。", field="name")
    Receiver.objects.filter(pk=found.pk).update(name=new)
    facts = {"name": new, "former_name": found.name}
    record_event(who=by, action="receiver-renamed", object_kind="receiver", object_id=found.pk, details=facts)


@transaction.atomic
def answer_claim(receiver_id: int, account_id: int, *, is_admitted: bool, by: str) -> None:
    """Say whether an account works for the body it claimed to (确认账户). Raises ``unknown-claim``."""
    account = Account.objects.select_for_update().filter(pk=account_id, role=Role.RECEIVER).first()
    claim = open_claim(account) if account is not None else None
    if account is None or claim is None or claim.object_id != str(receiver_id):
        raise ReceiverError("这个账户没有等待确认的登记，请刷新页面后再看。", code="unknown-claim")
    if is_admitted:
        account.receiver_id = receiver_id
        account.save(update_fields=["receiver_id"])
    facts = {"receiver": receiver_id, "admitted": is_admitted}
    record_event(who=by, action="receiver-account-answered", object_kind="account", object_id=account.pk, details=facts)


def state_of(receiver: Receiver | int) -> State:
    """How a receiver stands now; asked at each use, so that a suspended one is refused a moment later."""
    key = receiver if isinstance(receiver, int) else receiver.pk
    last = ReceiverDecision.objects.filter(receiver_id=key).order_by("-id").values_list("state", flat=True).first()
    return State(last) if last else State.PENDING


def receiver_of(account: Account) -> Receiver | None:
    """The body an account works for; None where the office has not said so of any."""
    if account.role != Role.RECEIVER or account.receiver_id is None:
        return None
    return Receiver.objects.filter(pk=account.receiver_id).first()


def objections(receiver: Receiver | int | None) -> list[str]:
    """What stands against a body's being shown or told anything now; empty for a verified one."""
    if receiver is None:
        return [NOT_TIED]
    state = state_of(receiver)
    if state == State.VERIFIED:
        return []
    if state == State.SUSPENDED:
        return ["本单位的核验资格已停用，不能查看报告，也不能批量核验。需要恢复的，请联系信用办。"]
    return [f"本单位的登记{'没有通过' if state == State.REFUSED else '还没有核实'}，核实以后才能使用。"]


def refusals_to_check_batches(account: Account, receiver: Receiver | None) -> list[str]:
    """Verify many reports by file (批量核验): the accounts of a verified receiver."""
    refusals = refusals_to_manage_receiver(account, receiver.pk if receiver is not None else 0)
    if receiver is None and account.is_active and account.role == Role.RECEIVER:
        return [NOT_TIED]
    return refusals or objections(receiver)


def _locked(receiver_id: int) -> Receiver:
    found = Receiver.objects.select_for_update().filter(pk=receiver_id).first()
    if found is None:
        raise ReceiverError("没有这个单位，请刷新页面后再看。", code="unknown-receiver")
    return found

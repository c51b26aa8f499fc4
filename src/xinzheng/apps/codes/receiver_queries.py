"""Reading receivers: what the office sees of all, what an account sees of its own, what a subject finds to choose."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from django.db.models import OuterRef, QuerySet, Subquery

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.audit.models import AuditEvent
from xinzheng.apps.codes.models import Receiver, ReceiverDecision
from xinzheng.apps.codes.receiver_claims import CLAIMED, Claim, answer_to, open_claims
from xinzheng.apps.codes.receivers import KINDS, State, receiver_of, state_of
from xinzheng.apps.codes.said import is_same_body
from xinzheng.core.identifiers import check_uscc, normalise_identifier

SHORTEST_SEARCH, SHORTEST_CODE = 2, 6


@dataclass(frozen=True, slots=True)
class Tie:
    """Whom an account works for (本账户的单位): its receiver once tied, else what it said and what was said.

    ``said``: the name it registered, while it waits; ``reason`` with a state of refused or suspended.
    """

    receiver: Receiver | None = None
    state: State | None = None
    said: str = ""
    reason: str = ""

    @property
    def is_waiting(self) -> bool:
        """Whether it registered a body and has no answer yet."""
        return self.receiver is None and bool(self.said)

    @property
    def is_verified(self) -> bool:
        """Whether it works for a verified receiver."""
        return self.receiver is not None and self.state == State.VERIFIED


@dataclass(frozen=True, slots=True)
class ReceiverRow:
    """A receiver as the office sees it: how it stands, since when and why, its accounts, and who claims to be one."""

    id: int
    uscc: str
    name: str
    kind: str
    created_at: datetime
    state: State
    reason: str
    decided_at: datetime | None
    accounts: tuple[Account, ...]
    claims: tuple[Claim, ...]

    @property
    def is_waiting(self) -> bool:
        """Whether the office has something to do: to decide on it, or on an account that claims to be its."""
        return self.state == State.PENDING or bool(self.claims)


def tie_of(account: Account) -> Tie:
    """Whom an account works for; told from its own doings and the office's answers, never from other claims."""
    receiver = receiver_of(account)
    if receiver is not None:
        last = receiver.decisions.order_by("-id").first()
        return Tie(receiver, state_of(receiver), reason=last.reason if last else "")
    claim = AuditEvent.objects.filter(who=account.actor, action=CLAIMED).order_by("-id").first()
    if claim is None:
        return Tie()
    if answer_to(account, claim) is None:
        return Tie(said=str(claim.details.get("name", "")))
    last = ReceiverDecision.objects.filter(receiver_id=int(claim.object_id)).order_by("-id").first()
    is_refused = last is not None and last.state == State.REFUSED and last.at >= claim.at
    return Tie(state=State.REFUSED, reason=last.reason if last is not None and is_refused else "")


def receiver_rows() -> list[ReceiverRow]:
    """All receivers: those that wait for the office first, then by name; a few statements however many they are."""
    claims, accounts = open_claims(), _accounts()
    found = Receiver.objects.order_by("name", "pk").prefetch_related("decisions")
    rows = [_row(one, tuple(accounts.get(one.pk, ())), tuple(claims.get(one.pk, ()))) for one in found]
    return sorted(rows, key=lambda row: not row.is_waiting)


def _accounts() -> dict[int | None, list[Account]]:
    found: defaultdict[int | None, list[Account]] = defaultdict(list)
    for account in Account.objects.filter(receiver_id__isnull=False).order_by("pk"):
        found[account.receiver_id].append(account)
    return found


def _row(one: Receiver, accounts: tuple[Account, ...], claims: tuple[Claim, ...]) -> ReceiverRow:
    last = max(one.decisions.all(), key=lambda decision: decision.pk, default=None)
    state = State(last.state) if last else State.PENDING
    reason, decided_at = (last.reason, last.at) if last else ("", None)
    return ReceiverRow(
        one.pk, one.uscc, one.name, KINDS[one.kind], one.created_at, state, reason, decided_at, accounts, claims
    )


def receiver_by_uscc(code: str) -> Receiver | None:
    """The receiver with this USCC, in whatever state."""
    return Receiver.objects.filter(uscc=check_uscc(code[:100]).value).first()


def search_verified(text: str, at_most: int = 10) -> list[Receiver]:
    """Verified receivers whose name holds the text or whose USCC begins with it; nothing is told of others."""
    sought = " ".join(text[:100].replace("\0", "").split())
    if len(sought) < SHORTEST_SEARCH:
        return []
    found = _verified().filter(name__icontains=sought)
    code = normalise_identifier(sought)
    if len(code) >= SHORTEST_CODE:
        found |= _verified().filter(uscc__startswith=code)
    return list(found.order_by("name", "pk")[:at_most])


def verified_named(text: str) -> Receiver | None:
    """The verified receiver meant by its USCC or full name; None where there is none, or more than one."""
    check = check_uscc(text[:200])
    if check.ok:
        return _verified().filter(uscc=check.value).first()
    found = [one for one in _verified() if is_same_body(one.name, text)] if text.strip() else []
    return found[0] if len(found) == 1 else None


def _verified() -> QuerySet[Receiver]:
    last = ReceiverDecision.objects.filter(receiver=OuterRef("pk")).order_by("-id").values("state")[:1]
    return Receiver.objects.alias(state=Subquery(last)).filter(state=State.VERIFIED)

"""Accounts that say they work for a receiver (待确认的账户): each claim is an audit event, and so is its answer."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.audit.models import AuditEvent

CLAIMED, ANSWERED = "receiver-registered", "receiver-account-answered"


@dataclass(frozen=True, slots=True)
class Claim:
    """An account that says it works for a receiver (待确认的账户), under which name, and since which event."""

    account: Account
    name: str
    event: AuditEvent


def open_claim(account: Account) -> AuditEvent | None:
    """The account's claim that nobody has answered yet."""
    claim = AuditEvent.objects.filter(who=account.actor, action=CLAIMED).order_by("-id").first()
    if claim is None or account.receiver_id is not None or answer_to(account, claim) is not None:
        return None
    return claim


def answer_to(account: Account, claim: AuditEvent) -> AuditEvent | None:
    """How an account's claim was answered; None while it was not."""
    answers = AuditEvent.objects.filter(object_kind="account", object_id=str(account.pk), action=ANSWERED)
    return answers.filter(id__gt=claim.pk).order_by("id").first()


def claims_on(receiver_id: int) -> list[Claim]:
    """Who waits to be told that it works for this receiver, in the order they came."""
    return open_claims().get(receiver_id, [])


def open_claims() -> Mapping[int, list[Claim]]:
    """All who wait, by receiver, in the order they came; three statements however many they are.

    Of an account only its last claim counts, and only while nobody has answered it.
    """
    said = {event.who: event for event in AuditEvent.objects.filter(action=CLAIMED).order_by("id")}
    keys = [int(who.partition(":")[2]) for who in said]
    accounts = {one.pk: one for one in Account.objects.filter(pk__in=keys, receiver_id=None)}
    answers = AuditEvent.objects.filter(action=ANSWERED, object_kind="account", object_id__in=map(str, accounts))
    answered = dict(answers.order_by("id").values_list("object_id", "id"))
    found: defaultdict[int, list[Claim]] = defaultdict(list)
    for who, event in sorted(said.items(), key=lambda item: item[1].pk):
        account = accounts.get(int(who.partition(":")[2]))
        if account is not None and answered.get(str(account.pk), 0) < event.pk:
            found[int(event.object_id)].append(Claim(account, str(event.details.get("name", "")), event))
    return found

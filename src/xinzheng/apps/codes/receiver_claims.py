"""Accounts that say they work for a receiver (待确认的账户): each claim is an audit event, and so is its answer."""

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
    said = AuditEvent.objects.filter(object_kind="receiver", object_id=str(receiver_id), action=CLAIMED)
    events = {event.who: event for event in said.order_by("id")}
    keys = [int(who.partition(":")[2]) for who in events]
    accounts = Account.objects.filter(pk__in=keys, receiver_id__isnull=True).order_by("pk")
    found = [(account, open_claim(account)) for account in accounts]
    waiting = [(account, event) for account, event in found if event and event.object_id == str(receiver_id)]
    return [Claim(account, str(event.details.get("name", "")), event) for account, event in waiting]

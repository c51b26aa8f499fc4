"""Subscriptions (订阅): a receiver is told when a report it was shown stops being in force."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db import transaction

from xinzheng.apps.audit.actions import About, record_event
from xinzheng.apps.codes.models import ShareCode, Subscription, SubscriptionEnd
from xinzheng.core.errors import XinzhengError


@dataclass(frozen=True, slots=True)
class SubscriptionRow:
    """A subscription as its receiver sees it; ``ended_at`` once it tells nothing any more."""

    id: int
    number: str
    until: date
    created_at: datetime
    ended_at: datetime | None


def subscriptions_of(receiver_id: int, at_most: int = 100) -> list[SubscriptionRow]:
    """A receiver's subscriptions, newest first."""
    found = Subscription.objects.filter(receiver_id=receiver_id).select_related("end").order_by("-id")[:at_most]
    return [_row(one) for one in found]


def _row(one: Subscription) -> SubscriptionRow:
    end: SubscriptionEnd | None = getattr(one, "end", None)
    return SubscriptionRow(one.pk, one.report_number, one.until, one.created_at, end.at if end is not None else None)


@transaction.atomic
def end_subscription(subscription_id: int, receiver_id: int, *, by: str) -> None:
    """Ask to be told no more (退订).

    Raises ``unknown-subscription``: it is none of this receiver's; ``subscription-ended-already``.
    """
    found = Subscription.objects.select_for_update().filter(pk=subscription_id, receiver_id=receiver_id).first()
    if found is None:
        raise XinzhengError("没有这项订阅，请刷新页面后再看。", code="unknown-subscription")
    if SubscriptionEnd.objects.filter(subscription=found).exists():
        raise XinzhengError("这项订阅先前已经结束。", code="subscription-ended-already")
    share = ShareCode.objects.get(pk=found.share_id)
    _end(found, share.subject_id, by)


def end_with(share: ShareCode, *, by: str) -> int:
    """End what a share's consent carries (随亮码结束); in the transaction that takes the share back. How many."""
    found = list(
        Subscription.objects.select_for_update(of=("self",)).filter(share_id=share.pk, end__isnull=True).order_by("pk")
    )
    for one in found:
        _end(one, share.subject_id, by)
    return len(found)


def live_on(share_id: UUID) -> list[str]:
    """The receivers that are told of this share's report, by name."""
    found = Subscription.objects.filter(share_id=share_id, end__isnull=True).order_by("pk")
    return list(found.values_list("receiver__name", flat=True))


def _end(one: Subscription, subject_id: int, by: str) -> None:
    SubscriptionEnd.objects.create(subscription=one, by=by)
    about = About(subject_id, details={"report": one.report_number})
    record_event(who=by, action="subscription-ended", object_kind="subscription", object_id=one.pk, details=about)

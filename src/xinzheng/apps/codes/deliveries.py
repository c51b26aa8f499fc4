"""Deliveries (投递): each notice goes to each webhook of its addressee, tried again for a day and a half, then no more.

A delivery is made in the transaction of its notice, or by the sweep that finds notices without one: either way there
is one for each webhook and notice. It is sent outside any transaction: whoever sends takes it by moving its time on,
posts, and notes what came of it. One that dies meanwhile leaves it to be sent again under the same ``webhook-id``.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.utils import timezone

from xinzheng.apps.accounts.models import Platform
from xinzheng.apps.audit.actions import record_event
from xinzheng.apps.codes.models import Delivery, Webhook
from xinzheng.apps.codes.notices import WEBHOOK_FAILING, Addressee, tell
from xinzheng.apps.codes.receivers import objections
from xinzheng.apps.codes.webhook_calls import Outcome, call_of_notice, make_call
from xinzheng.apps.codes.webhooks import ENDED
from xinzheng.core.errors import XinzhengError

# How long after a try that failed the next one follows; after the last there is none.
RETRIES = tuple(timedelta(seconds=seconds) for seconds in (10, 60, 300, 1800, 2 * 3600, 8 * 3600, 24 * 3600))
# Far longer than a call takes: a delivery whose sender died is sent again after it.
LEASE = timedelta(minutes=1)
# So many at once, and of these so many to one webhook: one that answers late holds nobody else up.
AT_ONCE, AT_ONCE_PER_WEBHOOK = 16, 2
UNSIGNED = "本系统暂时不能签名，稍后再发。"
STOPPED = "平台或者单位已停用，没有发送。"

# The row is looked at again once its lock is had: of two senders one finds the time moved on and leaves it.
TAKE = """
UPDATE codes_delivery SET due_at = %(until)s, tries = tries + 1
WHERE done_at IS NULL AND due_at <= %(now)s AND id IN (
    SELECT id FROM (
        SELECT id, due_at, row_number() OVER (PARTITION BY webhook_id ORDER BY due_at, id) AS place
        FROM codes_delivery WHERE done_at IS NULL AND due_at <= %(now)s
    ) AS due WHERE place <= %(each)s ORDER BY due_at, id LIMIT %(most)s
)
RETURNING id
"""


@dataclass(frozen=True, slots=True)
class _Sent:
    """What came of one try."""

    delivery: Delivery
    outcome: Outcome


def send_round(now: datetime | None = None) -> int:
    """Send some of what is due, side by side; how many. Never within a transaction of somebody's business."""
    taken = _take(now or timezone.now())
    calls = [(one, _prepared(one)) for one in taken]
    with ThreadPoolExecutor(AT_ONCE, "webhook") as pool:
        outcomes = pool.map(lambda call: call if isinstance(call, Outcome) else make_call(call), (c for _, c in calls))
        for (delivery, _), outcome in zip(calls, outcomes, strict=True):
            _note(_Sent(delivery, outcome), now or timezone.now())
    return len(taken)


def seconds_to_next(within: timedelta) -> float | None:
    """Seconds until something is due, None if nothing is within this time."""
    due = Delivery.objects.filter(done_at=None, due_at__lte=timezone.now() + within).order_by("due_at").first()
    return None if due is None or due.due_at is None else max((due.due_at - timezone.now()).total_seconds(), 0.0)


def _take(now: datetime) -> list[Delivery]:
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute(TAKE, {"now": now, "until": now + LEASE, "each": AT_ONCE_PER_WEBHOOK, "most": AT_ONCE})
        taken = [key for (key,) in cursor.fetchall()]
    return list(Delivery.objects.filter(pk__in=taken).select_related("notice", "webhook").order_by("due_at", "pk"))


def _prepared(delivery: Delivery) -> object:
    """The call to make, or the outcome where none is made."""
    if delivery.webhook.ended_at is not None or _is_stopped(delivery):
        return Outcome(None, ENDED if delivery.webhook.ended_at else STOPPED, is_final=True)
    try:
        return call_of_notice(delivery.webhook, delivery.notice, timezone.now())
    except XinzhengError:
        return Outcome(None, UNSIGNED)


def _is_stopped(delivery: Delivery) -> bool:
    """Whether who is to be told may not be told anything any more."""
    webhook, receiver_id = delivery.webhook, delivery.notice.receiver_id
    if webhook.client_id and not Platform.objects.filter(pk=webhook.client_id, revoked_at=None).exists():
        return True
    return receiver_id is not None and bool(objections(receiver_id))


@transaction.atomic
def _note(sent: _Sent, now: datetime) -> None:
    """Keep what came of a try, unless the delivery was settled or taken again meanwhile."""
    delivery, outcome = sent.delivery, sent.outcome
    is_over = outcome.is_good or outcome.is_final or delivery.tries > len(RETRIES)
    kept = Delivery.objects.filter(pk=delivery.pk, tries=delivery.tries, done_at=None).update(
        answered=outcome.status,
        said=outcome.said,
        done_at=now if is_over else None,
        due_at=None if is_over else now + RETRIES[delivery.tries - 1],
    )
    if not kept or outcome.is_final:
        return
    if outcome.is_good:
        Webhook.objects.filter(pk=delivery.webhook_id, failing_since__isnull=False).update(failing_since=None)
    elif is_over:
        _tell_owner(delivery.webhook_id, now)


def _tell_owner(webhook_id: int, now: datetime) -> None:
    """Once for each time it begins to fail, until a call succeeds again."""
    webhook = Webhook.objects.select_for_update().get(pk=webhook_id)
    if webhook.failing_since is not None or webhook.ended_at is not None:
        return
    webhook.failing_since = now
    webhook.save(update_fields=["failing_since"])
    facts = {"webhook": webhook.pk, "since": now.isoformat()}
    to = Addressee(webhook.receiver_id, webhook.client_id)
    tell(WEBHOOK_FAILING, f"webhook:{webhook.pk}:{now.isoformat()}", [to], facts)
    record_event(who="system", action="webhook-failing", object_kind="webhook", object_id=webhook.pk)

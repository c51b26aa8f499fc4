"""Make deliveries (投递) of notices: one for each webhook of the addressee, in the transaction of the notice."""

import uuid
from collections.abc import Collection
from contextlib import suppress

from django.db import connection, transaction
from django.utils import timezone
from procrastinate.exceptions import AlreadyEnqueued

MAKE = """
WITH reached AS (
    SELECT id, client_id, receiver_id, events, created_at FROM codes_webhook WHERE ended_at IS NULL
    UNION ALL
    SELECT w.id, '', p.receiver_id, w.events, w.created_at
    FROM codes_webhook w JOIN accounts_platform p ON p.client_id = w.client_id
    WHERE w.ended_at IS NULL AND p.receiver_id IS NOT NULL
)
INSERT INTO codes_delivery (notice_id, webhook_id, tries, due_at, said)
SELECT n.id, r.id, 0, %(now)s, ''
FROM reached r JOIN codes_notice n
    ON n.at >= r.created_at AND jsonb_exists(r.events, n.event)
    AND (n.receiver_id = r.receiver_id OR (n.client_id <> '' AND n.client_id = r.client_id))
WHERE NOT EXISTS (SELECT FROM codes_delivery d WHERE d.notice_id = n.id AND d.webhook_id = r.id)
    AND (%(only)s::uuid[] IS NULL OR n.id = ANY(%(only)s))
ON CONFLICT DO NOTHING
"""


def deliver(notice_ids: Collection[uuid.UUID] | None = None) -> int:
    """Make the deliveries that these notices, or all there are, lack; how many. Safe to run again, side by side too.

    Called in the transaction that writes the notices, neither is there without the other.
    """
    only = None if notice_ids is None else list(notice_ids)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(MAKE, {"now": timezone.now(), "only": only})
        made = cursor.rowcount
        if made:
            transaction.on_commit(_have_them_sent, robust=True)
    return int(made)


def _have_them_sent() -> None:
    from xinzheng.apps.codes.tasks_webhooks import send

    with suppress(AlreadyEnqueued):
        send.configure(queueing_lock=send.name).defer()

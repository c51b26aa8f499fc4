"""Notices (通知): what happened, told once to each whom it concerns; pages, the interface and webhooks read them."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django.db import connection, transaction
from django.db.models import Q

from xinzheng.apps.codes.delivering import deliver
from xinzheng.apps.codes.models import Notice
from xinzheng.apps.codes.notice_events import REPORT_ENDED, WEBHOOK_FAILING
from xinzheng.apps.codes.notice_words import Reader, Told, sentence_of

__all__ = ["REPORT_ENDED", "WEBHOOK_FAILING", "Addressee", "NoticeRow", "notices_of", "sweep_ended", "tell"]

# What is due is what stands in the tables and was not told: never "what came after the last one I saw", because
# transactions do not become visible in the order of their numbers. A receiver that is suspended is told when it is
# verified again; a subscription that has ended tells nothing, whatever happened before its end.
TELL_ENDED = """
WITH verified AS (
    SELECT receiver_id FROM (
        SELECT DISTINCT ON (receiver_id) receiver_id, state FROM codes_receiverdecision ORDER BY receiver_id, id DESC
    ) last WHERE state = 'verified'
), due AS (
    SELECT DISTINCT e.id, e.report_id, e.status, coalesce(e.effective_at, e.at) AS since, s.receiver_id
    FROM codes_subscription s
    JOIN verified ON verified.receiver_id = s.receiver_id
    JOIN reports_statusevent e ON e.report_id = s.report_number AND e.status IN ('superseded', 'revoked', 'expired')
    WHERE (e.status = 'expired' OR (e.at AT TIME ZONE 'Asia/Shanghai')::date <= s.until)
      AND NOT EXISTS (SELECT FROM codes_subscriptionend x WHERE x.subscription_id = s.id)
      AND NOT EXISTS (SELECT FROM codes_notice n WHERE n.source = 'status:' || e.id AND n.receiver_id = s.receiver_id)
)
INSERT INTO codes_notice (id, event, source, receiver_id, client_id, body)
SELECT gen_random_uuid(), %s, 'status:' || id, receiver_id, '',
       jsonb_build_object('number', report_id, 'status', status, 'since', since)
FROM due ORDER BY id
ON CONFLICT DO NOTHING RETURNING id
"""
TELL = """
INSERT INTO codes_notice (id, event, source, receiver_id, client_id, subject_id, unit_id, role, body)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING RETURNING id
"""


@dataclass(frozen=True, slots=True)
class Addressee:
    """Whom a notice is for (通知对象): one of a receiver, a platform's client, a subject, a unit, a role."""

    receiver_id: int | None = None
    client_id: str = ""
    subject_id: int | None = None
    unit_id: int | None = None
    role: str = ""

    @property
    def columns(self) -> tuple[int | None, str, int | None, int | None, str]:
        """As the table has it."""
        return self.receiver_id, self.client_id, self.subject_id, self.unit_id, self.role


@dataclass(frozen=True, slots=True)
class NoticeRow:
    """A notice as a receiver reads it."""

    id: UUID
    event: str
    at: datetime
    body: dict[str, Any]

    @property
    def words(self) -> str:
        """What happened, in a sentence for a receiver."""
        return sentence_of(Told(self.event, self.body), Reader.RECEIVER)


@transaction.atomic
def tell(event: str, source: str, addressees: Iterable[Addressee], body: dict[str, Any]) -> int:
    """Write a notice for each, in the caller's transaction; how many were not told of this source before.

    What goes to webhooks of theirs is made with it.

    Args:
        event: kebab-case, e.g. ``report-not-in-force``.
        source: what it comes of, e.g. ``status:7``; with the addressee it is unique.
        addressees: whom it is for.
        body: JSON facts without personal data.
    """
    said = json.dumps(body, ensure_ascii=False)
    told: list[UUID] = []
    with connection.cursor() as cursor:
        for to in addressees:
            cursor.execute(TELL, [uuid4(), event, source, *to.columns, said])
            told += [key for (key,) in cursor.fetchall()]
    if told:
        deliver(told)
    return len(told)


@transaction.atomic
def sweep_ended() -> int:
    """Tell receivers of reports they subscribed to that stopped being in force; how many notices. Safe to run again."""
    with connection.cursor() as cursor:
        cursor.execute(TELL_ENDED, [REPORT_ENDED])
        told = [key for (key,) in cursor.fetchall()]
    if told:
        deliver(told)
    return len(told)


def notices_of(receiver_id: int, before: UUID | None = None, at_most: int = 100) -> list[NoticeRow]:
    """What a receiver was told, newest first; ``before``: the last one of the page before."""
    found = Notice.objects.filter(receiver_id=receiver_id)
    last = found.filter(pk=before).first() if before is not None else None
    if last is not None:
        found = found.filter(Q(at__lt=last.at) | Q(at=last.at, pk__lt=last.pk))
    return [NoticeRow(one.pk, one.event, one.at, one.body) for one in found.order_by("-at", "-id")[:at_most]]

"""What a receiver was shown (本单位看过的报告): its own looks, with the content only while it is open."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from xinzheng.apps.codes.receivers import State
from xinzheng.apps.reports.prepared import fetched
from xinzheng.core.lifecycle import ReportStatus

AT_MOST = 50
# The subject's name stays masked here: the consent to see it was for the time the view was open.
OWN = """
SELECT v.id, v.at, s.report_number, coalesce(c.masked_name, ''), s.purpose_name, coalesce(a.display_name, ''),
       v.open_until,
       NOT EXISTS (SELECT FROM codes_shareend e WHERE e.share_id = s.id)
           AND (SELECT status FROM reports_statusevent t WHERE t.report_id = s.report_number
                ORDER BY t.id DESC LIMIT 1) = %s
           AND (SELECT state FROM codes_receiverdecision d WHERE d.receiver_id = v.receiver_id
                ORDER BY d.id DESC LIMIT 1) = %s,
       s.may_subscribe AND s.expires_at > now()
           AND NOT EXISTS (SELECT FROM codes_subscription u WHERE u.share_id = s.id AND u.receiver_id = v.receiver_id)
FROM codes_view v
JOIN codes_sharecode s ON s.id = v.share_id
LEFT JOIN reports_reportscope c ON c.report_id = s.report_number
LEFT JOIN accounts_account a ON a.id = v.account_id
WHERE v.receiver_id = %s AND (%s::uuid IS NULL OR (v.at, v.id) <
      (SELECT b.at, b.id FROM codes_view b WHERE b.id = %s::uuid AND b.receiver_id = v.receiver_id))
ORDER BY v.at DESC, v.id DESC LIMIT %s
"""


@dataclass(frozen=True, slots=True)
class ShownRow:
    """One look of a receiver: when, which report of whom (masked), for what, by which account."""

    view_id: uuid.UUID
    at: datetime
    number: str
    masked_name: str
    purpose_name: str
    account_name: str
    open_until: datetime
    stands: bool
    is_subscribable: bool

    @property
    def is_open(self) -> bool:
        """Whether the content may be opened now."""
        return self.stands and self.open_until > timezone.now()

    @property
    def may_subscribe(self) -> bool:
        """Whether the subject consented to that, the consent stands, and it was not done yet."""
        return self.stands and self.is_subscribable


def shown_to(receiver_id: int, before: uuid.UUID | None = None, at_most: int = AT_MOST) -> list[ShownRow]:
    """What a receiver was shown, newest first; ``before``: the last one of the page before."""
    values = [ReportStatus.IN_FORCE.value, State.VERIFIED.value, receiver_id, before, before, at_most]
    return [ShownRow(*row) for row in fetched(OWN, values)]

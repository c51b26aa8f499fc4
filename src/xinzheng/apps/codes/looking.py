"""Looking at a shared report (查看): from a code to an offer, from an offer to a view, and whether it is still open.

Whatever is wrong with a code has one answer: unknown, renewed since, late, taken back and used up are not told apart.
"""

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from xinzheng.apps.accounts.models import Account, Role
from xinzheng.apps.audit.actions import About, record_event
from xinzheng.apps.codes.bad_codes import SO_FAR
from xinzheng.apps.codes.models import Receiver, ShareCode, View
from xinzheng.apps.codes.receivers import State, objections
from xinzheng.apps.codes.said import check_body_name, is_same_body
from xinzheng.apps.codes.sharing import digest_key, locked_share, refuse_if_over
from xinzheng.apps.reports.prepared import fetched
from xinzheng.apps.reports.registered import by_numbers
from xinzheng.apps.reports.replaying import report_by_number
from xinzheng.core.errors import XinzhengError
from xinzheng.core.lifecycle import ReportStatus
from xinzheng.core.share_codes import LONG_LENGTH, digest_of_long, digest_of_typed

CODE_NOT_GOOD = "这个码不能用。码会自动换新，也可能已经过期、收回或者用完次数。请对方重新亮码，再扫一次。"

SELECT = """
SELECT s.id, s.report_number, s.purpose, s.purpose_name, s.receiver_id, s.receiver_name, s.expires_at, k.good_until,
       EXISTS (SELECT FROM codes_shareend e WHERE e.share_id = s.id),
       s.views_allowed - (SELECT count(*) FROM codes_view v WHERE v.share_id = s.id),
       (SELECT status FROM reports_statusevent t WHERE t.report_id = s.report_number ORDER BY t.id DESC LIMIT 1),
       (SELECT pack_id FROM reports_report r WHERE r.number = s.report_number),
       c.policy_id, c.masked_name, c.report_title, c.policy_title
FROM codes_showncode k
JOIN codes_sharecode s ON s.id = k.share_id
LEFT JOIN reports_reportscope c ON c.report_id = s.report_number
"""
BY_LONG = SELECT + "WHERE k.digest = %s"
BY_TYPED = SELECT + "WHERE k.typed_digest = %s"
# Always one row: what the visitor has tried so far, and the share if the code is of one.
TRIED = {
    by: f"SELECT ({SO_FAR}), found.* FROM (SELECT) AS visitor LEFT JOIN ({by}) AS found ON true"  # noqa: S608  ours
    for by in (BY_LONG, BY_TYPED)
}

OPEN = """
SELECT v.share_id, s.report_number, s.purpose_name, v.open_until, v.at, v.account_id,
       EXISTS (SELECT FROM codes_shareend e WHERE e.share_id = s.id),
       (SELECT status FROM reports_statusevent t WHERE t.report_id = s.report_number ORDER BY t.id DESC LIMIT 1),
       v.receiver_id,
       (SELECT state FROM codes_receiverdecision d WHERE d.receiver_id = v.receiver_id ORDER BY d.id DESC LIMIT 1),
       (SELECT digest FROM reports_report r WHERE r.number = s.report_number)
FROM codes_view v JOIN codes_sharecode s ON s.id = v.share_id
WHERE v.id = %s
"""

WRITE = """
WITH written AS (
    INSERT INTO codes_view (id, share_id, way, receiver_id, account_id, client_id, status, open_until, at)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (id) DO NOTHING RETURNING id
)
INSERT INTO codes_viewdetail (view_id, body_name, purpose_name, place, device)
SELECT id, %s, %s, %s, %s FROM written RETURNING view_id
"""


@dataclass(frozen=True, slots=True)
class Offer:
    """What whoever holds a good code may know before it says who it is (亮码信息).

    ``pack`` is the digest of the report's own pack: uses are named by it, whatever pack is in force by now.
    """

    share_id: uuid.UUID
    way: str
    status: str
    purpose: str
    purpose_name: str
    receiver_id: int | None
    receiver_name: str
    expires_at: datetime
    number: str
    pack: bytes
    policy_id: str
    masked_name: str
    report_title: str
    policy_title: str


@dataclass(frozen=True, slots=True)
class Ticket:
    """A good code was held a moment ago: for this share, reached this way; at most one view comes of it."""

    share_id: uuid.UUID
    way: str
    view_id: uuid.UUID


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who looks (查看者): what it says of itself and for what, its account if it signed in, from where (coarse).

    ``receiver_id``: the body a platform's client speaks for; an account's is its own.
    """

    body_name: str
    purpose: str
    account: Account | None = None
    client_id: str = ""
    place: str = ""
    device: str = ""
    receiver_id: int | None = None

    @property
    def is_receiver(self) -> bool:
        """Whether it speaks for a receiver: then its name is the one that the office verified."""
        return self.receiver_id is not None or (self.account is not None and self.account.role == Role.RECEIVER)

    @property
    def body_id(self) -> int | None:
        """The receiver it speaks for; None for a stranger, and for an account whose body nobody has verified."""
        if self.account is not None and self.account.role == Role.RECEIVER:
            return self.account.receiver_id
        return self.receiver_id

    @property
    def actor(self) -> str:
        """How the audit names it."""
        if self.client_id:
            return f"client:{self.client_id}"
        return self.account.actor if self.account is not None else "public"


@dataclass(frozen=True, slots=True)
class OpenView:
    """A view and whether it is open now; ``status`` is the report's present one, ``digest`` its content's."""

    share_id: uuid.UUID
    number: str
    purpose_name: str
    open_until: datetime
    at: datetime
    account_id: int | None
    is_taken_back: bool
    status: str
    receiver_id: int | None
    receiver_state: str | None
    digest: bytes

    @property
    def is_suspended(self) -> bool:
        """Whether the receiver it was opened to is verified no more."""
        return self.receiver_id is not None and self.receiver_state != State.VERIFIED

    @property
    def is_open(self) -> bool:
        """Whether the content may be shown now."""
        is_consented = not self.is_taken_back and self.open_until > timezone.now()
        return is_consented and not self.is_suspended and self.status == ReportStatus.IN_FORCE


def find(code: str) -> Offer | None:
    """The offer behind a long code or a typed one; None for any that is not good. One statement whatever it is."""
    way, statement, digest = _way_of(code)
    rows = fetched(statement, [digest])
    return _offer(rows[0], way) if rows else None


def find_from(code: str, visitor: str) -> tuple[int, Offer | None]:
    """The same, and how many bad codes came from this visitor so far (see ``bad_codes``), in the one statement."""
    way, statement, digest = _way_of(code)
    ((tried, *row),) = fetched(TRIED[statement], [visitor, digest])
    return tried or 0, (_offer(row, way) if row[0] is not None else None)


def _way_of(code: str) -> tuple[View.Way, str, bytes]:
    if len(code) == LONG_LENGTH and " " not in code:
        return View.Way.SCAN, BY_LONG, digest_of_long(code, digest_key())
    return View.Way.TYPED, BY_TYPED, digest_of_typed(code, digest_key())


def find_share(share_id: uuid.UUID, way: str) -> Offer | None:
    """The offer of a share whose code was good a moment ago; None when it is over."""
    rows = fetched(SELECT + "WHERE s.id = %s ORDER BY k.id DESC LIMIT 1", [share_id])
    return _offer(rows[0], way, is_code_checked=True) if rows else None


def _offer(row: Sequence[Any], way: str, *, is_code_checked: bool = False) -> Offer | None:
    share_id, number, purpose, purpose_name, receiver_id, receiver_name, expires_at, good_until, *rest = row
    is_ended, left, status, pack, policy_id, *texts = rest
    now = timezone.now()
    if is_ended or left < 1 or expires_at <= now or not (is_code_checked or good_until > now):
        return None
    if policy_id is None:  # a report whose scope was never written down
        policy_id = report_by_number(number).policy_id
        texts = list(by_numbers([number])[number].shown[:3])
    terms = (purpose, purpose_name, receiver_id, receiver_name, expires_at)
    return Offer(share_id, way, status, *terms, number, bytes(pack), policy_id, *texts)


@transaction.atomic
def open_view(ticket: Ticket, visitor: Visitor) -> View:
    """Open the content to a visitor, count it, and write down who looked. The same ticket gives the same view.

    Raises ``code-not-good``, ``report-not-in-force``, ``purpose-differs``, ``receiver-differs``, ``body-name-invalid``,
    ``receiver-not-verified``.
    """
    share = locked_share(ticket.share_id)
    if share is None:
        raise XinzhengError(CODE_NOT_GOOD, code="code-not-good")
    now = timezone.now()
    try:
        refuse_if_over(share, now)
    except XinzhengError as error:
        made = View.objects.filter(pk=ticket.view_id, share=share).first()
        if made is not None:  # the form was sent twice, and its own view was the last one
            return made
        if error.code == "share-over":
            raise XinzhengError(CODE_NOT_GOOD, code="code-not-good") from error
        raise
    name = _fitting_name(share, visitor)
    view = View(
        id=ticket.view_id,
        share_id=share.pk,
        way=ticket.way,
        receiver_id=visitor.body_id,
        account_id=visitor.account.pk if visitor.account else None,
        client_id=visitor.client_id,
        status=ReportStatus.IN_FORCE,
        open_until=min(share.expires_at, now + timedelta(minutes=settings.XINZHENG_VIEW_MINUTES)),
        at=now,
    )
    if not _is_written(view, share, visitor, name):
        return View.objects.get(pk=ticket.view_id, share_id=share.pk)
    return view


def _fitting_name(share: ShareCode, visitor: Visitor) -> str:
    """The visitor's name, once it and its purpose fit what the subject consented to."""
    name = _name_of_receiver(visitor.body_id) if visitor.is_receiver else check_body_name(visitor.body_name)
    if visitor.purpose != share.purpose:
        message = f"主体只同意用于“{share.purpose_name}”。用途不同的，请主体另外亮一个码。"
        raise XinzhengError(message, code="purpose-differs")
    if share.receiver_id is not None and visitor.body_id != share.receiver_id:
        message = f"这个码只给已核实的“{share.receiver_name}”看，请用该单位的账户登录后再扫。"
        raise XinzhengError(message, code="receiver-differs")
    if share.receiver_name and share.receiver_id is None and not is_same_body(name, share.receiver_name):
        message = f"这个码只给“{share.receiver_name}”看。单位不同的，请主体另外亮一个码。"
        raise XinzhengError(message, code="receiver-differs")
    return name


def _name_of_receiver(receiver_id: int | None) -> str:
    against = objections(receiver_id)
    if against or receiver_id is None:
        raise XinzhengError("\n".join(against), code="receiver-not-verified")
    return Receiver.objects.get(pk=receiver_id).name


def _is_written(view: View, share: ShareCode, visitor: Visitor, name: str) -> bool:
    """Write the view, who looked, and the event; False where this very view was written before."""
    values = [view.id, share.pk, view.way, view.receiver_id, view.account_id, view.client_id, view.status]
    values += [view.open_until, view.at, name, share.purpose_name, visitor.place, visitor.device]
    if not fetched(WRITE, values):
        return False
    facts = {"report": share.report_number, "view": str(view.pk), "way": view.way, "purpose": share.purpose}
    about = About(share.subject_id, visitor.place, facts)
    record_event(who=visitor.actor, action="report-shown", object_kind="share", object_id=share.pk, details=about)
    return True


def view_now(view_id: uuid.UUID) -> OpenView | None:
    """A view as it stands now; None where there is none."""
    rows = fetched(OPEN, [view_id])
    return OpenView(*rows[0]) if rows else None


def is_open(view_id: uuid.UUID) -> bool:
    """Whether the content may still be shown."""
    found = view_now(view_id)
    return found is not None and found.is_open


def content_of(number: str) -> dict[str, Any]:
    """The content of a report, as it is signed. Raises ``unknown-report``."""
    return dict(json.loads(bytes(report_by_number(number).content)))

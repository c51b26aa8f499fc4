"""Sharing a report (亮码): the subject consents, shows a code that renews itself, and may take it back at once."""

import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.accounts.permissions import refusals_to_share
from xinzheng.apps.audit.actions import About, record_event
from xinzheng.apps.codes.models import Receiver, ShareCode, ShareEnd, ShownCode
from xinzheng.apps.codes.receivers import State, state_of
from xinzheng.apps.codes.said import check_body_name
from xinzheng.apps.codes.subscriptions import end_with
from xinzheng.apps.reports.packs import stored_policy
from xinzheng.apps.reports.prepared import fetched
from xinzheng.apps.reports.queries import current_status
from xinzheng.apps.reports.replaying import report_by_number
from xinzheng.core.errors import XinzhengError
from xinzheng.core.lifecycle import STATUS_WORDS, ReportStatus, typed_code
from xinzheng.core.share_codes import SECRET_BYTES, Digests, digests_of, long_code

# Who has the code in view when it renews may still type it to the end.
GRACE = timedelta(seconds=30)
MOST_VIEWS = 1000
COLUMNS = (
    "id",
    "report_number",
    "subject_id",
    "purpose",
    "purpose_name",
    "receiver_id",
    "receiver_name",
    "views_allowed",
    "expires_at",
    "may_subscribe",
)
LOCK = f"SELECT {', '.join(COLUMNS)} FROM codes_sharecode WHERE id = %s FOR NO KEY UPDATE"  # noqa: S608  names of ours
# A statement of its own, after the lock: its snapshot has what whoever held the lock before has committed.
STANDING = """
SELECT EXISTS (SELECT FROM codes_shareend WHERE share_id = %s),
       (SELECT count(*) FROM codes_view WHERE share_id = %s),
       (SELECT status FROM reports_statusevent WHERE report_id = %s ORDER BY id DESC LIMIT 1)
"""
NOT_VERIFIED = "没有找到已核实的这个单位，请核对全称或者统一社会信用代码；确实没有的，写全称，不选“须用账户”。"
OVER = "这个码已经收回、用完或者过期。要再给人看，请回到报告另设一个。"


@dataclass(frozen=True, slots=True)
class Terms:
    """What the subject consents to (亮码条件): for what, to whom, until when, how many times.

    ``receiver_id``: a verified receiver; then only its accounts may look, and ``receiver_name`` is the register's.
    """

    purpose: str
    expires_at: datetime
    views: int
    receiver_name: str = ""
    receiver_id: int | None = None
    may_subscribe: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """A fresh code: ``secret`` for the QR code's address, ``typed`` to type; neither is kept anywhere."""

    secret: str
    typed: str
    good_until: datetime


def digest_key() -> bytes:
    """The key under which codes are digested; it is not in the database."""
    return salted_hmac("xinzheng.share-codes", b"", algorithm="sha256").digest()


@transaction.atomic
def share(account: Account, number: str, terms: Terms, *, by: str) -> ShareCode:
    """Consent that the content of a report is looked at under these terms.

    Raises ``unknown-report``, ``share-refused`` (not for this account, or terms out of bounds),
    ``report-not-in-force``, ``body-name-invalid``.
    """
    report = report_by_number(number)
    refusals = refusals_to_share(account, report.subject_id)
    if refusals:
        raise XinzhengError("\n".join(refusals), code="share-refused")
    _refuse_status(current_status(number))
    _check(terms)
    made = ShareCode.objects.create(
        report_number=number,
        subject_id=report.subject_id,
        purpose=terms.purpose,
        purpose_name=_purpose_name(bytes(report.pack_id), terms.purpose),
        receiver_id=terms.receiver_id,
        receiver_name=_receiver_name(terms),
        views_allowed=terms.views,
        expires_at=terms.expires_at,
        may_subscribe=terms.may_subscribe,
        created_by=by,
    )
    facts = {"report": number, "purpose": terms.purpose, "views": terms.views, "until": terms.expires_at.isoformat()}
    _record("share-made", made, by, facts)
    return made


@transaction.atomic
def show(share_id: uuid.UUID, form: ShownCode.Form, *, by: str) -> Shown:
    """A fresh code of the share: on a screen good for little more than a minute, on paper until the share ends.

    Raises ``share-over``, ``report-not-in-force``.
    """
    found = _locked(share_id)
    now = timezone.now()
    refuse_if_over(found, now)
    good_until = found.expires_at
    if form == ShownCode.Form.SCREEN:
        good_until = min(good_until, now + timedelta(seconds=settings.XINZHENG_SHARE_SECONDS) + GRACE)
    else:
        _record("share-printed", found, by)
    secret, digests = fresh_secret()
    ShownCode.objects.create(
        share=found, form=form, digest=digests.long, typed_digest=digests.typed, good_until=good_until
    )
    return Shown(long_code(secret), typed_code(secret), good_until)


def fresh_secret() -> tuple[bytes, Digests]:
    """128 random bits and what is kept of them."""
    secret = secrets.token_bytes(SECRET_BYTES)
    return secret, digests_of(secret, digest_key())


@transaction.atomic
def take_back(share_id: uuid.UUID, *, by: str) -> ShareEnd:
    """Take a share back (收回): no code of it opens anything from now on, what is open closes, subscriptions end.

    Raises ``share-over`` where that was done before.
    """
    found = _locked(share_id)
    if ShareEnd.objects.filter(share=found).exists():
        raise XinzhengError("这个码先前已经收回。", code="share-over")
    ended = ShareEnd.objects.create(share=found, by=by)
    end_with(found, by=by)
    _record("share-taken-back", found, by)
    return ended


def refuse_if_over(found: ShareCode, now: datetime) -> None:
    """Refuse where nothing of a share is shown any more. Its row must be locked: then this is so until the end.

    Raises ``share-over`` where it was taken back, ran out or is used up, ``report-not-in-force``.
    """
    ((is_ended, used, status),) = fetched(STANDING, [found.pk, found.pk, found.report_number])
    if is_ended or found.expires_at <= now or used >= found.views_allowed:
        raise XinzhengError(OVER, code="share-over")
    _refuse_status(status)


def _refuse_status(status: str) -> None:
    """Only a report in force is shown."""
    if status != ReportStatus.IN_FORCE:
        words = STATUS_WORDS[status]
        raise XinzhengError(f"这份报告的状态是“{words}”，不能再给人看。", code="report-not-in-force", status=status)


def is_in_force(found: ShareCode) -> bool:
    """Whether a share, its row locked, was not taken back and its report is in force; used up or not."""
    ((is_ended, _used, status),) = fetched(STANDING, [found.pk, found.pk, found.report_number])
    return not is_ended and status == ReportStatus.IN_FORCE


def locked_share(share_id: uuid.UUID) -> ShareCode | None:
    """The share, its row locked until the transaction ends: looking and taking back go one after the other."""
    rows = fetched(LOCK, [share_id])
    return ShareCode(**dict(zip(COLUMNS, rows[0], strict=True))) if rows else None


def _locked(share_id: uuid.UUID) -> ShareCode:
    found = locked_share(share_id)
    if found is None:
        raise XinzhengError("没有这个亮码。", code="unknown-share")
    return found


def _check(terms: Terms) -> None:
    now = timezone.now()
    latest = now + timedelta(days=settings.XINZHENG_SHARE_MAX_DAYS)
    if not now < terms.expires_at <= latest:
        raise XinzhengError(
            f"有效期须在{settings.XINZHENG_SHARE_MAX_DAYS}天以内，并且晚于现在。", code="share-refused", field="period"
        )
    if not 1 <= terms.views <= MOST_VIEWS:
        raise XinzhengError(f"次数须在1至{MOST_VIEWS}之间。", code="share-refused", field="views")


def _receiver_name(terms: Terms) -> str:
    if terms.receiver_id is None:
        return check_body_name(terms.receiver_name) if terms.receiver_name else ""
    found = Receiver.objects.filter(pk=terms.receiver_id).first()
    if found is None or state_of(found) != State.VERIFIED:
        raise XinzhengError(NOT_VERIFIED, code="share-refused", field="receiver_name")
    return found.name


def _purpose_name(pack: bytes, code: str) -> str:
    names = {purpose.code: purpose.name for purpose in stored_policy(pack).purposes}
    if code not in names:
        raise XinzhengError("请从列出的用途中选一项。", code="share-refused", field="purpose")
    return names[code]


def _record(action: str, of: ShareCode, by: str, facts: dict[str, object] | None = None) -> None:
    about = About(of.subject_id, details=facts)
    record_event(who=by, action=action, object_kind="share", object_id=of.pk, details=about)

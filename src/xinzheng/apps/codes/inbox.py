"""The notices of whoever is signed in (我的通知): as the subject, unit, receiver or role the account stands for now."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from xinzheng.apps.accounts.mandate_queries import in_force
from xinzheng.apps.accounts.models import OF_A_UNIT, Account, Role
from xinzheng.apps.accounts.permissions import refusals_to_object, refusals_to_see_reports
from xinzheng.apps.codes.models import Notice, NoticeRead
from xinzheng.apps.codes.notice_words import Reader, Told, link_of, sentence_of
from xinzheng.apps.codes.receivers import objections
from xinzheng.core.errors import XinzhengError

# What is older is no news; more than this is not counted.
FRESH = timedelta(days=90)
COUNTED_AT_MOST = 100
READERS = {Role.SUBJECT_AGENT: Reader.SUBJECT, Role.RECEIVER: Reader.RECEIVER, **dict.fromkeys(OF_A_UNIT, Reader.UNIT)}


@dataclass(frozen=True, slots=True)
class InboxRow:
    """A notice as somebody reads it; ``url`` is where to go on, empty where there is nothing to do."""

    id: UUID
    at: datetime
    words: str
    url: str
    label: str
    is_read: bool


def reader_of(account: Account) -> Reader:
    """As whom an account reads."""
    return READERS.get(Role(account.role), Reader.OFFICE)


def notices_for(account: Account, before: UUID | None = None, at_most: int = 50) -> list[InboxRow]:
    """What the account may read, newest first; ``before``: the last one of the page before."""
    own = _readable(account)
    last = own.filter(pk=before).first() if before is not None else None
    found = own if last is None else own.filter(Q(at__lt=last.at) | Q(at=last.at, pk__lt=last.pk))
    marked = found.annotate(is_read=Exists(_read_by(account))).order_by("-at", "-id")
    return [_row(one, reader_of(account), is_read=one.is_read) for one in marked[:at_most]]


def unread(account: Account) -> int:
    """How many the account has not read, at most a hundred; one small query, for the head of every page.

    Of a mandate it is asked only whether it has ended, not what it rests on: a number tells nothing of the subject.
    """
    wanted = Q(role=account.role)
    if account.unit_id is not None:
        wanted |= Q(unit_id=account.unit_id)
    if account.receiver_id is not None:
        wanted |= Q(receiver_id=account.receiver_id)
    if account.subject_id is not None:
        wanted |= Q(subject_id=account.subject_id)
    since = max(timezone.now() - FRESH, account.created_at)
    fresh = Notice.objects.filter(wanted, ~Exists(_read_by(account)), at__gte=since)
    if account.subject_id is not None and account.subject_id != account.person_id:
        # Apart from what is wanted, so that the indexes of notices are used for that.
        mandates = in_force(timezone.localdate()).filter(account=account, subject_id=account.subject_id)
        fresh = fresh.filter(Q(subject_id__isnull=True) | Exists(mandates))
    return fresh.values("pk")[:COUNTED_AT_MOST].count()


def read(notice_id: UUID, account: Account) -> InboxRow:
    """Mark one as read (已读), and hand it out. Raises ``unknown-notice``: there is none for this account."""
    found = _readable(account).filter(pk=notice_id).first()
    if found is None:
        raise XinzhengError("没有这条通知，请刷新页面后再看。", code="unknown-notice")
    NoticeRead.objects.bulk_create([NoticeRead(notice=found, account_id=account.pk)], ignore_conflicts=True)
    return _row(found, reader_of(account), is_read=True)


def read_all(account: Account) -> int:
    """Mark all as read (全部标为已读); how many there were."""
    fresh = _readable(account).filter(~Exists(_read_by(account)), at__gte=timezone.now() - FRESH)
    marks = [NoticeRead(notice_id=key, account_id=account.pk) for key in fresh.values_list("pk", flat=True)]
    NoticeRead.objects.bulk_create(marks, ignore_conflicts=True)
    return len(marks)


def may_read(notice: Notice, account: Account) -> bool:
    """Whether the account may read this one now, whichever subject it has chosen to act for."""
    if notice.subject_id is not None:
        return _may_read_of(account, notice.subject_id)
    if notice.receiver_id is not None:
        return notice.receiver_id == account.receiver_id and not objections(notice.receiver_id)
    return notice.role == account.role or (notice.unit_id is not None and notice.unit_id == account.unit_id)


def _readable(account: Account) -> QuerySet[Notice]:
    """What it may read now: a subject's only by a mandate to read or to object, a receiver's while it is verified."""
    wanted = Q(role=account.role)
    if account.unit_id is not None:
        wanted |= Q(unit_id=account.unit_id)
    if account.receiver_id is not None and not objections(account.receiver_id):
        wanted |= Q(receiver_id=account.receiver_id)
    if account.subject_id is not None and _may_read_of(account, account.subject_id):
        wanted |= Q(subject_id=account.subject_id)
    return Notice.objects.filter(wanted)


def _may_read_of(account: Account, subject_id: int) -> bool:
    return not refusals_to_see_reports(account, subject_id) or not refusals_to_object(account, subject_id)


def _read_by(account: Account) -> QuerySet[NoticeRead]:
    return NoticeRead.objects.filter(notice=OuterRef("pk"), account_id=account.pk)


def _row(one: Notice, reader: Reader, *, is_read: bool) -> InboxRow:
    told = Told(one.event, one.body)
    url, label = link_of(told, reader)
    return InboxRow(one.pk, one.at, sentence_of(told, reader), url, label, is_read)

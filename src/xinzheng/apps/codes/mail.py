"""Mails (邮件) of notices: written once for each account that confirmed an address, sent until the server has them.

A mail and its place in the queue are made in one transaction. It is sent outside any: whoever sends takes it by moving
its time on, posts, and notes what came of it. One that dies meanwhile leaves it to be sent again under the same
Message-ID, so that whoever gets it twice sees one.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.utils import timezone

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.codes.inbox import may_read, reader_of
from xinzheng.apps.codes.mail_addresses import address_of, is_mail_set_up
from xinzheng.apps.codes.mail_sending import Answer, Letter, post
from xinzheng.apps.codes.mail_words import written_of
from xinzheng.apps.codes.models import Mail, MailAddress, MailSending, Notice
from xinzheng.apps.codes.notice_words import Told

# How long after a try that failed the next one follows; after the last there is none.
RETRIES = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 2 * 60, 8 * 60, 24 * 60))
# Far longer than a round takes: what was taken by a sender that died is sent again after it.
LEASE = timedelta(minutes=15)
AT_ONCE = 20
# What is older is no news any more: told on the site only.
DAYS_BACK = 7
NO_ADDRESS = "邮箱已经删除、更换，账户停用或者不再有权阅读，没有发送。"

# For each account with a confirmed address what was told since, as its unit, role, receiver, itself, or by a mandate.
DUE = """
WITH reader AS (
    SELECT a.id, a.role, a.unit_id, a.receiver_id, a.person_id,
           greatest(m.confirmed_at, now() - make_interval(days => %(days)s)) AS since
    FROM codes_mailaddress m JOIN accounts_account a ON a.id = m.account_id AND a.is_active
    WHERE m.confirmed_at IS NOT NULL
), due AS (
    SELECT r.id AS account_id, n.id AS notice_id FROM reader r JOIN codes_notice n ON n.unit_id = r.unit_id
        AND n.at >= r.since
    UNION
    SELECT r.id, n.id FROM reader r JOIN codes_notice n ON n.role = r.role AND n.role <> '' AND n.at >= r.since
    UNION
    SELECT r.id, n.id FROM reader r JOIN codes_notice n ON n.receiver_id = r.receiver_id AND n.at >= r.since
    UNION
    SELECT r.id, n.id FROM reader r JOIN codes_notice n ON n.subject_id = r.person_id AND n.at >= r.since
    UNION
    SELECT r.id, n.id FROM reader r
    JOIN accounts_mandate d ON d.account_id = r.id
    JOIN codes_notice n ON n.subject_id = d.subject_id AND n.at >= r.since
)
SELECT account_id, notice_id FROM due
WHERE NOT EXISTS (SELECT FROM codes_mail x WHERE x.notice_id = due.notice_id AND x.account_id = due.account_id)
ORDER BY notice_id, account_id
"""
QUEUE = """
INSERT INTO codes_mailsending (mail_id, tries, due_at, said)
SELECT m.id, 0, %(now)s, '' FROM codes_mail m
WHERE m.notice_id = ANY(%(notices)s) AND NOT EXISTS (SELECT FROM codes_mailsending s WHERE s.mail_id = m.id)
ON CONFLICT DO NOTHING
"""
# Of two senders one finds the rows locked and leaves them.
TAKE = """
UPDATE codes_mailsending SET due_at = %(until)s, tries = tries + 1
WHERE mail_id IN (
    SELECT mail_id FROM codes_mailsending WHERE done_at IS NULL AND due_at <= %(now)s
    ORDER BY due_at, mail_id LIMIT %(most)s FOR UPDATE SKIP LOCKED
)
RETURNING mail_id
"""


@dataclass(frozen=True, slots=True)
class QueueState:
    """How the queue stands (邮件队列): mails waiting, sent, given up; since when the oldest waits; the last trouble."""

    waiting: int
    sent: int
    given_up: int
    oldest: datetime | None
    last_said: str


@transaction.atomic
def write_mails() -> int:
    """Write the mails that are due, each with its place in the queue; how many. Safe to run again, side by side too."""
    if not is_mail_set_up():
        return 0
    with connection.cursor() as cursor:
        cursor.execute(DUE, {"days": DAYS_BACK})
        due = cursor.fetchall()
    accounts = Account.objects.in_bulk({account for account, _ in due})
    notices = Notice.objects.in_bulk({notice for _, notice in due})
    mails = [
        _mail(notices[notice], accounts[account])
        for account, notice in due
        if may_read(notices[notice], accounts[account])
    ]
    Mail.objects.bulk_create(mails, ignore_conflicts=True)
    with connection.cursor() as cursor:
        cursor.execute(QUEUE, {"now": timezone.now(), "notices": [mail.notice_id for mail in mails]})
    return len(mails)


def send_mails(now: datetime | None = None) -> int:
    """Send some of what is due; how many were tried. Never within a transaction of somebody's business.

    A server that cannot be reached is not asked for each of them: the rest of the round waits as the first does.
    """
    taken = _take(now or timezone.now())
    answer = None
    for sending in taken:
        answer = answer if answer is not None and not answer.is_reached else _posted(sending.mail)
        _note(sending, answer, now or timezone.now())
    return len(taken)


def queue_state() -> QueueState:
    """Where the mails stand."""
    waiting = MailSending.objects.filter(done_at=None)
    sent = MailSending.objects.filter(done_at__isnull=False, answered=250)
    oldest = waiting.order_by("mail__written_at").values_list("mail__written_at", flat=True).first()
    said = MailSending.objects.exclude(said="").order_by("-due_at", "-done_at").values_list("said", flat=True).first()
    done = MailSending.objects.filter(done_at__isnull=False).count()
    good = sent.count()
    return QueueState(waiting.count(), good, done - good, oldest, said or "")


def _mail(notice: Notice, account: Account) -> Mail:
    made = written_of(Told(notice.event, notice.body), reader_of(account))
    return Mail(
        notice=notice,
        account_id=account.pk,
        template=made.template.name,
        template_sha256=made.template.sha256,
        subject_line=made.template.subject_line,
        body=made.body,
    )


def _take(now: datetime) -> list[MailSending]:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(TAKE, {"now": now, "until": now + LEASE, "most": AT_ONCE})
        taken = [key for (key,) in cursor.fetchall()]
    return list(
        MailSending.objects.filter(pk__in=taken).select_related("mail__notice").order_by("mail__written_at", "pk")
    )


def _posted(mail: Mail) -> Answer:
    kept = MailAddress.objects.filter(pk=mail.account_id, confirmed_at__isnull=False).first()
    account = Account.objects.filter(pk=mail.account_id, is_active=True).first()
    # What waited for its turn may have outlived the mandate by which it was written.
    if kept is None or account is None or not may_read(mail.notice, account):
        return Answer(None, NO_ADDRESS, is_final=True)
    return post(Letter(address_of(kept), mail.subject_line, mail.body, str(mail.pk), mail.written_at))


def _note(sending: MailSending, answer: Answer, now: datetime) -> None:
    """Keep what came of a try, unless another has taken it meanwhile."""
    is_over = answer.is_good or answer.is_final or sending.tries > len(RETRIES)
    MailSending.objects.filter(pk=sending.pk, tries=sending.tries, done_at=None).update(
        answered=answer.code,
        said=answer.said,
        done_at=now if is_over else None,
        due_at=None if is_over else now + RETRIES[sending.tries - 1],
    )

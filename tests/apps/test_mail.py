"""Mails of notices: to whom, in which words, and what becomes of each, by a mail server that behaves as told."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from email.message import EmailMessage
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as site
from django.db import DatabaseError, transaction
from django.test import override_settings
from django.utils import timezone
from procrastinate.contrib.django import app

from tests.mail_server import Box, mail_server
from tests.running_site import database_url
from xinzheng.apps.accounts.actions import NewAccount, close_account, open_account
from xinzheng.apps.accounts.mandates import revoke
from xinzheng.apps.accounts.models import Account, Mandate, Role
from xinzheng.apps.audit.models import AuditEvent
from xinzheng.apps.codes import mail_words
from xinzheng.apps.codes.mail import AT_ONCE, LEASE, RETRIES, queue_state, send_mails, write_mails
from xinzheng.apps.codes.mail_addresses import (
    CODES_A_DAY,
    MailError,
    address_of,
    confirm_address,
    forget_address,
    forget_addresses_of_closed,
    keep_address,
)
from xinzheng.apps.codes.mail_sending import without_address
from xinzheng.apps.codes.models import Mail, MailAddress, MailSending, Notice
from xinzheng.apps.codes.notice_events import OBJECTION_OVERDUE, OF_ACTS, REPORT_ENDED
from xinzheng.apps.codes.notices import Addressee, tell
from xinzheng.config.environment import MailServer
from xinzheng.core.objections import Act

NUMBER, SENDER = "Y20261122-0001", "site@example.gov.cn"
ADDRESS = "example-li@example.com"
FIRM, OTHER_FIRM = 101, 102


@contextmanager
def set_up(port: int) -> Iterator[None]:
    """The site gives its mail to this port."""
    with override_settings(
        EMAIL_BACKEND="django.core.mail.backends.smtp.EmailBackend",
        EMAIL_HOST="127.0.0.1",
        EMAIL_PORT=port,
        EMAIL_USE_TLS=False,
        DEFAULT_FROM_EMAIL=SENDER,
        XINZHENG_MAIL=MailServer("127.0.0.1", port, tls="off", sender=SENDER),
    ):
        yield


@pytest.fixture(scope="module")
def server() -> Iterator[Box]:
    with mail_server() as running:
        yield running


@pytest.fixture
def box(server: Box) -> Iterator[Box]:
    server.mails.clear()
    with set_up(server.port):
        yield server


@pytest.fixture
def office(db: None) -> Account:
    return open_account(NewAccount("office", "信用办", Role.OFFICE_OPERATOR), by="test")


def confirmed(account: Account, box: Box, address: str = ADDRESS) -> Account:
    """The account's address, with the code from the mail brought back."""
    keep_address(account, address)
    confirm_address(account, code_in(box.mails.pop()))
    return account


def confirmed_in_table(account: Account, address: str) -> None:
    """An address to which no confirmation could have been mailed."""
    from xinzheng.apps.codes.mail_addresses import _keep

    _keep(account, address, "x")
    MailAddress.objects.filter(pk=account.pk).update(confirmed_at=timezone.now(), confirm_digest=b"")


def code_in(mail: EmailMessage) -> str:
    found = re.search(r"[0-9A-Z]{5} [0-9A-Z]{5}", mail.get_content())
    assert found is not None
    return found[0]


def overdue(account: Account, source: str = "objection:1") -> Notice:
    tell(OBJECTION_OVERDUE, source, [Addressee(role=account.role)], {"objection": NUMBER})
    return Notice.objects.get(source=source)


def mailed(account: Account) -> MailSending:
    """A notice of the account's that was written as a mail, and not sent yet."""
    overdue(account)
    assert write_mails() == 1
    return MailSending.objects.get()


def refusal(deed: Any) -> str:
    with pytest.raises(MailError) as refused:
        deed()
    return refused.value.code


def test_a_notice_goes_out_once_with_a_fixed_subject_and_nothing_personal(office: Account, box: Box) -> None:
    confirmed(office, box)
    notice = overdue(office)
    assert [write_mails(), write_mails()] == [1, 0]
    assert [send_mails(), send_mails()] == [1, 0]
    (mail,) = box.mails
    kept = Mail.objects.get()
    assert mail["Subject"].strip() == kept.subject_line == "专用信用报告：有异议事项请处理"
    assert (mail["From"], mail["To"], mail["Message-ID"]) == (SENDER, ADDRESS, f"<{kept.pk}@example.gov.cn>")
    assert mail["Auto-Submitted"] == "auto-generated"
    said = mail.get_content()
    assert f"异议{NUMBER}超过了办理时限，请立即办理。" in said
    assert f"{site.XINZHENG_ORIGIN}/office/objections/{NUMBER}" in said
    assert kept.body.splitlines() == said.splitlines()
    assert (kept.notice_id, kept.account_id) == (notice.pk, office.pk)
    found = queue_state()
    assert (found.waiting, found.sent, found.given_up) == (0, 1, 0)


def test_each_minute_what_was_told_is_written_and_sent_and_at_night_closed_accounts_are_forgotten(
    office: Account, box: Box
) -> None:
    confirmed(office, box)
    for number in range(3):
        overdue(office, f"objection:{number}")
    app.tasks["codes.mail"].func(timestamp=0)
    assert (len(box.mails), queue_state().sent) == (3, 3)
    close_account(office, by="test")
    app.tasks["codes.forget_mail_addresses"].func(timestamp=0)
    assert MailAddress.objects.count() == 0


def test_templates_are_kept_by_digest_and_their_subjects_never_change(office: Account, box: Box) -> None:
    folder = Path(mail_words.__file__).parent / "mails"
    templates = {path.stem: mail_words.mail_template(path.stem) for path in folder.glob("*.txt")}
    assert set(templates) == {"report-ended", "objection-subject", "objection-desk", "other", "confirm", "trial"}
    for name, template in templates.items():
        assert template.sha256 == sha256((folder / f"{name}.txt").read_bytes()).digest()
        assert re.search(r"[$\d{}]", template.subject_line) is None, name
    confirmed(office, box)
    mailed(office)
    assert bytes(Mail.objects.get().template_sha256) == templates["objection-desk"].sha256


def test_a_mail_as_it_was_written_cannot_be_changed(office: Account, box: Box) -> None:
    confirmed(office, box)
    mailed(office)
    with pytest.raises(DatabaseError), transaction.atomic():
        Mail.objects.update(body="anders")


def test_the_address_is_sealed_and_neither_in_the_trail_nor_in_the_mail_that_is_kept(office: Account, box: Box) -> None:
    confirmed(office, box)
    mailed(office)
    send_mails()
    row = MailAddress.objects.get()
    assert ADDRESS.encode() not in bytes(row.address_ct)
    assert address_of(row) == ADDRESS
    said = [*AuditEvent.objects.values_list("details", flat=True), *Mail.objects.values_list("body", flat=True)]
    assert not [text for text in map(str, said) if "@example.com" in text]
    actions = AuditEvent.objects.filter(object_kind="mail-address").order_by("id").values_list("action", flat=True)
    assert list(actions) == ["mail-address-kept", "mail-address-confirmed"]


def test_before_the_code_is_back_nothing_is_sent_there(office: Account, box: Box) -> None:
    keep_address(office, ADDRESS)
    overdue(office)
    assert write_mails() == 0
    code = code_in(box.mails[0])
    late = timezone.now() + timedelta(minutes=31)
    assert refusal(lambda: confirm_address(office, code, now=late)) == "mail-code-wrong"
    assert refusal(lambda: confirm_address(office, "AAAAA AAAAA")) == "mail-code-wrong"
    confirm_address(office, f" {code.lower()} ")
    assert refusal(lambda: confirm_address(office, code)) == "mail-code-wrong"
    assert write_mails() == 0  # what was told before is told on the site only
    overdue(office, "objection:2")
    assert write_mails() == 1


def test_another_accounts_code_confirms_nothing_and_codes_are_few(office: Account, box: Box) -> None:
    other = open_account(NewAccount("other", "信用办", Role.OFFICE_OPERATOR), by="test")
    keep_address(office, ADDRESS)
    keep_address(other, "example-wang@example.com")
    assert refusal(lambda: confirm_address(office, code_in(box.mails[1]))) == "mail-code-wrong"
    for _ in range(CODES_A_DAY - 1):
        keep_address(office, ADDRESS)
    assert refusal(lambda: keep_address(office, ADDRESS)) == "too-many-mail-codes"


def test_a_new_address_takes_the_place_of_the_old_one_at_once(office: Account, box: Box) -> None:
    confirmed(office, box)
    mailed(office)
    keep_address(office, "example-wang@example.com")
    box.mails.clear()
    send_mails()
    assert box.mails == []
    row = MailSending.objects.get()
    assert (row.answered, "没有发送" in row.said, row.done_at is None) == (None, True, False)


def test_with_the_address_or_the_account_goes_what_waits(office: Account, box: Box) -> None:
    confirmed(office, box)
    mailed(office)
    assert [forget_address(office.pk, by="test"), forget_address(office.pk, by="test")] == [True, False]
    send_mails()
    assert (box.mails, queue_state().given_up) == ([], 1)
    confirmed(office, box)
    close_account(office, by="test")
    overdue(office, "objection:2")
    assert (write_mails(), forget_addresses_of_closed(), MailAddress.objects.count()) == (0, 1, 0)


def test_agents_are_mailed_of_the_subjects_they_act_for_and_of_no_other(box: Box, db: None) -> None:
    def agent(name: str, subject_id: int) -> Account:
        new = NewAccount(name, "经办人", Role.SUBJECT_AGENT, subject_id=subject_id)
        return confirmed(open_account(new, by="test"), box, f"{name}@example.com")

    mine, other, former = agent("agent-a", FIRM), agent("agent-b", OTHER_FIRM), agent("agent-c", FIRM)
    revoke(Mandate.objects.get(account=former).pk, by="test")
    facts = {"number": "SZ2026112200000015", "status": "superseded", "reason": "records-corrected"}
    tell(REPORT_ENDED, "status:1", [Addressee(subject_id=FIRM)], facts)
    tell(OF_ACTS[Act.ACCEPT], "step:1", [Addressee(subject_id=OTHER_FIRM)], {"objection": NUMBER})
    assert write_mails() == 2
    send_mails()
    got = {mail["To"]: (mail["Subject"], mail.get_content()) for mail in box.mails}
    assert set(got) == {"agent-a@example.com", "agent-b@example.com"}
    subject, said = got["agent-a@example.com"]
    assert subject.strip() == "专用信用报告：报告状态有变化"
    assert f"{site.XINZHENG_ORIGIN}/reports/SZ2026112200000015/again" in said
    assert got["agent-b@example.com"][0].strip() == "专用信用报告：异议办理有新进展"
    assert {Mail.objects.get(account_id=one.pk).template for one in (mine, other)} == {
        "report-ended",
        "objection-subject",
    }


def test_a_mail_that_waited_is_not_sent_to_who_acts_for_the_subject_no_longer(box: Box, db: None) -> None:
    new = NewAccount("agent", "经办人", Role.SUBJECT_AGENT, subject_id=FIRM)
    agent = confirmed(open_account(new, by="test"), box, "agent@example.com")
    tell(OF_ACTS[Act.ACCEPT], "step:1", [Addressee(subject_id=FIRM)], {"objection": NUMBER})
    assert write_mails() == 1
    revoke(Mandate.objects.get(account=agent).pk, by="test")
    send_mails()
    assert box.mails == []
    sending = MailSending.objects.get()
    assert (sending.done_at is not None, sending.answered) == (True, None)


def test_all_officers_of_a_unit_are_mailed_and_nobody_of_another(box: Box, db: None) -> None:
    for name, unit in (("officer-a", 1), ("officer-b", 1), ("officer-c", 2)):
        new = NewAccount(name, "工作人员", Role.DEPARTMENT_OFFICER, unit_id=unit)
        confirmed(open_account(new, by="test"), box, f"{name}@example.com")
    tell(OBJECTION_OVERDUE, "objection:1", [Addressee(unit_id=1)], {"objection": NUMBER})
    write_mails()
    send_mails()
    assert {mail["To"] for mail in box.mails} == {"officer-a@example.com", "officer-b@example.com"}


def test_without_a_server_nothing_is_written(office: Account, box: Box) -> None:
    confirmed(office, box)
    overdue(office)
    with override_settings(XINZHENG_MAIL=MailServer("", 25)):
        assert write_mails() == 0
        assert refusal(lambda: keep_address(office, ADDRESS)) == "mail-not-set-up"


def test_a_box_that_is_refused_is_given_up_at_once_and_the_answer_kept_without_it(office: Account, box: Box) -> None:
    assert refusal(lambda: keep_address(office, "refused-li@example.com")) == "mail-not-sent"
    confirmed_in_table(office, "refused-li@example.com")
    mailed(office)
    assert [send_mails(), send_mails()] == [1, 0]
    row = MailSending.objects.get()
    assert (row.answered, row.said, row.done_at is None, row.tries) == (550, "no such box", False, 1)
    assert queue_state().given_up == 1


def test_what_is_put_off_is_tried_again_ever_later_and_given_up_in_the_end(office: Account, box: Box) -> None:
    confirmed_in_table(office, "later-li@example.com")
    mailed(office)
    now = timezone.now()
    for tries, pause in enumerate(RETRIES, 1):
        assert send_mails(now) == 1
        row = MailSending.objects.get()
        assert (row.answered, row.said, row.tries, row.due_at) == (451, "try again later", tries, now + pause)
        assert send_mails(now + pause - timedelta(seconds=1)) == 0
        now += pause
    assert send_mails(now) == 1
    row = MailSending.objects.get()
    assert (row.done_at, row.due_at, row.tries) == (now, None, len(RETRIES) + 1)
    assert (send_mails(now + timedelta(days=9)), box.mails) == (0, [])


def test_a_server_that_is_gone_is_asked_once_a_round_and_gets_the_mail_when_it_is_back(
    office: Account, box: Box
) -> None:
    confirmed(office, box)
    for number in range(3):
        overdue(office, f"objection:{number}")
    assert write_mails() == 3
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nowhere = free.getsockname()[1]
    with set_up(nowhere):
        assert send_mails() == 3
        assert refusal(lambda: keep_address(office, ADDRESS)) == "mail-not-sent"
    rows = MailSending.objects.values_list("answered", "said", "tries")
    assert set(rows) == {(None, "邮件服务器连接不上。", 1)}
    confirmed(office, box)
    assert (send_mails(timezone.now() + RETRIES[0]), len(box.mails)) == (3, 3)
    assert AT_ONCE >= 3


def test_what_a_server_says_is_kept_without_the_address_the_name_and_numbers() -> None:
    said = b"5.1.1 <Li.Si@Example.com>: user li.si 13812345678 unknown, see li.si@example.com\r\n2.0"
    kept = without_address(said, "li.si@example.com")
    assert kept == "5.1.1 [地址]: user [地址] [手机号码] unknown, see [地址]  2.0"
    assert len(without_address("x" * 999, "a@b.cn")) == 200


KILLED = """
import django, sys
django.setup()
from django.conf import settings
from xinzheng.config.environment import MailServer
settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = "127.0.0.1", int(sys.argv[1]), False
settings.DEFAULT_FROM_EMAIL = "site@example.gov.cn"
from xinzheng.apps.codes.mail import send_mails
send_mails()
"""


class Killing(Box):
    """A server that takes the mail, and kills who sent it before it says so."""

    sender: "subprocess.Popen[bytes] | None" = None

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """Keep one mail."""
        said = await super().handle_DATA(server, session, envelope)
        if self.sender is not None:
            self.sender.send_signal(signal.SIGKILL)
        return said


@pytest.mark.django_db(transaction=True)
def test_a_sender_killed_after_the_server_has_the_mail_sends_it_again_under_the_same_number() -> None:
    office = open_account(NewAccount("office", "信用办", Role.OFFICE_OPERATOR), by="test")
    confirmed_in_table(office, ADDRESS)
    with mail_server(Killing()) as box, set_up(box.port):
        mailed(office)
        environment = os.environ | {
            "XINZHENG_DATABASE_URL": database_url(),
            "PYTHONPATH": "src",
            "DJANGO_SETTINGS_MODULE": "xinzheng.config.settings",
        }
        assert isinstance(box, Killing)
        box.sender = subprocess.Popen([sys.executable, "-c", KILLED, str(box.port)], env=environment)
        assert box.sender.wait(timeout=30) == -signal.SIGKILL
        box.sender = None
        row = MailSending.objects.get()
        assert (row.tries, row.done_at, len(box.mails)) == (1, None, 1)
        assert send_mails(timezone.now() + LEASE + timedelta(minutes=1)) == 1
    first, second = (mail["Message-ID"] for mail in box.mails)
    assert first == second
    assert len({mail["Date"] for mail in box.mails}) == 1
    assert MailSending.objects.get().answered == 250

"""Give mails to the server (发送邮件): one connection each, and what it said, without the address it was said of."""

import re
import smtplib
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime

import structlog
from django.conf import settings
from django.core.mail import EmailMessage

from xinzheng.apps.audit.privacy import IDENTITY_NUMBER, PHONE

log = structlog.get_logger(__name__)
GOOD, REFUSED_FOR_EVER = 250, range(500, 600)
LONGEST_SAID = 200
NOT_REACHED = "邮件服务器连接不上。"
ADDRESS = re.compile(r"<?[^\s<>@]+@[^\s<>@]+>?")


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail as it goes out; the same ``message_id`` and ``at`` however often it is sent."""

    address: str = field(repr=False)
    subject_line: str
    body: str = field(repr=False)
    message_id: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server answered (服务器应答): a code, if it said one; ``said`` fit to be kept.

    ``is_final``: it will say so again. ``is_reached``: it spoke with us at all.
    """

    code: int | None
    said: str = ""
    is_final: bool = False
    is_reached: bool = True

    @property
    def is_good(self) -> bool:
        """Whether the server has the mail now."""
        return self.code == GOOD


def post(letter: Letter) -> Answer:
    """Give one mail to the server. It never fails: what went wrong is part of the answer."""
    try:
        _message(letter).send()
    except smtplib.SMTPRecipientsRefused as error:
        code, words = next(iter(error.recipients.values()))
        return Answer(code, without_address(words, letter.address), is_final=code in REFUSED_FOR_EVER)
    except smtplib.SMTPDataError as error:
        said = without_address(error.smtp_error, letter.address)
        return Answer(error.smtp_code, said, is_final=error.smtp_code in REFUSED_FOR_EVER)
    except smtplib.SMTPResponseException as error:
        # Refused is the site itself, its name, password or sender: another time it may be mended.
        return Answer(error.smtp_code, without_address(error.smtp_error, letter.address))
    except (OSError, smtplib.SMTPException):
        return Answer(None, NOT_REACHED, is_reached=False)
    except Exception as error:
        log.error("mail-not-sent", kind=type(error).__name__)
        return Answer(None, "没有发送成功，稍后再发。")
    return Answer(GOOD)


def without_address(words: bytes | str, address: str) -> str:
    """What a server said, without addresses, the name in them, numbers of persons; at most two hundred characters."""
    said = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    said = ADDRESS.sub("[地址]", said.replace(address, "[地址]"))
    name = address.rpartition("@")[0]
    said = re.sub(rf"(?i)(?<![^\W_]){re.escape(name)}(?![^\W_])", "[地址]", said) if name else said
    said = PHONE.sub("[手机号码]", IDENTITY_NUMBER.sub("[身份号码]", said))
    return "".join(c if c.isprintable() else " " for c in said)[:LONGEST_SAID]


def _message(letter: Letter) -> EmailMessage:
    headers = {"Auto-Submitted": "auto-generated"}
    if letter.message_id:
        headers["Message-ID"] = f"<{letter.message_id}@{_domain()}>"
    if letter.at is not None:
        headers["Date"] = format_datetime(letter.at)
    return EmailMessage(letter.subject_line, letter.body, to=[letter.address], headers=headers)


def _domain() -> str:
    return str(settings.DEFAULT_FROM_EMAIL).rpartition("@")[2].rstrip(">")

"""The words of mails (邮件文字): templates beside this file, first line the subject, which never changes."""

from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from string import Template

from django.conf import settings

from xinzheng.apps.codes.notice_events import REPORT_ENDED
from xinzheng.apps.codes.notice_words import Reader, Told, link_of, sentence_of

SETTINGS_PAGE, NOTICES_PAGE = "/account/mail", "/notices"
DEMONSTRATION = "这是演示站点发出的，内容均为虚构。"


@dataclass(frozen=True, slots=True)
class MailTemplate:
    """A template (邮件模板): its name, subject line, body with ``$`` for what differs, the SHA-256 of its file."""

    name: str
    subject_line: str
    body: str
    sha256: bytes


@dataclass(frozen=True, slots=True)
class Written:
    """A mail in words, and by which template."""

    template: MailTemplate
    body: str


@cache
def mail_template(name: str) -> MailTemplate:
    """The template of this name."""
    found = files(__package__).joinpath("mails", f"{name}.txt").read_bytes()
    subject_line, _, body = found.decode("utf-8").partition("\n\n")
    return MailTemplate(name, subject_line, body, sha256(found).digest())


def written(name: str, **values: str) -> Written:
    """A mail by a template. Raises KeyError for a value the template wants and was not given."""
    template = mail_template(name)
    note = DEMONSTRATION if settings.XINZHENG_DEMONSTRATION else ""
    said = Template(template.body).substitute(values, settings=settings.XINZHENG_ORIGIN + SETTINGS_PAGE, note=note)
    return Written(template, said.rstrip() + "\n")


def written_of(told: Told, reader: Reader) -> Written:
    """The mail that tells a notice to whoever reads it so."""
    url, _ = link_of(told, reader)
    address = settings.XINZHENG_ORIGIN + (url or NOTICES_PAGE)
    return written(_template_of(told, reader), words=sentence_of(told, reader), address=address)


def _template_of(told: Told, reader: Reader) -> str:
    if told.event == REPORT_ENDED:
        return "report-ended" if reader is Reader.SUBJECT else "other"
    if "objection" in told.body:
        return "objection-subject" if reader is Reader.SUBJECT else "objection-desk"
    return "other"

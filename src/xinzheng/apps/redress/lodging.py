"""Lodging objections (提出异议): to a record the subject is shown, or because one is missing."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.accounts.permissions import refusals_to_object
from xinzheng.apps.audit.actions import open_entry, take_position
from xinzheng.apps.audit.privacy import text_to_keep
from xinzheng.apps.redress.clock import now
from xinzheng.apps.redress.errors import RedressError
from xinzheng.apps.redress.evidence import Found
from xinzheng.apps.redress.models import Objection
from xinzheng.apps.redress.numbers import OBJECTION_PREFIX, take_number
from xinzheng.apps.redress.shown import Shown, own_report, shown_record
from xinzheng.apps.redress.stepping import Held, Taking, lock_record, write_step
from xinzheng.apps.redress.words import words_to_keep
from xinzheng.apps.registry.models import Subject
from xinzheng.apps.registry.queries import responsible_units
from xinzheng.core.decision import china_date
from xinzheng.core.identifiers import document_key
from xinzheng.core.objections import OPEN, Act, Ground
from xinzheng.core.records import ARREARS_KINDS, LISTING_KINDS, RecordKind

OPEN_AT_MOST = 50
A_DAY_AT_MOST = 20
DOCUMENT_NUMBER_AT_MOST = 100
# Lists and arrears are known by their kind alone.
WITHOUT_NUMBER = LISTING_KINDS | ARREARS_KINDS


@dataclass(frozen=True, slots=True)
class NewObjection:
    """What is lodged (异议内容): against a record, or (ground ``missing``) domain, kind and number of what is missing.

    ``report_number``: the report it was seen in; ``words`` say what is wrong; ``client_id``: the platform, if any.
    """

    subject_id: int
    policy_id: str
    ground: Ground
    record_id: int | None = None
    report_number: str = ""
    domain: str = ""
    kind: str = ""
    document_number: str = ""
    words: str = ""
    files: Sequence[Found] = ()
    client_id: str = ""


@transaction.atomic
def lodge(new: NewObjection, *, account: Account, key: uuid.UUID) -> Objection:
    """Lodge an objection; the same form (``key``), sent again, gives the one it made.

    Raises:
        RedressError: ``not-permitted``; ``record-not-shown``: the subject is shown no such record, or has no such
            report; ``reason-missing``; ``objection-open-already``; ``objection-refused``: no such domain and kind, or
            no number of what is missing; ``too-many-objections``.
        XinzhengError: what keeping texts and files raises; ``unknown-policy``.
    """
    refusals = refusals_to_object(account, new.subject_id)
    if refusals:
        raise RedressError("".join(refusals), code="not-permitted")
    # One at a time for each subject: limits and keys are read by the one who comes next.
    Subject.objects.select_for_update(no_key=True).get(pk=new.subject_id)
    made = Objection.objects.filter(key=key).first()
    if made is not None:
        return _same(made, new, account)
    if not words_to_keep(new.words):
        raise RedressError("请写明哪里不对、应当是什么。", code="reason-missing")
    at = now()
    _within_limits(new.subject_id, at)
    shown = _missing(new) if new.ground is Ground.MISSING else _present(new)
    objection = _write(new, shown, (account, key, at))
    entry_id = _report_missing(objection, account.actor) if new.ground is Ground.MISSING else None
    taking = Taking(Act.LODGE, words=new.words, files=new.files, entry_id=entry_id)
    write_step(Held(objection, None), taking, by=account.actor)
    return objection


def _report_missing(objection: Objection, by: str) -> int:
    """An entry, so that what is delivered after it is told from what stood there before."""
    entry = open_entry(kind="record-missed", by=by, unit_id=objection.unit_id, note={"objection": objection.number})
    take_position(entry)
    return entry.pk


def _same(made: Objection, new: NewObjection, account: Account) -> Objection:
    if (made.account_id, made.subject_id, made.ground) != (account.pk, new.subject_id, new.ground):
        raise RedressError("这张表已经用过，请重新打开页面再填。", code="objection-refused")
    return made


def _within_limits(subject_id: int, at: datetime) -> None:
    of_subject = Objection.objects.filter(subject_id=subject_id)
    if of_subject.filter(head__state__in=OPEN).count() >= OPEN_AT_MOST:
        message = f"正在办理的异议已有{OPEN_AT_MOST}件，请等办结一部分后再提。"
        raise RedressError(message, code="too-many-objections")
    prefix = f"{OBJECTION_PREFIX}{china_date(at):%Y%m%d}-"
    if of_subject.filter(number__startswith=prefix).count() >= A_DAY_AT_MOST:
        message = f"一天最多提出{A_DAY_AT_MOST}件异议，请明天再提，或者联系信用办一并处理。"
        raise RedressError(message, code="too-many-objections")


def _present(new: NewObjection) -> Shown:
    """The record as it is shown, once it is sure that nothing else is open against it."""
    shown = shown_record(new.record_id or 0, new.subject_id, new.policy_id, new.report_number)
    assert shown.record_id is not None
    lock_record(shown.record_id)
    _refuse_second(Objection.objects.filter(record_id=shown.record_id, head__state__in=OPEN).first(), new.subject_id)
    return shown


def _missing(new: NewObjection) -> Shown:
    """What is missing, by the words of the form; the one unit that answers for it, if it is one."""
    if new.report_number:
        own_report(new.report_number, new.subject_id)
    number = text_to_keep(new.document_number, field="文书文号", most=DOCUMENT_NUMBER_AT_MOST)
    units = [u for u in responsible_units(new.policy_id) if u.domain == new.domain and new.kind in u.kinds]
    if new.record_id is not None or not units:
        raise RedressError("请选择遗漏的记录属于哪个领域、哪一类。", code="objection-refused")
    if not number and RecordKind(new.kind) not in WITHOUT_NUMBER:
        message = "请填写遗漏的记录的文书文号；遗漏的是信用修复的，填写原处罚决定书的文号。"
        raise RedressError(message, code="objection-refused")
    still_open = Objection.objects.filter(
        subject_id=new.subject_id, ground=Ground.MISSING, kind=new.kind, domain=new.domain, head__state__in=OPEN
    )
    same = [one for one in still_open if document_key(one.document_number) == document_key(number)]
    _refuse_second(same[0] if same else None, new.subject_id)
    unit_id = units[0].unit_id if len(units) == 1 else None
    return Shown(None, None, new.domain, new.kind, number, unit_id, unit_id)


def _refuse_second(other: Objection | None, subject_id: int) -> None:
    if other is None:
        return
    # Another subject's number is nobody else's affair.
    named = f"（{other.number}）" if other.subject_id == subject_id else ""
    message = f"这条记录已有一件异议正在办理{named}，不用再次提出；有新的材料，可以在那一件里补充。"
    raise RedressError(message, code="objection-open-already", number=other.number if named else "")


def _write(new: NewObjection, shown: Shown, made: tuple[Account, uuid.UUID, datetime]) -> Objection:
    account, key, at = made
    return Objection.objects.create(
        key=key,
        number=take_number(OBJECTION_PREFIX, china_date(at)),
        ground=new.ground,
        subject_id=new.subject_id,
        policy_id=new.policy_id,
        report_number=new.report_number,
        record_id=shown.record_id,
        version_id=shown.version_id,
        domain=shown.domain,
        kind=shown.kind,
        document_number=shown.document_number,
        unit_id=shown.unit_id,
        blamed_unit_id=shown.blamed_unit_id,
        account_id=account.pk,
        client_id=new.client_id,
        lodged_at=at,
    )

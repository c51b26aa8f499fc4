"""Who reads evidence (查阅证据): the parties to it, each opening an event of the subject's."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from xinzheng.apps.accounts.models import OF_A_UNIT, Account, Role
from xinzheng.apps.accounts.permissions import refusals_to_object
from xinzheng.apps.audit.actions import About, record_event
from xinzheng.apps.redress.errors import RedressError
from xinzheng.apps.redress.key_hooks import evidence_owner
from xinzheng.apps.redress.models import Evidence, Objection, RepairCase, Step
from xinzheng.apps.redress.permissions import refusals_to_see_objections, refusals_to_take_in_objections
from xinzheng.apps.registry.keys import decrypt, unwrap_key


class EvidenceUnknownError(RedressError):
    """There is no such file, not for this account, or it was deleted after its time."""

    code = "evidence-unknown"


@dataclass(frozen=True, slots=True)
class Opened:
    """A file in clear (证据文件): under its own name, as an attachment only."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class EvidenceRow:
    """One file of a list (证据清单); its name is not shown where the file was deleted."""

    id: int
    step_id: int | None
    name: str
    media_type: str
    size: int
    is_deleted: bool
    at: datetime


@transaction.atomic
def open_evidence(evidence_id: int, *, of: str, account: Account) -> Opened:
    """The file of the objection or repair ``of`` for a party, see :func:`refusals_to_open`.

    Each opening is written down.

    Raises:
        EvidenceUnknownError: ``evidence-unknown``, also for everybody else; ``evidence-deleted`` for a party.
    """
    row = Evidence.objects.select_related("step__objection", "repair", "content").filter(pk=evidence_id).first()
    if row is None or _case_of(row).number != of or _refusals(row, account):
        raise EvidenceUnknownError("没有这份证据，请从办理页面重新打开。")
    sealed = getattr(row, "content", None)
    if sealed is None:
        raise EvidenceUnknownError("这份证据已到保存期限，内容已删除，只留有摘要。", code="evidence-deleted")
    owner = evidence_owner(row.pk)
    key = unwrap_key(bytes(sealed.wrapped_key), owner)
    content, name = (decrypt(key, bytes(part), owner) for part in (sealed.content_ct, sealed.name_ct))
    about = About(_case_of(row).subject_id, details={"of": _case_of(row).number})
    record_event(who=account.actor, action="evidence-opened", object_kind="evidence", object_id=row.pk, details=about)
    return Opened(name.decode(), row.media_type, content)


def _refusals(row: Evidence, account: Account) -> list[str]:
    """Read a file of evidence (查阅证据): the subject's agent, the units it lies or lay with, the credit office.

    What is put together for a repair is the subject's alone: nobody here decides on it.
    """
    if row.step is None:
        return refusals_to_object(account, _case_of(row).subject_id)
    if account.role == Role.OFFICE_OPERATOR:
        return refusals_to_take_in_objections(account)
    if account.role in OF_A_UNIT:
        return refusals_to_see_objections(account, _unit_of(row, account))
    return refusals_to_object(account, _case_of(row).subject_id)


def evidence_of(number: str) -> list[EvidenceRow]:
    """The files of the objection or repair of this number, in the order they were given; who may see it asks first."""
    mine = Q(step__objection__number=number) | Q(repair__number=number)
    found = Evidence.objects.select_related("content").defer("content__content_ct").filter(mine)
    return [_row(one) for one in found.order_by("step__seq", "place")]


def _row(row: Evidence) -> EvidenceRow:
    sealed = getattr(row, "content", None)
    name, owner = "", evidence_owner(row.pk)
    if sealed is not None:
        name = decrypt(unwrap_key(bytes(sealed.wrapped_key), owner), bytes(sealed.name_ct), owner).decode()
    return EvidenceRow(row.pk, row.step_id, name, row.media_type, row.size, sealed is None, row.at)


def _case_of(row: Evidence) -> Objection | RepairCase:
    """What it was given with; the database knows that it is one of the two."""
    case = row.step.objection if row.step else row.repair
    assert case is not None
    return case


def _unit_of(row: Evidence, account: Account) -> int:
    """The account's own unit where the objection lies or lay with it; else none."""
    lay_with = Step.objects.filter(objection__steps=row.step, unit_id=account.unit_id)
    return account.unit_id if account.unit_id is not None and lay_with.exists() else 0

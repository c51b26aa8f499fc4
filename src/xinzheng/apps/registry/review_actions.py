"""Decide on the review queue (待核处理): each decision is one transaction, and none is ever taken back or edited."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from django.db import connection, transaction
from django.db.models import Q

from xinzheng.apps.audit.actions import open_entry, record_event, take_position
from xinzheng.apps.audit.models import Entry
from xinzheng.apps.audit.privacy import IDENTITY_NUMBER
from xinzheng.apps.registry.identities import NameSince, renamed
from xinzheng.apps.registry.models import MISTYPED, PersonIdentity, ReviewDecision, ReviewItem, Subject, Succession
from xinzheng.apps.registry.registering import VersionRow, write_versions
from xinzheng.apps.registry.review_queries import ReviewError
from xinzheng.apps.registry.standing import read_standing
from xinzheng.apps.registry.subject_import import IMPORT_LOCK
from xinzheng.apps.registry.successions import successors_above
from xinzheng.core.subjects import SubjectKind

LONGEST_NAME, LONGEST_REASON = 200, 500
Outcome = ReviewDecision.Outcome
ACTIONS: Mapping[str, str] = MappingProxyType(
    {Outcome.CONFIRMED: "review-confirmed", Outcome.LINKED: "review-linked", Outcome.REJECTED: "review-rejected"}
)


@transaction.atomic
def confirm_subject(subject_id: int, *, name: str, kind: SubjectKind, by: str) -> int:
    """Confirm an item as a subject of its own (确认为新主体), with its registered name and kind.

    Returns:
        the position from which on the register says so.

    Raises:
        ReviewError: ``review-unknown``, ``review-decided``, ``name-missing``, ``name-too-long`` or ``kind-unfit``.
    """
    told = name.strip()
    if not told:
        raise ReviewError("请填写登记的名称。", code="name-missing")
    if len(told) > LONGEST_NAME:
        raise ReviewError(f"名称最多{LONGEST_NAME}个字。", code="name-too-long")
    _open_item(subject_id)
    standing = read_standing([subject_id])
    sealed = standing.identities.get(subject_id)
    if (sealed is not None) != (kind is SubjectKind.NATURAL_PERSON):
        message = "公民身份号码只能确认为自然人，统一社会信用代码不能确认为自然人；请改类型。"
        raise ReviewError(message, code="kind-unfit")
    entry = _decide(subject_id, Outcome.CONFIRMED, by)
    if sealed is not None and standing.person_names[subject_id] != told:
        name_ct = renamed(subject_id, sealed, NameSince(entry.pk, told))
        PersonIdentity.objects.filter(pk=subject_id).update(name_ct=name_ct)
    stands = standing.versions.get(subject_id, VersionRow(subject_id, kind, told))
    write_versions([replace(stands, kind=kind, name=told)], entry)
    return take_position(entry)


@transaction.atomic
def link_subject(subject_id: int, *, to: int, reason: str, by: str) -> int:
    """Decide that an item's code was wrongly typed (并入已有主体): its records stay, and count as ``to``'s own.

    Returns:
        the position from which on they do.

    Raises:
        ReviewError: ``review-unknown``, ``review-decided``, ``reason-missing``, ``reason-personal``, ``link-unfit``.
    """
    why = _reason(reason)
    _open_item(subject_id)
    if not Subject.objects.filter(pk=to).exists():
        raise ReviewError("主体名录中没有要并入的主体，请核对其代码。", code="link-unfit")
    if to == subject_id or any(subject_id in edge for edge in successors_above([to])):
        raise ReviewError("要并入的主体就是本项，或者已经并入本项，请核对其代码。", code="link-unfit")
    is_settled = Q(decision__outcome__in=[Outcome.CONFIRMED, Outcome.IMPORTED])
    if ReviewItem.objects.exclude(is_settled).filter(pk=to).exists():
        message = "要并入的主体自己也在待核，或者没有被认定为主体，请先核定那一项，或者改填代码。"
        raise ReviewError(message, code="link-unfit")
    if len(PersonIdentity.objects.filter(pk__in=[to, subject_id])) == 1:
        raise ReviewError("自然人和单位不能互相并入，请核对代码。", code="link-unfit")
    entry = _decide(subject_id, Outcome.LINKED, by, reason=why, linked_id=to)
    Succession.objects.create(entry=entry, subject_id=subject_id, successor_id=to, kind=MISTYPED)
    return take_position(entry)


@transaction.atomic
def reject_subject(subject_id: int, *, reason: str, by: str) -> int:
    """Decide that an item is no subject (不予登记), and why; what was delivered under it stays in the ledger.

    Raises:
        ReviewError: ``review-unknown``, ``review-decided``, ``reason-missing`` or ``reason-personal``.
    """
    why = _reason(reason)
    _open_item(subject_id)
    return take_position(_decide(subject_id, Outcome.REJECTED, by, reason=why))


def _open_item(subject_id: int) -> None:
    # Imports decide on items, too: one at a time.
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [IMPORT_LOCK])
    if not ReviewItem.objects.filter(pk=subject_id).exists():
        raise ReviewError("待核主体中没有这一项，请核对编号。")
    if ReviewDecision.objects.filter(item=subject_id).exists():
        raise ReviewError("这一项已经处理过，处理结果不能改动；请刷新后查看。", code="review-decided")


def _reason(text: str) -> str:
    told = text.strip()[:LONGEST_REASON]
    if not told:
        raise ReviewError("请写明理由。", code="reason-missing")
    if IDENTITY_NUMBER.search(told):
        raise ReviewError("理由会长期保存，不得写公民身份号码，请删去。", code="reason-personal")
    return told


def _decide(subject_id: int, outcome: ReviewDecision.Outcome, by: str, **decided: Any) -> Entry:
    action = ACTIONS[outcome]
    entry = open_entry(kind=action, by=by, note={"subject": subject_id})
    ReviewDecision.objects.create(entry=entry, item_id=subject_id, outcome=outcome, **decided)
    record_event(who=by, action=action, object_kind="subject", object_id=subject_id)
    return entry

"""Reconciliation by the source (核对): a unit's own list of a month against the platform's copy."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import IntegrityError, connection, transaction

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.audit.actions import open_entry, record_event, take_position
from xinzheng.apps.audit.privacy import IDENTITY_NUMBER
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.ledger.delivery import Scope, answering_itself, today_in_china
from xinzheng.apps.ledger.record_days import RECORD_DAY
from xinzheng.apps.oversight.errors import OversightError
from xinzheng.apps.oversight.models import Reconciliation, ReconciliationSignature
from xinzheng.core.coverage_calendar import Month
from xinzheng.core.identifiers import document_key
from xinzheng.core.records import RecordKind

LONGEST_NUMBER, LONGEST_LIST = 128, 100_000
# Lists and arrears have no document numbers by which two copies could be told apart.
RECONCILED_KINDS = frozenset(
    {
        RecordKind.ADMINISTRATIVE_PENALTY,
        RecordKind.OTHER_DETERMINATION,
        RecordKind.ADMINISTRATIVE_COMPULSION,
        RecordKind.CRIMINAL_JUDGMENT,
        RecordKind.CREDIT_REPAIR,
    }
)

# The platform's copy: document numbers of the records that stand at the position and are dated in the month.
OWN_COPY = f"""
    SELECT DISTINCT v.document_key
    FROM (
        SELECT DISTINCT ON (v.record_id) v.*
        FROM ledger_recordversion v JOIN audit_position p ON p.entry_id = v.entry_id
        WHERE p.position <= %(position)s
        ORDER BY v.record_id, p.position DESC
    ) v
    WHERE v.is_present AND v.document_key IS NOT NULL
    AND v.unit_id = %(unit)s AND v.domain = %(domain)s AND v.kind = %(kind)s
    AND {RECORD_DAY} BETWEEN %(first)s AND %(last)s
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class OwnList:
    """A unit's own list: how many document numbers, their digest, and (unless only those two are known) themselves."""

    count: int
    digest: bytes
    documents: tuple[str, ...] | None = None


def own_list(numbers: Iterable[str]) -> OwnList:
    """The list of these document numbers: brackets and widths made alike, empty and repeated ones left out.

    Raises:
        OversightError: ``list-too-long``, ``number-too-long`` or ``identity-number-in-list``.
    """
    keys: set[str] = set()
    for line, number in enumerate(numbers, 1):
        if line > LONGEST_LIST:
            raise OversightError(f"清单超过{LONGEST_LIST:,}行，请核对是否选错文件。", code="list-too-long")
        if len(number) > LONGEST_NUMBER:
            message = f"第{line}行超过{LONGEST_NUMBER}个字，不是文号；请每行只写一个文号。"
            raise OversightError(message, code="number-too-long", line=line)
        if IDENTITY_NUMBER.search(number):
            message = f"第{line}行含有身份号码，清单里只写文号，请删去后再提交。"
            raise OversightError(message, code="identity-number-in-list", line=line)
        keys.add(document_key(number))
    documents = tuple(sorted(keys - {""}))
    return OwnList(len(documents), digest_of(documents), documents)


def digest_of(documents: Iterable[str]) -> bytes:
    """SHA-256 of normalised document numbers, sorted, one a line, each line ended by a line feed."""
    return hashlib.sha256("".join(f"{number}\n" for number in sorted(documents)).encode()).digest()


def own_summary(count: int, digest: str) -> OwnList:
    """A list of which only count and digest (64 hexadecimal digits) are given.

    Raises:
        OversightError: ``digest-invalid``, ``count-invalid``.
    """
    try:
        found = bytes.fromhex(digest.strip())
    except ValueError:
        found = b""
    if len(found) != 32:
        raise OversightError("摘要值应为64位十六进制数字（SHA-256），请核对。", code="digest-invalid")
    if count < 0:
        raise OversightError("件数不能小于0，请核对。", code="count-invalid")
    return OwnList(count, found)


def platform_copy(unit_id: int, scope: Scope, month: Month, position: int) -> tuple[str, ...]:
    """The platform's document numbers of a scope in a month as at a position, sorted."""
    values: dict[str, Any] = {"unit": unit_id, "domain": scope.domain, "kind": scope.kind, "position": position}
    with connection.cursor() as cursor:
        cursor.execute(OWN_COPY, values | {"first": month.first, "last": month.last})
        return tuple(sorted(number for (number,) in cursor.fetchall()))


@transaction.atomic
def reconcile(scope: Scope, month: Month, own: OwnList, *, by: str) -> Reconciliation:
    """Compare the unit's own list of a month with the platform's copy and keep what differs (对账).

    Raises:
        IntakeError: unknown unit, domain or kind, or the unit does not answer for it.
        OversightError: ``month-not-over``; ``kind-without-documents`` for lists and arrears.
    """
    unit_id = answering_itself(scope).unit.id
    if scope.kind not in RECONCILED_KINDS:
        raise OversightError("这类数据没有文号，不按文号核对。", code="kind-without-documents")
    _refuse_running_month(month, today_in_china())
    position = head_position()
    copy = platform_copy(unit_id, scope, month, position)
    entry = open_entry(kind="reconciliation-stated", by=by, unit_id=unit_id, note={"month": str(month)})
    mine = None if own.documents is None else set(own.documents)
    found = Reconciliation.objects.create(
        entry=entry,
        unit_id=unit_id,
        domain=scope.domain,
        kind=scope.kind,
        month=month.first,
        position=position,
        own_count=own.count,
        own_sha256=own.digest,
        count=len(copy),
        sha256=digest_of(copy),
        missing=None if mine is None else sorted(mine - set(copy)),
        surplus=None if mine is None else sorted(set(copy) - mine),
    )
    details = {"month": str(month), "agrees": found.agrees}
    record_event(
        who=by, action="reconciliation-stated", object_kind="reconciliation", object_id=found.pk, details=details
    )
    take_position(entry)
    return found


def _refuse_running_month(month: Month, today: date) -> None:
    if month.last >= today:
        raise OversightError(f"{month.year}年{month.number}月还没有过完，请下月再核对。", code="month-not-over")


@transaction.atomic
def sign_reconciliation(found: Reconciliation, account: Account, note: str) -> ReconciliationSignature:
    """Confirm a reconciliation (签字确认); the caller has asked ``refusals_to_sign``.

    Raises:
        OversightError: ``already-signed``; ``note-missing`` when the lists differ and nothing explains it;
            ``identity-number-in-note``.
    """
    if not found.agrees and not note.strip():
        raise OversightError("两边不一致，请写明原因和处理办法后再签字。", code="note-missing")
    if IDENTITY_NUMBER.search(note):
        raise OversightError("说明里不得写身份号码，请删去后再签字。", code="identity-number-in-note")
    entry = open_entry(kind="reconciliation-signed", by=account.actor, unit_id=found.unit_id)
    try:
        with transaction.atomic():
            signature = ReconciliationSignature.objects.create(
                entry=entry, reconciliation=found, account_id=account.pk, note=note.strip()
            )
    except IntegrityError as error:
        raise OversightError("这次核对已经签字，不能再改。", code="already-signed") from error
    record_event(who=account.actor, action="reconciliation-signed", object_kind="reconciliation", object_id=found.pk)
    take_position(entry)
    return signature


def reconciliations(months: Iterable[Month], unit_id: int | None = None) -> list[Reconciliation]:
    """What was reconciled for these months, by one unit or (None) all, latest first."""
    chosen = Reconciliation.objects.filter(month__in=[month.first for month in months])
    if unit_id is not None:
        chosen = chosen.filter(unit_id=unit_id)
    return list(chosen.select_related("signature", "entry").order_by("-month", "-entry_id"))

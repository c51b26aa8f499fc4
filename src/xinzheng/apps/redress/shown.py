"""What a subject is shown (可见记录): only what its own report prints can be objected to; hidden ones do not exist."""

import json
from dataclasses import dataclass

from xinzheng.apps.audit.models import Position
from xinzheng.apps.ledger.models import Batch, RecordHead, RecordVersion
from xinzheng.apps.redress.errors import RedressError
from xinzheng.apps.reports.cases import answer_question
from xinzheng.apps.reports.models import Report
from xinzheng.apps.reports.packs import current_policy
from xinzheng.apps.reports.preparing import question_now
from xinzheng.core.decision import Decision, Request


@dataclass(frozen=True, slots=True)
class Shown:
    """A record as it is objected to (被提异议的记录): what it said, who answers for it, who delivered it."""

    record_id: int | None
    version_id: int | None
    domain: str
    kind: str
    document_number: str
    unit_id: int | None
    blamed_unit_id: int | None


def shown_record(record_id: int, subject_id: int, policy_id: str, report_number: str = "") -> Shown:
    """The record as the subject sees it: in the report named, else in what would be printed now.

    Raises:
        RedressError: ``record-not-shown``: it is not there, hidden, another's or gone by now; all said alike.
        RefusedError: ``unknown-policy``.
    """
    report = own_report(report_number, subject_id) if report_number else None
    is_in_report = report is not None and str(record_id) in _in_report(report)
    head = RecordHead.objects.filter(record_id=record_id, payload_sha256__isnull=False).first()
    # What was sealed since is hinted at no longer, whatever an old report says.
    if head is None or _is_sealed(head) or not (is_in_report or str(record_id) in printed_now(subject_id, policy_id)):
        raise _not_shown()
    version = _version(head, report.position if report is not None and is_in_report else None)
    batch = Batch.objects.filter(pk=version.batch_id).first()
    payload = json.loads(version.payload)
    number = payload.get("document_number") or payload.get("repaired_document_number")
    return Shown(
        record_id, version.pk, version.domain, version.kind, str(number or ""), version.unit_id,
        batch.unit_id if batch is not None else version.unit_id,
    )  # fmt: skip


def printed_now(subject_id: int, policy_id: str) -> set[str]:
    """The records a report would print now, all domains, the whole period."""
    question = question_now(current_policy(policy_id), subject_id, Request())
    return _printed(answer_question(question).decision)


def _printed(decision: Decision) -> set[str]:
    weighed = {finding.record.id for finding in decision.findings if not finding.hides}
    return weighed | {record.id for section in decision.other for record in section.records}


def own_report(number: str, subject_id: int) -> Report:
    """The subject's own report of this number. Raises ``record-not-shown``, alike for another's and for none."""
    own = Report.objects.filter(subject_id=subject_id)
    report = own.filter(number=number).first() if number.isprintable() else None
    if report is None:
        raise _not_shown()
    return report


def _in_report(report: Report) -> set[str]:
    return {finding["record"] for finding in report.findings}


def _is_sealed(head: RecordHead) -> bool:
    return RecordVersion.objects.values_list("sealed", flat=True).get(pk=head.version_id) is True


def _version(head: RecordHead, position: int | None) -> RecordVersion:
    """What the record said at a position, or says now."""
    if position is None:
        return RecordVersion.objects.get(pk=head.version_id)
    versions = RecordVersion.objects.filter(subject_id=head.subject_id, record_id=head.record_id)
    places = dict(
        Position.objects.filter(entry_id__in=versions.values("entry_id"), position__lte=position)
        .values_list("entry_id", "position")
    )  # fmt: skip
    return max((v for v in versions if v.entry_id in places), key=lambda v: (places[v.entry_id], v.pk))


def _not_shown() -> RedressError:
    message = "没有找到这条记录。请从报告或者“记录与修复”页面里找到它，再提出异议；记录没有列出的，请选择“有记录遗漏”。"
    return RedressError(message, code="record-not-shown")

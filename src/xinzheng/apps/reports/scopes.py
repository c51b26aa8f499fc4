"""What a report is about (报告范围), kept in columns: for finding the reports that later knowledge may touch."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from django.db import connection

from xinzheng.apps.ledger.delivery import CORRECTION
from xinzheng.apps.registry.queries import units_at
from xinzheng.apps.reports.cases import Question
from xinzheng.apps.reports.models import Report, ReportGap, ReportScope, ReportTie, ReviewCursor, ReviewFlag
from xinzheng.core.decision import Decision, Result
from xinzheng.core.identifiers import mask_name
from xinzheng.core.subjects import SubjectKind

# Who writes a scope holds it shared; who announces that entries are about to be flagged holds it alone.
SCOPE_LOCK = 0x7265706F727473
# The row of ``ReviewCursor`` that says up to which position flagging has begun.
ANNOUNCED = "announced"
MEANWHILE = "meanwhile"
# Why a report is flagged whose printed records are compared as well (异议).
OBJECTION = "objection"
OBJECTED_SINCE = """
    SELECT EXISTS (
        SELECT 1 FROM reports_reporttie t
        JOIN ledger_recordversion v ON v.subject_id = t.subject_id
        JOIN audit_position p ON p.entry_id = v.batch_id AND p.position > %(position)s
        LEFT JOIN ledger_batch b ON b.entry_id = v.batch_id
        WHERE t.report_id = %(report)s AND coalesce(b.mode, %(mode)s) = %(mode)s)
"""


def note_scope(report: Report, question: Question, decision: Decision, ties: Iterable[int]) -> None:
    """Write scope, ties and gaps of a report in the transaction that numbers it.

    ``ties`` are the subjects whose records were weighed. What the ledger learned between the decision and now may have
    been flagged already, without this report: it is then flagged here.
    """
    content = json.loads(bytes(report.content))
    ReportScope.objects.create(
        report=report,
        subject_id=report.subject_id,
        policy_id=report.policy_id,
        from_date=decision.period.from_date,
        to_date=decision.period.to_date,
        as_of_date=decision.as_of_date,
        as_of=report.as_of,
        position=report.position,
        domain_count=len(decision.domains),
        **texts_of(content),
    )
    ReportTie.objects.bulk_create(ReportTie(report=report, subject_id=key) for key in sorted({*ties}))
    ReportGap.objects.bulk_create(_gaps(report, question, decision))
    _flag_if_overtaken(report)


def texts_of(content: Mapping[str, Any]) -> dict[str, Any]:
    """What verification shows of a report to whoever has its code, by the columns of its scope."""
    subject = content["subject"]
    return {
        "masked_name": mask_name(subject["name"], is_person=subject["kind"] == SubjectKind.NATURAL_PERSON),
        "report_title": content["title"][0],
        "policy_title": content["policy"]["document_title"],
        "record_word": content["policy"]["record_word"],
        "is_demonstration": content["demonstration"],
    }


def _gaps(report: Report, question: Question, decision: Decision) -> list[ReportGap]:
    """The gaps that later data may fill; those of other information are left out, since it decides nothing."""
    missing = {
        (gap.unit, domain.code, gap.kind)
        for domain in decision.domains
        if domain.result is Result.NOT_VERIFIABLE
        for gap in domain.gaps
        if gap.unit
    }
    if not missing:
        return []
    ids = {unit.uscc: unit.id for unit in units_at(question.position).values()}
    return [ReportGap(report=report, unit_id=ids[u], domain=d, kind=k) for u, d, k in sorted(missing)]


def _flag_if_overtaken(report: Report) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [SCOPE_LOCK])
    # A statement of its own: its snapshot is taken after the lock.
    announced = ReviewCursor.objects.filter(name=ANNOUNCED).values_list("position", flat=True).first()
    if announced is not None and announced > report.position:
        why = OBJECTION if _is_objected_since(report) else MEANWHILE
        ReviewFlag.objects.create(report=report, entry_id=0, why=why)


def _is_objected_since(report: Report) -> bool:
    """Whether an upheld objection touched a subject of the report since it was decided."""
    with connection.cursor() as cursor:
        cursor.execute(OBJECTED_SINCE, {"report": report.number, "position": report.position, "mode": CORRECTION})
        return bool(cursor.fetchone()[0])

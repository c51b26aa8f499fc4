"""Replaying (复现): decide a report again at its position, with pack, calendar and registry as they were."""

import hashlib
import json
from dataclasses import dataclass, replace

from xinzheng.apps.registry.queries import ERASED
from xinzheng.apps.reports import packs
from xinzheng.apps.reports.cases import Question, answer_question
from xinzheng.apps.reports.models import Report
from xinzheng.apps.reports.preparing import purpose_in_words
from xinzheng.apps.reports.serialising import canonical_bytes, findings_to_json, request_from_json
from xinzheng.core.decision import CHINA, Decision
from xinzheng.core.errors import XinzhengError
from xinzheng.core.lifecycle import is_report_number, typed_code
from xinzheng.core.policy import Policy
from xinzheng.core.report import Imprint, report_content


@dataclass(frozen=True, slots=True)
class Replay:
    """What replaying found: the digest issued, the digest derived again, whether the findings are the same too.

    ``is_subject_erased``: the person's name and number were erased by law and could not be derived again; what the
    report itself says of them was taken.
    """

    number: str
    position: int
    issued_digest: str
    replayed_digest: str
    has_same_findings: bool
    is_subject_erased: bool = False

    @property
    def is_same(self) -> bool:
        """Whether the report follows from the ledger exactly as it was issued."""
        return self.issued_digest == self.replayed_digest and self.has_same_findings


def report_by_number(number: str) -> Report:
    """The report. Raises ``unknown-report``."""
    # What has not the form of a number is not asked for: the database takes no text with a zero character.
    report = Report.objects.filter(number=number).first() if is_report_number(number) else None
    if report is None:
        raise XinzhengError(f"没有编号为“{number}”的报告，请核对编号。", code="unknown-report")
    return report


def question_of(report: Report) -> Question:
    """The question as it was put: pack, extensions, calendar and position as then."""
    extensions = packs.setting_from_mapping(report.setting).extensions
    policy = replace(packs.stored_policy(bytes(report.pack_id)), extensions=extensions)
    calendar = packs.stored_calendar(bytes(report.calendar_id))
    request = request_from_json(report.request)
    as_of = report.as_of.astimezone(CHINA)
    return Question(policy, calendar, report.subject_id, request, as_of, report.position)


def decision_of(report: Report) -> tuple[Policy, Decision]:
    """The decision a report states, derived again."""
    question = question_of(report)
    return question.policy, answer_question(question).decision


def replay_report(number: str) -> Replay:
    """Derive the report again. Raises ``unknown-report``."""
    report = report_by_number(number)
    question = question_of(report)
    policy, answer = question.policy, answer_question(question)
    purpose = purpose_in_words(policy, question.request.purpose)
    issuer = packs.setting_from_mapping(report.setting).issuer
    imprint = Imprint(issuer, number, typed_code(bytes(report.secret)), report.position, purpose)
    content = report_content(policy, answer.decision, answer.case.subject, imprint, answer.units)
    is_erased = answer.case.subject.name == ERASED
    if is_erased:
        content |= {"subject": json.loads(bytes(report.content))["subject"]}
    return Replay(
        number,
        report.position,
        bytes(report.digest).hex(),
        hashlib.sha256(canonical_bytes(content)).hexdigest(),
        findings_to_json(policy, answer.decision) == report.findings,
        is_erased,
    )

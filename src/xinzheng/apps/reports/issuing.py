"""Issuing (出具): decide → rehearse → number → render → sign → store; a crash leaves a row that is resumed."""

import base64
import hashlib
import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from xinzheng.apps.audit.actions import record_event
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.reports import packs, ports
from xinzheng.apps.reports.cases import Answer, Question, answer_question
from xinzheng.apps.reports.models import Report, ReportDocument, StatusEvent
from xinzheng.apps.reports.numbering import take_number
from xinzheng.apps.reports.serialising import canonical_bytes, findings_to_json, request_to_json
from xinzheng.apps.reports.status import lock_report
from xinzheng.core.decision import CHINA, Request
from xinzheng.core.errors import RefusedError, XinzhengError
from xinzheng.core.lifecycle import ReportStatus, typed_code
from xinzheng.core.policy import Policy
from xinzheng.core.report import Imprint, report_content

REHEARSAL_SERIAL = "000000000000000X"
REHEARSAL_SECRET = bytes(16)


def _say_nothing(stage: str) -> None:
    """No one is watching."""


@dataclass(frozen=True)
class Order:
    """What is to be issued (出具事项): for whom, under which policy, by which actor; the same key, the same report."""

    policy_id: str
    subject_id: int
    request: Request
    by: str
    key: uuid.UUID = field(default_factory=uuid.uuid4)
    on_stage: Callable[[str], None] = _say_nothing


@dataclass(frozen=True, slots=True)
class _Draft:
    policy: Policy
    setting: packs.Setting
    question: Question
    answer: Answer
    purpose: str

    def content(self, number: str, secret: bytes) -> bytes:
        """The canonical content (RFC 8785) under a number and a code."""
        imprint = Imprint(self.setting.issuer, number, typed_code(secret), self.question.position, self.purpose)
        case, decision = self.answer.case, self.answer.decision
        return canonical_bytes(report_content(self.policy, decision, case.subject, imprint, self.answer.units))


def long_code(secret: bytes) -> str:
    """The code as it stands in the QR address."""
    return base64.urlsafe_b64encode(secret).rstrip(b"=").decode()


def purpose_in_words(policy: Policy, code: str | None) -> str:
    """The purpose's name; the first the policy names when none was given. Raises ``unknown-purpose``."""
    if code is None:
        return policy.purposes[0].name
    for purpose in policy.purposes:
        if code in (purpose.code, purpose.name):
            return purpose.name
    named = "、".join(p.name for p in policy.purposes)
    raise RefusedError(f"政策没有列出“{code}”这一用途；可以选择：{named}。", code="unknown-purpose")


def question_now(policy: Policy, subject_id: int, request: Request, as_of: datetime | None = None) -> Question:
    """The question put to today's ledger; ``as_of`` only for a rehearsal."""
    moment = (as_of or timezone.now()).astimezone(CHINA).replace(microsecond=0)
    return Question(policy, packs.current_calendar(), subject_id, request, moment, head_position())


def _draft(order: Order) -> _Draft:
    policy = packs.current_policy(order.policy_id)
    purpose = purpose_in_words(policy, order.request.purpose)
    question = question_now(policy, order.subject_id, order.request)
    answer = answer_question(question)
    if not answer.case.coverage.responsibilities:
        raise RefusedError(
            f"“{policy.title}”的责任单位还没有登记，不能出具报告；请先运行 xinzheng city init。",
            code="deployment-not-applied",
        )
    return _Draft(policy, packs.current_setting(order.policy_id), question, answer, purpose)


def _seal(draft: _Draft, number: str, content: bytes) -> bytes:
    signing = ports.signing()
    seal = signing.ReportSeal(
        number, hashlib.sha256(content).digest(), draft.setting.issuer.host, draft.question.as_of, draft.policy.id
    )
    sealed: bytes = signing.seal_payload(seal, signing.load_seal_key(settings.XINZHENG_KEYS / "signing"))
    return sealed


def _rehearse(draft: _Draft) -> None:
    number = draft.policy.number_prefix + REHEARSAL_SERIAL
    content = draft.content(number, REHEARSAL_SECRET)
    text = ports.signing().qr_text(_seal(draft, number, content), long_code(REHEARSAL_SECRET))
    ports.renderer().rehearse(content, text)


def _prepare(draft: _Draft, order: Order) -> Report:
    """Take a number and write down all that the document will say, in one short transaction."""
    pack, calendar = packs.keep_pack(draft.policy), packs.keep_calendar(draft.question.calendar)
    decision, secret = draft.answer.decision, secrets.token_bytes(16)
    with transaction.atomic():
        number = take_number(draft.policy.number_prefix, draft.question.as_of.date())
        content = draft.content(number, secret)
        report = Report.objects.create(
            number=number,
            idempotency_key=order.key,
            subject_id=order.subject_id,
            policy_id=draft.policy.id,
            pack=pack,
            calendar=calendar,
            setting=draft.setting.as_mapping(),
            position=draft.question.position,
            as_of=draft.question.as_of,
            request=request_to_json(order.request),
            outcome=str(decision.outcome),
            findings=findings_to_json(draft.policy, decision),
            secret=secret,
            content=content,
            digest=hashlib.sha256(content).digest(),
            cose=_seal(draft, number, content),
            created_by=order.by,
        )
        StatusEvent.objects.create(report=report, status=ReportStatus.PREPARED, actor=order.by)
        record_event(who=order.by, action="report-prepared", object_kind="report", object_id=number)
    return report


def complete_report(report: Report, by: str) -> Report:
    """Render, sign and store a prepared report; one that has its file already is left as it is.

    What is rendered was written down when the number was taken, so a second attempt gives the same document.
    Raises ``report-voided`` for one that was given up.
    """
    if ReportDocument.objects.filter(pk=report.pk).exists():
        return report
    _refuse_voided(report)
    signing = ports.signing()
    text = signing.qr_text(bytes(report.cose), long_code(bytes(report.secret)))
    unsigned = ports.renderer().render_report(bytes(report.content), text)
    signer = signing.load_signer(settings.XINZHENG_KEYS / "signing")
    pdf = signing.sign_pdf(unsigned, signer, timezone.now().replace(microsecond=0))
    with transaction.atomic():
        lock_report(report.number)
        if not ReportDocument.objects.filter(pk=report.pk).exists():
            _refuse_voided(report)
            ReportDocument.objects.create(report=report, pdf=pdf, sha256=hashlib.sha256(pdf).digest())
            StatusEvent.objects.create(report=report, status=ReportStatus.IN_FORCE, actor=by)
            record_event(who=by, action="report-issued", object_kind="report", object_id=report.number)
    return report


def _refuse_voided(report: Report) -> None:
    if StatusEvent.objects.filter(report=report, status=ReportStatus.VOIDED).exists():
        raise XinzhengError(f"报告{report.number}没有签发成功，编号已经作废；请重新提交申请。", code="report-voided")


def void_report(report: Report, reason: str, by: str) -> None:
    """Give up a prepared report in plain sight; one that was completed meanwhile stays in force."""
    with transaction.atomic():
        lock_report(report.number)
        finished = ReportDocument.objects.filter(pk=report.pk).exists()
        voided = StatusEvent.objects.filter(report=report, status=ReportStatus.VOIDED).exists()
        if not finished and not voided:
            StatusEvent.objects.create(report=report, status=ReportStatus.VOIDED, reason=reason, actor=by)
            record_event(who=by, action="report-voided", object_kind="report", object_id=report.number)


def issue_report(order: Order) -> Report:
    """Issue a report, or give back the one issued under the same key.

    Raises what deciding and rehearsing raise; nothing has been numbered then. ``idempotency-key-reused`` when the key
    belongs to another order, ``report-voided`` when the report under it was given up.
    """
    ensure_keys()
    known = _issued_under(order)
    if known is None:
        order.on_stage("deciding")
        draft = _draft(order)
        order.on_stage("rehearsing")
        _rehearse(draft)
        order.on_stage("signing")
        try:
            known = _prepare(draft, order)
        except IntegrityError:
            known = _issued_under(order)
            if known is None:
                raise
    return complete_report(known, order.by)


def _issued_under(order: Order) -> Report | None:
    """The report under the order's key, which must be of the same order."""
    known = Report.objects.filter(idempotency_key=order.key).first()
    if known is None:
        return None
    if (known.subject_id, known.policy_id, known.request) != (
        order.subject_id,
        order.policy_id,
        request_to_json(order.request),
    ):
        raise XinzhengError("同一申请号已经用于另一份申请，请重新提交。", code="idempotency-key-reused")
    return known


def ensure_keys() -> None:
    """Make the demonstration keys at the first start; keys that are there stay."""
    ports.signing().ensure_demo_keys(settings.XINZHENG_KEYS / "signing", timezone.now())


def resume_prepared(by: str = "system", older_than: timedelta = timedelta(0)) -> list[str]:
    """Complete what a crash left behind; what cannot be completed becomes a visible voided report.

    ``older_than`` leaves alone what is probably being completed at this moment.
    Without the signing key nothing is given up: that is no fault of the reports. One report that breaks unexpectedly
    stays prepared and keeps no other from being completed; its error is raised at the end.
    """
    left = Report.objects.filter(document=None, created_at__lte=timezone.now() - older_than)
    waiting = list(left.exclude(status_events__status=ReportStatus.VOIDED))
    if waiting:
        ports.signing().load_signer(settings.XINZHENG_KEYS / "signing")
    done, broken = [], []
    for report in waiting:
        try:
            complete_report(report, by)
        except XinzhengError as error:
            void_report(report, error.message, by)
        except Exception as error:
            broken.append(error)
            continue
        done.append(report.number)
    if broken:
        raise broken[0]
    return done

"""Preparing a report (出具准备): decide, rehearse, number, and write down all that its document will say."""

import base64
import hashlib
import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from xinzheng.apps.audit.actions import record_event
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.reports import packs, ports
from xinzheng.apps.reports.cases import Answer, Question, answer_question
from xinzheng.apps.reports.models import Report, StatusEvent
from xinzheng.apps.reports.numbering import take_number
from xinzheng.apps.reports.scopes import note_scope
from xinzheng.apps.reports.serialising import canonical_bytes, findings_to_json, request_to_json
from xinzheng.core.decision import CHINA, Request, china_date
from xinzheng.core.errors import RefusedError
from xinzheng.core.lifecycle import ReportStatus, typed_code
from xinzheng.core.policy import Policy
from xinzheng.core.report import Imprint, report_content


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
class Draft:
    """A report decided and not yet numbered (草稿)."""

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
    """The question put to today's ledger; ``as_of`` is now unless a rehearsal assumes another moment."""
    moment = (as_of or timezone.now()).astimezone(CHINA).replace(microsecond=0)
    return Question(policy, packs.current_calendar(), subject_id, request, moment, head_position())


def draft_report(order: Order) -> Draft:
    """Decide the order on today's ledger. Raises what deciding raises, ``deployment-not-applied``."""
    as_of = timezone.now()  # once: the pack of the day on which the report is decided, also over midnight
    policy = packs.current_policy(order.policy_id, china_date(as_of))
    purpose = purpose_in_words(policy, order.request.purpose)
    question = question_now(policy, order.subject_id, order.request, as_of)
    answer = answer_question(question)
    if not answer.case.coverage.responsibilities:
        raise RefusedError(
            f"“{policy.title}”的责任单位还没有登记，不能出具报告；请先运行 xinzheng city init。",
            code="deployment-not-applied",
        )
    # An extension may be recorded meanwhile: what is kept for replaying are those that were decided by.
    setting = packs.Setting(packs.issuer_of(order.policy_id), policy.extensions)
    return Draft(policy, setting, question, answer, purpose)


@dataclass(frozen=True, slots=True)
class Sealed:
    """What a document says under a number (签章内容): the canonical content, and the seal over its digest."""

    number: str
    secret: bytes
    content: bytes
    cose: bytes


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """A document as it was read back, under the number that is expected next."""

    sealed: Sealed
    pdf: bytes


@dataclass(frozen=True, slots=True)
class Prepared:
    """A numbered report that waits to be signed (待签发); ``pdf`` if what was rehearsed is what it says."""

    report: Report
    pdf: bytes | None = None


def _seal(draft: Draft, number: str, secret: bytes) -> Sealed:
    signing, content = ports.signing(), draft.content(number, secret)
    seal = signing.ReportSeal(
        number, hashlib.sha256(content).digest(), draft.setting.issuer.host, draft.question.as_of, draft.policy.id
    )
    return Sealed(number, secret, content, signing.seal_payload(seal, ports.keyring().seal_key))


def rehearse_report(draft: Draft, number: str) -> Rehearsed:
    """Set the document under the expected number and read it back, and see that the keys are within reach.

    Raises what the renderer raises, ``signing-unavailable``.
    """
    ports.keyring().ready(timezone.now())
    sealed = _seal(draft, number, secrets.token_bytes(16))
    text = ports.signing().qr_text(sealed.cose, long_code(sealed.secret))
    return Rehearsed(sealed, ports.renderer().rehearse(sealed.content, text, ports.fonts()))


def prepare_report(draft: Draft, order: Order, rehearsed: Rehearsed) -> Prepared:
    """Take a number and write down all that the document will say, in one short transaction."""
    inputs, decision = packs.keep_inputs(draft.policy, draft.question.calendar), draft.answer.decision
    with transaction.atomic():
        number = take_number(draft.policy.number_prefix, draft.question.as_of.date())
        is_expected = number == rehearsed.sealed.number
        sealed = rehearsed.sealed if is_expected else _seal(draft, number, rehearsed.sealed.secret)
        report = Report.objects.create(
            number=number,
            idempotency_key=order.key,
            subject_id=order.subject_id,
            policy_id=draft.policy.id,
            pack_id=inputs.pack,
            calendar_id=inputs.calendar,
            setting=draft.setting.as_mapping() | {"faces": ports.faces()},
            position=draft.question.position,
            as_of=draft.question.as_of,
            request=request_to_json(order.request),
            outcome=str(decision.outcome),
            findings=findings_to_json(draft.policy, decision),
            secret=sealed.secret,
            content=sealed.content,
            digest=hashlib.sha256(sealed.content).digest(),
            cose=sealed.cose,
            created_by=order.by,
        )
        StatusEvent.objects.create(report=report, status=ReportStatus.PREPARED, actor=order.by)
        note_scope(report, draft.question, decision, draft.answer.ties)
        record_event(who=order.by, action="report-prepared", object_kind="report", object_id=number)
    return Prepared(report, rehearsed.pdf if is_expected else None)

"""Repair (信用修复申请): the data for 信用中国 put together, what became of it; only a repair record repairs."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType
from typing import Any

from django.db import transaction

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.audit.actions import About, record_event
from xinzheng.apps.audit.privacy import text_to_keep
from xinzheng.apps.ledger.models import RecordHead
from xinzheng.apps.redress.clock import now
from xinzheng.apps.redress.errors import RedressError
from xinzheng.apps.redress.evidence import Found, keep
from xinzheng.apps.redress.evidence_opening import EvidenceRow, evidence_of
from xinzheng.apps.redress.models import RepairCase, RepairStep
from xinzheng.apps.redress.numbers import take_number
from xinzheng.apps.redress.permissions import refusals_to_prepare_repair
from xinzheng.apps.redress.ports import repair_rules
from xinzheng.apps.redress.repair_queries import GuidedRecord, guidance_json, guided_record
from xinzheng.apps.registry.models import Subject
from xinzheng.core.decision import china_date
from xinzheng.core.repair import PublicationState
from xinzheng.core.sentences import spoken_date

REPAIR_PREFIX = "X"
REASON_AT_MOST = 500
A_DAY_AT_MOST = 5
Said = RepairStep.Said
# What may be said after what; before anything was said, the empty word.
AFTER: Mapping[str, tuple[Said, ...]] = MappingProxyType(
    {
        "": (Said.HANDED_OVER, Said.GIVEN_UP),
        Said.HANDED_OVER: (Said.ACCEPTED, Said.REFUSED, Said.GIVEN_UP),
        Said.ACCEPTED: (Said.REFUSED, Said.GIVEN_UP),
        Said.REFUSED: (Said.HANDED_OVER, Said.GIVEN_UP),
        Said.GIVEN_UP: (),
    }
)


@dataclass(frozen=True, slots=True)
class StepView:
    """What was said, and when."""

    said: str
    words: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class CaseView:
    """A repair as it stands (修复办理情况).

    ``guidance`` is what was computed when it was prepared; ``now`` the record as it is shown today, None where it is
    no longer shown. ``possible``: what may be said next.
    """

    id: int
    number: str
    subject_id: int
    record_id: int
    rules: str
    rules_sha256: str
    guidance: dict[str, Any]
    made_at: datetime
    steps: tuple[StepView, ...]
    evidence: tuple[EvidenceRow, ...]
    now: GuidedRecord | None
    possible: tuple[Said, ...]

    @property
    def seq(self) -> int:
        """How many steps there are."""
        return len(self.steps)

    @property
    def repaired_date(self) -> date | None:
        """The day of the repair record that has arrived."""
        return self.now.record.repaired_date if self.now is not None else None


@transaction.atomic
def prepare(record_id: int, *, account: Account) -> RepairCase:
    """Put together what a repair of a record takes; a case of the same record that is still open is given again.

    Raises:
        RedressError: ``not-permitted``; ``record-not-shown``; ``repair-not-own``: a branch's, say;
            ``repaired-already``; ``repair-not-applicable``: nothing to repair by these rules; ``repair-not-yet``: the
            shortest period runs; ``too-many-repairs``.
    """
    subject_id = _permitted(account, account.subject_id or 0)
    Subject.objects.select_for_update(no_key=True).get(pk=subject_id)
    at = now()
    today = china_date(at)
    found = guided_record(subject_id, record_id, today)
    _refuse_unless_possible(found, today)
    version_id = RecordHead.objects.values_list("version_id", flat=True).get(pk=record_id)
    digest = bytes.fromhex(repair_rules().sha256)
    same = RepairCase.objects.filter(
        subject_id=subject_id, record_id=record_id, version_id=version_id, rules_sha256=digest
    )
    still_open = [case for case in same.order_by("-id") if _last_said(case) not in (Said.REFUSED, Said.GIVEN_UP)]
    if still_open:
        return still_open[0]
    _refuse_too_many(subject_id, record_id, today)
    made = RepairCase.objects.create(
        number=take_number(REPAIR_PREFIX, today),
        subject_id=subject_id,
        record_id=record_id,
        version_id=version_id,
        rules=found.guidance.rule.id,
        rules_sha256=digest,
        guidance=json.dumps(guidance_json(found.guidance), ensure_ascii=False, sort_keys=True, separators=(",", ":")),
        account_id=account.pk,
        made_at=at,
    )
    about, number = About(subject_id, details={"record": record_id, "rules": made.rules}), made.number
    record_event(who=account.actor, action="repair-prepared", object_kind="repair", object_id=number, details=about)
    return made


def _permitted(account: Account, subject_id: int) -> int:
    refusals = refusals_to_prepare_repair(account, subject_id)
    if refusals:
        raise RedressError("".join(refusals), code="not-permitted")
    return subject_id


def _refuse_unless_possible(found: GuidedRecord, today: date) -> None:
    guidance = found.guidance
    if not found.is_own:
        raise RedressError("这是分支机构或者关联主体的记录，由它自己申请信用修复。", code="repair-not-own")
    if guidance.publication.state is PublicationState.ENDED_BY_REPAIR:
        raise RedressError("这条记录已经信用修复，不用再申请。", code="repaired-already")
    if not guidance.is_open:
        raise RedressError("按现行规则，这条记录没有可以申请的信用修复；理由见指引。", code="repair-not-applicable")
    first = guidance.possible_from
    if first is None or today < first:
        when = f"最早{spoken_date(first)}起可以申请" if first else "记录没有写明日期，无从计算，请先提出异议补正"
        raise RedressError(f"最短公示期还没有届满，{when}。", code="repair-not-yet")


def _refuse_too_many(subject_id: int, record_id: int, today: date) -> None:
    """Given up and prepared again, each is kept for good."""
    of_record = RepairCase.objects.filter(subject_id=subject_id, record_id=record_id)
    if of_record.filter(number__startswith=f"{REPAIR_PREFIX}{today:%Y%m%d}-").count() >= A_DAY_AT_MOST:
        message = f"这条记录今天已经准备过{A_DAY_AT_MOST}份材料，请明天再准备。"
        raise RedressError(message, code="too-many-repairs")


def _last_said(case: RepairCase) -> str:
    return case.steps.order_by("-seq").values_list("said", flat=True).first() or ""


def case_by_number(number: str) -> RepairCase:
    """Raises ``unknown-repair``."""
    found = RepairCase.objects.filter(number=number).first()
    if found is None:
        raise RedressError("没有这个编号的信用修复材料，请核对编号。", code="unknown-repair")
    return found


def cases_of(subject_id: int) -> list[RepairCase]:
    """A subject's cases, newest first."""
    return list(RepairCase.objects.filter(subject_id=subject_id).order_by("-id")[:100])


def case_view(number: str, today: date) -> CaseView:
    """Everything about one case; who may see it is asked by the caller. Raises ``unknown-repair``."""
    case = case_by_number(number)
    steps = tuple(
        StepView(step.said, Said(step.said).label, step.reason, step.at) for step in case.steps.order_by("seq")
    )
    try:
        record = guided_record(case.subject_id, case.record_id, today)
    except RedressError:
        record = None
    is_repaired = record is not None and record.guidance.publication.state is PublicationState.ENDED_BY_REPAIR
    return CaseView(
        id=case.pk,
        number=case.number,
        subject_id=case.subject_id,
        record_id=case.record_id,
        rules=case.rules,
        rules_sha256=bytes(case.rules_sha256).hex(),
        guidance=json.loads(case.guidance),
        made_at=case.made_at,
        steps=steps,
        evidence=tuple(evidence_of(number)),
        now=record,
        possible=() if is_repaired else AFTER[steps[-1].said if steps else ""],
    )


@transaction.atomic
def say(number: str, said: str, reason: str, seen_seq: int, *, account: Account) -> RepairStep:
    """Write down what became of it (登记进展), after what was seen.

    Raises:
        RedressError: ``unknown-repair``, ``not-permitted``, ``repair-moved-on``, ``repaired-already``,
            ``repair-step-illegal``, ``reason-missing``: a refusal says why.
        UnkeepableTextError: the reason is too long or holds a person's number.
    """
    case = _held(number, account)
    last = case.steps.order_by("-seq").first()
    seq = last.seq if last is not None else 0
    if seq != seen_seq:
        raise RedressError("在你查看以后，进展又有登记，请刷新页面看最新的情况。", code="repair-moved-on")
    view = case_view(number, china_date(now()))
    if view.repaired_date is not None and not view.possible:
        raise RedressError("修复记录已经归集，这条记录已经信用修复，不用再登记。", code="repaired-already")
    if said not in view.possible:
        raise RedressError("现在不能登记这一进展，请刷新页面看最新的情况。", code="repair-step-illegal")
    kept = text_to_keep(reason, field="说明", most=REASON_AT_MOST)
    if said == Said.REFUSED and not kept:
        raise RedressError("请写明不予受理或者不予修复的理由。", code="reason-missing")
    made = RepairStep.objects.create(case=case, seq=seq + 1, said=said, reason=kept, actor=account.actor, at=now())
    about = About(case.subject_id, details={"said": said})
    record_event(who=account.actor, action="repair-said", object_kind="repair", object_id=number, details=about)
    return made


@transaction.atomic
def add_evidence(number: str, files: Sequence[Found], *, account: Account) -> int:
    """Seal files for the hand-over (修复凭证), which were looked into before; how many.

    Raises:
        RedressError: ``unknown-repair``, ``not-permitted``, ``repair-step-illegal``: it was given up or is repaired;
            ``evidence-missing``; what keeping files raises.
    """
    case = _held(number, account)
    if not files:
        raise RedressError("请先选择要添加的凭证文件。", code="evidence-missing")
    if not case_view(number, china_date(now())).possible:
        raise RedressError("这份材料已经办结，不能再添加凭证；需要的请重新准备。", code="repair-step-illegal")
    kept = len(keep(files, repair=case, by=account.actor))
    about = About(case.subject_id, details={"files": kept})
    record_event(
        who=account.actor, action="repair-evidence-added", object_kind="repair", object_id=number, details=about
    )
    return kept


def _held(number: str, account: Account) -> RepairCase:
    """The case, with nobody else at the subject's repairs meanwhile."""
    case = case_by_number(number)
    _permitted(account, case.subject_id)
    Subject.objects.select_for_update(no_key=True).get(pk=case.subject_id)
    return case

"""A subject's records with their repair (记录与修复): what its rehearsal shows, what dated rules say of each."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from typing import Any

from xinzheng.apps.redress.errors import RedressError
from xinzheng.apps.redress.models import RepairLink
from xinzheng.apps.redress.ports import repair_rules
from xinzheng.apps.reports.cases import Answer, answer_question
from xinzheng.apps.reports.forms import policies_for
from xinzheng.apps.reports.packs import current_policy
from xinzheng.apps.reports.preparing import question_now
from xinzheng.apps.reports.queries import EFFECT_SENTENCES, EFFECT_WORDS
from xinzheng.core.decision import CHINA, Decision, Request
from xinzheng.core.errors import XinzhengError
from xinzheng.core.policy import Policy
from xinzheng.core.records import ARREARS_KINDS, Record, RecordKind
from xinzheng.core.repair import Guidance, guidance, repair_pairs
from xinzheng.core.repair_rules import RepairRules, facts_of
from xinzheng.core.subjects import SubjectKind, Tie
from xinzheng.core.weighing import Finding, prepare_weighing, weigh

# Repairs and arrears are other information: nothing of theirs is repaired.
NOT_GUIDED = ARREARS_KINDS | {RecordKind.CREDIT_REPAIR}
OWN_TIES = frozenset({Tie.SELF, Tie.RENAMED, Tie.MERGED})


@dataclass(frozen=True, slots=True)
class Treatment:
    """What one policy makes of a record (政策怎样认定): today, and from the day of a repair on."""

    policy_id: str
    policy_title: str
    record_word: str
    effect: str
    effect_word: str
    sentence: str
    after: str
    marks: tuple[str, ...] = ()
    marks_after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GuidedRecord:
    """A record with its guidance (记录指引); ``repairs`` are the repair records that reach it."""

    record: Record
    domain_name: str
    guidance: Guidance
    treatments: tuple[Treatment, ...]
    repairs: tuple[Record, ...] = ()

    @property
    def id(self) -> int:
        """The ledger's key of the record."""
        return int(self.record.id)

    @property
    def title(self) -> str:
        """What it is called: what was done wrong, else the list or the document."""
        content = self.record.content
        words = (content.get(key) for key in ("violation", "list_name", "document_name", "document_number"))
        return next((word for word in words if word), "未注明事由的记录")

    @property
    def is_own(self) -> bool:
        """Whether the subject itself answers for it; a branch's is the branch's own to repair."""
        return self.record.tie in OWN_TIES


@dataclass(frozen=True, slots=True)
class GuidedRecords:
    """All records a subject is shown, newest first; ``missing``: policies that could not be asked, and why."""

    records: tuple[GuidedRecord, ...]
    missing: tuple[str, ...] = ()


@dataclass(slots=True)
class _Seen:
    record: Record
    domain_name: str
    treatments: list[Treatment] = field(default_factory=list)
    repairs: tuple[Record, ...] = ()


def guided_records(subject_id: int, today: date) -> GuidedRecords:
    """What the subject's own rehearsal shows on a day, each record with its guidance. Raises ``no-repair-rule``."""
    seen: dict[str, _Seen] = {}
    missing: list[str] = []
    for policy_id, title in policies_for(subject_id):
        policy = current_policy(policy_id)
        moment = datetime.combine(today, time(12), CHINA)
        try:
            answer = answer_question(question_now(policy, subject_id, Request(), moment))
        except XinzhengError as error:
            missing.append(f"{title}：{error.message}")
            continue
        _take_in(seen, policy, answer)
    rules: RepairRules = repair_rules()
    found = [_guided(one, rules, today) for one in seen.values()]
    return GuidedRecords(tuple(sorted(found, key=_newest_first)), tuple(missing))


def guided_record(subject_id: int, record_id: int, today: date) -> GuidedRecord:
    """One of them. Raises ``record-not-shown``: it is not there, hidden or another's; all said alike."""
    found = next((one for one in guided_records(subject_id, today).records if one.id == record_id), None)
    if found is None:
        raise RedressError("没有找到这条记录，请从“记录与修复”里重新打开。", code="record-not-shown")
    return found


def _newest_first(one: GuidedRecord) -> tuple[int, int]:
    day = one.record.window_date
    return (-day.toordinal() if day else 0), one.id


def _guided(one: _Seen, rules: RepairRules, today: date) -> GuidedRecord:
    found = guidance(facts_of(one.record, today), rules, today)
    return GuidedRecord(one.record, one.domain_name, found, tuple(one.treatments), one.repairs)


def _take_in(seen: dict[str, _Seen], policy: Policy, answer: Answer) -> None:
    names = {domain.code: domain.name for domain in policy.domains}
    pairs = repair_pairs(answer.case.records, answer.decision.as_of_date)
    for finding in answer.decision.findings:
        record = finding.record
        if finding.hides or record.kind in NOT_GUIDED:
            continue
        one = seen.setdefault(record.id, _Seen(record, names.get(record.domain, "")))
        one.domain_name = one.domain_name or names.get(record.domain, "")
        one.repairs = one.repairs or tuple(repair for repair, of in pairs if of.id == record.id)
        one.treatments.append(_treatment(policy, answer.decision, finding, answer.case.subject.kind))


def _treatment(policy: Policy, decision: Decision, finding: Finding, kind: SubjectKind) -> Treatment:
    repaired = _once_repaired(policy, decision, finding, kind)
    return Treatment(
        policy.id,
        policy.title,
        policy.record_word,
        str(finding.effect),
        EFFECT_WORDS[finding.effect],
        EFFECT_SENTENCES[finding.effect].format(reason=finding.clause.reason),
        EFFECT_WORDS[repaired.effect],
        finding.marks,
        repaired.marks,
    )


def _once_repaired(policy: Policy, decision: Decision, finding: Finding, kind: SubjectKind) -> Finding:
    """The finding as it would be had the record been repaired on the day."""
    today = decision.as_of_date
    if finding.record.repaired_date is not None and finding.record.repaired_date <= today:
        return finding
    chosen = frozenset(domain.code for domain in decision.domains)
    weighing = prepare_weighing(policy, decision.period, chosen, kind, today)
    return weigh(weighing, replace(finding.record, repaired_date=today))


def linked_since(record_id: int) -> dict[int, datetime]:
    """Since when each repair record is known to reach a penalty, by the repair's key."""
    found = RepairLink.objects.filter(penalty_record_id=record_id).order_by("-id")
    return dict(found.values_list("repair_record_id", "found_at"))


def guidance_json(found: Guidance) -> dict[str, Any]:
    """The guidance as plain values, kept with what is handed over."""
    return {
        "rule": {
            "id": found.rule.id,
            "title": found.rule.title,
            "source": found.citation.source,
            "second_hand": found.citation.second_hand,
        },
        "class": found.cls.id if found.cls else None,
        "candidates": [
            {
                "id": one.repair_class.id,
                "name": one.repair_class.name,
                "certain": one.is_certain,
                "shortest_end": _day(one.shortest_end),
                "longest_end": _day(one.longest_end),
                "earliest": _day(one.earliest),
                "doubts": list(one.doubts),
            }
            for one in found.candidates
        ],
        "publication": {
            "state": str(found.publication.state),
            "until": _day(found.publication.until),
            "certain": found.publication.is_certain,
            "needs_duties": found.publication.needs_duties,
        },
        "earliest": _day(found.earliest),
        "possible_from": _day(found.possible_from),
        "to_do": [{"condition": str(one.condition), "done": one.is_done} for one in found.to_do],
        "notes": [str(note) for note in found.notes],
    }


def record_json(one: GuidedRecord) -> Mapping[str, Any]:
    """A guided record as plain values, for the command line."""
    return {
        "record": one.record.id,
        "title": one.title,
        "domain": one.record.domain,
        "kind": str(one.record.kind),
        "repaired": _day(one.record.repaired_date),
        "guidance": guidance_json(one.guidance),
        "policies": [
            {"id": t.policy_id, "effect": t.effect, "effect_word": t.effect_word, "after": t.after}
            for t in one.treatments
        ],
    }


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None

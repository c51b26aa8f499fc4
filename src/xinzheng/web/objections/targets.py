"""What can be objected to (可以提出异议的记录): what a report prints, or would print now; and what may be missing."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from xinzheng.apps.registry.queries import responsible_units
from xinzheng.apps.reports.cases import answer_question
from xinzheng.apps.reports.packs import current_policy
from xinzheng.apps.reports.preparing import question_now
from xinzheng.apps.reports.queries import report_view
from xinzheng.apps.reports.serialising import findings_to_json
from xinzheng.core.decision import Request
from xinzheng.core.errors import RefusedError, XinzhengError
from xinzheng.core.policy import Policy
from xinzheng.core.records import Record
from xinzheng.core.sentences import spoken_date
from xinzheng.web.departments.duties import KIND_NAMES

FACTS_SHOWN = 4


@dataclass(frozen=True, slots=True)
class Target:
    """A record as the form names it (记录): its key in the ledger, a title, and what tells it from others."""

    record_id: int
    title: str
    facts: tuple[tuple[str, str], ...]

    @property
    def line(self) -> str:
        """All of it in one line."""
        return "，".join(value for _, value in self.facts)


def target_in_report(record_id: int, number: str, subject_id: int) -> Target | None:
    """A record as the subject's own report shows it; None where it is not there, or the report is another's."""
    try:
        view = report_view(number)
    except XinzhengError:
        return None
    found = next((finding for finding in view.findings if finding.record == record_id), None)
    if view.subject_id != subject_id or found is None:
        return None
    return Target(record_id, found.title, (("领域", found.domain_name), *found.facts)[:FACTS_SHOWN])


def targets_now(subject_id: int, policy_id: str) -> list[Target]:
    """What a report of all domains and the whole period would print now; nothing where none can be issued."""
    policy = current_policy(policy_id)
    try:
        decision = answer_question(question_now(policy, subject_id, Request())).decision
    except RefusedError:
        return []
    found = [_of_finding(finding) for finding in findings_to_json(policy, decision)]
    known = {target.record_id for target in found}
    beside = {int(record.id): record for section in decision.other for record in section.records}
    return found + [_of_record(policy, record) for key, record in beside.items() if key not in known]


def _of_finding(finding: Mapping[str, object]) -> Target:
    card = finding["card"]
    assert isinstance(card, dict)
    day = card["decision_date"]
    facts = (
        ("领域", card["domain_name"]),
        ("处罚机关", card["organ"]),
        ("决定书文号", card["document_number"]),
        ("决定日期", spoken_date(date.fromisoformat(str(day))) if day else ""),
    )
    title = card["violation"] or card["document_number"]
    return Target(int(str(finding["record"])), str(title), tuple((k, str(v)) for k, v in facts if v))


def _of_record(policy: Policy, record: Record) -> Target:
    facts = (
        ("项目", domain_names(policy).get(record.domain, record.domain)),
        ("单位", record.content.get("organ_name")),
        ("文号", record.content.get("document_number") or record.content.get("repaired_document_number")),
        ("日期", spoken_date(record.decision_date) if record.decision_date else ""),
    )
    return Target(int(record.id), KIND_NAMES[record.kind], tuple((k, str(v)) for k, v in facts if v))


def domain_names(policy: Policy) -> dict[str, str]:
    """What the policy calls its domains and other sections."""
    return {d.code: d.name for d in policy.domains} | {s.code: s.name for s in policy.other}


def missing_scopes(policy_id: str) -> list[tuple[str, str, str]]:
    """What a missing record may be, as (``domain|kind``, domain, kind in words): all that some unit answers for."""
    names = domain_names(current_policy(policy_id))
    pairs = {(unit.domain, kind) for unit in responsible_units(policy_id) for kind in unit.kinds}
    order, places = list(KIND_NAMES), {code: place for place, code in enumerate(names)}
    chosen = sorted(pairs, key=lambda pair: (order.index(pair[1]), places.get(pair[0], len(places)), pair[0]))
    return [(f"{domain}|{kind}", names.get(domain, domain), KIND_NAMES[kind]) for domain, kind in chosen]

"""Report (报告): the canonical content of one, built from a decision and the policy's own words."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from xinzheng.core.decision import CHINA, Decision, DomainResult, OtherResult, ReportOutcome, Result
from xinzheng.core.lifecycle import verification_origin
from xinzheng.core.policy import Effect, Policy
from xinzheng.core.records import ARREARS_KINDS, RecordKind
from xinzheng.core.report_records import Card, arrears_row, dispute_note, record_card, repair_card
from xinzheng.core.sentences import gap_clauses, not_verifiable, say, spoken_date
from xinzheng.core.subjects import Subject, SubjectKind

FORMAT = "xinzheng.report/1"
Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class Issuer:
    """Who issues (出具单位) as a deployment says: printed name, channel, web host, whether all is a demonstration."""

    seal_name: str
    channel: str
    host: str
    is_demonstration: bool


@dataclass(frozen=True, slots=True)
class Imprint:
    """What numbering adds to a decision: who issues, number, typed code, ledger position, purpose in words."""

    issuer: Issuer
    number: str
    typed_code: str
    position: int
    purpose: str


def _day(value: date | None) -> str | None:
    return value.isoformat() if value else None


def _moment(value: datetime | date) -> str:
    return value.astimezone(CHINA).isoformat(timespec="seconds") if isinstance(value, datetime) else value.isoformat()


def _scope_part(policy: Policy, decision: Decision, purpose: str) -> Json:
    return {
        "from": decision.period.from_date.isoformat(),
        "to": decision.period.to_date.isoformat(),
        "records": say(policy, "scope", n=len(decision.domains)),
        "purpose": purpose,
    }


def _policy_part(policy: Policy) -> Json:
    return {
        "id": policy.id,
        "sha256": policy.sha256,
        "document": policy.document,
        "document_title": policy.title,
        "record_word": policy.record_word,
        "units_word": policy.units_word,
    }


def _subject_part(policy: Policy, subject: Subject) -> Json:
    part: Json = {
        "kind": str(subject.kind),
        "name": subject.name,
        "identifier": subject.identifier,
        "kind_name": policy.wording[f"kind_{subject.kind}"],
    }
    if subject.kind is SubjectKind.NATURAL_PERSON:
        return part | {"identity_document": policy.wording["identity_document"]}
    unknown = policy.wording["unknown"]
    return part | {"representative": subject.representative or unknown, "status": subject.status or unknown}


def result_sentence(policy: Policy, result: DomainResult | OtherResult, word: str, found: int) -> str:
    """A domain's or section's result (核查结果) in the policy's words; the day of 未查询到 stands beside it."""
    if result.result is Result.NONE_FOUND:
        return say(policy, "none_found", 记录=word, 日期="").partition("（")[0]
    unresolved = result.unresolved if isinstance(result, DomainResult) else 0
    if result.result is Result.NOT_VERIFIABLE:
        return not_verifiable(policy, result.gaps, unresolved, word)
    if result.gaps or unresolved:
        missing = gap_clauses(policy, result.gaps, unresolved)
        return say(policy, "records_found_gap", 记录=word, n=found, 缺口=missing)
    return say(policy, "records_found", 记录=word, n=found)


def section_word(policy: Policy, code: str) -> str:
    """What a section of other information is about (欠缴信息, 信用修复记录)."""
    return policy.wording[f"word_{code}"]


def _row(result: DomainResult | OtherResult, units: str, text: str) -> Json:
    return {
        "code": result.code,
        "name": result.name,
        "units": units,
        "result": str(result.result),
        "text": text,
        "data_as_of": _day(result.data_as_of),
        "missing_units": sorted({gap.unit_name for gap in result.gaps}),
    }


def _domain_row(policy: Policy, result: DomainResult, units: str) -> Json:
    return _row(result, units, result_sentence(policy, result, policy.record_word, result.counted))


def _other_row(policy: Policy, result: OtherResult, units: str) -> Json:
    text = result_sentence(policy, result, section_word(policy, result.code), len(result.records))
    row = _row(result, units, text)
    if result.result is Result.RECORDS_FOUND and result.code == RecordKind.CREDIT_REPAIR:
        row["result"] = "listed_apart"
    return row


def conclusion(policy: Policy, decision: Decision) -> Json:
    """The conclusion (核查结论) with its scope in the same sentence, and its decisive part."""
    found = [d for d in decision.domains if d.result is Result.RECORDS_FOUND]
    unsure = [d for d in decision.domains if d.result is Result.NOT_VERIFIABLE]
    values: dict[str, object] = {
        "起": spoken_date(decision.period.from_date),
        "止": spoken_date(decision.period.to_date),
    }
    key = f"conclusion_{decision.outcome}"
    if decision.outcome is ReportOutcome.CLEAR:
        values |= {"n": len(decision.domains)}
    elif decision.outcome is ReportOutcome.NOT_CLEAR:
        values |= {"n": sum(d.counted for d in found), "m": len(found), "j": len(unsure)}
        key += "_more" if unsure else ""
    else:
        values |= {"m": len(decision.domains) - len(unsure), "j": len(unsure)}
    return {
        "outcome": str(decision.outcome),
        "text": say(policy, key, **values),
        "key": say(policy, f"{key}_key", **values),
    }


def notes(policy: Policy, decision: Decision, issuer: Issuer) -> list[str]:
    """The notes (说明) in the pack's order; those that depend on the case only where they hold."""
    time = spoken_date(decision.as_of_date)
    if isinstance(decision.as_of, datetime):
        time += f"{decision.as_of.astimezone(CHINA):%H:%M}"
    extension = policy.extension_on(decision.as_of_date)
    values: dict[str, object] = {
        "起": spoken_date(decision.period.from_date),
        "止": spoken_date(decision.period.to_date),
        "时间": time,
        "渠道": issuer.channel,
        "文号": extension.document if extension else "",
        "附注": f"（{extension.note}）" if extension and extension.note else "",
    }
    wanted = {
        "note_clipped": decision.is_clipped,
        "note_extension": extension is not None,
        "note_demonstration": issuer.is_demonstration,
    }
    return [say(policy, key, **values) for key in policy.notes if wanted.get(key, True)]


def record_cards(policy: Policy, decision: Decision) -> dict[str, list[Card]]:
    """The records that a report prints (所列记录), by section; one without any is left out."""
    names, day = {domain.code: domain.name for domain in decision.domains}, decision.as_of_date
    by_record = {finding.record.id: finding for finding in decision.findings}
    cards = {"records": [record_card(policy, f, names[f.record.domain]) for f in decision.findings if f.is_counted]}
    arrears = [r for o in decision.other for r in o.records if r.kind in ARREARS_KINDS]
    repairs = [r for o in decision.other if o.code == RecordKind.CREDIT_REPAIR for r in o.records]
    apart = [f for f in decision.findings if f.effect is Effect.LISTED_APART and f.record not in repairs]
    if arrears:
        cards["arrears"] = [arrears_row(record) | dispute_note(policy, record, day) for record in arrears]
    if repairs:
        cards["repairs"] = [
            repair_card(policy, record, by_record.get(record.id)) | dispute_note(policy, record, day)
            for record in repairs
        ]
    if apart:
        cards["apart"] = [record_card(policy, f, names[f.record.domain]) for f in apart]
    return cards


def report_content(
    policy: Policy, decision: Decision, subject: Subject, imprint: Imprint, units: Mapping[str, str]
) -> Json:
    """The canonical content (规范化内容) of a report: what is printed, attached, digested and signed.

    ``units`` maps a domain's or section's code to the words for who answers. Nothing here can be chosen by a person:
    it follows from the decision. Records that are excluded are not in it; they are explained to the subject only.
    """
    issuer = imprint.issuer
    return {
        "format": FORMAT,
        "demonstration": issuer.is_demonstration,
        "title": list(policy.report_title),
        "number": imprint.number,
        "as_of": _moment(decision.as_of),
        "position": imprint.position,
        "policy": _policy_part(policy),
        "conclusion": conclusion(policy, decision),
        "subject": _subject_part(policy, subject),
        "scope": _scope_part(policy, decision, imprint.purpose),
        "domains": [_domain_row(policy, d, units.get(d.code, "")) for d in decision.domains],
        **record_cards(policy, decision),
        "other": [_other_row(policy, o, units.get(o.code, "")) for o in decision.other],
        "notes": notes(policy, decision, issuer),
        "seal": {"name": issuer.seal_name, "date": decision.as_of_date.isoformat()},
        "verification": {
            "code": imprint.typed_code,
            "host": issuer.host,
            "address": f"{verification_origin(issuer.host)}/v",
        },
    }

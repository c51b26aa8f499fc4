"""What an application page shows before anything is asked (申请): all of it preset from policy and register."""

import hashlib
from dataclasses import dataclass
from datetime import date

from django.utils import timezone

from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.registry import queries as registry
from xinzheng.apps.reports import packs
from xinzheng.core.decision import china_date, window_of
from xinzheng.core.policy import Policy
from xinzheng.core.sentences import spoken_date
from xinzheng.core.subjects import Subject, SubjectKind


@dataclass(frozen=True, slots=True)
class ApplicationForm:
    """The preset application of one subject under one policy."""

    policy_id: str
    policy_title: str
    document: str
    subject_name: str
    subject_identifier: str
    subject_kind_name: str
    purposes: list[tuple[str, str, str]]
    default_purpose: str
    from_date: date
    to_date: date
    window_text: str
    domains: list[tuple[str, str]]
    may_choose_domains: bool
    may_choose_period: bool
    exceptions: list[str]
    record_word: str
    extension_text: str | None
    other_sections: list[str]


def told_of(form: ApplicationForm) -> str:
    """What stands for the policy's exceptions (不能代替的情形) as they are told; empty where it has none."""
    if not form.exceptions:
        return ""
    return hashlib.sha256("\n".join(form.exceptions).encode()).hexdigest()[:16]


def _window_text(policy: Policy) -> str:
    if policy.window.years is not None:
        return f"近{policy.window.years}年，是政策规定的最长范围。"
    return f"自{spoken_date(policy.window.since or date.min)}起，是政策规定的范围。"


def _extension_text(policy: Policy, today: date) -> str | None:
    extension = policy.extension_on(today)
    if extension is None:
        return None
    note = f"（{extension.note}）" if extension.note else ""
    return f"依据{extension.document}延期执行至{spoken_date(extension.until_date)}{note}"


def application_form(policy_id: str, subject_id: int) -> ApplicationForm:
    """The preset form. Raises ``unknown-policy``; whether a report can be issued at all is decided when it is asked."""
    policy = packs.current_policy(policy_id)
    subject = registry.subject_at(subject_id, head_position())
    today = china_date(timezone.now())
    window = window_of(policy, today)
    return ApplicationForm(
        policy_id=policy.id,
        policy_title=policy.title,
        document=policy.document,
        subject_name=subject.name,
        subject_identifier=subject.identifier,
        subject_kind_name=policy.wording.get(f"kind_{subject.kind}", ""),
        purposes=[(p.code, p.name, p.group) for p in policy.purposes],
        default_purpose=policy.purposes[0].code,
        from_date=window.from_date,
        to_date=window.to_date,
        window_text=_window_text(policy),
        domains=[(d.code, d.name) for d in policy.domains],
        may_choose_domains=policy.choose_domains.is_offered,
        may_choose_period=policy.choose_period.is_offered,
        exceptions=[c.quote for c in policy.exceptions],
        record_word=policy.record_word,
        extension_text=_extension_text(policy, today),
        other_sections=[s.name for s in policy.other],
    )


def _is_at_home(policy: Policy, subject: Subject) -> bool:
    """Whether the division in the subject's code lies in the policy's place."""
    is_person = subject.kind is SubjectKind.NATURAL_PERSON
    division = subject.identifier[:6] if is_person else subject.identifier[2:8]
    return division[:4] == policy.jurisdiction[:4]


def policies_for(subject_id: int) -> list[tuple[str, str]]:
    """The policies that serve this kind of subject and have units that answer, as (id, title); its own place first."""
    position = head_position()
    subject = registry.subject_at(subject_id, position)
    found: list[Policy] = []
    for policy_id in packs.policy_ids():
        if not registry.responsibilities_at(policy_id, position):
            continue
        policy = packs.current_policy(policy_id)
        if subject.kind in {served.kind for served in policy.subject_kinds}:
            found.append(policy)
    found.sort(key=lambda policy: not _is_at_home(policy, subject))
    return [(policy.id, policy.title) for policy in found]


def open_policies(subject_id: int) -> list[tuple[str, str]]:
    """Of these the policies that are in force today: what the subject can apply under now, as (id, title)."""
    today = china_date(timezone.now())
    return [(pid, title) for pid, title in policies_for(subject_id) if packs.current_policy(pid).is_in_force_on(today)]

"""A policy in words for the pages: everything said comes from the pack."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from django.utils import timezone

from xinzheng.apps.reports import packs, ports
from xinzheng.core.decision import window_of
from xinzheng.core.errors import RefusedError
from xinzheng.core.policy import Basis, Citation, Clause, Policy
from xinzheng.core.sentences import say, spoken_date

EFFECT_WORDS = {
    "counted": "计入",
    "marked": "计入并注明",
    "excluded": "不计入",
    "listed_apart": "另行列示",
    "unresolved": "待核实",
}
SPECIMEN_ROWS = 5
NATIONWIDE = "000000"


@dataclass(frozen=True)
class Specimen:
    """The first page of a report in which nothing was found, in the policy's own sentences."""

    titles: Sequence[str]
    conclusion: str
    result: str
    domains: Sequence[str]
    as_of: date


@dataclass(frozen=True)
class ClauseView:
    """A clause as a reader meets it."""

    id: str
    effect: str
    effect_word: str
    reason: str
    source: str
    quote: str
    note: str
    basis_word: str
    in_effect: str
    is_second_hand: bool


def all_policies() -> list[Policy]:
    """Every policy that has a pack today."""
    return [packs.current_policy(policy_id) for policy_id in packs.policy_ids()]


def is_in_force(policy: Policy, day: date) -> bool:
    """Whether reports can be issued on the day, extensions included."""
    return policy.is_in_force_on(day)


def policies_served() -> list[Policy]:
    """The policies that somebody runs today: cities in the order of their division codes, the nation last."""
    today = timezone.localdate()
    served = [policy for policy in all_policies() if is_in_force(policy, today) and _is_deployed(policy)]
    return sorted(served, key=lambda policy: (policy.jurisdiction == NATIONWIDE, policy.jurisdiction))


@lru_cache(maxsize=32)
def guide_quotes(policy_id: str) -> Mapping[str, Citation]:
    """What the decree itself says of showing a code (``show``) and of applying (``apply``), where it does."""
    quotes: Mapping[str, Citation] = ports.policy_files().guide_words(policy_id)
    return quotes


def _is_deployed(policy: Policy) -> bool:
    """Whether somebody issues reports under it."""
    try:
        packs.current_setting(policy.id)
    except RefusedError:
        return False
    return True


def window_text(policy: Policy) -> str:
    """How far the policy looks back, in words."""
    if policy.window.years is not None:
        return f"近{policy.window.years}年"
    return f"{spoken_date(policy.window.since)}以来" if policy.window.since else ""


def in_force_text(policy: Policy) -> str:
    """From when until when the policy is in force, without extensions."""
    return _span(policy.in_effect.from_date, policy.in_effect.until_date)


def specimen(policy: Policy) -> Specimen:
    """What a report would say today if every domain were covered and nothing found."""
    today = timezone.localdate()
    period = window_of(policy, today)
    conclusion = say(
        policy,
        "conclusion_clear",
        起=spoken_date(period.from_date),
        止=spoken_date(period.to_date),
        n=len(policy.domains),
    )
    return Specimen(
        titles=policy.report_title,
        conclusion=conclusion,
        result=say(policy, "none_found", 日期="").partition("（")[0],
        domains=[domain.name for domain in policy.domains[:SPECIMEN_ROWS]],
        as_of=today,
    )


def clause_views(policy: Policy) -> list[ClauseView]:
    """The clauses in the order in which they are weighed."""
    return [_clause_view(clause) for clause in policy.clauses]


def basis_word(basis: Basis) -> str:
    """Whether the source says so or we read it so."""
    return "政策原文" if basis is Basis.STATUTE else "系统理解，可以提请裁定"


def _clause_view(clause: Clause) -> ClauseView:
    span = clause.in_effect
    dated = span.from_date is not None or span.until_date is not None
    return ClauseView(
        id=clause.id,
        effect=str(clause.effect),
        effect_word=EFFECT_WORDS[clause.effect],
        reason=clause.reason,
        source="，".join(filter(None, (clause.citation.source, clause.citation.section))),
        quote=clause.citation.quote,
        note=clause.citation.note,
        basis_word=basis_word(clause.basis),
        in_effect=_span(span.from_date, span.until_date) if dated else "",
        is_second_hand=clause.citation.second_hand,
    )


def _span(from_date: date | None, until_date: date | None) -> str:
    start = f"{spoken_date(from_date)}起" if from_date else ""
    if until_date is None:
        return f"自{start}" if start else "长期"
    return f"自{start}至{spoken_date(until_date)}" if start else f"至{spoken_date(until_date)}"

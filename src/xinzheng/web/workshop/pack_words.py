"""A pack in words for whoever reviews it: each rule with what it applies to and what it rests on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from xinzheng.apps.reports import ports
from xinzheng.core.policy import Basis, Citation, Clause, Effect, Policy
from xinzheng.web.public.policy_words import EFFECT_WORDS, basis_word, in_force_text, window_text


@dataclass(frozen=True)
class Rested:
    """A rule and what it rests on (依据)."""

    name: str
    said: str
    source: str
    quote: str
    note: str
    basis: str
    is_second_hand: bool


@dataclass(frozen=True)
class ClauseWords:
    """A clause as a reviewer reads it: its number, what it does, to what, and why."""

    id: str
    effect: str
    effect_word: str
    applies_to: str
    rested: Rested
    mark: str
    hides: bool


@dataclass(frozen=True)
class PackWords:
    """All of a pack."""

    rules: Sequence[Rested]
    clauses: Sequence[ClauseWords]
    wording: Mapping[str, str]


def pack_words(policy: Policy) -> PackWords:
    """The pack's rules, its clauses in the order in which they are weighed, and its sentences."""
    return PackWords(_rules(policy), [_clause(policy, clause) for clause in policy.clauses], policy.wording)


def _rules(policy: Policy) -> list[Rested]:
    rules = [
        _rested("施行时间", in_force_text(policy), policy.in_effect_citation, policy.in_effect_basis),
        _rested("查询期", window_text(policy), policy.window.citation, policy.window.basis),
        _rested(
            "选择领域",
            _offered(policy.choose_domains.is_offered),
            policy.choose_domains.citation,
            policy.choose_domains.basis,
        ),
        _rested(
            "选择查询期",
            _offered(policy.choose_period.is_offered),
            policy.choose_period.citation,
            policy.choose_period.basis,
        ),
        _rested("领域", f"{len(policy.domains)}个", policy.domains_citation, policy.domains_basis),
        _rested(
            "数据时限", f"可以晚{policy.freshness_days}个工作日", policy.freshness_citation, policy.freshness_basis
        ),
    ]
    rules += [
        _rested("适用主体", policy.wording.get(f"kind_{one.kind}", str(one.kind)), one.citation, one.basis)
        for one in policy.subject_kinds
    ]
    if policy.validity is not None:
        said = f"出具日以后{policy.validity.days}日"
        rules.append(_rested("报告有效期", said, policy.validity.citation, policy.validity.basis))
    return rules


def _offered(is_offered: bool) -> str:
    return "可以" if is_offered else "不提供"


def _rested(name: str, said: str, citation: Citation, basis: Basis) -> Rested:
    source = "，".join(filter(None, (citation.source, citation.section)))
    return Rested(name, said, source, citation.quote, citation.note, basis_word(basis), citation.second_hand)


def _clause(policy: Policy, clause: Clause) -> ClauseWords:
    return ClauseWords(
        clause.id,
        str(clause.effect),
        EFFECT_WORDS[Effect(clause.effect)],
        ports.policy_files().condition_text(clause.condition, policy),
        _rested("", clause.reason, clause.citation, clause.basis),
        clause.mark or "",
        clause.hides,
    )

"""Sentences (用语): a policy's own templates filled in; nothing a decree says stands here."""

from collections.abc import Sequence
from datetime import date

from xinzheng.core.coverage import Gap, GapReason
from xinzheng.core.policy import Policy

UNITS_NAMED = 5


def spoken_date(day: date) -> str:
    """2026年11月21日."""
    return f"{day.year}年{day.month}月{day.day}日"


def say(policy: Policy, key: str, **values: object) -> str:
    """The policy's sentence ``key`` with its placeholders filled; {记录} is the decree's word unless given."""
    return policy.wording[key].format(**{"记录": policy.record_word, **values})


def named_units(names: Sequence[str]) -> str:
    """The units' names; a long list is cut and says how many there are."""
    unique = list(dict.fromkeys(names))
    if len(unique) <= UNITS_NAMED:
        return "、".join(unique)
    return "、".join(unique[: UNITS_NAMED - 2]) + f"等{len(unique)}个单位"


def _clause(policy: Policy, gaps: Sequence[Gap]) -> str:
    first = gaps[0]
    day = first.since if first.reason is GapReason.STARTS_LATE else first.through
    units = named_units([gap.unit_name for gap in gaps])
    lines = sum(gap.lines for gap in gaps)
    return say(policy, f"gap_{first.reason}", 单位=units, n=lines, 日期=spoken_date(day) if day else "")


def gap_clauses(policy: Policy, gaps: Sequence[Gap], unresolved: int = 0) -> str:
    """What is missing: records that wait for a fact, then units; gaps with the same reason and day share a clause."""
    groups: dict[tuple[GapReason, date | None], list[Gap]] = {}
    for gap in gaps:
        groups.setdefault((gap.reason, gap.through or gap.since), []).append(gap)
    clauses = [say(policy, "gap_unresolved", n=unresolved)] if unresolved else []
    return "；".join([*clauses, *(_clause(policy, group) for group in groups.values())])


def not_verifiable(policy: Policy, gaps: Sequence[Gap], unresolved: int, word: str) -> str:
    """未能核查, and why: data that ends early last, since only that kind says what cannot be judged."""
    ordered = sorted(gaps, key=lambda gap: gap.reason is GapReason.ENDS_EARLY)
    ends_early = bool(ordered) and ordered[-1].reason is GapReason.ENDS_EARLY
    frame = "not_verifiable_ends_early" if ends_early else "not_verifiable"
    return say(policy, frame, 缺口=gap_clauses(policy, ordered, unresolved), 记录=word)

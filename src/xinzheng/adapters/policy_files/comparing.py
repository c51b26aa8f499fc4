"""Comparing two packs (政策包对照): clause by clause, then every other part, in words, before and after."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from xinzheng.adapters.policy_files.condition_text import VALUE_NAMES, condition_text
from xinzheng.adapters.policy_files.part_words import EFFECT_NAMES, other_parts, rests_on, span_text
from xinzheng.core.policy import Clause, Policy

CLAUSES = "条款"
ADDED, REMOVED, MOVED = "新增", "删除", "顺序"
Aspects = Mapping[str, str]
# Where two things differ and their words do not, more than words has to be said.
EXACT = "{}（{}）"


@dataclass(frozen=True, slots=True)
class ClauseChange:
    """One difference (差异) between two packs.

    ``id`` is the clause's, or what of the part differs; ``what`` the aspect: 认定, 条件, 理由…, or 新增, 删除, 顺序.
    ``before`` and ``after`` are the words then and now, empty where it is not there. ``part``: 条款, 领域, 用语…
    """

    id: str
    what: str
    before: str
    after: str
    part: str = CLAUSES


def compared(old: Policy, new: Policy) -> tuple[ClauseChange, ...]:
    """Every difference between two policies: the clauses in the new order, then all else; of equal ones none.

    What only the bytes differ in (comments, spacing) is no difference: the digests tell of it.
    """
    rows = list(_clauses(old, new))
    before, after = other_parts(old), other_parts(new)
    for part in dict.fromkeys((*before, *after)):
        rows += _differences(part, before.get(part, {}), after.get(part, {}))
    return tuple(rows)


def _clauses(old: Policy, new: Policy) -> Iterator[ClauseChange]:
    before, after = _by_key(old.clauses), _by_key(new.clauses)
    moved = _moved(list(before), list(after))
    place_before, place_after = _places(before), _places(after)
    for key in (*after, *(key for key in before if key not in after)):
        one, other = before.get(key), after.get(key)
        if one is None and other is not None:
            yield ClauseChange(key[0], ADDED, "", f"{place_after[key]}：{_whole(other, new)}")
        elif one is not None and other is None:
            yield ClauseChange(key[0], REMOVED, f"{place_before[key]}：{_whole(one, old)}", "")
        elif one is not None and other is not None:
            yield from _aspects_changed(key[0], _aspects(one, old), _aspects(other, new))
            if one.condition != other.condition and condition_text(one.condition, old) == condition_text(
                other.condition, new
            ):
                yield ClauseChange(key[0], "条件", _exactly(one, old), _exactly(other, new))
            if key in moved:
                yield ClauseChange(key[0], MOVED, place_before[key], place_after[key])


def _by_key(clauses: Sequence[Clause]) -> dict[tuple[str, int], Clause]:
    """Clauses by id, and by which of this id they are: one may stand several times with dates of its own."""
    found: dict[tuple[str, int], Clause] = {}
    for clause in clauses:
        again = sum(key[0] == clause.id for key in found)
        found[clause.id, again] = clause
    return found


def _places(clauses: Mapping[tuple[str, int], Clause]) -> dict[tuple[str, int], str]:
    return {key: f"第{place}条" for place, key in enumerate(clauses, 1)}


def _moved(before: Sequence[Hashable], after: Sequence[Hashable]) -> set[Hashable]:
    """What stands in another order among what both have."""
    first = [key for key in before if key in after]
    second = [key for key in after if key in before]
    blocks = SequenceMatcher(None, first, second, autojunk=False).get_matching_blocks()
    return set(first) - {key for block in blocks for key in first[block.a : block.a + block.size]}


def _aspects(clause: Clause, policy: Policy) -> Aspects:
    return {
        "认定": EFFECT_NAMES[clause.effect] + ("，依法不得提供" if clause.hides else ""),
        "条件": condition_text(clause.condition, policy),
        "理由": clause.reason,
        "注明": clause.mark or "",
        "适用日期": span_text(clause.in_effect),
        "依据": rests_on(clause.citation, clause.basis),
    }


def _whole(clause: Clause, policy: Policy) -> str:
    return "；".join(f"{what}：{text}" for what, text in _aspects(clause, policy).items() if text)


def _exactly(clause: Clause, policy: Policy) -> str:
    return EXACT.format(condition_text(clause.condition, policy), clause.condition)


def _aspects_changed(name: str, before: Aspects, after: Aspects, part: str = CLAUSES) -> Iterator[ClauseChange]:
    for what in dict.fromkeys((*before, *after)):
        one, other = before.get(what, ""), after.get(what, "")
        if one != other:
            yield ClauseChange(name, what, one, other, part)


def _differences(part: str, before: Mapping[str, Aspects], after: Mapping[str, Aspects]) -> Iterator[ClauseChange]:
    """What differs in a part: its members by their code, and their order."""
    for name in (*after, *(name for name in before if name not in after)):
        if name not in before:
            yield ClauseChange(name, ADDED, "", _all_words(after[name]), part)
        elif name not in after:
            yield ClauseChange(name, REMOVED, _all_words(before[name]), "", part)
        else:
            yield from _aspects_changed(name, before[name], after[name], part)
    first, second = ([name for name in one if name in other] for one, other in ((before, after), (after, before)))
    if first != second:
        yield ClauseChange(part, MOVED, _listed(first), _listed(second), part)


def _listed(names: Sequence[str]) -> str:
    return "、".join(VALUE_NAMES.get(name, name) for name in names)


def _all_words(aspects: Aspects) -> str:
    return "；".join(f"{what}：{text}" for what, text in aspects.items() if text)

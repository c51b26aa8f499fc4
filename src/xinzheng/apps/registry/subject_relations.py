"""Check what a subject file says of successions: against the file, against the register, and for rings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self, TypeAlias

from xinzheng.apps.registry.models import MISTYPED
from xinzheng.apps.registry.subject_links import CodeOwners, defect_of
from xinzheng.apps.registry.subject_rows import Relation, RowDefect, Stand, SubjectRow
from xinzheng.apps.registry.succession_rings import rings
from xinzheng.apps.registry.successions import (
    KIND_NAMES,
    Link,
    SuccessionState,
    succession_states,
    successors_above,
)
from xinzheng.core.identifiers import check_uscc
from xinzheng.core.subjects import Tie

# A registered subject by its key, another by its code.
Node: TypeAlias = int | str


@dataclass(frozen=True)
class _Register:
    """What is registered of the subjects that the rows name."""

    owners: CodeOwners
    states: Mapping[Link, SuccessionState]
    by_subject: Mapping[int, Sequence[Link]]

    @classmethod
    def read(cls, rows: Sequence[SubjectRow], owners: CodeOwners) -> Self:
        keys = {owners.subject_of(row.code) for row in rows if not row.is_person}
        states = succession_states(key for key in keys if key is not None)
        by_subject: dict[int, list[Link]] = {}
        for link, state in states.items():
            if not state.is_ended:
                by_subject.setdefault(link[0], []).append(link)
        return cls(owners, states, by_subject)

    def node(self, code: str) -> Node:
        """What the code stands for."""
        found = self.owners.subject_of(code)
        return code if found is None else found

    def state(self, row: SubjectRow, relation: Relation) -> SuccessionState | None:
        """The registered succession that a relation speaks of."""
        own, other = self.owners.subject_of(row.code), self.owners.subject_of(relation.code)
        return None if own is None or other is None else self.states.get((own, other, str(relation.kind)))

    def standing(self, row: SubjectRow) -> set[tuple[Node, str]]:
        """Successor and kind of what holds of the row's subject now."""
        own = self.owners.subject_of(row.code)
        return set() if own is None else {(link[1], link[2]) for link in self.by_subject.get(own, ())}


def check_relations(
    rows: Sequence[SubjectRow], owners: CodeOwners, headings: Mapping[str, str]
) -> tuple[list[SubjectRow], list[RowDefect]]:
    """The rows whose relations hold, and why the others do not.

    A related subject that is neither registered nor in the file is no defect if its code is valid: it is queued for
    review. Of a ring every line is rejected, for none of them tells which is the wrong one.
    """
    register = _Register.read(rows, owners)
    kept: list[SubjectRow] = []
    defects: list[RowDefect] = []
    for row in rows:
        found = _fault(row, register) if not row.is_person else None
        if found is None:
            kept.append(row)
        else:
            defects.append(defect_of(row, *found, headings))
    return _without_rings(kept, register, headings, defects)


def _fault(row: SubjectRow, register: _Register) -> tuple[str, str, str] | None:
    """Field, code and message of the first thing wrong with a row's relations."""
    own = register.node(row.code)
    standing = register.standing(row)
    if any(kind == MISTYPED for _, kind in standing):
        message = "该代码已在待核时认定为误录并入另一主体；确有此主体的，请先撤销该认定再导入。"
        return "code", "code-linked", message
    for relation in row.relations:
        found = _fault_of_one(own, relation, register, register.state(row, relation))
        if found is not None:
            return found
    ended = {_successor(r, register) for r in row.relations if r.stand is Stand.WITHDRAWN}
    told = {_successor(r, register) for r in row.relations if r.stand is not Stand.WITHDRAWN}
    return _contradiction((standing - ended) | told) if told - standing else None


def _successor(relation: Relation, register: _Register) -> tuple[Node, str]:
    return register.node(relation.code), str(relation.kind)


def _fault_of_one(
    own: Node, relation: Relation, register: _Register, state: SuccessionState | None
) -> tuple[str, str, str] | None:
    other = register.node(relation.code)
    if other == own:
        return "related_code", "related-subject-self", "关联主体不能是本行主体，请核对关联主体代码。"
    if isinstance(other, str) and not check_uscc(other).ok:
        message = "关联主体不在主体名录中，代码也不是有效的统一社会信用代码，请核对关联主体代码。"
        return "related_code", "related-subject-unknown", message
    if relation.stand is not Stand.HOLDS and state is None:
        message = f"没有登记过这个“{KIND_NAMES[relation.kind]}”关系，无从{relation.stand.value}，请核对关联主体代码。"
        return "relation_state", "relation-not-registered", message
    if relation.stand is Stand.HOLDS and state is not None and state.is_ended:
        message = "这个承继关系已经撤销；确属有效的，请在“关系状态”列写“恢复”，否则请删去承继关系。"
        return "relation", "relation-withdrawn", message
    return None


def _contradiction(together: set[tuple[Node, str]]) -> tuple[str, str, str] | None:
    """One subject is tied to another in one way only, and is renamed into one only."""
    if len({other for other, _ in together}) < len(together):
        message = "同一关联主体有两种承继关系（本行与名录，或者本行之内），请先撤销不对的一种。"
        return "relation", "relations-contradict", message
    if sum(kind == Tie.RENAMED for _, kind in together) > 1:
        message = "一个主体不能更名为两个主体（本行与名录，或者本行之内），请先撤销不对的一个；分成几个的，写分立。"
        return "relation", "renamed-twice", message
    return None


def _without_rings(
    rows: list[SubjectRow], register: _Register, headings: Mapping[str, str], defects: list[RowDefect]
) -> tuple[list[SubjectRow], list[RowDefect]]:
    edges = {row.line: list(_new_edges(row, register)) for row in rows if row.relations}
    new = [edge for found in edges.values() for edge in found]
    ended = {
        (register.node(row.code), register.node(relation.code))
        for row in rows
        for relation in row.relations
        if relation.stand is Stand.WITHDRAWN
    }
    registered = successors_above(node for edge in new for node in edge if isinstance(node, int)) if new else []
    ring = rings([*new, *(edge for edge in registered if edge not in ended)])
    on_ring = {
        line
        for line, found in edges.items()
        if any(start in ring and ring[start] == ring.get(end) for start, end in found)
    }
    message = "承继关系成了循环：本行主体又成了自己的承继者。请核对这一圈各行的关联主体代码，改对后重新导入。"
    defects += [
        defect_of(row, "related_code", "succession-ring", message, headings) for row in rows if row.line in on_ring
    ]
    return [row for row in rows if row.line not in on_ring], defects


def _new_edges(row: SubjectRow, register: _Register) -> list[tuple[Node, Node]]:
    standing = register.standing(row)
    told = [r for r in row.relations if r.stand is not Stand.WITHDRAWN and _successor(r, register) not in standing]
    return [(register.node(row.code), register.node(relation.code)) for relation in told]

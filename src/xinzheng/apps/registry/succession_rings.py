"""Find rings of successions (循环承继): nobody can end up as part of itself."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

N = TypeVar("N", bound=Hashable)


def rings(edges: Iterable[tuple[N, N]]) -> dict[N, int]:
    """The nodes that lie on a ring, with the number of their ring: two of the same number reach each other.

    Tarjan's strongly connected components, without recursion: a chain may be as long as the file. Linear in the edges.
    """
    following: dict[N, list[N]] = defaultdict(list)
    for start, end in edges:
        following[start].append(end)
    search: _Search[N] = _Search({node: tuple(ends) for node, ends in following.items()})
    for node in following:
        search.from_node(node)
    return search.found


@dataclass
class _Search(Generic[N]):
    following: dict[N, tuple[N, ...]]
    order: dict[N, int] = field(default_factory=dict)
    lowest: dict[N, int] = field(default_factory=dict)
    stack: list[N] = field(default_factory=list)
    waiting: set[N] = field(default_factory=set)
    found: dict[N, int] = field(default_factory=dict)

    def from_node(self, node: N) -> None:
        if node in self.order:
            return
        path: list[tuple[N, Iterator[N]]] = [(node, self._enter(node))]
        while path:
            here, ends = path[-1]
            end = next(ends, None)
            if end is None:
                path.pop()
                if path:
                    self.lowest[path[-1][0]] = min(self.lowest[path[-1][0]], self.lowest[here])
                self._leave(here)
            elif end not in self.order:
                path.append((end, self._enter(end)))
            elif end in self.waiting:
                self.lowest[here] = min(self.lowest[here], self.order[end])

    def _enter(self, node: N) -> Iterator[N]:
        self.order[node] = self.lowest[node] = len(self.order)
        self.stack.append(node)
        self.waiting.add(node)
        return iter(self.following.get(node, ()))

    def _leave(self, node: N) -> None:
        if self.lowest[node] != self.order[node]:
            return
        together: list[N] = []
        while not together or together[-1] != node:
            together.append(self.stack.pop())
            self.waiting.discard(together[-1])
        if len(together) > 1:
            self.found |= dict.fromkeys(together, self.order[node])

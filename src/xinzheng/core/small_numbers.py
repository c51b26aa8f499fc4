"""Small numbers (小数字) in published totals: what could point at one company is neither shown nor to be worked out."""

from collections.abc import Mapping
from dataclasses import dataclass

LEAST = 5


@dataclass(frozen=True, slots=True)
class Published:
    """A total and its parts as everybody may read them; None is not shown."""

    total: int | None
    parts: Mapping[str, int | None]

    @property
    def hides_something(self) -> bool:
        """Whether anything is left out."""
        return self.total is None or None in self.parts.values()


def published(counts: Mapping[str, int], least: int = LEAST) -> Published:
    """The parts of a total, those below ``least`` left out, and so many more that no difference tells them.

    Nought is shown. Of a total below ``least`` nothing is shown but that it is.
    """
    total = sum(counts.values())
    if 0 < total < least:
        return Published(None, dict.fromkeys(counts))
    hidden = {name for name, count in counts.items() if 0 < count < least}
    others = sorted((count, name) for name, count in counts.items() if count >= least)
    for _, name in others:
        if not hidden or (len(hidden) > 1 and sum(counts[each] for each in hidden) >= least):
            break
        hidden.add(name)
    return Published(total, {name: None if name in hidden else count for name, count in counts.items()})

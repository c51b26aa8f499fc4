"""Mistakes (错误) of a pack or case file, collected so that every one is reported, each with file and line."""

from collections.abc import Callable
from dataclasses import dataclass, field

from xinzheng.core.errors import PolicyError


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """One mistake: file, line (from 1), and what to do about it in Chinese."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}：{self.message}"


@dataclass(slots=True)
class Mistakes:
    """What was found wrong so far; ``refuse`` ends the reading."""

    found: list[Mistake] = field(default_factory=list)

    def add(self, file: str, line: int, message: str) -> None:
        """Note one mistake and go on reading."""
        mistake = Mistake(file, line, message)
        if mistake not in self.found:
            self.found.append(mistake)

    def refuse(self) -> None:
        """Raise one PolicyError that lists every mistake, ordered by file and line, if there is any."""
        if not self.found:
            return
        ordered = sorted(self.found)
        raise PolicyError("\n".join(map(str, ordered)), mistakes=tuple(ordered))


def mistakes_of(read: Callable[[], object]) -> tuple[Mistake, ...]:
    """The mistakes that reading reports; empty when there is none."""
    try:
        read()
    except PolicyError as error:
        listed = error.context.get("mistakes")
        return listed if isinstance(listed, tuple) else (Mistake("", 0, error.message),)
    return ()

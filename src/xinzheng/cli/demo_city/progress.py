"""Show how far a long piece of work is: a bar on a terminal, plain lines elsewhere; always on stderr."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn


class Watcher(Protocol):
    """Is told how the work goes on."""

    def begin(self, title: str, total: int) -> None:
        """A step begins that has so many parts."""
        ...

    def advance(self, said: str = "") -> None:
        """One part is done; ``said`` names it."""
        ...


class PlainLines:
    """One line for each step when it is over, with its time."""

    def __init__(self) -> None:
        self._open: tuple[str, float] | None = None

    def begin(self, title: str, total: int) -> None:  # noqa: ARG002  the shape of Watcher
        """Close the step before."""
        self.close()
        self._open = (title, time.monotonic())

    def advance(self, said: str = "") -> None:
        """Nothing to show."""

    def close(self) -> None:
        """Say what the last step took."""
        if self._open is not None:
            title, began = self._open
            print(f"  {title}  {time.monotonic() - began:.1f} 秒", file=sys.stderr, flush=True)
            self._open = None


@contextmanager
def watching() -> Iterator[Watcher]:
    """A bar when stderr is a terminal, else plain lines."""
    if not sys.stderr.isatty():
        lines = PlainLines()
        try:
            yield lines
        finally:
            lines.close()
        return
    with _bar() as bar:
        yield bar


@contextmanager
def _bar() -> Iterator[Watcher]:
    columns = (
        TextColumn("  {task.description}"),
        BarColumn(bar_width=32, style="grey50", complete_style="blue", finished_style="blue"),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("[dim]{task.fields[said]}[/dim]"),
    )
    # Gone when the work is done: what was loaded is then told in words.
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        yield Bars(progress)


class Bars:
    """Each step is a bar below the one before."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._open: TaskID | None = None

    def begin(self, title: str, total: int) -> None:
        """Begin a bar; the one before says nothing more."""
        if self._open is not None:
            self._progress.update(self._open, said="")
        self._open = self._progress.add_task(title, total=total, said="")

    def advance(self, said: str = "") -> None:
        """Move the bar."""
        if self._open is not None:
            self._progress.update(self._open, advance=1, said=said)

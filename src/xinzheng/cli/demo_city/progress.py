"""Show how far a long piece of work is: a bar on a terminal, plain lines elsewhere; always on stderr."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


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
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("  {task.description}"),
        BarColumn(bar_width=32, style="grey50", complete_style="blue", finished_style="blue"),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("[dim]{task.fields[said]}"),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        yield _RichBar(progress)


class _RichBar:
    """Steps as bars below each other."""

    def __init__(self, progress: "object") -> None:
        from rich.progress import Progress

        if not isinstance(progress, Progress):
            raise TypeError("a rich Progress is needed")
        self._progress = progress
        self._task: object = None

    def begin(self, title: str, total: int) -> None:
        """Begin a bar; the one before is full."""
        self._finish()
        self._task = self._progress.add_task(title, total=total, said="")

    def advance(self, said: str = "") -> None:
        """Move the bar."""
        self._progress.update(self._task, advance=1, said=said)  # type: ignore[arg-type]

    def _finish(self) -> None:
        if self._task is not None:
            self._progress.update(self._task, said="")  # type: ignore[arg-type]

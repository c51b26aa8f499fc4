"""One stretch is written while the next is judged: on the delivery's own connection, by a thread that borrows it.

Only one of the two may use the connection. Whoever judges gets it back by waiting for the write under way: statements
do so by themselves, a COPY has to ask for it (``Writer.wait``).
"""

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import get_ident
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections

Write = Callable[[], object]
# How long a thread may keep the interpreter from another: the server waits for who sends, and judging computes long.
SWITCH_SECONDS = 0.0005


@dataclass
class Writer:
    """The thread that writes, what it is to write next, and what it is writing."""

    pool: ThreadPoolExecutor
    owner: int = field(default_factory=get_ident)
    next_write: Write | None = None
    under_way: "Future[object] | None" = None

    def hand(self, write: Write) -> None:
        """What to write once ``begin`` is called; it is then no longer the caller's."""
        self.begin()
        self.next_write = write

    def begin(self) -> None:
        """Begin what was handed over, after what is under way."""
        if self.next_write is not None:
            self.wait()
            self.under_way, self.next_write = self.pool.submit(self.next_write), None

    def wait(self) -> None:
        """Wait until the connection is free. Raises what the write raised."""
        if self.under_way is not None:
            done, self.under_way = self.under_way, None
            done.result()

    def finish(self) -> None:
        """Write all that was handed over."""
        self.begin()
        self.wait()

    def guard(self, execute: Callable[..., Any], *args: Any) -> Any:
        """Have the statements of the thread that judges wait (Django's ``execute_wrapper``)."""
        if get_ident() == self.owner:
            self.wait()
        return execute(*args)


@contextmanager
def _switching_often() -> Iterator[None]:
    """The interpreter changes threads more often, for everybody in this process."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(min(usual, SWITCH_SECONDS))
    try:
        yield
    finally:
        sys.setswitchinterval(usual)


@contextmanager
def writing_behind() -> Iterator[Writer]:
    """A writer on this thread's connection; what is under way is over when it is left, however it is left."""
    shared = connections[DEFAULT_DB_ALIAS]

    def borrow() -> None:
        connections[DEFAULT_DB_ALIAS] = shared

    shared.inc_thread_sharing()
    try:
        with _switching_often(), ThreadPoolExecutor(1, thread_name_prefix="write", initializer=borrow) as pool:
            writer = Writer(pool)
            with shared.execute_wrapper(writer.guard):
                try:
                    yield writer
                except BaseException:
                    # The pool's end waits for the write under way; what it raises too is of no interest any more.
                    writer.under_way = writer.next_write = None
                    raise
                writer.finish()
    finally:
        shared.dec_thread_sharing()

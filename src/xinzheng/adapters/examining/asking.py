"""Have a stranger's file examined (受限核验) in a process of its own, bounded in time, memory and files.

One small process is started lazily beside each process that verifies, and forks a child for each file; see process.py.
What the child does not answer in time is not examined.
"""

import atexit
import logging
import os
import select
import socket
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, TypeVar

from xinzheng.adapters.examining.framing import (
    ORDER,
    READY,
    AnswerError,
    Limits,
    NotExaminedError,
    Unexamined,
    Work,
    send_part,
)

T = TypeVar("T")
PLACES = 4
PIECE = 1 << 20
STARTING_SECONDS = 30.0
GRACE_SECONDS = 2.0
PROCESS = "xinzheng.adapters.examining.process"

log = logging.getLogger(__name__)


def examine_apart(source: BinaryIO, work: Work[T], limits: Limits) -> T:
    """What ``work`` finds in the file ``source`` is open on, read from its beginning whatever its position.

    Raises:
        NotExaminedError: it is too large, takes more than ``limits``, or found no free place while it waited.
    """
    places = _running.places
    if not places.acquire(timeout=limits.waiting_seconds):
        raise NotExaminedError(Unexamined.BUSY)
    try:
        with _as_file(source, work.max_bytes) as file:
            if os.fstat(file.fileno()).st_size > work.max_bytes:
                raise NotExaminedError(Unexamined.TOO_LARGE)
            return _examine(file.fileno(), work, limits)
    except (OSError, AnswerError, subprocess.SubprocessError) as error:
        log.warning("examiner: %s", type(error).__name__)
        raise NotExaminedError(Unexamined.UNAVAILABLE) from error
    finally:
        places.release()


class _Examiner:
    """The process beside this one, and the socket to it."""

    def __init__(self) -> None:
        self.owner = os.getpid()
        self._control, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 — our own module, by our own interpreter
                [sys.executable, "-P", "-m", PROCESS],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                env={"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PYTHONDONTWRITEBYTECODE": "1"},
                cwd="/",
                start_new_session=True,
            )
        self._control.settimeout(STARTING_SECONDS)
        self._sending = threading.Lock()
        if not self._is_ready():
            self.close()
            raise AnswerError("did not start")

    def _is_ready(self) -> bool:
        try:
            return self._control.recv(1) == READY
        except OSError:
            return False

    def examine(self, file: int, work: Work[T], limits: Limits) -> T:
        """Hand the file in, wait for the answer. No answer means that a limit was reached, or that this is gone."""
        ours, theirs = socket.socketpair()
        with ours:
            with theirs, self._sending:
                order = ORDER.pack(work.kind, limits.wall_seconds, limits.cpu_seconds, limits.memory_bytes)
                socket.send_fds(self._control, [order], [file, theirs.fileno()])
            ours.settimeout(limits.wall_seconds + GRACE_SECONDS)
            try:
                send_part(ours, work.message)
                return work.read(ours)
            except TimeoutError as error:  # the process should have ended the child before: it hangs itself
                self.close()
                raise NotExaminedError(Unexamined.OVER_LIMIT) from error
            except (OSError, AnswerError) as error:
                if not self.is_alive:
                    raise
                raise NotExaminedError(Unexamined.OVER_LIMIT) from error

    @property
    def is_alive(self) -> bool:
        """Whether it still listens: it says nothing after READY, so whatever can be read is its end."""
        if self.owner != os.getpid() or self._control.fileno() < 0:
            return False
        listening = select.poll()
        listening.register(self._control, select.POLLIN)
        return not listening.poll(0)

    def close(self) -> None:
        self._control.close()
        if self.owner != os.getpid():
            self._process.returncode = 0  # another process's child: not ours to wait for
            return
        try:
            self._process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class _Running:
    """What of this there is in this process; a fork begins anew."""

    def __init__(self) -> None:
        self.places = threading.BoundedSemaphore(PLACES)
        self.starting = threading.Lock()
        self.examiner: _Examiner | None = None

    def alive(self) -> _Examiner:
        """The process beside this one, started if there is none."""
        with self.starting:
            if self.examiner is not None and not self.examiner.is_alive:
                self.examiner.close()
                self.examiner = None
            self.examiner = self.examiner or _Examiner()
            return self.examiner


_running = _Running()


def close_examiner() -> None:
    """End this process's examiner; the next file starts another."""
    with _running.starting:
        if _running.examiner is not None:
            _running.examiner.close()
            _running.examiner = None


def _begin_anew() -> None:
    global _running  # noqa: PLW0603 — locks that another thread held at the fork would never be released
    if _running.examiner is not None:
        _running.examiner.close()
    _running = _Running()


os.register_at_fork(after_in_child=_begin_anew)
atexit.register(close_examiner)


def _examine(file: int, work: Work[T], limits: Limits) -> T:
    """Once more in a new process if the process itself, not the child, was gone."""
    try:
        return _running.alive().examine(file, work, limits)
    except (OSError, AnswerError):
        return _running.alive().examine(file, work, limits)


@contextmanager
def _as_file(source: BinaryIO, max_bytes: int) -> Iterator[BinaryIO]:
    """``source`` itself if it is a file on the disk, else a nameless copy, ended soon after what is allowed."""
    try:
        if stat.S_ISREG(os.fstat(source.fileno()).st_mode):
            source.flush()
            yield source
            return
    except (OSError, AttributeError):  # in memory, or a pipe
        pass
    with tempfile.TemporaryFile() as copy:
        source.seek(0)
        while copy.tell() <= max_bytes and (piece := source.read(PIECE)):
            copy.write(piece)
        copy.flush()
        yield copy

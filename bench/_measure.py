"""A piece of work in a process of its own: how much it did, its seconds, its processor seconds and its peak memory."""

import multiprocessing
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path


@dataclass(frozen=True)
class Measured:
    """``count`` of whatever was done; seconds on the clock and of all processors; peak memory in MiB."""

    count: int
    seconds: float
    processor_seconds: float
    peak: int

    @property
    def per_second(self) -> float:
        """How many a second."""
        return self.count / self.seconds

    @property
    def per_processor_second(self) -> float:
        """How many a second of processor time: what other work on the machine disturbs least."""
        return self.count / self.processor_seconds


def peak_memory() -> int:
    """Peak memory of this process in MiB. Unlike what getrusage tells, not inherited from who started it."""
    found = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())
    if found is None:
        raise LookupError("VmHWM")
    return int(found[1]) // 1024


def _run(work: Callable[[Path], int], path: Path, answer: Connection) -> None:
    begun, begun_processor = time.perf_counter(), time.process_time()
    count = work(path)
    seconds, processor = time.perf_counter() - begun, time.process_time() - begun_processor
    answer.send(Measured(count, seconds, processor, peak_memory()))


def measured(work: Callable[[Path], int], path: Path) -> Measured:
    """Run a function of a file in a fresh process. Raises EOFError where that process ended without an answer."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_run, args=(work, path, theirs))
    process.start()
    theirs.close()
    result: Measured = ours.recv()
    process.join()
    return result


def best(runs: list[Measured]) -> Measured:
    """The quickest run, the one that other work on the machine disturbed least."""
    return min(runs, key=lambda run: run.seconds)

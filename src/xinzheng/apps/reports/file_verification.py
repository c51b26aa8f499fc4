"""Verifying many files at once (批量核验文件): examined two at a time within a time for all, looked up together."""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from threading import BoundedSemaphore
from typing import Any, BinaryIO, NamedTuple

from xinzheng.apps.reports import ports
from xinzheng.apps.reports.looks import COMMAND_LINE, record_looks
from xinzheng.apps.reports.registered import by_numbers, digests_of_files
from xinzheng.apps.reports.trusting import current_trust, examined
from xinzheng.apps.reports.verification import Verdict, document_verdict, number_in, sha256_of
from xinzheng.core.errors import XinzhengError

FILES_AT_MOST = 100
# Of the examiner's four places a batch takes two: whoever verifies one file meanwhile finds a place.
AT_ONCE = 2
SECONDS_FOR_ALL = 40.0
PDF_MARK = b"%PDF-"
NOT_A_PDF = "这不是PDF文件，没有核对。请上传收到的报告原文件，不要用截图或者扫描件。"
NOT_REACHED = f"整批核对超过{SECONDS_FOR_ALL:.0f}秒，这份没有核对到。请另行核验。"
ALREADY_RUNNING = "正在核对另一批文件，这一批没有核对。请过一分钟再试，或者逐份核验。"

_running = BoundedSemaphore(1)


class BatchRunningError(XinzhengError):
    """Another batch of files is being examined by this process."""

    code = "examiner-busy"


class Examined(NamedTuple):
    """What was found in one file before the register was asked: its facts, its digest, the number it names."""

    facts: Any
    digest: bytes
    number: str | None


def verify_files(sources: Sequence[BinaryIO], by: str = COMMAND_LINE) -> list[Verdict]:
    """A verdict for each file, in their order. Each that told a status is recorded as a look of its own.

    What takes too long, is no PDF or was not reached has no facts and says why; it takes nothing from the others.

    Raises:
        ValueError: more than a hundred.
        BatchRunningError: another batch is being examined.
    """
    if len(sources) > FILES_AT_MOST:
        raise ValueError(len(sources))
    with _one_batch():
        examine = partial(_examined, trust=current_trust(), until=time.monotonic() + SECONDS_FOR_ALL)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            found = list(pool.map(examine, sources))
    numbers = {file.number for file in found if file.number}
    reports, given_out = by_numbers(sorted(numbers)), digests_of_files(numbers)
    verdicts = [
        document_verdict(file.facts, file.digest, reports.get(file.number or ""), given_out.__getitem__)
        for file in found
    ]
    record_looks([(v.number, "batch", by, v.status) for v in verdicts if v.number and v.status])
    return verdicts


@contextmanager
def _one_batch() -> Iterator[None]:
    if not _running.acquire(blocking=False):
        raise BatchRunningError(ALREADY_RUNNING)
    try:
        yield
    finally:
        _running.release()


def _examined(source: BinaryIO, trust: Any, until: float) -> Examined:
    """In a thread of its own, which asks no database."""
    source.seek(0)
    if source.read(len(PDF_MARK)) != PDF_MARK:
        return _unexamined(NOT_A_PDF)
    left = until - time.monotonic()
    if left <= 0:
        return _unexamined(NOT_REACHED)
    facts = examined(source, trust, left)
    return Examined(facts, sha256_of(source), number_in(facts.content))


def _unexamined(reason: str) -> Examined:
    return Examined(ports.signing().PdfFacts(reasons=(reason,)), b"", None)

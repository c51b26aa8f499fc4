"""Have a file given as evidence looked into in the bounded process."""

from typing import BinaryIO

from xinzheng.adapters.evidence.verdicts import Verdict, receive_verdict
from xinzheng.adapters.examining import Kind, Limits, NotExaminedError, Work, examine_apart

# A picture of as many pixels as are taken is unfolded once, four bytes each.
LIMITS = Limits(wall_seconds=10.0, cpu_seconds=6, memory_bytes=768 * 1024**2, waiting_seconds=10.0)


def examine_file(source: BinaryIO, max_bytes: int, limits: Limits = LIMITS) -> Verdict:
    """What the file ``source`` is open on is. Never raises: what was not examined has a problem.

    That is over ``max_bytes`` ``too-large``, over ``limits`` ``over-limit``, while others are examined ``busy``.
    """
    try:
        return examine_apart(source, Work(Kind.EVIDENCE, b"", receive_verdict, max_bytes), limits)
    except NotExaminedError as error:
        return Verdict(problem=error.why.value)

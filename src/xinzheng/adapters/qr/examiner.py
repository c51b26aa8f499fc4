"""Read the codes in a stranger's picture (图片读码) in the bounded process."""

from typing import BinaryIO

from xinzheng.adapters.examining import Kind, Limits, NotExaminedError, Work, examine_apart
from xinzheng.adapters.qr.picture_messages import receive_reading
from xinzheng.adapters.qr.pictures import MAX_PICTURE_BYTES, Reading, is_picture

__all__ = ["examine_picture", "is_picture"]

LIMITS = Limits()
WORK = Work(Kind.PICTURE, b"", receive_reading, MAX_PICTURE_BYTES)


def examine_picture(source: BinaryIO, limits: Limits = LIMITS) -> Reading:
    """The codes in the picture ``source`` is open on. Never raises: a picture that was not examined has a problem.

    That is over ten megabytes ``too-large``, over ``limits`` ``over-limit``, while others are examined ``busy``.
    """
    try:
        return examine_apart(source, WORK, limits)
    except NotExaminedError as error:
        return Reading(problem=error.why.value)

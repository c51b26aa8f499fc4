"""Read the codes in a stranger's picture (图片读码) in the bounded process."""

from typing import BinaryIO

from xinzheng.adapters.examining import Kind, Limits, Work, examine_apart
from xinzheng.adapters.qr.picture_messages import receive_reading
from xinzheng.adapters.qr.pictures import MAX_PICTURE_BYTES, Reading

LIMITS = Limits()
WORK = Work(Kind.PICTURE, b"", receive_reading, MAX_PICTURE_BYTES)


def examine_picture(source: BinaryIO, limits: Limits = LIMITS) -> Reading:
    """The codes in the picture ``source`` is open on.

    Raises:
        NotExaminedError: over ten megabytes, over ``limits``, or others were being examined for too long.
    """
    return examine_apart(source, WORK, limits)

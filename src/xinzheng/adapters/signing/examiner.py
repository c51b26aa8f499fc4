"""Examine a stranger's PDF (受限核验) in the bounded process; what was not examined has no fact, and a reason."""

from typing import BinaryIO

from xinzheng.adapters.examining import (
    Kind,
    Limits,
    NotExaminedError,
    Unexamined,
    Work,
    close_examiner,
    examine_apart,
)
from xinzheng.adapters.pdf.attachments import MAX_PDF_BYTES
from xinzheng.adapters.signing.check import TOO_LARGE, PdfFacts
from xinzheng.adapters.signing.examiner_messages import pack_trust, receive_facts
from xinzheng.adapters.signing.trust import Trust

__all__ = ["Limits", "close_examiner", "examine"]

LIMITS = Limits()
OVER_LIMIT = "核对这份文件超过了时间或者内存的上限，没有核对。请提交原始报告文件。"
BUSY = "正在核对的文件较多，这份文件没有核对。请稍后再试。"
UNAVAILABLE = "核对程序没有启动，这份文件没有核对。请联系系统管理员。"
REASONS = {
    Unexamined.TOO_LARGE: TOO_LARGE,
    Unexamined.OVER_LIMIT: OVER_LIMIT,
    Unexamined.BUSY: BUSY,
    Unexamined.UNAVAILABLE: UNAVAILABLE,
}


def examine(source: BinaryIO, trust: Trust, limits: Limits = LIMITS) -> PdfFacts:
    """The facts about the file ``source`` is open on, read from its beginning whatever its position. Never raises.

    A file that takes more than ``limits`` has no facts, all None, and the reason OVER_LIMIT; while four others are
    being examined it waits, then gets BUSY.
    """
    try:
        return examine_apart(source, Work(Kind.PDF, pack_trust(trust), receive_facts, MAX_PDF_BYTES), limits)
    except NotExaminedError as error:
        return PdfFacts(reasons=(REASONS[error.why],))

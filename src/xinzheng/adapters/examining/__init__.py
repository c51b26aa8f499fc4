"""Examine what strangers hand in (受限核验), PDF or picture, in a process of its own, bounded in time and memory."""

from xinzheng.adapters.examining.asking import close_examiner, examine_apart
from xinzheng.adapters.examining.framing import AnswerError, Kind, Limits, NotExaminedError, Unexamined, Work

__all__ = [
    "AnswerError",
    "Kind",
    "Limits",
    "NotExaminedError",
    "Unexamined",
    "Work",
    "close_examiner",
    "examine_apart",
]

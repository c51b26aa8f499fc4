"""What is found of a file given as evidence, and how it comes back from the process: of a fixed shape."""

import json
import socket
from dataclasses import dataclass
from enum import StrEnum

from xinzheng.adapters.examining.framing import AnswerError, receive_part, send_part

PDF, JPEG, PNG = "application/pdf", "image/jpeg", "image/png"
ENDINGS = {PDF: "pdf", JPEG: "jpg", PNG: "png"}
MOST_PAGES = 200
MOST_PIXELS = 50_000_000
MAX_ANSWER_BYTES = 256


class Problem(StrEnum):
    """Why a file is not taken (不予收取的原因)."""

    OTHER_KIND = "other-kind"
    BROKEN = "broken"
    ENCRYPTED = "encrypted"
    TOO_MANY_PAGES = "too-many-pages"
    TOO_MANY_PIXELS = "too-many-pixels"
    CARRIES_FILES = "carries-files"
    CARRIES_SCRIPTS = "carries-scripts"
    SOMETHING_BESIDE = "something-beside"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found (核对结果): its media type, or the problem; never both.

    ``problem`` is one of Problem, or the reason why the file was not examined.
    """

    media_type: str = ""
    problem: str = ""


def send_verdict(talk: socket.socket, verdict: Verdict) -> None:
    """The verdict as JSON."""
    send_part(talk, json.dumps([verdict.media_type, verdict.problem]).encode())


def receive_verdict(talk: socket.socket) -> Verdict:
    """What the process found. AnswerError if it is none."""
    try:
        media_type, problem = json.loads(receive_part(talk, MAX_ANSWER_BYTES))
    except AnswerError:
        raise
    except (ValueError, TypeError, RecursionError) as error:
        raise AnswerError("no verdict") from error
    if (media_type, problem) not in _POSSIBLE:
        raise AnswerError("no verdict")
    return Verdict(media_type, problem)


_POSSIBLE = [*((kind, "") for kind in ENDINGS), *(("", problem) for problem in Problem)]

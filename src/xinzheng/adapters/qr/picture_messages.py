"""What is told about a picture: its codes, back from the examiner's process, of a bounded size and fixed shape."""

import json
import socket

from xinzheng.adapters.examining.framing import AnswerError, receive_part, send_part
from xinzheng.adapters.qr.pictures import MAX_CODES, MAX_TEXT, NO_PICTURE, TOO_MANY_PIXELS, Reading

MAX_ANSWER_BYTES = MAX_CODES * MAX_TEXT * 12 + 1024  # a character outside the plane is twelve bytes of JSON


def send_reading(talk: socket.socket, reading: Reading) -> None:
    """The reading as JSON."""
    send_part(talk, json.dumps([reading.problem, *reading.texts]).encode())


def receive_reading(talk: socket.socket) -> Reading:
    """What the process read. AnswerError if anything is not of its type, or too large."""
    try:
        problem, *texts = json.loads(receive_part(talk, MAX_ANSWER_BYTES))
    except AnswerError:
        raise
    except (ValueError, TypeError, RecursionError) as error:
        raise AnswerError("no reading") from error
    if problem not in ("", NO_PICTURE, TOO_MANY_PIXELS) or len(texts) > MAX_CODES or not all(map(_is_text, texts)):
        raise AnswerError("no reading")
    return Reading(tuple(texts), problem)


def _is_text(text: object) -> bool:
    return isinstance(text, str) and len(text) <= MAX_TEXT

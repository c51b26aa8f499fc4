"""What goes to the process that examines drafts (政策草稿), and what comes back: of a fixed shape and size."""

import json
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from xinzheng.adapters.examining.framing import AnswerError, receive_part, send_part
from xinzheng.adapters.policy_files.mistakes import Mistake

MAX_ANSWER_BYTES = 8 * 1024 * 1024
MISTAKES_TOLD = 200
DIFFERENCES_TOLD = 5
LONGEST = 300
LONGEST_NAME = 120

Files = Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class RanCase:
    """A case of a draft that was run (用例结果): where it stands, and how it differs from what it expects."""

    file: str
    line: int
    name: str
    differences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Examined:
    """What the process found; with a mistake nothing was run."""

    mistakes: tuple[Mistake, ...] = ()
    warnings: tuple[str, ...] = ()
    ran: tuple[RanCase, ...] = ()


def pack_files(files: Files, cases: Files) -> bytes:
    """Both kinds of files as one: a line of JSON with names and sizes, then their bytes one after the other."""
    head = [[(name, len(data)) for name, data in sorted(some.items())] for some in (files, cases)]
    bodies = (data for some in (files, cases) for _, data in sorted(some.items()))
    return json.dumps(head).encode() + b"\n" + b"".join(bodies)


def unpack_files(packed: bytes) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """What ``pack_files`` packed."""
    head, _, body = packed.partition(b"\n")
    unpacked: list[dict[str, bytes]] = []
    at = 0
    for some in json.loads(head):
        unpacked.append({})
        for name, size in some:
            unpacked[-1][name] = body[at : at + size]
            at += size
    files, cases = unpacked
    return files, cases


def send_examined(talk: socket.socket, found: Examined) -> None:
    """What was found as JSON; what is too long for people to read is cut."""
    told = found.mistakes[:MISTAKES_TOLD]
    if more := len(found.mistakes) - len(told):
        told = (*told, Mistake(told[-1].file, told[-1].line, f"此后还有{more}处错误，没有列出"))
    answer = {
        "mistakes": [(m.file, m.line, _cut(m.message)) for m in told],
        "warnings": [_cut(text) for text in found.warnings],
        "ran": [
            (r.file, r.line, _cut(r.name, LONGEST_NAME), [_cut(d) for d in r.differences[:DIFFERENCES_TOLD]])
            for r in found.ran
        ],
    }
    send_part(talk, json.dumps(answer, ensure_ascii=False).encode())


def _cut(text: str, most: int = LONGEST) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def receive_examined(talk: socket.socket) -> Examined:
    """What the process found. AnswerError if it is not of that shape."""
    part = receive_part(talk, MAX_ANSWER_BYTES)
    try:
        answer = json.loads(part)
        return Examined(
            tuple(Mistake(*_place(one), _text(one[2], of=one, parts=3)) for one in answer["mistakes"]),
            tuple(_text(text) for text in answer["warnings"]),
            tuple(_ran(one) for one in answer["ran"]),
        )
    except (ValueError, TypeError, KeyError, IndexError, RecursionError) as error:
        raise AnswerError("not an examined draft") from error


def _ran(one: Sequence[Any]) -> RanCase:
    return RanCase(*_place(one), _text(one[2], of=one, parts=4), tuple(_text(text) for text in one[3]))


def _place(one: Sequence[Any]) -> tuple[str, int]:
    if type(one[1]) is not int:
        raise TypeError
    return _text(one[0]), one[1]


def _text(value: Any, of: Sequence[Any] = (), parts: int = 0) -> str:
    if not isinstance(value, str) or len(of) != parts:
        raise TypeError
    return value

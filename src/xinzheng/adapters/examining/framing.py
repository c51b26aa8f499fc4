"""What goes between the examiner and its process: orders there, parts of a bounded size back."""

import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import Generic, TypeVar

T = TypeVar("T")
LENGTH = struct.Struct("!I")
ORDER = struct.Struct("!BdIQ")  # what to do, seconds waited, seconds of processor, bytes of memory
READY = b"+"


class AnswerError(ValueError):
    """An answer that is not of the agreed shape: the process is not believed."""


class Kind(IntEnum):
    """What is to be done with a file."""

    PDF = 1
    PICTURE = 2
    EVIDENCE = 3
    PACK = 4


class Unexamined(Enum):
    """Why a file was not examined (未核对的原因)."""

    TOO_LARGE = "too-large"
    OVER_LIMIT = "over-limit"
    BUSY = "busy"
    UNAVAILABLE = "unavailable"


class NotExaminedError(Exception):
    """The file was not examined, which says nothing about it."""

    def __init__(self, why: Unexamined) -> None:
        super().__init__(why.value)
        self.why = why


@dataclass(frozen=True)
class Limits:
    """What one examination may take (核验上限): seconds in all, seconds of processor, bytes of memory, and how many
    seconds one more file waits for a free place."""

    wall_seconds: float = 6.0
    cpu_seconds: int = 5
    memory_bytes: int = 512 * 1024**2
    waiting_seconds: float = 2.0


@dataclass(frozen=True)
class Work(Generic[T]):
    """One kind of examination: what is sent along with the file, how the answer is read, the largest file taken."""

    kind: Kind
    message: bytes
    read: Callable[[socket.socket], T]
    max_bytes: int


def send_part(talk: socket.socket, part: bytes) -> None:
    """One part with its length before it."""
    talk.sendall(LENGTH.pack(len(part)))
    if part:  # whoever waited for the length alone may be gone by now
        talk.sendall(part)


def receive_part(talk: socket.socket, largest: int) -> bytes:
    """One part of at most ``largest`` bytes. AnswerError if it is larger or ends early."""
    (size,) = LENGTH.unpack(_exactly(talk, LENGTH.size))
    if size > largest:
        raise AnswerError("part too large")
    return _exactly(talk, size)


def _exactly(talk: socket.socket, size: int) -> bytes:
    received = bytearray()
    while len(received) < size:
        piece = talk.recv(min(size - len(received), 1 << 20))
        if not piece:
            raise AnswerError("ended early")
        received += piece
    return bytes(received)

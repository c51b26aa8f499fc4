"""The process that examines strangers' files (核验进程): started once, one forked child a file, each child bounded.

It holds no key and no connection. Standard input is the socket over which the examiner hands in files; when the other
end closes, everything here ends. ``python -m xinzheng.adapters.examining.process`` is started by asking.py.
"""

import gc
import os
import resource
import select
import signal
import socket
import sys
import time

from xinzheng.adapters.evidence import contents
from xinzheng.adapters.evidence.verdicts import send_verdict
from xinzheng.adapters.examining.framing import ORDER, READY, Kind, Limits, receive_part
from xinzheng.adapters.policy_files import draft_examiner
from xinzheng.adapters.policy_files.draft_messages import send_examined, unpack_files
from xinzheng.adapters.qr import pictures
from xinzheng.adapters.qr.picture_messages import send_reading
from xinzheng.adapters.signing import warming
from xinzheng.adapters.signing.check import check_pdf
from xinzheng.adapters.signing.examiner_messages import MAX_TRUST_BYTES, send_facts, unpack_trust

CONTROL = 0
OPEN_FILES = 24  # what an event loop needs; nothing that is forgotten to close may pile up
PIECE = 1 << 20
REAPING_SECONDS = 0.1


def main() -> None:
    """Load the libraries, say ready, then examine until the other end is gone."""
    control = socket.socket(fileno=os.dup(CONTROL))
    warming.warm_up()
    pictures.warm_up()
    contents.warm_up()
    draft_examiner.warm_up()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.collect()
    gc.freeze()  # a child's collector would copy every page it looks at
    control.sendall(READY)
    running: dict[int, float] = {}
    try:
        while _take_one(control, running):
            pass
    finally:
        for pid in running:
            os.kill(pid, signal.SIGKILL)


def _take_one(control: socket.socket, running: dict[int, float]) -> bool:
    """Wait for a file and hand it to a child, or for a child to end; False when nothing will come any more."""
    _end_overdue(running)
    if not select.select([control], [], [], _patience(running))[0]:
        return True
    order, descriptors, _, _ = socket.recv_fds(control, ORDER.size, 2)
    if len(order) != ORDER.size or len(descriptors) != 2:
        return False
    kind, wall, cpu, memory = ORDER.unpack(order)
    pid = os.fork()
    if pid == 0:
        control.close()
        _examine_and_exit(kind, descriptors, Limits(wall, cpu, memory))
    for descriptor in descriptors:
        os.close(descriptor)
    running[pid] = time.monotonic() + wall
    return True


def _patience(running: dict[int, float]) -> float | None:
    """Seconds until a child has to be ended or may have ended by itself."""
    if not running:
        return None
    return min(REAPING_SECONDS, max(0.0, min(running.values()) - time.monotonic()))


def _end_overdue(running: dict[int, float]) -> None:
    for pid, until in list(running.items()):
        if time.monotonic() > until:
            os.kill(pid, signal.SIGKILL)
        if os.waitpid(pid, os.WNOHANG)[0]:
            del running[pid]


def _examine_and_exit(kind: int, descriptors: list[int], limits: Limits) -> None:
    """In the child: whatever happens, it ends here; without an answer the file counts as not examined."""
    try:
        nowhere = os.open(os.devnull, os.O_RDWR)
        for standard in (0, 1, 2):
            os.dup2(nowhere, standard)
        _bound(limits)
        file, talk = descriptors[0], socket.socket(fileno=descriptors[1])
        EXAMINATIONS[Kind(kind)](talk, _read(file))
    finally:
        os._exit(0)


def _examine_pdf(talk: socket.socket, data: bytes) -> None:
    trust = unpack_trust(receive_part(talk, MAX_TRUST_BYTES))
    send_facts(talk, check_pdf(data, trust))


def _examine_picture(talk: socket.socket, data: bytes) -> None:
    receive_part(talk, 0)
    send_reading(talk, pictures.read_picture(data))


def _examine_evidence(talk: socket.socket, data: bytes) -> None:
    receive_part(talk, 0)
    send_verdict(talk, contents.judge(data))


def _examine_pack(talk: socket.socket, data: bytes) -> None:
    receive_part(talk, 0)
    send_examined(talk, draft_examiner.examine(*unpack_files(data)))


EXAMINATIONS = {
    Kind.PDF: _examine_pdf,
    Kind.PICTURE: _examine_picture,
    Kind.EVIDENCE: _examine_evidence,
    Kind.PACK: _examine_pack,
}


def _bound(limits: Limits) -> None:
    """Memory, processor, files written, processes and open files, none of which the child can raise again."""
    bounds = {
        resource.RLIMIT_AS: limits.memory_bytes,
        resource.RLIMIT_CPU: limits.cpu_seconds,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_NPROC: 0,
        resource.RLIMIT_NOFILE: OPEN_FILES,
        resource.RLIMIT_CORE: 0,
    }
    for kind, bound in bounds.items():
        resource.setrlimit(kind, (bound, bound))


def _read(file: int) -> bytes:
    """The whole file from its beginning, wherever its descriptor stands."""
    pieces: list[bytes] = []
    while piece := os.pread(file, PIECE, len(pieces) * PIECE):
        pieces.append(piece)
        if len(piece) < PIECE:
            break
    return b"".join(pieces)


if __name__ == "__main__":
    main()
    sys.exit(0)

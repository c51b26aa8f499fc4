"""A time-stamping authority on this machine that can be told how to behave (时间戳机构, 供测试)."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from asn1crypto import tsp  # type: ignore[import-untyped]

from xinzheng.adapters.signing import ReportSigner
from xinzheng.adapters.signing.stamp_making import answer_request

OTHER = bytes(32)


class StampServer(ThreadingHTTPServer):
    """``manner``: answers, hangs, garbage, refuses, yesterday, other (a stamp for something else)."""

    daemon_threads = True

    def __init__(self, key: ReportSigner, manner: str) -> None:
        super().__init__(("127.0.0.1", 0), _Desk)
        self.key, self.manner, self.asked = key, manner, 0
        self.closing = threading.Event()

    @property
    def address(self) -> str:
        """Where it is asked."""
        return f"http://127.0.0.1:{self.server_port}/stamp"

    def answer(self, request: bytes) -> bytes:
        """What it says, in its manner."""
        now = datetime.now(UTC)
        if self.manner == "hangs":
            self.closing.wait(20)
        if self.manner in ("hangs", "garbage"):
            return b"\x30\x80 not a time stamp"
        if self.manner == "other":
            asked = tsp.TimeStampReq.load(request)
            asked["message_imprint"]["hashed_message"] = OTHER
            request = asked.dump(force=True)
        return answer_request(self.key, request, now - timedelta(days=1) if self.manner == "yesterday" else now)


class _Desk(BaseHTTPRequestHandler):
    server: StampServer

    def do_POST(self) -> None:
        self.server.asked += 1
        answer = self.server.answer(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(503 if self.server.manner == "refuses" else 200)
        self.send_header("Content-Type", "application/timestamp-reply")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def stamping(key: ReportSigner, manner: str = "answers") -> Iterator[StampServer]:
    """The authority at work."""
    server = StampServer(key, manner)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        server.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()

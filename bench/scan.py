"""From scan to content with 50 receivers at once on two cores, against a bare page of the same size.

    python bench/scan.py [--seconds S] [--rounds N] [--receivers N]

A receiver scans a code, says who it is, sees the content: ``GET /s/<code>``, ``POST /s``, ``GET /s/views/<id>``, one
after the other over a connection of its own, and at once begins anew; the time a person takes to fill in the form is
left out. Ours is the site as it is served: granian with two processes, Django, PostgreSQL; each scan is counted,
written down and audited, and committed before the content is answered. The peer is a bare WSGI function on the same
granian with as many processes and threads, which answers the same bytes and does nothing else.

Servers, PostgreSQL and the receivers share the machine's two cores; rounds alternate. Told are the median and the 95th
percentile of scan to content, scans a second, and processor time of the servers for each scan. The ratio is the peer's
p95 to ours: how near a page that does all this comes to one that does nothing.
"""

import argparse
import asyncio
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from bench.verify import processor_seconds, wait_for  # noqa: E402

TARGETS = {"ours": "xinzheng.config.wsgi:application", "peer": "bench._scan_peer:application"}
PROCESSES, THREADS = 2, 4
REPORTS, RECEIVERS = 10, 50
MOST_LOOKS = 1000
WARM_UP_SECONDS = 3.0
TICKET = re.compile(rb'name="ticket" value="([^"]+)"')
TOKEN = re.compile(rb'name="csrfmiddlewaretoken" value="(\w+)"')


@dataclass(frozen=True)
class Load:
    """One round: seconds from scan to content of each scan, seconds on the clock, the servers' processor time."""

    scans: list[float]
    seconds: float
    processor_seconds: float

    @property
    def p95(self) -> float:
        """95th percentile of scan to content, in seconds."""
        return statistics.quantiles(self.scans, n=20)[-1]

    def told(self) -> str:
        """The round in words."""
        each = self.processor_seconds / len(self.scans) * 1000
        return (
            f"p50 {statistics.median(self.scans) * 1000:,.0f} ms, p95 {self.p95 * 1000:,.0f} ms,"
            f" {len(self.scans) / self.seconds:,.0f} scans/s, {each:,.1f} ms of processor a scan"
        )


# --- serving ----------------------------------------------------------------------------------------------------------


def serve(target: str, port: int) -> None:
    """Serve in the foreground, as ``xinzheng serve`` does."""
    from granian import Granian
    from granian.constants import Interfaces

    Granian(
        target,
        address="127.0.0.1",
        port=port,
        interface=Interfaces.WSGI,
        workers=PROCESSES,
        blocking_threads=THREADS,
        websockets=False,
        log_access=False,
        log_enabled=False,
    ).serve()


@contextmanager
def served(what: str, port: int) -> Iterator[int]:
    """A server of its own; the process."""
    command = [sys.executable, __file__, "--serve", what, "--port", str(port)]
    environment = os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'src'}", "XINZHENG_LOG_LEVEL": "ERROR"}
    process = subprocess.Popen(command, env=environment)
    try:
        wait_for(port)
        yield process.pid
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()


# --- scanning ---------------------------------------------------------------------------------------------------------


class Receiver:
    """One visitor with a connection of its own."""

    def __init__(self, port: int, code: str) -> None:
        self.port, self.code = port, code
        self.scans: list[float] = []

    async def scan_until(self, end: float) -> None:
        """Scan again and again."""
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        while time.perf_counter() < end:
            begun = time.perf_counter()
            await self.scan()
            self.scans.append(time.perf_counter() - begun)
        self.writer.close()

    async def scan(self) -> tuple[bytes, bytes]:
        """From the code to the content; the two pages. Raises ValueError where it was not shown."""
        _, cookies, form = await self.ask("GET", f"/s/{self.code}")
        ticket, token = TICKET.search(form), TOKEN.search(form)
        if ticket is None or token is None:
            raise ValueError(form[:500])
        said = {"ticket": ticket[1], "csrfmiddlewaretoken": token[1], "body_name": "示例银行", "purpose": "financing"}
        location, more, _ = await self.ask("POST", "/s", cookies, urlencode(said).encode())
        _, _, content = await self.ask("GET", location, [*cookies, *more])
        if "核查结论".encode() not in content:
            raise ValueError(location, content[:500])
        return form, content

    async def ask(
        self, method: str, path: str, cookies: list[str] | None = None, body: bytes = b""
    ) -> tuple[str, list[str], bytes]:
        """One request; where it leads, the cookies it sets, its body."""
        head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n"
        head += f"Content-Type: application/x-www-form-urlencoded\r\nCookie: {'; '.join(cookies or [])}\r\n\r\n"
        self.writer.write(head.encode() + body)
        lines = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        named = [(name.lower(), value) for name, _, value in (line.partition(": ") for line in lines[1:]) if value]
        answered = await self.reader.readexactly(int(dict(named).get("content-length", "0")))
        if not lines[0].startswith(("HTTP/1.1 200", "HTTP/1.1 302")):
            raise ValueError(lines[0], answered[:500])
        kept = [value.partition(";")[0] for name, value in named if name == "set-cookie"]
        return dict(named).get("location", ""), kept, answered


def scan_for(port: int, codes: list[str], seconds: float) -> list[float]:
    """All receivers at once for so many seconds; how long each scan took."""

    async def run() -> list[float]:
        receivers = [Receiver(port, code) for code in codes]
        end = time.perf_counter() + seconds
        await asyncio.gather(*(receiver.scan_until(end) for receiver in receivers))
        return [took for receiver in receivers for took in receiver.scans]

    return asyncio.run(run())


def measured(pid: int, port: int, codes: list[str], seconds: float) -> Load:
    """One round, after a warm-up. PostgreSQL's processor time is in the clock, not in the processor time."""
    scan_for(port, codes, WARM_UP_SECONDS)
    before, begun = processor_seconds(pid), time.perf_counter()
    scans = scan_for(port, codes, seconds)
    return Load(scans, time.perf_counter() - begun, processor_seconds(pid) - before)


# --- the run ----------------------------------------------------------------------------------------------------------


def prepare() -> list[str]:
    """A small city with some reports; their numbers."""
    import django

    django.setup()
    from django.db import connections

    from tests.small_city import build_small_city, uscc
    from xinzheng.apps.reports.issuing import Order, issue_report
    from xinzheng.config.readiness import ensure_ready
    from xinzheng.core.decision import Request

    ensure_ready()
    city = build_small_city(Path(os.environ["XINZHENG_HOME"]), units_per_domain=1)
    city.declare_everything()
    subject = city.firm(uscc(1))
    numbers = [issue_report(Order("suzhou-2024", subject, Request(), "bench")).number for _ in range(REPORTS)]
    connections.close_all()
    return numbers


def fresh_codes(numbers: list[str], count: int) -> list[str]:
    """A share for each receiver, with as many looks as there may be, and a code of it that does not renew itself."""
    from datetime import timedelta

    from django.db import connections
    from django.utils import timezone

    from xinzheng.apps.codes.models import ShareCode, ShownCode
    from xinzheng.apps.codes.sharing import show
    from xinzheng.apps.reports.models import Report

    codes = []
    for turn in range(count):
        number = numbers[turn % len(numbers)]
        share = ShareCode.objects.create(
            report_number=number,
            subject_id=Report.objects.get(number=number).subject_id,
            purpose="financing",
            purpose_name="融资",
            views_allowed=MOST_LOOKS,
            expires_at=timezone.now() + timedelta(days=1),
            created_by="bench",
        )
        codes.append(show(share.pk, ShownCode.Form.PAPER, by="bench").secret)
    connections.close_all()
    return codes


def compare(seconds: float, rounds: int, receivers: int, pages: Path) -> None:
    """Print each round and the ratio."""
    numbers = prepare()
    ours, theirs = [], []
    with served("ours", 18_210) as our_pid:
        form, content = asyncio.run(_once(18_210, fresh_codes(numbers, 1)[0]))
        (pages / "form.html").write_bytes(form)
        (pages / "content.html").write_bytes(content)
        with served("peer", 18_211) as peer_pid:
            for turn in range(rounds):
                codes = fresh_codes(numbers, receivers)
                theirs.append(measured(peer_pid, 18_211, codes, seconds))
                ours.append(measured(our_pid, 18_210, codes, seconds))
                print(f"  round {turn + 1}: ours {ours[-1].told()}", flush=True)
                print(f"           peer {theirs[-1].told()}", flush=True)
    mine, peer = (statistics.median(one.p95 for one in many) for many in (ours, theirs))
    print(
        f"scan to content, {receivers} receivers at once on two cores, form {len(form):,} and content {len(content):,}"
        f" bytes: ours p95 {mine * 1000:,.0f} ms, bare page p95 {peer * 1000:,.0f} ms, ratio {peer / mine:.2f}"
    )


async def _once(port: int, code: str) -> tuple[bytes, bytes]:
    receiver = Receiver(port, code)
    receiver.reader, receiver.writer = await asyncio.open_connection("127.0.0.1", port)
    pages = await receiver.scan()
    receiver.writer.close()
    return pages


def main() -> int:
    """Run the benchmark; exit 0: the ratio is told, no goal is set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=8.0, help="how long each round lasts")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--receivers", type=int, default=RECEIVERS)
    parser.add_argument("--serve", choices=list(TARGETS), help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, default=0, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.serve:
        serve(TARGETS[args.serve], args.port)
        return 0
    home = Path(tempfile.mkdtemp(prefix="xinzheng-bench-home-"))
    pages = Path(tempfile.mkdtemp(prefix="xinzheng-bench-pages-"))
    os.environ |= {
        "XINZHENG_HOME": str(home),
        "BENCH_PAGES": str(pages),
        "DJANGO_SETTINGS_MODULE": "xinzheng.config.settings",
        "XINZHENG_TSA": "",
    }
    try:
        compare(args.seconds, args.rounds, args.receivers, pages)
    finally:
        from xinzheng.adapters.postgres_embedded import stop

        stop(home)
        shutil.rmtree(home, ignore_errors=True)
        shutil.rmtree(pages, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Verifications by number and code a second on one core, each look recorded, against a bare application.

    python bench/verify.py [--seconds S] [--rounds N]

Ours is ``POST /api/v1/verify/code`` of the site as it is served: granian, Django, the limit per address lifted. The
peer is a bare WSGI function on granian with a psycopg connection for each thread: it reads the same JSON, runs the very
same SELECT and the very same INSERT, compares the code and answers the same facts. Both have one process with as many
threads, and the same server of PostgreSQL with the same durability (synchronous_commit as it is set; the look is
committed before the answer). Granian and PostgreSQL share one core; whoever sends the requests has another.

Rounds alternate between the two, because other work disturbs both; the median is told. ``per processor second`` counts
the processor time of granian and of PostgreSQL's processes, which other work on the machine disturbs least.
Goal: at least 0.4 of the peer, of requests a second on the clock.
"""

import argparse
import json
import os
import selectors
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

DATABASE = "BENCH_DATABASE"
GOAL = 0.4
THREADS = 4
CONNECTIONS = 8
REPORTS = 20
WARM_UP_SECONDS = 2.0
SERVED_CORE, ASKING_CORE = 0, 1
PATH = "/api/v1/verify/code"
TARGETS = {"ours": "xinzheng.config.wsgi:application", "peer": "bench._verify_peer:application"}


@dataclass(frozen=True)
class Load:
    """What one round found: requests answered, seconds on the clock, seconds of processor time."""

    answered: int
    seconds: float
    processor_seconds: float

    @property
    def per_second(self) -> float:
        """Requests a second."""
        return self.answered / self.seconds

    @property
    def per_processor_second(self) -> float:
        """Requests a second of the servers' processor time."""
        return self.answered / self.processor_seconds


# --- serving ----------------------------------------------------------------------------------------------------------


def serve(target: str, port: int) -> None:
    """Serve in the foreground, as ``xinzheng serve`` does, with one process."""
    from granian import Granian
    from granian.constants import Interfaces

    Granian(
        target,
        address="127.0.0.1",
        port=port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=THREADS,
        websockets=False,
        log_access=False,
        log_enabled=False,
    ).serve()


@contextmanager
def served(what: str, port: int) -> Iterator[int]:
    """A server of its own on the served core; the process."""
    command = [sys.executable, __file__, "--serve", what, "--port", str(port)]
    environment = os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'src'}", "XINZHENG_LOG_LEVEL": "ERROR"}
    process = subprocess.Popen(command, env=environment)
    os.sched_setaffinity(process.pid, {SERVED_CORE})  # whatever it starts from now on stays there, too
    try:
        wait_for(port)
        yield process.pid
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()


def wait_for(port: int) -> None:
    """Return once the port answers."""
    for _ in range(300):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError(port)


# --- asking -----------------------------------------------------------------------------------------------------------


def requests_of(codes: list[tuple[str, str]]) -> list[bytes]:
    """The requests as bytes; each asks for another report."""
    bodies = [json.dumps({"number": number, "code": code}).encode() for number, code in codes]
    head = "POST {} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n"
    return [head.format(PATH, len(body)).encode() + body for body in bodies]


def ask(port: int, requests: list[bytes], seconds: float) -> int:
    """Keep every connection busy for so many seconds; how many were answered, each with 200 and a status."""
    chosen = selectors.DefaultSelector()
    for turn in range(CONNECTIONS):
        connection = socket.create_connection(("127.0.0.1", port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(requests[turn % len(requests)])
        chosen.register(connection, selectors.EVENT_READ, [b"", turn])
    answered, end = 0, time.perf_counter() + seconds
    while time.perf_counter() < end:
        for key, _ in chosen.select(0.5):
            state, connection = key.data, key.fileobj
            state[0] += connection.recv(65536)  # type: ignore[union-attr]
            if not is_whole(state[0]):
                continue
            if not state[0].startswith(b"HTTP/1.1 200") or b"in_force" not in state[0]:
                raise ValueError(state[0][:500])
            answered += 1
            state[0], state[1] = b"", state[1] + CONNECTIONS
            connection.sendall(requests[state[1] % len(requests)])  # type: ignore[union-attr]
    for key in list(chosen.get_map().values()):
        key.fileobj.close()  # type: ignore[union-attr]
    return answered


def is_whole(answer: bytes) -> bool:
    """Whether a whole answer has come."""
    head, mark, body = answer.partition(b"\r\n\r\n")
    if not mark:
        return False
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return len(body) >= int(line.split(b":")[1])
    raise ValueError(head)


def processor_seconds(pid: int) -> float:
    """Processor time of a process and all below it, ended ones too."""
    ticks = os.sysconf("SC_CLK_TCK")
    total = 0.0
    for one in descendants(pid):
        try:
            parts = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += sum(map(int, parts[11:15])) / ticks
    return total


def descendants(pid: int) -> list[int]:
    """A process and all below it."""
    try:
        listed = [one.read_text().split() for one in Path(f"/proc/{pid}/task").glob("*/children")]
    except OSError:  # it ended
        listed = []
    return [pid, *(one for children in listed for child in children for one in descendants(int(child)))]


def measured(pid: int, postmaster: int, port: int, requests: list[bytes], seconds: float) -> Load:
    """One round, after a warm-up."""
    ask(port, requests, WARM_UP_SECONDS)
    before = processor_seconds(pid) + processor_seconds(postmaster)
    begun = time.perf_counter()
    answered = ask(port, requests, seconds)
    took = time.perf_counter() - begun
    return Load(answered, took, processor_seconds(pid) + processor_seconds(postmaster) - before)


# --- the run ----------------------------------------------------------------------------------------------------------


def prepare() -> tuple[list[tuple[str, str]], int]:
    """A small city with some reports: their numbers and codes; and the server's process, moved to the served core."""
    import django

    django.setup()
    from django.db import connection, connections

    from tests.small_city import build_small_city, uscc
    from xinzheng.apps.reports.issuing import Order, issue_report
    from xinzheng.config.readiness import ensure_ready
    from xinzheng.core.decision import Request
    from xinzheng.core.lifecycle import typed_code

    ensure_ready()
    city = build_small_city(Path(os.environ["XINZHENG_HOME"]), units_per_domain=1)
    city.declare_everything()
    subject = city.firm(uscc(1))
    reports = [issue_report(Order("suzhou-2024", subject, Request(), "bench")) for _ in range(REPORTS)]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        backend = int(cursor.fetchone()[0])
    postmaster = int(Path(f"/proc/{backend}/stat").read_text().rpartition(")")[2].split()[1])
    os.environ[DATABASE] = address_of(connection)
    connections.close_all()
    for pid in descendants(postmaster):
        os.sched_setaffinity(pid, {SERVED_CORE})
    return [(report.number, typed_code(bytes(report.secret))) for report in reports], postmaster


def address_of(connection: Any) -> str:
    """What psycopg needs to reach the same database."""
    from psycopg import conninfo

    parts = connection.settings_dict
    return conninfo.make_conninfo(
        dbname=parts["NAME"], user=parts["USER"], host=parts["HOST"], port=parts["PORT"], password=parts["PASSWORD"]
    )


def compare(seconds: float, rounds: int) -> bool:
    """Print each round and the ratio; whether the goal is reached."""
    codes, postmaster = prepare()
    os.sched_setaffinity(0, {ASKING_CORE})
    requests = requests_of(codes)
    ours, theirs = [], []
    with served("ours", 18_200) as our_pid, served("peer", 18_201) as peer_pid:
        for turn in range(rounds):
            theirs.append(measured(peer_pid, postmaster, 18_201, requests, seconds))
            ours.append(measured(our_pid, postmaster, 18_200, requests, seconds))
            print(
                f"  round {turn + 1}: ours {ours[-1].per_second:,.0f}/s, peer {theirs[-1].per_second:,.0f}/s; per"
                f" processor second {ours[-1].per_processor_second:,.0f} and {theirs[-1].per_processor_second:,.0f}",
                flush=True,
            )
    mine, peer = (statistics.median(one.per_second for one in many) for many in (ours, theirs))
    ratio = mine / peer
    processor = statistics.median(one.per_processor_second for one in ours) / statistics.median(
        one.per_processor_second for one in theirs
    )
    print(
        f"verification by code, its look recorded, one core: ours {mine:,.0f}/s, bare psycopg + granian {peer:,.0f}/s"
    )
    print(f"  ratio {ratio:.2f} on the clock, {processor:.2f} of processor time; goal {GOAL}")
    return ratio >= GOAL


def main() -> int:
    """Run the benchmark; exit 1 when the goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=8.0, help="how long each round lasts")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--serve", choices=list(TARGETS), help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, default=0, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.serve:
        serve(
            "xinzheng.config.wsgi:application" if args.serve == "ours" else "bench._verify_peer:application", args.port
        )
        return 0
    home = Path(tempfile.mkdtemp(prefix="xinzheng-bench-home-"))
    os.environ |= {
        "XINZHENG_HOME": str(home),
        "DJANGO_SETTINGS_MODULE": "xinzheng.config.settings",
        "XINZHENG_VERIFY_PER_MINUTE": "1000000000",
        "XINZHENG_TSA": "",
    }
    try:
        return 0 if compare(args.seconds, args.rounds) else 1
    finally:
        from xinzheng.adapters.postgres_embedded import stop

        stop(home)
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())

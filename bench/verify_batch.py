"""Reports a second in batch verification: a hundred a call through the interface, and ten thousand in a file.

    python bench/verify_batch.py [--reports N] [--seconds S] [--rounds N]

Both ways of asking: number with typed code, and the text of the QR code, whose signature is checked. All reports of a
call and of a file are different ones, all are in force and in the log; every answer is looked at, and each report
answered is one look more in the register, committed before the answer.

Through the interface: ``POST /api/v1/verify/batch`` of the site as it is served, granian with two processes, with a
platform's token got by client credentials; several connections, each with a call under way at any time. By file: read,
sealed and queued as the receiver's page does it, worked off by a task worker of its own in slices of a hundred, until
the table to take away is there. Servers, worker, PostgreSQL and who asks share the machine's cores.

Goal: 500 reports a second in each of the four, the median of the rounds; the ratio is to that goal.
"""

import argparse
import base64
import csv
import io
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
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from bench._many_reports import Known, many_reports  # noqa: E402
from bench.verify import is_whole, processor_seconds, wait_for  # noqa: E402

GOAL = 500.0
A_CALL = 100
PROCESSES, THREADS, CONNECTIONS = 2, 4, 8
PORT = 18_220
WARM_UP_SECONDS = 2.0
PATIENCE_SECONDS = 600.0
PATH, TOKENS = "/api/v1/verify/batch", "/identity/o/api/token"
WAYS = ("code", "qr")
WORKER = (sys.executable, "-m", "django", "procrastinate", "worker")


# --- serving and working ----------------------------------------------------------------------------------------------


def serve(port: int) -> None:
    """Serve in the foreground, as ``xinzheng serve`` does."""
    from granian import Granian
    from granian.constants import Interfaces

    Granian(
        "xinzheng.config.wsgi:application",
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
def process_of(*command: str) -> Iterator[int]:
    """A process of its own, ended at the end; its number."""
    environment = os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'src'}", "XINZHENG_LOG_LEVEL": "ERROR"}
    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    try:
        yield process.pid
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()


# --- through the interface --------------------------------------------------------------------------------------------


def token(port: int) -> str:
    """A platform's token, got as a platform gets it."""
    from xinzheng.apps.accounts.platforms import MOST_PER_MINUTE, NewPlatform, register_platform

    made = register_platform(NewPlatform("示例平台", ["verify"], per_minute=MOST_PER_MINUTE), by="bench")
    secret = base64.b64encode(f"{made.platform.pk}:{made.secret}".encode()).decode()
    body = b"grant_type=client_credentials&scope=verify"
    head = f"Authorization: Basic {secret}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(request_of(TOKENS, head, body))
        answer = b""
        while not is_whole(answer):
            answer += connection.recv(65536)
    return str(json.loads(answer.partition(b"\r\n\r\n")[2])["access_token"])


def request_of(path: str, head: str, body: bytes) -> bytes:
    """A request as bytes."""
    return f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def calls(known: list[Known], way: str, bearer: str) -> list[bytes]:
    """Calls of a hundred different reports each."""
    items = [{"qr": one.qr} if way == "qr" else {"number": one.number, "code": one.code} for one in known]
    head = f"Authorization: Bearer {bearer}\r\nContent-Type: application/json\r\n"
    bodies = [json.dumps({"items": items[start : start + A_CALL]}).encode() for start in range(0, len(items), A_CALL)]
    return [request_of(PATH, head, body) for body in bodies]


def ask(port: int, requests: list[bytes], seconds: float) -> tuple[int, float]:
    """Keep every connection busy for so long; reports answered, each as in force, and the seconds until the last."""
    chosen = selectors.DefaultSelector()
    begun = time.perf_counter()
    for turn in range(CONNECTIONS):
        connection = socket.create_connection(("127.0.0.1", port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(requests[turn % len(requests)])
        chosen.register(connection, selectors.EVENT_READ, [b"", turn])
    answered = 0
    while chosen.get_map():
        for key, _ in chosen.select(0.5):
            state, sock = key.data, key.fileobj
            state[0] += sock.recv(1 << 20)  # type: ignore[union-attr]
            if not is_whole(state[0]):
                continue
            if state[0].count(b'"in_force"') != A_CALL:
                raise ValueError(state[0][:1000])
            answered += A_CALL
            state[0], state[1] = b"", state[1] + CONNECTIONS
            if time.perf_counter() - begun < seconds:
                sock.sendall(requests[state[1] % len(requests)])  # type: ignore[union-attr]
            else:
                chosen.unregister(sock)
                sock.close()  # type: ignore[union-attr]
    return answered, time.perf_counter() - begun


def through_the_interface(known: list[Known], seconds: float, rounds: int) -> dict[str, float]:
    """Reports a second, by way of asking."""
    found: dict[str, list[float]] = {way: [] for way in WAYS}
    with process_of(sys.executable, __file__, "--serve", "--port", str(PORT)) as pid:
        wait_for(PORT)
        bearer = token(PORT)
        for turn in range(rounds):
            for way in WAYS:
                requests = calls(known, way, bearer)
                ask(PORT, requests, WARM_UP_SECONDS)
                looks, used = looks_now(), processor_seconds(pid)
                answered, took = ask(PORT, requests, seconds)
                used = processor_seconds(pid) - used
                if looks_now() - looks != answered:
                    raise ValueError("looks are missing")
                found[way].append(answered / took)
                each = used / answered * 1000
                print(
                    f"  round {turn + 1}, calls by {way}: {answered / took:,.0f}/s, {each:.2f} ms of the servers each"
                )
    return {way: statistics.median(many) for way, many in found.items()}


# --- by file ----------------------------------------------------------------------------------------------------------


def by_file(known: list[Known], rounds: int) -> dict[str, float]:
    """Reports a second from the file's bytes to the table, by way of asking."""
    account, receiver = a_bank()
    found: dict[str, list[float]] = {way: [] for way in WAYS}
    files = {way: file_of(known, way) for way in WAYS}
    with process_of(*WORKER):
        for turn in range(-1, rounds):  # the first one waits for the worker to be there, and counts for nothing
            for way in WAYS:
                looks, begun = looks_now(), time.perf_counter()
                hand_in(files[way], receiver, account)
                took = time.perf_counter() - begun
                if looks_now() - looks != len(known):
                    raise ValueError("looks are missing")
                if turn >= 0:
                    found[way].append(len(known) / took)
                    print(f"  round {turn + 1}, file of {len(known):,} by {way}: {len(known) / took:,.0f}/s")
    return {way: statistics.median(many) for way, many in found.items()}


def a_bank() -> tuple[Any, Any]:
    """An account of a receiver that the office has verified."""
    from tests.small_city import uscc
    from xinzheng.apps.accounts.actions import NewAccount, open_account
    from xinzheng.apps.accounts.models import Role
    from xinzheng.apps.codes.models import Receiver
    from xinzheng.apps.codes.receivers import Decision, Registration, State, decide, register

    account = open_account(NewAccount("bank", "示例", Role.RECEIVER), by="bench")
    register(account, Registration(uscc(50), "示例银行", "bank"))
    receiver = Receiver.objects.get(uscc=uscc(50))
    decide(receiver.pk, Decision(State.VERIFIED, account_ids=[account.pk]), by="bench")
    account.refresh_from_db()
    return account, receiver


def file_of(known: list[Known], way: str) -> bytes:
    """The file that the bank hands in."""
    text = io.StringIO()
    rows = [[one.qr] if way == "qr" else [one.number, one.code] for one in known]
    csv.writer(text).writerows([["二维码内容"] if way == "qr" else ["报告编号", "核验码"], *rows])
    return text.getvalue().encode()


def hand_in(content: bytes, receiver: Any, account: Any) -> None:
    """Hand a file in and wait for its table, in which every report is in force."""
    from xinzheng.apps.codes.batch_files import read_check_file
    from xinzheng.apps.codes.batch_queries import summary_of
    from xinzheng.apps.codes.batches import HandedIn, queue_check
    from xinzheng.apps.codes.models import BatchCheck

    lines = read_check_file(content, "list.csv")
    made = queue_check(HandedIn(uuid.uuid4(), "list.csv", lines), receiver, account=account)
    until = time.perf_counter() + PATIENCE_SECONDS
    while (state := BatchCheck.objects.values_list("state", flat=True).get(pk=made.pk)) != "done":
        if state == "failed" or time.perf_counter() > until:
            raise ValueError(state)
        time.sleep(0.02)
    if summary_of(made.pk).good != len(lines):
        raise ValueError(summary_of(made.pk).sentence)


# --- the run ----------------------------------------------------------------------------------------------------------


def looks_now() -> int:
    """How many looks are in the register."""
    from xinzheng.apps.reports.models import Look

    return Look.objects.count()


def compare(reports: int, seconds: float, rounds: int) -> bool:
    """Print each round and the ratios; whether the goal is reached in each."""
    import django

    django.setup()
    from xinzheng.config.readiness import ensure_ready

    ensure_ready()
    known = many_reports(reports)
    print(f"batch verification of {len(known):,} reports, looks recorded", flush=True)
    found = {f"calls of {A_CALL} by {way}": rate for way, rate in through_the_interface(known, seconds, rounds).items()}
    found |= {f"file of {len(known):,} by {way}": rate for way, rate in by_file(known, rounds).items()}
    for what, rate in found.items():
        print(f"{what}: {rate:,.0f} reports/s, goal {GOAL:,.0f}, ratio {rate / GOAL:.2f}")
    return all(rate >= GOAL for rate in found.values())


def main() -> int:
    """Run the benchmark; exit 1 when the goal is missed in any of the four."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reports", type=int, default=10_000, help="different reports, a multiple of a hundred")
    parser.add_argument("--seconds", type=float, default=8.0, help="how long each round of calls lasts")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, default=0, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.serve:
        serve(args.port)
        return 0
    if not 0 < args.reports <= 10_000 or args.reports % A_CALL:
        parser.error("--reports: a multiple of a hundred, at most ten thousand")
    home = Path(tempfile.mkdtemp(prefix="xinzheng-bench-home-"))
    os.environ |= {
        "XINZHENG_HOME": str(home),
        "DJANGO_SETTINGS_MODULE": "xinzheng.config.settings",
        "XINZHENG_TSA": "",
    }
    try:
        return 0 if compare(args.reports, args.seconds, args.rounds) else 1
    finally:
        from xinzheng.adapters.postgres_embedded import stop

        stop(home)
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())

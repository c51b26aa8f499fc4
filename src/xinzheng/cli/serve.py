"""``xinzheng serve``: the web site (granian) and two task workers (procrastinate), until interrupted."""

import argparse
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

from xinzheng.cli.task_worker import SCREENING
from xinzheng.core.errors import XinzhengError
from xinzheng.core.lifecycle import LOOPBACK_HOSTS

# Prepared by run itself: the settings are read then, and have to name the address that is served.
NEEDS_DATABASE = False
WORKER_STOP_SECONDS = 20


class PortTakenError(XinzhengError):
    """Another program listens on the address."""

    code = "port-taken"


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``serve``."""
    parser = subparsers.add_parser("serve", help="启动网站和后台任务", description="启动网站和后台任务，Ctrl-C 停止。")
    parser.add_argument("--address", default="127.0.0.1", metavar="地址", help="监听地址，默认 127.0.0.1")
    parser.add_argument("--port", type=port_number, default=8000, metavar="端口", help="监听端口，默认 8000")
    parser.add_argument("--workers", type=int, default=2, metavar="个数", help="网站进程数，默认 2")
    parser.add_argument("--no-tasks", action="store_true", help="不启动后台任务进程")
    parser.add_argument("--no-screening", action="store_true", help="不启动名单核查和模拟的进程（由另一台机器做）")
    parser.set_defaults(run=run)


def port_number(text: str) -> int:
    """A TCP port; argparse shows the message."""
    if not text.isdigit() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"“{text}”不是端口号（1 至 65535）")
    return int(text)


def run(args: argparse.Namespace) -> int:
    """Serve until interrupted."""
    from xinzheng.cli.main import ensure_ready

    refuse_taken_port(args.address, args.port)
    name_host(args.address, args.port)
    ensure_ready()
    prepare_counts(args.port)
    print(f"信证已启动：http://{args.address}:{args.port}  （Ctrl-C 停止）", flush=True)
    kinds = () if args.no_tasks else ((),) if args.no_screening else ((), (SCREENING,))
    tasks = [start_task_worker(*kind) for kind in kinds]
    try:
        serve_web(args.address, args.port, args.workers)
    finally:
        for worker in tasks:
            worker.terminate()
        for worker in tasks:
            stop_task_worker(worker)
    return 0


def name_host(address: str, port: int) -> None:
    """Have reports name this address where no host was set and the site is for this machine alone.

    The web and task processes read it when they start; a process that has its settings already keeps them.
    """
    if address in LOOPBACK_HOSTS:
        os.environ.setdefault("XINZHENG_HOST", f"{address}:{port}")


def prepare_counts(port: int) -> None:
    """Name the folder in which the web processes count their requests, and empty it of what others left.

    It has to be known before the library that counts is imported; each process writes files of its own there.
    """
    from django.conf import settings

    own = settings.XINZHENG_HOME / "counts" / str(port)
    folder = Path(os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", str(own)))
    folder.mkdir(parents=True, exist_ok=True)
    for left in folder.glob("*.db"):
        left.unlink()


def refuse_taken_port(address: str, port: int) -> None:
    """Say so before anything starts when the port is not free.

    Raises:
        PortTakenError: it is taken, or the address is not this machine's.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            raise PortTakenError(
                f"{address}:{port} 无法监听（{error.strerror}）：可能已被别的程序占用，"
                f"请换一个端口，例如 --port {port + 1}。"
            ) from error


def serve_web(address: str, port: int, workers: int) -> None:
    """Run granian in the foreground."""
    from django.db import connections
    from granian import Granian
    from granian.constants import Interfaces

    # The workers make their own connections.
    connections.close_all()
    Granian(
        "xinzheng.config.wsgi:application",
        address=address,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=4,
        websockets=False,
        log_access=False,
    ).serve()


def start_task_worker(*kind: str) -> "subprocess.Popen[bytes]":
    """Start procrastinate's worker as a process of its own, beside one that starts it again when it ends.

    ``kind``: nothing for everybody's work, or ``screening`` for lists and simulations.
    """
    command = [sys.executable, "-m", "xinzheng.cli.task_worker", *kind]
    return subprocess.Popen(command, process_group=0)  # noqa: S603  # our own command, no shell


def stop_task_worker(worker: "subprocess.Popen[bytes]") -> None:
    """Let the worker finish the task it has in hand, then end it."""
    worker.terminate()
    try:
        worker.wait(WORKER_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()

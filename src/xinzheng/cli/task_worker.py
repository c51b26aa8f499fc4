"""Keep a task worker running (后台任务): procrastinate's own ends for good when the database restarts.

``xinzheng serve`` starts two: ``python -m xinzheng.cli.task_worker`` for everybody's work, and another with the
argument ``screening`` for lists and simulations, which take minutes: reports never wait behind them. SIGTERM lets the
task in hand be finished.
"""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from types import FrameType

PAUSE_SECONDS = 3.0
COMMAND = (sys.executable, "-m", "django", "procrastinate", "worker")
# Every queue that tasks are put into, and who works it off; procrastinate's own tasks are in ``builtin``.
SCREENING = "screening"
GENERAL_QUEUES = (
    "accounts", "builtin", "codes", "default", "intake", "log", "oversight", "redress", "reports"
)  # fmt: skip
QUEUES = {"": GENERAL_QUEUES, SCREENING: (SCREENING,)}
# Whoever waits at a counter comes before a list.
SCREENING_NICENESS = 10


class TaskWorker:
    """The worker's process (后台任务进程): started again when it ended, until told to stop or left alone."""

    def __init__(self, queues: Sequence[str] = GENERAL_QUEUES) -> None:
        self._command = (*COMMAND, "--queues", ",".join(queues))
        self._above = os.getppid()
        self._stopping = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None

    def keep(self) -> int:
        """Run it until ``stop``; the last one's exit code."""
        environment = os.environ | {"DJANGO_SETTINGS_MODULE": "xinzheng.config.settings"}
        while True:
            self._process = subprocess.Popen(self._command, env=environment)  # noqa: S603  # our own command, no shell
            code = self._ended(self._process)
            if self._stopping.wait(PAUSE_SECONDS):
                return code
            print("后台任务进程停了，正在重新启动。", file=sys.stderr, flush=True)

    def _ended(self, process: "subprocess.Popen[bytes]") -> int:
        """The exit code, once there is one."""
        while True:
            if os.getppid() != self._above:
                self._stopping.set()
            if self._stopping.is_set():
                process.terminate()
            try:
                return process.wait(PAUSE_SECONDS)
            except subprocess.TimeoutExpired:
                continue

    def stop(self, number: int = signal.SIGTERM, frame: FrameType | None = None) -> None:  # noqa: ARG002  a handler
        """Let it finish the task in hand, then end."""
        self._stopping.set()
        if self._process is not None:
            self._process.terminate()


def main(kind: str = "") -> int:
    """Keep a worker of the general queues, or of those of a kind, until told to stop."""
    if kind == SCREENING:
        os.nice(SCREENING_NICENESS)
    worker = TaskWorker(QUEUES[kind])
    signal.signal(signal.SIGTERM, worker.stop)
    signal.signal(signal.SIGINT, worker.stop)
    return worker.keep()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

"""What the parts of script/soak share: commands in a home, bounds that must hold, and who delivers."""

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
POLICY, CITY = "suzhou-2024", "suzhou"
DOMAIN, KIND = "market_regulation", "administrative_penalty"


class BrokenBoundError(Exception):
    """Something that must hold does not; the message is for people."""


@dataclass(frozen=True)
class Ran:
    """A command that came to its end: exit code, what it printed, seconds, peak memory in MiB."""

    code: int
    printed: str
    seconds: float
    peak: int


def environment_of(home: Path, **more: str) -> dict[str, str]:
    """The environment of a process in a home; nothing of whoever called is taken over that names another database."""
    outer = {name: value for name, value in os.environ.items() if not name.startswith("XINZHENG_")}
    return {**outer, "XINZHENG_HOME": str(home), "PYTHONPATH": f"{ROOT}:{ROOT / 'src'}", **more}


def command(home: Path, *arguments: str, nice: int = 0, **more: str) -> Ran:
    """Run ``xinzheng`` in a home; what it says on stderr is shown only when it refuses."""
    begun = time.perf_counter()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as told:
        process = subprocess.Popen(
            ["nice", "-n", str(nice), sys.executable, "-m", "xinzheng.cli", *arguments],
            env=environment_of(home, **more),
            stdout=out,
            stderr=told,
            cwd=home,
        )
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - begun
        out.seek(0)
        told.seek(0)
        if process.returncode:
            print(told.read().decode()[-2000:], file=sys.stderr)
        return Ran(process.returncode, out.read().decode(), seconds, used.ru_maxrss // 1024)


def must(is_so: bool, message: str) -> None:
    """Raise BrokenBoundError unless it is so."""
    if not is_so:
        raise BrokenBoundError(message)


@dataclass(frozen=True)
class Wanted:
    """How large a part is to be (规模): other rows than usual, or a short run that only shows that it works."""

    rows: int | None = None
    is_short: bool = False

    def size(self, usual: int, short: int) -> int:
        """The rows to take."""
        return self.rows or (short if self.is_short else usual)


@dataclass(frozen=True)
class Unit:
    """Who delivers."""

    name: str
    uscc: str


def some_unit(home: Path) -> Unit:
    """A unit of the city that answers for penalties."""
    must(command(home, "city", "init", CITY).code == 0, "城市没有建成")
    units = json.loads(command(home, "units", "--policy", POLICY, "--json").printed)["units"]
    found = next(u for u in units if u["domain"] == DOMAIN and KIND in u["kinds"])
    return Unit(found["name"], found["uscc"])


def done(home: Path, *arguments: str, **more: str) -> dict[str, Any]:
    """A command that has to succeed; its answer as JSON, where it gives one."""
    ran = command(home, *arguments, **more)
    must(ran.code == 0, f"xinzheng {' '.join(arguments)} 的退出码是{ran.code}：{ran.printed[-500:]}")
    answer: dict[str, Any] = json.loads(ran.printed) if "--json" in arguments else {}
    return answer


def in_city(home: Path, *arguments: str, **more: str) -> dict[str, Any]:
    """Have ``soak_city`` act in a process of its own; what it counted."""
    program = [sys.executable, "-W", "ignore", str(ROOT / "script" / "soak_city.py"), *arguments]
    ran = subprocess.run(program, env=environment_of(home, **more), capture_output=True, text=True, check=False)
    must(ran.returncode == 0, f"{arguments[0]}没有做成：{ran.stderr[-800:]}")
    answer: dict[str, Any] = json.loads(ran.stdout) if ran.stdout.strip() else {}
    return answer

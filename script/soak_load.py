"""Part ``load`` of script/soak: applying, verifying and a large delivery at once; afterwards all is counted."""

import csv
import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from script.soak_runs import DOMAIN, KIND, ROOT, Unit, Wanted, done, environment_of, in_city, must, some_unit

P95_MS = 250
# As the units of deploy/systemd: who waits for an answer comes first.
WORKER_NICE, INTAKE_NICE = 5, 10
PATIENCE_SECONDS = 300.0
# One receiver asks up to 60 times a minute here; a first delivery of a million rows is held otherwise.
LIMITS = {"XINZHENG_PROXIES": "1", "XINZHENG_VERIFY_PER_MINUTE": "60", "XINZHENG_FLOOR_FAR_TIMES": "1000000"}


@dataclass(frozen=True)
class Load:
    """How much (负载): people at once, seconds, rows of the delivery, reports that are verified."""

    applicants: int
    receivers: int
    seconds: int
    rows: int
    reports: int
    subjects: int


def load(home: Path, wanted: Wanted) -> None:
    """Put the load on a city of its own and hold it to the bounds."""
    size = Load(50, 200, 300, wanted.size(1_000_000, 20_000), 200, 20_000)
    if wanted.is_short:
        size = Load(6, 40, 25, size.rows, 10, 300)
    locust = visitors()
    done(home, "demo", "city", "--subjects", str(size.subjects))
    facts = home / "facts.json"
    in_city(home, "prepare", str(facts), str(size.applicants), str(size.reports))
    path, unit = delivery(home, size.rows)
    before = in_city(home, "totals")
    with site(home) as address:
        print(f"  {size.applicants} 个主体、{size.receivers} 个单位、{size.rows:,} 行，{size.seconds} 秒", flush=True)
        intake = start_intake(home, path, unit)
        try:
            stats = visit(locust, home, size, address)
            delivered = finished(intake)
        finally:
            intake.kill()
        told = settled(home)
    after = in_city(home, "totals")
    judge(before, after, delivered, told)
    judge_verifying(stats, after["looks"] - before["looks"], wanted)


def visitors() -> Path:
    """locust in an environment of its own, made anew when its lock changes."""
    place = Path(os.environ.get("XINZHENG_SOAK_VENV", ROOT / ".venv-soak"))
    lock = ROOT / "requirements-soak.lock"
    digest, noted = hashlib.sha256(lock.read_bytes()).hexdigest(), place / "lock.noted"
    if not noted.exists() or noted.read_text() != digest:
        print(f"  正在建立 {place}", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(place)], check=True)
        pip = [str(place / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "--require-hashes", "-r", str(lock)], check=True)
        noted.write_text(digest)
    return place / "bin" / "locust"


def delivery(home: Path, rows: int) -> tuple[Path, Unit]:
    """A file of a million rows with dirt in it, written by another process."""
    unit, path = some_unit(home), home / "delivery.csv"
    write = (
        "import sys; from pathlib import Path; from script.soak_parts import write_dirty_csv; "
        "from script.soak_runs import Unit; "
        "write_dirty_csv(Path(sys.argv[1]), int(sys.argv[2]), Unit(sys.argv[3], sys.argv[4]))"
    )
    program = [sys.executable, "-c", write, str(path), str(rows), unit.name, unit.uscc]
    subprocess.run(program, env=environment_of(home), check=True)
    return path, unit


@contextmanager
def site(home: Path) -> Iterator[str]:
    """Two web processes and a task worker, as an installation runs them."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    environment = environment_of(home, XINZHENG_LOG_LEVEL="WARNING", XINZHENG_HOST=f"127.0.0.1:{port}", **LIMITS)
    run = [sys.executable, "-m"]
    web = [*run, "xinzheng.cli", "serve", "--no-tasks", "--port", str(port), "--workers", "2"]
    worker = ["nice", "-n", str(WORKER_NICE), *run, "xinzheng.cli.task_worker"]
    with (home / "site.log").open("w") as log:
        started = [subprocess.Popen(each, env=environment, stdout=log, stderr=log) for each in (web, worker)]
        try:
            wait_for(address)
            yield address
        finally:
            for process, number in zip(started, (signal.SIGINT, signal.SIGTERM), strict=True):
                process.send_signal(number)
            for process in started:
                process.wait()


def wait_for(address: str) -> None:
    """Until the site answers."""
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            with urllib.request.urlopen(f"{address}/verify"):
                return
        except (OSError, urllib.error.URLError):
            must(time.monotonic() < until, "网站没有启动")
            time.sleep(0.2)


def start_intake(home: Path, path: Path, unit: Unit) -> "subprocess.Popen[str]":
    """Deliver beside, behind everybody who waits for an answer."""
    asked = ["intake", str(path), "--unit", unit.uscc, "--domain", DOMAIN, "--kind", KIND, "--json"]
    program = ["nice", "-n", str(INTAKE_NICE), sys.executable, "-m", "xinzheng.cli", *asked]
    environment = environment_of(home, **LIMITS)
    return subprocess.Popen(program, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def finished(intake: "subprocess.Popen[str]") -> dict[str, Any]:
    """What became of the delivery."""
    begun = time.monotonic()
    printed, _ = intake.communicate()
    must(intake.returncode == 0, f"报送没有完成，退出码{intake.returncode}")
    print(f"  报送在申请、核验停下 {time.monotonic() - begun:.0f} 秒后完成", flush=True)
    result: dict[str, Any] = json.loads(printed)
    return result


def visit(locust: Path, home: Path, size: Load, address: str) -> list[dict[str, str]]:
    """Let them come; what they met with, a row for each kind of request. An error of any of them breaks the bound."""
    own = {
        "SOAK_FACTS": str(home / "facts.json"),
        "SOAK_TOLD": str(home / "told"),
        "SOAK_APPLICANTS": str(size.applicants),
        "SOAK_RECEIVERS": str(size.receivers),
    }
    (home / "told").touch()
    many = size.applicants + size.receivers
    program = [str(locust), "-f", str(ROOT / "script" / "soak_visitors.py"), "--headless", "--only-summary"]
    program += ["-u", str(many), "-r", "50", "-t", f"{size.seconds}s", "--host", address, "--csv", str(home / "met")]
    environment = {name: value for name, value in environment_of(home, **own).items() if name != "PYTHONPATH"}
    ran = subprocess.run(program, env=environment, capture_output=True, text=True, check=False)
    with (home / "met_stats.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        print(
            f"  {row['Name']:16} {row['Request Count']:>7} 次，错误 {row['Failure Count']}，中位 {row['50%']} 毫秒，"
            f"95% {row['95%']} 毫秒，99% {row['99%']} 毫秒，每秒 {float(row['Requests/s']):.1f} 次",
            flush=True,
        )
    must(ran.returncode == 0, f"有请求出错：{ran.stderr[:3000]}\n…\n{ran.stderr[-1500:]}")
    return rows


def settled(home: Path) -> dict[str, Any]:
    """Wait until the reports that were still being made are there; the applications that were accepted, counted."""
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        counted = in_city(home, "count", str(home / "told"))
        if set(counted["states"]) <= {"done"} or time.monotonic() > until:
            return counted
        time.sleep(2)


def judge(before: dict[str, int], after: dict[str, int], delivered: dict[str, Any], told: dict[str, Any]) -> None:
    """Nothing lost: each application has its report, each line of the delivery its outcome."""
    made = {name: after[name] - before[name] for name in before}
    print(
        f"  申请 {told['asked']:,} 件，账上 {told['there']:,} 件，出具 {told['reports']:,} 份；"
        f"报送 {delivered['lines']:,} 行，入账 {made['versions']:,} 条；记录的核验 {made['looks']:,} 次",
        flush=True,
    )
    must(told["asked"] > 0, "没有人申请")
    must(told["asked"] == told["there"] == told["reports"], "受理过的申请、报告不全")
    outcomes = ("new", "changed", "identical", "rejected", "duplicate")
    must(sum(int(delivered[name]) for name in outcomes) == delivered["lines"], "各项之和不等于总行数")
    must(made["versions"] == delivered["new"] + delivered["changed"], "入账的条数与报送的结果不符")
    must(made["applications"] == told["asked"], "账上有没有答复过的申请")


def judge_verifying(stats: list[dict[str, str]], looks: int, wanted: Wanted) -> None:
    """Each verification that was answered is on record, and the answer was quick enough."""
    row = next(row for row in stats if row["Name"] == "verify")
    answered = int(row["Request Count"])
    # Whoever was cut off at the end had no answer, and may be on record all the same.
    must(answered <= looks <= answered + 200, f"答复了 {answered:,} 次核验，记录了 {looks:,} 次")
    if not wanted.is_short:
        must(float(row["95%"]) < P95_MS, f"核验的95%用了 {row['95%']} 毫秒，应在 {P95_MS} 毫秒以内")

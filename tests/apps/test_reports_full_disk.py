"""A disk that is really full: the kernel has no space left, PostgreSQL says so, and no report is half issued."""

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.small_city import uscc
from tests.small_volume import SmallServer, SmallVolume, small_server, small_volume
from tests.soundness import assert_sound

pytestmark = pytest.mark.slow
KIB = 1024
MOST_ATTEMPTS = 60
LEAVING = (0, 24, 48, 160, 1024)  # KiB: before the number, in the middle of the file, not at all
WITHOUT_NUMBER, WITH_NUMBER = "没有占用报告编号", "已经保留，有了空间后自动继续签发"
PREPARE = """
from pathlib import Path
import django
django.setup()
from xinzheng.config.readiness import ensure_ready
ensure_ready()
from tests.small_city import build_small_city, uscc
city = build_small_city(Path(sys.argv[1]), units_per_domain=1)
city.declare_everything()
city.firm(uscc(1))
from xinzheng.apps.reports.issuing import ensure_keys
ensure_keys()
"""
RESUME = """
import django
django.setup()
from xinzheng.apps.reports.issuing import resume_prepared
print(json.dumps(resume_prepared()))
"""
STATE = """
from pathlib import Path
import django
django.setup()
from xinzheng.apps.audit.models import LogLeaf, LogWaiting
from xinzheng.apps.reports.models import DayCounter, Report, ReportDocument
from xinzheng.apps.reports.queries import current_status, report_pdf
numbers = sorted(Report.objects.values_list("number", flat=True))
stored = set(ReportDocument.objects.values_list("report_id", flat=True))
for number in stored:
    Path(sys.argv[1], f"{number}.pdf").write_bytes(report_pdf(number))
print(json.dumps({
    "serials": [int(number[10:17]) for number in numbers],
    "status": {number: current_status(number) for number in numbers},
    "stored": sorted(stored),
    "logged": sorted(LogLeaf.objects.filter(kind="issued").values_list("object_id", flat=True)),
    "last": [one.last for one in DayCounter.objects.all()],
}))
"""


class Operator:
    """Somebody at the command line of an installation whose database is on the volume."""

    def __init__(self, folder: Path, server: SmallServer) -> None:
        self.folder = folder
        self.environment = os.environ | {
            "XINZHENG_DATABASE_URL": server.info.url,
            "XINZHENG_HOME": str(folder / "home"),
            "XINZHENG_KEYS": str(folder / "keys"),
            "PYTHONPATH": os.pathsep.join(["src", "."]),
        }

    def runs(self, script: str) -> Any:
        """What a script says, as JSON; it has to succeed."""
        command = [sys.executable, "-c", f"import json, sys\n{script}", str(self.folder)]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else None

    def asks(self, *command: str) -> "subprocess.CompletedProcess[str]":
        """A command of ``xinzheng``."""
        return subprocess.run(
            [sys.executable, "-m", "xinzheng.cli", *command],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def issues(self, out: Path, *more: str) -> "subprocess.CompletedProcess[str]":
        """``xinzheng issue``."""
        return self.asks("issue", "--policy", "suzhou-2024", "--subject", uscc(1), "--out", str(out), "--json", *more)


@pytest.fixture
def volume() -> Iterator[SmallVolume]:
    with small_volume() as made:
        yield made


def assert_whole(operator: Operator, folder: Path) -> list[str]:
    """Every number has its report in force, with its file and its leaf in the log, and there is no gap."""
    operator.runs(RESUME)
    state = operator.runs(STATE)
    numbers = sorted(state["status"])
    assert state["serials"] == list(range(1, len(numbers) + 1))
    assert state["last"] == [len(numbers)]
    assert set(state["status"].values()) == {"in_force"}
    assert state["stored"] == state["logged"] == numbers
    for number in numbers:
        assert_sound((folder / f"{number}.pdf").read_bytes())
    return numbers


def test_wherever_the_disk_of_the_tables_fills_up_nothing_is_half_issued(volume: SmallVolume, tmp_path: Path) -> None:
    told: list[str] = []
    with small_server(volume, "tables") as server:
        operator = Operator(tmp_path, server)
        operator.runs(PREPARE)
        done = 1 - operator.issues(tmp_path / "first.pdf").returncode
        for kib in LEAVING:
            volume.fill(leave=kib * KIB)
            out = tmp_path / f"{kib}.pdf"
            issued = operator.issues(out)
            volume.make_room()
            assert server.is_running
            if issued.returncode == 0:
                done += 1
                continue
            problem = json.loads(issued.stdout)["error"]
            assert (issued.returncode, problem["code"]) == (1, "storage-full"), issued.stderr
            assert not out.exists()
            told.append(problem["message"])
        before = sum(WITHOUT_NUMBER in words for words in told)
        after = sum(WITH_NUMBER in words for words in told)
        assert before + after == len(told)
        assert before > 0, told
        assert after > 0, told
        assert operator.issues(tmp_path / "last.pdf").returncode == 0
        assert len(assert_whole(operator, tmp_path)) == done + after + 1


def test_a_server_that_has_no_room_for_its_own_log_goes_down_and_loses_no_report_and_makes_none_twice(
    volume: SmallVolume, tmp_path: Path
) -> None:
    keys, problems = [], []
    with small_server(volume, "log") as server:
        operator = Operator(tmp_path, server)
        operator.runs(PREPARE)
        volume.fill()
        while not problems or problems[-1]["code"] != "database-unreachable":
            keys.append(str(uuid.uuid4()))
            issued = operator.issues(tmp_path / f"{len(keys)}.pdf", "--key", keys[-1])
            assert "Traceback" not in issued.stderr, issued.stderr
            if issued.returncode:
                problems.append(json.loads(issued.stdout)["error"])
            assert len(keys) < MOST_ATTEMPTS
        lost = [problem for problem in problems if problem["code"] == "database-lost"]
        assert len(lost) == 1, problems
        assert "数据库断开了，多半是磁盘满了或者服务停了" in lost[0]["message"]
        assert f"恢复后用同一申请号 {keys[-2]} 再试，不会重复出具。" in lost[0]["message"]
        volume.make_room()
        server.bring_back()
        again = [operator.issues(tmp_path / "again.pdf", "--key", key) for key in keys]
        assert [one.returncode for one in again] == [0] * len(keys), [one.stderr for one in again]
        numbers = [json.loads(one.stdout)["number"] for one in again]
        assert len(set(numbers)) == len(keys)
        assert assert_whole(operator, tmp_path) == sorted(numbers)

"""``xinzheng doctor``: what it prints, and the code it ends with."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.db import connection, transaction

from tests.apps.test_health import put_backup
from tests.module_database import module_database
from xinzheng.apps.oversight.health import PROBES
from xinzheng.cli import main

db = module_database


@pytest.fixture(autouse=True)
def undone(db: None) -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture
def in_good_health(settings: LazySettings, tmp_path: Path) -> None:
    """A worker that works, a backup of today, new keys."""
    settings.XINZHENG_KEYS, settings.XINZHENG_BACKUP = tmp_path / "keys", str(tmp_path / "backups")
    put_backup(tmp_path / "backups", datetime.now(UTC))
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (%s)", [datetime.now(UTC)])


@pytest.mark.usefixtures("in_good_health")
def test_whoever_is_well_is_told_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 0
    told = capsys.readouterr().out
    assert told.count("（正常）") >= len(PROBES) - 2
    assert "× " not in told
    assert "? " not in told


def test_trouble_is_named_with_what_to_do_and_ends_with_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 1
    told = capsys.readouterr()
    assert "× 后台任务（有故障）：没有后台任务进程在运行" in told.out
    assert "请启动：xinzheng serve" in told.out
    assert "后台任务" in told.err


@pytest.mark.usefixtures("in_good_health")
def test_what_needs_attention_counts_where_that_is_asked_for(
    capsys: pytest.CaptureFixture[str], settings: LazySettings
) -> None:
    settings.XINZHENG_BACKUP = ""
    assert main(["doctor"]) == 0
    assert main(["doctor", "--strict"]) == 1
    assert "! 备份（需留意）" in capsys.readouterr().out


def test_programs_read_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["state"] == "bad"
    assert [check["name"] for check in found["checks"]] == list(PROBES)
    assert set(found["checks"][0]) == {"name", "title", "state", "said", "to_do"}


def test_without_a_database_it_says_so_and_starts_none(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "XINZHENG_DATABASE_URL"}
    environment |= {"XINZHENG_HOME": str(tmp_path / "home"), "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-m", "xinzheng.cli", "doctor", "--json"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    found = {check["name"]: check for check in json.loads(done.stdout)["checks"]}
    assert done.returncode == 1
    assert found["database"]["state"] == "bad"
    assert "xinzheng serve" in found["database"]["to_do"]
    assert found["queue"]["state"] == "unknown"
    # What needs no database was looked at all the same.
    assert found["disk"]["state"] in ("ok", "warning")
    assert not (tmp_path / "home" / "pg").exists()

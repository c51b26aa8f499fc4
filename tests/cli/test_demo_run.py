"""``xinzheng demo run --no-serve``: the whole way in a process of its own, twice."""

import os
import re
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from tests.soundness import assert_sound, assert_stored_are_sound
from xinzheng.adapters.postgres_embedded import ensure_running
from xinzheng.adapters.postgres_embedded.layout import SUPERUSER
from xinzheng.cli import main

NUMBER = re.compile(r"编号  (\w+)    核验码 (\w{12})")


def demo_run(home: Path, folder: Path, *more: str) -> "subprocess.CompletedProcess[str]":
    environment = {key: value for key, value in os.environ.items() if key != "XINZHENG_DATABASE_URL"}
    source = str(Path(__file__).parents[2] / "src")
    return subprocess.run(
        [sys.executable, "-m", "xinzheng.cli", "demo", "run", "--no-serve", *more],
        cwd=folder,
        env=environment | {"XINZHENG_HOME": str(home), "PYTHONPATH": source},
        capture_output=True,
        text=True,
        check=False,
    )


def looked_at(home: Path) -> int:
    """How many reports of the home's own database nobody had looked at until now."""
    info = ensure_running(home)
    with psycopg.connect(host=info.host, port=info.port, user=SUPERUSER, dbname=info.dbname) as own:
        return assert_stored_are_sound(own.cursor())


@pytest.mark.slow
def test_the_whole_way_ends_with_two_verified_reports_and_a_second_run_finds_them(
    embedded_home: Path, tmp_path: Path
) -> None:
    first = demo_run(embedded_home, tmp_path, "--subjects", "60")
    assert first.returncode == 0, first.stderr
    files = sorted(tmp_path.glob("out/*.pdf"))
    assert [file.name[:6] for file in files] == ["huzhou", "suzhou"]
    assert first.stdout.count("文件未改动 · 签名有效 · 签发者可信 · 报告状态：正常") == 2
    assert all(str(file) in first.stdout for file in files)
    assert "演示延期〔2026〕1号" in first.stdout
    assert "/sign-in" in first.stdout
    assert re.search(r"日常使用  报告 \d，核验 \d+，亮码查看 2", first.stdout)
    log_key = str(embedded_home / "keys" / "log" / "log.vkey")
    for file in files:
        proof = file.with_suffix(".proof.json")
        assert main(["log", "verify", "--proof", str(proof), "--report", str(file), "--key", log_key]) == 0
        assert_sound(file.read_bytes())
    assert looked_at(embedded_home) >= len(files)
    second = demo_run(embedded_home, tmp_path, "--subjects", "60")
    assert second.returncode == 0, second.stderr
    assert "已在库中，没有改动" in second.stdout
    assert NUMBER.findall(second.stdout) == NUMBER.findall(first.stdout)
    assert "日常使用  今天已有" in second.stdout
    assert looked_at(embedded_home) == 0


def test_a_wrong_number_of_subjects_is_wrong_use(tmp_path: Path) -> None:
    found = demo_run(tmp_path, tmp_path, "--subjects", "some")
    assert found.returncode == 2
    assert "整数" in found.stderr

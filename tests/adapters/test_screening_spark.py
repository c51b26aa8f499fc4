"""A Spark cluster of several processes gives the same answers as DuckDB, and leaves nothing behind."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.adapters.test_screening_answers import ASKED
from tests.screened_world import World, differences
from xinzheng.adapters.screening import EngineError, Limits, open_engine
from xinzheng.adapters.screening.spark_engine import run_job

# A Java that starts quickly and compiles little: the lists here are small.
QUICK = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xshare:auto"
SETTINGS = f"""
spark.driver.extraJavaOptions {QUICK}
spark.executor.extraJavaOptions {QUICK}
spark.executor.cores 1
spark.executor.memory 512m
spark.sql.codegen.wholeStage false
spark.sql.codegen.factoryMode NO_CODEGEN
"""
LIMITS = Limits(memory_bytes=1 << 30)
STARTING_SECONDS = 120


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@contextmanager
def _started(role: str, *options: str) -> Iterator[None]:
    """A daemon of the cluster in a process group of its own, ended with all it started."""
    (found,) = (find_spec("pyspark") or pytest.fail("PySpark is missing")).submodule_search_locations or ()
    command = [f"{found}/bin/spark-class", f"org.apache.spark.deploy.{role.lower()}.{role}", *options]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "stdin": subprocess.DEVNULL}
    environment = os.environ | {"SPARK_HOME": found}
    with subprocess.Popen(command, env=environment, start_new_session=True, **quiet) as process:
        try:
            yield
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def _wait_for(port: int) -> None:
    ending = time.monotonic() + STARTING_SECONDS
    while True:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        assert time.monotonic() < ending, "the master did not start"
        time.sleep(0.1)


@pytest.fixture
def master(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a cluster on this machine: a master, and a worker with room for two executors."""
    conf, work, port = tmp_path / "conf", tmp_path / "work", _free_port()
    conf.mkdir()
    (conf / "spark-defaults.conf").write_text(SETTINGS, encoding="utf-8")
    for name, value in {
        "SPARK_CONF_DIR": str(conf),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_LOCAL_DIRS": str(work),
        "SPARK_DAEMON_MEMORY": "256m",
        "SPARK_DAEMON_JAVA_OPTS": QUICK,
    }.items():
        monkeypatch.setenv(name, value)
    at = ("--host", "127.0.0.1", "--webui-port", "0")
    url = f"spark://127.0.0.1:{port}"
    with ExitStack() as cluster:
        cluster.enter_context(_started("Master", "--port", str(port), *at))
        cluster.enter_context(_started("Worker", *at, "-c", "2", "-m", "1g", "-d", str(work), url))
        _wait_for(port)
        yield url
    assert _processes_of(tmp_path) == []


def _processes_of(folder: Path) -> list[str]:
    """The other processes of this machine whose command or settings name the folder; those just killed may fade."""
    for _ in range(50):
        found = [process for process in Path("/proc").glob("[0-9]*") if _names(process, folder)]
        if not found:
            return []
        time.sleep(0.1)
    return [process.name for process in found]


def _names(process: Path, folder: Path) -> bool:
    if process.name == str(os.getpid()):
        return False
    with suppress(OSError):
        return bytes(folder) in (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
    return False


def test_a_cluster_of_several_processes_answers_as_duckdb_and_as_deciding_alone(master: str, tmp_path: Path) -> None:
    world, shared = World(ASKED[4], seed=7, subjects=300), tmp_path / "shared"
    planned = world.planned
    with open_engine("spark", shared, Limits(memory_bytes=1 << 30, master=master)) as spark:
        world.give(spark)
        assert list(differences(world, spark)) == []
        executors = {path.parent.name for path in (tmp_path / "work").glob("app-*/*/stderr")}
        assert len(executors) == 2
        with open_engine("duckdb", shared, LIMITS) as here:
            world.give(here)
            assert list(here.run(planned)) == list(spark.run(planned))
            assert list(here.findings(planned)) == list(spark.findings(planned))
            assert list(here.reasons(planned)) == list(spark.reasons(planned))
            assert list(here.domains(planned)) == list(spark.domains(planned))
    assert list(shared.iterdir()) == []
    assert _processes_of(shared) == []


def test_a_master_nobody_answers_for_is_said(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="连不上 Spark 集群") as missing:
        open_engine("spark", tmp_path, Limits(master=f"spark://127.0.0.1:{_free_port()}"))
    assert missing.value.code == "engine-unavailable"
    assert list(tmp_path.iterdir()) == []


def test_a_machine_without_java_or_without_pyspark_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(EngineError, match="没有找到 Java"):
        open_engine("spark", tmp_path, LIMITS)
    monkeypatch.setitem(sys.modules, "pyspark", None)
    with pytest.raises(EngineError, match=r"xinzheng\[spark\]"):
        open_engine("spark", tmp_path, LIMITS)


# In place of Spark: one that never starts, and one that never ends.
NEVER_STARTS = "raise SystemExit(1)"
NEVER_ENDS = "import time\ntime.sleep(600)"
RUNS_A_JOB = """
import os, sys
from pathlib import Path
from xinzheng.adapters.screening.spark_engine import run_job
run_job(Path(sys.argv[1]))
"""


def _job_with(spark: str, folder: Path) -> tuple[Path, dict[str, str]]:
    """A job, and the settings of a machine whose PySpark is this text."""
    (folder / "pyspark").mkdir()
    (folder / "pyspark" / "__init__.py").write_text(spark, encoding="utf-8")
    described = folder / "job.json"
    described.write_text('{"master": "local[1]", "settings": {}, "lists": {}, "statements": []}', encoding="utf-8")
    source = Path(__file__).parents[2] / "src"
    return described, {"PYTHONPATH": f"{folder}:{source}"}


def test_a_session_that_does_not_come_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    described, settings = _job_with(NEVER_STARTS, tmp_path)
    monkeypatch.setenv("PYTHONPATH", settings["PYTHONPATH"])
    with pytest.raises(EngineError, match="Spark 没有启动") as failed:
        run_job(described)
    assert failed.value.code == "engine-unavailable"


def test_a_job_ends_with_the_process_that_asked_for_it_however_that_ended(tmp_path: Path) -> None:
    described, settings = _job_with(NEVER_ENDS, tmp_path)
    command = [sys.executable, "-c", RUNS_A_JOB, str(described)]
    with subprocess.Popen(command, env=os.environ | settings) as asking:
        job = b"spark_job.py\0" + bytes(described)
        while not any(job in _command(process) for process in Path("/proc").glob("[0-9]*")):
            time.sleep(0.05)
        asking.kill()
    assert _processes_of(tmp_path) == []


def _command(process: Path) -> bytes:
    with suppress(OSError):
        return (process / "cmdline").read_bytes()
    return b""

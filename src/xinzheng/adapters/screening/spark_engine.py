"""Spark: the same statements on a cluster; lists and results pass through a folder that all its machines reach.

What is read is taken in and read out by DuckDB, as Parquet. Spark itself runs in a process of its own, so that its JVM
takes no memory of the worker and ends with the run in every case.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from xinzheng.adapters.screening.answers import Plan
from xinzheng.adapters.screening.duckdb_engine import DuckDbEngine
from xinzheng.adapters.screening.engines import Limits
from xinzheng.adapters.screening.errors import EngineError
from xinzheng.adapters.screening.lists import LISTS

JOB = Path(__file__).with_name("spark_job.py")
ROWS_A_PARTITION, MOST_PARTITIONS = 250_000, 400
CONNECT_SECONDS = 5.0
LOOPBACK = ("127.0.0.1", "localhost", "::1")
NOT_STARTED = (
    "Spark 没有启动，“{master}”没有给出可用的机器。请查看集群有没有空闲的处理器和内存，以及 Java 的版本（17 或者 21）。"
)
FAILED = "Spark 集群没有算完，没有给出结论。请查看集群的日志，确认各台机器都能读写 XINZHENG_SPARK_FOLDER，再重新核查。"


class SparkEngine(DuckDbEngine):
    """Spark at ``limits.master``: ``local[2]``, or ``spark://host:port`` of a standalone cluster."""

    def __init__(self, folder: Path, limits: Limits) -> None:
        check_available(limits.master)
        super().__init__(folder, limits)
        self._limits = limits
        self._lists: dict[str, str] = {}
        self._partitions = 2

    def _work_out(self, plan: Plan) -> None:
        self._write_lists()
        statements = [(name, statement, str(self.folder / name)) for name, statement in plan.sql("pyspark")]
        job = {
            "master": self._limits.master,
            "settings": self._settings(),
            "lists": self._lists,
            "statements": statements,
        }
        described = self.folder / "job.json"
        described.write_text(json.dumps(job), encoding="utf-8")
        run_job(described)
        for name, _, path in statements:
            self.execute(f"CREATE OR REPLACE VIEW {name} AS SELECT * FROM read_parquet('{path}/*.parquet')")  # noqa: S608

    def _write_lists(self) -> None:
        """Each list as Parquet, once; in memory they are not needed any more."""
        if self._lists:
            return
        ((rows,),) = self._rows("SELECT count(*) FROM records")
        self._partitions = max(2, min(MOST_PARTITIONS, rows // ROWS_A_PARTITION))
        for name in LISTS:
            self._lists[name] = str(self.folder / f"{name}.parquet")
            self.execute(f"COPY {name} TO '{self._lists[name]}' (FORMAT parquet)")
            self.execute(f"TRUNCATE {name}")

    def _settings(self) -> dict[str, str]:
        """What belongs to us; the cluster's own settings are its operator's (spark-defaults.conf)."""
        own = {
            "spark.ui.enabled": "false",
            "spark.ui.showConsoleProgress": "false",
            "spark.sql.session.timeZone": "Asia/Shanghai",
            "spark.sql.shuffle.partitions": str(self._partitions),
            "spark.sql.warehouse.dir": str(self.folder / "warehouse"),
            "spark.local.dir": str(self.folder),
            "spark.driver.memory": f"{self._limits.memory_bytes >> 20}m",
        }
        return own | (
            {"spark.driver.bindAddress": LOOPBACK[0], "spark.driver.host": LOOPBACK[0]}
            if _is_here(self._limits.master)
            else {}
        )


def check_available(master: str) -> None:
    """Refuse what cannot work (``engine-unavailable``): no PySpark, no Java, nobody at the master's address."""
    if find_spec("pyspark") is None:
        raise EngineError(
            "没有安装 PySpark，不能用 Spark 核查。请安装 xinzheng[spark]，或者把 XINZHENG_SCREENING 设为 duckdb。"
        )
    home = os.environ.get("JAVA_HOME")
    if shutil.which("java", path=f"{home}/bin" if home else None) is None:
        raise EngineError(
            "没有找到 Java，不能用 Spark 核查。请安装 Java 17 或者 21（Debian：default-jre-headless）并设好 JAVA_HOME。"
        )
    if not master.startswith("spark://"):
        return
    at = urlsplit(master)
    try:
        socket.create_connection((at.hostname or "", at.port or 7077), timeout=CONNECT_SECONDS).close()
    except (OSError, ValueError):
        raise EngineError(
            f"连不上 Spark 集群“{master}”。请确认集群已经启动、网络可以到达，再核对 XINZHENG_SPARK_MASTER。"
        ) from None


def run_job(described: Path) -> None:
    """Run a job to its end in a process group of its own, of which nothing is left. Raises EngineError."""
    job: dict[str, Any] = json.loads(described.read_text(encoding="utf-8"))
    here = {"SPARK_LOCAL_IP": LOOPBACK[0]} if _is_here(job["master"]) else {}
    # The job reads its input to the end to learn when we are gone, however we went.
    with subprocess.Popen(  # noqa: S603
        [sys.executable, "-P", str(JOB), str(described)],
        cwd=described.parent,
        env=os.environ | here,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        try:
            process.wait()
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    stage = described.with_name("stage")
    reached = stage.read_text(encoding="utf-8") if stage.exists() else ""
    stage.unlink(missing_ok=True)
    if not reached:
        raise EngineError(NOT_STARTED.format(master=job["master"]))
    if reached != "done":
        raise EngineError(FAILED, code="engine-failed")


def _is_here(master: str) -> bool:
    return not master.startswith("spark://") or urlsplit(master).hostname in LOOPBACK

"""One run on Spark (Spark 作业), as a process of its own: ``python -P spark_job.py JOB.json``.

It reads the lists, works the statements out one after the other, leaves each result in the folder named, and ends with
its JVM. The job's ``stage`` file says how far it came; nothing of the data is ever written there or to the output.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path
from threading import Thread
from typing import Any

EXECUTOR_SECONDS = 120.0


def main(described: Path) -> None:
    """Do the job described."""
    job: dict[str, Any] = json.loads(described.read_text(encoding="utf-8"))
    stage = described.with_name("stage")
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master(job["master"]).appName("xinzheng screening")
    for name, value in job["settings"].items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("OFF")
    wait_for_executors(spark, job["master"])
    stage.write_text("connected", encoding="utf-8")
    for name, path in job["lists"].items():
        spark.read.parquet(path).createOrReplaceTempView(name)
    for name, statement, path in job["statements"]:
        spark.sql(statement).write.mode("overwrite").parquet(path)
        spark.read.parquet(path).createOrReplaceTempView(name)
    stage.write_text("done", encoding="utf-8")
    spark.stop()


def wait_for_executors(spark: Any, master: str) -> None:
    """Give up on a cluster that gives no machine: Spark itself would wait for ever."""
    grows = spark.conf.get("spark.dynamicAllocation.enabled", "false") == "true"
    if not master.startswith("spark://") or grows:
        return
    ending = time.monotonic() + EXECUTOR_SECONDS
    # The driver itself is one of those counted.
    while spark.sparkContext._jsc.sc().getExecutorMemoryStatus().size() < 2:
        if time.monotonic() > ending:
            raise SystemExit(1)
        time.sleep(0.1)


def end_with_parent() -> None:
    """End, with the JVM, when whoever started the job is gone."""
    sys.stdin.buffer.read()
    os.killpg(os.getpgrp(), signal.SIGKILL)


if __name__ == "__main__":
    Thread(target=end_with_parent, daemon=True).start()
    main(Path(sys.argv[1]))

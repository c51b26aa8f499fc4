"""PDF verification, p50 and p95: in this process, and in the bounded examiner, of stamped reports (PAdES B-LT).

    python -m bench.check_pdf [--files 40] [--rounds 5]

Goal: p50 of the examiner at most 60 ms. Half of the reports have records, half have none; they lie in memory, as an
upload of less than 2.5 MB does. The examiner's own start is printed apart: it happens once in a process. On a machine
that does other work, too, the processor's time a file tells more than the clock.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from bench.issue_pdf import QR_TEXT, sample
from xinzheng.adapters.pdf import render_report
from xinzheng.adapters.signing import (
    Keyring,
    check_pdf,
    ensure_demo_keys,
    load_demo_trust,
    open_keyring,
    sign_pdf,
    stamp_imprint,
    stamper_of,
    with_token,
)
from xinzheng.adapters.signing.examiner import close_examiner, examine

GOAL_MS = 60.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        keys = Path(folder) / "keys"
        now = datetime.now(UTC)
        ensure_demo_keys(keys, now)
        trust = load_demo_trust(keys)
        contents = (sample(("suzhou-clear", "suzhou-mixed")[number % 2], number) for number in range(options.files))
        files = [stamped(render_report(content, QR_TEXT), open_keyring(keys), now) for content in contents]
        assert {check_pdf(file, trust).level for file in files} == {"B-LT"}
    started = time.perf_counter()
    assert examine(BytesIO(files[0]), trust).intact
    print(f"start of the examiner with its first file: {1000 * (time.perf_counter() - started):.0f} ms, once")
    print(f"{len(files)} files of {min(map(len, files)):,} to {max(map(len, files)):,} bytes, {options.rounds} rounds")
    report("check_pdf in this process", lambda file: check_pdf(file, trust).intact, files * options.rounds)
    p50 = report("examiner, bounded process", lambda file: examine(BytesIO(file), trust).intact, files * options.rounds)
    close_examiner()
    print(json.dumps({"p50_ms": round(p50, 1), "goal_ms": GOAL_MS, "met": p50 <= GOAL_MS}))
    return 0 if p50 <= GOAL_MS else 1


def stamped(pdf: bytes, keyring: Keyring, now: datetime) -> bytes:
    """Signed with lists and chains beside the signature, and stamped by the demonstration's own authority."""
    signed = sign_pdf(pdf, keyring.signer, now, keyring.evidence(now))
    stamper = stamper_of("demo", keyring)
    assert stamper is not None
    return with_token(signed, stamper.stamp(stamp_imprint(signed)))


def report(name: str, check: Callable[[bytes], bool | None], files: list[bytes]) -> float:
    taken, processor = [], processor_seconds()
    for file in files:
        began = time.perf_counter()
        assert check(file)
        taken.append(1000 * (time.perf_counter() - began))
    p50, p95 = statistics.median(taken), statistics.quantiles(taken, n=20)[-1]
    own = 1000 * (processor_seconds() - processor) / len(files)
    print(f"{name}: p50 {p50:.1f} ms, p95 {p95:.1f} ms, largest {max(taken):.1f} ms, processor {own:.1f} ms a file")
    return p50


def processor_seconds() -> float:
    """Of this process, of the processes it started and of those that these waited for: Linux tells it in /proc."""
    tasks = Path("/proc/self/task").glob("*/children")
    started = [pid for task in tasks for pid in task.read_text().split()]
    fields = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in ("self", *started)]
    return sum(int(ticks) for one in fields for ticks in one[11:15]) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    sys.exit(main())

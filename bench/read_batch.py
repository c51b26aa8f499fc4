"""Rows per second of reading and checking a penalty file on one core, against polars merely reading the same file.

Run: ``python bench/read_batch.py [rows]``. Prints ours, the reference measured in
the same run, and the ratio; each reading runs in its own process so that its peak memory is its own.
"""

import os
import sys
import tempfile
from datetime import date
from pathlib import Path

os.environ.setdefault("POLARS_MAX_THREADS", "1")
ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

import polars as pl  # noqa: E402

from bench._measure import measured  # noqa: E402
from bench._workbooks import COLUMNS, penalty_rows  # noqa: E402
from xinzheng.adapters.tabular import BatchDefaults, read_batch, read_batches  # noqa: E402

_DEFAULTS = BatchDefaults("administrative_penalty", "market_regulation", date(2026, 11, 21), "bench.csv")


def write_file(path: Path, rows: int) -> None:
    """A file in the 30 national columns, one row in a thousand wrong, like the real ones in length and wording."""
    with path.open("w", encoding="utf-8-sig", newline="\n") as file:
        file.write(",".join(COLUMNS) + "\n")
        file.writelines(",".join(row) + "\n" for row in penalty_rows(rows))


def reference(path: Path) -> int:
    """Reading only."""
    return pl.read_csv(path, infer_schema=False).height


def whole(path: Path) -> int:
    """The whole file at once."""
    return read_batch(path, _DEFAULTS).frame.height


def stretches(path: Path) -> int:
    """Stretch by stretch, as the ledger does."""
    return sum(part.frame.height for part in read_batches(path, _DEFAULTS))


def main() -> None:
    """Write the file, read it three ways, print."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bench.csv"
        write_file(path, rows)
        print(f"{rows} rows, 30 columns, {path.stat().st_size / 1024**2:.0f} MiB, one core")
        speeds = {}
        for name, work in (("polars read", reference), ("read_batches", stretches), ("read_batch", whole)):
            run = measured(work, path)
            speeds[name] = run.per_second
            ratio = speeds[name] / speeds["polars read"]
            print(f"{name:13} {run.per_second:>9,.0f} rows/s  peak {run.peak:>6,} MiB  ratio {ratio:.2f}")


if __name__ == "__main__":
    main()

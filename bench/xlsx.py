"""Rows a second from an XLSX file to checked rows, against calamine merely reading the same file.

    python bench/xlsx.py [--rows N …] [--rounds R] [--only shared|inline]

Files of 30 columns as Excel writes them (texts in a table that cells refer to) and as most libraries do (texts in the
cells). Both read in turn, each time in a process of its own; the quickest of the rounds counts. Goals: at least 0.7 of
calamine's rows a second, peak memory below 2 GiB, both with files of a city's size, a million rows. Smaller ones are
measured beside: they are over before reading and checking have gone side by side for long. Ours reads on one core while
it checks on another, calamine reads on one: the ratio of processor time is printed, too.
"""

import argparse
import sys
import tempfile
from datetime import date
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from bench._measure import Measured, best, measured  # noqa: E402
from bench._workbooks import penalty_rows, write_xlsx  # noqa: E402

GOAL_RATIO, GOAL_MIB, GOAL_ROWS = 0.7, 2048, 1_000_000
ROWS_AT_ONCE = 50_000


def bare(path: Path) -> int:
    """Reading only: the cells as a list of rows."""
    from python_calamine import CalamineWorkbook

    with CalamineWorkbook.from_path(path) as workbook:
        return len(workbook.get_sheet_by_index(0).to_python()) - 1


def ours(path: Path) -> int:
    """Safety, reading and every check, in stretches as the ledger asks for them."""
    from xinzheng.adapters.tabular import BatchDefaults, stream_batches

    defaults = BatchDefaults("administrative_penalty", "market_regulation", date(2026, 11, 21), path.name)
    return sum(part.frame.height for part in stream_batches(path, defaults, chunk_rows=ROWS_AT_ONCE))


def written(path: Path, *, rows: int, shared: bool) -> int:
    """Write the file."""
    write_xlsx(path, penalty_rows(rows), shared=shared)
    return rows


def told(name: str, run: Measured) -> None:
    """One line about a run."""
    speed, processor = run.per_second, run.per_processor_second
    print(f"  {name:8} {speed:>8,.0f} rows/s  {processor:>8,.0f} rows/processor-s  peak {run.peak:>6,} MiB", flush=True)


def compared(path: Path, rows: int, rounds: int) -> bool:
    """Measure both in turn and print; whether the goals are reached."""
    runs = [(measured(bare, path), measured(ours, path)) for _ in range(rounds)]
    theirs, mine = best([run for run, _ in runs]), best([run for _, run in runs])
    told("calamine", theirs)
    told("ours", mine)
    ratio = mine.per_second / theirs.per_second
    processor = mine.per_processor_second / theirs.per_processor_second
    goal = f" (goal {GOAL_RATIO})" if rows >= GOAL_ROWS else ""
    print(f"  ratio {ratio:.2f}{goal}, of processor time {processor:.2f}", flush=True)
    if (theirs.count, mine.count) != (rows, rows):
        print(f"  rows lost: {theirs.count}, {mine.count} of {rows}")
    is_quick = ratio >= GOAL_RATIO or rows < GOAL_ROWS
    return is_quick and mine.peak < GOAL_MIB and mine.count == rows


def main() -> int:
    """Run the benchmark; exit 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=["shared", "inline"])
    args = parser.parse_args()
    reached = True
    with tempfile.TemporaryDirectory(prefix="xinzheng-bench-") as folder:
        for rows in args.rows:
            for kind in [args.only] if args.only else ["shared", "inline"]:
                path = Path(folder) / f"{kind}.xlsx"
                measured(partial(written, rows=rows, shared=kind == "shared"), path)
                print(f"{rows:,} rows, 30 columns, {kind} texts, {path.stat().st_size / 1024**2:.0f} MiB", flush=True)
                reached = compared(path, rows, args.rounds) and reached
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())

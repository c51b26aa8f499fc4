"""Rows checked a second, against frictionless on the same file with as many of the same rules as it can express.

    python bench/checks.py [--rows N …] [--rounds R]

Ours: from the CSV file to checked rows, all checks of the penalty format. frictionless runs twice:

- built-in: what its schema and its own checks can say: the type of each column (text, date in the file's form, number),
  required, the greatest length, amounts not below 0, the words allowed, the shape of unified social credit codes, dates
  not in the future, validity not before the decision;
- same rules: these, and what only code can tell it, as a check of the kind its manual describes: both check digits and
  the region of three codes, kind against code, dates before 1978, error values of spreadsheets, the words of the kind
  of penalty, amounts that it asks for, fine against content, penalties that are none.

What neither version of it does and ours does: dates and amounts in mixed forms, marks of emptiness, natural persons,
near-duplicates, the natural key and the canonical payload of each row. Duplicates are looked for by nobody here.
Goals: ours at least 100 000 rows a second and, with a file of a city's size, a million rows, at least 20 times
frictionless with the same rules. A smaller one is measured beside: it is over before reading and checking have gone
side by side for long.
"""

import argparse
import csv
import sys
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from bench._measure import Measured, best, measured  # noqa: E402
from bench._workbooks import penalty_rows  # noqa: E402
from xinzheng.adapters.tabular.fields import Field, FieldType, Required  # noqa: E402
from xinzheng.adapters.tabular.formats import PENALTY  # noqa: E402

GOAL_SPEED, GOAL_RATIO, GOAL_ROWS = 100_000, 20.0, 1_000_000
ROWS_AT_ONCE = 50_000
TODAY = date(2026, 11, 21)
FIELDS = PENALTY.fields[:30]
DAYS = {"decision_date": "%Y%m%d", "validity_date": "%Y/%m/%d", "publication_end": "%Y/%m/%d"}


def write_csv(path: Path, rows: int) -> None:
    """The national columns, headed by their codes: names of Chinese with brackets are none in a formula."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(field.codes[0] for field in FIELDS)
        writer.writerows(penalty_rows(rows))


def ours(path: Path) -> int:
    """Reading and every check, in stretches as the ledger asks for them."""
    from xinzheng.adapters.tabular import BatchDefaults, stream_batches

    defaults = BatchDefaults("administrative_penalty", "market_regulation", TODAY, path.name)
    rows = wrong = 0
    for part in stream_batches(path, defaults, chunk_rows=ROWS_AT_ONCE):
        rows += part.frame.height
        wrong += part.frame.filter(part.frame["status"] == "rejected").height
    if wrong != rows // 1000:
        raise ValueError(f"{wrong} rows rejected")
    return rows


def described(field: Field) -> dict[str, Any]:
    """A field in the words of a frictionless schema."""
    rules: dict[str, Any] = {"maxLength": field.max_length} if field.type is FieldType.TEXT else {}
    if field.required in (Required.YES, Required.ORGANISATION):
        rules["required"] = True
    found: dict[str, Any] = {"name": field.codes[0], "type": "string", "constraints": rules}
    if field.type is FieldType.DATE:
        found |= {"type": "date", "format": DAYS[field.id]}
        if field.past:
            rules["maximum"] = f"{TODAY:{DAYS[field.id]}}"
    elif field.type is FieldType.AMOUNT:
        rules["minimum"] = 0
        found["type"] = "number"
    elif field.type is FieldType.WORD:
        rules["enum"] = sorted(field.words)
    elif field.type is FieldType.USCC:
        rules["pattern"] = "[0-9A-HJ-NP-RTUW-Y]{2}[0-9]{6}[0-9A-HJ-NP-RTUW-Y]{10}"
    return found


def built_in(path: Path) -> int:
    """The same file through frictionless, with nothing but its own rules."""
    return validated(path, [])


def same_rules(path: Path) -> int:
    """The same file through frictionless, with the other rules as a check written for it."""
    from bench._frictionless_rules import PenaltyRules

    return validated(path, [PenaltyRules()])


def validated(path: Path, more: list[Any]) -> int:
    """The rows that frictionless looked at; as many of them have to be wrong as were made so."""
    from frictionless import Checklist, Resource, Schema, checks

    codes = {field.id: field.codes[0] for field in FIELDS}
    schema = Schema.from_descriptor({"fields": [described(field) for field in FIELDS]})
    order = checks.row_constraint(formula=f"{codes['validity_date']} >= {codes['decision_date']}")
    resource = Resource(path=path.name, basepath=str(path.parent), schema=schema, encoding="utf-8")
    report = resource.validate(Checklist(checks=[order, *more]), limit_errors=1_000_000)
    (task,) = report.tasks
    rows = int(task.stats["rows"])
    wrong = len({error.to_dict().get("rowNumber") for error in task.errors})
    if wrong != rows // 1000:
        raise ValueError(f"{wrong} rows found wrong")
    return rows


def told(name: str, run: Measured) -> None:
    """One line about a run."""
    speed, processor = run.per_second, run.per_processor_second
    print(
        f"  {name:13} {speed:>8,.0f} rows/s  {processor:>8,.0f} rows/processor-s  peak {run.peak:>6,} MiB", flush=True
    )


def compared(path: Path, rows: int, rounds: int) -> bool:
    """Measure all three and print; whether the goals are reached."""
    print(f"{rows:,} rows, {len(FIELDS)} columns, {path.stat().st_size / 1024**2:.0f} MiB", flush=True)
    peers = {"built-in": measured(built_in, path), "same rules": measured(same_rules, path)}
    mine = best([measured(ours, path) for _ in range(rounds)])
    told("ours", mine)
    ratio = 0.0
    for name, peer in peers.items():
        told(name, peer)
        ratio = mine.per_second / peer.per_second
        processor = mine.per_processor_second / peer.per_processor_second
        print(f"    ours to frictionless with {name}: {ratio:.1f}, of processor time {processor:.1f}")
    goals = [f"{GOAL_SPEED:,} rows/s"]
    if rows >= GOAL_ROWS:
        goals.append(f"{GOAL_RATIO:.0f} times frictionless with the same rules")
    print(f"  goals: {', '.join(goals)}", flush=True)
    return mine.per_second >= GOAL_SPEED and (ratio >= GOAL_RATIO or rows < GOAL_ROWS)


def main() -> int:
    """Run the benchmark; exit 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--rounds", type=int, default=3, help="of ours; frictionless runs once each")
    args = parser.parse_args()
    reached = True
    with tempfile.TemporaryDirectory(prefix="xinzheng-bench-") as folder:
        for rows in args.rows:
            path = Path(folder) / f"{rows}.csv"
            write_csv(path, rows)
            reached = compared(path, rows, args.rounds) and reached
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())

"""Rows per second of reading and checking a penalty file on one core, against polars merely reading the same file.

Run: ``POLARS_MAX_THREADS=1 PYTHONPATH=src python bench/read_batch.py [rows]``. Prints ours, the reference measured in
the same run, and the ratio; each reading runs in its own process so that its peak memory is its own.
"""

import multiprocessing
import os
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date, timedelta
from multiprocessing.connection import Connection
from pathlib import Path

os.environ.setdefault("POLARS_MAX_THREADS", "1")

import polars as pl

from xinzheng.adapters.tabular import BatchDefaults, read_batch, read_batches
from xinzheng.adapters.tabular.formats import PENALTY
from xinzheng.core.identifiers import organisation_check_character, uscc_check_character

_DEFAULTS = BatchDefaults("administrative_penalty", "market_regulation", date(2026, 11, 21), "bench.csv")
_VIOLATIONS = ("广告违法行为", "食品违法行为", "产品(商品)质量违法行为", "无照经营", "特种设备违法行为")
_ORGAN = ("示例市市场监督管理局", "11320500MA4CL12T2B")


def _uscc(draw: random.Random) -> str:
    body = "MA" + "".join(draw.choices("0123456789ABCDEFGHJKLMNPQRTUWXY", k=6))
    first17 = draw.choice(("91", "92")) + "320505" + body + organisation_check_character(body)
    return first17 + uscc_check_character(first17)


def write_file(path: Path, rows: int, seed: int = 7) -> None:
    """A file in the 30 national columns, one row in a thousand wrong, like the real ones in length and wording."""
    draw = random.Random(seed)
    codes = [_uscc(draw) for _ in range(max(rows // 5, 1))]
    with path.open("w", encoding="utf-8-sig", newline="\n") as file:
        file.write(",".join(field.name for field in PENALTY.fields[:30]) + "\n")
        for number in range(rows):
            file.write(_row(draw, codes, number))


def _row(draw: random.Random, codes: list[str], number: int) -> str:
    code = draw.choice(codes)
    fine = draw.randint(1, 500_000)
    name = f"示例市{code[10:16]}{'商店' if code[1] == '2' else '科技有限公司'}"
    day = date(2023, 1, 1) + timedelta(days=draw.randint(0, 1200))
    wrong = number % 1000 == 999
    violation = draw.choice(_VIOLATIONS)
    return (
        f"{name},{'个体工商户' if code[1] == '2' else '法人及非法人组织'},{code[:17] + '?' if wrong else code},,,,,,"
        f"示例甲,身份证,,,,示市监处罚〔{day.year}〕{number}号,{violation},"
        f"{name}在经营中实施{violation}，经现场检查和询问调查属实，当事人对事实予以确认,"
        f"《中华人民共和国广告法》第五十五条第一款；《中华人民共和国行政处罚法》第三十二条,罚款,罚款{fine}元,"
        f"{fine / 10000:.4f},0,,{day:%Y%m%d},2099/12/31,,{_ORGAN[0]},{_ORGAN[1]},{_ORGAN[0]},{_ORGAN[1]},\n"
    )


def reference(path: Path) -> int:
    """Reading only."""
    return pl.read_csv(path, infer_schema=False).height


def whole(path: Path) -> int:
    """The whole file at once."""
    return read_batch(path, _DEFAULTS).frame.height


def stretches(path: Path) -> int:
    """Stretch by stretch, as the ledger does."""
    return sum(part.frame.height for part in read_batches(path, _DEFAULTS))


def _measure(work: Callable[[Path], int], path: Path, answer: Connection) -> None:
    started = time.perf_counter()
    rows = work(path)
    answer.send((rows, time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))


def measured(work: Callable[[Path], int], path: Path) -> tuple[int, float, float]:
    """Rows, seconds and peak megabytes of a function in a fresh process."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_measure, args=(work, path, theirs))
    process.start()
    theirs.close()
    result: tuple[int, float, float] = ours.recv()
    process.join()
    return result


def main() -> None:
    """Write the file, read it three ways, print."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bench.csv"
        write_file(path, rows)
        print(f"{rows} rows, 30 columns, {path.stat().st_size / 1024**2:.0f} MiB, one core")
        speeds = {}
        for name, work in (("polars read", reference), ("read_batches", stretches), ("read_batch", whole)):
            count, seconds, memory = measured(work, path)
            speeds[name] = count / seconds
            ratio = speeds[name] / speeds["polars read"]
            print(f"{name:13} {count / seconds:>9,.0f} rows/s  peak {memory:>6,.0f} MiB  ratio {ratio:.2f}")


if __name__ == "__main__":
    main()

"""The parts of script/soak: each works in a home of its own, through the command line, and cleans up after itself."""

import argparse
import csv
import json
import multiprocessing
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from script.soak_runs import DOMAIN, KIND, BrokenBoundError, Unit, Wanted, command, must, some_unit  # noqa: E402

MOST_MIB = 2048
OUTCOMES = ("new", "changed", "identical", "rejected", "duplicate")
SUBJECTS = 200_000


def take_in(home: Path, path: Path, unit: Unit) -> dict[str, Any]:
    """Deliver a file through the command line; the counts, which must add up, within the bound of memory."""
    ran = command(home, "intake", str(path), "--unit", unit.uscc, "--domain", DOMAIN, "--kind", KIND, "--json")
    must(ran.code == 0, f"接收没有完成，退出码{ran.code}：{ran.printed[:500]}")
    result: dict[str, Any] = json.loads(ran.printed)
    counts = {name: int(result[name]) for name in OUTCOMES}
    told = "，".join(f"{name} {count:,}" for name, count in counts.items())
    speed = result["lines"] / ran.seconds
    print(
        f"  {result['lines']:,} 行，{ran.seconds:.0f} 秒，每秒 {speed:,.0f} 行，内存峰值 {ran.peak:,} MiB；{told}",
        flush=True,
    )
    must(sum(counts.values()) == result["lines"], "各项之和不等于总行数")
    must(ran.peak < MOST_MIB, f"内存峰值 {ran.peak} MiB 超过 {MOST_MIB} MiB")
    return result


def taken_twice(home: Path, path: Path, unit: Unit, lines: int) -> None:
    """Take a file in, and once more: every line is accounted for, and the second time changes nothing."""
    first = take_in(home, path, unit)
    must(first["lines"] == lines, f"文件有 {lines:,} 行数据，只认出 {first['lines']:,} 行")
    must(min(first["new"], first["rejected"]) > 0, "应有新记录，也应有退回的行")
    again = take_in(home, path, unit)
    must((again["new"], again["changed"]) == (0, 0), "同一文件再报一次，账本有变化")
    must(again["identical"] == first["new"] + first["changed"], "同一文件再报一次，相同的行数不符")
    must((again["rejected"], again["duplicate"]) == (first["rejected"], first["duplicate"]), "退回或者重复的行数不符")


def dirty_rows(count: int, unit: Unit) -> Iterator[Sequence[str]]:
    """Penalties as units send them: brackets and dates in every form, some lines wrong, some twice. Always the same."""
    from xinzheng.core.identifiers import organisation_check_character, uscc_check_character

    dice, first_day, before = random.Random(7), date(2023, 1, 1), ()
    for number in range(count):
        subject = dice.randrange(SUBJECTS)
        body = f"MA{subject:06d}"
        first17 = f"91320505{body}{organisation_check_character(body)}"
        day = first_day + timedelta(days=dice.randrange(1400))
        brackets = ("〔{}〕", "[{}]", "（{}）", "【{}】")[number % 4].format(2023 + number % 3)
        fine = dice.randrange(1, 5000)
        facts = "— —" if number % 993 == 992 else "发布虚假广告,“最佳”" if number % 3 else "无照经营"
        written = f"{day:%Y/%m/%d}" if number % 2 else f"{day:%Y%m%d}"
        row = (
            f"苏州{subject}号科技有限公司", "法人及非法人组织",
            first17 + ("?" if number % 997 == 996 else uscc_check_character(first17)),
            f"苏市监处罚{brackets}{number}号", "广告违法行为", facts, "《中华人民共和国广告法》第五十五条", "罚款",
            f"罚款{fine}元", f"{fine / 10000:.4f}", "2022-09-31" if number % 1013 == 1012 else written, "2099/12/31",
            unit.name, unit.uscc, unit.name, unit.uscc,
        )  # fmt: skip
        # Every 1009th line is the one before it once more.
        before = row if number % 1009 != 1008 else before
        yield before


COLUMNS = (
    "CF_XDR_MC", "CF_XDR_LB", "CF_XDR_SHXYM", "CF_WSH", "CF_WFXW", "CF_SY", "CF_YJ", "CF_CFLB", "CF_NR", "CF_NR_FK",
    "CF_JDRQ", "CF_YXQ", "CF_CFJG", "CF_CFJGDM", "CF_SJLY", "CF_SJLYDM",
)  # fmt: skip


def write_dirty_csv(path: Path, count: int, unit: Unit) -> None:
    """The rows as CSV, with an empty line now and then."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for number, row in enumerate(dirty_rows(count, unit)):
            writer.writerow(row)
            if number % 100_003 == 0:
                file.write("\r\n")


def write_long_workbook(path: Path, count: int, unit: Unit) -> None:
    """A workbook of 30 columns with its texts in a table, as Excel writes it."""
    from bench._workbooks import penalty_rows, write_xlsx

    write_xlsx(path, penalty_rows(count, (unit.name, unit.uscc)), shared=True)


def delivered(home: Path, name: str, write: Callable[[Path, int, Unit], None], count: int) -> None:
    """Write a file, in another process whose memory must not be taken for that of the commands; take it in twice."""
    unit, path = some_unit(home), home / name
    process = multiprocessing.get_context("spawn").Process(target=write, args=(path, count, unit))
    process.start()
    process.join()
    must(process.exitcode == 0, f"没有生成{name}")
    print(f"  {name}：{count:,} 行，{path.stat().st_size / 1024**2:,.0f} MiB", flush=True)
    taken_twice(home, path, unit, count)


def intake_5m(home: Path, wanted: Wanted) -> None:
    """A long CSV file with dirt in it, taken in twice."""
    delivered(home, "5m.csv", write_dirty_csv, wanted.size(5_000_000, 20_000))


def xlsx_1m(home: Path, wanted: Wanted) -> None:
    """A workbook of a million rows, taken in twice."""
    delivered(home, "1m.xlsx", write_long_workbook, wanted.size(1_000_000, 20_000))


def demo_default(home: Path, wanted: Wanted) -> None:
    """The demonstration city of the default size through all its steps; ``rows``: other than 20 000 subjects."""
    size = ["--subjects", str(wanted.size(20_000, 200))]
    ran = command(home, "demo", "run", "--no-serve", *size)
    print(ran.printed, end="")
    print(f"  {ran.seconds:.0f} 秒，内存峰值 {ran.peak:,} MiB", flush=True)
    must(ran.code == 0, f"演示没有走完，退出码{ran.code}")
    must(ran.peak < MOST_MIB, f"内存峰值 {ran.peak} MiB 超过 {MOST_MIB} MiB")


def load(home: Path, wanted: Wanted) -> None:
    """Applying, verifying and a large delivery at once."""
    from script.soak_load import load as put_load_on

    put_load_on(home, wanted)


def failover(home: Path, wanted: Wanted) -> None:
    """The primary dies under load."""
    from script.soak_replicas import failover as kill_the_primary

    kill_the_primary(home, wanted)


def restore(home: Path, wanted: Wanted) -> None:
    """Back up under load, restore to a point and to the end."""
    from script.soak_replicas import restore as restore_under_load

    restore_under_load(home, wanted)


PARTS: dict[str, tuple[Callable[[Path, Wanted], None], str]] = {
    "intake-5m": (intake_5m, "生成500万行带脏数据的CSV，经命令行报送，再报一次：各项之和等于总行数，第二次不改变账本"),
    "xlsx-1m": (xlsx_1m, "生成100万行、30列的XLSX，经命令行报送，再报一次"),
    "demo-default": (demo_default, "默认规模的演示城市（2万个主体，种子7）走完全过程"),
    "load": (
        load,
        "50个主体申请、200个单位核验、一次报送100万行，同时进行5分钟：没有错误，核验95%在250毫秒以内，一件不丢",
    ),
    "failover": (
        failover,
        "同步备库，申请不断时用 kill -9 结束主库，提升备库：已答复的申请按幂等键清点，一件不少；原主库重新加入",
    ),
    "restore": (restore, "申请不断时备份，恢复到恢复点和归档末尾：件数相符，报告复算、日志和审计核查都通过"),
}


def run(name: str, wanted: Wanted) -> bool:
    """Run a part in a home of its own; whether all held."""
    home = Path(tempfile.mkdtemp(prefix="xinzheng-soak-"))
    begun = time.monotonic()
    print(f"== {name}", flush=True)
    try:
        PARTS[name][0](home, wanted)
    except BrokenBoundError as error:
        print(f"  没有守住：{error}", file=sys.stderr, flush=True)
        return False
    else:
        print(f"  守住了，用时 {time.monotonic() - begun:.0f} 秒", flush=True)
        return True
    finally:
        from xinzheng.adapters.postgres_embedded import stop

        stop(home)
        shutil.rmtree(home, ignore_errors=True)


def main() -> int:
    """Run the parts that are named, or all; exit 1 when a bound is broken."""
    parts = "\n".join(f"  {name:13} {what}" for name, (_, what) in PARTS.items())
    parser = argparse.ArgumentParser(
        prog="script/soak",
        description=f"长时间运行的检验，不在CI里跑。各部分：\n{parts}",
        epilog=f"内存峰值不得超过{MOST_MIB} MiB。每一部分用自己的临时目录，结束后清理。越出任何一个界限，退出码为1。",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=False,
    )
    parser.add_argument("-h", "--help", action="help", help="显示本说明")
    parser.add_argument("parts", nargs="*", metavar="部分", help="只跑写明的部分；不写则全部")
    parser.add_argument("--rows", type=int, metavar="N", help="改用别的行数（demo-default为主体数），试跑用")
    parser.add_argument("--short", action="store_true", help="短的试跑：规模小，只看走得通；核验的快慢只报告，不判断")
    args = parser.parse_args()
    unknown = [name for name in args.parts if name not in PARTS]
    if unknown:
        parser.error(f"没有这一部分：{'、'.join(unknown)}；有：{'、'.join(PARTS)}")
    held = [run(name, Wanted(args.rows, args.short)) for name in args.parts or PARTS]
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())

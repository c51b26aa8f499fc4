"""Intake of a million rows, the real way, against raw COPY of the same file into a logged table.

    python bench/intake_1m.py [--rows N] [--subjects N]

Prints rows per second of the new file, of the identical file again and of the file with every tenth row changed, the
ratio of each to raw COPY (goals: 0.18 new, 0.30 identical), rows per second of reading and checking alone, without the
ledger (goal: 100,000), and the peak memory of this process (goal: below 1.5 GB). ``cpu_seconds`` are this process's
own, for comparing on a machine that is not idle. All run on the same server in the same run: the embedded one in a
throwaway home, or XINZHENG_DATABASE_URL, whose database must be empty.
"""

import argparse
import csv
import json
import os
import random
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "src"))

SEED = 20261121
REGISTERED_AT_ONCE = 5_000
GOALS = {"ratio_new": 0.18, "ratio_identical": 0.30, "checks_alone_rows_per_second": 100_000}
GOAL_MIB = 1536
TODAY = date(2026, 11, 21)
COLUMNS = (
    "行政相对人名称", "行政相对人类别", "行政相对人代码_1(统一社会信用代码)", "行政相对人代码_2(工商注册号)",
    "行政相对人代码_3(组织机构代码)", "行政相对人代码_4(税务登记号)", "行政相对人代码_5(事业单位证书号)",
    "行政相对人代码_6(社会组织登记证号)", "法定代表人", "法定代表人证件类型", "法定代表人证件号码", "证件类型",
    "证件号码", "行政处罚决定书文号", "违法行为类型", "违法事实", "处罚依据", "处罚类别", "处罚内容",
    "罚款金额(万元)", "没收违法所得、没收非法财物的金额(万元)", "暂扣或吊销证照名称及编号", "处罚决定日期",
    "处罚有效期", "公示截止期", "处罚机关", "处罚机关统一社会信用代码", "数据来源单位",
    "数据来源单位统一社会信用代码", "备注",
)  # fmt: skip
VIOLATIONS = (
    ("广告违法行为", "在经营中使用虚假广告宣传", "《中华人民共和国广告法》第二十八条、第五十五条第一款"),
    ("产品质量违法行为", "销售抽检不合格的塑料制品", "《中华人民共和国产品质量法》第三十九条、第五十条"),
    ("食品安全违法行为", "经营超过保质期的预包装食品", "《中华人民共和国食品安全法》第一百二十四条第一款第五项"),
    ("价格违法行为", "未按规定明码标价", "《中华人民共和国价格法》第四十二条"),
)
PLACES = ("示例", "云锦", "长桥", "青湖", "平江", "虎丘", "金鸡", "石湖", "太湖", "横塘")
TRADES = ("科技", "商贸", "餐饮管理", "建筑工程", "物流", "医疗器械", "电子", "环保")


def codes(prefix: str, count: int) -> list[str]:
    """So many valid unified social credit codes, always the same."""
    from xinzheng.core.identifiers import organisation_check_character, uscc_check_character

    made = []
    for number in range(count):
        body = f"{prefix}MB{number:06d}"[:16]
        first17 = body + organisation_check_character(body[8:])
        made.append(first17 + uscc_check_character(first17))
    return made


def firm_name(number: int) -> str:
    """What the subject with this number is called, in the register and in its rows."""
    return f"苏州{PLACES[number % 10]}{TRADES[number % 8]}{number}有限公司"


def rows(count: int, subjects: list[str], organ: str, *, changed: bool = False) -> Iterator[tuple[object, ...]]:
    """National penalty rows, deterministic; ``changed``: every tenth says something else."""
    dice = random.Random(SEED)
    first_day = date(2023, 1, 1)
    for number in range(count):
        subject = dice.randrange(len(subjects))
        violation, act, basis = VIOLATIONS[dice.randrange(len(VIOLATIONS))]
        name = firm_name(subject)
        fine = dice.randrange(1, 500) * 0.01
        day = first_day + timedelta(days=dice.randrange(1400))
        order = "责令停止违法行为" if changed and number % 10 == 0 else "责令改正违法行为"
        yield (
            name, "法人及非法人组织", subjects[subject], "", "", "", "", "", f"示{subject % 977}", "", "", "", "",
            f"苏市监处罚〔{day.year}〕{number:07d}号", violation,
            f"{name}{act}，涉案货值{number % 9000}元，违法所得{number % 700}元", basis, "罚款",
            f"罚款{fine * 10000:.0f}元，{order}", f"{fine:.6f}", "0.000000", "",
            f"{day:%Y/%m/%d}", "2099/12/31", f"{day + timedelta(days=1095):%Y/%m/%d}", "苏州市市场监督管理局", organ,
            "苏州市市场监督管理局", organ, "",
        )  # fmt: skip


def write_file(path: Path, count: int, subjects: list[str], organ: str, *, changed: bool = False) -> None:
    """The CSV file: UTF-8, header in the first line."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(rows(count, subjects, organ, changed=changed))


def register(subjects: list[str], organ: str) -> None:
    """A unit that answers, and subjects the register knows, as in a city at work."""
    from django.db import transaction

    from xinzheng.apps.audit.actions import open_entry, take_position
    from xinzheng.apps.registry.actions import Sighting, register_unknown_subjects
    from xinzheng.apps.registry.models import Responsibility, Unit, UnitVersion

    with transaction.atomic():
        entry = open_entry(kind="bench", by="system")
        unit = Unit.objects.create(uscc=organ)
        name, city = "苏州市市场监督管理局", "320500"
        UnitVersion.objects.create(entry=entry, unit=unit, name=name, short_name=name, jurisdiction=city, division=city)
        Responsibility.objects.create(
            entry=entry, policy_id="bench", domain="market_regulation", kind="administrative_penalty", unit=unit, rank=1
        )
        for start in range(0, len(subjects), REGISTERED_AT_ONCE):
            some = enumerate(subjects[start : start + REGISTERED_AT_ONCE], start)
            register_unknown_subjects((Sighting(code, firm_name(number)) for number, code in some), entry=entry)
        take_position(entry)


def raw_copy(path: Path) -> float:
    """Seconds to COPY the same file, as text columns, into a logged table, commit included."""
    from django.db import connection, transaction

    columns = ", ".join(f"c{number} text" for number in range(len(COLUMNS)))
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE bench_raw ({columns})")
        begin = time.perf_counter()
        with (
            transaction.atomic(),
            cursor.copy("COPY bench_raw FROM STDIN (FORMAT CSV, HEADER)") as copy,
            path.open("rb") as file,
        ):
            while data := file.read(1024**2):
                copy.write(data)
        took = time.perf_counter() - begin
        cursor.execute("DROP TABLE bench_raw")
    return took


def take_in(path: Path, organ: str) -> float:
    """Seconds the real intake takes, from the file to the commit."""
    from xinzheng.apps.ledger.actions import Delivery, Scope, submit_batch

    scope = Scope(organ, "market_regulation", "administrative_penalty")
    begin = time.perf_counter()
    result = submit_batch(Delivery(path, scope, covers=(date(2023, 1, 1), date(2026, 10, 31))), by="system")
    took = time.perf_counter() - begin
    print(f"intake: {result}", file=sys.stderr)
    return took


def check_alone(path: Path) -> float:
    """Seconds to read the file and check every row, with payload and natural key, without a ledger."""
    from xinzheng.adapters.tabular import BatchDefaults, stream_batches

    defaults = BatchDefaults("administrative_penalty", "market_regulation", TODAY, path.name)
    begin = time.perf_counter()
    found = sum(part.frame.height for part in stream_batches(path, defaults, chunk_rows=50_000))
    took = time.perf_counter() - begin
    print(f"checked: {found}", file=sys.stderr)
    return took


def measure(count: int, subject_count: int) -> dict[str, object]:
    """Run all on one file and put the figures together."""
    subjects, (organ,) = codes("91320500", subject_count), codes("11320500", 1)
    seconds, processor = dict[str, float](), dict[str, float]()
    with tempfile.TemporaryDirectory(prefix="xinzheng-bench-") as folder:
        path, changed = Path(folder) / "penalties.csv", Path(folder) / "changed.csv"
        write_file(path, count, subjects, organ)
        write_file(changed, count, subjects, organ, changed=True)
        register(subjects, organ)
        size = path.stat().st_size
        copied = raw_copy(path)
        for name, file in (("new", path), ("identical", path), ("changed", changed)):
            begin = time.process_time()
            seconds[name] = take_in(file, organ)
            processor[name] = round(time.process_time() - begin, 1)
        copied = (copied + raw_copy(path)) / 2
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        alone = check_alone(path)
    return {
        "rows": count,
        "file_mib": round(size / 1024**2),
        "raw_copy_rows_per_second": round(count / copied),
        **{f"{name}_rows_per_second": round(count / took) for name, took in seconds.items()},
        **{f"ratio_{name}": round(copied / took, 3) for name, took in seconds.items()},
        "checks_alone_rows_per_second": round(count / alone),
        "cpu_seconds": processor,
        "peak_memory_mib": peak,
        "goals": GOALS | {"peak_memory_mib": GOAL_MIB},
    }


def main() -> int:
    """Run the benchmark; exit 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--subjects", type=int, default=200_000)
    args = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="xinzheng-bench-home-"))
    os.environ["XINZHENG_HOME"] = str(home)
    os.environ["DJANGO_SETTINGS_MODULE"] = "xinzheng.config.settings"
    try:
        import django

        django.setup()
        from xinzheng.config.readiness import ensure_ready

        ensure_ready()
        found = measure(args.rows, min(args.subjects, args.rows))
    finally:
        from xinzheng.adapters.postgres_embedded import stop

        stop(home)
        shutil.rmtree(home, ignore_errors=True)
    print(json.dumps(found, ensure_ascii=False, indent=1))
    reached = all(float(str(found[name])) >= goal for name, goal in GOALS.items())
    return 0 if reached and int(str(found["peak_memory_mib"])) < GOAL_MIB else 1


if __name__ == "__main__":
    sys.exit(main())

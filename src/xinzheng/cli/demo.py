"""``xinzheng demo``: make the demonstration city; show the whole way."""

import argparse
import os
import sys
import time
from dataclasses import replace
from typing import Any, NoReturn

from xinzheng.cli import serve

NEEDS_DATABASE = True
SUBJECTS, SEED = 20_000, 7
ADDRESS = "127.0.0.1"
MIN_SUBJECTS, MAX_SUBJECTS = 50, 1_000_000


def add_parser(subparsers: Any) -> None:
    """Register the commands."""
    parser = subparsers.add_parser("demo", help="演示：虚构的城市数据，从报送到核验的全过程")
    actions = parser.add_subparsers(dest="action", required=True, metavar="动作")
    city = actions.add_parser("city", help="生成演示城市（苏州、湖州），经正式的报送流程装入")
    _add_city_arguments(city)
    city.set_defaults(run=run_city)
    run = actions.add_parser("run", help="装入演示城市，各出具一份报告并核验，然后启动网站")
    _add_city_arguments(run)
    run.add_argument("--no-serve", action="store_true", help="不启动网站，到核验为止")
    run.add_argument("--port", type=serve.port_number, default=8000, metavar="端口", help="网站端口，默认 8000")
    # The database is started as the first step, so that its time is told, too.
    run.set_defaults(run=run_demo, needs_database=False)


def _add_city_arguments(parser: argparse.ArgumentParser) -> None:
    size, chance = f"主体数，默认 {SUBJECTS}", f"随机种子，默认 {SEED}；同一种子，同一数据"
    late = "让这个单位迟报，例如 昆山市水务局；可重复"
    parser.add_argument("--subjects", type=subject_count, metavar="N", help=size)
    parser.add_argument("--seed", type=int, metavar="N", help=chance)
    parser.add_argument("--late", action="append", metavar="单位", help=late)


def subject_count(text: str) -> int:
    """How many subjects; argparse shows the message."""
    if not text.isdigit() or not MIN_SUBJECTS <= int(text) <= MAX_SUBJECTS:
        raise argparse.ArgumentTypeError(f"“{text}”应为{MIN_SUBJECTS}至{MAX_SUBJECTS}的整数")
    return int(text)


def run_city(args: argparse.Namespace) -> int:
    """Make the city; what it holds is printed."""
    began = time.monotonic()
    loaded = make_city_of(args)
    print("\n".join(_told(loaded)))
    print(f"用时 {time.monotonic() - began:.1f} 秒。")
    return 0


def make_city_of(args: argparse.Namespace) -> Any:
    """Load the city that the arguments name."""
    from xinzheng.cli.demo_city.loading import load_city
    from xinzheng.cli.demo_city.progress import watching

    with watching() as watcher:
        return load_city(_wanted(args), watcher)


def _wanted(args: argparse.Namespace) -> Any:
    """The city asked for; ``demo run`` without a wish takes the one that is there."""
    from xinzheng.apps.ledger.delivery import today_in_china
    from xinzheng.cli.demo_city.marks import CityMark, begun

    today = today_in_china()
    there = begun() if args.action == "run" and (args.subjects, args.seed, args.late) == (None, None, None) else None
    if there is not None:
        return replace(there, today=max(today, there.today))
    seed = SEED if args.seed is None else args.seed
    return CityMark(seed, args.subjects or SUBJECTS, tuple(sorted(set(args.late or ()))), today)


def _told(loaded: Any) -> list[str]:
    if not loaded.is_new:
        words = ["演示城市已在库中，没有改动。"]
        if loaded.is_refreshed:
            words = [f"演示城市已在库中；各单位的数据已续报到最近几天（{loaded.statements}条覆盖声明）。"]
        return words
    return [
        f"演示城市已装入：主体 {loaded.subjects}，批次 {loaded.batches}，零报告 {loaded.statements}。",
        f"读取 {loaded.lines} ＝ 新增 {loaded.new} ＋ 变更 {loaded.changed} ＋ 相同 {loaded.identical}"
        f" ＋ 退回 {loaded.rejected} ＋ 重复 {loaded.duplicate}；其中更正 {loaded.mended} 行。",
        "所有主体、单位代码、文号和数额均为虚构。",
    ]


def run_demo(args: argparse.Namespace) -> int:
    """The whole way; then serve. 1 when a report was found wanting."""
    # Before anything reads the settings, so that the two reports name the port as well.
    serve.name_host(ADDRESS, args.port)
    from xinzheng.cli.demo_city.showing import Page, say_where, show

    if not args.no_serve:
        # Better said now than after everything was loaded.
        serve.refuse_taken_port(ADDRESS, args.port)
    is_good = show(args)
    say_where(Page(), args.port)
    if args.no_serve or not is_good:
        return 0 if is_good else 1
    sys.stdout.flush()
    return serve_afresh(args.port)


def serve_afresh(port: int) -> NoReturn:
    """Become ``xinzheng serve``: threads that made the city would be missing in web processes forked off from here."""
    os.execv(sys.executable, [sys.executable, "-m", "xinzheng.cli", "serve", "--port", str(port)])  # noqa: S606

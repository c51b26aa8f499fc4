"""``xinzheng policy check|show|cases``: review a pack, read its clauses, run its cases; the rest: policy_publishing."""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from xinzheng.adapters.calendar import default_calendar
from xinzheng.adapters.policy_files import (
    Mistake,
    PolicyCase,
    case_files,
    list_policies,
    load_cases,
    load_policy,
    load_policy_file,
    mistakes_of,
    run_case,
)
from xinzheng.cli import policy_publishing
from xinzheng.cli.policy_pages import policy_facts, policy_page
from xinzheng.core.errors import PolicyError
from xinzheng.core.policy import Policy

NEEDS_DATABASE = False
CASES_WANTED = 30


def add_parser(subparsers: Any) -> None:
    """Register the command and its parts."""
    parser = subparsers.add_parser("policy", help="检查、查看、发布政策包，运行政策用例，登记延期")
    metavar = f"check|show|cases|{policy_publishing.PARTS}"
    parts = parser.add_subparsers(dest="part", title="子命令", metavar=metavar, required=True)
    for name, run_part, text, file_text in (
        ("check", run_check, "严格检查政策包及其用例", "要检查的政策文件，代替编号"),
        ("show", run_show, "查看政策的条款和依据", "要查看的政策文件，代替编号"),
        ("cases", run_cases, "运行政策用例", "要运行的用例文件，代替政策包自带的用例"),
    ):
        part = parts.add_parser(name, help=text, description=text)
        part.add_argument("id", metavar="ID", nargs="?", help="政策包编号或者所在文件夹；不写即全部")
        part.add_argument("--file", metavar="F", type=Path, help=file_text)
        part.add_argument("--json", action="store_true", help="输出一个JSON对象")
        part.set_defaults(run_part=run_part)
    policy_publishing.add_parts(parts)
    for part in parts.choices.values():
        part.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the part that was asked for."""
    return int(args.run_part(args))


def _print_json(value: object) -> None:
    print(json.dumps(value, ensure_ascii=False, default=str))


# --- check ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Checked:
    """What checking one pack or file found."""

    name: str
    policy: Policy | None
    mistakes: tuple[Mistake, ...]
    cases: int
    warnings: tuple[str, ...]


def _check(name: str, policy_file: Path | None) -> Checked:
    load = partial(load_policy_file, policy_file) if policy_file else partial(load_policy, name)
    mistakes = mistakes_of(load)
    policy = None if mistakes else load()
    files = () if policy_file else case_files(name)
    mistakes += tuple(mistake for file in files for mistake in mistakes_of(partial(load_cases, file)))
    cases = 0 if mistakes else sum(len(load_cases(file)) for file in files)
    warnings = policy.warnings if policy else ()
    if not mistakes and not policy_file and cases < CASES_WANTED:
        warnings += (f"只有{cases}个用例，应不少于{CASES_WANTED}个",)
    return Checked(name, policy, mistakes, cases, warnings)


def _checked_facts(checked: Checked) -> dict[str, object]:
    policy = checked.policy
    return {
        "id": policy.id if policy else checked.name,
        "ok": not checked.mistakes,
        "errors": [{"file": m.file, "line": m.line, "message": m.message} for m in checked.mistakes],
        "warnings": [{"message": text} for text in checked.warnings],
        "domains": len(policy.domains) if policy else None,
        "claimed_domains": policy.claimed_domains if policy else None,
        "clauses": len(policy.clauses) if policy else None,
        "cases": checked.cases,
        "sha256": policy.sha256 if policy else None,
    }


def _print_checked(checked: Checked) -> None:
    if checked.mistakes:
        print(f"✗ {checked.name}：有{len(checked.mistakes)}处错误")
        print("\n".join(f"  {mistake}" for mistake in checked.mistakes))
    elif checked.policy:
        policy = checked.policy
        cases = f"，{checked.cases}个用例" if checked.cases else ""
        print(f"✓ {policy.id}：{len(policy.domains)}个领域，{len(policy.clauses)}条条款{cases}，没有错误")
        print(f"  sha256 {policy.sha256}")
    for text in checked.warnings:
        print(f"  注意：{text}")


def run_check(args: argparse.Namespace) -> int:
    """Check packs strictly; 1 if any has a mistake."""
    names = (args.id,) if args.id else (str(args.file),) if args.file else list_policies()
    found = [_check(name, args.file) for name in names]
    if args.json:
        _print_json({"ok": all(not c.mistakes for c in found), "policies": [_checked_facts(c) for c in found]})
    else:
        for checked in found:
            _print_checked(checked)
    mistakes = sum(len(checked.mistakes) for checked in found)
    if mistakes:
        print(f"政策包有{mistakes}处错误，已逐条列出。", file=sys.stderr)
    return 1 if mistakes else 0


# --- show ----------------------------------------------------------------------------------------------------------


def run_show(args: argparse.Namespace) -> int:
    """Print a pack for people, or its facts as JSON."""
    if args.file:
        policies = [load_policy_file(args.file)]
    else:
        policies = [load_policy(name) for name in ((args.id,) if args.id else list_policies())]
    if args.json:
        facts = [policy_facts(policy) for policy in policies]
        _print_json(facts[0] if args.id or args.file else {"policies": facts})
    else:
        print("\n\n".join(policy_page(policy) for policy in policies))
    return 0


# --- cases ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RanCase:
    """A case that was run, where it stands, and how it differs."""

    policy_id: str
    file: Path
    case: PolicyCase
    differences: Sequence[str]


def _run_pack(name: str, file: Path | None) -> list[RanCase]:
    policy, calendar = load_policy(name), default_calendar()
    return [
        RanCase(policy.id, path, case, run_case(policy, case, calendar))
        for path in ((file,) if file else case_files(name))
        for case in load_cases(path)
    ]


def _print_cases(ran: Sequence[RanCase]) -> None:
    for item in ran:
        if item.differences:
            print(f"✗ {item.file}:{item.case.line} {item.case.name}")
            print("\n".join(f"    {text}" for text in item.differences))
    failed = sum(bool(item.differences) for item in ran)
    for policy_id in dict.fromkeys(item.policy_id for item in ran):
        print(f"{policy_id}：{sum(item.policy_id == policy_id for item in ran)}个用例")
    print(f"不符合预期的{failed}个。" if failed else "全部符合预期。")


def run_cases(args: argparse.Namespace) -> int:
    """Run the cases of packs, or of a file against one pack; 1 if any differs."""
    if args.file and not args.id:
        raise PolicyError(
            "用 --file 运行用例时，请写明政策包编号，如 xinzheng policy cases suzhou-2024 --file 用例.yaml。"
        )
    ran = [item for name in ((args.id,) if args.id else list_policies()) for item in _run_pack(name, args.file)]
    failed = [item for item in ran if item.differences]
    if args.json:
        facts = [
            {
                "policy": item.policy_id,
                "file": str(item.file),
                "line": item.case.line,
                "name": item.case.name,
                "differences": list(item.differences),
            }
            for item in failed
        ]
        _print_json({"cases": len(ran), "passed": len(ran) - len(failed), "failed": facts})
    else:
        _print_cases(ran)
    if failed:
        print(f"有{len(failed)}个用例不符合预期。", file=sys.stderr)
    return 1 if failed else 0

"""``xinzheng repair rules|guidance``: check the dated rules of repair, and ask them about a subject's records."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from xinzheng.adapters.policy_files import mistakes_of
from xinzheng.adapters.policy_files.repair_rules import load_repair_rules
from xinzheng.cli.asking import day, subject_of
from xinzheng.core.repair_rules import RepairRule, RepairRules

NEEDS_DATABASE = True


def add_parser(subparsers: Any) -> None:
    """Register the command and its two parts."""
    parser = subparsers.add_parser("repair", help="查看信用修复规则和一个主体的修复指引")
    parts = parser.add_subparsers(dest="part", title="子命令", metavar="rules|guidance", required=True)
    rules = parts.add_parser("rules", help="列出各施行时期的修复规则", description="列出各施行时期的修复规则")
    rules.add_argument("--check", action="store_true", help="只检查规则文件，有错误的逐条列出行号")
    rules.add_argument("--file", metavar="F", type=Path, help="要看的规则文件，代替随附的 policies/repair.yaml")
    rules.set_defaults(run=run_rules, needs_database=False)
    asked = parts.add_parser("guidance", help="一个主体的记录怎样修复", description="一个主体的记录怎样修复")
    asked.add_argument("--subject", metavar="CODE", required=True, help="统一社会信用代码或者公民身份号码")
    asked.add_argument("--on", metavar="D", type=day, help="问哪一天，默认今天；账本仍是今天的")
    asked.set_defaults(run=run_guidance)
    for part in (rules, asked):
        part.add_argument("--json", action="store_true", help="输出一个JSON对象")


def run_rules(args: argparse.Namespace) -> int:
    """List the rules, or check their file; 1 if it has a mistake."""
    mistakes = mistakes_of(lambda: load_repair_rules(args.file))
    if mistakes:
        if args.json:
            errors = [{"file": m.file, "line": m.line, "message": m.message} for m in mistakes]
            print(json.dumps({"ok": False, "errors": errors}, ensure_ascii=False))
        print("\n".join(map(str, mistakes)), file=sys.stderr)
        print(f"修复规则有{len(mistakes)}处错误，已逐条列出。", file=sys.stderr)
        return 1
    rules = load_repair_rules(args.file)
    if args.json:
        facts = {"ok": True, "errors": [], "sha256": rules.sha256, "rules": [_facts(rule) for rule in rules.rules]}
        print(json.dumps(facts, ensure_ascii=False, default=str))
    elif args.check:
        print(f"✓ {len(rules.rules)}段规则，首尾相接，没有错误\n  sha256 {rules.sha256}")
    else:
        print("\n\n".join(_page(rule) for rule in rules.rules))
        print(f"\n期间的算法：{rules.counting.source}{rules.counting.section}。{rules.counting.note}")
    _say_second_hand(rules)
    return 0


def _say_second_hand(rules: RepairRules) -> None:
    count = sum(rule.citation.second_hand for rule in rules.rules)
    if count:
        print(f"注意：{count}段规则的依据是转述，没有核对发布机关的原文，使用前应当核对。", file=sys.stderr)


def _facts(rule: RepairRule) -> dict[str, object]:
    return {
        "id": rule.id,
        "title": rule.title,
        "from": rule.in_effect.from_date,
        "until": rule.in_effect.until_date,
        "covers": sorted(rule.covers),
        "source": rule.citation.source,
        "second_hand": rule.citation.second_hand,
        "classes": [
            {"id": c.id, "name": c.name, "shortest_months": c.shortest_months, "longest_months": c.longest_months}
            for c in rule.classes
        ],
    }


def _page(rule: RepairRule) -> str:
    until = f"至{rule.in_effect.until_date}" if rule.in_effect.until_date else "起"
    seen = "（转述，未核对原文）" if rule.citation.second_hand else ""
    lines = [f"{rule.title}  {rule.in_effect.from_date}{until}", f"  依据：{rule.citation.source}{seen}"]
    for one in rule.classes:
        usual = "" if one.is_normally_published else "，一般不公示"
        lines.append(f"  {one.name}：最短{one.shortest_months}个月，最长{one.longest_months}个月{usual}")
        lines += [f"    断定不了：{doubt.name}（{doubt.why}）" for doubt in one.doubts]
    return "\n".join([*lines, f"  说明：{rule.citation.note}"])


def run_guidance(args: argparse.Namespace) -> int:
    """Print what the rules say of each record that the subject's own rehearsal shows."""
    from xinzheng.apps.redress.clock import today
    from xinzheng.apps.redress.repair_queries import guided_records, record_json
    from xinzheng.apps.redress.repair_words import summary

    found = guided_records(subject_of(args), args.on or today())
    if args.json:
        print(json.dumps({"records": [record_json(one) for one in found.records]}, ensure_ascii=False))
        return 0
    for one in found.records:
        print(f"{one.title}（{one.domain_name}）：{summary(one.guidance)}")
    if not found.records:
        print("没有记录。")
    for words in found.missing:
        print(f"未能查看：{words}", file=sys.stderr)
    return 0

"""``xinzheng objections list|show|sweep|terms|diagram``: objections as they stand, and what time does to them."""

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xinzheng.adapters.policy_files import mistakes_of
from xinzheng.adapters.policy_files.redress_terms import load_redress_terms
from xinzheng.cli.asking import day, subject_of
from xinzheng.core.errors import XinzhengError
from xinzheng.core.objection_clock import Clock
from xinzheng.core.objection_words import ACT_WORDS, GROUND_WORDS, STATE_WORDS, states_page
from xinzheng.core.redress_terms import DatedTerms

if TYPE_CHECKING:
    from xinzheng.apps.redress.queries import ObjectionRow, ObjectionView, StepView

NEEDS_DATABASE = True
PARTS = "list|show|sweep|terms|diagram"


def add_parser(subparsers: Any) -> None:
    """Register the command and its parts."""
    parser = subparsers.add_parser("objections", help="异议：列出、查看、到期办理、时限、环节图")
    parts = parser.add_subparsers(dest="part", title="子命令", metavar=PARTS, required=True)
    listing = parts.add_parser("list", help="列出异议，超期的在前", description="列出异议，超期的在前")
    listing.add_argument("--unit", metavar="USCC", help="只列在这个单位的")
    listing.add_argument("--subject", metavar="CODE", help="只列这个主体提出的")
    listing.add_argument("--all", action="store_true", help="连同已办结的")
    listing.set_defaults(run=run_list)
    one = parts.add_parser("show", help="一件异议的办理过程", description="一件异议的办理过程")
    one.add_argument("number", metavar="编号", help="例如 Y20261105-0031")
    one.set_defaults(run=run_show)
    sweeping = parts.add_parser("sweep", help="到期办理：终止、催办、补报、核对更正，可以重复运行")
    sweeping.set_defaults(run=run_sweep)
    for part in (listing, one, sweeping):
        part.add_argument("--on", metavar="D", type=day, help="按哪一天，默认今天")
    terms = parts.add_parser("terms", help="列出各施行时期的办理时限", description="列出各施行时期的办理时限")
    terms.add_argument("--file", metavar="F", type=Path, help="要看的文件，代替随附的 policies/redress.yaml")
    terms.set_defaults(run=run_terms, needs_database=False)
    for part in (listing, one, sweeping, terms):
        part.add_argument("--json", action="store_true", help="输出一个JSON对象")
    drawing = parts.add_parser("diagram", help="环节图，即 docs/objection-states.md")
    drawing.set_defaults(run=run_diagram, needs_database=False)


def run_list(args: argparse.Namespace) -> int:
    """One line, or one object, for each; never whose they are by name."""
    from xinzheng.apps.redress.clock import today
    from xinzheng.apps.redress.queries import Listed, rows_of
    from xinzheng.core.objections import OPEN

    listed = Listed(
        subject_of(args) if args.subject else None,
        _unit_id(args.unit) if args.unit else None,
        None if args.all else OPEN,
    )
    rows = rows_of(listed, args.on or today())
    if args.json:
        print(json.dumps({"objections": [_row_facts(row) for row in rows]}, ensure_ascii=False))
        return 0
    for row in rows:
        words = (STATE_WORDS[row.state], GROUND_WORDS[row.ground], row.unit_name or "信用办", _clock_words(row.clock))
        print("  ".join((row.number, *filter(None, words))))
    if not rows:
        print("没有符合的异议。")
    return 0


def run_show(args: argparse.Namespace) -> int:
    """The steps of one, without what the subject said."""
    from xinzheng.apps.redress.clock import today
    from xinzheng.apps.redress.queries import objection_view

    view = objection_view(args.number, args.on or today())
    if args.json:
        print(json.dumps(_view_facts(view), ensure_ascii=False))
        return 0
    clock = _clock_words(view.clock)
    print(f"{view.number}  {STATE_WORDS[view.state]}  {GROUND_WORDS[view.ground]}  {clock}".rstrip())
    for step in view.steps:
        print(_step_line(step))
    return 0


def run_sweep(args: argparse.Namespace) -> int:
    """What the server does by itself; how many of each."""
    from xinzheng.apps.redress.clock import today
    from xinzheng.apps.redress.sweeps import deliver_awaited, escalate, lapse, watch_corrections

    on = args.on or today()
    if on > today():
        raise XinzhengError("不能按还没有到的日子办理，请改为今天或者更早。", code="day-in-future")
    lapsed, delivered = lapse(on), deliver_awaited()
    facts = {"lapsed": lapsed, "delivered": delivered, "told": escalate(on), "undone_told": watch_corrections()}
    if args.json:
        print(json.dumps(facts))
        return 0
    print(
        f"逾期终止{lapsed}件，补报办结{delivered}件，催办通知{facts['told']}条，更正又被改动的通知{facts['undone_told']}条。"
    )
    return 0


def run_terms(args: argparse.Namespace) -> int:
    """List the terms; 1 if the file has a mistake, each told with its line."""
    mistakes = mistakes_of(lambda: load_redress_terms(args.file))
    if mistakes:
        if args.json:
            errors = [{"file": m.file, "line": m.line, "message": m.message} for m in mistakes]
            print(json.dumps({"ok": False, "errors": errors}, ensure_ascii=False))
        print("\n".join(map(str, mistakes)), file=sys.stderr)
        print(f"办理时限有{len(mistakes)}处错误，已逐条列出。", file=sys.stderr)
        return 1
    rules = load_redress_terms(args.file)
    if args.json:
        facts = {"ok": True, "errors": [], "sha256": rules.sha256, "terms": [_terms_facts(t) for t in rules.terms]}
        print(json.dumps(facts, ensure_ascii=False))
    else:
        print("\n\n".join(_terms_page(dated) for dated in rules.terms))
    return 0


def run_diagram(args: argparse.Namespace) -> int:  # noqa: ARG001  every command takes its arguments
    """The page of states, for docs/objection-states.md."""
    print(states_page(), end="")
    return 0


def _unit_id(uscc: str) -> int:
    from xinzheng.apps.registry.queries import unit_by_uscc

    unit = unit_by_uscc(uscc)
    if unit is None:
        message = "没有这个统一社会信用代码的单位，请核对；可以用 xinzheng units 查看已登记的单位。"
        raise XinzhengError(message, code="unknown-unit")
    return unit.id


def _clock_words(clock: Clock | None) -> str:
    if clock is None:
        return ""
    if clock.is_paused:
        return "等申请人补充，不计时"
    if clock.is_over:
        return f"已超期，限{clock.limit}日，已用{clock.used}个工作日"
    if clock.due is None:
        return f"已用{clock.used}个工作日，限{clock.limit}日；{clock.unknown_year}年的工作日安排尚未公布"
    return f"{clock.due:%Y-%m-%d}到期，限{clock.limit}日，已用{clock.used}个工作日"


def _clock_facts(clock: Clock | None) -> dict[str, Any] | None:
    if clock is None:
        return None
    return {
        "limit": clock.limit,
        "used": clock.used,
        "due": clock.due.isoformat() if clock.due else None,
        "over": clock.is_over,
        "paused": clock.is_paused,
        "unknown_year": clock.unknown_year,
    }


def _row_facts(row: "ObjectionRow | ObjectionView") -> dict[str, Any]:
    return {
        "number": row.number,
        "state": row.state,
        "words": STATE_WORDS[row.state],
        "ground": row.ground,
        "record": row.record_id,
        "domain": row.domain,
        "kind": row.kind,
        "unit": row.unit_name,
        "lodged": row.lodged_at.isoformat(),
        "disputed": row.is_disputed,
        "clock": _clock_facts(row.clock),
    }


def _view_facts(view: "ObjectionView") -> dict[str, Any]:
    steps = [
        {"seq": s.seq, "act": s.act, "by": s.role, "at": s.at.isoformat(), "unit": s.unit_name, "reason": s.reason,
         "evidence": [e.sha256 for e in s.evidence]}
        for s in view.steps
    ]  # fmt: skip
    possible = [{"act": move.act, "by": move.by} for move in view.possible]
    return {**_row_facts(view), "steps": steps, "possible": possible}


def _step_line(step: "StepView") -> str:
    from xinzheng.core.decision import CHINA

    parts = [f"{step.at.astimezone(CHINA):%Y-%m-%d %H:%M}", step.role, ACT_WORDS[step.act], step.unit_name]
    files = f"证据{len(step.evidence)}份" if step.evidence else ""
    done = step.correction.what_word if step.correction else ""
    return f"{step.seq:>3}  " + "  ".join(filter(None, (*parts, done, step.reason, files)))


def _terms_facts(dated: DatedTerms) -> dict[str, Any]:
    span = dated.in_effect
    return {
        "id": dated.id,
        "from": span.from_date.isoformat() if span.from_date else None,
        "until": span.until_date.isoformat() if span.until_date else None,
        "jurisdiction": dated.jurisdiction,
        "intake": dated.terms.intake,
        "whole": dated.terms.whole,
        "supply": dated.terms.supply,
        "appeal_within": dated.terms.appeal_within,
        "review": dated.terms.review,
        "basis": dated.basis,
        "note": dated.citation.note,
    }


def _terms_page(dated: DatedTerms) -> str:
    facts = _terms_facts(dated)
    place = f"，行政区划{dated.jurisdiction}" if dated.jurisdiction else ""
    basis = {"statute": "政策原文", "judgement": "系统理解"}[str(dated.basis)]
    return (
        f"{dated.id}  {facts['from'] or '—'} 至 {facts['until'] or '今'}{place}\n"
        f"  受理{dated.terms.intake}日  全程{dated.terms.whole}日  补充{dated.terms.supply}日  "
        f"申请复核{dated.terms.appeal_within}日  复核{dated.terms.review}日（均为工作日）\n"
        f"  {basis}：{dated.citation.source}{dated.citation.section}。{dated.citation.note}"
    )

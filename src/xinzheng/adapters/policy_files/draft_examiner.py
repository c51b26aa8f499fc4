"""Examining a draft pack (草稿核对) in the bounded process: read strictly, then its cases run."""

import time
from collections.abc import Iterable
from functools import lru_cache, partial

from xinzheng.adapters.calendar import default_calendar
from xinzheng.adapters.policy_files.case_reader import PolicyCase, read_cases
from xinzheng.adapters.policy_files.case_runner import run_case
from xinzheng.adapters.policy_files.draft_messages import Examined, Files, RanCase
from xinzheng.adapters.policy_files.mistakes import Mistake, Mistakes, mistakes_of
from xinzheng.adapters.policy_files.nodes import alias_lines, read_root
from xinzheng.adapters.policy_files.packs import POLICY_FILE, load_pack_bytes
from xinzheng.core.policy import Policy
from xinzheng.core.workdays import Calendar

MOST_CLAUSES = 300
MOST_CASES = 500
# A shipped pack takes some hundredths of a second; whoever serves pages reads it again, outside of this process.
MOST_SECONDS = 2.0
CASES_WANTED = 30


@lru_cache(maxsize=1)
def calendar() -> Calendar:
    """The calendar that cases are run by, read once."""
    return default_calendar(None)


def warm_up() -> None:
    """Load what every draft needs before any child is there."""
    calendar()


def examine(files: Files, cases: Files) -> Examined:
    """What is wrong with the draft; if nothing, what it warns of and how its cases came out."""
    mistakes = tuple(_unbounded(files)) + tuple(_unbounded(cases))
    if mistakes:
        return Examined(mistakes)
    begun = time.process_time()
    mistakes = mistakes_of(partial(load_pack_bytes, files))
    if mistakes:
        return Examined(mistakes + tuple(_mistaken_cases(cases)))
    policy = load_pack_bytes(files)
    if (spent := (time.process_time() - begun) / 2) > MOST_SECONDS:
        return Examined((Mistake(POLICY_FILE, 1, f"政策包过于复杂：读一遍要{spent:.1f}秒，请简化条款的条件"),))
    return _run(policy, cases)


def _run(policy: Policy, cases: Files) -> Examined:
    mistakes = tuple(_mistaken_cases(cases))
    if mistakes:
        return Examined(mistakes)
    read = [(name, case) for name in sorted(cases) for case in read_cases(cases[name], name)]
    ran = tuple(_ran(policy, name, case) for name, case in read)
    few = (f"只有{len(ran)}个用例，应不少于{CASES_WANTED}个",) if len(ran) < CASES_WANTED else ()
    return Examined((), policy.warnings + few, ran)


def _ran(policy: Policy, file: str, case: PolicyCase) -> RanCase:
    return RanCase(file, case.line, case.name, tuple(run_case(policy, case, calendar())))


def _mistaken_cases(cases: Files) -> Iterable[Mistake]:
    for name in sorted(cases):
        yield from mistakes_of(partial(read_cases, cases[name], name))


def _unbounded(files: Files) -> Iterable[Mistake]:
    """What would make reading take without bound: aliases, more clauses or cases than there may be."""
    left = MOST_CASES
    for name in sorted(files):
        aliased = alias_lines(files[name])
        if aliased:
            yield from (Mistake(name, line, "草稿不能用 YAML 别名（*…），请把内容写全") for line in aliased)
            continue
        root = read_root(files[name], name, Mistakes())
        if root is None:
            continue
        if name == POLICY_FILE:
            clauses = root.entries().get("clauses") if root.tag == "map" else None
            if clauses is not None and len(clauses.node.value) > MOST_CLAUSES:
                yield Mistake(name, clauses.line, f"最多{MOST_CLAUSES}条条款，现在有{len(clauses.node.value)}条")
        elif root.tag == "seq":
            left -= len(root.node.value)
            if left < 0:
                yield Mistake(name, root.line, f"最多{MOST_CASES}个用例，到这个文件为止已有{MOST_CASES - left}个")

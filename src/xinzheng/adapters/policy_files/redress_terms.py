"""Reading ``redress.yaml``: the dated terms of objections (异议办理时限), strictly, each mistake with file and line."""

import hashlib
from collections.abc import Mapping
from datetime import date
from itertools import combinations
from pathlib import Path

from xinzheng.adapters.policy_files.clause_reader import read_basis, read_span
from xinzheng.adapters.policy_files.locations import policies_folder
from xinzheng.adapters.policy_files.mistakes import Mistakes
from xinzheng.adapters.policy_files.nodes import Value, read_root
from xinzheng.core.objection_clock import Terms
from xinzheng.core.policy import Basis, Citation, DateSpan
from xinzheng.core.redress_terms import Chasing, DatedTerms, Marking, RedressRules

FILE = "redress.yaml"
FORMAT = "xinzheng.redress/1"
STRETCHES = ("intake", "whole", "supply", "appeal_within", "review")
OTHERS = ("withdrawal_posted", "remind_before", "escalate_after")
# The code marks from acceptance until the end, and nothing else: the file says so, and may not say otherwise.
MARKED = {"from": "accept", "until": "closed"}


def load_redress_terms(path: Path | None = None) -> RedressRules:
    """The terms as shipped, or of another file.

    Raises:
        PolicyError: the file is not as it should be; every mistake is told with its line.
    """
    path = path or policies_folder() / FILE
    return read_redress_terms(path.read_bytes(), str(path))


def read_redress_terms(content: bytes, file: str) -> RedressRules:
    """The terms in a file's bytes. Raises PolicyError as :func:`load_redress_terms`."""
    mistakes = Mistakes()
    root = read_root(content, file, mistakes)
    read: Mapping[str, Value] = {} if root is None else root.fields(("format", "terms", "marking"))
    if "format" in read and read["format"].text() != FORMAT:
        read["format"].wrong(f"此处应为 {FORMAT}")
    terms = _all_terms(read["terms"]) if "terms" in read else ()
    marking = _marking(read["marking"]) if "marking" in read else Marking("", Basis.JUDGEMENT, Citation(""))
    mistakes.refuse()
    return RedressRules(terms, marking, hashlib.sha256(content).hexdigest())


def _all_terms(value: Value) -> tuple[DatedTerms, ...]:
    placed = [(_dated(one), one) for one in value.items()]
    for (first, _), (second, place) in combinations(placed, 2):
        if first.id == second.id:
            place.wrong(f"“{first.id}”写了两次，每一段的 id 须不同")
        if first.jurisdiction == second.jurisdiction and _overlap(first.in_effect, second.in_effect):
            place.wrong(f"与“{first.id}”的施行日期重叠，同一天只能有一段施行")
    if not any(dated.jurisdiction is None and dated.in_effect.until_date is None for dated, _ in placed):
        value.wrong("没有写当前通用的时限：至少一段不写 jurisdiction，也不写截止日期")
    return tuple(dated for dated, _ in placed)


def _dated(value: Value) -> DatedTerms:
    read = value.fields(("id", "effective", *STRETCHES, *OTHERS, "basis", "citation"), ("jurisdiction",))
    days = {name: read[name].whole(1, 250) if name in read else 1 for name in (*STRETCHES, *OTHERS)}
    if days["intake"] > days["whole"]:
        read["intake"].wrong(f"决定受理的{days['intake']}日长于全程的{days['whole']}日，请核对")
    basis, citation = read_basis(read)
    return DatedTerms(
        read["id"].text() if "id" in read else "",
        read_span(read["effective"]) if "effective" in read else DateSpan(),
        Terms(**{name: days[name] for name in STRETCHES}),
        Chasing(days["remind_before"], days["escalate_after"]),
        days["withdrawal_posted"],
        basis,
        citation,
        _jurisdiction(read["jurisdiction"]) if "jurisdiction" in read else None,
    )


def _jurisdiction(value: Value) -> str:
    code = value.text()
    if not (len(code) == 6 and code.isascii() and code.isdigit()):
        value.wrong(f"此处应为加引号的6位行政区划代码，实际为“{code}”")
    return code


def _overlap(one: DateSpan, other: DateSpan) -> bool:
    starts = max(one.from_date or date.min, other.from_date or date.min)
    return starts <= min(one.until_date or date.max, other.until_date or date.max)


def _marking(value: Value) -> Marking:
    read = value.fields(("mark", *MARKED, "basis", "citation"))
    for name, only in MARKED.items():
        if name in read and read[name].text() != only:
            read[name].wrong(f"此处只能是 {only}：程序只按这一种办理，改动须先改程序")
    basis, citation = read_basis(read)
    return Marking(read["mark"].text() if "mark" in read else "", basis, citation)

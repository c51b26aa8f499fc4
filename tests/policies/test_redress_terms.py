"""The terms of objections are read strictly, each mistake with its line; the ones of the day of lodging hold."""

from datetime import date
from pathlib import Path

import pytest

from xinzheng.adapters.policy_files import load_policy, policies_folder
from xinzheng.adapters.policy_files.mistakes import mistakes_of
from xinzheng.adapters.policy_files.redress_terms import FILE, load_redress_terms
from xinzheng.core.errors import XinzhengError
from xinzheng.core.objection_clock import Terms
from xinzheng.core.policy import Basis

SHIPPED = policies_folder() / FILE
LOCAL = """
  - id: jiangsu
    effective: {from: 2026-02-01, until: 2031-01-31}
    jurisdiction: "320500"
    intake: 2
    whole: 7
    supply: 5
    appeal_within: 10
    review: 10
    withdrawal_posted: 3
    remind_before: 2
    escalate_after: 3
    basis: judgement
    citation: {source: 示例, note: 只用于测试}

marking:"""


def written(folder: Path, *changes: tuple[str, str]) -> Path:
    text = SHIPPED.read_text(encoding="utf-8")
    for old, new in changes:
        assert text.count(old), old
        text = text.replace(old, new, 1)
    path = folder / FILE
    path.write_text(text, encoding="utf-8")
    return path


def mistakes(folder: Path, *changes: tuple[str, str]) -> list[tuple[int, str]]:
    path = written(folder, *changes)
    found = mistakes_of(lambda: load_redress_terms(path))
    assert {one.file for one in found} <= {str(path)}
    return [(one.line, one.message) for one in found]


def line_of(words: str) -> int:
    return SHIPPED.read_text(encoding="utf-8").split(words)[0].count("\n") + 1


def test_the_shipped_terms_hold_since_2019_and_say_that_they_are_our_reading() -> None:
    rules = load_redress_terms()
    (dated,) = rules.terms
    assert (dated.terms, dated.basis) == (Terms(3, 10, 5, 10, 10), Basis.JUDGEMENT)
    assert dated.citation.note
    assert rules.terms_on(date(2026, 11, 22), "320500") is dated
    assert len(rules.sha256) == 64
    with pytest.raises(XinzhengError) as refused:
        rules.terms_on(date(2019, 6, 30), "320500")
    assert refused.value.code == "redress-terms-missing"


def test_the_mark_is_the_one_every_pack_prints() -> None:
    mark = load_redress_terms().marking.mark
    for policy_id in ("suzhou-2024", "huzhou-2023", "national-2025"):
        clauses = {clause.id: clause for clause in load_policy(policy_id).clauses}
        assert clauses["under-objection"].mark == mark


def test_a_citys_own_terms_come_before_the_general_ones_while_they_are_in_force(tmp_path: Path) -> None:
    rules = load_redress_terms(written(tmp_path, ("\nmarking:", LOCAL)))
    found = {
        (day, place): rules.terms_on(day, place).id
        for day in (date(2026, 1, 31), date(2026, 2, 1), date(2031, 2, 1))
        for place in ("320500", "330500")
    }
    assert [place for place, name in found.items() if name == "jiangsu"] == [(date(2026, 2, 1), "320500")]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("intake: 3 ", "intake: 11 ", "长于全程"),
        ("supply: 5 ", "supply: 0 ", "1至250的整数"),
        ("whole: 10 ", "whole: 十 ", "应为整数"),
        ("    review: 10", "    reviews: 10", "不认识的键“reviews”"),
        ("from: accept ", "from: lodge ", "只能是 accept"),
        ("until: closed ", "until: dismissed ", "只能是 closed"),
        ("xinzheng.redress/1", "xinzheng.redress/2", "xinzheng.redress/1"),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, old: str, new: str, said: str) -> None:
    found = mistakes(tmp_path, (old, new))
    line = line_of(old)
    assert any(said in message and at == line for at, message in found), found


def test_spans_that_overlap_twice_used_names_and_holes_are_mistakes(tmp_path: Path) -> None:
    again = LOCAL.replace("\nmarking:", "") + LOCAL
    assert any("写了两次" in message for _, message in mistakes(tmp_path, ("\nmarking:", again)))
    assert any("重叠" in message for _, message in mistakes(tmp_path, ("\nmarking:", again)))
    ended = mistakes(tmp_path, ("{from: 2019-07-01}", "{from: 2019-07-01, until: 2026-01-31}"))
    assert [message[:10] for _, message in ended] == ["没有写当前通用的时限"]
    unquoted = LOCAL.replace('"320500"', "3205")
    assert any("加引号" in message for _, message in mistakes(tmp_path, ("\nmarking:", unquoted)))
    assert mistakes(tmp_path, ("marking:\n", "marking: [\n"))

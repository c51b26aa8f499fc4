"""Drafts: examined apart with lines told, bounded in time and size; written out; compared clause by clause."""

import time
from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import date
from itertools import pairwise
from typing import Any

import pytest

from xinzheng.adapters.examining import Limits
from xinzheng.adapters.policy_files import (
    Checked,
    ClauseChange,
    case_files,
    check_draft,
    compared,
    list_policies,
    load_pack_bytes,
    load_policy,
    pack_bytes,
    written_out,
)
from xinzheng.adapters.policy_files.draft_examiner import MOST_CASES, MOST_CLAUSES
from xinzheng.adapters.policy_files.drafts import LIMITS, MOST_BYTES, MOST_CASE_FILES
from xinzheng.core.errors import PolicyError
from xinzheng.core.policy import Citation, Clause, DateSpan, Effect, Extension, Policy, Validity

PACK = "suzhou-2024"
ONE_CASE = """- name: 没有记录
  as_of: 2025-06-01
  expect: {outcome: %s}
"""
CLAUSE = """  - id: more-%d
    effect: excluded
    when: %s
    reason: 理由
    basis: judgement
    citation: {source: 来源, note: 说明}
"""


def files(policy_id: str = PACK) -> dict[str, bytes]:
    return {name: written_out(data) for name, data in pack_bytes(policy_id).items()}


def policy_text() -> str:
    return files()["policy.yaml"].decode()


def with_clauses(*clauses: str) -> dict[str, bytes]:
    head, mark, tail = policy_text().partition("\nclauses:")
    comment, _, rest = tail.partition("\n")
    return files() | {"policy.yaml": f"{head}{mark}{comment}\n{''.join(clauses)}{rest}".encode()}


def checked_text(text: str) -> Checked:
    return check_draft({"policy.yaml": text.encode()}, {})


def places(checked: Checked) -> list[tuple[str, int]]:
    return [(mistake.file, mistake.line) for mistake in checked.mistakes]


def refused(draft: Mapping[str, bytes], cases: Mapping[str, bytes] | None = None, limits: Limits = LIMITS) -> str:
    with pytest.raises(PolicyError) as error:
        check_draft(draft, cases or {}, limits)
    return error.value.code


# --- examining ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("policy_id", list_policies())
def test_a_shipped_pack_written_out_is_a_sound_draft_and_means_the_same(policy_id: str) -> None:
    cases = {path.name: path.read_bytes() for path in case_files(policy_id)}
    checked = check_draft(files(policy_id), cases)
    assert checked.is_fit
    assert len(checked.ran) >= 30
    assert checked.policy is not None
    assert replace(checked.policy, sha256="") == replace(load_policy(policy_id), sha256="")
    assert compared(load_policy(policy_id), checked.policy) == ()


def test_a_draft_without_a_core_file_of_its_own_is_completed_with_the_shipped_one() -> None:
    checked = checked_text(policy_text())
    assert set(checked.files) == {"core.yaml", "policy.yaml"}
    assert checked.policy is not None
    assert checked.policy.sha256 == load_pack_bytes(checked.files).sha256


def test_every_mistake_is_told_with_its_file_and_line() -> None:
    lines = policy_text().split("\n")
    at = next(n for n, line in enumerate(lines) if line.startswith("number_prefix"))
    lines[at] = "number_prefix: [一, 二]"
    lines.insert(0, "unheard_of: 1")
    cases = {"a.yaml": b"- name: x\n  as_of: 2025-06-01\n  expect: {outcome: rosy}\n"}
    checked = check_draft({"policy.yaml": "\n".join(lines).encode()}, cases)
    assert checked.policy is None
    assert checked.ran == ()
    assert set(places(checked)) == {("policy.yaml", 1), ("policy.yaml", at + 2), ("a.yaml", 3)}
    assert not checked.is_fit


def test_cases_are_run_and_a_failing_one_says_where_it_stands_and_how_it_differs() -> None:
    cases = {"a.yaml": (ONE_CASE % "clear").encode(), "b.yaml": (ONE_CASE % "not_clear").encode()}
    checked = check_draft(files(), cases)
    assert [case.name for case in checked.ran] == ["没有记录"] * 2
    (failed,) = checked.failed
    assert (failed.file, failed.line) == ("b.yaml", 1)
    assert failed.differences == ("结论应为 not_clear，实际为 clear",)
    assert not checked.is_fit
    assert any("只有2个用例" in text for text in checked.warnings)


def test_aliases_are_refused_line_by_line_and_a_bomb_of_them_takes_no_time() -> None:
    begun = time.monotonic()
    letters = "abcdefghij"
    bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{after}: &{after} [{', '.join([f'*{before}'] * 9)}]\n" for before, after in pairwise(letters)
    )
    checked = checked_text(bomb)
    assert {line for _, line in places(checked)} == set(range(2, 11))
    assert all("别名" in mistake.message for mistake in checked.mistakes)
    assert "别名" in check_draft(files(), {"c.yaml": bomb.encode()}).mistakes[0].message
    assert time.monotonic() - begun < 5


def test_more_clauses_or_cases_than_there_may_be_are_told_at_once() -> None:
    never = "{field: decision_date, before: 1900-01-01}"
    many = with_clauses(*(CLAUSE % (n, never) for n in range(MOST_CLAUSES)))
    checked = check_draft(many, {})
    (mistake,) = checked.mistakes
    assert f"最多{MOST_CLAUSES}条条款" in mistake.message
    assert many["policy.yaml"].decode().split("\n")[mistake.line - 2].startswith("clauses:")
    cases = {"a.yaml": (ONE_CASE % "clear" * MOST_CASES).encode(), "b.yaml": (ONE_CASE % "clear").encode()}
    (mistake,) = check_draft(files(), cases).mistakes
    assert (mistake.file, mistake.line) == ("b.yaml", 1)


def test_a_draft_that_would_be_read_for_ever_is_ended_and_says_so() -> None:
    """Whether one condition of many levels implies another is looked for along every path through both."""

    def deep(group: str, word: str, levels: int = 18) -> str:
        inner = f"{{field: procedure, equals: {word}}}"
        for _ in range(levels):
            inner = f"{{{group}: [{inner}, {{field: procedure, equals: {word}}}]}}"
        return inner

    draft = with_clauses(CLAUSE % (0, deep("or", "summary")), CLAUSE % (1, deep("and", "hearing")))
    begun = time.monotonic()
    code = refused(draft, limits=replace(LIMITS, wall_seconds=1.5, cpu_seconds=1))
    assert code == "draft-not-examined"
    assert time.monotonic() - begun < 8
    assert check_draft(files(), {}).is_fit


def test_a_draft_that_would_take_all_memory_is_ended_and_says_so() -> None:
    wide = with_clauses(CLAUSE % (0, "{field: domain, in: [" + "taxation, " * 40_000 + "taxation]}"))
    assert refused(wide, limits=replace(LIMITS, memory_bytes=190 * 1024**2)) == "draft-not-examined"


@pytest.mark.parametrize(
    ("draft", "cases", "code"),
    [
        ({"policy.yaml": b"#" * (MOST_BYTES + 1)}, {}, "draft-too-large"),
        ({"policy.yaml": b"a"}, {"a.yaml": b"#" * (MOST_BYTES + 1)}, "draft-too-large"),
        ({"policy.yaml": b"a"}, {f"{n}.yaml": b"a" for n in range(MOST_CASE_FILES + 1)}, "draft-too-large"),
        ({"core.yaml": b"a"}, {}, "draft-misnamed"),
        ({"policy.yaml": b"a", "guide.yaml": b"a"}, {}, "draft-misnamed"),
        ({"policy.yaml": b"a"}, {"../a.yaml": b"a"}, "draft-misnamed"),
        ({"policy.yaml": b"a"}, {"policy.yaml": b"a"}, "draft-misnamed"),
    ],
)
def test_too_large_or_misnamed_files_are_refused_before_anything_reads_them(
    draft: dict[str, bytes], cases: dict[str, bytes], code: str
) -> None:
    assert refused(draft, cases) == code


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"\x00", b"[", b"- 1", b"1", "政策: {".encode(), b"clauses: 7"])
def test_what_is_no_policy_at_all_is_told_as_mistakes(content: bytes) -> None:
    checked = check_draft({"policy.yaml": content}, {"a.yaml": content})
    assert checked.mistakes
    assert checked.policy is None
    assert all(mistake.line >= 1 for mistake in checked.mistakes)


# --- comparing ------------------------------------------------------------------------------------------------------

POLICY = load_policy(PACK)


def changes(new: Policy, old: Policy = POLICY) -> list[tuple[str, str, str]]:
    return [(change.part, change.id, change.what) for change in compared(old, new)]


def clause(**changed: Any) -> Policy:
    first, *others = POLICY.clauses
    return replace(POLICY, clauses=(replace(first, **changed), *others))


FIRST = POLICY.clauses[0]


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"effect": Effect.COUNTED, "hides": False}, "认定"),
        ({"hides": not FIRST.hides}, "认定"),
        ({"condition": POLICY.clauses[1].condition}, "条件"),
        ({"reason": "另一个理由"}, "理由"),
        ({"mark": "注明的字样"}, "注明"),
        ({"in_effect": DateSpan(date(2026, 1, 1))}, "适用日期"),
        ({"citation": replace(FIRST.citation, note="另一条说明")}, "依据"),
    ],
)
def test_each_aspect_of_a_clause_is_compared(changed: dict[str, Any], what: str) -> None:
    assert changes(clause(**changed)) == [("条款", FIRST.id, what)]


def test_every_field_of_a_clause_is_compared() -> None:
    told = {"id", "effect", "condition", "reason", "citation", "basis", "in_effect", "mark", "hides"}
    assert {field.name for field in fields(Clause)} == told


def test_clauses_added_removed_and_moved_are_told_each() -> None:
    first, second, *others = POLICY.clauses
    new = replace(first, id="another", reason="新的理由")
    assert changes(replace(POLICY, clauses=(new, first, second, *others))) == [("条款", "another", "新增")]
    assert changes(replace(POLICY, clauses=(second, *others))) == [("条款", first.id, "删除")]
    (moved,) = compared(POLICY, replace(POLICY, clauses=(second, *others[:-1], first, others[-1])))
    assert moved == ClauseChange(first.id, "顺序", "第1条", f"第{len(POLICY.clauses) - 1}条")


def test_a_clause_that_stands_twice_with_dates_of_its_own_is_compared_one_by_one() -> None:
    old = replace(FIRST, in_effect=DateSpan(None, date(2025, 12, 31)))
    new = replace(FIRST, in_effect=DateSpan(date(2026, 1, 1)), reason="以后的理由")
    twice = replace(POLICY, clauses=(old, new, *POLICY.clauses[1:]))
    later = replace(twice, clauses=(old, replace(new, reason="再以后的理由"), *POLICY.clauses[1:]))
    (change,) = compared(twice, later)
    assert (change.before, change.after) == ("以后的理由", "再以后的理由")


CITED = Citation("另一来源", note="另一说明")
OTHERWISE: dict[str, Any] = {
    "title": "另一名称",
    "report_title": ("另一标题",),
    "number_prefix": "ZZ",
    "record_word": "另一称谓",
    "units_word": "另一单位",
    "document": "另一文号",
    "issuer": "另一机关",
    "jurisdiction": "999999",
    "jurisdiction_name": "另一辖区",
    "in_effect": DateSpan(date(2030, 1, 1)),
    "in_effect_citation": CITED,
    "in_effect_basis": "judgement",
    "subject_kinds": POLICY.subject_kinds[1:],
    "purposes": POLICY.purposes[1:],
    "exceptions": (*POLICY.exceptions, CITED),
    "window": replace(POLICY.window, years=9, since=None),
    "choose_domains": replace(POLICY.choose_domains, is_offered=not POLICY.choose_domains.is_offered),
    "choose_period": replace(POLICY.choose_period, citation=CITED),
    "domains": tuple(reversed(POLICY.domains)),
    "domains_citation": CITED,
    "domains_basis": "judgement",
    "other": (replace(POLICY.other[0], name="另一名称"), *POLICY.other[1:]),
    "freshness_days": 99,
    "freshness_citation": CITED,
    "freshness_basis": "statute",
    "wording": {**POLICY.wording, "scope": "另一句{n}"},
    "notes": (*POLICY.notes, "note_another"),
    "claimed_domains": 99,
    "annex_note": "另一说明",
    "extensions": (Extension("另一文件", date(2030, 1, 1)),),
    "validity": Validity(99, CITED),
}
NOT_COMPARED = {"id", "clauses", "scope_text", "sha256", "warnings"}


def test_every_field_of_a_policy_is_compared() -> None:
    assert {field.name for field in fields(Policy)} == set(OTHERWISE) | NOT_COMPARED


@pytest.mark.parametrize("name", OTHERWISE)
def test_each_part_besides_the_clauses_is_compared(name: str) -> None:
    value = OTHERWISE[name]
    if name.endswith("_basis"):
        value = next(basis for basis in type(POLICY.in_effect_basis) if basis != getattr(POLICY, name))
    found = compared(POLICY, replace(POLICY, **{name: value}))
    assert found
    assert all(change.before != change.after and change.part != "条款" for change in found)


def test_two_cities_packs_are_compared_whole() -> None:
    found = compared(POLICY, load_policy("huzhou-2023"))
    assert {change.part for change in found} >= {"条款", "政策", "领域", "用语"}
    assert compared(load_policy("huzhou-2023"), load_policy("huzhou-2023")) == ()

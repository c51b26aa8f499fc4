"""The rules of repair are read strictly: each mistake is told with file and line, and nothing is guessed."""

from datetime import date
from pathlib import Path

import pytest

from xinzheng.adapters.policy_files import policies_folder
from xinzheng.adapters.policy_files.mistakes import mistakes_of
from xinzheng.adapters.policy_files.repair_rules import REPAIR_FILE, load_repair_rules
from xinzheng.core.errors import PolicyError

SHIPPED = policies_folder() / REPAIR_FILE


def mistakes(folder: Path, *changes: tuple[str, str]) -> list[tuple[int, str]]:
    """The mistakes of the shipped file with these words changed, as (line, message)."""
    text = SHIPPED.read_text(encoding="utf-8")
    for old, new in changes:
        assert text.count(old), old
        text = text.replace(old, new, 1)
    path = folder / REPAIR_FILE
    path.write_text(text, encoding="utf-8")
    found = mistakes_of(lambda: load_repair_rules(path))
    assert {one.file for one in found} <= {str(path)}
    return [(one.line, one.message) for one in found]


def line_of(words: str) -> int:
    return SHIPPED.read_text(encoding="utf-8").split(words)[0].count("\n") + 1


def test_the_shipped_rules_have_no_hole_since_2019_and_say_what_was_seen_second_hand() -> None:
    rules = load_repair_rules()
    assert [rule.in_effect.from_date for rule in rules.rules] == [
        date(2019, 7, 1), date(2023, 5, 1), date(2026, 4, 1),
    ]  # fmt: skip
    assert all(rule.citation.second_hand for rule in rules.rules)
    assert rules.counting.second_hand
    assert len(rules.sha256) == 64


@pytest.mark.parametrize(
    ("old", "new", "at", "said"),
    [
        ("xinzheng.repair/1", "xinzheng.repair/2", "format:", "format 应为 xinzheng.repair/1"),
        ("    counted_from: decision_date", "    counted_form: decision_date", "    counted_from:", "不认识的键"),
        ("until: 2023-04-30", "until: 2023-04-29", "  - id: ndrc-2019-527", "没有首尾相接"),
        ("effective: {from: 2026-04-01}", "effective: {from: 2026-04-01, until: 2030-01-01}", "  - id: ndrc-2019-527",
         "不能有截止日期"),
        ("until: 2026-03-31", "until: 2022-03-31", "{from: 2023-05-01", "起始日期晚于截止日期"),
        ("shortest_months: 6", "shortest_months: 48", "- id: serious", "比最长公示期36个月还长"),
        ("shortest_months: 6", "shortest_months: sechs", "shortest_months: 6", "此处应为整数"),
        ("or_unknown: [large_fine, ", "or_unknown: [largefine, ", "or_unknown: [large_fine", "没有“largefine”"),
        ("any_category: [吊销许可证件", "any_category: [吊销证件", "any_category: [吊销", "无法识别"),
        ("name: 涉及一般失信行为, when: always", "name: 涉及一般失信行为, when: {domains: [taxation]}",
         "- id: serious", "最后一档的条件应为 always"),
        ("when: {domains: [work_safety, fire_safety, emergency_management, fire_rescue], or_unknown: "
         "[food_drug_equipment]}", "when: always", "- id: named-sectors", "只有最后一档"),
        ("when: {procedure: summary, only_categories: [警告, 通报批评]}", "when: {}", "when: {procedure: summary, only",
         "条件不能为空"),
        ("published: normally-not", "published: never", "published: normally-not", "不在可用的值之中"),
        ("ends_by_itself: unless-duties-open", "ends_by_itself: true", "ends_by_itself: unless", "此处应为文字"),
        ("conditions: [shortest-over, duties-done, commitment]", "conditions: [fee-paid]", "conditions: [", "fee-paid"),
        ("  - id: ndrc-58-2023", "  - id: ndrc-2019-527", "  - id: ndrc-2019-527", "写了两次"),
        ("  - id: very_large_fine", "  - id: large_fine", "  - id: very_large_fine", "写了两次"),
        ("working_days: 3", "working_days: 0", "working_days: 3", "此处应为1至"),
        ("from: 2025-12-25", "from: 2025-12-32", "from: 2025-12-25", "没有“2025-12-32”这一天"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_line(tmp_path: Path, old: str, new: str, at: str, said: str) -> None:
    found = mistakes(tmp_path, (old, new))
    assert [line for line, message in found if said in message] == [line_of(at)], found


def test_a_statute_that_was_seen_needs_its_own_words(tmp_path: Path) -> None:
    end = "严重失信行为的范围没有逐项核对。\n"
    found = mistakes(tmp_path, (f"{end}      second_hand: true\n", end))
    assert [message for _, message in found] == [
        "政策原文（statute）必须引用原文，请补 quote；没有见到原文的写 second_hand: true"
    ]


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    found = mistakes(
        tmp_path,
        ("format: xinzheng.repair/1\n", ""),
        ("    covers: [administrative_penalty]\n", ""),
        ("procedure: summary, only_categories", "procedure: schnell, only_categories"),
    )
    assert len(found) == 3


@pytest.mark.parametrize("content", [b"", b"a: [", b"\xff\xfe", b"- 1\n"])
def test_what_is_no_rules_at_all_is_refused_with_its_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / REPAIR_FILE
    path.write_bytes(content)
    found = mistakes_of(lambda: load_repair_rules(path))
    assert found
    assert all(one.line >= 1 for one in found)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(PolicyError) as refused:
        load_repair_rules(tmp_path / "none.yaml")
    assert refused.value.code == "repair-rules-unreadable"

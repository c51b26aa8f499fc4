"""Conditions read aloud: every form of the vocabulary has plain Chinese words."""

from datetime import date

import pytest

from xinzheng.adapters.policy_files import condition_text, load_policy
from xinzheng.adapters.policy_files.condition_reader import VOCABULARY
from xinzheng.adapters.policy_files.condition_text import FIELD_NAMES, REFERENCE_NAMES, VALUE_NAMES
from xinzheng.core.conditions import FIELDS, REFERENCES, After, And, Before, Equals, IsIn, Known, Not, Or

POLICY = load_policy("suzhou-2024")
SUMMARY, REPAIRED = Equals("procedure", "summary"), After("repaired_date", "as_of")


@pytest.mark.parametrize(
    ("condition", "text"),
    [
        (None, "一切记录"),
        (SUMMARY, "处罚程序是简易程序"),
        (Not(SUMMARY), "处罚程序不是简易程序"),
        (Equals("domain", "taxation"), "领域是税务"),
        (Equals("sealed", True), "依法封存：是"),
        (Not(Equals("sealed", True)), "依法封存：否"),
        (Equals("sealed", False), "依法封存：否"),
        (IsIn("tie", ("merged", "split")), "与主体的关系是被吸收合并、分立之一"),
        (Before("decision_date", date(2024, 1, 1)), "决定日期早于2024-01-01"),
        (Not(REPAIRED), "信用修复日期不晚于核查日"),
        (Known("outcome"), "处理结果已注明"),
        (Not(Known("outcome")), "处理结果未注明"),
        (
            And((SUMMARY, Or((Known("outcome"), REPAIRED)))),
            "处罚程序是简易程序，并且（处理结果已注明，或者信用修复日期晚于核查日）",
        ),
        (Not(And((SUMMARY, REPAIRED))), "不是（处罚程序是简易程序，并且信用修复日期晚于核查日）"),
    ],
)
def test_a_condition_is_said_in_chinese(condition, text):
    assert condition_text(condition, POLICY) == text


def test_every_field_value_and_reference_has_its_word():
    assert set(FIELD_NAMES) == set(FIELDS)
    assert set(REFERENCE_NAMES) == set(REFERENCES)
    assert {str(value) for words in VOCABULARY.values() for value in words} <= set(VALUE_NAMES)

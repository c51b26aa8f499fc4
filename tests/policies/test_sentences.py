"""Every decision of every case can be said in the pack's own sentences, whole and without a gap."""

import json
from dataclasses import replace

import pytest

from xinzheng.adapters.calendar import default_calendar
from xinzheng.adapters.policy_files import case_files, list_policies, load_cases, load_policy
from xinzheng.adapters.policy_files.case_runner import decide_case
from xinzheng.core.report import Imprint, Issuer, report_content

CALENDAR = default_calendar()
ISSUER = Issuer("演示中心", "“信用演示”网站", "host.example", True)
IMPRINT = Imprint(issuer=ISSUER, number="XX0", typed_code="CODE", position=1, purpose="融资")


def contents(pack: str):
    policy = load_policy(pack)
    for path in case_files(pack):
        for case in load_cases(path):
            if case.expect.error is None:
                extended = replace(policy, extensions=case.extensions)
                decision = decide_case(policy, case, CALENDAR)
                yield case, decision, report_content(extended, decision, case.subject, IMPRINT, {})


@pytest.mark.parametrize("pack", list_policies())
def test_no_placeholder_is_left_and_nothing_is_said_twice(pack):
    for case, _, content in contents(pack):
        text = json.dumps({k: v for k, v in content.items() if k != "policy"}, ensure_ascii=False)
        for broken in ("{记录}", "{n}", "None", "。。", "；；", "，，", "：：", "（）"):
            assert broken not in text, (case.name, broken)


@pytest.mark.parametrize("pack", list_policies())
def test_the_conclusion_holds_its_coloured_part_and_fits_the_outcome(pack):
    for case, decision, content in contents(pack):
        conclusion = content["conclusion"]
        assert conclusion["key"] in conclusion["text"], case.name
        assert ("未能核查" in conclusion["text"]) >= (decision.outcome == "not_verifiable"), case.name


@pytest.mark.parametrize("pack", list_policies())
def test_a_record_hidden_by_law_appears_nowhere_in_a_report(pack):
    for case, decision, content in contents(pack):
        hidden = [f for f in decision.findings if f.hides]
        if hidden and not any(f.is_counted for f in decision.findings):
            assert content["conclusion"]["outcome"] == "clear", case.name
            assert content.get("records", []) == content.get("apart", []) == content.get("repairs", []) == []

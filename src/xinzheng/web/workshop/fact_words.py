"""The facts of a proposal in words (会签内容): what stands on the page is what the digest is of."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from xinzheng.apps.oversight.proposal_facts import DEEDS
from xinzheng.apps.oversight.proposal_views import ProposalView
from xinzheng.core.sentences import spoken_date
from xinzheng.web.departments.duties import KIND_NAMES

NONE_GIVEN = "没有"


def fact_rows(view: ProposalView) -> list[tuple[str, str]]:
    """Term and value, in the order in which they are read."""
    return [*_ROWS[view.kind](view.facts), ("理由", view.reason)]


def _pack(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [
        ("生效日期", _day(facts["from_date"])),
        ("文号", facts["document"] or NONE_GIVEN),
        ("用例", f"{facts['case_count']}个，全部符合预期"),
        *(("注意", text) for text in facts.get("warnings", ())),
        ("政策包摘要", facts["pack"]),
        ("用例摘要", facts["cases"]),
        ("代替的政策包", facts["after"]["pack"]),
    ]


def _extension(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [
        ("文号", facts["document"]),
        ("延期至", _day(facts["until_date"])),
        ("说明", facts["note"] or NONE_GIVEN),
    ]


def _responsibility(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [
        ("事项", DEEDS[facts["deed"]]),
        ("领域", f"{facts['domain_name']}（{facts['domain']}）" if facts["domain_name"] else facts["domain"]),
        ("数据种类", KIND_NAMES.get(facts["record_kind"], facts["record_kind"])),
        ("单位", f"{facts['unit']}（{facts['uscc']}）"),
    ]


def _unit(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [
        ("全称", facts["name"]),
        ("简称", facts["short_name"]),
        ("统一社会信用代码", facts["uscc"]),
        ("报送至（区划代码）", facts["jurisdiction"]),
    ]


def _day(text: str) -> str:
    return spoken_date(date.fromisoformat(text))


_ROWS: Mapping[str, Callable[[Mapping[str, Any]], list[tuple[str, str]]]] = {
    "pack": _pack,
    "extension": _extension,
    "responsibility": _responsibility,
    "unit": _unit,
}

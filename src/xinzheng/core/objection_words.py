"""What objections are called (异议用语): grounds, states, acts, parties; and the page of their states."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from xinzheng.core.objections import MOVES, OPEN, Act, Ground, Move, Need, Party, State, diagram

GROUND_WORDS: Mapping[Ground, str] = MappingProxyType(
    {
        Ground.WRONG: "内容有误",
        Ground.NOT_MINE: "不是本主体的",
        Ground.OVER_PERIOD: "公示期满仍在公示",
        Ground.MISSING: "有记录遗漏",
    }
)
STATE_WORDS: Mapping[State, str] = MappingProxyType(
    {
        State.INTAKE: "待受理",
        State.MORE_ASKED: "待补充材料",
        State.WITH_UNIT: "数源单位核实",
        State.AWAITED: "待补报",
        State.APPEALED: "复核中",
        State.DECLINED: "不予受理",
        State.DISMISSED: "异议不成立",
        State.CORRECTED: "已更正",
        State.CONFIRMED: "复核维持",
        State.WITHDRAWN: "已撤回",
        State.LAPSED: "逾期未补充",
    }
)
ACT_WORDS: Mapping[Act, str] = MappingProxyType(
    {
        Act.LODGE: "提出",
        Act.ACCEPT: "受理",
        Act.DECLINE: "不予受理",
        Act.ASK: "要求补充",
        Act.SUPPLY: "补充",
        Act.LAPSE: "逾期终止",
        Act.HAND_OVER: "移交其他单位",
        Act.RETURN: "退回信用办",
        Act.UPHOLD: "成立并更正",
        Act.PROMISE: "承诺补报",
        Act.DELIVER: "已补报",
        Act.DISMISS: "不成立",
        Act.APPEAL: "申请复核",
        Act.REMAND: "退回重办",
        Act.CONFIRM: "复核维持",
        Act.WITHDRAW: "撤回",
    }
)
PARTY_WORDS: Mapping[Party, str] = MappingProxyType(
    {Party.SUBJECT: "申请人", Party.OFFICE: "信用办", Party.UNIT: "责任单位", Party.SYSTEM: "系统"}
)
NEED_WORDS: Mapping[Need, str] = MappingProxyType(
    {Need.REASON: "理由", Need.EVIDENCE: "证据", Need.UNIT: "承办单位", Need.CORRECTION: "更正"}
)
HEAD = """# 异议的环节

本页由程序里的环节表（`core/objections.py`）生成，与程序所用的完全一致；重新生成：`xinzheng objections diagram`。
办理时限见 `policies/redress.yaml`；标注从受理起到办结止，复核期间照标；遗漏的记录没有可以标注的。

"""
NOTES = """
- 有记录遗漏的，不能“成立并更正”，由责任单位承诺补报，按通常的报送补上，系统见到即办结；其他事由不能“承诺补报”。
- 申请复核只有一次，在期限内，并且这条记录没有另一件在办。
- 移交其他单位在一次受理中最多两次，以后只能退回信用办；时限不重新计算。
"""


def states_page() -> str:
    """The page docs/objection-states.md."""
    return HEAD + f"```mermaid\n{diagram()}```\n\n" + "\n".join(_tables()) + "\n" + NOTES


def _tables() -> Iterator[str]:
    yield from ("| 环节 | 图中 | 是否办结 |", "|---|---|---|")
    yield from (
        f"| {words} | {state} | {'在办' if state in OPEN else '办结'} |" for state, words in STATE_WORDS.items()
    )
    yield from ("", "| 办理 | 图中 | 由谁 | 从 | 到 | 须有 |", "|---|---|---|---|---|---|")
    yield from map(_row, MOVES)


def _row(move: Move) -> str:
    before = "（提出）" if move.before is None else STATE_WORDS[move.before]
    needs = "、".join(words for need, words in NEED_WORDS.items() if need in move.needs)
    party, after = PARTY_WORDS[move.by], STATE_WORDS[move.after]
    return f"| {ACT_WORDS[move.act]} | {move.act} | {party} | {before} | {after} | {needs or '—'} |"

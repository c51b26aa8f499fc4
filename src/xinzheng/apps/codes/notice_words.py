"""What a notice says (通知用语), and where it leads: by who reads it, in one sentence without anything personal."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from xinzheng.apps.codes.notice_events import (
    APPLICATION_DONE,
    CORRECTION_UNDONE,
    DOUBT_ASKED,
    OBJECTION_DUE_SOON,
    OBJECTION_OVERDUE,
    OF_ACTS,
    PROPOSAL_WAITS,
    PUBLICATION_ENDED,
    REPORT_ENDED,
    RULING_WAITS,
    SUGGESTION_LODGED,
    WEBHOOK_FAILING,
)
from xinzheng.core.lifecycle import REASON_WORDS, STATUS_WORDS
from xinzheng.core.objections import Act
from xinzheng.core.sentences import spoken_date


class Reader(StrEnum):
    """As whom somebody reads a notice (阅读者)."""

    SUBJECT = "subject"
    RECEIVER = "receiver"
    UNIT = "unit"
    OFFICE = "office"


@dataclass(frozen=True, slots=True)
class Told:
    """A notice without its addressee: what happened, and the facts."""

    event: str
    body: Mapping[str, Any]


TO_SUBJECT: Mapping[str, str] = MappingProxyType(
    {
        OF_ACTS[Act.ACCEPT]: "异议{n}已受理，转责任单位办理。",
        OF_ACTS[Act.DECLINE]: "异议{n}不予受理，理由见办理情况；不同意的，可以申请复核一次。",
        OF_ACTS[Act.ASK]: "异议{n}需要补充材料，请尽快补充；等待补充的时间不计入办理时限。",
        OF_ACTS[Act.LAPSE]: "异议{n}没有按时补充材料，已终止办理；需要的可以重新提出。",
        OF_ACTS[Act.HAND_OVER]: "异议{n}已移交另一单位办理，办理时限不变。",
        OF_ACTS[Act.RETURN]: "异议{n}已退回信用办重新转办，办理时限不变。",
        OF_ACTS[Act.UPHOLD]: "异议{n}成立，已更正；受影响的报告另有通知。",
        OF_ACTS[Act.PROMISE]: "异议{n}成立，责任单位承诺补报遗漏的记录。",
        OF_ACTS[Act.DELIVER]: "异议{n}所说遗漏的记录已补报。",
        OF_ACTS[Act.DISMISS]: "异议{n}不成立，理由见办理情况；不同意的，可以申请复核一次。",
        OF_ACTS[Act.REMAND]: "异议{n}经复核退回重办。",
        OF_ACTS[Act.CONFIRM]: "异议{n}经复核，维持原来的结论。",
        OBJECTION_OVERDUE: "异议{n}超过了办理时限，已催办。",
        CORRECTION_UNDONE: "异议{n}更正过的记录又有变动，信用办正在核对。",
        PUBLICATION_ENDED: "一条记录的最长公示期已满（至{until}）；公示期满不等于信用修复。",
    }
)
TO_DESKS: Mapping[str, str] = MappingProxyType(
    {
        OF_ACTS[Act.LODGE]: "收到异议{n}，请决定是否受理。",
        OF_ACTS[Act.ACCEPT]: "异议{n}转到本单位，请办理。",
        OF_ACTS[Act.SUPPLY]: "异议{n}已补充材料，请继续审查。",
        OF_ACTS[Act.LAPSE]: "异议{n}没有按时补充材料，已终止办理。",
        OF_ACTS[Act.HAND_OVER]: "异议{n}由另一单位移交本单位，请办理；办理时限不重新计算。",
        OF_ACTS[Act.RETURN]: "异议{n}由责任单位退回，请重新转办。",
        OF_ACTS[Act.UPHOLD]: "异议{n}成立，已更正。",
        OF_ACTS[Act.PROMISE]: "异议{n}成立，责任单位承诺补报遗漏的记录。",
        OF_ACTS[Act.DELIVER]: "异议{n}所说遗漏的记录已补报。",
        OF_ACTS[Act.APPEAL]: "对异议{n}的结论，主体申请了复核。",
        OF_ACTS[Act.REMAND]: "异议{n}经复核退回本单位，请重新办理。",
        OF_ACTS[Act.CONFIRM]: "异议{n}经复核，维持原来的结论。",
        OF_ACTS[Act.WITHDRAW]: "主体撤回了异议{n}，不用再办理。",
        OBJECTION_DUE_SOON: "异议{n}的办理时限快到了，请抓紧办理。",
        OBJECTION_OVERDUE: "异议{n}超过了办理时限，请立即办理。",
        CORRECTION_UNDONE: "异议{n}更正过的记录又被后来的报送改动，请核对。",
        DOUBT_ASKED: "有一条规则的适用疑问提请裁定，请研究、起草。",
        RULING_WAITS: "有一份裁定的稿子等待会签。",
        PROPOSAL_WAITS: "有一件政策事项等待会签。",
        SUGGESTION_LODGED: "收到一件意见建议或者申诉，请答复。",
    }
)
DESKS: Mapping[Reader, str] = MappingProxyType(
    {Reader.SUBJECT: "/objections", Reader.UNIT: "/department/objections", Reader.OFFICE: "/office/objections"}
)
ELSEWHERE: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        WEBHOOK_FAILING: ("/receiver/webhooks", "看回调"),
        DOUBT_ASKED: ("/office/rulings", "去办理"),
        RULING_WAITS: ("/office/rulings", "去会签"),
        PROPOSAL_WAITS: ("/office/policies", "去会签"),
        SUGGESTION_LODGED: ("/office/suggestions", "去答复"),
    }
)
PLAIN = "有一条新的通知，请登录查看。"
# Who brought what was wrong has no part in the objection: it is told, and led nowhere.
TO_DELIVERER = "异议{n}成立：本单位报送的记录有误，已由责任单位更正，请核对本单位的数据。"


def sentence_of(told: Told, reader: Reader) -> str:
    """What happened, in a sentence for whoever reads it."""
    if told.event == REPORT_ENDED:
        return _report_ended(told.body, reader)
    if told.event == WEBHOOK_FAILING:
        return "有通知一直没有发到本单位的系统，请到“回调”查看。"
    if told.event == APPLICATION_DONE:
        return "平台代为提交的申请有了结果。"
    words = (TO_SUBJECT if reader is Reader.SUBJECT else TO_DESKS).get(told.event, PLAIN)
    words = TO_DELIVERER if told.body.get("delivered") else words
    until = str(told.body.get("until", ""))
    return words.format(n=told.body.get("objection", ""), until=spoken_date(date.fromisoformat(until)) if until else "")


def link_of(told: Told, reader: Reader) -> tuple[str, str]:
    """Where to go on, and what the link is called; two empty texts where there is nothing to do."""
    body = told.body
    if told.event == REPORT_ENDED and reader is Reader.SUBJECT:
        return f"/reports/{body.get('number', '')}/again", "按同样的范围再次出具"
    if told.event == REPORT_ENDED and reader is Reader.RECEIVER:
        return "/receiver/notices", "看订阅"
    if told.event in ELSEWHERE:
        return ELSEWHERE[told.event]
    if told.event == PUBLICATION_ENDED:
        return f"/records/{body.get('record', '')}".rstrip("/"), "看这条记录"
    if "objection" in body and reader in DESKS and not body.get("delivered"):
        return f"{DESKS[reader]}/{body['objection']}", "看办理情况" if reader is Reader.SUBJECT else "去办理"
    return "", ""


def _report_ended(body: Mapping[str, Any], reader: Reader) -> str:
    status = STATUS_WORDS.get(str(body.get("status", "")), "")
    said = f"报告{body.get('number', '')}的状态变为“{status}”"
    reason = REASON_WORDS.get(str(body.get("reason", "")), "") if reader is Reader.SUBJECT else ""
    return f"{said}：{reason}。" if reason else f"{said}。"

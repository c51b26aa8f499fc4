"""What notices are about (通知事项): their names, and which of them a webhook can be registered for."""

from collections.abc import Mapping
from types import MappingProxyType

from xinzheng.core.objections import Act

REPORT_ENDED = "report-not-in-force"
WEBHOOK_FAILING = "webhook-failing"
APPLICATION_DONE = "application-done"
# What a call to try a webhook says it is.
WEBHOOK_TEST = "webhook-test"
# An objection is late, or soon will be; what it corrected is wrong again; a record's publication is over.
OBJECTION_OVERDUE = "objection-overdue"
OBJECTION_DUE_SOON = "objection-due-soon"
CORRECTION_UNDONE = "correction-undone"
PUBLICATION_ENDED = "publication-ended"
# What waits for the offices beside objections.
DOUBT_ASKED = "doubt-asked"
RULING_WAITS = "ruling-waits"
PROPOSAL_WAITS = "proposal-waits"
SUGGESTION_LODGED = "suggestion-lodged"

# What became of an objection, by the act that brought it there.
OF_ACTS: Mapping[Act, str] = MappingProxyType(
    {
        Act.LODGE: "objection-lodged",
        Act.ACCEPT: "objection-accepted",
        Act.DECLINE: "objection-declined",
        Act.ASK: "objection-more-asked",
        Act.SUPPLY: "objection-supplied",
        Act.LAPSE: "objection-lapsed",
        Act.HAND_OVER: "objection-handed-over",
        Act.RETURN: "objection-returned",
        Act.UPHOLD: "objection-upheld",
        Act.PROMISE: "objection-promised",
        Act.DELIVER: "objection-delivered",
        Act.DISMISS: "objection-dismissed",
        Act.APPEAL: "objection-appealed",
        Act.REMAND: "objection-remanded",
        Act.CONFIRM: "objection-confirmed",
        Act.WITHDRAW: "objection-withdrawn",
    }
)

EVENTS: Mapping[str, str] = MappingProxyType(
    {
        REPORT_ENDED: "订阅的报告、平台代为申请的报告不再有效",
        APPLICATION_DONE: "平台代为提交的申请有了结果",
        OF_ACTS[Act.ACCEPT]: "平台代为提出的异议已受理",
        OF_ACTS[Act.DECLINE]: "平台代为提出的异议不予受理",
        OF_ACTS[Act.ASK]: "平台代为提出的异议需要补充材料",
        OF_ACTS[Act.LAPSE]: "平台代为提出的异议逾期没有补充材料",
        OF_ACTS[Act.HAND_OVER]: "平台代为提出的异议移交其他单位",
        OF_ACTS[Act.RETURN]: "平台代为提出的异议退回信用办",
        OF_ACTS[Act.UPHOLD]: "平台代为提出的异议成立",
        OF_ACTS[Act.PROMISE]: "平台代为提出的异议成立，等待补报",
        OF_ACTS[Act.DELIVER]: "平台代为提出的异议已补报",
        OF_ACTS[Act.DISMISS]: "平台代为提出的异议不成立",
        OF_ACTS[Act.REMAND]: "平台代为提出的异议经复核退回重办",
        OF_ACTS[Act.CONFIRM]: "平台代为提出的异议经复核维持",
    }
)

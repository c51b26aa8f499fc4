"""What the card of each kind of record shows (记录卡片): rows of label and field."""

from dataclasses import dataclass

Row = tuple[tuple[str, str], ...]  # one or two (label, field) pairs side by side


@dataclass(frozen=True)
class Card:
    """Short rows stay together; long fields may run on to the next page."""

    short: tuple[Row, ...]
    long: tuple[tuple[str, str], ...] = ()


_TAIL: tuple[Row, ...] = ((("数据来源单位", "source"),), (("本报告认定", "finding"),))
_LISTING = Card(
    (
        (("列入文书号", "document_number"),),
        (("列入机关", "organ"),),
        (("列入日期", "decision_date"), ("当前状态", "standing")),
        *_TAIL,
    ),
    (("名单名称", "category"), ("列入事由", "facts"), ("列入依据", "basis")),
)
CARDS = {
    "administrative_penalty": Card(
        (
            (("处罚决定书文号", "document_number"),),
            (("处罚机关", "organ"),),
            (("处罚决定日期", "decision_date"), ("处罚程序", "procedure")),
            (("罚款金额", "fine"), ("没收金额", "confiscation")),
            (("处罚状态", "standing"),),
            *_TAIL,
        ),
        (
            ("违法行为类型", "violation"),
            ("违法事实", "facts"),
            ("处罚依据", "basis"),
            ("处罚类别", "category"),
            ("处罚内容", "content"),
        ),
    ),
    "other_determination": Card(
        (
            (("文书文号", "document_number"),),
            (("认定机关", "organ"),),
            (("认定日期", "decision_date"), ("当前状态", "standing")),
            *_TAIL,
        ),
        (("认定事项", "violation"), ("认定事实", "facts"), ("认定依据", "basis"), ("处理内容", "content")),
    ),
    "administrative_compulsion": Card(
        (
            (("强制决定书文号", "document_number"),),
            (("决定机关", "organ"),),
            (("决定日期", "decision_date"), ("当前状态", "standing")),
            *_TAIL,
        ),
        (("强制措施", "category"), ("强制事由", "facts"), ("强制依据", "basis"), ("强制内容", "content")),
    ),
    "criminal_judgment": Card(
        (
            (("裁判文书号", "document_number"),),
            (("审理法院", "organ"),),
            (("生效日期", "decision_date"), ("当前状态", "standing")),
            *_TAIL,
        ),
        (("罪名", "violation"), ("认定事实", "facts"), ("裁判依据", "basis"), ("裁判结果", "content")),
    ),
    "serious_dishonesty": _LISTING,
    "abnormal_operation": _LISTING,
    "credit_repair": Card(
        (
            (("处罚决定书文号", "document_number"),),
            (("处罚机关", "organ"),),
            (("处罚决定日期", "decision_date"), ("修复日期", "repaired_date")),
            (("处罚类别", "category"), ("罚款金额", "fine")),
            (("本报告认定", "reason"),),
        )
    ),
}
# Shown after the rows above, in any card, when the record has them.
EXTRA = {
    "served_date": "送达日期",
    "standing_date": "状态变化日期",
    "repaired_date": "修复日期",
    "licence": "暂扣或吊销证照",
    "listed_from": "列入日期",
    "listed_through": "移出日期",
    "outcome_word": "处理结果",
    "succession": "与主体的关系",
    "violation": "违法行为类型",
    "category": "处罚类别",
    "basis": "依据",
    "facts": "事实",
    "content": "内容",
    "confiscation": "没收金额",
    "fine": "罚款金额",
    "source": "数据来源单位",
    "finding": "本报告认定",
    "reason": "理由",
    "remark": "备注",
    "note": "注明",
}
AMOUNTS = frozenset({"fine", "confiscation"})  # in 万元, as the source gives them

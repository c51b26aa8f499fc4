"""Conditions (条件) in plain Chinese, for people who review a pack."""

from datetime import date

from xinzheng.core.conditions import After, And, Before, Condition, Equals, IsIn, Known, Not, Or
from xinzheng.core.policy import Policy

FIELD_NAMES = {
    "kind": "记录类型",
    "domain": "领域",
    "tie": "与主体的关系",
    "organ": "决定机关",
    "procedure": "处罚程序",
    "outcome": "处理结果",
    "standing": "处罚状态",
    "standing_date": "状态变动日期",
    "decision_date": "决定日期",
    "window_date": "决定（列入）日期",
    "listed_through": "移出名单日期",
    "served_date": "送达日期",
    "repaired_date": "信用修复日期",
    "sealed": "依法封存",
    "disputed": "异议处理中",
    "subject_kind": "主体类型",
}
VALUE_NAMES = {
    "administrative_penalty": "行政处罚",
    "other_determination": "其他生效法律文书认定",
    "administrative_compulsion": "行政强制",
    "criminal_judgment": "刑事裁判",
    "serious_dishonesty": "严重失信主体名单",
    "abnormal_operation": "经营异常名录",
    "social_insurance_arrears": "参保欠缴",
    "housing_fund_arrears": "住房公积金欠缴",
    "credit_repair": "信用修复",
    "self": "本主体",
    "renamed": "更名或者改制以前",
    "merged": "被吸收合并",
    "split": "分立",
    "branch": "分支机构",
    "here": "本辖区",
    "elsewhere": "其他地方",
    "summary": "简易程序",
    "ordinary": "普通程序",
    "hearing": "听证程序",
    "penalised": "予以处罚",
    "not_penalised": "不予处罚",
    "in_force": "有效",
    "under_review": "复议或者诉讼中",
    "withdrawn": "撤销",
    "void": "确认违法或者无效",
    "changed": "变更",
    "enterprise_legal_person": "企业法人",
    "unincorporated_enterprise": "非法人企业",
    "individual_business": "个体工商户",
    "cooperative": "农民专业合作社",
    "social_organisation": "社会组织",
    "public_institution": "事业单位",
    "natural_person": "自然人",
}
REFERENCE_NAMES = {"as_of": "核查日", "window.from": "查询期起始日", "window.to": "查询期截止日"}


def _day(day: date | str) -> str:
    return day.isoformat() if isinstance(day, date) else REFERENCE_NAMES[day]


def _join(parts: tuple[Condition, ...], word: str, names: dict[str, str]) -> str:
    texts = [_text(part, names) for part in parts]
    return word.join(f"（{t}）" if isinstance(p, And | Or) else t for p, t in zip(parts, texts, strict=True))


def _test_text(condition: Equals | IsIn | Known, names: dict[str, str], *, holds: bool) -> str:
    field = FIELD_NAMES[condition.field]
    if isinstance(condition, Known):
        return f"{field}{'已' if holds else '未'}注明"
    verb = "是" if holds else "不是"
    if isinstance(condition, IsIn):
        return f"{field}{verb}{'、'.join(names.get(value, value) for value in condition.values)}之一"
    if isinstance(condition.value, bool):
        return f"{field}：{'是' if condition.value is holds else '否'}"
    return f"{field}{verb}{names.get(condition.value, condition.value)}"


def _day_text(condition: Before | After, *, holds: bool) -> str:
    word = "早于" if isinstance(condition, Before) else "晚于"
    return f"{FIELD_NAMES[condition.field]}{'' if holds else '不'}{word}{_day(condition.day)}"


def _text(condition: Condition, names: dict[str, str], *, holds: bool = True) -> str:
    match condition:
        case Not(And() | Or() | Not()):
            return f"不是（{_text(condition.part, names)}）"
        case Not(part):
            return _text(part, names, holds=not holds)
        case And(parts):
            return _join(parts, "，并且", names)
        case Or(parts):
            return _join(parts, "，或者", names)
        case Before() | After():
            return _day_text(condition, holds=holds)
        case _:
            return _test_text(condition, names, holds=holds)


def condition_text(condition: Condition | None, policy: Policy) -> str:
    """A clause's condition in Chinese; domains by the policy's names; None is 一切记录."""
    if condition is None:
        return "一切记录"
    return _text(condition, VALUE_NAMES | {domain.code: domain.name for domain in policy.domains})

"""Of every kind of record: a row taken in counts, a withdrawal ends it, a correction is its next version."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from django.utils import timezone

from tests.small_city import BY, SmallCity, build_small_city, today, uscc
from xinzheng.adapters.deployment_files import DeployedResponsibility, deployment_of_policy
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.ledger.models import RecordVersion
from xinzheng.apps.registry.actions import apply_deployment
from xinzheng.apps.reports.cases import Question, answer_question
from xinzheng.apps.reports.packs import current_calendar, current_policy
from xinzheng.core.decision import Decision, Request
from xinzheng.core.policy import Effect, Policy
from xinzheng.core.records import Record, RecordKind

FIRM = {"统一社会信用代码": uscc(1), "主体名称": "苏州示例精密制造有限公司"}
TAX = "市税务局"
A_YEAR_AGO = "2025-06-01"


def withdrawn() -> dict[str, str]:
    """The day on which a record was taken back."""
    return {"状态日期": today().isoformat()}


@dataclass(frozen=True)
class Kind:
    """Where rows of a kind are delivered and weighed, a sound row, and what of it a correction may change."""

    kind: RecordKind
    policy_id: str
    domain: str
    row: Mapping[str, str]
    change: tuple[str, str]
    state: str = "处罚状态"


def document(kind: RecordKind, policy_id: str, names: tuple[str, str, str, str]) -> Kind:
    """A kind whose records are documents: names of number, date, organ and content."""
    number, day, organ, content = names
    row = {number: "苏示〔2025〕1号", day: A_YEAR_AGO, organ: TAX, content: "认定如下"}
    return Kind(kind, policy_id, "taxation", row, (content, "变更为如下"))


def listing(kind: RecordKind) -> Kind:
    row = {"名单名称": "示例名单", "列入机关": TAX, "列入日期": A_YEAR_AGO, "列入事由": "甲"}
    return Kind(kind, "national-2025", "taxation", row, ("列入事由", "乙"), "记录状态")


def arrears(kind: RecordKind, **own: str) -> Kind:
    row = {"征收经办机构": "市社保中心", "欠缴起始年月": "2026-01", "欠缴截止年月": "2026-03", "欠缴金额(元)": "100.00",
           "数据日期": "2026-06-01", **own}  # fmt: skip
    return Kind(kind, "suzhou-2024", kind.value, row, ("欠缴金额(元)", "50.00"), "记录状态")


KINDS = (
    document(RecordKind.OTHER_DETERMINATION, "huzhou-2023", ("文书文号", "决定日期", "认定机关", "认定内容")),
    document(
        RecordKind.ADMINISTRATIVE_COMPULSION, "national-2025", ("强制决定书文号", "决定日期", "强制机关", "强制内容")
    ),
    document(RecordKind.CRIMINAL_JUDGMENT, "national-2025", ("裁判文书案号", "生效日期", "裁判法院", "裁判结果")),
    listing(RecordKind.SERIOUS_DISHONESTY),
    listing(RecordKind.ABNORMAL_OPERATION),
    arrears(RecordKind.SOCIAL_INSURANCE_ARREARS, 险种="养老保险"),
    arrears(RecordKind.HOUSING_FUND_ARREARS),
    Kind(
        RecordKind.CREDIT_REPAIR,
        "suzhou-2024",
        "credit_repair",
        {"原处罚决定书文号": "9号", "原处罚机关": TAX, "修复日期": A_YEAR_AGO, "处罚类别": "警告"},
        ("处罚类别", "罚款"),
        "记录状态",
    ),
)
each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind.value)


def weighing_all(policy: Policy) -> Policy:
    """The policy, weighing abnormal operation too: no decree that is shipped does."""
    domains = (replace(d, kinds=(*d.kinds, RecordKind.ABNORMAL_OPERATION)) for d in policy.domains)
    return replace(policy, domains=tuple(domains))


def city_of(kind: Kind, folder: Path) -> SmallCity:
    city = build_small_city(folder, kind.policy_id, units_per_domain=1)
    if kind.kind is RecordKind.ABNORMAL_OPERATION:
        more = (DeployedResponsibility("taxation", kind.kind, city.unit("taxation"), 1),)
        city.responsibilities = city.responsibilities + more
        deployment = deployment_of_policy(current_policy(kind.policy_id))
        apply_deployment(replace(deployment, responsibilities=city.responsibilities), by=BY)
    city.firm(uscc(1))
    return city


def decision(city: SmallCity) -> Decision:
    """What is decided now about the one firm there is."""
    policy = weighing_all(current_policy(city.policy_id))
    subject = city.firm(uscc(1))
    at = head_position()
    return answer_question(Question(policy, current_calendar(), subject, Request(), timezone.now(), at)).decision


def counting(city: SmallCity) -> list[Record]:
    """The records that count in a domain or are shown as other information."""
    found = decision(city)
    return [f.record for f in found.findings if f.is_counted] + [r for section in found.other for r in section.records]


def deliver(city: SmallCity, kind: Kind, **changes: str) -> tuple[int, int]:
    """New and changed records of one more delivery of the kind's row."""
    row = {"主体名称": "", "统一社会信用代码": "", kind.state: "", "状态日期": ""} | FIRM | dict(kind.row) | changes
    result = city.submit_kind([row], kind.domain, kind.kind)
    assert result.rejected == 0
    return result.new, result.changed


@each_kind
def test_a_row_counts_until_it_is_withdrawn(db: None, tmp_path: Path, kind: Kind) -> None:
    city = city_of(kind, tmp_path)
    assert deliver(city, kind) == (1, 0)
    assert [r.kind for r in counting(city)] == [kind.kind]
    assert deliver(city, kind, **{kind.state: "撤销"}, **withdrawn()) == (0, 1)
    assert counting(city) == []
    assert RecordVersion.objects.count() == 2


@each_kind
def test_a_row_found_unlawful_or_void_counts_no_more(db: None, tmp_path: Path, kind: Kind) -> None:
    city = city_of(kind, tmp_path)
    deliver(city, kind)
    assert deliver(city, kind, **{kind.state: "确认违法或无效"}, **withdrawn()) == (0, 1)
    assert counting(city) == []


@each_kind
def test_a_correction_is_the_next_version_and_counts_with_its_new_content(db: None, tmp_path: Path, kind: Kind) -> None:
    city = city_of(kind, tmp_path)
    deliver(city, kind)
    column, text = kind.change
    assert deliver(city, kind, **{kind.state: "变更", column: text}, **withdrawn()) == (0, 1)
    (record,) = counting(city)
    assert text in record.content.values()
    assert kind.row[column] not in record.content.values()


@each_kind
def test_a_sealed_row_is_neither_counted_nor_shown(db: None, tmp_path: Path, kind: Kind) -> None:
    city = city_of(kind, tmp_path)
    deliver(city, kind, 依法封存="是")
    assert counting(city) == []


@each_kind
def test_a_withdrawal_must_say_since_when(db: None, tmp_path: Path, kind: Kind) -> None:
    city = city_of(kind, tmp_path)
    row = FIRM | dict(kind.row) | {kind.state: "撤销"}
    assert city.submit_kind([row], kind.domain, kind.kind).rejected == 1


@each_kind
def test_a_row_that_says_nothing_of_its_standing_counts(db: None, tmp_path: Path, kind: Kind) -> None:
    city = city_of(kind, tmp_path)
    deliver(city, kind)
    (record,) = counting(city)
    assert record.standing is None


def test_a_penalty_is_withdrawn_corrected_and_told_apart_from_one_without_standing(db: None, tmp_path: Path) -> None:
    city = build_small_city(tmp_path, units_per_domain=1)
    city.submit([city.penalty(uscc(1))])
    assert [r.standing for r in counting(city)] == [None]
    corrected = city.penalty(uscc(1), 处罚内容="罚款2万元", 处罚状态="变更", **withdrawn())
    assert city.submit([corrected]).changed == 1
    (record,) = counting(city)
    assert record.content["content"] == "罚款2万元"
    assert city.submit([corrected | {"处罚状态": "撤销"}]).changed == 1
    assert counting(city) == []


def test_a_repair_finds_its_penalty_and_one_taken_back_does_not(db: None, tmp_path: Path) -> None:
    city = build_small_city(tmp_path, units_per_domain=1)
    city.submit([city.penalty(uscc(1), "苏税罚〔2026〕1号")])
    repair = FIRM | {"原处罚决定书文号": "苏税罚(2026) 1号", "原处罚机关": TAX, "修复日期": today().isoformat()}
    city.submit_kind([repair], "credit_repair", "credit_repair")
    penalty = next(f for f in decision(city).findings if f.record.kind is RecordKind.ADMINISTRATIVE_PENALTY)
    assert (penalty.record.repaired_date, penalty.effect) == (today(), Effect.LISTED_APART)
    city.submit_kind([repair | {"记录状态": "撤销", **withdrawn()}], "credit_repair", "credit_repair")
    penalty = next(f for f in decision(city).findings if f.record.kind is RecordKind.ADMINISTRATIVE_PENALTY)
    assert (penalty.record.repaired_date, penalty.is_counted) == (None, True)


def test_a_debt_settled_is_shown_no_more(db: None, tmp_path: Path) -> None:
    kind = next(kind for kind in KINDS if kind.kind is RecordKind.HOUSING_FUND_ARREARS)
    city = city_of(kind, tmp_path)
    deliver(city, kind)
    assert deliver(city, kind, **{"欠缴金额(元)": "0"}) == (0, 1)
    assert counting(city) == []

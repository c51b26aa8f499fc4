"""Records (记录): what departments deliver about a subject, as one decision weighs it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum

from xinzheng.core.subjects import Tie


class RecordKind(StrEnum):
    """Kind of record (记录类型), design §4."""

    ADMINISTRATIVE_PENALTY = "administrative_penalty"
    OTHER_DETERMINATION = "other_determination"
    ADMINISTRATIVE_COMPULSION = "administrative_compulsion"
    CRIMINAL_JUDGMENT = "criminal_judgment"
    SERIOUS_DISHONESTY = "serious_dishonesty"
    ABNORMAL_OPERATION = "abnormal_operation"
    SOCIAL_INSURANCE_ARREARS = "social_insurance_arrears"
    HOUSING_FUND_ARREARS = "housing_fund_arrears"
    CREDIT_REPAIR = "credit_repair"


LISTING_KINDS = frozenset({RecordKind.SERIOUS_DISHONESTY, RecordKind.ABNORMAL_OPERATION})
ARREARS_KINDS = frozenset({RecordKind.SOCIAL_INSURANCE_ARREARS, RecordKind.HOUSING_FUND_ARREARS})


class Procedure(StrEnum):
    """Procedure of a penalty (处罚程序): 简易, 普通, 听证."""

    SUMMARY = "summary"
    ORDINARY = "ordinary"
    HEARING = "hearing"


class Outcome(StrEnum):
    """What a decision did (处理结果): 予以处罚, 不予处罚."""

    PENALISED = "penalised"
    NOT_PENALISED = "not_penalised"


class Standing(StrEnum):
    """Whether a decision stands (处罚状态): 有效, 复议诉讼中, 撤销, 确认违法或无效, 变更."""

    IN_FORCE = "in_force"
    UNDER_REVIEW = "under_review"
    WITHDRAWN = "withdrawn"
    VOID = "void"
    CHANGED = "changed"


class OrganPlace(StrEnum):
    """Whether the deciding organ (决定机关) belongs to the policy's jurisdiction."""

    HERE = "here"
    ELSEWHERE = "elsewhere"


@dataclass(frozen=True, slots=True)
class Record:
    """One record (记录) at one ledger position; None means the fact is unknown.

    ``content`` holds what is only printed (document number, facts, basis, …), keyed by field identifier; nothing in
    it takes part in the decision. ``document_key`` is the normalised document number that a repair points to.
    """

    id: str
    kind: RecordKind
    domain: str
    tie: Tie = Tie.SELF
    organ: OrganPlace | None = OrganPlace.HERE
    decision_date: date | None = None
    served_date: date | None = None
    procedure: Procedure | None = None
    outcome: Outcome | None = None
    standing: Standing | None = Standing.IN_FORCE
    standing_date: date | None = None
    repaired_date: date | None = None
    sealed: bool | None = False
    listed_from: date | None = None
    listed_through: date | None = None
    owing: Decimal | None = None
    document_key: str | None = None
    organ_key: str | None = None
    content: Mapping[str, str | None] = field(default_factory=dict)

    @property
    def window_date(self) -> date | None:
        """The date the window looks at (design §4): the listing date for lists, else the decision date."""
        return self.listed_from if self.kind in LISTING_KINDS else self.decision_date


def _repair_dates(repairs: Iterable[Record]) -> dict[tuple[str, str | None], date]:
    dates: dict[tuple[str, str | None], date] = {}
    for repair in repairs:
        if repair.document_key and repair.repaired_date and not repair.sealed and repair.standing is not Standing.VOID:
            key = (repair.document_key, repair.organ_key)
            dates[key] = min(repair.repaired_date, dates.get(key, repair.repaired_date))
    return dates


def link_repairs(records: Iterable[Record]) -> tuple[Record, ...]:
    """Give each penalty the date of the credit repair (信用修复) that names its document number.

    A repair without a deciding organ matches by document number alone. A penalty's own repair date stands when it
    is the earlier one. The repairs themselves stay in the result.
    """
    everything = tuple(records)
    dates = _repair_dates(r for r in everything if r.kind is RecordKind.CREDIT_REPAIR)

    def with_repair(record: Record) -> Record:
        if record.kind is RecordKind.CREDIT_REPAIR or not record.document_key:
            return record
        found = [
            dates[key] for key in ((record.document_key, record.organ_key), (record.document_key, None)) if key in dates
        ]
        if record.repaired_date:
            found.append(record.repaired_date)
        return replace(record, repaired_date=min(found)) if found else record

    return tuple(with_repair(record) for record in everything)

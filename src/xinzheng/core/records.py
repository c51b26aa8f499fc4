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
USCC_LENGTH = 18


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
    disputed: bool = False
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

    def without_later_standing(self, day: date) -> "Record":
        """The record as it stood on a day, where only what its standing became later is known."""
        is_later = self.standing_date is not None and self.standing_date > day
        return replace(self, standing=Standing.IN_FORCE, standing_date=None) if is_later else self

    def is_gone_by(self, day: date) -> bool:
        """Whether it was withdrawn or found void (撤销、确认违法或无效) by the day; no date means it was."""
        gone = self.standing in (Standing.WITHDRAWN, Standing.VOID)
        return gone and (self.standing_date is None or self.standing_date <= day)


def may_be_one_organ(one: str | None, other: str | None) -> bool:
    """Whether two organ keys can mean the same organ: a code and a name cannot be compared, nor what is unknown."""
    return one is None or other is None or one == other or _is_code(one) != _is_code(other)


def _is_code(organ_key: str) -> bool:
    return len(organ_key) == USCC_LENGTH and organ_key.isascii()


def _party(record: Record) -> Tie:
    """Whose record it is; a former name is the same party."""
    return Tie.SELF if record.tie is Tie.RENAMED else record.tie


def _document(record: Record) -> tuple[str | None, Tie]:
    return record.document_key, _party(record)


def link_repairs(records: Iterable[Record], as_of: date) -> tuple[Record, ...]:
    """Give each penalty the date of the credit repair (信用修复) that names its document number.

    The repair must be the same party's and must stand on ``as_of``: one document may penalise a firm and its branch,
    and the branch's repair repairs nothing of the firm's. Where the organs cannot be compared, the number alone
    decides if only one organ's document of the party bears it. A penalty's own repair date stands when it is the
    earlier one. The repairs themselves stay in the result.
    """
    everything = tuple(records)
    repairs = [r for r in everything if r.kind is RecordKind.CREDIT_REPAIR and _repairs_something(r, as_of)]
    if not repairs:
        return everything
    organs: dict[tuple[str | None, Tie], set[str | None]] = {}
    for record in everything:
        if record.kind is not RecordKind.CREDIT_REPAIR:
            organs.setdefault(_document(record), set()).add(record.organ_key)

    def reaches(repair: Record, record: Record) -> bool:
        if _document(repair) != _document(record):
            return False
        if repair.organ_key is not None and repair.organ_key == record.organ_key:
            return True
        return may_be_one_organ(repair.organ_key, record.organ_key) and len(organs[_document(record)]) == 1

    def with_repair(record: Record) -> Record:
        if record.kind is RecordKind.CREDIT_REPAIR:
            return record
        found = [r.repaired_date for r in repairs if reaches(r, record)] + [record.repaired_date]
        dates = [day for day in found if day is not None]
        return replace(record, repaired_date=min(dates)) if dates else record

    return tuple(with_repair(record) for record in everything)


def _repairs_something(repair: Record, as_of: date) -> bool:
    named = repair.document_key is not None and repair.repaired_date is not None
    return named and not repair.sealed and not repair.is_gone_by(as_of)

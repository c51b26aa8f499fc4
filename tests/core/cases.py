"""A small invented policy and full coverage for the tests of the core."""

from datetime import date

from xinzheng.core.conditions import After, And, Equals, IsIn, Known, Not
from xinzheng.core.coverage import Coverage, Responsibility, Statement
from xinzheng.core.policy import (
    Basis,
    Choice,
    Citation,
    Clause,
    DateSpan,
    Effect,
    OtherSection,
    Policy,
    PolicyDomain,
    SectionCoverage,
    ServedKind,
    Window,
)
from xinzheng.core.records import Record, RecordKind
from xinzheng.core.subjects import SubjectKind
from xinzheng.core.workdays import Calendar

AS_OF = date(2025, 6, 3)
PENALTY = RecordKind.ADMINISTRATIVE_PENALTY
WHERE = Citation("某某政策")
CALENDAR = Calendar(frozenset(range(2018, 2030)))
CODES = ("taxation", "health", "justice")


def clause(id_: str, effect: Effect, condition=None, **more) -> Clause:
    return Clause(id_, effect, condition, f"理由{id_}", WHERE, Basis.STATUTE, **more)


NOT_LATER = Not(After("repaired_date", "as_of"))
CLAUSES = (
    clause("sealed", Effect.EXCLUDED, Equals("sealed", True), hides=True),
    clause("withdrawn", Effect.EXCLUDED, IsIn("standing", ("withdrawn", "void"))),
    clause("summary", Effect.EXCLUDED, Equals("procedure", "summary")),
    clause("apart", Effect.LISTED_APART, IsIn("tie", ("merged", "split"))),
    clause("unclear", Effect.UNRESOLVED, Not(Known("outcome"))),
    clause("repaired", Effect.MARKED, And((Known("repaired_date"), NOT_LATER)), mark="已修复"),
    clause("review", Effect.COUNTED, Equals("standing", "under_review"), mark="复议"),
    clause("new-rule", Effect.EXCLUDED, Equals("tie", "branch"), in_effect=DateSpan(date(2025, 6, 3), None)),
    clause("all", Effect.COUNTED),
)
ARREARS = OtherSection(
    "arrears", "欠缴", RecordKind.HOUSING_FUND_ARREARS, SectionCoverage.LATEST, "", WHERE, Basis.STATUTE
)
REPAIRS = OtherSection(
    "credit_repair", "修复", RecordKind.CREDIT_REPAIR, SectionCoverage.PERIOD, "", WHERE, Basis.STATUTE
)


def policy(**changes) -> Policy:
    values = {
        "id": "test",
        "title": "测试政策",
        "report_title": ("报告",),
        "number_prefix": "TT",
        "record_word": "记录",
        "units_word": "单位",
        "document": "测〔2024〕1号",
        "issuer": "某市",
        "jurisdiction": "000000",
        "jurisdiction_name": "某市",
        "in_effect": DateSpan(date(2024, 3, 1), date(2026, 2, 28)),
        "in_effect_citation": WHERE,
        "subject_kinds": (ServedKind(SubjectKind.ENTERPRISE_LEGAL_PERSON, WHERE, Basis.STATUTE),),
        "purposes": (),
        "exceptions": (),
        "window": Window(WHERE, Basis.STATUTE, years=3),
        "choose_domains": Choice(True, WHERE, Basis.STATUTE),
        "choose_period": Choice(True, WHERE, Basis.STATUTE),
        "domains": tuple(PolicyDomain(code, code, (PENALTY,)) for code in CODES),
        "domains_citation": WHERE,
        "clauses": CLAUSES,
        "other": (ARREARS, REPAIRS),
        "freshness_days": 7,
        "freshness_citation": WHERE,
        "wording": {},
        "notes": (),
        "scope_text": "",
        "sha256": "0" * 64,
    }
    return Policy(**(values | changes))


def coverage(through: date = AS_OF, codes=CODES) -> Coverage:
    asked = [(code, PENALTY) for code in codes]
    asked += [("arrears", RecordKind.HOUSING_FUND_ARREARS), ("credit_repair", RecordKind.CREDIT_REPAIR)]
    return Coverage(
        tuple(Responsibility(code, kind, "u1", "甲单位") for code, kind in asked),
        tuple(Statement(code, "u1", kind, date(2000, 1, 1), through) for code, kind in asked),
    )


def penalty(id_: str = "r1", **facts) -> Record:
    values = {"domain": "taxation", "decision_date": date(2024, 5, 1), "procedure": "ordinary", "outcome": "penalised"}
    return Record(id=id_, kind=PENALTY, **(values | facts))

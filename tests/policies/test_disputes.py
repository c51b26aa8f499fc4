"""A record under an objection: in every pack the word is added, and nothing else is different."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from xinzheng.adapters.calendar import default_calendar
from xinzheng.adapters.pdf.view import build
from xinzheng.adapters.policy_files import load_policy
from xinzheng.core.coverage import Coverage, Responsibility, Statement
from xinzheng.core.decision import CHINA, Case, Decision, Request, decide
from xinzheng.core.policy import Effect, Extension, Policy
from xinzheng.core.records import OrganPlace, Outcome, Procedure, Record, RecordKind, Standing
from xinzheng.core.report import Imprint, Issuer, report_content
from xinzheng.core.subjects import Subject, SubjectKind, Tie

MARK = "异议处理中"
PACKS = ("suzhou-2024", "huzhou-2023", "national-2025")
MOMENTS = (datetime(2025, 6, 3, 9, tzinfo=CHINA), datetime(2026, 6, 3, 9, tzinfo=CHINA))
FIRM = Subject(SubjectKind.ENTERPRISE_LEGAL_PERSON, "示例有限公司", "91320594MA7DEM1W68", "示例乙", "存续")
IMPRINT = Imprint(Issuer("示例中心", "示例网站", "host.example", True), "SZ202506020000001X", "M4W8RT6NC2YD", 7, "融资")
DAYS = st.none() | st.dates(date(2021, 1, 1), date(2026, 12, 31))


@cache
def pack(policy_id: str) -> Policy:
    lasting = Extension("演示〔2026〕1号", date(2027, 12, 31), "")
    return replace(load_policy(policy_id), extensions=(lasting,))


@cache
def covered(policy_id: str, is_whole: bool) -> Coverage:
    policy = pack(policy_id)
    who = [Responsibility(d.code, kind, d.code, f"{d.name}单位") for d in policy.domains for kind in d.kinds]
    who += [Responsibility(s.code, s.kind, s.code, f"{s.name}单位") for s in policy.other]
    told = who if is_whole else who[::2]
    long_ago = date(2015, 1, 1)
    return Coverage(tuple(who), tuple(Statement(w.domain, w.unit, w.kind, long_ago, date(2027, 1, 1)) for w in told))


@st.composite
def records(draw: st.DrawFn, policy: Policy) -> Record:
    scopes = [(kind, d.code) for d in policy.domains[:3] for kind in d.kinds] + [(s.kind, s.code) for s in policy.other]
    kind, domain = draw(st.sampled_from(scopes))
    number = draw(st.sampled_from(["一号", "二号", "三号"]))
    return Record(
        id=str(draw(st.integers(1, 10**6))),
        kind=kind,
        domain=domain,
        tie=draw(st.sampled_from(list(Tie))),
        organ=draw(st.none() | st.sampled_from(list(OrganPlace))),
        decision_date=draw(DAYS),
        procedure=draw(st.none() | st.sampled_from(list(Procedure))),
        outcome=draw(st.none() | st.sampled_from(list(Outcome))),
        standing=draw(st.none() | st.sampled_from(list(Standing))),
        standing_date=draw(DAYS),
        repaired_date=draw(DAYS),
        sealed=draw(st.sampled_from([False, False, None, True])),
        listed_from=draw(DAYS),
        owing=draw(st.sampled_from([None, Decimal(0), Decimal("12.5")])),
        document_key=number,
        content={"document_number": number, "insurance": "养老保险"},
    )


@st.composite
def cases(draw: st.DrawFn) -> tuple[Policy, Case, Case]:
    """A pack, a case, and the same with some of its records under an objection."""
    policy = pack(draw(st.sampled_from(PACKS)))
    found = draw(st.lists(records(policy), max_size=6, unique_by=lambda record: record.id))
    known = covered(policy.id, draw(st.booleans()))
    calm = Case(Request(), FIRM, tuple(found), known, draw(st.sampled_from(MOMENTS)))
    disputed = draw(st.lists(st.booleans(), min_size=len(found), max_size=len(found)))
    marked = tuple(replace(one, disputed=is_so) for one, is_so in zip(found, disputed, strict=True))
    return policy, calm, replace(calm, records=marked)


def printed(policy: Policy, decision: Decision) -> dict[str, Any]:
    return report_content(policy, decision, FIRM, IMPRINT, {})


def without_mark(found: Any) -> Any:
    """What is printed, but the word and the sentence that it stands in."""
    if isinstance(found, Mapping):
        return {key: without_mark(value) for key, value in found.items() if key not in ("note", "finding")}
    if isinstance(found, list):
        return [without_mark(value) for value in found if value != MARK]
    return found


@settings(max_examples=150, deadline=None)
@given(cases())
def test_an_objection_adds_its_word_to_what_counts_and_changes_nothing_else(found: tuple[Policy, Case, Case]) -> None:
    policy, calm, marked = found
    before, after = (decide(policy, case, default_calendar()) for case in (calm, marked))
    assert after.outcome == before.outcome
    assert after.domains == before.domains
    assert [(o.result, o.gaps, len(o.records)) for o in after.other] == [
        (o.result, o.gaps, len(o.records)) for o in before.other
    ]
    for old, new in zip(before.findings, after.findings, strict=True):
        assert (new.record.id, new.is_counted, new.hides) == (old.record.id, old.is_counted, old.hides)
        assert tuple(mark for mark in new.marks if mark != MARK) == old.marks
        assert (MARK in new.marks) == (new.is_counted and new.record.disputed)
        if not old.is_counted:
            assert (new.effect, new.clause) == (old.effect, old.clause)
    assert without_mark(printed(policy, after)) == without_mark(printed(policy, before))


def test_arrears_and_repairs_under_an_objection_say_so_on_the_paper() -> None:
    policy, at = pack("suzhou-2024"), MOMENTS[1]
    found = (
        Record("1", RecordKind.CREDIT_REPAIR, "credit_repair", repaired_date=date(2026, 1, 5), disputed=True),
        Record(
            "2",
            RecordKind.SOCIAL_INSURANCE_ARREARS,
            "social_insurance_arrears",
            owing=Decimal(5),
            disputed=True,
            content={"insurance": "养老保险"},
        ),
    )
    case = Case(Request(), FIRM, found, covered("suzhou-2024", True), at)
    content = printed(policy, decide(policy, case, default_calendar()))
    view = build(content)
    assert content["repairs"][0]["note"] == content["arrears"][0]["note"] == MARK
    assert ["注明", MARK] in view["repairs"][0]["long"]
    assert view["arrears"]["rows"][0][0] == f"养老保险（{MARK}）"


def test_a_pack_without_the_clause_notes_nothing_so_that_its_reports_replay() -> None:
    policy = pack("suzhou-2024")
    old = replace(policy, clauses=tuple(c for c in policy.clauses if c.id != "under-objection"))
    repair = Record("1", RecordKind.CREDIT_REPAIR, "credit_repair", repaired_date=date(2025, 1, 5))
    said = []
    for record in (repair, replace(repair, disputed=True)):
        case = Case(Request(), FIRM, (record,), covered("suzhou-2024", True), MOMENTS[0])
        said.append(printed(old, decide(old, case, default_calendar())))
    assert said[0] == said[1]
    assert {c.effect for c in policy.clauses if c.id == "under-objection"} == {Effect.MARKED}

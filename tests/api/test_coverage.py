"""Coverage and responsibilities through the interface."""

from datetime import date, timedelta
from typing import Any

import pytest

from tests.api.conftest import System, problem_in
from tests.small_city import PENALTY, SmallCity, today, uscc
from xinzheng.apps.audit.models import AuditEvent
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.ledger.models import CoverageStatement
from xinzheng.apps.ledger.queries import coverage_at
from xinzheng.apps.reports.packs import current_calendar, current_policy
from xinzheng.core.decision import data_needed_through

COVERAGE, WITHDRAWALS = "/api/v1/coverage", "/api/v1/coverage/withdrawals"


def period(first: str, last: str, **more: Any) -> dict[str, Any]:
    return {"domain": "taxation", "kind": PENALTY, "covers_from": first, "covers_through": last} | more


def stated(city: SmallCity) -> list[tuple[date, date]]:
    coverage = coverage_at("suzhou-2024", head_position())
    found = coverage.statements_of(city.unit("taxation"), PENALTY, "taxation")
    return [(s.from_date, s.through_date) for s in found]


def test_a_zero_return_is_declared_and_partly_withdrawn(city: SmallCity, tax: System) -> None:
    declared = tax.post(COVERAGE, period("2026-01-01", "2026-03-31", zero_return=True))
    assert declared.status_code == 201
    assert (declared.json()["is_zero"], declared.json()["statements"]) == (True, 1)
    assert declared.json()["position"] == head_position()
    withdrawn = tax.post(WITHDRAWALS, period("2026-02-01", "2026-02-28", reason="还有未报送的决定"))
    assert (withdrawn.status_code, withdrawn.json()["statements"]) == (201, 1)
    assert stated(city) == [(date(2026, 1, 1), date(2026, 1, 31)), (date(2026, 3, 1), date(2026, 3, 31))]
    events = AuditEvent.objects.filter(action__startswith="coverage-")
    assert set(events.values_list("who", flat=True)) == {f"api-key:{tax.key_id}"}


def test_a_zero_return_is_refused_when_there_are_records(city: SmallCity, tax: System) -> None:
    city.submit([city.penalty(uscc(1))])
    whole = period("2020-01-01", today().isoformat())
    refused = tax.post(COVERAGE, whole | {"zero_return": True})
    assert (refused.status_code, problem_in(refused)["code"]) == (409, "not-a-zero-return")
    assert not CoverageStatement.objects.exists()
    assert tax.post(COVERAGE, whole).json()["is_zero"] is False


def test_what_the_ledger_refuses_has_its_code(city: SmallCity, tax: System, water: System) -> None:
    tomorrow = (today() + timedelta(days=1)).isoformat()
    refused = [
        tax.post(COVERAGE, period("2026-01-01", tomorrow)),
        tax.post(COVERAGE, period("2026-03-01", "2026-01-01")),
        tax.post(WITHDRAWALS, period("2026-01-01", "2026-01-02")),
        water.post(COVERAGE, period("2026-01-01", "2026-01-02")),
    ]
    assert [(answer.status_code, problem_in(answer)["code"]) for answer in refused] == [
        (422, "coverage-in-future"),
        (422, "coverage-reversed"),
        (409, "nothing-stated"),
        (403, "unit-not-responsible"),
    ]
    assert not CoverageStatement.objects.exists()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"domain": "taxation", "kind": PENALTY, "covers_from": "2026-01-01"}, "covers_through"),
        (period("2026-01-01", "2026-13-01"), "covers_through"),
        (period("2026-01-01", "2026-01-02") | {"covers_from": 20260101}, "covers_from"),
        (period("2026-01-01", "2026-01-02", zero=True), "zero"),
        (period("2026-01-01", "2026-01-02", zero_return="no"), "zero_return"),
        (period("2026-01-01", "2026-01-02", domain=None), ""),
        (period("2026-01-01", "2026-01-02", domain="\x00"), "domain"),
    ],
)
def test_a_field_that_is_wrong_is_named(tax: System, body: dict[str, Any], field: str) -> None:
    problem = problem_in(tax.post(COVERAGE, body))
    assert problem["code"] == "request-invalid"
    assert [(error["in"], error["field"]) for error in problem["errors"]] == [("body", field)]


@pytest.mark.parametrize("body", ["{", "[]", "null", '"text"', "1", b"\xff\xfe", '{"covers_from": NaN}'])
def test_a_body_that_is_no_object_is_refused(tax: System, body: "str | bytes") -> None:
    refused = tax.post(COVERAGE, body)
    assert refused.status_code in (400, 422)
    assert problem_in(refused)["code"] in ("request-unreadable", "request-invalid")


def test_a_kind_that_is_its_own_domain_needs_none(city: SmallCity) -> None:
    from tests.api.conftest import system_of

    social = system_of(city.unit("social_insurance_arrears"))
    body = {"kind": "social_insurance_arrears", "covers_from": "2026-01-01", "covers_through": "2026-01-31"}
    assert social.post(COVERAGE, body).status_code == 201


def test_a_rejected_line_is_counted_as_waiting_whether_or_not_it_names_somebody(city: SmallCity, tax: System) -> None:
    broken = {"处罚决定日期": "2026-09-31"}
    city.submit([city.penalty(uscc(1), "苏税罚〔2026〕8号", **broken), city.penalty("", "苏税罚〔2026〕9号", **broken)])
    told = tax.get("/api/v1/responsibilities").json()["responsibilities"]
    assert {(r["domain"], r["kind"]): r["waiting"] for r in told if r["waiting"]} == {("taxation", PENALTY): 2}


def test_a_unit_reads_what_it_answers_for_and_how_far_its_data_reaches(city: SmallCity, tax: System) -> None:
    tax.post(COVERAGE, period("2026-01-01", "2026-03-31"))
    told = tax.get("/api/v1/responsibilities").json()
    assert told["unit"] == city.unit("taxation")
    found = {(r["policy"], r["domain"], r["kind"]): r for r in told["responsibilities"]}
    ours = {(r.domain, r.kind) for r in city.responsibilities if r.uscc == told["unit"]}
    assert {(domain, kind) for _, domain, kind in found} == ours
    taxation = found["suzhou-2024", "taxation", PENALTY]
    assert taxation["stated"] == [{"covers_from": "2026-01-01", "covers_through": "2026-03-31"}]
    assert taxation["waiting"] == 0
    needed = data_needed_through(current_policy("suzhou-2024"), today(), current_calendar())
    assert taxation["needed_through"] == needed.isoformat()
    assert taxation["domain_name"] != "taxation"

"""A platform that brings many units' data (数据回流) through the interface: the same addresses, its own key."""

from typing import Any

import pytest

from tests.api.conftest import BATCHES, System, problem_in, system_of
from tests.returning import FINANCE, PLATFORM, Return, unit_id
from tests.small_city import LONG_AGO, PENALTY, SmallCity, today, uscc
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.ledger.models import Batch, CoverageStatement, RecordVersion
from xinzheng.apps.ledger.queries import coverage_at
from xinzheng.apps.ledger.uploads import take_in_upload

COVERAGE, RESPONSIBILITIES = "/api/v1/coverage", "/api/v1/responsibilities"


def whole() -> dict[str, str]:
    """A statement since long ago and through the day it is now."""
    return {"covers_from": LONG_AGO.isoformat(), "covers_through": today().isoformat()}


@pytest.fixture
def brought(city: SmallCity) -> Return:
    return Return(city)


@pytest.fixture
def platform(city: SmallCity) -> System:
    """The provincial platform's system."""
    return system_of(PLATFORM)


def taken(system: System, rows: list[dict[str, str]], **fields: str) -> Any:
    queued = system.upload(rows, domain=FINANCE, **fields)
    assert queued.status_code == 202
    take_in_upload(queued.json()["id"])
    return system.get(queued.headers["Location"]).json()


def speaking(unit: str) -> list[tuple[str, str]]:
    found = coverage_at("suzhou-2024", head_position()).statements_of(unit, PENALTY, FINANCE)
    return [(s.from_date.isoformat(), s.through_date.isoformat()) for s in found]


@pytest.mark.django_db(transaction=True)
def test_a_returned_file_stands_under_the_responsible_units_with_a_statement_for_each(
    brought: Return, platform: System
) -> None:
    done = taken(platform, [brought.row(uscc(1), 0), brought.row(uscc(2), 1)], **whole())
    result = done["result"]
    assert (done["status"], done["unit"], result["new"], result["rejected"]) == ("done", PLATFORM, 2, 0)
    assert Batch.objects.get(pk=result["batch"]).unit_id == unit_id(PLATFORM)
    booked = RecordVersion.objects.order_by("unit_id").values_list("unit_id", flat=True)
    assert list(booked) == sorted(unit_id(unit) for unit in brought.units)
    assert [speaking(unit) for unit in brought.units] == [[tuple(whole().values())]] * 2


@pytest.mark.django_db(transaction=True)
def test_a_row_that_names_no_served_unit_is_told_and_keeps_the_statements_closed(
    brought: Return, platform: System
) -> None:
    done = taken(platform, [brought.row(uscc(1), 0), brought.row(uscc(2), None)], **whole())
    result = done["result"]
    assert (result["new"], result["rejected"], result["waiting"]) == (1, 1, 1)
    assert {d["line"] for d in result["defects"] if d["severity"] == "error"} == {3}
    assert "return-unit-unknown" in [d["code"] for d in result["defects"]]
    assert [speaking(unit) for unit in brought.units] == [[], []]
    told = platform.get(RESPONSIBILITIES).json()["responsibilities"]
    assert {(r["domain"], r["kind"]): r["waiting"] for r in told if r["waiting"]} == {(FINANCE, PENALTY): 1}
    theirs = system_of(brought.units[0]).get(RESPONSIBILITIES).json()["responsibilities"]
    assert [(r["domain"], r["waiting"]) for r in theirs if r["waiting"]] == [(FINANCE, 1)]


@pytest.mark.django_db(transaction=True)
def test_a_returned_batch_is_nothing_the_responsible_unit_can_open(brought: Return, platform: System) -> None:
    done = taken(platform, [brought.row(uscc(1), 0)])
    refused = system_of(brought.units[0]).get(f"{BATCHES}/{done['id']}")
    assert (refused.status_code, problem_in(refused)["code"]) == (404, "not-found")


def test_one_declaration_speaks_for_every_unit_served_and_is_withdrawn_for_all(
    brought: Return, platform: System
) -> None:
    scope = {"domain": FINANCE, "kind": PENALTY}
    declared = platform.post(COVERAGE, scope | whole() | {"zero_return": True})
    assert (declared.status_code, declared.json()["statements"], declared.json()["is_zero"]) == (201, 2, True)
    assert set(CoverageStatement.objects.values_list("source_unit_id", flat=True)) == {unit_id(PLATFORM)}
    assert [len(speaking(unit)) for unit in brought.units] == [1, 1]
    gone = platform.post(f"{COVERAGE}/withdrawals", scope | whole() | {"reason": "回流不完整"})
    assert (gone.status_code, gone.json()["statements"]) == (201, 2)
    assert [speaking(unit) for unit in brought.units] == [[], []]


def test_a_platform_cannot_speak_for_a_domain_that_does_not_come_through_it(platform: System) -> None:
    refused = platform.post(COVERAGE, {"domain": "water_affairs", "kind": PENALTY} | whole())
    assert (refused.status_code, problem_in(refused)["code"]) == (403, "unit-not-responsible")
    assert not CoverageStatement.objects.exists()


def test_a_platform_reads_for_whom_it_may_deliver_and_how_far_all_of_them_reach(
    brought: Return, platform: System
) -> None:
    brought.city.declare(brought.units[0], FINANCE)
    told = platform.get(RESPONSIBILITIES).json()
    assert told["unit"] == PLATFORM
    found = {(r["policy"], r["domain"], r["kind"]): r for r in told["responsibilities"]}
    assert {domain for _, domain, _ in found} == {"taxation", FINANCE, "fire_safety"}
    finance = found["suzhou-2024", FINANCE, PENALTY]
    assert finance["served"] == list(brought.units)
    assert finance["stated"] == []
    brought.city.declare(brought.units[1], FINANCE)
    again = platform.get(RESPONSIBILITIES).json()["responsibilities"]
    (finance,) = [r for r in again if (r["domain"], r["kind"]) == (FINANCE, PENALTY)]
    assert finance["stated"] == [whole()]


def test_a_unit_whose_data_are_also_brought_still_answers_itself(brought: Return) -> None:
    told = system_of(brought.units[0]).get(RESPONSIBILITIES).json()
    assert told["responsibilities"]
    assert all(r["served"] == [] for r in told["responsibilities"])

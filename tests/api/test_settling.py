"""What is decided about a delivery afterwards: listed, explained, taken back, confirmed; by whose key, once."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings

from tests.api.conftest import BATCHES, System, problem_in, system_of
from tests.small_city import LONG_AGO, SmallCity, today, uscc
from xinzheng.apps.audit.models import AuditEvent
from xinzheng.apps.ledger.actions import confirm_batch, submit_batch
from xinzheng.apps.ledger.models import BatchWithdrawal, LineResolution, RecordHead, Upload
from xinzheng.apps.ledger.queries import batch_summary
from xinzheng.apps.ledger.uploads import take_in_upload
from xinzheng.core.floors import Floors

pytestmark = pytest.mark.django_db(transaction=True)

REASON = {"reason": "该决定已经撤销"}


@pytest.fixture
def city(transactional_db: None, tmp_path: Any) -> SmallCity:
    from tests.small_city import build_small_city

    return build_small_city(tmp_path)


@pytest.fixture
def chief(city: SmallCity) -> System:
    """The system of the tax unit's responsible officer."""
    return system_of(city.unit("taxation"), is_responsible=True)


def faulty(system: System, city: SmallCity, file_name: str = "十一月.csv") -> int:
    """A delivery of three lines of which the second (line 3) is rejected; its address' number."""
    rows = [city.penalty(uscc(n), f"苏税罚〔2026〕{n}号") for n in range(1, 4)]
    rows[1]["处罚决定日期"] = "2026-09-31"
    through = (today() - timedelta(days=9)).isoformat()
    queued = system.upload(rows, file_name=file_name, covers_from=LONG_AGO.isoformat(), covers_through=through)
    take_in_upload(queued.json()["id"])
    return int(queued.json()["id"])


def test_a_waiting_line_is_explained_and_the_same_request_again_changes_nothing(
    city: SmallCity, tax: System, chief: System
) -> None:
    address = f"{BATCHES}/{faulty(tax, city)}/lines/3/explanation"
    told = chief.post(address, {"reason": "  该决定已经撤销 "})
    assert told.status_code == 201
    assert (told.json()["line"], told.json()["reason"], told.json()["waiting"]) == (3, "该决定已经撤销", 0)
    again = chief.post(address, REASON)
    assert (again.status_code, again.content) == (201, told.content)
    resolution = LineResolution.objects.get()
    assert resolution.entry.actor == f"api-key:{chief.key_id}"
    other = chief.post(address, {"reason": "另一个理由"})
    assert (other.status_code, problem_in(other)["code"]) == (409, "line-settled")


@pytest.mark.parametrize("line", [1, 2, 99, 10**30])
def test_only_a_rejected_line_can_be_explained(city: SmallCity, tax: System, chief: System, line: int) -> None:
    refused = chief.post(f"{BATCHES}/{faulty(tax, city)}/lines/{line}/explanation", REASON)
    assert (refused.status_code, problem_in(refused)["code"]) == (404, "not-found")
    assert not LineResolution.objects.exists()


@pytest.mark.parametrize("deed", ["lines/3/explanation", "withdrawal", "confirmation"])
def test_a_key_that_does_not_act_for_the_responsible_officer_decides_nothing(
    city: SmallCity, tax: System, deed: str
) -> None:
    refused = tax.post(f"{BATCHES}/{faulty(tax, city)}/{deed}", REASON)
    assert (refused.status_code, problem_in(refused)["code"]) == (403, "responsible-key-needed")
    assert not LineResolution.objects.exists()
    assert not BatchWithdrawal.objects.exists()


@pytest.mark.parametrize("deed", ["lines/3/explanation", "withdrawal", "confirmation"])
def test_another_units_delivery_is_not_there_even_for_a_responsible_key(
    city: SmallCity, tax: System, deed: str
) -> None:
    stranger = system_of(city.unit("water_affairs"), is_responsible=True)
    refused = stranger.post(f"{BATCHES}/{faulty(tax, city)}/{deed}", REASON)
    assert (refused.status_code, problem_in(refused)["code"]) == (404, "not-found")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"reason": ""},
        {"reason": "  "},
        {"reason": "长" * 501},
        {"reason": "一\u0000二"},
        {"reason": 1},
        {"reason": "当事人110101199003070018"},
        {"reason": "x", "line": 3},
        [],
    ],
)
def test_a_reason_that_is_none_is_refused(city: SmallCity, tax: System, chief: System, body: Any) -> None:
    number = faulty(tax, city)
    for deed in ("lines/3/explanation", "withdrawal"):
        assert chief.post(f"{BATCHES}/{number}/{deed}", body).status_code == 422
    assert not LineResolution.objects.exists()
    assert not BatchWithdrawal.objects.exists()


def test_a_delivery_is_taken_back_once(city: SmallCity, tax: System, chief: System) -> None:
    number = faulty(tax, city)
    assert RecordHead.objects.exclude(payload_sha256=None).count() == 2
    told = chief.post(f"{BATCHES}/{number}/withdrawal", {"reason": "报错了文件"})
    assert told.status_code == 201
    assert told.json()["reason"] == "报错了文件"
    assert not RecordHead.objects.exclude(payload_sha256=None).exists()
    again = chief.post(f"{BATCHES}/{number}/withdrawal", {"reason": "报错了文件"})
    assert (again.status_code, again.json()) == (201, told.json())
    other = chief.post(f"{BATCHES}/{number}/withdrawal", {"reason": "别的原因"})
    assert (other.status_code, problem_in(other)["code"]) == (409, "batch-withdrawn-already")
    assert BatchWithdrawal.objects.count() == 1
    assert tax.get(f"{BATCHES}/{number}").json()["result"]["is_withdrawn"]


def test_a_held_delivery_is_confirmed_by_another_key_and_stands_as_the_booked_one(
    city: SmallCity, tax: System, chief: System, settings: LazySettings
) -> None:
    settings.XINZHENG_FLOORS = Floors(least_history=2, far_times=3, far_lines=3, ended_records=2, rejected_lines=3)
    for month in range(2):
        submit_batch(city.delivery([city.penalty(uscc(50 + month), f"苏税罚〔2025〕{month}号")]), by="test")
    rows = [city.penalty(uscc(n), f"苏税罚〔2026〕{n}号") for n in range(10, 30)]
    number = int(tax.upload(rows).json()["id"])
    held = take_in_upload(number)
    assert held is not None
    assert held.held
    address = f"{BATCHES}/{number}"
    assert tax.get(address).json()["result"]["held"]
    told = chief.post(f"{address}/confirmation")
    assert (told.status_code, told.json()["status"]) == (202, "queued"), told.content
    assert (told.json()["confirms"], told.json()["result"]) == (held.batch, None)
    assert chief.post(f"{address}/confirmation").json() == told.json()
    assert tax.get(address).json()["result"]["held"]
    booked = take_in_upload(told.json()["id"])
    assert booked is not None
    followed = chief.get(told.headers["Location"]).json()
    assert (followed["status"], followed["result"]["batch"], followed["result"]["new"]) == ("done", booked.batch, 20)
    again = chief.post(f"{address}/confirmation")
    assert (again.status_code, again.json()) == (202, followed)
    result = tax.get(address).json()["result"]
    assert (result["batch"], result["held"], result["is_withdrawn"]) == (booked.batch, False, False)
    (listed,) = tax.get(BATCHES).json()["batches"]
    assert (listed["id"], listed["batch"], listed["held"]) == (number, booked.batch, False)
    assert AuditEvent.objects.get(action="batch-confirmed").who == f"api-key:{chief.key_id}"
    chief.post(f"{address}/withdrawal", {"reason": "报错了文件"})
    assert batch_summary(booked.batch).is_withdrawn


def test_what_is_not_held_cannot_be_confirmed_nor_by_the_key_that_sent_it(
    city: SmallCity, chief: System, settings: LazySettings
) -> None:
    refused = chief.post(f"{BATCHES}/{faulty(chief, city)}/confirmation")
    assert (refused.status_code, problem_in(refused)["code"]) == (409, "batch-not-held")
    settings.XINZHENG_FLOORS = Floors(least_history=1, far_times=3, far_lines=3, ended_records=2, rejected_lines=3)
    rows = [city.penalty(uscc(n), f"苏税罚〔2026〕{n}号") for n in range(10, 40)]
    number = int(chief.upload(rows).json()["id"])
    held = take_in_upload(number)
    assert held is not None
    assert held.held
    refused = chief.post(f"{BATCHES}/{number}/confirmation")
    assert (refused.status_code, problem_in(refused)["code"]) == (403, "second-officer-needed")
    assert not Upload.objects.exclude(confirms_id=None).exists()


def test_a_confirmation_that_is_refused_says_why_and_one_that_was_made_elsewhere_is_pointed_to(
    city: SmallCity, tax: System, chief: System, settings: LazySettings
) -> None:
    settings.XINZHENG_FLOORS = Floors(least_history=1, far_times=3, far_lines=3, ended_records=2, rejected_lines=3)
    submit_batch(city.delivery([city.penalty(uscc(50), "苏税罚〔2025〕1号")]), by="test")
    number = int(tax.upload([city.penalty(uscc(n), f"苏税罚〔2026〕{n}号") for n in range(10, 30)]).json()["id"])
    held = take_in_upload(number)
    assert held is not None
    queued = chief.post(f"{BATCHES}/{number}/confirmation")
    booked = confirm_batch(batch_id=held.batch, by="account:2")
    assert take_in_upload(queued.json()["id"]) is None
    told = chief.get(queued.headers["Location"]).json()
    assert (told["status"], told["result"]) == ("failed", None)
    assert f"由批次{booked.batch}入账" in told["message"]
    again = chief.post(f"{BATCHES}/{number}/confirmation")
    assert (again.status_code, again.headers["Location"]) == (202, f"{BATCHES}/{number}")
    assert again.json()["result"]["batch"] == booked.batch


def test_deliveries_are_listed_latest_first_page_by_page_and_only_the_units_own(
    city: SmallCity, tax: System, water: System, django_assert_max_num_queries: Any
) -> None:
    numbers = [faulty(tax, city, f"{n}.csv") for n in range(4)]
    waiting = int(tax.upload([city.penalty(uscc(9))]).json()["id"])
    address: str | None = f"{BATCHES}?limit=2"
    found: list[Any] = []
    while address is not None:
        with django_assert_max_num_queries(9):
            page = tax.get(address).json()
        found += page["batches"]
        address = page["next"]
    assert [row["id"] for row in found] == [waiting, *reversed(numbers)]
    assert (found[0]["status"], found[0]["batch"], found[0]["lines"]) == ("queued", None, None)
    assert (found[1]["status"], found[1]["lines"], found[1]["rejected"], found[1]["waiting"]) == ("done", 3, 1, 1)
    only = tax.get(f"{BATCHES}?status=done&limit=3").json()
    assert {row["status"] for row in only["batches"]} == {"done"}
    assert "status=done" in only["next"]
    assert water.get(BATCHES).json() == {"batches": [], "next": None}


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "before=0", "before=x", f"before={2**63}", "status=held"])
def test_a_page_that_cannot_be_is_refused(tax: System, query: str) -> None:
    refused = tax.get(f"{BATCHES}?{query}")
    assert (refused.status_code, problem_in(refused)["code"]) == (422, "request-invalid")

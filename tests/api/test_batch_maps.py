"""A delivery through the interface names the column map its headings are read by."""

import pytest

from tests.api.conftest import BATCHES, System, problem_in, system_of
from tests.cli.test_intake_maps import OLD, SHIPPED
from tests.small_city import SmallCity
from xinzheng.apps.ledger.models import RecordVersion, Upload
from xinzheng.apps.ledger.uploads import take_in_upload


@pytest.mark.django_db(transaction=True)
def test_an_old_export_is_delivered_by_the_map_it_names(city: SmallCity, tax: System) -> None:
    queued = tax.upload([OLD], map=SHIPPED)
    assert queued.status_code == 202
    take_in_upload(queued.json()["id"])
    done = tax.get(queued.headers["Location"]).json()
    assert (done["status"], done["map"], done["result"]["new"]) == ("done", SHIPPED, 1)
    assert RecordVersion.objects.get().organ_name == "市税务局"


@pytest.mark.django_db(transaction=True)
def test_without_its_map_it_fails_with_the_reason(tax: System) -> None:
    queued = tax.upload([OLD]).json()
    assert queued["map"] is None
    take_in_upload(queued["id"])
    told = tax.get(f"{BATCHES}/{queued['id']}").json()
    assert told["status"] == "failed"
    assert "缺少必填列" in told["message"]


def test_a_map_that_is_not_there_is_told_before_anything_is_kept(tax: System) -> None:
    refused = tax.upload([OLD], map="没有这个")
    problem = problem_in(refused)
    assert (refused.status_code, problem["code"]) == (422, "map-unknown")
    assert SHIPPED in problem["detail"]
    assert not Upload.objects.exists()


def test_a_map_of_another_kind_is_told(city: SmallCity, tax: System) -> None:
    office = system_of(city.unit("credit_repair"))
    refused = office.upload([OLD], map=SHIPPED, kind="credit_repair", domain="credit_repair")
    assert (refused.status_code, problem_in(refused)["code"]) == (422, "map-of-other-kind")


def test_the_same_key_with_another_map_is_another_request(tax: System) -> None:
    first = tax.upload([OLD], map=SHIPPED, idempotency="k-1")
    again = tax.upload([OLD], map=SHIPPED, idempotency="k-1")
    other = tax.upload([OLD], idempotency="k-1")
    assert first.json()["id"] == again.json()["id"]
    assert other.status_code in (409, 422)
    assert Upload.objects.count() == 1


@pytest.mark.parametrize("name", ["", "x" * 41, "a\tb"])
def test_a_name_that_can_be_none_is_refused(tax: System, name: str) -> None:
    refused = tax.upload([OLD], map=name)
    assert (refused.status_code, problem_in(refused)["code"]) == (422, "request-invalid")

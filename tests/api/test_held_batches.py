"""A unit's system is told that its delivery is held, why, and what became of it."""

import pytest
from django.conf import LazySettings

from tests.api.conftest import BATCHES, System
from tests.small_city import SmallCity, uscc
from xinzheng.apps.ledger.actions import confirm_batch
from xinzheng.apps.ledger.errors import IntakeError
from xinzheng.apps.ledger.uploads import take_in_upload
from xinzheng.core.floors import Floors


@pytest.mark.django_db(transaction=True)
def test_a_held_delivery_tells_its_reasons_and_later_the_batch_that_booked_it(
    city: SmallCity, tax: System, settings: LazySettings
) -> None:
    settings.XINZHENG_FLOORS = Floors(least_history=2, far_times=3, far_lines=3)
    rows = [city.penalty(uscc(n), f"苏税罚〔2026〕{n}号") for n in range(8)]
    told = {}
    for number, sent in enumerate((rows[:1], rows[1:2], rows)):
        upload = tax.upload(sent).json()["id"]
        take_in_upload(upload)
        told[number] = tax.get(f"{BATCHES}/{upload}").json()
    assert [told[n]["result"]["held"] for n in range(3)] == [False, False, True]
    assert told[0]["result"]["reasons"] == []
    held = told[2]["result"]
    assert (told[2]["status"], held["new"], held["identical"]) == ("done", 6, 2)
    (reason,) = held["reasons"]
    assert reason["code"] == "far-more-lines"
    assert "8行" in reason["message"]

    with pytest.raises(IntakeError) as error:
        confirm_batch(batch_id=held["batch"], by=f"api-key:{tax.key_id}")
    assert error.value.code == "second-officer-needed"
    booked = confirm_batch(batch_id=held["batch"], by="account:2")
    after = tax.get(f"{BATCHES}/{told[2]['id']}").json()["result"]
    assert (after["batch"], after["held"], after["reasons"]) == (booked.batch, False, [])

"""The pages on quality, in every size and scheme: no violation that axe finds, nothing that sticks out sideways."""

import pytest

from tests.journeys.conftest import Site
from tests.journeys.test_everybody import look_in_every_look_at, walk
from tests.small_city import PENALTY, SmallCity
from tests.web.conftest import People, water_rows
from tests.web.test_office_pages import OFFICE, OWN, a_working_day, past
from xinzheng.apps.ledger.actions import Scope
from xinzheng.apps.oversight.actions import own_list, reconcile, remind

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

PUBLICITY = ["/office/rulings?policy=suzhou-2024&clause=repaired", "/office/register"]
PAGES = [address for address in OFFICE if not address.endswith((".pdf", ".xlsx"))]


@pytest.fixture
def busy_month(city: SmallCity, people: People) -> None:
    """A month with records, a reminder and a reconciliation that shows differences."""
    rows = water_rows(city, 3)
    for row in rows:
        row["处罚决定日期"] = past().first.isoformat()
    city.submit(rows, "water_affairs")
    remind(a_working_day(), "test")
    scope = Scope(city.unit("water_affairs"), "water_affairs", PENALTY)
    reconcile(scope, past(), own_list(["苏水罚〔2026〕0号", "苏水罚〔2026〕9号"]), by="test")


def test_the_pages_on_quality_can_be_used_by_everybody(site: Site, busy_month: None) -> None:
    office = walk(site)
    site.sign_in(office, "demo-office")
    pages = [address.format(past=past()) for address in PAGES]
    found = look_in_every_look_at(office, [*pages, f"/office/reconciliations?month={past()}", *PUBLICITY])
    chief = walk(site)
    site.sign_in(chief, "chief")
    assert found + look_in_every_look_at(chief, OWN) == []

"""The pages on quality, in every size and scheme: no violation that axe finds, nothing that sticks out sideways."""

import pytest

from tests.journeys.conftest import Site
from tests.journeys.test_everybody import LOOKS, Look, look_at, visit
from tests.small_city import PENALTY, SmallCity
from tests.web.conftest import People, water_rows
from tests.web.test_office_pages import OFFICE, OWN, PAST, a_working_day
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
        row["处罚决定日期"] = PAST.first.isoformat()
    city.submit(rows, "water_affairs")
    remind(a_working_day(), "test")
    scope = Scope(city.unit("water_affairs"), "water_affairs", PENALTY)
    reconcile(scope, PAST, own_list(["苏水罚〔2026〕0号", "苏水罚〔2026〕9号"]), by="test")


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: f"{look.width}-{look.scheme}-{look.elder or 'usual'}")
def test_the_pages_on_quality_can_be_used_by_everybody(site: Site, busy_month: None, look: Look) -> None:
    office = visit(site, look)
    site.sign_in(office, "demo-office")
    found = look_at(office, [*PAGES, f"/office/reconciliations?month={PAST}", *PUBLICITY])
    chief = visit(site, look)
    site.sign_in(chief, "chief")
    assert found + look_at(chief, OWN) == []

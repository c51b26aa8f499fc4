"""Every page, in every size and scheme: no violation that axe finds, nothing that sticks out sideways."""

import uuid
from dataclasses import dataclass

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.journeys.conftest import Site, apart
from tests.small_city import SmallCity
from tests.web.conftest import People, faulty_batch, issue, penalties
from xinzheng.apps.ledger.actions import BatchResult
from xinzheng.apps.ledger.models import RecordHead
from xinzheng.apps.reports.models import Application

__all__ = ["faulty_batch"]

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

PUBLIC = [
    "/",
    "/guide",
    "/policies",
    "/policies/suzhou-2024",
    "/policies/suzhou-2024/text",
    "/suggestions",
    "/sign-in",
    "/verify",
    "/verify/batch",
    "/log",
    "/figures/objections",
    "/no-such-page",
]
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
UNFOLD = "document.querySelectorAll('details').forEach(d => { d.open = true })"


@dataclass(frozen=True)
class Look:
    """How a visitor looks at the pages."""

    width: int
    scheme: str = "light"
    elder: str = ""


# Each width, each scheme and each size of letters at least once.
LOOKS = [Look(1280), Look(390, "dark", "large"), Look(390, elder="largest")]


def visit(site: Site, look: Look) -> Page:
    page = site.visit(viewport={"width": look.width, "height": 844}, color_scheme=look.scheme)
    if look.elder:
        page.context.add_cookies([{"name": "elder", "value": look.elder, "url": site.url}])
    return page


def mistakes_on(page: Page, name: str) -> list[str]:
    page.wait_for_load_state()  # before the stylesheet is there, everything sticks out
    page.evaluate(UNFOLD)
    found = [f"{name}: sticks out by {px} px" for px in [page.evaluate(OVERFLOW)] if px > 0]
    violations = Axe().run(page).response["violations"]
    return found + [f"{name}: {v['id']} {v['nodes'][0]['html'][:120]}" for v in violations]


def look_at(page: Page, addresses: list[str]) -> list[str]:
    found = []
    for address in addresses:
        page.goto(address)
        found += mistakes_on(page, address)
    return found


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: f"{look.width}-{look.scheme}-{look.elder or 'usual'}")
def test_every_page_can_be_used_by_everybody(
    site: Site, city: SmallCity, people: People, faulty_batch: BatchResult, look: Look
) -> None:
    city.submit(penalties(city))
    number = apart(lambda: issue(people.punished)).number
    waiting, failed = (_application(people, state) for state in ("signing", "failed"))
    page = visit(site, look)
    found = look_at(page, PUBLIC)
    page.goto("/verify")
    page.get_by_role("button", name="核验", exact=True).click()
    found += mistakes_on(page, "verify with mistakes")
    page.fill("#number", number)
    page.fill("#code", "000000000000")
    page.get_by_role("button", name="核验", exact=True).click()
    found += mistakes_on(page, "verdict")
    page.goto("/verify/batch")
    page.fill("#lines", "hello")
    page.get_by_role("button", name="核验", exact=True).click()
    found += mistakes_on(page, "batch with mistakes")
    page.fill("#lines", f"{number} 000000000000")
    page.get_by_role("button", name="核验", exact=True).click()
    found += mistakes_on(page, "batch")
    site.sign_in(page, "agent-b")
    found += look_at(page, ["/apply", waiting, failed, "/reports", f"/reports/{number}", "/notices", "/department"])
    record = RecordHead.objects.filter(subject_id=people.punished.subject_id).earliest("record_id").record_id
    found += look_at(page, ["/records", f"/records/{record}"])
    officer = visit(site, look)
    site.sign_in(officer, "chief")
    found += look_at(officer, ["/department", f"/department/batches/{faulty_batch.batch}", "/department/waiting"])
    assert found == []


def _application(people: People, state: str) -> str:
    application = Application.objects.create(
        id=uuid.uuid4(),
        subject_id=people.punished.subject_id,
        policy_id="suzhou-2024",
        request={},
        state=state,
        message="签名服务没有应答。" if state == "failed" else "",
        account_id=people.punished.pk,
    )
    return f"/applications/{application.pk}"

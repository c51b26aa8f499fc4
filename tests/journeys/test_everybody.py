"""Every page, in every size and scheme: no violation that axe finds, nothing that sticks out sideways.

One walks where room is least and letters are largest (``walk``), so that every button is found and pressed there; each
page on the way is looked at in every look, as it stands (``mistakes_in_every_look``). That a page in larger letters is
the same page but for what ``wear`` changes is what tests/web/test_frame.py proves.
"""

import json
import uuid
from dataclasses import dataclass

import pytest
from axe_playwright_python.base import AXE_SCRIPT
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
# What axe finds, without what it passes; of what it loads ahead only what a rule in force asks for.
AXE = {"resultTypes": ["violations"], "reporter": "no-passes", "preload": {"assets": ["media"]}}
RUN = f"axe.run({json.dumps(AXE)}).then(results => results.violations)"
IS_MISSING = "typeof axe === 'undefined'"
WEAR = """size => {
  document.documentElement.toggleAttribute('data-elder', Boolean(size))
  if (size) document.documentElement.dataset.elder = size
  const sizes = window.sizesOfLetters ??= document.querySelector('.sizes')
  if (!sizes) return
  if (size) document.querySelector('.head > .wrap').append(sizes); else sizes.remove()
  sizes.querySelectorAll('button').forEach(b => b.setAttribute('aria-pressed', b.value === size))
  const mode = document.querySelector('.switch')
  mode.setAttribute('aria-checked', Boolean(size))
  mode.value = size ? 'off' : 'large'
}"""


@dataclass(frozen=True)
class Look:
    """How a visitor looks at the pages."""

    width: int
    scheme: str = "light"
    elder: str = ""


# Each width, each scheme and each size of letters at least once.
LOOKS = [Look(1280), Look(390, "dark", "large"), Look(390, elder="largest")]
WALKED = LOOKS[-1]


def visit(site: Site, look: Look) -> Page:
    page = site.visit(viewport={"width": look.width, "height": 844}, color_scheme=look.scheme)
    if look.elder:
        page.context.add_cookies([{"name": "elder", "value": look.elder, "url": site.url}])
    return page


def walk(site: Site) -> Page:
    """Someone who finds the way where it is hardest: on the narrowest page with the largest letters."""
    return visit(site, WALKED)


def wear(page: Page, look: Look) -> None:
    """Make of a page that was loaded in larger letters what it is in another look."""
    page.set_viewport_size({"width": look.width, "height": 844})
    page.emulate_media(color_scheme="dark" if look.scheme == "dark" else "light")
    page.evaluate(WEAR, look.elder)


def mistakes_on(page: Page, name: str) -> list[str]:
    page.wait_for_load_state()  # before the stylesheet is there, everything sticks out
    page.evaluate(UNFOLD)
    found = [f"{name}: sticks out by {px} px" for px in [page.evaluate(OVERFLOW)] if px > 0]
    if page.evaluate(IS_MISSING):
        page.evaluate(AXE_SCRIPT)
    return found + [f"{name}: {v['id']} {v['nodes'][0]['html'][:120]}" for v in page.evaluate(RUN)]


def mistakes_in_every_look(page: Page, name: str) -> list[str]:
    """What is wrong with the page in front of one who walks, in each look."""
    found = mistakes_on(page, f"{name} {WALKED}")
    for look in LOOKS[:-1]:
        wear(page, look)
        found += mistakes_on(page, f"{name} {look}")
    wear(page, WALKED)
    return found


def look_at(page: Page, addresses: list[str]) -> list[str]:
    found = []
    for address in addresses:
        page.goto(address)
        found += mistakes_on(page, address)
    return found


def look_in_every_look_at(page: Page, addresses: list[str]) -> list[str]:
    found = []
    for address in addresses:
        page.goto(address)
        found += mistakes_in_every_look(page, address)
    return found


def test_every_page_can_be_used_by_everybody(
    site: Site, city: SmallCity, people: People, faulty_batch: BatchResult
) -> None:
    city.submit(penalties(city))
    number = apart(lambda: issue(people.punished)).number
    waiting, failed = (_application(people, state) for state in ("signing", "failed"))
    page = walk(site)
    found = look_in_every_look_at(page, PUBLIC)
    page.goto("/verify")
    page.get_by_role("button", name="核验", exact=True).click()
    found += mistakes_in_every_look(page, "verify with mistakes")
    page.fill("#number", number)
    page.fill("#code", "000000000000")
    page.get_by_role("button", name="核验", exact=True).click()
    found += mistakes_in_every_look(page, "verdict")
    page.goto("/verify/batch")
    page.fill("#lines", "hello")
    page.get_by_role("button", name="核验", exact=True).click()
    found += mistakes_in_every_look(page, "batch with mistakes")
    page.fill("#lines", f"{number} 000000000000")
    page.get_by_role("button", name="核验", exact=True).click()
    found += mistakes_in_every_look(page, "batch")
    site.sign_in(page, "agent-b")
    found += look_in_every_look_at(
        page, ["/apply", waiting, failed, "/reports", f"/reports/{number}", "/notices", "/department"]
    )
    record = RecordHead.objects.filter(subject_id=people.punished.subject_id).earliest("record_id").record_id
    found += look_in_every_look_at(page, ["/records", f"/records/{record}"])
    officer = walk(site)
    site.sign_in(officer, "chief")
    found += look_in_every_look_at(
        officer, ["/department", f"/department/batches/{faulty_batch.batch}", "/department/waiting"]
    )
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

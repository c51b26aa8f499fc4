"""The review queue's pages: for the office operator only; filtered, paged, and every decision shown at its field."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.small_city import SmallCity, uscc
from tests.web.conftest import CLEAN, People, client_of
from xinzheng.apps.audit.actions import open_entry, take_position
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.registry.actions import Sighting, register_unknown_subjects
from xinzheng.apps.registry.queries import find_subject, review_item, subject_at, ties_at
from xinzheng.core.subjects import Tie

pytestmark = pytest.mark.django_db

NUMBER = "330502199001010014"
TYPED = uscc(77)


def met(*sightings: Sighting) -> list[int]:
    entry = open_entry(kind="batch", by="test")
    ids = register_unknown_subjects(sightings, entry=entry)
    take_position(entry)
    return [ids[sighting.code] for sighting in sightings]


def test_only_the_office_operator_may_look_and_decide(people: People) -> None:
    [item] = met(Sighting(TYPED, "甲"))
    for account in (people.officer, people.chief, people.clean):
        client = client_of(account)
        assert client.get("/office/review").status_code == 403
        assert client.get(f"/office/review/{item}").status_code == 403
        assert client.post(f"/office/review/{item}/decide", {"way": "reject", "reason": "x"}).status_code == 403
    assert review_item(item).is_open
    assert client_of(people.office).get("/office/review").status_code == 200


def test_the_empty_queue_says_what_will_stand_here(people: People) -> None:
    page = client_of(people.office).get("/office/review").content.decode()
    assert "没有待核的主体。" in page
    assert "报送数据里出现名录没有的代码时" in page


def test_an_item_shows_what_was_delivered(people: People, city: SmallCity) -> None:
    city.submit([city.penalty(TYPED, 行政相对人名称="苏州某某公司")])
    page = client_of(people.office).get("/office/review").content.decode()
    for told in (TYPED, "苏州某某公司", "市税务局", "1个代码有效"):
        assert told in page


def test_a_person_s_name_and_number_are_on_no_page(people: People) -> None:
    [item] = met(Sighting(NUMBER, "示例甲某", is_person=True))
    for address in ("/office/review", f"/office/review/{item}"):
        page = client_of(people.office).get(address).content.decode()
        assert NUMBER not in page
        assert "示例甲某" not in page
        assert "330502********0014" in page
    assert "企业法人" not in client_of(people.office).get(f"/office/review/{item}").content.decode()


def test_a_long_queue_is_paged_with_the_filter_kept_and_few_queries(people: People) -> None:
    met(*(Sighting(uscc(1000 + n), f"甲企业{n}") for n in range(60)), Sighting(uscc(2000), "乙"))
    client = client_of(people.office)
    with CaptureQueriesContext(connection) as queries:
        page = client.get("/office/review", {"text": "甲"}).content.decode()
    assert len(queries) <= 12
    assert page.count('role="rowheader"') == 50
    address = "?" + page.split('class="more" href="?')[1].split('"')[0].replace("&amp;", "&")
    rest = client.get(f"/office/review{address}").content.decode()
    assert rest.count('role="rowheader"') == 10
    assert "没有符合条件的主体" in client.get("/office/review", {"text": "没有这个"}).content.decode()
    assert client.get("/office/review", {"after": "x'", "state": "?", "who": "?"}).status_code == 200


def test_confirming_goes_back_to_the_queue_and_says_so(people: People) -> None:
    [item] = met(Sighting(TYPED, "甲"))
    client = client_of(people.office)
    fields = {"way": "confirm", "name": "甲有限公司", "kind": "enterprise_legal_person"}
    page = client.post(f"/office/review/{item}/decide", fields, follow=True).content.decode()
    assert "已确认为新主体。" in page
    assert subject_at(item, head_position()).name == "甲有限公司"
    outcome = review_item(item).outcome
    assert outcome is not None
    assert outcome.by == people.office.actor
    assert "确认为新主体</span>" in client.get("/office/review", {"state": "confirmed"}).content.decode()
    again = client.post(f"/office/review/{item}/decide", fields)
    assert (again.status_code, "已经处理过" in again.content.decode()) == (422, True)


def test_linking_ties_the_records_to_the_right_firm(people: People) -> None:
    [item] = met(Sighting(TYPED, "甲"))
    fields = {"way": "link", "to": CLEAN.lower(), "reason": "末位错录"}
    client_of(people.office).post(f"/office/review/{item}/decide", fields)
    real = find_subject(CLEAN)
    assert real is not None
    assert ties_at(real, head_position())[item] is Tie.SELF
    page = client_of(people.office).get(f"/office/review/{item}").content.decode()
    for told in ("并入已有主体", CLEAN, "末位错录", people.office.display_name):
        assert told in page.split('<main id="main"')[1]
    assert "<form" not in page.split('<main id="main"')[1].split("</main>")[0]


@pytest.mark.parametrize(
    ("fields", "at"),
    [
        ({"way": "confirm", "name": " ", "kind": "cooperative"}, "name"),
        ({"way": "confirm", "name": "甲", "kind": ""}, "kind"),
        ({"way": "confirm", "name": "甲", "kind": "natural_person"}, "kind"),
        ({"way": "link", "to": uscc(99), "reason": "错录"}, "to"),
        ({"way": "link", "to": CLEAN, "reason": ""}, "link-reason"),
        ({"way": "reject", "reason": ""}, "reject-reason"),
    ],
)
def test_a_mistake_is_shown_at_its_field_and_decides_nothing(people: People, fields: dict[str, str], at: str) -> None:
    [item] = met(Sighting(TYPED, "甲"))
    response = client_of(people.office).post(f"/office/review/{item}/decide", fields)
    page = response.content.decode()
    assert response.status_code == 422
    assert f'href="#{at}"' in page
    assert f'id="{at}-error"' in page
    assert review_item(item).is_open


def test_what_is_not_there_is_not_found(people: People) -> None:
    [item] = met(Sighting(TYPED, "甲"))
    client = client_of(people.office)
    assert client.get("/office/review/999999").status_code == 404
    assert client.post("/office/review/999999/decide", {"way": "reject"}).status_code == 404
    assert client.post(f"/office/review/{item}/decide", {"way": "delete"}).status_code == 404
    assert client.get(f"/office/review/{item}/decide").status_code == 405

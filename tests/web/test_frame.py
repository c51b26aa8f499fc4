"""The frame of every page: headers, no inline code, 长辈模式, error pages, protection of forms."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.test import Client, RequestFactory, override_settings
from django.views.defaults import bad_request, server_error

from tests.web.conftest import People, client_of, issue

PUBLIC_PAGES = [
    *("/", "/guide", "/policies", "/policies/suzhou-2024", "/verify", "/log", "/sign-in"),
    *("/guide/subject", "/policies/suzhou-2024/text", "/suggestions", "/suggestions/answer"),
]
TEMPLATES = Path(settings.TEMPLATES[0]["DIRS"][0])
INLINE = re.compile(r"<style|\sstyle=|\son[a-z]+=|javascript:|<script(?![^>]*\ssrc=)", re.IGNORECASE)

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("page", PUBLIC_PAGES)
def test_a_public_page_opens_in_chinese_with_one_heading_and_a_way_past_the_menu(client: Client, page: str) -> None:
    response = client.get(page)
    text = response.content.decode()
    assert response.status_code == 200
    assert '<html lang="zh-CN"' in text
    assert text.count("<h1") == 1
    assert '<a class="skip" href="#main">' in text
    assert 'id="main"' in text


@pytest.mark.parametrize("page", PUBLIC_PAGES)
def test_no_page_carries_inline_code_and_the_policy_of_the_browser_forbids_it(client: Client, page: str) -> None:
    response = client.get(page)
    policy = response.headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "style-src 'self'" in policy
    assert "unsafe-inline" not in policy
    assert INLINE.search(response.content.decode()) is None


def test_pages_of_a_signed_in_person_carry_no_inline_code_and_stay_out_of_caches(people: People) -> None:
    number = issue(people.punished).number
    for account, page in [
        (people.punished, "/apply"),
        (people.punished, "/reports"),
        (people.punished, f"/reports/{number}"),
        (people.officer, "/department"),
    ]:
        response = client_of(account).get(page)
        assert response.status_code == 200, page
        assert INLINE.search(response.content.decode()) is None, page
        assert "no-store" in response.headers["Cache-Control"], page


@pytest.mark.parametrize("page", PUBLIC_PAGES)
def test_a_public_page_asks_the_database_for_next_to_nothing(
    client: Client, page: str, django_assert_max_num_queries: object
) -> None:
    with django_assert_max_num_queries(4):  # type: ignore[operator]
        client.get(page)


def test_the_demonstration_says_so_on_every_page_and_a_real_city_does_not(client: Client) -> None:
    with override_settings(XINZHENG_DEMONSTRATION=True):
        assert "出具的文件无证明效力" in client.get("/verify").content.decode()
    with override_settings(XINZHENG_DEMONSTRATION=False):
        assert "出具的文件无证明效力" not in client.get("/verify").content.decode()


def test_elder_mode_is_switched_on_by_a_form_remembered_resized_and_switched_off(client: Client) -> None:
    assert "data-elder" not in client.get("/guide").content.decode()
    response = client.post("/preferences/elder", {"size": "large", "next": "/guide"})
    assert response.headers["Location"] == "/guide"
    assert '<html lang="zh-CN" data-elder="large">' in client.get("/guide").content.decode()
    client.post("/preferences/elder", {"size": "largest", "next": "/guide"})
    page = client.get("/guide").content.decode()
    assert 'data-elder="largest"' in page
    assert 'value="largest" aria-pressed="true"' in page
    client.post("/preferences/elder", {"size": "off", "next": "/guide"})
    assert "data-elder" not in client.get("/guide").content.decode()


def test_larger_letters_change_only_what_the_browser_tests_change_themselves(people: People) -> None:
    """An attribute of the page, the switch, and the sizes at the header's end: nothing else asks for the size."""
    asking = {file.relative_to(TEMPLATES).as_posix() for file in TEMPLATES.rglob("*") if "elder" in _text(file)}
    assert asking == {"base.html", "components/header.html"}
    for client, pages in ((Client(), PUBLIC_PAGES), (client_of(people.officer), ["/department", "/notices"])):
        for page in pages:
            usual = client.get(page).content.decode()
            client.cookies["elder"] = "largest"
            larger = client.get(page).content.decode()
            del client.cookies["elder"]
            assert larger.count(' data-elder="largest"') == larger.count('class="sizes"') == 1
            assert re.search(r'<form class="sizes".*?</form>\s*</div>\s*</header>', larger, re.DOTALL)
            assert _without_size(larger) == _without_size(usual)


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8") if file.is_file() else ""


def _without_size(page: str) -> list[str]:
    """The words of a page but for its size of letters, and for tokens and keys, which are others each time."""
    page = re.sub(r'<form class="sizes".*?</form>', "", page, flags=re.DOTALL)
    page = page.replace(' data-elder="largest"', "")
    page = page.replace('aria-checked="true" name="size" value="off"', 'aria-checked="false" name="size" value="large"')
    return re.sub(r'value="(\w{64}|[0-9a-f-]{36})"', "", page).split()


def test_an_invented_size_is_not_put_into_the_page(client: Client) -> None:
    client.cookies["elder"] = '"><script>'
    assert "data-elder" not in client.get("/").content.decode()


@pytest.mark.parametrize("address", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_no_form_sends_a_visitor_to_another_site(client: Client, address: str) -> None:
    assert client.post("/preferences/elder", {"size": "large", "next": address}).headers["Location"] == "/"


@pytest.mark.parametrize(
    "page", ["/preferences/elder", "/sign-in", "/verify", "/apply", "/department/upload", "/department/zero"]
)
def test_a_form_without_its_token_is_refused_with_a_page_that_says_what_to_do(page: str) -> None:
    response = Client(enforce_csrf_checks=True).post(page, {})
    assert response.status_code == 403
    assert "页面已过期" in response.content.decode()


def test_an_unknown_address_answers_404_and_says_where_to_go(client: Client) -> None:
    response = client.get("/no-such-page")
    assert response.status_code == 404
    assert "没有这一页" in response.content.decode()
    assert 'href="/verify"' in response.content.decode()


def test_the_pages_for_a_bad_request_and_a_failure_need_no_request_and_say_what_was_kept() -> None:
    request = RequestFactory().get("/")
    refused, failed = bad_request(request, SuspiciousOperation()), server_error(request)
    assert refused.status_code == 400
    assert "没有办理任何事项" in refused.content.decode()
    assert failed.status_code == 500
    assert "不会丢失" in failed.content.decode()


def test_the_navigation_shows_each_role_its_own_desk_and_marks_where_one_is(people: People) -> None:
    agent = client_of(people.clean).get("/reports").content.decode()
    officer = client_of(people.officer).get("/department").content.decode()
    assert '<a href="/reports" aria-current="page">我的报告</a>' in agent
    assert "/department" not in agent
    assert '<a href="/department" aria-current="page">报送与覆盖</a>' in officer
    assert 'href="/apply">申请报告' not in officer


@pytest.mark.parametrize(
    ("address", "page"),
    [
        ("/sign-out", "/"),
        ("/preferences/elder", "/"),
        ("/department/upload", "/department"),
        ("/department/zero", "/department"),
        ("/department/waiting/explain", "/department/waiting"),
        ("/department/batches/7/explain", "/department/batches/7"),
    ],
)
def test_who_opens_the_address_of_a_form_by_hand_comes_to_the_page_it_stands_on(
    client: Client, address: str, page: str
) -> None:
    response = client.get(address)
    assert (response.status_code, response.headers["Location"]) == (302, page)
    assert client.put(address).status_code == 405


def test_a_zero_character_in_an_address_or_a_field_is_answered_without_an_error(people: People) -> None:
    assert client_of(people.clean).get("/reports/%00").status_code == 404
    assert client_of(people.clean).get("/reports/%00.pdf").status_code == 404
    assert Client().post("/sign-in", {"username": "a\0b", "password": "x"}).status_code == 422


def test_an_explanation_with_characters_that_cannot_be_kept_is_sent_back(people: People) -> None:
    for line, reason in (("²", "理由"), ("2", "理\0由")):
        response = client_of(people.officer).post("/department/batches/1/explain", {"line": line, "reason": reason})
        assert response.status_code in (302, 404)

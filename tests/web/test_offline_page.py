"""The page that needs no server, as the site serves it: it may load nothing but itself, and holds public keys only."""

import base64
import json
import re
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as own_settings
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from tests.offline_samples import published
from tests.web.conftest import People, issue
from xinzheng.adapters.offline import keys_in_text
from xinzheng.apps.audit.log import seal_log
from xinzheng.web.offline import offline_page

pytestmark = pytest.mark.django_db
ADDRESS = "/verify/offline.html"


@pytest.fixture
def served(people: People) -> HttpResponse:
    issue(people.clean)
    seal_log(timezone.now())
    response = Client().get(ADDRESS)
    assert response.status_code == 200
    return response


def embedded(html: str) -> dict[str, Any]:
    match = re.search(r'<script type="application/json" id="published">(.*?)</script>', html, re.DOTALL)
    assert match is not None
    document: dict[str, Any] = json.loads(match[1])
    return document


def test_the_policy_names_what_stands_in_the_page_by_its_digest_and_nothing_else(served: HttpResponse) -> None:
    html, policy = served.content.decode(), served.headers["Content-Security-Policy"]
    scripts = re.findall(r"<script(?: id=\"core\")?>(.*?)</script>", html, re.DOTALL)
    styles = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
    assert (len(scripts), len(styles)) == (2, 1)
    for text in (*scripts, *styles):
        assert f"'sha256-{base64.b64encode(sha256(text.encode()).digest()).decode()}'" in policy
    assert policy.startswith("default-src 'none';")
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "'self'" not in policy
    assert "http" not in policy


def test_the_page_loads_nothing_and_names_no_place_to_load_from(served: HttpResponse) -> None:
    html = served.content.decode()
    assert not re.search(r"<(link|img|iframe|object|embed|base)\b", html)
    assert not re.search(r"\bsrc=|@import|url\(", html)
    assert not re.search(r"\b(fetch|XMLHttpRequest|WebSocket|EventSource|sendBeacon|importScripts|eval)\b\s*\(", html)


def test_the_keys_of_the_day_stand_in_it_and_no_secret(served: HttpResponse) -> None:
    document = embedded(served.content.decode())
    assert document["host"] == own_settings.XINZHENG_HOST
    assert {"root", "document", "seal"} <= {key["purpose"] for key in document["keys"]}
    assert document["log"]["vkey"]
    assert document["crls"]
    assert "PRIVATE" not in served.content.decode()


def test_it_can_be_saved_as_a_file(people: People) -> None:
    response = Client().get(ADDRESS, {"save": ""})
    assert response.headers["Content-Disposition"] == 'attachment; filename="xinzheng-verify.html"'
    assert b"<!doctype html>" in response.content


def test_a_site_without_any_key_serves_it_all_the_same(db: None, settings: Any, tmp_path: Path) -> None:
    settings.XINZHENG_KEYS = tmp_path / "none"
    assert Client().get(ADDRESS).status_code == 200


def test_published_text_cannot_break_out_of_the_page() -> None:
    hostile = published(host="</script><script>alert(1)</script>")
    html = offline_page(hostile, made_at=timezone.now(), is_demonstration=False)
    assert "<script>alert(1)" not in html
    assert embedded(html)["host"] == hostile["host"]


def test_the_well_known_address_serves_the_same_keys_with_the_lists_of_revoked_certificates(people: People) -> None:
    issue(people.clean)
    document = json.loads(Client().get("/.well-known/xinzheng.json").content)
    assert document == embedded(Client().get(ADDRESS).content.decode())
    assert keys_in_text(json.dumps(document)).trust.crls

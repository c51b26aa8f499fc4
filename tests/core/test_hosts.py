"""The site that an address leads to, shown so that nobody mistakes it for another."""

import pytest

from xinzheng.core.hosts import shown_host


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("https://credit.example/v/x#y", "credit.example"),
        ("HTTPS://Credit.Example", "credit.example"),
        ("http://127.0.0.1:8000/v/x", "127.0.0.1:8000"),
        ("https://credit.example@evil.test/v/x", "evil.test"),
        ("https://credit.example:1@evil.test:2?a", "evil.test:2"),
        ("https://evil.test\\@credit.example/", "evil.test"),
        ("https://evil.test#@credit.example/", "evil.test"),
        ("https://сredit.example/v/x", "xn--redit-0ye.example"),
        ("https://ｃｒｅｄｉｔ.example/", "credit.example"),
        ("https://[::1]:8000/", "[::1]:8000"),
    ],
)
def test_the_host_is_the_one_a_browser_opens(address: str, host: str) -> None:
    assert shown_host(address) == host


@pytest.mark.parametrize(
    "address", ["", "credit.example", "javascript:alert(1)", "https://", "https://a b/", "x" * 5000]
)
def test_what_leads_to_no_site_has_none(address: str) -> None:
    assert shown_host(address) is None

"""Codes of a share: digests under a key, one spelling of the long code, the typed one however it is typed."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xinzheng.core.lifecycle import typed_code
from xinzheng.core.networks import Network, coarse_place, limit_network, read_network
from xinzheng.core.share_codes import (
    LONG_LENGTH,
    digest_of_long,
    digest_of_typed,
    digests_of,
    long_code,
    spaced,
)

KEY, OTHER_KEY = b"k" * 32, b"o" * 32
SECRETS = st.binary(min_size=16, max_size=16).filter(any)


@given(SECRETS)
def test_either_form_of_a_code_leads_back_to_what_is_kept(secret: bytes) -> None:
    kept = digests_of(secret, KEY)
    assert re.fullmatch(r"[A-Za-z0-9_-]{22}", long_code(secret))
    assert digest_of_long(long_code(secret), KEY) == kept.long
    typed = typed_code(secret)
    for spelled in (typed, typed.lower(), spaced(typed), spaced(typed).replace(" ", "-"), f"　{typed}　"):
        assert digest_of_typed(spelled, KEY) == kept.typed


@given(SECRETS)
def test_without_the_key_what_is_kept_says_nothing_and_the_two_digests_differ(secret: bytes) -> None:
    kept = digests_of(secret, KEY)
    assert kept.long != kept.typed
    assert not set(kept) & set(digests_of(secret, OTHER_KEY))


@given(SECRETS, st.text(max_size=40))
def test_nothing_else_leads_to_it(secret: bytes, text: str) -> None:
    kept, code = digests_of(secret, KEY), long_code(secret)
    if text != code:
        assert digest_of_long(text, KEY) != kept.long
    for changed in (
        code[:-1],
        code + "=",
        code + "==",
        code.swapcase() if code.swapcase() != code else "",
        "\0" + code,
    ):
        assert digest_of_long(changed, KEY) != kept.long


def test_a_second_spelling_of_the_same_bits_is_not_taken() -> None:
    secret = bytes(range(16))
    code = long_code(secret)
    # The last character holds two bits of the secret; the other four have to be nought.
    respelled = code[:-1] + chr(ord(code[-1]) + 1)
    assert len(code) == LONG_LENGTH
    assert digest_of_long(respelled, KEY) != digests_of(secret, KEY).long


PLACES: dict[Network, str] = {
    read_network("203.0.113.0/24"): "江苏苏州",
    read_network("203.0.113.128/25"): "江苏苏州工业园区",
    read_network("2001:db8:7::/48"): "江苏南京",
}


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("203.0.113.9", "江苏苏州"),
        ("203.0.113.200", "江苏苏州工业园区"),
        ("::ffff:203.0.113.9", "江苏苏州"),
        ("2001:db8:7:1::5", "江苏南京"),
        ("8.8.4.77", "网络 8.8.4.*"),
        ("2400:3200:1:2::1", "网络 2400:3200:1:*"),
        ("127.0.0.1", "本机"),
        ("10.1.2.3", "内部网络"),
        ("", "未知网络"),
        ("not an address", "未知网络"),
    ],
)
def test_a_place_is_what_the_table_says_or_a_cut_network_and_never_a_guess(address: str, said: str) -> None:
    assert coarse_place(address, PLACES) == said


def test_a_whole_ipv6_home_is_one_visitor_for_a_limit() -> None:
    assert limit_network("2400:3200:1:2::1") == limit_network("2400:3200:1:2:ffff::9") == "2400:3200:1:2::/64"
    assert limit_network("8.8.4.77") == "8.8.4.77"

"""The QR code's signed part: small, strict, and true to what was sealed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from xinzheng.adapters.signing import (
    ReportSeal,
    SealError,
    SealKey,
    key_id_of,
    open_seal,
    parse_qr_text,
    qr_text,
    seal_payload,
)

KEY = SealKey(ec.generate_private_key(ec.SECP256R1()))
KEYS = {KEY.key_id: KEY.private.public_key()}
SEAL = ReportSeal(
    number="SZ202611210000428M",
    digest=bytes(range(32)),
    host="credit.host.example",
    as_of=datetime(2026, 11, 21, 7, 8, 2, 999, tzinfo=UTC),
    policy_id="suzhou-2024",
)
SEALED = seal_payload(SEAL, KEY)


def test_a_seal_is_opened_as_it_was_made_and_its_time_keeps_to_the_second() -> None:
    opened = open_seal(SEALED, KEYS)
    assert opened == SEAL
    assert opened.as_of == datetime(2026, 11, 21, 7, 8, 2, tzinfo=UTC)
    assert opened.as_of.utcoffset() == timedelta(hours=8)


def test_the_signed_part_stays_near_two_hundred_bytes_and_the_text_near_three_hundred() -> None:
    assert len(SEALED) <= 210
    assert len(qr_text(SEALED, "abcdefghijklmnopqrstuv")) <= 340


def test_the_text_of_the_code_is_taken_apart_as_it_was_put_together() -> None:
    assert parse_qr_text(qr_text(SEALED, "7K3M9Q2XB4HT")) == (SEAL.host, "7K3M9Q2XB4HT", SEALED)


@pytest.mark.parametrize(
    "text",
    ["", "https://host.example/", "http://host.example/v/7K3M9Q2XB4HT#" + "A" * 240, "A" * 3000],
)
def test_a_text_that_is_not_ours_is_refused_with_a_reason(text: str) -> None:
    with pytest.raises(SealError) as caught:
        parse_qr_text(text)
    assert caught.value.code == "qr-text-invalid"


def test_a_key_that_was_not_published_is_named_as_the_reason() -> None:
    other = SealKey(ec.generate_private_key(ec.SECP256R1()))
    with pytest.raises(SealError) as caught:
        open_seal(SEALED, {other.key_id: other.private.public_key()})
    assert caught.value.code == "seal-key-unknown"


def test_a_seal_by_another_key_under_our_key_id_does_not_hold() -> None:
    other = ec.generate_private_key(ec.SECP256R1()).public_key()
    assert key_id_of(other) != KEY.key_id
    with pytest.raises(SealError) as caught:
        open_seal(SEALED, {KEY.key_id: other})
    assert caught.value.code == "seal-signature-invalid"


@given(st.integers(0, len(SEALED) - 1), st.integers(1, 255))
def test_any_changed_byte_of_a_seal_is_refused(offset: int, change: int) -> None:
    altered = bytearray(SEALED)
    altered[offset] ^= change
    with pytest.raises(SealError):
        open_seal(bytes(altered), KEYS)


@given(st.binary(max_size=300))
def test_bytes_that_are_no_seal_are_refused_and_never_crash(noise: bytes) -> None:
    with pytest.raises(SealError):
        open_seal(noise, KEYS)


def test_a_time_without_a_zone_or_a_short_digest_cannot_be_sealed() -> None:
    with pytest.raises(ValueError, match="aware"):
        replace(SEAL, as_of=datetime(2026, 11, 21))
    with pytest.raises(ValueError, match="32 bytes"):
        replace(SEAL, digest=b"short")

"""Of everything that can be done to a signed report, nothing yields one that is intact, valid and trusted."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
import rfc8785
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tests import mutations
from xinzheng.adapters.pdf import render_report
from xinzheng.adapters.signing import (
    PdfFacts,
    Trust,
    check_pdf,
    ensure_demo_keys,
    load_demo_trust,
    load_signer,
    sign_pdf,
)

SIGNED_AT = datetime(2026, 11, 21, 7, 8, 2, tzinfo=UTC)
SAMPLE = Path(__file__).parents[1] / "data" / "reports" / "suzhou-clear.json"
CONTENT = rfc8785.dumps(json.loads(SAMPLE.read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home") / "keys"
    ensure_demo_keys(folder, SIGNED_AT)
    return folder


@pytest.fixture(scope="module")
def trust(keys: Path) -> Trust:
    return load_demo_trust(keys)


@pytest.fixture(scope="module")
def signed(keys: Path) -> bytes:
    return sign_pdf(
        render_report(CONTENT, "https://host.example/v/7K3M9Q2XB4HT#" + "A" * 240), load_signer(keys), SIGNED_AT
    )


def all_good(facts: PdfFacts) -> bool:
    return bool(facts.intact and facts.signature_valid and facts.signer_trusted)


def test_a_certificate_added_to_the_bag_is_reported(signed: bytes, keys: Path, trust: Trust) -> None:
    root = x509.load_pem_x509_certificate((keys / "root.pem").read_bytes()).public_bytes(Encoding.DER)
    for certificate in (root, load_signer(keys).certificate.public_bytes(Encoding.DER)):
        altered = mutations.with_certificate(signed, certificate)
        facts = check_pdf(altered, trust)
        assert altered != signed
        assert (facts.intact, facts.signature_valid, facts.signer_trusted) == (True, False, True)


def test_the_other_signature_value_of_the_same_key_is_reported(signed: bytes, trust: Trust) -> None:
    facts = check_pdf(mutations.with_other_half(signed), trust)
    assert (facts.intact, facts.signature_valid, facts.signer_trusted) == (True, False, True)


def test_a_length_written_longer_than_it_needs_is_reported(signed: bytes, trust: Trust) -> None:
    assert check_pdf(mutations.with_long_header(signed), trust).signature_valid is False

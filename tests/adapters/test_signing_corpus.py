"""Of everything that can be done to a signed report, nothing yields one that is intact, valid and trusted."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest
import rfc8785

from tests import forgeries, mutations
from tests.corpus import Samples, corpus
from tests.small_pki import SmallPki
from xinzheng.adapters.pdf import render_report
from xinzheng.adapters.signing import PdfFacts, Trust, check_pdf
from xinzheng.adapters.signing.check import CONTAINER, NOT_WHOLE
from xinzheng.adapters.signing.examiner import close_examiner, examine

SIGNED_AT = datetime(2026, 11, 21, 7, 8, 2, tzinfo=UTC)
SAMPLE = Path(__file__).parents[1] / "data" / "reports" / "suzhou-clear.json"
CONTENT = rfc8785.dumps(json.loads(SAMPLE.read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def pki() -> SmallPki:
    return SmallPki(SIGNED_AT)


@pytest.fixture(scope="module")
def samples(pki: SmallPki) -> Samples:
    unsigned = render_report(CONTENT, "https://host.example/v/7K3M9Q2XB4HT#" + "A" * 240)
    signed, other = (pki.signed(unsigned, SIGNED_AT + timedelta(seconds=days), pki.crl()) for days in (0, 1))
    return Samples(pki, unsigned, signed, pki.stamped(signed, SIGNED_AT + timedelta(seconds=2)), other)


@pytest.fixture(scope="module")
def trust(pki: SmallPki) -> Trust:
    return pki.trust(pki.crl())


@pytest.fixture(scope="module")
def signed(samples: Samples) -> bytes:
    return samples.signed


@pytest.fixture(autouse=True, scope="module")
def closed_afterwards() -> Iterator[None]:
    yield
    close_examiner()


def all_good(facts: PdfFacts) -> bool:
    return bool(facts.intact and facts.signature_valid and facts.signer_trusted)


def test_the_samples_are_in_order_before_they_are_changed(samples: Samples, trust: Trust) -> None:
    for pdf in (samples.signed, samples.stamped, samples.other):
        facts = check_pdf(pdf, trust)
        assert all_good(facts)
        assert facts.reasons == ()
        assert facts.content == CONTENT


@pytest.fixture(scope="module")
def changes(samples: Samples) -> list[tuple[str, bytes]]:
    return list(corpus(samples))


def test_of_all_changes_not_one_is_answered_intact_valid_and_trusted(
    changes: list[tuple[str, bytes]], samples: Samples, trust: Trust
) -> None:
    issued = {samples.signed, samples.stamped, samples.other}
    seen: set[bytes] = set()
    for name, changed in changes:
        assert changed not in issued, name
        seen.add(changed)
        facts = check_pdf(changed, trust)
        assert not all_good(facts), name
        assert facts.reasons, name
        assert facts.content is None or facts.intact, name
    assert len(seen) > 600


def test_the_examiner_answers_changed_files_as_the_check_does(changes: list[tuple[str, bytes]], trust: Trust) -> None:
    for _, pdf in changes[:: len(changes) // 50]:
        facts = examine(BytesIO(pdf), trust)
        assert facts == check_pdf(pdf, trust)
        assert not all_good(facts)


def test_a_certificate_added_to_the_bag_is_reported(signed: bytes, pki: SmallPki, trust: Trust) -> None:
    for certificate in (pki.root.der, pki.signer.der):
        altered = mutations.with_certificate(signed, certificate)
        facts = check_pdf(altered, trust)
        assert altered != signed
        assert (facts.intact, facts.signature_valid, facts.signer_trusted) == (True, False, True)


def test_the_other_signature_value_of_the_same_key_is_reported(signed: bytes, trust: Trust) -> None:
    facts = check_pdf(mutations.with_other_half(signed), trust)
    assert (facts.intact, facts.signature_valid, facts.signer_trusted) == (True, False, True)


def test_a_length_written_longer_than_it_needs_is_reported(signed: bytes, trust: Trust) -> None:
    assert check_pdf(mutations.with_long_header(signed), trust).signature_valid is False


def test_a_wrapped_signature_is_read_digests_alike_and_is_still_reported(samples: Samples, trust: Trust) -> None:
    for name, changed in forgeries.wrapping(samples.stamped):
        if "wrapping" in name:
            assert check_pdf(changed, trust).reasons == (NOT_WHOLE, CONTAINER)

"""A report as others see it: pdfsig, qpdf, pyHanko's validator and AdES check with our list, and zbar.

``assert_sound`` is for one file; the fixture ``every_report_is_sound`` (tests/conftest.py) hands it every report that
a test issued. Root and list are those the report brings along: that they are the right ones is what other tests prove.
"""

import hashlib
import subprocess
import tempfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import crl, x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import async_validate_pdf_signature
from pyhanko.sign.validation.ades import ades_basic_validation, ades_with_time_validation
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.policy_decl import (
    LocalKnowledge,
    RevinfoOnlineFetchingRule,
    RevocationInfoGatheringSpec,
    SignatureValidationSpec,
)
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.context import CertValidationPolicySpec
from pyhanko_certvalidator.ltv.types import ValidationTimingInfo
from pyhanko_certvalidator.policy_decl import CertRevTrustPolicy, RevocationCheckingPolicy
from pyhanko_certvalidator.registry import SimpleTrustManager
from pyhanko_certvalidator.revinfo.archival import CRLContainer

from xinzheng.adapters import signing
from xinzheng.adapters.signing.check import USAGE
from xinzheng.adapters.signing.finishing import finish
from xinzheng.adapters.signing.form import stamp_info, token_of

PAGES_READ = 60  # in a run: drawing the pages and reading the code takes as long as all the rest
MARGIN = timedelta(minutes=5)
_known: set[bytes] = set()
_read: list[bytes] = []


@pytest.fixture(autouse=True)
def every_report_is_sound(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Look at every report that the test issued, as it was signed and as it was stamped."""
    issued: list[bytes] = []

    def noting(make: Any) -> Any:
        def made(*given: Any) -> bytes:
            pdf: bytes = make(*given)
            issued.append(pdf)
            return pdf

        return made

    for name in ("sign_pdf", "with_token"):
        monkeypatch.setattr(signing, name, noting(getattr(signing, name)))
    yield
    for pdf in issued:
        assert_sound(pdf)


def assert_sound(pdf: bytes) -> None:
    """Every program of others that the suite knows finds the signed report ``pdf`` in order; once a file."""
    digest = hashlib.sha256(pdf).digest()
    if digest in _known:
        return
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "report.pdf"
        file.write_bytes(pdf)
        with _started("pdfsig", "-nocert", file) as pdfsig, _started("qpdf", "--check", file) as qpdf:
            _assert_pyhanko(pdf)
            _assert_signed_as_pdfsig_says(_told(pdfsig))
            assert "No syntax or stream encoding errors found" in (said := _told(qpdf)), said
        if len(_read) < PAGES_READ:
            _assert_code_is_read(file)
            _read.append(digest)
    _known.add(digest)


def _assert_signed_as_pdfsig_says(said: str) -> None:
    assert said.count("Signature #") == 1, said
    assert "Signature is Valid." in said, said
    assert "Total document signed" in said, said


def _assert_code_is_read(file: Path) -> None:
    """At 120 dots an inch, as a plain office scanner sees it."""
    _said("pdftoppm", "-r", "120", "-gray", file, file.parent / "page")
    last = max(file.parent.glob("page-*.pgm"), key=lambda page: int(page.stem.removeprefix("page-")))
    assert _said("zbarimg", "--quiet", "--raw", last).startswith("http")


def _said(*command: str | Path) -> str:
    with _started(*command) as process:
        return _told(process)


def _started(*command: str | Path) -> subprocess.Popen[str]:
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _told(process: subprocess.Popen[str]) -> str:
    return "".join(process.communicate(timeout=60))


def _assert_pyhanko(pdf: bytes) -> None:
    reader = PdfFileReader(BytesIO(pdf))
    (signature,) = reader.embedded_signatures
    store = DocumentSecurityStore.read_dss(reader)
    certificates = list(store.load_certs())
    roots = [one for one in certificates if one.self_issued]
    lists = [crl.CertificateList.load(one.get_object().data) for one in store.crls]
    assert roots, "the report brings no root along"
    assert lists or signature.signer_cert.crl_distribution_points_value is None, "the report brings no list along"
    finish(_validated(signature, roots, lists))
    finish(_found_by_ades(signature, certificates, lists))


async def _validated(
    signature: EmbeddedPdfSignature, roots: list[x509.Certificate], lists: list[crl.CertificateList]
) -> None:
    context = ValidationContext(
        trust_roots=roots, crls=lists, allow_fetching=False, moment=_moment(signature), revocation_mode=_mode(lists)
    )
    status = await async_validate_pdf_signature(signature, context, context, key_usage_settings=USAGE)
    assert status.bottom_line, status.pretty_print_details()
    assert status.coverage.name == "ENTIRE_FILE"
    if _is_stamped(signature):
        assert status.timestamp_validity.trusted


async def _found_by_ades(
    signature: EmbeddedPdfSignature, certificates: list[x509.Certificate], lists: list[crl.CertificateList]
) -> None:
    checking = CertRevTrustPolicy(RevocationCheckingPolicy.from_legacy(_mode(lists)), retroactive_revinfo=True)
    roots = SimpleTrustManager.build(trust_roots=[one for one in certificates if one.self_issued])
    spec = SignatureValidationSpec(
        cert_validation_policy=CertValidationPolicySpec(trust_manager=roots, revinfo_policy=checking),
        revinfo_gathering_policy=RevocationInfoGatheringSpec(RevinfoOnlineFetchingRule.LOCAL_ONLY),
        local_knowledge=LocalKnowledge(known_crls=[CRLContainer(one) for one in lists], known_certs=certificates),
        key_usage_settings=USAGE,
    )
    moment = _moment(signature)
    timing = ValidationTimingInfo(validation_time=moment, best_signature_time=moment, point_in_time_validation=True)
    validate = ades_with_time_validation if _is_stamped(signature) else ades_basic_validation
    digest = signature.compute_digest()
    found = await validate(signature.signed_data, spec, timing_info=timing, raw_digest=digest)
    assert found.ades_subindic.status.name == "PASSED", found.ades_subindic


def _mode(lists: list[crl.CertificateList]) -> str:
    """An authority that makes no lists cannot be asked for one."""
    return "require" if lists else "soft-fail"


def _is_stamped(signature: EmbeddedPdfSignature) -> bool:
    return token_of(signature.signed_data) is not None


def _moment(signature: EmbeddedPdfSignature) -> datetime:
    """Soon after it was signed, or stamped: the clocks of tests stand where they like."""
    signed_at: datetime = signature.self_reported_timestamp
    token = token_of(signature.signed_data)
    return max(signed_at, stamp_info(token)["gen_time"].native if token is not None else signed_at) + MARGIN

"""A report as others see it: pdfsig, qpdf, pyHanko's validator and AdES check with our list, and zbar.

``assert_sound`` is for one file; the fixture ``every_report_is_sound`` (tests/conftest.py) hands it every report that
a test issued, and every one that other processes left in the test's database. Root and list are those the report brings
along: that they are the right ones is what other tests prove.
"""

import hashlib
import json
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import cbor2
import pytest
from asn1crypto import crl, x509
from django.db import connection
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
from xinzheng.adapters.pdf.attachments import attachment_in
from xinzheng.adapters.signing.check import USAGE
from xinzheng.adapters.signing.finishing import finish
from xinzheng.adapters.signing.form import stamp_info, token_of
from xinzheng.adapters.signing.seals import DIGEST, parse_qr_text
from xinzheng.adapters.signing.stamping import with_token

# The corner where the code stands, as a plain office scanner sees it; a whole page takes three times as long.
SCANNED = ["-r", "120", "-gray", "-x", "60", "-y", "970", "-W", "440", "-H", "434", "-singlefile"]
# Of all the bar codes that zbar knows: it takes the modules of one code in five hundred for one with bars, besides.
QR_ONLY = ("-Sdisable", "-Sqrcode.enable")
MARGIN = timedelta(minutes=5)
KEPT = """
    SELECT d.report_id, d.sha256, s.sha256
    FROM reports_reportdocument d LEFT JOIN reports_documentstamp s USING (report_id)
"""
FILES = """
    SELECT d.pdf, s.token FROM reports_reportdocument d LEFT JOIN reports_documentstamp s USING (report_id)
    WHERE d.report_id = %s
"""
_known: set[bytes] = set()


@pytest.fixture(autouse=True)
def every_report_is_sound(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Look at every report that the test, and what it started, issued: as it was signed and as it was stamped."""
    with all_are_sound(request, monkeypatch):
        yield


@contextmanager
def all_are_sound(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What is signed and stamped meanwhile is looked at in the end, and what stands in the database then."""
    is_seen_by_others = _is_committed(request)
    if is_seen_by_others:
        request.getfixturevalue("transactional_db")  # so that it is emptied after this looked into it
    with issued_are_sound(monkeypatch):
        yield
    if is_seen_by_others:
        with connection.cursor() as cursor:
            assert_stored_are_sound(cursor)


def _is_committed(request: pytest.FixtureRequest) -> bool:
    """Whether other processes see what the test writes, and it sees what they do."""
    marker = request.node.get_closest_marker("django_db")
    is_marked = marker is not None and bool(marker.kwargs.get("transaction"))
    return is_marked or not {"transactional_db", "live_server"}.isdisjoint(request.fixturenames)


@contextmanager
def issued_are_sound(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What this process signs and stamps meanwhile is looked at in the end."""
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


def assert_stored_are_sound(cursor: Any) -> int:
    """The reports of the cursor's database that were not looked at yet, with their stamps and without; how many."""
    cursor.execute(KEPT)
    numbers = [
        number for number, *digests in cursor.fetchall() if not _known.issuperset(bytes(one) for one in digests if one)
    ]
    for number in numbers:
        cursor.execute(FILES, [number])
        pdf, token = cursor.fetchone()
        assert_sound(bytes(pdf))
        if token is not None:
            assert_sound(with_token(bytes(pdf), bytes(token)))
    return len(numbers)


def assert_sound(pdf: bytes) -> None:
    """Every program of others that the suite knows finds the signed report ``pdf`` in order; once a file."""
    digest = hashlib.sha256(pdf).digest()
    if digest in _known:
        return
    reader = PdfFileReader(BytesIO(pdf))
    with tempfile.TemporaryDirectory() as folder:
        file, page = Path(folder) / "report.pdf", Path(folder) / "page"
        file.write_bytes(pdf)
        last = str(reader.root["/Pages"]["/Count"])
        drawing = ("pdftoppm", *SCANNED, "-f", last, "-l", last, file, page)
        with (
            _started("pdfsig", "-nocert", file) as pdfsig,
            _started("qpdf", "--check", file) as qpdf,
            _started(*drawing) as drawn,
        ):
            _assert_pyhanko(pdf)
            _assert_signed_as_pdfsig_says(_told(pdfsig))
            assert "No syntax or stream encoding errors found" in (said := _told(qpdf)), said
            _told(drawn)
            _assert_code_is_read(page.with_suffix(".pgm"), attachment_in(reader) or b"")
    _known.add(digest)


def _assert_signed_as_pdfsig_says(said: str) -> None:
    assert said.count("Signature #") == 1, said
    assert "Signature is Valid." in said, said
    assert "Total document signed" in said, said


def _assert_code_is_read(page: Path, content: bytes) -> None:
    """zbar reads the page's one code, which says where to ask, and vouches for ``content``."""
    done = subprocess.run(["zbarimg", "--quiet", "--raw", *QR_ONLY, page], capture_output=True, text=True, check=False)
    text = done.stdout.removesuffix("\n")
    assert text.startswith(json.loads(content)["verification"]["address"] + "/"), f"zbar read: {text!r}"
    payload = cbor2.loads(cbor2.loads(parse_qr_text(text)[2]).value[2])
    assert payload[DIGEST] == hashlib.sha256(content).digest(), "the code vouches for another content"


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

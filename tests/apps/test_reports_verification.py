"""Verifying: the four facts apart, by code, by QR text and by document."""

from pathlib import Path

import pytest

from tests.small_city import SmallCity, build_small_city, uscc
from xinzheng.adapters.signing import (
    PdfFacts,
    ensure_demo_keys,
    load_seal_key,
    load_signer,
    open_seal,
    qr_text,
    seal_payload,
    sign_pdf,
)
from xinzheng.apps.reports.issuing import Order, issue_report, long_code
from xinzheng.apps.reports.models import Report
from xinzheng.apps.reports.ports import renderer
from xinzheng.apps.reports.queries import report_pdf
from xinzheng.apps.reports.status import Why, change_status
from xinzheng.apps.reports.verification import seal_keys, verify_code, verify_link, verify_pdf, verify_qr_text
from xinzheng.core.decision import Request
from xinzheng.core.lifecycle import ReportStatus, typed_code

pytestmark = pytest.mark.django_db


@pytest.fixture
def report(db: None, tmp_path: Path) -> Report:
    city: SmallCity = build_small_city(tmp_path, units_per_domain=1)
    city.declare_everything()
    return issue_report(Order("suzhou-2024", city.firm(uscc(1)), Request(), "test"))


def text_of(report: Report) -> str:
    return qr_text(bytes(report.cose), long_code(bytes(report.secret)))


def test_by_number_and_code_the_status_is_known_and_the_document_was_not_seen(report: Report) -> None:
    verdict = verify_code(report.number.lower(), typed_code(bytes(report.secret)).lower())
    assert (verdict.intact, verdict.signature_valid, verdict.signer_trusted) == (None, None, None)
    assert verdict.status == "in_force"
    assert verdict.reasons == ["未提交文件，未核对内容", "报告状态：正常"]
    assert not verdict.is_good


def test_a_stranger_with_the_code_sees_a_masked_name_and_no_outcome(report: Report) -> None:
    verdict = verify_code(report.number, typed_code(bytes(report.secret)))
    assert verdict.subject_masked is not None
    assert "精密制造" not in verdict.subject_masked
    assert "未查询到违法记录" not in str(verdict)


def test_a_wrong_code_and_an_unknown_number_get_the_same_answer(report: Report) -> None:
    wrong_code = verify_code(report.number, "000000000000")
    unknown = verify_code("SZ202501010000001" + "X", typed_code(bytes(report.secret)))
    assert wrong_code.reasons == unknown.reasons
    assert wrong_code.status is None
    assert unknown.status is None


def test_the_qr_address_opens_the_status(report: Report) -> None:
    assert verify_link(long_code(bytes(report.secret))).status == "in_force"


@pytest.mark.parametrize("code", ["", "AAAAAAAAAAAAAAAAAAAAAA", "密码", "%00", "A" * 5000])
def test_a_wrong_qr_address_is_simply_unknown(report: Report, code: str) -> None:
    assert verify_link(code).status is None


def test_the_whole_qr_text_proves_the_seal_but_not_the_document(report: Report) -> None:
    verdict = verify_qr_text(text_of(report))
    assert (verdict.intact, verdict.signature_valid, verdict.signer_trusted) == (None, True, True)
    assert verdict.status == "in_force"


def test_a_qr_text_with_another_reports_seal_is_found_out(report: Report, tmp_path: Path) -> None:
    other = issue_report(Order("suzhou-2024", report.subject_id, Request(), "test"))
    mixed = text_of(report).split("#")[0] + "#" + text_of(other).split("#")[1]
    verdict = verify_qr_text(mixed)
    assert verdict.signature_valid is False
    assert verdict.reasons == ["未提交文件，未核对内容", "签名无效", "二维码的签名部分与登记的报告不一致"]
    assert verdict.status is None


def test_a_text_that_is_no_qr_code_of_ours_was_not_examined_at_all(report: Report) -> None:
    verdict = verify_qr_text("https://example.com/")
    assert (verdict.intact, verdict.signature_valid, verdict.signer_trusted) == (None, None, None)
    assert "未查询到该编号" not in verdict.reasons


def test_a_seal_of_a_key_that_is_not_published_is_not_trusted_and_its_signature_not_examined(
    report: Report, tmp_path: Path
) -> None:
    ensure_demo_keys(tmp_path / "forger", report.as_of)
    seal = open_seal(bytes(report.cose), seal_keys())
    forged = seal_payload(seal, load_seal_key(tmp_path / "forger"))
    verdict = verify_qr_text(qr_text(forged, long_code(bytes(report.secret))))
    assert (verdict.intact, verdict.signature_valid, verdict.signer_trusted) == (None, None, False)
    assert "签发者不可信" in verdict.reasons


def test_a_seal_whose_signature_was_touched_is_invalid(report: Report) -> None:
    touched = bytearray(bytes(report.cose))
    touched[-1] ^= 1
    verdict = verify_qr_text(qr_text(bytes(touched), long_code(bytes(report.secret))))
    assert (verdict.signature_valid, verdict.status) == (False, None)
    assert "签名无效" in verdict.reasons


def test_the_document_passes_all_four(report: Report) -> None:
    verdict = verify_pdf(report_pdf(report.number))
    assert verdict.is_good
    assert verdict.reasons == ["文件未改动", "签名有效", "签发者可信", "报告状态：正常"]


def test_a_changed_byte_is_told_and_the_status_stays_a_separate_fact(report: Report) -> None:
    data = bytearray(report_pdf(report.number))
    data[len(data) // 3] ^= 1
    verdict = verify_pdf(bytes(data))
    assert verdict.intact is False
    assert not verdict.is_good
    assert verdict.reasons[0] == "文件已被改动"
    assert "未查询到该编号" not in verdict.reasons


def test_another_content_under_a_registered_number_is_told_as_changed_and_never_as_unchanged(
    report: Report, tmp_path: Path
) -> None:
    ensure_demo_keys(tmp_path / "forger", report.as_of)
    content = bytes(report.content).replace("示例甲".encode(), "示例乙".encode())
    assert content != bytes(report.content)
    unsigned = renderer().render_report(content, text_of(report))
    verdict = verify_pdf(sign_pdf(unsigned, load_signer(tmp_path / "forger"), report.as_of))
    assert verdict.intact is False
    assert "文件已被改动" in verdict.reasons
    assert "文件未改动" not in verdict.reasons
    # Whoever guessed a number must not learn from a document of their own making what became of the report.
    assert (verdict.number, verdict.status, verdict.subject_masked) == (report.number, None, None)


def test_the_same_report_signed_by_somebody_else_is_intact_but_not_trusted(report: Report, tmp_path: Path) -> None:
    ensure_demo_keys(tmp_path / "forger", report.as_of)
    unsigned = renderer().render_report(bytes(report.content), text_of(report))
    verdict = verify_pdf(sign_pdf(unsigned, load_signer(tmp_path / "forger"), report.as_of))
    assert verdict.intact is True
    assert verdict.signature_valid is True
    assert verdict.signer_trusted is False
    assert not verdict.is_good


@pytest.mark.parametrize("number", ["SZ2026\x00", "\ud800", "编号", "", "S" * 5000])
def test_a_number_no_database_would_take_is_simply_unknown(report: Report, number: str) -> None:
    assert verify_code(number, "000000000000").status is None


@pytest.mark.parametrize(
    "content",
    [b'{"number": "SZ\\u0000"}', b'{"number": "\\ud800"}', b"[" * 50_000, b'{"number": {}}', b"\xff", b"null"],
)
def test_a_strangers_attachment_is_read_without_an_error(
    report: Report, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    forged = PdfFacts(True, True, False, ("签名证书不是由受信任的机构签发",), content)
    monkeypatch.setattr("xinzheng.adapters.signing.check_pdf", lambda *_: forged)
    verdict = verify_pdf(b"%PDF-1.7")
    assert (verdict.status, verdict.is_good) == (None, False)


@pytest.mark.parametrize("data", [b"", b"hello", b"%PDF-1.7\n%%EOF", b"\x00" * 1000])
def test_what_is_no_report_is_answered_without_an_error(report: Report, data: bytes) -> None:
    verdict = verify_pdf(data)
    assert verdict.intact is False
    assert verdict.status is None
    assert verdict.reasons


@pytest.mark.parametrize(
    ("status", "words"),
    [("revoked", "报告状态：已作废（申请主体登记有误）"), ("superseded", "报告状态：已更正，请以新报告为准")],
)
def test_a_genuine_document_that_no_longer_stands_is_not_good(report: Report, status: str, words: str) -> None:
    change_status(report, ReportStatus(status), "test", Why("申请主体登记有误", "subject-wrong"))
    verdict = verify_pdf(report_pdf(report.number))
    assert (verdict.intact, verdict.signature_valid, verdict.signer_trusted) == (True, True, True)
    assert verdict.status == status
    assert words in verdict.reasons
    assert not verdict.is_good

"""Verifying: the four facts apart, by code, by QR text and by document."""

import time
from datetime import date, timedelta
from io import BytesIO
from pathlib import Path

import pytest
from django.test import override_settings
from django.utils import timezone

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
from xinzheng.adapters.signing.keyring import published_keys
from xinzheng.adapters.signing.rotation import report_compromised
from xinzheng.apps.audit.log import seal_log
from xinzheng.apps.reports import ports
from xinzheng.apps.reports.issuing import Order, issue_report, long_code
from xinzheng.apps.reports.look_queries import looks_of
from xinzheng.apps.reports.models import Look, Report, ReportDocument, ReportScope
from xinzheng.apps.reports.ports import renderer
from xinzheng.apps.reports.queries import report_pdf
from xinzheng.apps.reports.status import Why, change_status
from xinzheng.apps.reports.verification import (
    Verdict,
    seal_keys,
    verify_code,
    verify_file,
    verify_link,
    verify_pdf,
    verify_qr_text,
)
from xinzheng.core.decision import Request
from xinzheng.core.lifecycle import ReportStatus, report_number, typed_code

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


def test_a_report_without_a_scope_row_is_answered_from_its_content(
    report: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xinzheng.apps.reports.preparing.note_scope", lambda *_: None)
    older = issue_report(Order("suzhou-2024", report.subject_id, Request(), "test"))
    assert not ReportScope.objects.filter(report=older).exists()
    assert ReportScope.objects.filter(report=report).exists()
    without, with_scope = (verify_code(one.number, typed_code(bytes(one.secret))) for one in (older, report))
    told = ("status", "subject_masked", "report_title", "policy_title", "record_word", "is_demonstration", "reasons")
    assert [getattr(without, name) for name in told] == [getattr(with_scope, name) for name in told]
    assert without.subject_masked == "苏州＊＊＊＊＊＊有限公司"


def test_another_file_signed_with_our_key_over_the_same_content_is_not_the_one_that_was_given_out(
    report: Report,
) -> None:
    signing = ports.signing()
    keyring = ports.keyring()
    now = timezone.now().replace(microsecond=0)
    unsigned = renderer().render_report(bytes(report.content), text_of(report))
    again = signing.sign_pdf(unsigned, keyring.signer, now, keyring.evidence(now))
    verdict = verify_pdf(again)
    assert (verdict.intact, verdict.signature_valid, verdict.signer_trusted) == (False, True, True)
    assert "文件与登记的签发文件不是逐字节相同" in verdict.reasons
    assert not verdict.is_good


def test_the_file_as_signed_and_the_file_with_its_stamp_are_both_the_one_that_was_given_out(report: Report) -> None:
    as_signed = bytes(ReportDocument.objects.get(report=report).pdf)
    stamped = report_pdf(report.number)
    assert as_signed != stamped
    assert verify_pdf(as_signed).is_good
    assert verify_pdf(stamped).is_good


def test_a_stranger_learns_nothing_of_a_number_from_a_file_of_their_own(report: Report, tmp_path: Path) -> None:
    ensure_demo_keys(tmp_path / "forger", report.as_of)
    signer = load_signer(tmp_path / "forger")

    def forged(number: str) -> Verdict:
        content = bytes(report.content).replace(report.number.encode(), number.encode())
        content = content.replace("示例甲".encode(), "示例乙".encode())
        return verify_pdf(sign_pdf(renderer().render_report(content, text_of(report)), signer, report.as_of))

    known, unknown = forged(report.number), forged(report_number("SZ", date(2020, 1, 1), 1))
    assert (known.status, known.subject_masked, known.reasons) == (None, None, unknown.reasons)
    assert Look.objects.count() == 0


def test_the_log_proves_what_a_missing_stamp_leaves_open_once_the_certificate_is_revoked(
    db: None, tmp_path: Path
) -> None:
    with override_settings(XINZHENG_KEYS=tmp_path / "keys", XINZHENG_TSA=""):
        city = build_small_city(tmp_path, units_per_domain=1)
        city.declare_everything()
        subject = city.firm(uscc(1))
        logged = issue_report(Order("suzhou-2024", subject, Request(), "test"))
        seal_log(timezone.now() - timedelta(seconds=5))
        late = issue_report(Order("suzhou-2024", subject, Request(), "test"))
        files = [report_pdf(one.number) for one in (logged, late)]
        time.sleep(1)  # signatures and lists are dated to the second
        folder = tmp_path / "keys" / "signing"
        (key,) = (one for one in published_keys(folder) if one.purpose == "document")
        report_compromised(folder, key.key_id, timezone.now(), timezone.now(), "测试")
        verdict, unproven = map(verify_pdf, files)
        assert unproven.signer_trusted is False
        assert verdict.signer_trusted is True, verdict
        assert "签名证书后来被吊销，或者密钥公布失密；透明日志证明报告签发在先。" in verdict.reasons
        assert verdict.is_good


def test_a_look_is_recorded_where_a_status_was_told_and_nowhere_else(report: Report) -> None:
    verify_code(report.number, "0" * 12)
    verify_link("AAAAAAAAAAAAAAAAAAAAAA")
    verify_pdf(b"%PDF-1.7")
    assert Look.objects.count() == 0
    verify_code(report.number, typed_code(bytes(report.secret)), "public")
    verify_link(long_code(bytes(report.secret)), "key:7")
    verify_qr_text(text_of(report))
    assert list(Look.objects.order_by("id").values_list("way", "by", "status")) == [
        ("code", "public", "in_force"),
        ("link", "key:7", "in_force"),
        ("qr", "command-line", "in_force"),
    ]
    assert [look.way for look in looks_of(report.number).newest] == ["核对二维码全文", "扫二维码", "输入编号和核验码"]


def test_a_file_is_examined_in_bounds_and_answered_like_one_in_hand(report: Report, tmp_path: Path) -> None:
    path = tmp_path / "report.pdf"
    path.write_bytes(report_pdf(report.number))
    with path.open("rb") as file:
        assert verify_file(file).is_good
    assert verify_file(BytesIO(b"%PDF-1.7 nothing")).intact is False

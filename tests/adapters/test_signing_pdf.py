"""A signed report as pdfsig, qpdf and our own check see it, and what every change to it does."""

import json
import subprocess
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest
import rfc8785
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, pkcs12
from hypothesis import given, settings
from hypothesis import strategies as st
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from xinzheng.adapters.pdf import render_report
from xinzheng.adapters.signing import (
    KeyFileError,
    PdfFacts,
    Trust,
    check_pdf,
    ensure_demo_keys,
    load_demo_trust,
    load_pkcs12,
    load_seal_key,
    load_seal_public_keys,
    load_signer,
    load_trust,
    open_keyring,
    sign_pdf,
)

SIGNED_AT = datetime(2026, 11, 21, 7, 8, 2, tzinfo=UTC)
SAMPLE = Path(__file__).parents[1] / "data" / "reports" / "suzhou-clear.json"
CONTENT = rfc8785.dumps(json.loads(SAMPLE.read_text(encoding="utf-8")))


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home") / "keys"
    ensure_demo_keys(folder, SIGNED_AT)
    return folder


@pytest.fixture(scope="session")
def trust(keys: Path) -> Trust:
    return load_demo_trust(keys)


@pytest.fixture(scope="session")
def unsigned() -> bytes:
    return render_report(CONTENT, "https://host.example/v/7K3M9Q2XB4HT#" + "A" * 240)


@pytest.fixture(scope="session")
def signed(keys: Path, unsigned: bytes) -> bytes:
    return sign_pdf(unsigned, load_signer(keys), SIGNED_AT)


def all_good(facts: PdfFacts) -> bool:
    return bool(facts.intact and facts.signature_valid and facts.signer_trusted)


def run(*command: str | Path) -> str:
    return subprocess.run(command, capture_output=True, check=True, text=True).stdout


def test_a_signed_report_is_intact_valid_and_trusted_and_carries_its_content(signed: bytes, trust: Trust) -> None:
    facts = check_pdf(signed, trust)
    assert all_good(facts)
    assert facts.reasons == ()
    assert facts.content == CONTENT
    assert facts.signer_name == "信证演示报告签发 DEMO REPORT SIGNER"
    assert facts.signed_at == SIGNED_AT


def test_pdfsig_finds_one_valid_signature_over_the_whole_document(signed: bytes, tmp_path: Path) -> None:
    (tmp_path / "report.pdf").write_bytes(signed)
    said = run("pdfsig", "-nocert", tmp_path / "report.pdf")
    assert said.count("Signature #") == 1
    assert "Signature is Valid." in said
    assert "Total document signed" in said
    assert "ETSI.CAdES.detached" in said


def test_qpdf_finds_no_error_in_a_signed_report(signed: bytes, tmp_path: Path) -> None:
    (tmp_path / "report.pdf").write_bytes(signed)
    assert "No syntax or stream encoding errors found" in run("qpdf", "--check", tmp_path / "report.pdf")


def test_signing_adds_to_the_file_and_changes_nothing_before(signed: bytes, unsigned: bytes) -> None:
    assert signed.startswith(unsigned)
    assert signed.count(b"%%EOF") == unsigned.count(b"%%EOF") + 1


@settings(max_examples=120, deadline=None)
@given(data=st.data())
def test_any_single_changed_byte_anywhere_is_reported(data: st.DataObject, signed: bytes, trust: Trust) -> None:
    gap = signed.index(b"/Contents <")
    near_the_signature = st.integers(gap - 60, gap + 4200)
    offset = data.draw(
        st.integers(0, len(signed) - 1) | near_the_signature | st.integers(len(signed) - 900, len(signed) - 1)
    )
    altered = bytearray(signed)
    altered[offset] ^= data.draw(st.integers(1, 255))
    facts = check_pdf(bytes(altered), trust)
    assert facts.intact is False or facts.signature_valid is False
    assert facts.reasons


def test_the_letter_case_and_the_padding_of_the_signature_cannot_be_changed(signed: bytes, trust: Trust) -> None:
    start = signed.index(b"/Contents <") + len(b"/Contents <")
    end = signed.index(b">", start)
    letter = next(i for i in range(start, end) if signed[i] in b"ABCDEF")
    for offset, value in ((letter, signed[letter] | 0x20), (end - 1, ord("1")), (end - 4, ord(" "))):
        altered = bytearray(signed)
        altered[offset] = value
        assert check_pdf(bytes(altered), trust).signature_valid is False


@pytest.mark.parametrize("tail", [b"\n", b"\x00", b"%%EOF\n", b" " * 1000])
def test_bytes_added_after_the_signature_make_it_not_intact(tail: bytes, signed: bytes, trust: Trust) -> None:
    facts = check_pdf(signed + tail, trust)
    assert facts.intact is False
    assert facts.content is None


def test_a_file_cut_short_is_not_intact(signed: bytes, trust: Trust) -> None:
    for length in (0, 1, 100, len(signed) // 2, len(signed) - 1):
        assert check_pdf(signed[:length], trust).intact is False


def test_a_later_incremental_update_makes_it_not_intact(signed: bytes, trust: Trust) -> None:
    writer = IncrementalPdfFileWriter(BytesIO(signed))
    writer.root["/Lang"] = writer.root.raw_get("/Lang")
    writer.update_root()
    out = BytesIO()
    writer.write(out)
    facts = check_pdf(out.getvalue(), trust)
    assert (facts.intact, facts.signature_valid, facts.signer_trusted) == (False, True, True)


def test_a_signature_of_another_authority_is_valid_but_not_trusted(
    unsigned: bytes, trust: Trust, tmp_path: Path
) -> None:
    ensure_demo_keys(tmp_path / "theirs", SIGNED_AT)
    facts = check_pdf(sign_pdf(unsigned, load_signer(tmp_path / "theirs"), SIGNED_AT), trust)
    assert (facts.intact, facts.signature_valid, facts.signer_trusted) == (True, True, False)
    assert "受信任" in "".join(facts.reasons)


def test_a_signature_dated_outside_the_certificate_is_not_trusted(keys: Path, unsigned: bytes, trust: Trust) -> None:
    facts = check_pdf(sign_pdf(unsigned, load_signer(keys), SIGNED_AT - timedelta(days=3)), trust)
    assert (facts.intact, facts.signature_valid, facts.signer_trusted) == (True, True, False)


def test_two_signatures_and_none_are_both_refused(keys: Path, signed: bytes, unsigned: bytes, trust: Trust) -> None:
    none = check_pdf(unsigned, trust)
    assert (none.intact, none.signature_valid, none.signer_trusted) == (False, None, None)
    assert "没有数字签名" in none.reasons[0]
    with pytest.raises(Exception, match="ReportSignature"):
        sign_pdf(signed, load_signer(keys), SIGNED_AT)


def test_a_file_over_twenty_megabytes_is_not_examined_at_all(trust: Trust) -> None:
    facts = check_pdf(b"%PDF-1.7" + bytes(20 * 1024**2), trust)
    assert (facts.intact, facts.signature_valid, facts.signer_trusted) == (None, None, None)
    assert "没有核对" in facts.reasons[0]


@given(st.binary(max_size=2000))
def test_noise_is_answered_with_a_reason_and_never_an_exception(noise: bytes) -> None:
    for file in (noise, b"%PDF-1.7\n" + noise):
        facts = check_pdf(file, Trust(()))
        assert facts.intact is False
        assert facts.reasons


def test_an_rsa_signer_from_an_operators_own_pkcs12_works_too(unsigned: bytes, tmp_path: Path) -> None:
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "某市公共信用信息中心")])
    usage = dict.fromkeys(
        ("key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign"), False
    ) | {"encipher_only": False, "decipher_only": False, "digital_signature": True, "content_commitment": True}
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 7, SIGNED_AT, SIGNED_AT + timedelta(days=30))
        .add_extension(x509.KeyUsage(**usage), critical=True)
        .sign(key, SHA256())
    )
    archive = pkcs12.serialize_key_and_certificates(b"x", key, certificate, None, BestAvailableEncryption(b"pass"))
    (tmp_path / "city.p12").write_bytes(archive)
    (tmp_path / "city.pass").write_text("pass\n")
    (tmp_path / "city.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    signed = sign_pdf(unsigned, load_pkcs12(tmp_path / "city.p12", tmp_path / "city.pass"), SIGNED_AT)
    assert all_good(check_pdf(signed, load_trust(tmp_path / "city.pem")))
    (tmp_path / "report.pdf").write_bytes(signed)
    assert "Signature is Valid." in run("pdfsig", "-nocert", tmp_path / "report.pdf")


def test_the_demonstration_keys_are_private_made_once_and_loudly_labelled(keys: Path) -> None:
    files = [file for file in keys.rglob("*") if file.is_file()]
    assert {folder.stat().st_mode & 0o777 for folder in (keys, *(file.parent for file in files))} == {0o700}
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    before = {file: file.read_bytes() for file in files}
    ensure_demo_keys(keys, SIGNED_AT)
    assert {file: file.read_bytes() for file in keys.rglob("*") if file.is_file()} == before
    keyring = open_keyring(keys)
    assert keyring.authority is not None
    assert keyring.stamper_key is not None
    for certificate in (keyring.authority.certificate, keyring.signer.certificate, keyring.stamper_key.certificate):
        assert "演示" in certificate.subject.rfc4514_string()
        assert "DEMO NOT FOR USE" in certificate.subject.rfc4514_string()


def test_the_key_of_the_codes_is_not_the_key_of_the_documents(keys: Path) -> None:
    seal_key = load_seal_key(keys).private.public_key()
    document_key = load_signer(keys).certificate.public_key()
    assert isinstance(document_key, ec.EllipticCurvePublicKey)
    assert seal_key.public_numbers() != document_key.public_numbers()
    assert list(load_seal_public_keys(keys)) == [load_seal_key(keys).key_id]


def test_a_missing_or_wrong_key_file_is_named_without_its_secret(keys: Path, tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match=r"signer\.pass"):
        load_signer(tmp_path)
    (tmp_path / "signer.p12").write_bytes((keys / "generations" / "1" / "signer.p12").read_bytes())
    (tmp_path / "signer.pass").write_text("secret-but-wrong")
    with pytest.raises(KeyFileError) as caught:
        load_signer(tmp_path)
    assert "secret-but-wrong" not in caught.value.message

"""What others say about our signatures: pdfsig, qpdf, pyHanko's validators with our list, openssl about the stamp."""

import http.server
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from asn1crypto import cms
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding

from tests.first_keys import make_first_keys
from xinzheng.adapters.pdf import render_report
from xinzheng.adapters.signing import (
    Evidence,
    FormError,
    Keyring,
    ReportSigner,
    StampUnavailableError,
    check_pdf,
    current_crl,
    ensure_demo_keys,
    load_demo_trust,
    open_keyring,
    rotate_demo_keys,
    sign_pdf,
    signed_digest,
    stamp_imprint,
    stamp_time,
    stamper_of,
    with_token,
)
from xinzheng.adapters.signing.demo_authority import issue_signer
from xinzheng.adapters.signing.form import TOKEN_ROOM
from xinzheng.adapters.signing.raw_keys import SoftwareKey

NOW = datetime.now(UTC).replace(microsecond=0)
CONTENT = (Path(__file__).parents[1] / "data/reports/suzhou-clear.json").read_bytes()


@dataclass(frozen=True)
class Signed:
    """One report under one kind of key, and what was asked for on the way."""

    keys: Path
    bare: bytes
    stamped: bytes
    token: bytes
    asked: list[str]


@pytest.fixture(scope="module")
def unsigned() -> bytes:
    return render_report(CONTENT, "https://host.example/v/7K3M9Q2XB4HT#" + "A" * 240)


@pytest.fixture(scope="module", params=["ecdsa-p256", "rsa-3072"])
def signed(
    request: pytest.FixtureRequest, unsigned: bytes, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Signed]:
    """Signed while the authority's list is served where the certificates say it is."""
    keys, asked = tmp_path_factory.mktemp("home") / "keys", list[str]()

    class Site(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            crl = current_crl(keys, self.path.removeprefix("/pki/").removesuffix(".crl"), NOW)
            self.send_response(200 if crl else 404)
            self.send_header("Content-Type", "application/pkix-crl")
            self.end_headers()
            self.wfile.write(crl or b"")

        def log_message(self, *words: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site) as site:
        threading.Thread(target=site.serve_forever, daemon=True).start()
        rotate_demo_keys(keys, NOW, f"127.0.0.1:{site.server_port}", request.param)
        yield _signed(keys, unsigned, asked)
        site.shutdown()


def _signed(keys: Path, unsigned: bytes, asked: list[str]) -> Signed:
    keyring = open_keyring(keys)
    bare = sign_pdf(unsigned, keyring.signer, NOW, keyring.evidence(NOW))
    token = token_for(keyring, bare)
    return Signed(keys, bare, with_token(bare, token), token, asked)


def token_for(keyring: Keyring, pdf: bytes) -> bytes:
    stamper = stamper_of("demo", keyring)
    assert stamper is not None
    return stamper.stamp(stamp_imprint(pdf))


def run(*command: str | Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return done.stdout + done.stderr + f"\nexit {done.returncode}"


def root_of(signed: Signed, folder: Path) -> Path:
    authority = open_keyring(signed.keys).authority
    assert authority is not None
    (folder / "root.pem").write_bytes(authority.certificate.public_bytes(Encoding.PEM))
    return folder / "root.pem"


def both(signed: Signed, folder: Path) -> list[Path]:
    files = {folder / "bare.pdf": signed.bare, folder / "stamped.pdf": signed.stamped}
    for file, content in files.items():
        file.write_bytes(content)
    return list(files)


def test_our_own_check_finds_the_level_and_the_time(signed: Signed) -> None:
    trust = load_demo_trust(signed.keys)
    for pdf, level in ((signed.bare, "B-B"), (signed.stamped, "B-LT")):
        facts = check_pdf(pdf, trust)
        assert (facts.intact, facts.signature_valid, facts.signer_trusted) == (True, True, True)
        assert (facts.level, facts.reasons, facts.content) == (level, (), CONTENT)
    stamped_at = check_pdf(signed.stamped, trust).stamped_at
    assert stamped_at == stamp_time(signed.token)
    assert abs(stamped_at - datetime.now(UTC)) < timedelta(minutes=5)


def test_a_stamp_changes_neither_the_length_nor_one_signed_byte(signed: Signed) -> None:
    assert len(signed.stamped) == len(signed.bare)
    assert signed_digest(signed.stamped) == signed_digest(signed.bare)
    different = [at for at, (one, other) in enumerate(zip(signed.bare, signed.stamped, strict=True)) if one != other]
    start = signed.bare.index(b"/Contents <")
    assert start < different[0] < different[-1] < start + 2 * (TOKEN_ROOM + 4096)


def test_pdfsig_and_qpdf_accept_both(signed: Signed, tmp_path: Path) -> None:
    for file in both(signed, tmp_path):
        said = run("pdfsig", "-nocert", file)
        assert said.count("Signature #") == 1
        assert "Signature is Valid." in said
        assert "Total document signed" in said
        assert "No syntax or stream encoding errors found" in run("qpdf", "--check", file)


def test_pyhanko_validates_both_with_the_list_we_serve(signed: Signed, tmp_path: Path) -> None:
    root = root_of(signed, tmp_path)
    for file in both(signed, tmp_path):
        before = len(signed.asked)
        said = run(sys.executable, "-m", "pyhanko", "sign", "validate", "--trust", root, "--trust-replace", file)
        assert "INTACT:TRUSTED" in said
        assert ("TIMESTAMP_TOKEN<INTACT:TRUSTED>" in said) == (file.name == "stamped.pdf")
        assert said.endswith("exit 0")
        assert signed.asked[before:]


def test_pyhankos_ades_check_accepts_both(signed: Signed, tmp_path: Path) -> None:
    root = root_of(signed, tmp_path)
    for file in both(signed, tmp_path):
        said = run(sys.executable, "-m", "pyhanko", "sign", "adesverify", "--trust", root, "--trust-replace", file)
        assert "INTACT:TRUSTED" in said
        assert said.endswith("exit 0")


def test_openssl_accepts_the_stamp(signed: Signed, tmp_path: Path) -> None:
    (tmp_path / "token.der").write_bytes(signed.token)
    words = ("-token_in", "-in", tmp_path / "token.der", "-digest", stamp_imprint(signed.bare).hex())
    assert "Verification: OK" in run("openssl", "ts", "-verify", *words, "-CAfile", root_of(signed, tmp_path))


def test_a_stamp_of_another_report_is_not_put_in(signed: Signed, unsigned: bytes) -> None:
    other = sign_pdf(unsigned, open_keyring(signed.keys).signer, NOW)
    with pytest.raises(StampUnavailableError, match="不是给这份签名的"):
        with_token(other, signed.token)
    for nonsense in (b"", b"\x30\x03\x02\x01\x01", signed.token[:-1]):
        with pytest.raises(StampUnavailableError):
            with_token(signed.bare, nonsense)
        with pytest.raises(StampUnavailableError):
            stamp_time(nonsense)


def test_a_stamp_is_put_in_in_one_form_whatever_came_with_it(signed: Signed) -> None:
    token = cms.ContentInfo.load(signed.token)
    authority = open_keyring(signed.keys).authority
    assert authority is not None
    root = cms.CertificateChoices.load(authority.certificate.public_bytes(Encoding.DER))
    token["content"]["certificates"].append(root)
    assert with_token(signed.bare, token.dump(force=True)) == signed.stamped
    assert with_token(signed.stamped, signed.token) == signed.stamped


def test_what_is_not_signed_has_no_signed_digest(signed: Signed, unsigned: bytes) -> None:
    renamed = signed.bare.replace(b"/ByteRange", b"/ByteRangE")
    for file in (b"", unsigned, signed.bare + b"\n", signed.bare[:-1], renamed):
        with pytest.raises(FormError):
            signed_digest(file)


def test_without_evidence_a_report_is_as_good_but_not_for_long(signed: Signed, unsigned: bytes) -> None:
    keyring = open_keyring(signed.keys)
    pdf = sign_pdf(unsigned, keyring.signer, NOW, Evidence())
    stamped = with_token(pdf, token_for(keyring, pdf))
    facts = check_pdf(stamped, load_demo_trust(signed.keys))
    assert (facts.signer_trusted, facts.level) == (True, "B-T")


def test_a_home_of_the_first_form_is_brought_up_to_date(tmp_path: Path, unsigned: bytes) -> None:
    """The keys of before, made as they were made: side by side, the root's key thrown away."""
    make_first_keys(tmp_path / "keys", NOW)
    before = sign_pdf(unsigned, open_keyring(tmp_path / "keys").signer, NOW)
    assert open_keyring(tmp_path / "keys").generation.number == 0
    ensure_demo_keys(tmp_path / "keys", NOW)
    keyring = open_keyring(tmp_path / "keys")
    after = sign_pdf(unsigned, keyring.signer, NOW, keyring.evidence(NOW))
    for pdf, level in ((before, "B-B"), (with_token(after, token_for(keyring, after)), "B-LT")):
        facts = check_pdf(pdf, load_demo_trust(tmp_path / "keys"))
        assert (facts.intact, facts.signature_valid, facts.signer_trusted, facts.level) == (True, True, True, level)


class OtherHalf(SoftwareKey):
    """Signs as signers did before: in the higher of the two forms, as it falls."""

    def sign(self, data: bytes) -> bytes:
        r, s = decode_dss_signature(super().sign(data))
        return encode_dss_signature(r, ec.SECP256R1().group_order - s)


def test_a_report_signed_before_there_was_room_for_a_stamp_stays_good(tmp_path: Path, unsigned: bytes) -> None:
    ensure_demo_keys(tmp_path / "keys", NOW)
    private = ec.generate_private_key(ec.SECP256R1())
    authority = open_keyring(tmp_path / "keys").authority
    assert authority is not None
    for key in (SoftwareKey(private), OtherHalf(private)):
        signer = ReportSigner(key, issue_signer(authority, private.public_key(), NOW))
        roomy = sign_pdf(unsigned, signer, NOW)
        signer.hex_digits_reserved -= 2 * TOKEN_ROOM
        tight = sign_pdf(unsigned, signer, NOW)
        facts = check_pdf(tight, load_demo_trust(tmp_path / "keys"))
        assert (facts.intact, facts.signature_valid, facts.signer_trusted) == (True, True, True)
        with pytest.raises(StampUnavailableError, match="预留"):
            with_token(tight, token_for(open_keyring(tmp_path / "keys"), tight))
        is_ours = check_pdf(roomy, load_demo_trust(tmp_path / "keys")).signature_valid
        assert is_ours is not isinstance(key, OtherHalf)

"""An operator's own certificate: it signs under its own root, and its lists are fetched from where it says."""

import http.server
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, pkcs12

from xinzheng.adapters.pdf import render_report
from xinzheng.adapters.signing import (
    KeyFileError,
    OwnCertificate,
    check_pdf,
    current_trust,
    ensure_demo_keys,
    fetch_lists,
    has_own_certificate,
    install_certificate,
    known_crls,
    open_keyring,
    sign_pdf,
    stamper_of,
)
from xinzheng.adapters.signing.demo_authority import KEY_USAGES

NOW = datetime.now(UTC).replace(microsecond=0)
CONTENT = (Path(__file__).parents[1] / "data/reports/suzhou-clear.json").read_bytes()


@pytest.fixture(scope="module")
def unsigned() -> bytes:
    return render_report(CONTENT, "https://host.example/v/7K3M9Q2XB4HT#" + "A" * 240)


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    ensure_demo_keys(tmp_path / "keys", NOW - timedelta(days=2))
    return tmp_path / "keys"


def sign(unsigned: bytes, keys: Path) -> bytes:
    keyring = open_keyring(keys)
    return sign_pdf(unsigned, keyring.signer, NOW, keyring.evidence(NOW))


@dataclass(frozen=True)
class City:
    """An operator's own authority: root, intermediate, signer, with lists at an address."""

    own: OwnCertificate
    place: str
    lists: dict[str, bytes]
    root: tuple[x509.Certificate, ec.EllipticCurvePrivateKey]
    middle: tuple[x509.Certificate, ec.EllipticCurvePrivateKey]
    signer: x509.Certificate


@pytest.fixture
def city(tmp_path: Path) -> Iterator[City]:
    lists: dict[str, bytes] = {}

    class Site(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path in lists else 404)
            self.end_headers()
            self.wfile.write(lists.get(self.path, b""))

        def log_message(self, *words: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site) as site:
        threading.Thread(target=site.serve_forever, daemon=True).start()
        yield _city(tmp_path, f"http://127.0.0.1:{site.server_port}", lists)
        site.shutdown()


def _city(folder: Path, place: str, lists: dict[str, bytes]) -> City:
    root_key, middle_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
    root = issued("某省根", root_key, ("某省根", root_key), None)
    middle = issued("某省政务签发", middle_key, ("某省根", root_key), f"{place}/root.crl")
    signer = issued("某市公共信用信息中心", key, ("某省政务签发", middle_key), f"{place}/middle.crl")
    archive = pkcs12.serialize_key_and_certificates(b"x", key, signer, [middle, root], BestAvailableEncryption(b"pass"))
    (folder / "city.p12").write_bytes(archive)
    (folder / "city.pass").write_text("pass\n")
    (folder / "city.pem").write_bytes(root.public_bytes(Encoding.PEM))
    own = OwnCertificate(folder / "city.p12", folder / "city.pass", folder / "city.pem")
    return City(own, place, lists, (root, root_key), (middle, middle_key), signer)


def issued(
    name: str, key: ec.EllipticCurvePrivateKey, issuer: tuple[str, ec.EllipticCurvePrivateKey], listed_at: str | None
) -> x509.Certificate:
    subject, above = (x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, one)]) for one in (name, issuer[0]))
    is_authority = listed_at is None or listed_at.endswith("root.crl")
    usages = {"key_cert_sign", "crl_sign"} if is_authority else {"digital_signature", "content_commitment"}
    builder = x509.CertificateBuilder(
        above, subject, key.public_key(), x509.random_serial_number(), NOW - timedelta(9), NOW + timedelta(900)
    )
    builder = builder.add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
    builder = builder.add_extension(x509.KeyUsage(**{one: one in usages for one in KEY_USAGES}), critical=True)
    if listed_at is not None:
        point = x509.DistributionPoint([x509.UniformResourceIdentifier(listed_at)], None, None, None)
        builder = builder.add_extension(x509.CRLDistributionPoints([point]), critical=False)
    return builder.sign(issuer[1], SHA256())


def listed(issuer: tuple[x509.Certificate, ec.EllipticCurvePrivateKey], *revoked: x509.Certificate) -> bytes:
    builder = x509.CertificateRevocationListBuilder(issuer[0].subject, NOW - timedelta(hours=1), NOW + timedelta(7))
    builder = builder.add_extension(x509.CRLNumber(1), critical=False)
    for one in revoked:
        entry = x509.RevokedCertificateBuilder(one.serial_number, NOW - timedelta(hours=2)).build()
        builder = builder.add_revoked_certificate(entry)
    return builder.sign(issuer[1], SHA256()).public_bytes(Encoding.DER)


def test_an_operators_certificate_signs_and_its_lists_are_fetched_and_put_into_reports(
    keys: Path, city: City, unsigned: bytes
) -> None:
    city.lists.update({"/root.crl": listed(city.root), "/middle.crl": listed(city.middle)})
    assert not has_own_certificate(keys)
    assert install_certificate(keys, city.own, NOW) == 2
    assert has_own_certificate(keys)
    assert check_pdf(sign(unsigned, keys), current_trust(keys)).signer_trusted is None
    assert fetch_lists(keys) == ()
    keyring = open_keyring(keys)
    assert len(keyring.evidence(NOW).crls) == 2
    assert stamper_of("demo", keyring) is None
    pdf = sign(unsigned, keys)
    facts = check_pdf(pdf, current_trust(keys))
    assert (facts.intact, facts.signature_valid, facts.signer_trusted) == (True, True, True)
    assert facts.signer_name == "某市公共信用信息中心"


def test_a_list_of_a_stranger_and_one_that_is_older_are_not_kept(keys: Path, city: City) -> None:
    install_certificate(keys, city.own, NOW)
    stranger = issued("某省政务签发", key := ec.generate_private_key(ec.SECP256R1()), ("某省根", key), None)
    city.lists.update({"/root.crl": listed(city.root), "/middle.crl": listed((stranger, key))})
    assert fetch_lists(keys) == ("127.0.0.1",)
    before = known_crls(keys)
    city.lists["/middle.crl"] = listed(city.middle, city.signer)
    assert fetch_lists(keys) == ()
    assert len(known_crls(keys)) == len(before) + 1
    city.lists["/middle.crl"] = b"<html>"
    assert fetch_lists(keys) == ("127.0.0.1",)
    assert len(known_crls(keys)) == len(before) + 1


def test_a_certificate_without_its_root_is_not_installed(keys: Path, city: City, tmp_path: Path) -> None:
    other = open_keyring(keys).authority
    assert other is not None
    (tmp_path / "city.pem").write_bytes(other.certificate.public_bytes(Encoding.PEM))
    with pytest.raises(KeyFileError, match=r"city\.pem"):
        install_certificate(keys, city.own, NOW)
    assert open_keyring(keys).generation.number == 1

"""The addresses that certificates name: the list of revoked certificates and the root."""

from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from xinzheng.adapters.signing import open_keyring, report_compromised
from xinzheng.apps.reports.issuing import ensure_keys
from xinzheng.apps.reports.signing_keys import keys_folder


@pytest.fixture
def keys(tmp_path: Path, settings: Settings) -> Path:
    settings.XINZHENG_KEYS = tmp_path / "keys"
    ensure_keys()
    return keys_folder()


def test_the_list_and_the_root_are_where_the_certificate_says(keys: Path, settings: Settings) -> None:
    certificate = open_keyring(keys).signer.certificate
    points = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    issuers = certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    origin = f"http://{settings.XINZHENG_HOST}"
    (list_at,) = [name.value.removeprefix(origin) for point in points for name in point.full_name or ()]
    (root_at,) = [one.access_location.value.removeprefix(origin) for one in issuers]
    answer = Client().get(list_at)
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/pkix-crl")
    root = Client().get(root_at)
    assert (root.status_code, root["Content-Type"]) == (200, "application/pkix-cert")
    issuer = x509.load_der_x509_certificate(root.content)
    certificate.verify_directly_issued_by(issuer)
    listed = x509.load_der_x509_crl(answer.content)
    assert listed.is_signature_valid(issuer.public_key())  # type: ignore[arg-type]
    assert len(listed) == 0


def test_a_stolen_key_is_on_the_list_at_once(keys: Path) -> None:
    certificate = open_keyring(keys).signer.certificate
    stolen = next(key for key in open_keyring(keys).keys if key.purpose == "document")
    since = timezone.now().replace(microsecond=0) - timedelta(hours=1)
    report_compromised(keys, stolen.key_id, since, timezone.now())
    listed = x509.load_der_x509_crl(Client().get("/pki/demo-1.crl").content)
    entry = listed.get_revoked_certificate_by_serial_number(certificate.serial_number)
    assert entry is not None
    assert entry.revocation_date_utc == since
    assert entry.extensions.get_extension_for_class(x509.CRLReason).value.reason is x509.ReasonFlags.key_compromise


def test_there_is_nothing_else_to_be_had(keys: Path) -> None:
    for address in (
        "/pki/demo-2.crl",
        "/pki/demo-2.cer",
        "/pki/root-key.cer",
        "/pki/1.crl",
        "/pki/",
        "/pki/demo-1.pem",
    ):
        assert Client().get(address).status_code == 404
    assert Client().post("/pki/demo-1.crl").status_code == 405

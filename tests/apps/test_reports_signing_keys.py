"""Changing keys under an installation at work: reports of before stay good, and no key is ever where it must not be."""

import json
import logging
import shutil
import time
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs12
from django.db import connection
from django.utils import timezone
from pytest_django.fixtures import Settings

from tests.first_keys import make_first_keys
from tests.small_city import SmallCity, build_small_city, uscc
from xinzheng.adapters.signing import KeyFileError, SigningUnavailableError, open_keyring, published_keys
from xinzheng.apps.audit.log import seal_log
from xinzheng.apps.audit.models import AuditEvent, KeyEvent
from xinzheng.apps.reports.issuing import Order, ensure_keys, issue_report
from xinzheng.apps.reports.models import DocumentStamp, Report
from xinzheng.apps.reports.queries import report_pdf
from xinzheng.apps.reports.signing_keys import Rotation, give_up_key, keys_folder, renew_lists, rotate_keys
from xinzheng.apps.reports.verification import verify_file, verify_pdf
from xinzheng.core.decision import Request
from xinzheng.core.errors import RefusedError

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def city(transactional_db: None, tmp_path: Path, settings: Settings) -> SmallCity:
    settings.XINZHENG_KEYS = tmp_path / "keys"
    settings.XINZHENG_TSA = "demo"
    small = build_small_city(tmp_path, units_per_domain=1)
    small.declare_everything()
    return small


def issue(city: SmallCity, number: int) -> Report:
    return issue_report(Order("suzhou-2024", city.firm(uscc(number)), Request(), "test"))


def is_good(report: Report) -> bool:
    facts = verify_pdf(report_pdf(report.number))
    return bool(facts.intact and facts.signature_valid and facts.signer_trusted)


def in_use(purpose: str) -> str:
    keys = [key for key in published_keys(keys_folder()) if key.purpose == purpose and key.until_at is None]
    return keys[-1].key_id


def own_certificate(tmp_path: Path) -> tuple[Path, Path, Path]:
    name = x509.Name([x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "某市公共信用信息中心")])
    make_first_keys(tmp_path / "own", timezone.now(), name)
    return tmp_path / "own" / "signer.p12", tmp_path / "own" / "signer.pass", tmp_path / "own" / "root.pem"


def test_reports_before_and_after_a_rotation_are_good_and_both_are_stamped(city: SmallCity) -> None:
    before = issue(city, 1)
    assert rotate_keys(Rotation(), "test") == 2
    assert rotate_keys(Rotation(algorithm="rsa-3072"), "test") == 3
    after = issue(city, 2)
    assert is_good(before)
    assert is_good(after)
    assert DocumentStamp.objects.count() == 2
    assert list(
        AuditEvent.objects.filter(action="signing-keys-rotated").order_by("id").values_list("who", "object_id")
    ) == [
        ("test", "2"),
        ("test", "3"),
    ]
    assert KeyEvent.objects.filter(purpose="document", event="published").count() == 3
    assert KeyEvent.objects.filter(purpose="document", event="retired").count() == 2


def test_after_a_theft_nothing_is_numbered_until_there_is_a_new_key(city: SmallCity) -> None:
    before = issue(city, 1)
    stolen = in_use("document")
    time.sleep(1.1)  # stamps and lists know seconds; within the same second the doubt counts
    told = give_up_key(stolen, timezone.now(), "备份介质丢失", "test")
    with pytest.raises(SigningUnavailableError):
        issue(city, 2)
    assert Report.objects.count() == 1
    event = KeyEvent.objects.get(key_id=stolen, event="compromised")
    assert event.effective_at == told.compromised_at
    assert AuditEvent.objects.get(action="signing-key-compromised").object_id == stolen
    assert is_good(before)
    rotate_keys(Rotation(), "test")
    assert is_good(issue(city, 2))


def test_what_was_signed_after_a_theft_is_no_longer_trusted(city: SmallCity) -> None:
    report = issue(city, 1)
    give_up_key(in_use("document"), timezone.now() - timedelta(hours=1), "", "test")
    facts = verify_pdf(report_pdf(report.number))
    assert (facts.intact, facts.signature_valid, facts.signer_trusted) == (True, True, False)


def test_a_home_of_the_first_form_goes_on_and_its_reports_stay_good(city: SmallCity) -> None:
    make_first_keys(keys_folder(), timezone.now())
    first = published_keys(keys_folder())
    report = issue(city, 1)
    assert is_good(report)
    assert open_keyring(keys_folder()).generation.number == 1
    assert {key.key_id for key in first} < {key.key_id for key in published_keys(keys_folder())}


def test_an_operators_certificate_gives_way_to_a_demonstration_only_when_asked(city: SmallCity, tmp_path: Path) -> None:
    ensure_keys()
    rotate_keys(Rotation(own_certificate(tmp_path)), "test")
    assert is_good(issue(city, 1))
    with pytest.raises(RefusedError) as caught:
        rotate_keys(Rotation(), "test")
    assert caught.value.code == "demonstration-refused"
    rotate_keys(Rotation(is_demonstration=True), "test")
    assert open_keyring(keys_folder()).is_demonstration


def test_a_theft_that_no_list_of_revoked_certificates_tells_of_counts_all_the_same(
    city: SmallCity, tmp_path: Path
) -> None:
    rotate_keys(Rotation(own_certificate(tmp_path)), "test")
    logged = issue(city, 1)
    seal_log(timezone.now() - timedelta(seconds=5))
    late = issue(city, 2)
    time.sleep(1.1)
    give_up_key(in_use("document"), timezone.now(), "介质丢失", "test")
    proved, unproved = (verify_pdf(report_pdf(report.number)) for report in (logged, late))
    assert proved.is_good
    assert "签名证书后来被吊销，或者密钥公布失密；透明日志证明报告签发在先。" in proved.reasons
    assert (unproved.intact, unproved.signature_valid, unproved.signer_trusted) == (True, True, False)
    assert "签名没有时间戳，签名密钥后来公布失密，不能证明签名在失密之前。" in unproved.reasons


def test_what_the_database_knows_of_a_key_counts_where_the_folder_has_forgotten_it(
    city: SmallCity, tmp_path: Path
) -> None:
    report = issue(city, 1)
    shutil.copytree(keys_folder(), tmp_path / "backup")
    give_up_key(in_use("document"), timezone.now() - timedelta(hours=1), "", "test")
    shutil.rmtree(keys_folder())
    shutil.copytree(tmp_path / "backup", keys_folder())
    assert not any(key.compromised_at for key in published_keys(keys_folder()))
    pdf = report_pdf(report.number)
    for facts in (verify_pdf(pdf), verify_file(BytesIO(pdf))):
        assert (facts.intact, facts.signature_valid, facts.signer_trusted) == (True, True, False)
        assert "签名时间在签名密钥公布失密以后。" in facts.reasons


def test_a_root_that_the_database_knows_to_be_lost_is_none_whatever_the_folder_says(
    city: SmallCity, tmp_path: Path
) -> None:
    report = issue(city, 1)
    shutil.copytree(keys_folder(), tmp_path / "backup")
    give_up_key(in_use("root"), timezone.now(), "", "test")
    shutil.rmtree(keys_folder())
    shutil.copytree(tmp_path / "backup", keys_folder())
    assert verify_pdf(report_pdf(report.number)).signer_trusted is False


def test_a_key_that_was_retired_does_not_come_back(city: SmallCity, tmp_path: Path) -> None:
    own = own_certificate(tmp_path)
    rotate_keys(Rotation(own), "test")
    rotate_keys(Rotation(is_demonstration=True), "test")
    with pytest.raises(KeyFileError) as caught:
        rotate_keys(Rotation(own), "test")
    assert caught.value.code == "signing-key-ended"
    assert is_good(issue(city, 1))


def test_lists_are_renewed_and_nobody_is_asked_in_a_demonstration(city: SmallCity) -> None:
    issue(city, 1)
    assert renew_lists() == (1, ())


def secrets_in(folder: Path) -> list[bytes]:
    """Every secret of a key folder in the forms it could leave it: passphrases, and private keys opened."""
    found = [file.read_bytes() for file in folder.rglob("*.pass")]
    for archive in folder.rglob("*.p12"):
        key, _, _ = pkcs12.load_key_and_certificates(archive.read_bytes(), archive.with_suffix(".pass").read_bytes())
        assert key is not None
        found.append(key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))  # type: ignore[union-attr]
        found.append(archive.read_bytes())
    seals = [file.read_bytes() for file in folder.rglob("seal-key.pem")]
    return [*found, *(line for pem in seals for line in pem.splitlines() if b"-----" not in line)]


def everything_stored() -> bytes:
    """All that stands in the tables, as text."""
    out = BytesIO()
    with connection.cursor() as cursor:
        cursor.execute("SELECT format('%I', tablename) FROM pg_tables WHERE schemaname = 'public'")
        for (table,) in cursor.fetchall():
            cursor.execute(f"SELECT t::text FROM {table} t")
            out.writelines(str(row).encode() for (row,) in cursor.fetchall())
    return out.getvalue()


def test_no_secret_is_in_the_database_a_log_a_report_or_what_is_published(
    city: SmallCity, caplog: pytest.LogCaptureFixture, settings: Settings
) -> None:
    caplog.set_level(logging.DEBUG)
    report = issue(city, 1)
    rotate_keys(Rotation(), "test")
    give_up_key(in_use("seal"), timezone.now(), "", "test")
    with pytest.raises(SigningUnavailableError) as caught:
        issue(city, 2)
    public = json.dumps([repr(key) for key in published_keys(keys_folder())]).encode()
    said: list[Any] = [
        caught.value.message,
        repr(open_keyring(keys_folder())),
        repr(open_keyring(keys_folder()).signer),
    ]
    stored = everything_stored() + report_pdf(report.number) + public + caplog.text.encode() + repr(said).encode()
    secrets = secrets_in(keys_folder())
    assert len(secrets) > 10
    for secret in secrets:
        assert secret not in stored
        assert secret.hex().encode() not in stored
        assert repr(secret)[2:-1].encode() not in stored

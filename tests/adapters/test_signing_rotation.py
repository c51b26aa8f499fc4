"""Keys are replaced and given up: earlier reports stay as good as they were, stolen keys sign nothing that counts."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from tests.first_keys import make_first_keys
from xinzheng.adapters.pdf import render_report
from xinzheng.adapters.signing import (
    KeyFileError,
    PdfFacts,
    ReportSeal,
    SigningUnavailableError,
    check_pdf,
    current_crl,
    current_trust,
    ensure_demo_keys,
    load_seal_public_keys,
    open_keyring,
    open_seal,
    published_keys,
    report_compromised,
    root_certificate,
    rotate_demo_keys,
    seal_payload,
    sign_pdf,
    stamp_imprint,
    with_token,
)
from xinzheng.adapters.signing.key_history import HISTORY_FILE, certificate_fact
from xinzheng.adapters.signing.stamp_making import make_token

NOW = datetime.now(UTC).replace(microsecond=0)
HOST = "credit.example.gov.cn"
CONTENT = (Path(__file__).parents[1] / "data/reports/suzhou-clear.json").read_bytes()
GOOD = (True, True, True)


@pytest.fixture(scope="module")
def unsigned() -> bytes:
    return render_report(CONTENT, "https://host.example/v/7K3M9Q2XB4HT#" + "A" * 240)


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    ensure_demo_keys(tmp_path / "keys", NOW - timedelta(days=2), HOST)
    return tmp_path / "keys"


def facts_of(facts: PdfFacts) -> tuple[bool | None, bool | None, bool | None]:
    return facts.intact, facts.signature_valid, facts.signer_trusted


def sign(unsigned: bytes, keys: Path, at: datetime = NOW, *, stamped_at: datetime | None = None) -> bytes:
    keyring = open_keyring(keys)
    pdf = sign_pdf(unsigned, keyring.signer, at, keyring.evidence(at))
    if stamped_at is None:
        return pdf
    key = keyring.stamper_key
    assert key is not None
    return with_token(pdf, make_token(key, ("sha256", stamp_imprint(pdf)), stamped_at))


def key_id(keys: Path, purpose: str) -> str:
    return [key for key in published_keys(keys) if key.purpose == purpose and key.until_at is None][-1].key_id


def serials(crl: bytes) -> dict[int, datetime]:
    return {one.serial_number: one.revocation_date_utc for one in x509.load_der_x509_crl(crl)}


def test_a_rotation_changes_every_key_but_the_root_and_keeps_all_that_was_published(keys: Path) -> None:
    before = {key.purpose: key for key in published_keys(keys)}
    assert rotate_demo_keys(keys, NOW, HOST) == 2
    after = published_keys(keys)
    in_use = {key.purpose: key.key_id for key in after if key.until_at is None}
    assert set(in_use) == set(before) == {"root", "document", "stamp", "seal"}
    assert in_use["root"] == before["root"].key_id
    for purpose in ("document", "stamp", "seal"):
        assert in_use[purpose] != before[purpose].key_id
        assert [key.until_at for key in after if key.key_id == before[purpose].key_id] == [NOW]


def test_reports_and_codes_of_before_stay_good_after_a_rotation(keys: Path, unsigned: bytes) -> None:
    seal = ReportSeal("SZ2026112200000017", b"\x01" * 32, HOST, NOW, "suzhou-2024")
    old, old_seal = sign(unsigned, keys, stamped_at=NOW), seal_payload(seal, open_keyring(keys).seal_key)
    rotate_demo_keys(keys, NOW, HOST)
    new, new_seal = sign(unsigned, keys, stamped_at=NOW), seal_payload(seal, open_keyring(keys).seal_key)
    for pdf in (old, new):
        assert facts_of(check_pdf(pdf, current_trust(keys))) == GOOD
    for sealed in (old_seal, new_seal):
        assert open_seal(sealed, load_seal_public_keys(keys)) == seal


def test_a_process_at_work_signs_with_the_new_key_at_once(keys: Path) -> None:
    first = open_keyring(keys).signer
    assert open_keyring(keys).signer is first
    rotate_demo_keys(keys, NOW, HOST)
    assert open_keyring(keys).signer is not first


def test_a_stolen_key_signs_nothing_more_until_there_is_a_new_one(keys: Path) -> None:
    stolen = key_id(keys, "document")
    told = report_compromised(keys, stolen[:6], NOW - timedelta(hours=1), NOW, "备份丢失")
    assert (told.key_id, told.compromised_at, told.reason) == (stolen, NOW - timedelta(hours=1), "备份丢失")
    with pytest.raises(SigningUnavailableError) as caught:
        _ = open_keyring(keys).signer
    assert caught.value.code == "signing-key-compromised"
    rotate_demo_keys(keys, NOW, HOST)
    open_keyring(keys).ready(NOW)


def test_a_stolen_key_of_codes_seals_nothing_more(keys: Path) -> None:
    report_compromised(keys, key_id(keys, "seal"), NOW, NOW)
    _ = open_keyring(keys).signer
    with pytest.raises(SigningUnavailableError):
        _ = open_keyring(keys).seal_key
    with pytest.raises(SigningUnavailableError):
        open_keyring(keys).ready(NOW)


def test_what_was_stamped_before_the_theft_counts_and_nothing_after_it(keys: Path, unsigned: bytes) -> None:
    stolen_at = NOW - timedelta(hours=6)
    before = sign(unsigned, keys, NOW - timedelta(hours=7), stamped_at=NOW - timedelta(hours=7))
    after = sign(unsigned, keys, NOW - timedelta(hours=5), stamped_at=NOW - timedelta(hours=5))
    backdated = sign(unsigned, keys, NOW - timedelta(hours=8))
    certificate = open_keyring(keys).signer.certificate
    report_compromised(keys, key_id(keys, "document"), stolen_at, NOW)
    crl = current_crl(keys, "demo-1", NOW)
    assert crl is not None
    assert serials(crl) == {certificate.serial_number: stolen_at}
    trust = current_trust(keys)
    assert facts_of(check_pdf(before, trust)) == GOOD
    for pdf in (after, backdated):
        facts = check_pdf(pdf, trust)
        assert (facts.intact, facts.signature_valid) == (True, True)
        assert facts.signer_trusted is False
        assert facts.revoked_at == stolen_at


def test_a_theft_is_told_once_and_of_a_key_that_exists_and_not_of_tomorrow(keys: Path) -> None:
    stolen = key_id(keys, "document")
    for name, since, code in (
        ("ffffffffffffffff", NOW, "signing-key-unknown"),
        ("", NOW, "signing-key-unknown"),
        (stolen, NOW + timedelta(days=1), "signing-since-future"),
    ):
        with pytest.raises(KeyFileError) as caught:
            report_compromised(keys, name, since, NOW)
        assert caught.value.code == code
    report_compromised(keys, stolen, NOW, NOW)
    with pytest.raises(KeyFileError) as caught:
        report_compromised(keys, stolen, NOW - timedelta(days=1), NOW)
    assert caught.value.code == "signing-key-known-compromised"


def test_a_stolen_root_takes_everything_under_it_along_and_is_replaced(keys: Path, unsigned: bytes) -> None:
    old = sign(unsigned, keys, stamped_at=NOW)
    report_compromised(keys, key_id(keys, "root"), NOW, NOW)
    with pytest.raises(SigningUnavailableError):
        _ = open_keyring(keys).signer
    assert check_pdf(old, current_trust(keys)).signer_trusted is not True
    rotate_demo_keys(keys, NOW, HOST)
    assert facts_of(check_pdf(sign(unsigned, keys), current_trust(keys))) == GOOD
    assert check_pdf(old, current_trust(keys)).signer_trusted is not True
    roots = [x509.load_der_x509_certificate(key.material) for key in published_keys(keys) if key.purpose == "root"]
    assert len({root.subject.rfc4514_string() for root in roots}) == 2


def test_the_list_is_renewed_daily_and_its_number_grows(keys: Path) -> None:
    numbers, before = [], None
    for day in range(4):
        crl = current_crl(keys, "demo-1", NOW + timedelta(days=day, hours=1))
        assert crl is not None
        assert crl != before
        assert current_crl(keys, "demo-1", NOW + timedelta(days=day, hours=2)) == crl
        listed, before = x509.load_der_x509_crl(crl), crl
        numbers.append(listed.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number)
        assert listed.next_update_utc is not None
        assert listed.next_update_utc > NOW + timedelta(days=day + 6)
    assert numbers == sorted(set(numbers))


def test_roots_and_lists_are_found_by_name_and_nothing_else_is(keys: Path) -> None:
    root = root_certificate(keys, "demo-1")
    assert root is not None
    assert current_trust(keys).roots == (root,)
    certificate = open_keyring(keys).signer.certificate
    points = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    assert [name.value for point in points for name in point.full_name or ()] == [f"https://{HOST}/pki/demo-1.crl"]
    for name in ("demo-2", "demo-", "", "..", "1", "demo-1/../2", "keys"):
        assert current_crl(keys, name, NOW) is None
        assert root_certificate(keys, name) is None


def test_a_folder_that_cannot_be_written_to_still_serves_a_new_list(
    keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(30, "Read-only file system")

    monkeypatch.setattr("xinzheng.adapters.signing.lists.replace_file", refuse)
    crl = current_crl(keys, "demo-1", NOW + timedelta(days=9))
    assert crl is not None
    assert x509.load_der_x509_crl(crl).last_update_utc > NOW + timedelta(days=8)


def test_a_folder_that_cannot_be_made_or_written_to_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    for work in (
        lambda folder: ensure_demo_keys(folder, NOW, HOST),
        lambda folder: rotate_demo_keys(folder, NOW, HOST),
    ):
        with pytest.raises(KeyFileError, match="不能写入"):
            work(tmp_path / "file" / "signing")


def make(folder: str) -> list[str]:
    ensure_demo_keys(Path(folder), NOW, HOST)
    return [key.key_id for key in published_keys(Path(folder))]


def test_processes_that_start_together_agree_on_the_keys(tmp_path: Path) -> None:
    for before in ("none", "first"):
        folder = tmp_path / before
        if before == "first":
            make_first_keys(folder, NOW)
        with ProcessPoolExecutor(4, mp_context=multiprocessing.get_context("spawn")) as pool:
            found = list(pool.map(make, [str(folder)] * 8))
        assert found == [found[0]] * 8
        assert len(list((folder / "generations").iterdir())) == 1


def test_a_crash_while_rotating_leaves_the_old_keys_in_use(keys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = open_keyring(keys).signer.certificate
    from xinzheng.adapters.signing import rotation

    for step in ("write_folder", "write_facts", "replace_file"):
        with monkeypatch.context() as patched:

            def crash(*_: object) -> None:
                raise KeyboardInterrupt

            patched.setattr(rotation, step, crash)
            with pytest.raises(KeyboardInterrupt):
                rotate_demo_keys(keys, NOW, HOST)
        assert open_keyring(keys).signer.certificate == before
        open_keyring(keys).ready(NOW)
    rotate_demo_keys(keys, NOW, HOST)
    assert open_keyring(keys).signer.certificate != before
    in_use = [key.purpose for key in published_keys(keys) if key.until_at is None]
    assert sorted(in_use) == ["document", "root", "seal", "stamp"]


def test_first_keys_of_a_demonstration_are_kept_published_and_retired(tmp_path: Path) -> None:
    make_first_keys(tmp_path / "keys", NOW)
    before = published_keys(tmp_path / "keys")
    assert [key.purpose for key in before] == ["root", "document", "seal"]
    ensure_demo_keys(tmp_path / "keys", NOW, HOST)
    after = {key.key_id: key for key in published_keys(tmp_path / "keys")}
    assert {key.key_id for key in before} < set(after)
    assert [after[key.key_id].until_at for key in before] == [None, NOW, NOW]


def test_an_operators_first_keys_are_never_replaced_unasked(tmp_path: Path, unsigned: bytes) -> None:
    name = x509.Name([x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "某市公共信用信息中心")])
    make_first_keys(tmp_path / "keys", NOW, name)
    files = {file.name: file.read_bytes() for file in (tmp_path / "keys").iterdir()}
    ensure_demo_keys(tmp_path / "keys", NOW, HOST)
    assert {file.name: file.read_bytes() for file in (tmp_path / "keys").iterdir()} == files


def test_a_history_that_cannot_be_read_stops_everything_rather_than_forgetting(keys: Path) -> None:
    with (keys / HISTORY_FILE).open("ab") as file:
        file.write(b'{"key_id": "not ours"}\n')
    with pytest.raises(KeyFileError, match=HISTORY_FILE):
        published_keys(keys)
    with pytest.raises(KeyFileError, match=HISTORY_FILE):
        open_keyring(keys)


def test_a_line_torn_by_a_power_cut_was_never_written(keys: Path) -> None:
    before = published_keys(keys)
    with (keys / HISTORY_FILE).open("ab") as file:
        file.write(b'{"key_id": "half a li')
    assert published_keys(keys) == before
    rotate_demo_keys(keys, NOW, HOST)
    assert len(published_keys(keys)) == len(before) + 3


def test_an_expired_certificate_is_not_signed_with(keys: Path) -> None:
    with pytest.raises(SigningUnavailableError) as caught:
        open_keyring(keys).ready(NOW + timedelta(days=3660))
    assert caught.value.code == "signing-key-expired"


def test_facts_of_one_key_are_written_once(keys: Path) -> None:
    from xinzheng.adapters.signing.key_history import read_facts, write_facts

    before = read_facts(keys)
    write_facts(keys, [certificate_fact("document", "published", open_keyring(keys).signer.certificate, NOW)])
    assert read_facts(keys) == before

"""Keys in a hardware store: SoftHSM signs reports and codes, goes away, comes back, and never shows a key or a PIN."""

import os
import subprocess
import sys
import traceback
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pkcs11
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from pkcs11.util.ec import encode_named_curve_parameters

from xinzheng.adapters.pdf import render_report
from xinzheng.adapters.signing import (
    KeyFileError,
    ReportSeal,
    SigningUnavailableError,
    check_pdf,
    ensure_demo_keys,
    install_hardware,
    load_demo_trust,
    load_seal_public_keys,
    open_keyring,
    open_seal,
    seal_payload,
    sign_pdf,
    stamp_imprint,
    stamper_of,
    with_token,
)

MODULE = Path("/usr/lib/softhsm/libsofthsm2.so")
PIN = "714253-only-in-a-file"
NOW = datetime.now(UTC).replace(microsecond=0)
HOST = "127.0.0.1:8000"
CONTENT = (Path(__file__).parents[1] / "data/reports/suzhou-clear.json").read_bytes()
MakeStore = Callable[[str], Path]


@pytest.fixture(scope="module")
def unsigned() -> bytes:
    return render_report(CONTENT, "https://host.example/v/7K3M9Q2XB4HT#" + "A" * 240)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakeStore:
    """Makes a token of its own with two keys, and the description of it."""

    def make(kind: str) -> Path:
        (tmp_path / "tokens").mkdir(exist_ok=True)
        (tmp_path / "soft.conf").write_text(f"directories.tokendir = {tmp_path}/tokens\nlog.level = ERROR\n")
        monkeypatch.setenv("SOFTHSM2_CONF", str(tmp_path / "soft.conf"))
        label = f"xz-{uuid4().hex[:16]}"
        words = ("softhsm2-util", "--init-token", "--free", "--label", label, "--so-pin", "12345678", "--pin", PIN)
        subprocess.run(words, check=True, capture_output=True)
        pkcs11.lib(str(MODULE)).reinitialize()
        with pkcs11.lib(str(MODULE)).get_token(token_label=label).open(user_pin=PIN, rw=True) as session:
            if kind == "rsa":
                session.generate_keypair(pkcs11.KeyType.RSA, 3072, store=True, label="report")
            curve = {pkcs11.Attribute.EC_PARAMS: encode_named_curve_parameters("secp256r1")}
            for name in ("seal", "other", *(("report",) if kind == "ecdsa" else ())):
                parameters = session.create_domain_parameters(pkcs11.KeyType.EC, curve, local=True)
                parameters.generate_keypair(store=True, label=name)
        (tmp_path / "pin").write_text(f"{PIN}\n")
        (tmp_path / "store.toml").write_text(
            f'module = "{MODULE}"\ntoken_label = "{label}"\npin_file = "pin"\n'
            'document_key = "report"\nseal_key = "seal"\n'
        )
        return tmp_path / "store.toml"

    return make


def put_in_use(folder: Path, description: Path) -> Path:
    ensure_demo_keys(folder, NOW)
    install_hardware(folder, description, NOW, HOST)
    return folder


@pytest.mark.parametrize(("kind", "public"), [("ecdsa", ec.EllipticCurvePublicKey), ("rsa", rsa.RSAPublicKey)])
def test_a_key_in_the_store_signs_a_report_that_every_check_accepts(
    kind: str, public: type, store: MakeStore, tmp_path: Path, unsigned: bytes
) -> None:
    description = store(kind)
    keys = put_in_use(tmp_path / "keys", description)
    keyring = open_keyring(keys, description)
    assert isinstance(keyring.signer.certificate.public_key(), public)
    keyring.ready(NOW)
    signed = sign_pdf(unsigned, keyring.signer, NOW, keyring.evidence(NOW))
    stamper = stamper_of("demo", keyring)
    assert stamper is not None
    stamped = with_token(signed, stamper.stamp(stamp_imprint(signed)))
    facts = check_pdf(stamped, load_demo_trust(keys))
    assert (facts.intact, facts.signature_valid, facts.signer_trusted, facts.level) == (True, True, True, "B-LT")
    (tmp_path / "report.pdf").write_bytes(stamped)
    said = subprocess.run(["pdfsig", "-nocert", tmp_path / "report.pdf"], capture_output=True, text=True, check=True)
    assert "Signature is Valid." in said.stdout


def test_a_key_in_the_store_seals_codes_that_the_published_key_opens(store: MakeStore, tmp_path: Path) -> None:
    description = store("ecdsa")
    keys = put_in_use(tmp_path / "keys", description)
    seal = ReportSeal("SZ2026112200000017", b"\x01" * 32, HOST, NOW, "suzhou-2024")
    sealed = seal_payload(seal, open_keyring(keys, description).seal_key)
    assert open_seal(sealed, load_seal_public_keys(keys)) == seal


def test_no_private_key_of_the_store_and_no_pin_stands_in_the_folder(store: MakeStore, tmp_path: Path) -> None:
    keys = put_in_use(tmp_path / "keys", store("ecdsa"))
    place = keys / "generations" / "2"
    assert not {"signer.p12", "seal-key.pem"} & {file.name for file in place.iterdir()}
    for file in place.iterdir():
        assert PIN.encode() not in file.read_bytes()
        assert b"PRIVATE" not in file.read_bytes()


def test_a_store_that_goes_away_and_comes_back_is_said_and_used_again(
    store: MakeStore, tmp_path: Path, unsigned: bytes
) -> None:
    description = store("ecdsa")
    keys = put_in_use(tmp_path / "keys", description)
    keyring = open_keyring(keys, description)
    keyring.signer.ready()
    (tmp_path / "tokens").rename(tmp_path / "pulled-out")
    with pytest.raises(SigningUnavailableError) as caught:
        sign_pdf(unsigned, keyring.signer, NOW)
    assert "硬件密钥库" in caught.value.message
    assert PIN not in "".join(traceback.format_exception(caught.value)) + repr(keyring.signer.key)
    (tmp_path / "pulled-out").rename(tmp_path / "tokens")
    facts = check_pdf(sign_pdf(unsigned, keyring.signer, NOW), load_demo_trust(keys))
    assert (facts.intact, facts.signature_valid, facts.signer_trusted) == (True, True, True)


def test_a_session_that_broke_is_opened_again_unnoticed(store: MakeStore, tmp_path: Path) -> None:
    description = store("ecdsa")
    keyring = open_keyring(put_in_use(tmp_path / "keys", description), description)
    keyring.signer.ready()
    pkcs11.lib(str(MODULE)).reinitialize()
    keyring.signer.ready()


def test_a_wrong_pin_is_told_without_the_pin(store: MakeStore, tmp_path: Path) -> None:
    description = store("ecdsa")
    keys = put_in_use(tmp_path / "keys", description)
    open_keyring(keys, description).signer.ready()
    wrong = "000000-not-the-pin"
    (tmp_path / "pin").write_text(wrong)
    pkcs11.lib(str(MODULE)).reinitialize()
    with pytest.raises(SigningUnavailableError, match="PinIncorrect") as caught:
        open_keyring(keys, description).signer.ready()
    assert wrong not in "".join(traceback.format_exception(caught.value))


def test_a_label_of_another_key_signs_nothing(store: MakeStore, tmp_path: Path) -> None:
    description = store("ecdsa")
    keys = put_in_use(tmp_path / "keys", description)
    description.write_text(description.read_text().replace('"report"', '"other"'))
    with pytest.raises(SigningUnavailableError, match="不是同一把"):
        open_keyring(keys, description).signer.ready()


def test_a_key_that_is_not_in_the_store_is_said(store: MakeStore, tmp_path: Path) -> None:
    description = store("ecdsa")
    description.write_text(description.read_text().replace('"report"', '"lost"'))
    ensure_demo_keys(tmp_path / "keys", NOW)
    with pytest.raises(SigningUnavailableError, match="NoSuchKey"):
        install_hardware(tmp_path / "keys", description, NOW, HOST)


def test_the_setting_and_the_keys_in_use_have_to_agree(store: MakeStore, tmp_path: Path) -> None:
    description = store("ecdsa")
    keys = tmp_path / "keys"
    ensure_demo_keys(keys, NOW)
    with pytest.raises(KeyFileError) as caught:
        _ = open_keyring(keys, description).signer
    assert caught.value.code == "signing-key-store-differs"
    install_hardware(keys, description, NOW + timedelta(seconds=1), HOST)
    with pytest.raises(KeyFileError) as caught:
        _ = open_keyring(keys).seal_key
    assert caught.value.code == "signing-key-store-differs"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("module = ", "TOML"),
        ('module = "/x.so"', "pin_file"),
        (
            'module="a"\ntoken_label="b"\npin_file="c"\ndocument_key="d"\nseal_key="e"\ncertificate="f"',
            "certificate 和 roots",
        ),
        ('module="a"\ntoken_label="b"\npin_file="c"\ndocument_key="d"\nseal_key="e"\npin="1234"', "pin"),
    ],
)
def test_a_description_that_is_wrong_is_named(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "store.toml").write_text(text)
    with pytest.raises(KeyFileError, match=said):
        install_hardware(tmp_path / "keys", tmp_path / "store.toml", NOW, HOST)


FORKED = """
import os, sys
from pathlib import Path
from uuid import uuid4
from xinzheng.adapters.signing import open_keyring
keyring = open_keyring(Path(sys.argv[1]), Path(sys.argv[2]))
keyring.signer.ready()
child = os.fork()
keyring.signer.ready()
if child == 0:
    os._exit(0)
_, status = os.waitpid(child, 0)
sys.exit(os.waitstatus_to_exitcode(status))
"""


def test_a_forked_process_opens_a_session_of_its_own(store: MakeStore, tmp_path: Path) -> None:
    description = store("ecdsa")
    keys = put_in_use(tmp_path / "keys", description)
    words = [sys.executable, "-c", FORKED, str(keys), str(description)]
    done = subprocess.run(words, env={**os.environ}, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")

"""What looks at every report the tests issue accepts a good one and would refuse a bad one."""

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.db import connection
from django.db.backends.utils import CursorWrapper
from pyhanko.sign.validation.errors import NoDSSFoundError

from tests.soundness import all_are_sound, assert_sound, assert_stored_are_sound, issued_are_sound
from xinzheng.adapters import signing
from xinzheng.adapters.pdf import render_report, typesetting
from xinzheng.adapters.qr import qr_svg
from xinzheng.adapters.signing import (
    Keyring,
    ReportSeal,
    ensure_demo_keys,
    open_keyring,
    qr_text,
    seal_payload,
    sign_pdf,
    stamp_imprint,
    stamper_of,
    with_token,
)

CONTENT = (Path(__file__).parents[1] / "data/reports/suzhou-clear.json").read_bytes()
NOW = datetime.now(UTC).replace(microsecond=0)
DOCUMENT = "INSERT INTO reports_reportdocument (report_id, pdf, sha256) VALUES (%s, %s, %s)"
STAMP = (
    "INSERT INTO reports_documentstamp (report_id, token, sha256, authority, stamped_at) VALUES (%s, %s, %s, '', %s)"
)


@pytest.fixture
def keyring(tmp_path: Path) -> Keyring:
    ensure_demo_keys(tmp_path / "keys", NOW)
    return open_keyring(tmp_path / "keys")


@pytest.fixture
def stored(transactional_db: None) -> Iterator[CursorWrapper]:
    """The tables of reports without what binds them to others; what a test leaves there is gone in the end."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        yield cursor
        cursor.execute("TRUNCATE reports_reportdocument, reports_documentstamp")
        cursor.execute("RESET session_replication_role")


def unsigned(keyring: Keyring, content: bytes = CONTENT) -> bytes:
    """The report on CONTENT with a code that vouches for ``content``."""
    report = json.loads(content)
    digest, host = hashlib.sha256(content).digest(), report["verification"]["host"]
    seal = ReportSeal(report["number"], digest, host, datetime.fromisoformat(report["as_of"]), report["policy"]["id"])
    return render_report(CONTENT, qr_text(seal_payload(seal, keyring.seal_key), "A" * 22))


def signed(keyring: Keyring, pdf: bytes) -> bytes:
    return sign_pdf(pdf, keyring.signer, NOW, keyring.evidence(NOW))


def token_for(keyring: Keyring, pdf: bytes) -> bytes:
    stamper = stamper_of("demo", keyring)
    assert stamper is not None
    return stamper.stamp(stamp_imprint(pdf))


@pytest.fixture
def with_faint_code(keyring: Keyring, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """A report whose code is printed a third of its size: a screen shows it, a plain scan does not."""

    def shrunk(text: str) -> str:
        svg = qr_svg(text)
        side = svg.split('width="')[1].split('"')[0]
        return svg.replace(side, f"{float(side.removesuffix('mm')) / 3:.3f}mm")

    with monkeypatch.context() as patched:
        patched.setattr(typesetting, "qr_svg", shrunk)
        return unsigned(keyring)


def test_a_good_report_is_sound_stamped_or_not_and_a_bad_one_is_not(keyring: Keyring) -> None:
    bare = signed(keyring, unsigned(keyring))
    stamped = with_token(bare, token_for(keyring, bare))
    assert_sound(bare)
    assert_sound(stamped)
    for bad in (stamped[:5000] + b"?" + stamped[5001:], stamped + b"\n"):
        with pytest.raises(AssertionError):
            assert_sound(bad)
    with pytest.raises(NoDSSFoundError):
        assert_sound(sign_pdf(unsigned(keyring), keyring.signer, NOW))


def test_a_code_that_a_plain_scan_does_not_show_is_refused_wherever_the_report_was_issued(
    keyring: Keyring, with_faint_code: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(AssertionError, match="zbar read: ''"):
        assert_sound(signed(keyring, with_faint_code))
    monkeypatch.setattr(signing, "sign_pdf", sign_pdf)  # what looks at this test need not see the bad one
    with pytest.raises(AssertionError, match="zbar read: ''"), issued_are_sound(monkeypatch):
        signing.sign_pdf(with_faint_code, keyring.signer, NOW, keyring.evidence(NOW))


def test_a_code_that_vouches_for_another_content_is_refused(keyring: Keyring) -> None:
    other = CONTENT.replace("示例甲".encode(), "示例乙".encode())
    with pytest.raises(AssertionError, match="another content"):
        assert_sound(signed(keyring, unsigned(keyring, other)))


def test_what_another_process_left_in_the_database_is_looked_at_once_with_its_stamp_and_without(
    keyring: Keyring, stored: CursorWrapper
) -> None:
    bare = signed(keyring, unsigned(keyring))
    keep(stored, bare, token_for(keyring, bare))
    keep(stored, signed(keyring, unsigned(keyring)))
    assert [assert_stored_are_sound(stored) for _ in range(2)] == [2, 0]


@pytest.mark.parametrize("ill", ["code", "file"])
def test_what_another_process_left_ill_in_the_database_fails_the_test_that_started_it(
    ill: str,
    keyring: Keyring,
    with_faint_code: bytes,
    stored: CursorWrapper,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pdf = signed(keyring, with_faint_code) if ill == "code" else signed(keyring, unsigned(keyring)) + b"\n"
    with pytest.raises(AssertionError), all_are_sound(request, monkeypatch):
        keep(stored, pdf)


def keep(cursor: CursorWrapper, pdf: bytes, token: bytes | None = None) -> None:
    digest = hashlib.sha256(pdf).digest()
    cursor.execute(DOCUMENT, [digest.hex()[:18], pdf, digest])
    if token is not None:
        cursor.execute(STAMP, [digest.hex()[:18], token, hashlib.sha256(with_token(pdf, token)).digest(), NOW])

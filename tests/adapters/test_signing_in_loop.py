"""Signing and checking also work where an event loop already runs, as in an asynchronous server."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from xinzheng.adapters.pdf import render_report
from xinzheng.adapters.signing import (
    check_pdf,
    ensure_demo_keys,
    load_demo_trust,
    open_keyring,
    sign_pdf,
    stamp_imprint,
    stamper_of,
    with_token,
)
from xinzheng.adapters.signing.examiner import examine

CONTENT = (Path(__file__).parents[1] / "data/reports/suzhou-clear.json").read_bytes()


def test_a_report_is_signed_stamped_and_checked_inside_a_running_event_loop(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    ensure_demo_keys(tmp_path / "keys", now)

    async def inside() -> tuple[bool | None, bool | None, bool | None, str | None]:
        keyring = open_keyring(tmp_path / "keys")
        pdf = render_report(CONTENT, "https://host.example/v/x")
        signed = sign_pdf(pdf, keyring.signer, now, keyring.evidence(now))
        stamper = stamper_of("demo", keyring)
        assert stamper is not None
        stamped = with_token(signed, stamper.stamp(stamp_imprint(signed)))
        facts = check_pdf(stamped, load_demo_trust(tmp_path / "keys"))
        assert examine(BytesIO(stamped), load_demo_trust(tmp_path / "keys")) == facts
        return facts.intact, facts.signature_valid, facts.signer_trusted, facts.level

    # In a thread of its own, for a browser test before this one may have left a loop running here.
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(lambda: asyncio.run(inside())).result() == (True, True, True, "B-LT")


def test_putting_a_stamp_in_and_checking_it_takes_as_long_whatever_its_length(tmp_path: Path) -> None:
    """The library of the signatures' structures writes lengths that end in 80 anew, again and again."""
    now = datetime.now(UTC)
    ensure_demo_keys(tmp_path / "keys", now)
    keyring, trust = open_keyring(tmp_path / "keys"), load_demo_trust(tmp_path / "keys")
    stamper = stamper_of("demo", keyring)
    assert stamper is not None
    pdf = render_report(CONTENT, "https://host.example/v/x")
    for _ in range(8):
        signed = sign_pdf(pdf, keyring.signer, now, keyring.evidence(now))
        token = stamper.stamp(stamp_imprint(signed))
        began = time.process_time()
        assert check_pdf(with_token(signed, token), trust).level == "B-LT"
        assert time.process_time() - began < 0.3

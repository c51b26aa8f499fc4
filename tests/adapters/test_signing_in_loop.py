"""Signing and checking also work where an event loop already runs, as in an asynchronous server."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from xinzheng.adapters.pdf import render_report
from xinzheng.adapters.signing import check_pdf, ensure_demo_keys, load_demo_trust, load_signer, sign_pdf

CONTENT = (Path(__file__).parents[1] / "data/reports/suzhou-clear.json").read_bytes()


def test_a_report_is_signed_and_checked_inside_a_running_event_loop(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    ensure_demo_keys(tmp_path / "keys", now)

    async def inside() -> tuple[bool | None, bool | None, bool | None]:
        signed = sign_pdf(render_report(CONTENT, "https://host.example/v/x"), load_signer(tmp_path / "keys"), now)
        facts = check_pdf(signed, load_demo_trust(tmp_path / "keys"))
        return facts.intact, facts.signature_valid, facts.signer_trusted

    # In a thread of its own, for a browser test before this one may have left a loop running here.
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(lambda: asyncio.run(inside())).result() == (True, True, True)

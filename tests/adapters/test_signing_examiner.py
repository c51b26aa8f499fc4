"""The examiner's process answers as the check itself does, and outlives whatever it is handed."""

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest

from xinzheng.adapters.examining import asking
from xinzheng.adapters.pdf import render_report
from xinzheng.adapters.signing import (
    Trust,
    check_pdf,
    ensure_demo_keys,
    examiner,
    load_demo_trust,
    load_signer,
    sign_pdf,
)
from xinzheng.adapters.signing.examiner import Limits, close_examiner, examine

CONTENT = (Path(__file__).parents[1] / "data/reports/suzhou-clear.json").read_bytes()
SIGNED_AT = datetime(2026, 11, 21, 7, 8, 2, tzinfo=UTC)


@pytest.fixture(scope="module")
def trust(tmp_path_factory: pytest.TempPathFactory) -> Trust:
    folder = tmp_path_factory.mktemp("home") / "keys"
    ensure_demo_keys(folder, SIGNED_AT)
    return load_demo_trust(folder)


@pytest.fixture(scope="module")
def signed(trust: Trust, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = next(tmp_path_factory.getbasetemp().glob("home*/keys"))
    return sign_pdf(render_report(CONTENT, "https://host.example/v/x"), load_signer(folder), SIGNED_AT)


@pytest.fixture(autouse=True, scope="module")
def closed_afterwards() -> Iterator[None]:
    yield
    close_examiner()


def process_of_the_examiner() -> int:
    return asking._running.alive()._process.pid


def test_the_process_answers_as_the_check_itself(signed: bytes, trust: Trust) -> None:
    altered = signed[:5000] + b"?" + signed[5001:]
    for file in (signed, altered, signed + b"\n", signed[:-7], b"noise", b""):
        assert examine(BytesIO(file), trust) == check_pdf(file, trust)
    assert examine(BytesIO(signed), trust).content is not None


def test_a_file_on_the_disk_is_read_from_its_beginning_whatever_its_position(
    signed: bytes, trust: Trust, tmp_path: Path
) -> None:
    (tmp_path / "report.pdf").write_bytes(signed)
    with (tmp_path / "report.pdf").open("rb") as file:
        file.seek(1234)
        assert examine(file, trust).intact is True
        assert file.tell() == 1234
    with (tmp_path / "other.pdf").open("wb+") as unflushed:
        unflushed.write(signed)
        assert examine(unflushed, trust).intact is True


def test_a_file_over_twenty_megabytes_reaches_no_process(trust: Trust) -> None:
    facts = examine(BytesIO(bytes(20 * 1024**2 + 1)), trust)
    assert (facts.intact, facts.signature_valid, facts.signer_trusted) == (None, None, None)
    assert "没有核对" in facts.reasons[0]


def test_a_file_over_the_bound_of_memory_is_not_examined_rather_than_found_bad(signed: bytes, trust: Trust) -> None:
    facts = examine(BytesIO(signed), trust, Limits(memory_bytes=64 * 1024**2))
    assert (facts.intact, facts.signature_valid, facts.signer_trusted) == (None, None, None)
    assert facts.reasons == (examiner.OVER_LIMIT,)
    assert examine(BytesIO(signed), trust).intact is True


def test_a_killed_process_is_started_again(signed: bytes, trust: Trust) -> None:
    before = process_of_the_examiner()
    os.kill(before, signal.SIGKILL)
    assert examine(BytesIO(signed), trust).intact is True
    assert process_of_the_examiner() != before


def test_a_process_killed_in_the_middle_of_a_file_is_started_again(signed: bytes, trust: Trust) -> None:
    started = process_of_the_examiner()
    os.kill(started, signal.SIGSTOP)
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(examine, BytesIO(signed), trust)
        time.sleep(0.2)
        os.kill(started, signal.SIGKILL)
        assert answer.result().intact is True


def test_a_process_that_hangs_is_ended_and_the_next_file_gets_another(signed: bytes, trust: Trust) -> None:
    hanging = process_of_the_examiner()
    os.kill(hanging, signal.SIGSTOP)
    assert examine(BytesIO(signed), trust, Limits(wall_seconds=0.1)).reasons == (examiner.OVER_LIMIT,)
    assert not Path(f"/proc/{hanging}").exists()
    assert examine(BytesIO(signed), trust).intact is True


def test_twenty_files_at_once_are_all_examined_and_no_child_is_left(signed: bytes, trust: Trust) -> None:
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: examine(BytesIO(signed), trust, Limits(waiting_seconds=30)), range(20)))
    assert all(answer.intact for answer in answers)
    time.sleep(0.5)
    assert children_of(process_of_the_examiner()) == []


def test_a_file_that_waits_too_long_for_a_place_is_told_to_come_again(signed: bytes, trust: Trust) -> None:
    held = [asking._running.places.acquire() for _ in range(asking.PLACES)]
    try:
        facts = examine(BytesIO(signed), trust, Limits(waiting_seconds=0.05))
    finally:
        for _ in held:
            asking._running.places.release()
    assert facts.reasons == (examiner.BUSY,)
    assert facts.intact is None


def test_closing_ends_the_process(signed: bytes, trust: Trust) -> None:
    pid = process_of_the_examiner()
    close_examiner()
    assert not Path(f"/proc/{pid}").exists()
    assert examine(BytesIO(signed), trust).intact is True


def test_a_forked_child_starts_a_process_of_its_own(signed: bytes, trust: Trust) -> None:
    mine = process_of_the_examiner()
    pid = os.fork()
    if pid == 0:
        try:
            fine = examine(BytesIO(signed), trust).intact is True and process_of_the_examiner() != mine
            close_examiner()
            os._exit(0 if fine else 1)
        finally:
            os._exit(2)
    assert os.waitpid(pid, 0)[1] == 0
    assert process_of_the_examiner() == mine
    assert examine(BytesIO(signed), trust).intact is True


def test_the_process_has_nothing_of_our_environment(signed: bytes, trust: Trust) -> None:
    examine(BytesIO(signed), trust)
    environment = Path(f"/proc/{process_of_the_examiner()}/environ").read_bytes().split(b"\0")
    assert {entry.split(b"=")[0] for entry in environment} <= {b"", b"PYTHONPATH", b"PYTHONDONTWRITEBYTECODE"}


def children_of(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()

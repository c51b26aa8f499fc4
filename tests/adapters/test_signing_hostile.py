"""A hostile file costs its own process some seconds, and nobody else anything."""

import resource
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest

from tests import hostile_pdfs
from xinzheng.adapters.pdf import render_report
from xinzheng.adapters.signing import Trust, ensure_demo_keys, load_demo_trust, load_signer, sign_pdf
from xinzheng.adapters.signing.examiner import OVER_LIMIT, Limits, close_examiner, examine

CONTENT = (Path(__file__).parents[1] / "data/reports/suzhou-clear.json").read_bytes()
SIGNED_AT = datetime(2026, 11, 21, 7, 8, 2, tzinfo=UTC)
SHORT = Limits(wall_seconds=1.5, cpu_seconds=2, waiting_seconds=30)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home") / "keys"
    ensure_demo_keys(folder, SIGNED_AT)
    return folder


@pytest.fixture(scope="module")
def trust(keys: Path) -> Trust:
    return load_demo_trust(keys)


@pytest.fixture(scope="module")
def signed(keys: Path) -> bytes:
    return sign_pdf(render_report(CONTENT, "https://host.example/v/x"), load_signer(keys), SIGNED_AT)


@pytest.fixture(autouse=True, scope="module")
def closed_afterwards() -> Iterator[None]:
    yield
    close_examiner()


@pytest.mark.parametrize("kind", hostile_pdfs.HOSTILE)
def test_a_hostile_file_is_never_good_and_takes_no_longer_than_allowed(kind: str, trust: Trust) -> None:
    file = hostile_pdfs.HOSTILE[kind]()
    examine(BytesIO(b""), trust)  # the process runs
    began = time.monotonic()
    facts = examine(BytesIO(file), trust, SHORT)
    assert time.monotonic() - began < SHORT.wall_seconds + 1
    assert facts.intact is not True
    assert facts.signature_valid is not True
    assert facts.signer_trusted is not True
    assert facts.reasons
    assert facts.content is None


def test_a_file_that_was_not_read_to_its_end_is_not_examined_rather_than_found_bad(trust: Trust) -> None:
    facts = examine(BytesIO(hostile_pdfs.a_tree_of_fields_that_doubles()), trust, Limits(wall_seconds=0.3))
    assert (facts.intact, facts.signature_valid, facts.signer_trusted) == (None, None, None)
    assert facts.reasons == (OVER_LIMIT,)


def test_the_bound_of_the_processor_ends_a_file_too(trust: Trust) -> None:
    facts = examine(
        BytesIO(hostile_pdfs.a_tree_of_fields_that_doubles()), trust, Limits(wall_seconds=30, cpu_seconds=1)
    )
    assert facts.reasons == (OVER_LIMIT,)


def test_a_bomb_in_the_attachment_of_a_strangers_own_signed_file_is_not_unpacked(trust: Trust, tmp_path: Path) -> None:
    ensure_demo_keys(tmp_path / "theirs", SIGNED_AT)
    bomb = sign_pdf(hostile_pdfs.a_bomb_in_the_attachment(), load_signer(tmp_path / "theirs"), SIGNED_AT)
    began = time.monotonic()
    facts = examine(BytesIO(bomb), trust, SHORT)
    assert time.monotonic() - began < SHORT.wall_seconds
    assert (facts.intact, facts.signature_valid, facts.signer_trusted) == (True, True, False)
    assert facts.content is None


def test_a_good_report_is_answered_while_hostile_files_are_examined(signed: bytes, trust: Trust) -> None:
    hostile = hostile_pdfs.a_tree_of_fields_that_doubles()
    with ThreadPoolExecutor(3) as pool:
        bad = [pool.submit(examine, BytesIO(hostile), trust, SHORT) for _ in range(3)]
        time.sleep(0.1)
        good = examine(BytesIO(signed), trust, Limits(waiting_seconds=30))
        assert good.intact is True
        assert not any(one.done() for one in bad)
        assert [one.result().intact for one in bad] == [None, None, None]


def test_hostile_files_cost_this_process_no_memory(trust: Trust) -> None:
    files = [hostile_pdfs.a_ring_of_fields(), hostile_pdfs.ten_million_names()]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for file in files:
        examine(BytesIO(file), trust, SHORT)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 16 * 1024

"""The page that needs no server examines: its parsers and its facts run in Node, on files made here."""

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from tests import offline_samples as made
from tests.mutations import with_certificate, with_long_header, with_other_half
from tests.offline_cases import AFTER, GROUPS, Case, every_case, history
from tests.offline_samples import SIGNED_AT, Kind, certify, city, published
from tests.running_node import run_node
from xinzheng.adapters.offline import OfflineFacts, examine_code, examine_file, keys_in_text
from xinzheng.adapters.signing import Trust, check_pdf


def written(folder: Path, name: str, data: bytes) -> str:
    (folder / name).write_bytes(data)
    return name


def appended(pdf: bytes) -> bytes:
    writer = IncrementalPdfFileWriter(BytesIO(pdf))
    writer.root["/Lang"] = writer.root.raw_get("/Lang")
    writer.update_root()
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


def hostile_files() -> Iterator[tuple[str, bytes]]:
    """Changed files: more than a hundred, none of which may pass."""
    own = city()
    plain = made.signed(own.signer)
    stamped = made.stamped(plain, own.stamper)
    twin = certify("示例根 ROOT", made.new_p256(), kind=Kind(below=1))
    namesake = certify("示例报告签发 SIGNER", made.new_p256(), twin)
    same_key = certify("示例报告签发 SIGNER", own.signer.key, twin)
    yield "re-signed by a namesake", made.signed(namesake)
    yield "re-signed, root put in", made.signed(namesake, twin)
    yield "certified again for the same key", made.signed(same_key)
    yield "self-signed", made.signed(certify("示例报告签发 SIGNER", made.new_p256()))
    yield "no authority", made.signed(certify("甲", made.new_p256(), own.signer), own.signer)
    yield "stranger's stamp", made.stamped(plain, certify("示例时间戳", made.new_rsa(), twin, Kind(is_stamper=True)))
    yield "stamp of a signer", made.stamped(plain, certify("乙", made.new_rsa(), own.root))
    short = Kind(is_stamper=True, life=(timedelta(days=300), timedelta(days=600)))
    yield "stamp of a later authority", made.stamped(plain, certify("丙", made.new_rsa(), own.root, short))
    yield "stamp out of its time", made.stamped(plain, own.stamper, SIGNED_AT + timedelta(days=5000))
    room = made.container(plain)
    other = made.stamped(made.signed(own.signer, at=AFTER), own.stamper)
    yield "container of another report", plain[: room.start] + other[room] + plain[room.stop :]
    for name, change in changes(own.root.der):
        yield name, change(plain)
        yield f"{name}, stamped", change(stamped)
    chance = random.Random(20261121)
    for n in range(40):
        yield f"cut short {n}", stamped[: chance.randrange(len(stamped))]
    for n in range(40):
        at, length = chance.randrange(len(stamped)), chance.randrange(1, 40)
        yield f"overwritten {n}", stamped[:at] + chance.randbytes(length) + stamped[at + length :]
    for n in range(20):
        at = chance.randrange(len(stamped))
        yield f"put in {n}", stamped[:at] + chance.randbytes(3) + stamped[at:]


def changes(certificate: bytes) -> Iterator[tuple[str, Callable[[bytes], bytes]]]:
    """Changes that go for any signed file."""
    yield "appended", appended
    yield "a line more", lambda pdf: pdf + b"\n"
    yield "junk before", lambda pdf: b"junk\n" + pdf
    yield "lower case", lambda pdf: pdf.replace(b"06092A864886F70D010702", b"06092a864886F70D010702")
    yield "a byte less", lambda pdf: pdf[:-1]
    yield "foreign certificate", lambda pdf: with_certificate(pdf, certificate)
    yield "other half", with_other_half
    yield "long header", with_long_header
    yield "no ranges", lambda pdf: pdf.replace(b"/ByteRange", b"/ByteRangf")
    yield "two ranges", lambda pdf: pdf + b"/ByteRange [0 1 2 3]"
    yield "nothing", lambda pdf: b""
    yield "no pdf", lambda pdf: b"PK\x03\x04" + pdf[4:]
    yield "hole", lambda pdf: pdf.replace(b"/ByteRange [0 ", b"/ByteRange [1 ")
    yield "padding", lambda pdf: pdf.replace(b"0>\n/ByteRange", b"1>\n/ByteRange")
    yield "in brackets", lambda pdf: pdf.replace(b"0>\n/ByteRange", b" >\n/ByteRange")


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("samples")
    cases = []
    for number, case in enumerate(every_case()):
        pdf = written(folder, f"case{number}.pdf", case.pdf) if case.pdf else None
        cases.append(asdict(case) | {"pdf": pdf})
    files = [written(folder, f"hostile{n}.pdf", data) for n, (_, data) in enumerate(hostile_files())]
    own = city()
    plain = written(folder, "plain.pdf", made.signed(own.signer))
    stamped = written(folder, "stamped.pdf", made.stamped(made.signed(own.signer), own.stamper))
    flipped = [{"name": name, "keys": published()} for name in (plain, stamped)]
    told = {"cases": cases, "hostile": {"files": files, "keys": published()}, "flipped": flipped}
    (folder / "cases.json").write_text(json.dumps(told), encoding="utf-8")
    return folder


def test_the_parsers_read_one_form_and_end() -> None:
    run_node("parsers.test.mjs")


def test_every_way_we_sign_is_examined_and_no_changed_file_passes(samples: Path) -> None:
    assert len(list(samples.glob("hostile*.pdf"))) >= 100
    run_node("samples.test.mjs", samples)


def examined(case: Case) -> OfflineFacts:
    keys = keys_in_text(json.dumps(case.keys))
    return examine_file(BytesIO(case.pdf), keys) if case.pdf else examine_code(case.qr, keys)


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.__name__)
def test_the_product_finds_what_the_page_finds(group: Callable[[], Iterator[Case]]) -> None:
    for case in group():
        if case.is_for_page:
            continue
        facts = examined(case)
        for fact in {"intact", "signature_valid", "signer_trusted", "number"} & case.expect.keys():
            assert getattr(facts, fact) == case.expect[fact], (case.name, fact, facts.reasons)


def test_the_register_weighs_the_history_of_the_keys_as_off_line() -> None:
    for case in history():
        keys = keys_in_text(json.dumps(case.keys))
        facts = check_pdf(case.pdf, keys.trust)
        assert facts.signer_trusted is case.expect["signer_trusted"], case.name
        assert not facts.signer_trusted or facts.provable_before is None


def test_the_product_agrees_that_no_changed_file_is_ours() -> None:
    roots = Trust((city().root.der,))
    passed = [
        name
        for name, data in hostile_files()
        if (facts := check_pdf(data, roots)).intact and facts.signature_valid and facts.signer_trusted
    ]
    assert passed == []

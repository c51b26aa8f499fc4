"""The page that needs no server examines: its parsers and its facts run in Node, on files made here."""

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from tests import offline_samples as made
from tests.mutations import with_certificate, with_long_header, with_other_half
from tests.offline_samples import SIGNED_AT, Kind, certificate_entry, certify, city, published
from tests.running_node import run_node
from xinzheng.adapters.signing import ReportSigner, Trust, check_pdf, sign_pdf
from xinzheng.adapters.signing.form import TOKEN_ROOM
from xinzheng.adapters.signing.raw_keys import SoftwareKey
from xinzheng.adapters.transparency import LogKey
from xinzheng.core.lifecycle import ReportStatus

GOOD = {"intact": True, "signature_valid": True, "signer_trusted": True}
BAD = GOOD | {"signer_trusted": False}
BEFORE, AFTER = SIGNED_AT - timedelta(days=2), SIGNED_AT + timedelta(days=2)


@dataclass(frozen=True)
class Case:
    """What is handed in, and what is to be found."""

    name: str
    expect: dict[str, Any]
    pdf: bytes = b""
    qr: str = ""
    proof: dict[str, object] | None = None
    keys: dict[str, Any] = field(default_factory=published)
    says: tuple[str, ...] = ()


def kinds() -> Iterator[Case]:
    """Every way we sign."""
    own = city()
    plain = made.signed(own.signer)
    yield Case("P-256", GOOD | {"stamped": None, "not_revoked": True, "number": made.NUMBER}, plain)
    stamped = made.stamped(plain, own.stamper)
    yield Case("P-256, time stamp by RSA-3072", GOOD | {"stamped": True, "not_revoked": True}, stamped)
    with_rsa = certify("示例 RSA", made.new_rsa(), own.root)
    yield Case("RSA-3072", GOOD, made.signed(with_rsa))
    yield Case("RSA-3072, time stamp", GOOD | {"stamped": True}, made.stamped(made.signed(with_rsa), own.stamper))
    first = first_form(own.signer)
    yield Case("the first form, without room for a stamp", GOOD, first)
    yield Case("the first form, the other half", GOOD, with_other_half(first))
    between = certify("示例中间 SUB", made.new_p256(), own.root, Kind(below=0))
    below = certify("示例下级 SIGNER", made.new_p256(), between)
    yield Case("an intermediate", GOOD, made.signed(below, between))
    by_curve = certify("示例时间戳 EC", made.new_rsa(), own.root, Kind(is_stamper=True))
    stranger = published(*published()["keys"][:2], certificate_entry(by_curve, "stamp"))
    yield Case(
        "a stamping authority with its own root", GOOD | {"stamped": True}, made.stamped(plain, by_curve), keys=stranger
    )


def first_form(signer: made.Holder) -> bytes:
    """As the first reports of all were signed."""
    of_old = ReportSigner(SoftwareKey(signer.key), signer.certificate)
    of_old.hex_digits_reserved -= 2 * TOKEN_ROOM
    return sign_pdf(made.unsigned(), of_old, SIGNED_AT)


def together() -> Iterator[Case]:
    """File, code and proof in one go."""
    own = city()
    plain = made.signed(own.signer)
    both = GOOD | {"same_report": True, "host": made.HOST}
    yield Case("file and code", both, plain, made.qr())
    other = {"same_report": False} | GOOD
    yield Case("code of another report", other, plain, made.qr(digest=bytes(32)), says=("不是同一份报告",))
    yield Case("proof", GOOD | {"in_log": True}, plain, proof=made.proof(plain))
    stamped = made.stamped(plain, own.stamper)
    yield Case("the proof holds before and after stamping", GOOD | {"in_log": True}, stamped, proof=made.proof(plain))
    revoked = made.proof(plain, ReportStatus.REVOKED)
    yield Case("the log tells of a revocation", GOOD | {"in_log": True}, plain, proof=revoked, says=("报告已作废",))
    elsewhere = made.signed(own.signer, at=SIGNED_AT + timedelta(1))
    yield Case(
        "proof of another file", GOOD | {"in_log": False}, plain, proof=made.proof(elsewhere), says=("不是这份报告",)
    )
    forged = made.proof(plain)
    forged["checkpoint"] = str(forged["checkpoint"]).replace("\n11\n", "\n12\n")
    yield Case("forged checkpoint", GOOD | {"in_log": False}, plain, proof=forged, says=("收录证明不成立",))
    strange = published(log={"vkey": str(LogKey(f"{made.HOST}/log", bytes(range(32))))})
    other_key = made.proof(plain)
    yield Case(
        "another key of the log", GOOD | {"in_log": None}, plain, proof=other_key, keys=strange, says=("另一把",)
    )
    lost = published(*published()["keys"][:4], made.log_entry(status="compromised"))
    yield Case("a lost key of the log", GOOD | {"in_log": None}, plain, proof=other_key, keys=lost, says=("失密",))
    nobodys = published(log=None)
    yield Case("no key of the log", GOOD | {"in_log": None}, plain, proof=made.proof(plain), keys=nobodys)


def codes() -> Iterator[Case]:
    """The text of a code alone."""
    own = city()
    unseen = {"intact": None, "same_report": None}
    yield Case(
        "a code", unseen | {"signature_valid": True, "signer_trusted": True, "number": made.NUMBER}, qr=made.qr()
    )
    unknown = {"signature_valid": None, "signer_trusted": False, "number": None}
    yield Case("unpublished key", unseen | unknown, qr=made.qr(made.new_p256()), says=("未公布的密钥",))
    clone = made.qr(made.new_p256(), "credit-example.test")
    yield Case("a clone's code", unknown, qr=clone, says=("这张码写明的核验网站是 credit-example.test，不是本站",))
    head, tail = made.qr().split("#")
    swapped = "#".join((head.replace(made.HOST, "evil.test"), tail))
    yield Case("another address before the seal", {"signature_valid": False}, qr=swapped, says=("不要打开",))
    looks = made.qr().replace("credit", "сredit")
    yield Case("look-alike letters", {"signature_valid": None}, qr=looks, says=("xn--",))
    bent = head + "#" + tail[:-30] + ("A" if tail[-30] != "A" else "B") + tail[-29:]
    yield Case("a changed seal", {"signature_valid": False}, qr=bent)
    lost = published(*published()["keys"][:3], made.seal_entry(own.seal, status="compromised", since=AFTER.isoformat()))
    yield Case("a compromised key", {"signer_trusted": False}, qr=made.qr(), keys=lost, says=("失密",))
    ended = published(*published()["keys"][:3], made.seal_entry(own.seal, status="retired", until=AFTER.isoformat()))
    yield Case("a retired key still holds for what it sealed", {"signer_trusted": True}, qr=made.qr(), keys=ended)
    early = published(*published()["keys"][:3], made.seal_entry(own.seal, status="retired", until=BEFORE.isoformat()))
    yield Case("sealed after the key was retired", {"signer_trusted": False}, qr=made.qr(), keys=early)


def history() -> Iterator[Case]:
    """Since when a key counts no longer."""
    own = city()
    plain = made.signed(own.signer)
    stamped = made.stamped(plain, own.stamper)
    lost = [*published()["keys"][:1], *published()["keys"][2:]]

    def compromised(at: object) -> dict[str, Any]:
        return published(*lost, certificate_entry(own.signer, "document", status="compromised", since=str(at)))

    after, before = compromised(AFTER.isoformat()), compromised(BEFORE.isoformat())
    yield Case("compromised later, no stamp", BAD, plain, keys=after, says=("没有时间戳",))
    yield Case("compromised later, stamped before", GOOD | {"not_revoked": False}, stamped, keys=after)
    yield Case("compromised before the stamp", BAD, stamped, keys=before, says=("以后",))
    listed = {own.signer.certificate.serial_number: AFTER}
    crls = published(crls=[made.in_base64(made.revocations(own.root, listed))])
    yield Case("revoked by the list, no stamp", BAD | {"not_revoked": False}, plain, keys=crls)
    yield Case("revoked by the list after the stamp", GOOD, stamped, keys=crls)
    why = x509.ReasonFlags.superseded
    replaced = published(crls=[made.in_base64(made.revocations(own.root, listed, why))])
    yield Case("replaced without suspicion", GOOD | {"not_revoked": False}, plain, keys=replaced)
    ended = published(*lost, certificate_entry(own.signer, "document", status="retired", until=AFTER.isoformat()))
    yield Case("a retired key still holds for what it signed", GOOD, plain, keys=ended)
    just = (SIGNED_AT - timedelta(minutes=5)).isoformat()
    changing = published(*lost, certificate_entry(own.signer, "document", status="retired", until=just))
    yield Case("signed while the key was being replaced", GOOD, plain, keys=changing)
    early = published(*lost, certificate_entry(own.signer, "document", status="retired", until=BEFORE.isoformat()))
    yield Case("signed after the key was retired", BAD, plain, keys=early, says=("以后",))


def trust() -> Iterator[Case]:
    """Whose signature it is."""
    own = city()
    plain = made.signed(own.signer)
    stamped = made.stamped(plain, own.stamper)
    forged = certify("示例根 ROOT", made.new_p256(), kind=Kind(below=1))
    unheard = published(crls=[made.in_base64(made.revocations(forged, {own.signer.certificate.serial_number: AFTER}))])
    yield Case("a forged list revokes nothing", GOOD, plain, keys=unheard)
    unread = published(*published()["keys"], {"id": "x", "purpose": "root", "certificate": "AAAA"}, crls=["AAAA", 7])
    yield Case("published keys of which some cannot be read", GOOD, plain, keys=unread)
    unknown = published(*published()["keys"][:1], crls=[])
    yield Case("no list, no history", GOOD | {"not_revoked": None}, plain, keys=unknown, says=("没有核对",))
    other = published(certificate_entry(forged, "root"))
    yield Case("another root of the same name", BAD, plain, keys=other)
    gone = published(certificate_entry(own.root, "root", status="compromised", since=AFTER.isoformat()))
    yield Case("a compromised root", BAD, plain, keys=gone)
    spoiled = published(
        *published()["keys"][:2],
        certificate_entry(own.stamper, "stamp", status="compromised", since=AFTER.isoformat()),
    )
    yield Case("a compromised authority's stamp is none", GOOD | {"stamped": False}, stamped, keys=spoiled)
    late = made.signed(own.signer, at=SIGNED_AT + timedelta(days=5000))
    yield Case("signed after the certificate ended", BAD, late)
    not_a_signer = certify("示例 TSA", made.new_p256(), own.root, Kind(is_stamper=True))
    yield Case("signed with a stamper's certificate", BAD, made.signed(not_a_signer))


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
    for number, case in enumerate([*kinds(), *together(), *codes(), *history(), *trust()]):
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


def test_the_page_and_the_product_agree_on_what_was_signed_by_us() -> None:
    roots = Trust((city().root.der,))
    for case in kinds():
        facts = check_pdf(case.pdf, roots)
        assert (facts.intact, facts.signature_valid, facts.signer_trusted) == (True, True, True), case.name


def test_the_product_agrees_that_no_changed_file_is_ours() -> None:
    roots = Trust((city().root.der,))
    passed = [
        name
        for name, data in hostile_files()
        if (facts := check_pdf(data, roots)).intact and facts.signature_valid and facts.signer_trusted
    ]
    assert passed == []

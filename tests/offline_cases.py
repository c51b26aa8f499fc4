"""What is handed in for verifying off line and what is to be found: one set of samples for the page and the product."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from cryptography import x509

from tests import offline_samples as made
from tests.mutations import with_other_half
from tests.offline_samples import SIGNED_AT, Kind, certificate_entry, certify, city, published
from xinzheng.adapters.signing import ReportSigner, sign_pdf
from xinzheng.adapters.signing.form import TOKEN_ROOM
from xinzheng.adapters.signing.raw_keys import SoftwareKey
from xinzheng.adapters.transparency import LogKey
from xinzheng.core.leaves import audit_leaf
from xinzheng.core.lifecycle import ReportStatus

GOOD = {"intact": True, "signature_valid": True, "signer_trusted": True}
BAD = GOOD | {"signer_trusted": False}
BEFORE, AFTER = SIGNED_AT - timedelta(days=2), SIGNED_AT + timedelta(days=2)


@dataclass(frozen=True)
class Case:
    """What is handed in, and what is to be found; ``is_for_page`` where the product refuses the keys instead."""

    name: str
    expect: dict[str, Any]
    pdf: bytes = b""
    qr: str = ""
    proof: dict[str, object] | None = None
    keys: dict[str, Any] = field(default_factory=published)
    says: tuple[str, ...] = ()
    is_for_page: bool = False


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
    outside = certify("示例外部时间戳根", made.new_p256(), kind=Kind(below=1))
    elsewhere = made.stamped(plain, certify("示例外部时间戳", made.new_rsa(), outside, Kind(is_stamper=True)))
    roots = published(*published()["keys"], certificate_entry(outside, "stamp"))
    yield Case("an outside stamping authority", GOOD | {"stamped": True}, elsewhere, keys=roots)
    gone = published(*published()["keys"], certificate_entry(outside, "stamp", status="compromised"))
    yield Case("an outside authority whose root is lost", GOOD | {"stamped": False}, elsewhere, keys=gone)
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
    anchored = made.proof(plain, beside=[audit_leaf(7, bytes(32), SIGNED_AT)])
    yield Case("an anchor of the audit trail beside it", GOOD | {"in_log": True}, plain, proof=anchored)
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
    yield from of_lost_keys()
    yield from of_revoked_certificates()
    yield from of_retired_keys()


def signers_entry(signer: made.Holder | None = None, **told: object) -> dict[str, Any]:
    """The published keys, with this told of the signer's."""
    others = [*published()["keys"][:1], *published()["keys"][2:]]
    return published(*others, certificate_entry(signer or city().signer, "document", **told))


def of_lost_keys() -> Iterator[Case]:
    """Others may have the signer's key, and only the published history says so."""
    own = city()
    plain = made.signed(own.signer)
    stamped = made.stamped(plain, own.stamper)
    after = signers_entry(status="compromised", since=AFTER.isoformat())
    before = signers_entry(status="compromised", since=BEFORE.isoformat())
    yield Case("compromised later, no stamp", BAD, plain, keys=after, says=("没有时间戳",))
    yield Case("compromised later, stamped before", GOOD | {"not_revoked": False}, stamped, keys=after)
    yield Case("compromised before the stamp", BAD, stamped, keys=before, says=("以后",))
    late = made.stamped(plain, own.stamper, AFTER + timedelta(hours=1))
    yield Case("stamped only after the compromise", BAD, late, keys=after, says=("后来盖的",))
    yield Case("compromised since nobody knows when", BAD, stamped, keys=signers_entry(status="compromised"))
    again = certify("示例报告签发 SIGNER 2", own.signer.key, own.root)
    yield Case("the same key with another certificate", BAD, made.signed(again), keys=after, says=("没有时间戳",))
    unlisted = after | {"crls": []}
    yield Case("compromised, and no list at hand", BAD, plain, keys=unlisted, says=("没有时间戳",))


def of_revoked_certificates() -> Iterator[Case]:
    """The authority's list revokes the signer's certificate, whatever its reason."""
    own = city()
    plain = made.signed(own.signer)
    stamped = made.stamped(plain, own.stamper)
    listed = {own.signer.certificate.serial_number: AFTER}
    for why in (x509.ReasonFlags.key_compromise, x509.ReasonFlags.superseded):
        crls = published(crls=[made.in_base64(made.revocations(own.root, listed, why))])
        yield Case(f"revoked by the list, no stamp: {why.value}", BAD | {"not_revoked": False}, plain, keys=crls)
        yield Case(f"revoked by the list after the stamp: {why.value}", GOOD, stamped, keys=crls)


def of_retired_keys() -> Iterator[Case]:
    """The signer's key was replaced, and nobody else had it."""
    plain = made.signed(city().signer)
    ended = signers_entry(status="retired", until=AFTER.isoformat())
    yield Case("a retired key still holds for what it signed", GOOD, plain, keys=ended)
    late = made.stamped(plain, city().stamper, AFTER + timedelta(days=30))
    yield Case("signed before the key was retired, stamped after", GOOD | {"stamped": True}, late, keys=ended)
    just = signers_entry(status="retired", until=(SIGNED_AT - timedelta(minutes=5)).isoformat())
    yield Case("signed while the key was being replaced", GOOD, plain, keys=just)
    early = signers_entry(status="retired", until=BEFORE.isoformat())
    yield Case("signed after the key was retired", BAD, plain, keys=early, says=("以后",))
    lost = signers_entry(status="compromised", until=BEFORE.isoformat(), since=AFTER.isoformat())
    yield Case("retired before it signed, compromised later", BAD, plain, keys=lost)


def trust() -> Iterator[Case]:
    """Whose signature it is."""
    own = city()
    plain = made.signed(own.signer)
    stamped = made.stamped(plain, own.stamper)
    forged = certify("示例根 ROOT", made.new_p256(), kind=Kind(below=1))
    unheard = published(crls=[made.in_base64(made.revocations(forged, {own.signer.certificate.serial_number: AFTER}))])
    yield Case("a forged list revokes nothing", GOOD, plain, keys=unheard)
    unread = published(*published()["keys"], {"id": "x", "purpose": "root", "certificate": "AAAA"}, crls=["AAAA", 7])
    yield Case("published keys of which some cannot be read", GOOD, plain, keys=unread, is_for_page=True)
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


GROUPS = (kinds, together, codes, history, trust)


def every_case() -> list[Case]:
    """All samples."""
    return [case for group in GROUPS for case in group()]

"""At least five hundred changes to signed reports (篡改样本集), each with a name, seeded, the same in every run."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO

import pikepdf
from pyhanko.pdf_utils.generic import ArrayObject, DictionaryObject, NumberObject, TextStringObject, pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import signers
from pyhanko.sign.fields import SigFieldSpec

from tests import forgeries, mutations
from tests.small_pki import SmallPki
from xinzheng.adapters.signing import stamp_imprint

SEED = 20261122
Named = Iterator[tuple[str, bytes]]


@dataclass(frozen=True)
class Samples:
    """One report unsigned, signed with its list beside it, and stamped; another signed one; and who signed them."""

    pki: SmallPki
    unsigned: bytes
    signed: bytes
    stamped: bytes
    other: bytes


def corpus(samples: Samples) -> Named:
    """Every changed file, none equal to one that was issued."""
    chance = random.Random(SEED)
    for kind, pdf in (("signed", samples.signed), ("stamped", samples.stamped)):
        parts = (_flips(pdf, chance), _cuts(pdf, chance), _moves(pdf, chance), _appended(pdf, samples), _rewritten(pdf))
        for part in (*parts, forgeries.overriding(pdf), forgeries.wrapping(pdf), _containers(pdf, samples)):
            for name, changed in part:
                yield f"{kind}: {name}", changed
    yield from _by_others(samples)
    yield from _stamps(samples)


def _zones(pdf: bytes) -> dict[str, tuple[int, int]]:
    """Where the parts begin and end that a reader's decisions hang on."""
    begin = pdf.index(b"/Contents <")
    end = pdf.index(b">", begin + 11)
    used = begin + 11 + len(pdf[begin + 11 : end].rstrip(b"0"))
    attached = pdf.index(b"/EmbeddedFile")
    marks = {
        "header": (0, 16),
        "first object": (16, 120),
        "attachment": (attached, attached + 400),
        "first end": (pdf.index(b"startxref"), pdf.index(b"%%EOF") + 5),
        "catalogue": (pdf.rindex(b"/Catalog"), pdf.rindex(b"/Catalog") + 400),
        "form": (pdf.rindex(b"/Fields"), pdf.rindex(b"/Fields") + 60),
        "field": (pdf.rindex(b"/FT /Sig"), pdf.rindex(b"/FT /Sig") + 120),
        "before the container": (begin - 20, begin + 12),
        "attributes and signature": (used - 1200, used),
        "container": (begin + 11, used),
        "end of the signature": (used - 8, used + 8),
        "padding": (used, end),
        "after the container": (end, end + 60),
        "byte range": (pdf.rindex(b"/ByteRange"), pdf.rindex(b"/ByteRange") + 50),
        "table": (pdf.rindex(b"xref\n0"), pdf.rindex(b"trailer")),
        "trailer": (pdf.rindex(b"trailer"), len(pdf)),
    }
    return marks | ({"store": (pdf.rindex(b"/DSS"), pdf.rindex(b"/DSS") + 60)} if b"/DSS" in pdf else {})


def _flips(pdf: bytes, chance: random.Random) -> Named:
    for zone, (begin, end) in _zones(pdf).items():
        for _ in range(5):
            yield f"a byte of the {zone}", _with_byte(pdf, chance.randrange(begin, end), chance)
    for _ in range(60):
        yield "a byte anywhere", _with_byte(pdf, chance.randrange(len(pdf)), chance)


def _with_byte(pdf: bytes, at: int, chance: random.Random) -> bytes:
    return pdf[:at] + bytes([pdf[at] ^ chance.randrange(1, 256)]) + pdf[at + 1 :]


def _cuts(pdf: bytes, chance: random.Random) -> Named:
    ends = [0, 1, 8, len(pdf) - 1, len(pdf) - 2, len(pdf) - 7, pdf.index(b"%%EOF") + 6, pdf.rindex(b"xref\n0")]
    for at in ends + [chance.randrange(len(pdf)) for _ in range(16)]:
        yield f"cut at {at}", pdf[:at]


def _moves(pdf: bytes, chance: random.Random) -> Named:
    for _ in range(6):
        at, size = chance.randrange(len(pdf) - 600), chance.randrange(1, 500)
        yield "bytes left out", pdf[:at] + pdf[at + size :]
        yield "bytes put in", pdf[:at] + chance.randbytes(size) + pdf[at:]
        yield "bytes twice", pdf[: at + size] + pdf[at:]
    for junk in (b"\n", b"junk\n", b"%PDF-1.4\n", bytes(1000), b"\xef\xbb\xbf"):
        yield "junk before the header", junk + pdf
        yield "junk behind the end", pdf + junk
    for tail in (b"%%EOF\n", b"%%EOF\n%%EOF\n", b"startxref\n0\n%%EOF\n", b"\x00", b" " * 2000):
        yield "a further end", pdf + tail
    yield "the file twice", pdf + pdf


def _appended(pdf: bytes, samples: Samples) -> Named:
    """Later revisions, well made, as an editor would append them."""
    for key, value in (("/Lang", TextStringObject("en")), ("/PageLabels", DictionaryObject()), ("/Z", NumberObject(1))):
        writer = IncrementalPdfFileWriter(BytesIO(pdf))
        writer.root[pdf_name(key)] = value
        writer.update_root()
        yield f"an update of {key}", _written(writer)
    writer = IncrementalPdfFileWriter(BytesIO(pdf))
    page = writer.root["/Pages"]["/Kids"][0]
    page["/MediaBox"] = ArrayObject(map(NumberObject, (0, 0, 300, 300)))
    writer.mark_update(page.container_ref)
    yield "a page cropped by an update", _written(writer)
    writer = IncrementalPdfFileWriter(BytesIO(pdf))
    writer.root["/AcroForm"]["/Fields"] = ArrayObject()
    writer.update_container(writer.root["/AcroForm"])
    yield "the signature taken out of the form", _written(writer)
    yield "a second signature by a stranger", _signed_again(pdf, SmallPki(samples.pki.made_at))
    yield "a second signature by the same signer", _signed_again(pdf, samples.pki)


def _written(writer: IncrementalPdfFileWriter) -> bytes:
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


def _signed_again(pdf: bytes, pki: SmallPki) -> bytes:
    writer = IncrementalPdfFileWriter(BytesIO(pdf))
    key, certificate = forgeries.for_pyhanko(pki.signer)
    signer = signers.SimpleSigner(signing_cert=certificate, signing_key=key, cert_registry=None)
    fields = signers.PdfSignatureMetadata(field_name="Again", md_algorithm="sha256")
    out = signers.PdfSigner(fields, signer=signer, new_field_spec=SigFieldSpec("Again")).sign_pdf(writer)
    return bytes(out.getvalue())


def _rewritten(pdf: bytes) -> Named:
    """Opened and saved by another program, with and without another attachment."""
    forms: tuple[dict[str, object], ...] = (
        {},
        {"linearize": True},
        {"object_stream_mode": pikepdf.ObjectStreamMode.generate},
        {"object_stream_mode": pikepdf.ObjectStreamMode.disable, "compress_streams": False},
        {"qdf": True},
    )
    for number, form in enumerate(forms):
        yield f"saved anew, form {number}", _saved(pdf, form, None)
        yield f"saved with another attachment, form {number}", _saved(pdf, form, b'{"number":"SZ2026112200000015"}')
    length = len(pdf)
    begin = pdf.index(b"stream\n", pdf.index(b"/EmbeddedFile")) + 7
    yield "the attachment overwritten in place", pdf[:begin] + b"{}" + pdf[begin + 2 : length]


def _saved(pdf: bytes, form: dict[str, object], attachment: bytes | None) -> bytes:
    out = BytesIO()
    with pikepdf.open(BytesIO(pdf)) as document:
        if attachment is not None:
            document.Root.AF[0].EF.F = document.make_stream(attachment)
        document.save(out, **form)
    return out.getvalue()


def _containers(pdf: bytes, samples: Samples) -> Named:
    """The same signature, written otherwise."""
    yield from mutations.written_otherwise(pdf)
    for holder in (samples.pki.root, samples.pki.signer, samples.pki.stamper, SmallPki(samples.pki.made_at).root):
        yield "a certificate more", mutations.with_certificate(pdf, holder.der)
    yield "another list in the container", mutations.with_list(pdf, samples.pki.crl())
    yield "the container of another report", mutations.with_container_of(pdf, samples.other)


def _by_others(samples: Samples) -> Named:
    """Signed anew, with everything a stranger can put together."""
    at, pki = samples.pki.made_at, samples.pki
    stranger = SmallPki(at)
    yield "by another authority with the same names", stranger.signed(samples.unsigned, at, stranger.crl())
    yield "and with its own stamp", stranger.stamped(stranger.signed(samples.unsigned, at, stranger.crl()), at)
    yield "and with the true authority's list", stranger.signed(samples.unsigned, at, pki.crl())
    yield "and the true root in the store", stranger.signed(samples.unsigned, at, pki.crl(), others=[pki.root])
    same_key = SmallPki(at)
    same_key.signer = same_key.certified("TEST SIGNER", pki.signer.key, same_key.root)
    yield "by the same key under another root", same_key.signed(samples.unsigned, at, same_key.crl())
    for name, holder in forgeries.false_signers(pki):
        false = SmallPki(at)
        false.root, false.signer = pki.root, holder
        yield name, false.signed(samples.unsigned, at, pki.crl())
    for days in (-30, 5000):
        yield f"dated {days} days off", pki.signed(samples.unsigned, at + timedelta(days), pki.crl())
    for name, changed in forgeries.swapped_certificates(samples.signed, pki):
        yield name, changed


def _stamps(samples: Samples) -> Named:
    at, pki = samples.pki.made_at, samples.pki
    imprint, other = stamp_imprint(samples.signed), stamp_imprint(samples.other)
    stranger = SmallPki(at)
    tokens = {
        "a stamp of another report": pki.token(other, at),
        "a stamp of an unknown authority": stranger.token(imprint, at),
        "a stamp by the signer itself": forgeries.token_by_a_signer(pki, imprint),
        "a stamp over nothing": pki.token(bytes(32), at),
        "a stamp from before its authority": pki.token(imprint, at - timedelta(days=30)),
        "a stamp from after its authority": pki.token(imprint, at + timedelta(days=5000)),
    }
    for name, token in tokens.items():
        for twice in (False, True):
            yield name, mutations.with_token_as_it_is(samples.signed, *[token] * (1 + twice))
    good = pki.token(imprint, at)
    yield "a stamp twice", mutations.with_token_as_it_is(samples.signed, good, good)
    for name, token in mutations.tokens_written_otherwise(mutations.token_in(samples.stamped)):
        yield name, mutations.with_token_as_it_is(samples.signed, token)

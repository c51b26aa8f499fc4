"""Rare characters (生僻字): shown where a face has them, refused by character and code point where none has."""

from pathlib import Path
from typing import Any

import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen

from tests.adapters.test_pdf import QR_TEXT, canonical, sample, squeezed, text_of
from xinzheng.adapters.pdf import RenderError, faces_digest, faces_in, rehearse, render_report
from xinzheng.adapters.pdf.artwork import seal_svg
from xinzheng.adapters.pdf.fonts import OWN, printable

BEYOND = ("\U0003134a", "𠮷")  # in neither face of the house


def own_face(folder: Path, characters: tuple[str, ...] = BEYOND, name: str = "Rare Song") -> Path:
    """A folder with a face that shows a few characters, each as a square."""
    folder.mkdir(exist_ok=True)
    names = {ord(char): f"u{ord(char):X}" for char in characters}
    builder = FontBuilder(2048, isTTF=True)
    builder.setupGlyphOrder([".notdef", *names.values()])
    builder.setupCharacterMap(names)
    pen = TTGlyphPen(None)
    for corner, move in (((200, 0), pen.moveTo), ((200, 1600), pen.lineTo), ((1800, 1600), pen.lineTo)):
        move(corner)
    pen.closePath()
    glyph = pen.glyph()
    builder.setupGlyf(dict.fromkeys((".notdef", *names.values()), glyph))
    builder.setupHorizontalMetrics(dict.fromkeys((".notdef", *names.values()), (2048, 200)))
    builder.setupHorizontalHeader(ascent=1800, descent=-248)
    builder.setupNameTable({"familyName": name, "styleName": "Regular", "psName": name.replace(" ", "")})
    builder.setupOS2()
    builder.setupPost()
    builder.save(folder / "rare.ttf")
    return folder


def named(name: str) -> dict[str, Any]:
    report = sample("suzhou-clear")
    report["subject"]["name"] = name
    return report


@pytest.mark.parametrize("char", ["𬬭", "㛃", "䶮", "𬭊", "〇", "𰻝", "鿰"])
def test_rare_characters_that_the_faces_of_the_house_have_are_set_and_read_back(char: str, tmp_path: Path) -> None:
    content = canonical(named(f"苏州{char}记有限公司"))
    rehearse(content, QR_TEXT)
    assert squeezed(f"苏州{char}记有限公司") in text_of(render_report(content, QR_TEXT), tmp_path)


@pytest.mark.parametrize("char", BEYOND)
def test_a_character_that_no_face_has_is_refused_by_name(char: str) -> None:
    with pytest.raises(RenderError) as caught:
        rehearse(canonical(named(f"苏州{char}记有限公司")), QR_TEXT)
    assert caught.value.code == "glyph-missing"
    for part in (char, f"U+{ord(char):04X}", "subject.name", "XINZHENG_FONTS"):
        assert part in caught.value.message


def test_a_face_of_ones_own_shows_what_the_house_lacks_in_text_heading_and_seal(tmp_path: Path) -> None:
    folder = own_face(tmp_path / "fonts")
    report = sample("suzhou-mixed")
    report["subject"]["name"] = f"苏州{BEYOND[0]}记有限公司"
    report["records"][0]["facts"] = f"在{BEYOND[1]}处"
    report["seal"]["name"] = f"某市{BEYOND[1]}信用中心"
    report["conclusion"]["text"] += BEYOND[0]
    content = canonical(report)
    rehearse(content, QR_TEXT, folder)
    pdf = render_report(content, QR_TEXT, folder)
    text = text_of(pdf, tmp_path)
    for words in (report["subject"]["name"], report["records"][0]["facts"], report["seal"]["name"]):
        assert squeezed(words) in text
    assert pdf == render_report(content, QR_TEXT, folder)


def test_the_seal_draws_a_character_from_the_face_that_has_it(tmp_path: Path) -> None:
    faces = faces_in(own_face(tmp_path / "fonts"))
    assert "M200 0" in seal_svg(f"某市{BEYOND[0]}中心", True, faces)
    assert "M200 0" not in seal_svg("某市信用中心", True, faces)


def test_a_face_of_ones_own_changes_no_page_that_does_not_need_it(tmp_path: Path) -> None:
    content = canonical(sample("suzhou-clear"))
    assert render_report(content, QR_TEXT, own_face(tmp_path / "fonts")) == render_report(content, QR_TEXT)


def test_what_hides_stays_refused_whatever_a_face_shows(tmp_path: Path) -> None:
    folder = own_face(tmp_path / "fonts", ("\ue000", "\u202e", "\U0003134a"))
    assert printable(faces_in(folder)) - printable() == {0x3134A}


def test_the_digest_of_the_faces_tells_one_set_from_another(tmp_path: Path) -> None:
    one, other = own_face(tmp_path / "one"), own_face(tmp_path / "other", BEYOND[:1])
    digests = [faces_digest(OWN), faces_digest(faces_in(one)), faces_digest(faces_in(other))]
    assert len(set(digests)) == 3
    assert all(len(digest) == 64 for digest in digests)


@pytest.mark.parametrize("wrong", ["gone", "broken"])
def test_a_folder_of_faces_that_cannot_be_used_is_said(wrong: str, tmp_path: Path) -> None:
    folder = tmp_path / wrong
    if wrong == "broken":
        folder.mkdir()
        (folder / "rare.ttf").write_bytes(b"no font at all")
    with pytest.raises(RenderError, match="XINZHENG_FONTS") as caught:
        render_report(canonical(sample("suzhou-clear")), QR_TEXT, folder)
    assert caught.value.code == "fonts-unusable"

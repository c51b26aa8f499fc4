"""Seal and watermark (印章与水印) as outline-only SVG: no text layer, no font needed to show them."""

import math
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

from fontTools.pens.svgPathPen import SVGPathPen

from xinzheng.adapters.pdf.fonts import HEI, OWN, READING_FACES, SONG, Faces, open_face

RED = "#c8161d"
DEMONSTRATION = "演示"
RING_RADIUS, RING_SWEEP, RING_STEP = 152, 250, 18.8  # of 400 units; degrees in all; degrees a character at most


def outline(face: Path, char: str, at: tuple[float, float], size: float, turn: float = 0) -> str:
    """One full-width character centred on a point, turned by degrees."""
    font = open_face(face)
    glyphs, name = font.getGlyphSet(), font.getBestCmap().get(ord(char), ".notdef")
    pen = SVGPathPen(glyphs, ntos=lambda number: f"{number:g}")
    glyphs[name].draw(pen)
    em = font["head"].unitsPerEm
    shift, scale = glyphs[name].width / 2, size / em
    return (
        f'<path transform="translate({at[0]:.1f} {at[1]:.1f}) rotate({turn:.2f}) '
        f'scale({scale:.4f} {-scale:.4f}) translate(-{shift:g} -{0.38 * em:g})" d="{pen.getCommands()}"/>'
    )


def _around(text: str, size: float, faces: Faces) -> str:
    """The issuer's name along the inside of the ring, drawn closer the longer it is."""
    step = min(RING_STEP, RING_SWEEP / max(len(text) - 1, 1))
    marks = []
    for index, char in enumerate(text):
        turn = (index - (len(text) - 1) / 2) * step
        angle = math.radians(turn - 90)
        at = (200 + RING_RADIUS * math.cos(angle), 200 + RING_RADIUS * math.sin(angle))
        marks.append(outline(faces.showing(char, SONG), char, at, size, turn))
    return "".join(marks)


def _star(radius: float) -> str:
    corners = ((radius * (1 if i % 2 == 0 else 0.382), math.radians(36 * i - 90)) for i in range(10))
    points = " ".join(f"{200 + r * math.cos(a):.1f},{200 + r * math.sin(a):.1f}" for r, a in corners)
    return f'<polygon stroke="none" points="{points}"/>'


def seal_svg(issuer: str, demonstration: bool, faces: Faces = OWN) -> str:
    """The round seal of any issuer, 400 units wide; 演示 stands where a real seal has its star."""
    with READING_FACES:
        return _draw_seal(issuer, demonstration, faces)


@lru_cache(maxsize=64)
def _draw_seal(issuer: str, demonstration: bool, faces: Faces) -> str:
    size = 46 if len(issuer) <= 14 else max(20.0, 46 * 14 / len(issuer))
    centre = (
        "".join(outline(HEI, char, (200 + (i - 0.5) * 84, 172), 74) for i, char in enumerate(DEMONSTRATION))
        if demonstration
        else _star(58)
    )
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 400" width="400" height="400">'
        f'<circle cx="200" cy="200" r="193" fill="none" stroke="{RED}" stroke-width="8"/>'
        f'<g fill="{RED}" stroke="{RED}" stroke-width="14">{_around(issuer, size, faces)}{centre}</g></svg>'
    )


@lru_cache(maxsize=1)
def watermark_svg() -> str:
    """An A4 sheet with 演示 three times, drawn once from the same faces and kept as a file."""
    return files(__package__).joinpath("watermark-demo.svg").read_text(encoding="utf-8")

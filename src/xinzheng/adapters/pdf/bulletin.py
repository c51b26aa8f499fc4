"""Set a bulletin (数据质量通报) on paper: its words → PDF/A-3b, the same bytes each time."""

import json
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any

import typst

from xinzheng.adapters.pdf.artwork import seal_svg, watermark_svg
from xinzheng.adapters.pdf.errors import RenderError
from xinzheng.adapters.pdf.fonts import HEI, require_glyphs
from xinzheng.adapters.pdf.typesetting import ONE_AT_A_TIME


def render_bulletin(words: Mapping[str, Any], at: datetime) -> bytes:
    """The bulletin as PDF/A-3b.

    ``words``: title, subtitle, summary (sentences), head (column titles), rows (cells as text), late (head and rows),
    notes, digest, issuer, date, demonstration (bool), draft (bool). ``at``: aware moment, the file's date.

    Raises:
        RenderError: ``glyph-missing`` with character and field; ``render-failed`` with what the typesetter said.
    """
    require_glyphs(words)
    pages = {
        "main.typ": _template(),
        "words.json": json.dumps(words, ensure_ascii=False).encode("utf-8"),
        "seal.svg": seal_svg(words["issuer"], words["demonstration"]).encode("utf-8"),
        "watermark.svg": watermark_svg().encode("utf-8"),
    }
    try:
        with ONE_AT_A_TIME:
            # typst takes a mapping of files, which its own types leave out
            pdf, warnings = _compiler().compile_with_warnings(  # type: ignore[type-var]
                input=pages, pdf_standards=["a-3b"], timestamp=int(at.timestamp())
            )
    except RuntimeError as error:
        raise RenderError(f"通报排印失败：{error}", code="render-failed") from error
    if warnings or not isinstance(pdf, bytes):
        said = "；".join(warning.message for warning in warnings)
        raise RenderError(f"通报排印有警告，没有生成：{said}", code="render-failed")
    return pdf


@cache
def _template() -> bytes:
    return files(__package__).joinpath("bulletin.typ").read_bytes()


@cache
def _compiler() -> typst.Compiler:
    faces = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(HEI.parent)])
    return typst.Compiler(_template(), font_paths=faces)

"""Set a report (排版): canonical content → PDF/A-3b with that content attached, byte for byte the same each time."""

import json
import threading
from datetime import datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import typst

from xinzheng.adapters.pdf.artwork import seal_svg, watermark_svg
from xinzheng.adapters.pdf.errors import RenderError
from xinzheng.adapters.pdf.fonts import OWN, Faces, faces_in, require_glyphs, typst_fonts
from xinzheng.adapters.pdf.view import CHINA, build
from xinzheng.adapters.qr import qr_svg

ONE_AT_A_TIME = threading.Lock()  # a typst compiler may not be entered twice


def render_report(content: bytes, qr_text: str, fonts: Path | None = None) -> bytes:
    """The report of ``content`` (canonical JSON, format xinzheng.report/1) as PDF/A-3b.

    ``fonts``: a folder of further faces for rare characters. The same arguments give the same bytes. RenderError:
    ``content-invalid``, ``glyph-missing`` with character and field, ``render-failed`` with what the typesetter said.
    """
    report, faces = parse(content), faces_in(fonts)
    require_glyphs(report, faces)
    return set_pages(content, view_of(report), qr_text, faces)


def parse(content: bytes) -> dict[str, Any]:
    """The content as an object."""
    try:
        report = json.loads(content)
    except ValueError:
        raise RenderError("报告内容不是有效的 JSON，不能排印。", code="content-invalid") from None
    if not isinstance(report, dict) or report.get("format") != "xinzheng.report/1":
        raise RenderError("报告内容的格式不是 xinzheng.report/1，不能排印。", code="content-invalid")
    return report


def view_of(report: dict[str, Any]) -> dict[str, Any]:
    """The words to set; a content that lacks a part is refused by the part's name."""
    try:
        return build(report)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RenderError(f"报告内容不完整或者有误，不能排印：{error}。", code="content-invalid") from error


def set_pages(content: bytes, view: dict[str, Any], qr_text: str, faces: Faces = OWN) -> bytes:
    """Compile once; with PDF/A and no fallback face a missing glyph is an error, and any warning is made one too."""
    pages = _files(content, view, qr_text, faces)
    at = datetime.fromisoformat(json.loads(content)["as_of"])
    timestamp = int((at if at.tzinfo else at.replace(tzinfo=CHINA)).timestamp())
    try:
        with ONE_AT_A_TIME:
            # typst takes a mapping of files, which its own types leave out
            pdf, warnings = _compiler(faces).compile_with_warnings(  # type: ignore[type-var]
                input=pages, pdf_standards=["a-3b"], timestamp=timestamp
            )
    except RuntimeError as error:
        raise RenderError(f"报告排印失败：{error}", code="render-failed") from error
    if warnings or not isinstance(pdf, bytes):
        said = "；".join(warning.message for warning in warnings)
        raise RenderError(f"报告排印有警告，没有出具：{said}", code="render-failed")
    return pdf


def _files(content: bytes, view: dict[str, Any], qr_text: str, faces: Faces) -> dict[str, bytes]:
    """What the compiler sees; number and code apart, so that a report reuses the layout of its rehearsal."""
    numbering = {"number": view["number"], "code": view["verification"]["code"]}
    address = {field: words for field, words in view["verification"].items() if field != "code"}
    words = {field: part for field, part in view.items() if field != "number"} | {"verification": address}
    return {
        "main.typ": _template(),
        "content.json": content,
        "words.json": _json(words),
        "numbering.json": _json(numbering),
        "faces.json": _json(faces.families),
        "qr.svg": qr_svg(qr_text).encode("utf-8"),
        "seal.svg": seal_svg(view["seal"]["name"], view["demonstration"], faces).encode("utf-8"),
        "watermark.svg": watermark_svg().encode("utf-8"),
    }


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8")


@cache
def _template() -> bytes:
    return files(__package__).joinpath("report.typ").read_bytes()


@cache
def _compiler(faces: Faces) -> typst.Compiler:
    """One compiler and one set of faces for the whole process: loading them takes longer than a report."""
    return typst.Compiler(_template(), font_paths=typst_fonts(faces))

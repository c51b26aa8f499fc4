"""Set a report (排版): canonical content → PDF/A-3b with that content attached, byte for byte the same each time."""

import json
import threading
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any

import typst

from xinzheng.adapters.pdf.artwork import seal_svg, watermark_svg
from xinzheng.adapters.pdf.errors import RenderError
from xinzheng.adapters.pdf.fonts import HEI, require_glyphs
from xinzheng.adapters.pdf.view import build
from xinzheng.adapters.qr import qr_svg

ONE_AT_A_TIME = threading.Lock()  # a typst compiler may not be entered twice


def render_report(content: bytes, qr_text: str) -> bytes:
    """The report of ``content`` (canonical JSON, format xinzheng.report/1) as PDF/A-3b.

    The same arguments give the same bytes. RenderError: ``content-invalid``, ``glyph-missing`` with character and
    field, ``render-failed`` with what the typesetter said.
    """
    report = parse(content)
    require_glyphs(report)
    return set_pages(content, view_of(report), qr_text, report["as_of"])


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


def set_pages(content: bytes, view: dict[str, Any], qr_text: str, as_of: str) -> bytes:
    """Compile once; with PDF/A and no fallback face a missing glyph is an error, and any warning is made one too."""
    values = {
        "content": content.decode("utf-8"),
        "view": json.dumps(view, ensure_ascii=False),
        "qr": qr_svg(qr_text),
        "seal": seal_svg(view["seal"]["name"], view["demonstration"]),
        "watermark": watermark_svg() if view["demonstration"] else "",
    }
    timestamp = int(datetime.fromisoformat(as_of).timestamp())
    try:
        with ONE_AT_A_TIME:
            pdf, warnings = _compiler().compile_with_warnings(
                sys_inputs=values, pdf_standards=["a-3b"], timestamp=timestamp
            )
    except RuntimeError as error:
        raise RenderError(f"报告排印失败：{error}", code="render-failed") from error
    if warnings or not isinstance(pdf, bytes):
        said = "；".join(warning.message for warning in warnings)
        raise RenderError(f"报告排印有警告，没有出具：{said}", code="render-failed")
    return pdf


@cache
def _compiler() -> typst.Compiler:
    """One compiler and one set of faces for the whole process: loading them takes longer than a report."""
    template = files(__package__).joinpath("report.typ")
    faces = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(HEI.parent)])
    return typst.Compiler(str(template), root=str(template.parent), font_paths=faces)  # type: ignore[attr-defined]

"""The report on paper (报告文件): set it, rehearse it, read its attachment."""

from xinzheng.adapters.pdf.attachments import read_attachment
from xinzheng.adapters.pdf.errors import RenderError
from xinzheng.adapters.pdf.fonts import faces_digest, faces_in
from xinzheng.adapters.pdf.rehearsal import rehearse
from xinzheng.adapters.pdf.typesetting import render_report

__all__ = ["RenderError", "faces_digest", "faces_in", "read_attachment", "rehearse", "render_report"]

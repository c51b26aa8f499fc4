"""The report on paper (报告文件): set it, rehearse it, read its attachment."""

from xinzheng.adapters.pdf.attachments import read_attachment
from xinzheng.adapters.pdf.errors import RenderError
from xinzheng.adapters.pdf.rehearsal import rehearse
from xinzheng.adapters.pdf.typesetting import render_report

__all__ = ["RenderError", "read_attachment", "rehearse", "render_report"]

"""What can go wrong when a report is set (排版错误)."""

from xinzheng.core.errors import XinzhengError


class RenderError(XinzhengError):
    """The report cannot be set as it stands: ``glyph-missing``, ``render-failed`` or ``rehearsal-failed``."""

    code = "render-failed"

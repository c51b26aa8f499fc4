"""What keeps an engine from answering."""

from xinzheng.core.errors import XinzhengError


class EngineError(XinzhengError):
    """The engine (核查引擎) cannot be had (``engine-unavailable``), or it failed at its work (``engine-failed``)."""

    code = "engine-unavailable"

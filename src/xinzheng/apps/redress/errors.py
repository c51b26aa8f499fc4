"""What redress refuses."""

from xinzheng.core.errors import XinzhengError


class RedressError(XinzhengError):
    """An objection, a repair or their evidence was refused (不予办理)."""

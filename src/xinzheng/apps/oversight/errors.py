"""What oversight refuses."""

from xinzheng.core.errors import XinzhengError


class OversightError(XinzhengError):
    """A bulletin, a reminder or a reconciliation cannot be made as asked."""

    code = "oversight-refused"

"""What makes a whole file unreadable."""

from xinzheng.core.errors import XinzhengError


class TabularError(XinzhengError):
    """The file cannot be read as a table of records; nothing of it was taken over."""

    code = "table-unreadable"

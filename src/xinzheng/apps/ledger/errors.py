"""Why a delivery or a statement is not taken."""

from xinzheng.core.errors import XinzhengError


class IntakeError(XinzhengError):
    """The delivery is refused as a whole; nothing of it is in the ledger."""

    code = "intake-refused"


class CoverageError(XinzhengError):
    """The coverage statement, or its withdrawal, is refused."""

    code = "coverage-refused"

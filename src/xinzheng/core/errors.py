"""One hierarchy of errors: each has a stable kebab-case code and a Chinese message that says what to do."""

from collections.abc import Mapping


class XinzhengError(Exception):
    """Base of every error a caller may show.

    ``code`` is stable and kebab-case; ``message`` is Chinese and says what, where and what to do; ``context``
    holds machine-readable details and never a personal identifier.
    """

    code = "xinzheng-error"

    def __init__(self, message: str, *, code: str | None = None, **context: object) -> None:
        super().__init__(message)
        self.message = message
        if code is not None:
            self.code = code
        self.context: Mapping[str, object] = context


class RefusedError(XinzhengError):
    """The policy does not allow what was asked."""

    code = "refused"


class PolicyError(XinzhengError):
    """A policy pack or a case file is wrong; the message names file and line."""

    code = "policy-invalid"


class CalendarError(XinzhengError):
    """The working-day calendar of a year has not been announced or imported."""

    code = "calendar-year-unknown"

"""Terms of redress (异议办理时限), dated: those in force on the day an objection is lodged hold for it to the end."""

from dataclasses import dataclass
from datetime import date

from xinzheng.core.errors import XinzhengError
from xinzheng.core.objection_clock import Terms
from xinzheng.core.policy import Basis, Citation, DateSpan


@dataclass(frozen=True, slots=True)
class Chasing:
    """Working days of reminding (催办): so many before the due day, so many after it to those above."""

    remind_before: int
    escalate_after: int


@dataclass(frozen=True, slots=True)
class DatedTerms:
    """Terms in force over a span; of one city where ``jurisdiction`` (its division code) is given.

    ``withdrawal_posted``: working days within which a record that was taken out is taken down everywhere (撤下同步).
    """

    id: str
    in_effect: DateSpan
    terms: Terms
    chasing: Chasing
    withdrawal_posted: int
    basis: Basis
    citation: Citation
    jurisdiction: str | None = None


@dataclass(frozen=True, slots=True)
class Marking:
    """The word beside a record while it is objected to (异议标注), and on whose word."""

    mark: str
    basis: Basis
    citation: Citation


@dataclass(frozen=True, slots=True)
class RedressRules:
    """All terms and the marking as they stand in one file; ``sha256`` names the file, in hexadecimal."""

    terms: tuple[DatedTerms, ...]
    marking: Marking
    sha256: str

    def terms_on(self, day: date, jurisdiction: str) -> DatedTerms:
        """The terms in force on a day: the city's own before the general ones. Raises ``redress-terms-missing``."""
        for place in (jurisdiction, None):
            for dated in self.terms:
                if dated.jurisdiction == place and dated.in_effect.includes(day):
                    return dated
        message = f"policies/redress.yaml 没有{day:%Y-%m-%d}施行的异议办理时限，请补上这一段。"
        raise XinzhengError(message, code="redress-terms-missing")

"""Data quality of a unit in a month (数据质量评分): shares, their weighted score, ranks and trend.

Formulas:
    completeness 完整率 = days covered / days due, over all responsibilities of the unit
    timeliness 及时率   = records delivered in time / records delivered, of those decided in the month
    accuracy 准确率     = (lines - rejected lines - records corrected after an objection) / lines, of files sent in it;
                          in a month without files the corrected records stand in the place of its lines
    score 得分          = sum(weight * share) / sum(weight), over the shares that can be measured
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from xinzheng.core.coverage_calendar import Cell

TENTH = Decimal("0.1")
SHARES = ("completeness", "timeliness", "accuracy")


@dataclass(frozen=True, slots=True)
class Share:
    """A share (比率): ``part`` of ``whole``; nothing of nothing is not measured, neither good nor bad."""

    part: int
    whole: int

    @property
    def is_measured(self) -> bool:
        """Whether there was anything to measure."""
        return self.whole > 0

    @property
    def percent(self) -> Decimal | None:
        """In percent with one decimal, half up; None where nothing was measured."""
        return _rounded(Decimal(100 * self.part) / self.whole) if self.whole else None


@dataclass(frozen=True, slots=True)
class Counts:
    """What was counted of a unit in a month (计数).

    ``corrected`` are records corrected after an objection (异议更正).
    """

    days_due: int = 0
    days_covered: int = 0
    records: int = 0
    in_time: int = 0
    lines: int = 0
    rejected: int = 0
    corrected: int = 0

    @property
    def shares(self) -> Mapping[str, Share]:
        """The three shares by name."""
        sound = max(self.lines - self.rejected - self.corrected, 0)
        return {
            "completeness": Share(self.days_covered, self.days_due),
            "timeliness": Share(self.in_time, self.records),
            "accuracy": Share(sound, self.lines or self.corrected),
        }


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each share weighs (权重), in any unit."""

    completeness: int
    timeliness: int
    accuracy: int

    def of(self, name: str) -> int:
        """The weight of a share."""
        return {"completeness": self.completeness, "timeliness": self.timeliness, "accuracy": self.accuracy}[name]


def days_counted(cells: Sequence[Cell]) -> tuple[int, int]:
    """Days due and days covered over several months or responsibilities."""
    due = sum(cell.needed for cell in cells)
    return due, due - sum(cell.lacking for cell in cells)


def score(counts: Counts, weights: Weights) -> Decimal | None:
    """0.0 to 100.0, one decimal; the weights of what was not measured fall to the rest; None if nothing was."""
    measured = {name: share for name, share in counts.shares.items() if share.is_measured and weights.of(name) > 0}
    total = sum(weights.of(name) for name in measured)
    if not total:
        return None
    weighed = (Decimal(weights.of(name) * 100 * share.part) / share.whole for name, share in measured.items())
    points = sum(weighed, start=Decimal(0))
    return _rounded(points / total)


def ranks(scores: Mapping[str, Decimal | None]) -> Mapping[str, int | None]:
    """Rank by score, best 1; the same score has the same rank and the next is skipped; no score, no rank."""
    known = [value for value in scores.values() if value is not None]
    return {key: None if value is None else 1 + sum(other > value for other in known) for key, value in scores.items()}


def trend(now: Decimal | None, before: Decimal | None) -> Decimal | None:
    """How much the score rose (negative: fell) since the month before; None where either is unknown."""
    return None if now is None or before is None else now - before


def _rounded(value: Decimal) -> Decimal:
    return value.quantize(TENTH, ROUND_HALF_UP)

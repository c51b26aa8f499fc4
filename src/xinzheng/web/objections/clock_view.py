"""A clock of working days as it is drawn (工作日时钟): a box for each day of the term, and what it says."""

from dataclasses import dataclass

from xinzheng.core.objection_clock import Clock
from xinzheng.core.sentences import spoken_date

# From here on it stands out.
SOON = 2
BOX, LEAST_WIDTH = 17, 186
OVER, NEAR, WAITS = "over", "soon", "wait"


@dataclass(frozen=True, slots=True)
class ClockView:
    """A clock on the page: ``kind`` is empty, ``over``, ``soon`` (also: not known) or ``wait``; boxes from the left."""

    kind: str
    boxes: tuple[tuple[str, bool], ...]
    words: str
    due: str

    @property
    def width(self) -> int:
        """Of the drawing; as in all others, unless there are more boxes."""
        return max(LEAST_WIDTH, BOX * len(self.boxes) - 1)


def clock_view(clock: Clock | None) -> ClockView | None:
    """The clock of an open objection; None of a closed one."""
    if clock is None:
        return None
    return ClockView(_kind(clock), _boxes(clock), _words(clock), _due(clock))


def _kind(clock: Clock) -> str:
    if clock.is_over:
        return OVER
    if clock.is_paused:
        return WAITS
    return NEAR if clock.unknown_year or clock.left <= SOON else ""


def _boxes(clock: Clock) -> tuple[tuple[str, bool], ...]:
    """One for each day of the term, and one more when it is over."""
    count = clock.limit + clock.is_over
    return tuple((f"{BOX * place}.5", place < clock.used) for place in range(count))


def _words(clock: Clock) -> str:
    if clock.is_over:
        return f"超期{-clock.left}个工作日"
    if clock.is_paused:
        return f"已用{clock.used}个工作日，现在不计"
    if clock.unknown_year:
        return f"已用{clock.used}个；{clock.unknown_year}年工作日安排未公布"
    return f"已用{clock.used}个，还剩{clock.left}个工作日" if clock.left else f"已用{clock.used}个，今天到期"


def _due(clock: Clock) -> str:
    if clock.due is not None:
        return spoken_date(clock.due)
    return "等申请人补充" if clock.is_paused else "待定"

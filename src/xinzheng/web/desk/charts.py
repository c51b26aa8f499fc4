"""Charts (图表) drawn by the server: plain shapes and words for one SVG, a sentence that says it, the table behind it.

Units are those of the drawing, 360 wide: on a phone one is about a pixel, so words of 12 stay readable. Nothing here
carries a style: the stylesheet colours by class, and what is not complete is hatched as well as pale.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil, log10

WIDTH = 360
LEFT, RIGHT, TOP = 44, 4, 22
PLOT = 168
BASE = TOP + PLOT
LABEL, GROUP = BASE + 17, BASE + 34
TICKS = 4
GROUP_WIDTH = 46
ROW = 30
NAME_WIDTH, VALUE_WIDTH = 104, 64
NAME_LENGTH = 8
MOST_SHOWN = 8
TEN_THOUSAND = 10_000


@dataclass(frozen=True, slots=True)
class Point:
    """One value (数据点): what stands under its bar and above a group of bars, what the table calls it.

    ``is_partial``: it is not complete yet, or cut by the range (未完整); ``note`` says why in the table.
    """

    label: str
    value: int
    name: str = ""
    group: str = ""
    is_partial: bool = False
    note: str = ""

    @property
    def full_name(self) -> str:
        """What the table calls it."""
        return self.name or self.label


@dataclass(frozen=True, slots=True)
class Series:
    """What is to be drawn: an id unique on the page, a title, the unit counted in, what the points are, the points.

    ``said`` is the sentence under the title; ``kind`` colours it: plain, or ``unver`` for what could not be checked.
    """

    id: str
    title: str
    unit: str
    head: str
    points: tuple[Point, ...]
    said: str = ""
    kind: str = ""
    axis: str = ""


@dataclass(frozen=True, slots=True)
class Text:
    """Words at a place."""

    x: float
    y: float
    words: str
    anchor: str = "middle"
    css: str = ""


@dataclass(frozen=True, slots=True)
class Box:
    """A bar; a partial one is hatched."""

    x: float
    y: float
    width: float
    height: float
    css: str = "bar"
    is_partial: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """A line from one place to another."""

    x1: float
    y1: float
    x2: float
    y2: float
    css: str = "axis"


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart ready for ``components/chart.html``: shapes, the sentence for who cannot see them, the table's rows."""

    id: str
    title: str
    said: str
    spoken: str
    head: tuple[str, str]
    table: tuple[tuple[str, str, str], ...]
    height: float = GROUP + 6
    width: int = WIDTH
    rules: Sequence[Rule] = ()
    boxes: Sequence[Box] = ()
    texts: Sequence[Text] = ()
    dots: Sequence[tuple[float, float]] = ()
    is_empty: bool = False

    @property
    def has_partial(self) -> bool:
        """Whether something in it is hatched, which the legend then explains."""
        return any(box.is_partial for box in self.boxes)


@dataclass(slots=True)
class _Drawn:
    rules: list[Rule] = field(default_factory=list)
    boxes: list[Box] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)
    dots: list[tuple[float, float]] = field(default_factory=list)


def bars(series: Series) -> Chart:
    """Upright bars over time, at most thirteen: the highest and the last carry their value."""
    drawn, slot, top = _Drawn(), _slot(series), _top(series)
    _axis(drawn, top)
    for place, point in enumerate(series.points):
        height = point.value / top * PLOT
        x, width = LEFT + slot * place + slot * 0.2, slot * 0.6
        drawn.boxes.append(Box(_r(x), _r(BASE - height), _r(width), _r(height), "bar", point.is_partial))
    _labels(drawn, series, slot)
    _values(drawn, series, slot, top)
    return _chart(series, drawn)


def line(series: Series) -> Chart:
    """A line over time through a dot for each value."""
    drawn, slot, top = _Drawn(), _slot(series), _top(series)
    _axis(drawn, top)
    middles = [(LEFT + slot * (place + 0.5), BASE - p.value / top * PLOT) for place, p in enumerate(series.points)]
    drawn.dots = [(_r(x), _r(y)) for x, y in middles]
    for (x1, y1), (x2, y2), point in zip(drawn.dots, drawn.dots[1:], series.points[1:], strict=False):
        drawn.rules.append(Rule(x1, y1, x2, y2, "line-part" if point.is_partial else "line"))
    _labels(drawn, series, slot)
    _values(drawn, series, slot, top)
    return _chart(series, drawn)


def rows(series: Series) -> Chart:
    """Lying bars, the longest first; what does not fit is summed up in the last, and stands in the table."""
    shown, drawn = _shown(series), _Drawn()
    most = max((point.value for point in shown), default=0) or 1
    room = WIDTH - NAME_WIDTH - VALUE_WIDTH
    for place, point in enumerate(shown):
        y = place * ROW + 6
        is_rest = place == MOST_SHOWN - 1 and len(series.points) > MOST_SHOWN
        css = "bar-rest" if is_rest else f"bar-{series.kind}" if series.kind else "bar"
        width = _r(point.value / most * room)
        drawn.texts.append(Text(NAME_WIDTH - 8, y + 14, _short(point.label), "end", "v"))
        drawn.boxes.append(Box(NAME_WIDTH, y, width, 18, css))
        drawn.texts.append(Text(NAME_WIDTH + width + 6, y + 14, f"{point.value:,}{series.unit}", "start", "v"))
    height = len(shown) * ROW + 6
    drawn.rules.append(Rule(NAME_WIDTH, 2, NAME_WIDTH, height - 2, "base"))
    return _chart(series, drawn, height)


def _shown(series: Series) -> list[Point]:
    points = sorted(series.points, key=lambda point: -point.value)
    if len(points) <= MOST_SHOWN:
        return points
    rest = points[MOST_SHOWN - 1 :]
    return [*points[: MOST_SHOWN - 1], Point(f"其余{len(rest)}个", sum(point.value for point in rest))]


def _slot(series: Series) -> float:
    # A single bar as wide as the drawing would look like a wall.
    return (WIDTH - LEFT - RIGHT) / max(len(series.points), 5)


def _top(series: Series) -> int:
    """The end of the axis: a number with one digit, or 25, 15, 12 of some size, not below the highest value."""
    most = max((point.value for point in series.points), default=0)
    if most <= TICKS:
        return TICKS
    step: int = 10 ** int(log10(most / TICKS))
    nice = next(n for n in (1, 2, 2.5, 5, 10) if n * step * TICKS >= most)
    return ceil(nice * step) * TICKS


def _axis(drawn: _Drawn, top: int) -> None:
    for tick in range(TICKS + 1):
        y = _r(BASE - PLOT * tick / TICKS)
        drawn.rules.append(Rule(LEFT, y, WIDTH, y, "axis" if tick else "base"))
        drawn.texts.append(Text(LEFT - 6, y + 4, _rough(top * tick // TICKS), "end"))


def _labels(drawn: _Drawn, series: Series, slot: float) -> None:
    """A word below each bar, and below the first of each group the group's."""
    if series.axis:
        drawn.texts.append(Text(LEFT - 6, LABEL, series.axis, "end"))
    for place, point in enumerate(series.points):
        drawn.texts.append(Text(_r(LEFT + slot * (place + 0.5)), LABEL, point.label))
    for group, first, count in _groups(series):
        if first == 0 and slot * count < GROUP_WIDTH and count < len(series.points):
            # Too narrow for its words, which reach out to the left, where nothing stands.
            drawn.texts.append(Text(_r(LEFT + slot * count - 2), GROUP, group, "end"))
        else:
            drawn.texts.append(Text(_r(LEFT + slot * (first + 0.2)), GROUP, group, "start"))


def _groups(series: Series) -> list[tuple[str, int, int]]:
    """The groups of neighbouring points: their words, where they begin, how many points each holds."""
    found: list[tuple[str, int, int]] = []
    for place, point in enumerate(series.points):
        if found and found[-1][0] == point.group:
            group, first, count = found.pop()
            found.append((group, first, count + 1))
        elif point.group:
            found.append((point.group, place, 1))
    return found


def _values(drawn: _Drawn, series: Series, slot: float, top: int) -> None:
    """The highest value and the last, unless the two would stand on each other."""
    values = [point.value for point in series.points]
    if not any(values):
        return
    highest, last = values.index(max(values)), len(values) - 1
    places = {highest, last} if last - highest > 1 or slot > WIDTH / 10 else {highest}
    for place in sorted(places):
        y = BASE - values[place] / top * PLOT - 6
        drawn.texts.append(Text(_r(LEFT + slot * (place + 0.5)), _r(y), _rough(values[place]), css="v"))


def _chart(series: Series, drawn: _Drawn, height: float = GROUP + 6) -> Chart:
    return Chart(
        id=series.id,
        title=series.title,
        said=series.said,
        spoken=_spoken(series),
        head=(series.head, f"数量（{series.unit}）"),
        table=tuple((point.full_name, f"{point.value:,}", point.note) for point in series.points),
        height=height,
        rules=drawn.rules,
        boxes=drawn.boxes,
        texts=drawn.texts,
        dots=drawn.dots,
        is_empty=not any(point.value for point in series.points),
    )


def _spoken(series: Series) -> str:
    """The chart in a sentence: the sum, the most, the least, what is not complete."""
    if not any(point.value for point in series.points):
        return f"{series.title}：没有数据"
    most = max(series.points, key=lambda point: point.value)
    whole = [point for point in series.points if not point.is_partial]
    said = f"{series.title}：最多的是{most.full_name}，{most.value:,}{series.unit}"
    if len(whole) > 1:
        least = min(whole, key=lambda point: point.value)
        said += f"；最少的是{least.full_name}，{least.value:,}{series.unit}"
    cut = [point.full_name for point in series.points if point.is_partial]
    return said + (f"；{'、'.join(cut)}不完整" if cut else "")


def _short(words: str) -> str:
    return words if len(words) <= NAME_LENGTH else f"{words[: NAME_LENGTH - 1]}…"


def _rough(value: int) -> str:
    """As many digits as an axis has room for: 1,200 or 12.5万."""
    if value < TEN_THOUSAND:
        return f"{value:,}"
    return f"{value / TEN_THOUSAND:.1f}".rstrip("0").rstrip(".") + "万"


def _r(value: float) -> float:
    return round(value, 1)

"""The coverage heat map (归集日历) in words: each cell says what it means, its colour only repeats it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from xinzheng.apps.oversight.queries import CoverageCalendar, Row
from xinzheng.core.coverage_calendar import Cell, CellState, Month
from xinzheng.core.sentences import spoken_date
from xinzheng.web.departments.duties import KIND_NAMES

COLOURS = {
    CellState.DELIVERED: "h-yes",
    CellState.ZERO: "h-zero",
    CellState.PART: "h-part",
    CellState.MISSING: "h-gap",
    CellState.HELD: "h-part",
    CellState.BLOCKED: "h-part",
    CellState.NOT_DUE: "",
}
COVERED = frozenset({CellState.DELIVERED, CellState.ZERO, CellState.PART})
FIXED = {
    CellState.MISSING: ("缺", "没有报送"),
    CellState.HELD: ("待确认", "已报送，待第二人确认"),
    CellState.BLOCKED: ("待更正", "已报送，有行待更正"),
    CellState.NOT_DUE: ("—", "未到期"),
}


@dataclass(frozen=True)
class CellView:
    """A cell: its colour class, what it shows, what it says in full."""

    css: str
    text: str
    spoken: str


@dataclass(frozen=True)
class HeatRow:
    """A row: its name, what stands below the name, its cells."""

    name: str
    detail: str
    cells: Sequence[CellView]


@dataclass(frozen=True)
class Heat:
    """A heat map: years with the number of their months, months, rows."""

    caption: str
    head: str
    years: Sequence[tuple[int, int]]
    months: Sequence[Month]
    rows: Sequence[HeatRow]


def heat_of(calendar: CoverageCalendar, rows: Sequence[Row], head: str, name: Callable[[Row], tuple[str, str]]) -> Heat:
    """The heat map of some rows of a calendar; ``name`` gives a row's name and what stands below it."""
    years = [(year, len(list(months))) for year, months in groupby(calendar.months, key=lambda month: month.year)]
    counted = calendar.counts_records
    shown = [
        HeatRow(
            *name(row),
            [_marked(cell, cell_view(cell, is_latest=row.scope.is_latest or not counted), row) for cell in row.cells],
        )
        for row in rows
    ]
    return Heat(f"各月归集情况，{len(rows)}行", head, years, calendar.months, shown)


def _marked(cell: Cell, view: CellView, row: Row) -> CellView:
    """A covered cell says when days of it were stated by return (数据回流)."""
    if cell.month not in row.returned or cell.state not in COVERED:
        return view
    return replace(view, text=f"{view.text} 回", spoken=f"{view.spoken}，经回流渠道归集")


def by_scope(row: Row) -> tuple[str, str]:
    """A row named by what it is about."""
    return row.scope.domain_name, kind_name(row.scope.kind)


def by_unit(row: Row) -> tuple[str, str]:
    """A row named by its unit."""
    return row.scope.unit.short_name, f"{row.scope.domain_name}，{kind_name(row.scope.kind)}"


def kind_name(kind: str) -> str:
    """A kind of record in words."""
    return KIND_NAMES.get(kind, kind)


def cell_view(cell: Cell, *, is_latest: bool) -> CellView:
    """A cell in words."""
    text, spoken = _words(cell, is_latest=is_latest)
    return CellView(COLOURS[cell.state], text, spoken)


def _words(cell: Cell, *, is_latest: bool) -> tuple[str, str]:
    if cell.state in FIXED:
        return FIXED[cell.state]
    if cell.state is CellState.PART:
        if cell.through is None:
            return f"缺{cell.lacking}天", f"部分，缺{cell.lacking}天"
        return f"至{cell.through.day}日", f"部分，数据仅至{spoken_date(cell.through)}"
    if is_latest:
        return "已报", "已报送"
    is_zero = cell.state is CellState.ZERO
    text, spoken = ("零", "零报告") if is_zero else (str(cell.records), f"已报送{cell.records}件")
    if cell.through is not None:
        return f"{text} 至{cell.through.day}日", f"{spoken}，数据至{spoken_date(cell.through)}"
    return text, spoken

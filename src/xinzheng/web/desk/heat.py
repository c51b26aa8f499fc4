"""Coverage at a glance (归集覆盖概览): by domain or by unit, how many do not cover a month; records are not counted.

Counting them reads every version of every record; the coverage page does that, and links lead there.
"""

from collections.abc import Sequence
from itertools import groupby

from xinzheng.apps.oversight.queries import CoverageCalendar, Row
from xinzheng.core.coverage_calendar import Cell, CellState
from xinzheng.web.office.heat import CellView, Heat, HeatRow

NOT_DUE = CellView("", "—", "未到期")
COVERED = CellView("h-yes", "全", "全部完整")


def overview(calendar: CoverageCalendar, group: str) -> Heat:
    """A row for each domain, or each unit, those that lack most first."""
    found: dict[str, list[Row]] = {}
    for row in calendar.rows:
        found.setdefault(row.scope.unit.short_name if group == "unit" else row.scope.domain_name, []).append(row)
    lines = sorted(found.items(), key=lambda item: -sum(row.is_late for row in item[1]))
    of = "领域" if group == "unit" else "单位"
    shown = [HeatRow(name, _detail(rows, of), _cells(rows, of)) for name, rows in lines]
    years = [(year, len(list(months))) for year, months in groupby(calendar.months, key=lambda month: month.year)]
    head = "单位" if group == "unit" else "领域"
    return Heat(f"各{head}各月归集情况，{len(shown)}行", head, years, calendar.months, shown)


def _parts(rows: Sequence[Row], of: str) -> dict[object, list[Row]]:
    """The rows by what is counted in a cell: units of a domain, or domains of a unit."""
    found: dict[object, list[Row]] = {}
    for row in rows:
        found.setdefault(row.scope.unit.id if of == "单位" else row.scope.domain, []).append(row)
    return found


def _detail(rows: Sequence[Row], of: str) -> str:
    return f"{len(_parts(rows, of))}个{of}"


def _cells(rows: Sequence[Row], of: str) -> list[CellView]:
    parts = list(_parts(rows, of).values())
    return [_cell([[row.cells[n] for row in part] for part in parts], of) for n in range(len(rows[0].cells))]


def _cell(parts: list[list[Cell]], of: str) -> CellView:
    cells = [[cell for cell in part if cell.state is not CellState.NOT_DUE] for part in parts]
    due = [part for part in cells if part]
    if not due:
        return NOT_DUE
    late = sum(any(cell.is_late for cell in part) for part in due)
    if not late:
        return COVERED
    css = "h-gap" if late == len(due) else "h-part"
    return CellView(css, f"缺{late}", f"{len(due)}个{of}中{late}个不完整")

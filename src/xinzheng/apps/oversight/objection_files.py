"""Figures of objections as a file for the office (异议统计表)."""

from collections.abc import Sequence

from xinzheng.apps.oversight.objection_figures import OUTCOMES, Figures, Group, Tally
from xinzheng.apps.oversight.ports import workbook_writer
from xinzheng.core.sentences import spoken_date

HEAD = ("提出", *OUTCOMES.values(), "平均工作日", "最长工作日", "按时办结", "超期", "申请复核", "复核退回")
NOTES = (
    "按提出的日期统计，截至现在；按最后办理的单位归类。工作日从提出算到第一次作出结论，不含等待补充材料的时间。",
    "超期：按单位的，只算该单位自己超期的；合计的，任何一方超期都算。没有公布工作日安排的年份不能计算。",
)


def title_of(figures: Figures) -> str:
    """异议办理统计（2026年1月1日至2026年6月30日提出的）."""
    return f"异议办理统计（{spoken_date(figures.first)}至{spoken_date(figures.last)}提出的）"


def cells_of(tally: Tally) -> list[int | float | None]:
    """One row of figures, in the order of the head."""
    mean = None if tally.mean_days is None else float(tally.mean_days)
    counted = [tally.lodged, *(tally.outcomes[name] for name in OUTCOMES)]
    return [*counted, mean, tally.most_days, tally.in_time, tally.late, tally.appealed, tally.remanded]


def figures_workbook(figures: Figures) -> bytes:
    """All figures as XLSX: of all, by unit, by kind of record, by ground."""
    whole = [Group("", "合计", figures.whole)]
    sheets = (("合计", whole), ("按单位", figures.units), ("按记录类型", figures.kinds), ("按事由", figures.grounds))
    writer = workbook_writer()
    lines = [title_of(figures), *NOTES]

    def sheet(name: str, groups: Sequence[Group]) -> object:
        columns = [writer.Column(name, 28), *(writer.Column(title, 10) for title in HEAD)]
        return writer.Sheet(name, lines, columns, [[group.name, *cells_of(group.tally)] for group in groups])

    found: bytes = writer.write_workbook([sheet(name, groups) for name, groups in sheets])
    return found

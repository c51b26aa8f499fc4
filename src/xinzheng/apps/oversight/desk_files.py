"""The figures of the desk as a file (运行情况表): in all, by part of the range, by key."""

from collections.abc import Mapping
from datetime import datetime

from xinzheng.apps.oversight.desk_figures import Figures
from xinzheng.apps.oversight.desk_words import NOTES, TITLES, key_name, name_of
from xinzheng.apps.oversight.ports import workbook_writer
from xinzheng.core.decision import CHINA
from xinzheng.core.sentences import spoken_date


def title_of(found: Figures) -> str:
    """运行情况（2026年1月1日至2026年6月30日）."""
    return f"运行情况（{spoken_date(found.range.first)}至{spoken_date(found.range.last)}）"


def desk_workbook(found: Figures, policies: Mapping[str, str], domains: Mapping[str, str], now: datetime) -> bytes:
    """All figures as XLSX.

    Args:
        policies: ids with their names, to say which is shown; all are where none was chosen.
        domains: codes with their names.
    """
    writer = workbook_writer()
    of = policies.get(found.policy_id, found.policy_id) if found.policy_id else "全部政策"
    lines = [title_of(found), f"{of}；统计于{now.astimezone(CHINA):%Y-%m-%d %H:%M}（北京时间）", *NOTES]
    sums = [[name, found.total(figure), unit] for figure, (name, unit) in TITLES.items() if figure != "gaps"]
    keys = [
        [TITLES[figure][0], key_name(figure, key, domains), count, TITLES[figure][1]]
        for figure in TITLES
        for key, count in found.by_key(figure).items()
        if key
    ]
    number = "#,##0"
    sheets = [
        writer.Sheet("合计", lines, [writer.Column("指标", 24), writer.Column("数量", 14, number),
                                   writer.Column("单位", 8)], sums),
        writer.Sheet("各期", lines[:2], _columns(writer), _parts(found)),
        writer.Sheet("分类", lines[:2], [writer.Column("指标", 24), writer.Column("类别", 28),
                                       writer.Column("数量", 14, number), writer.Column("单位", 8)], keys),
    ]  # fmt: skip
    made: bytes = writer.write_workbook(sheets)
    return made


def _columns(writer: object) -> list[object]:
    column = writer.Column  # type: ignore[attr-defined]
    named = [column(f"{name}（{unit}）", 16, "#,##0") for figure, (name, unit) in TITLES.items() if figure != "gaps"]
    return [column("时间", 22), column("自", 12), column("至", 12), column("是否完整", 10), *named]


def _parts(found: Figures) -> list[list[str | int]]:
    series = [found.series(figure) for figure in TITLES if figure != "gaps"]
    rows: list[list[str | int]] = []
    for place, bucket in enumerate(found.buckets):
        first = max(bucket.first, found.range.first)
        whole = "不完整" if bucket.is_partial else "完整"
        counts = [counts[place] for counts in series]
        rows.append([name_of(bucket, found.step), first.isoformat(), bucket.last.isoformat(), whole, *counts])
    return rows

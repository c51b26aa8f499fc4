"""The desk's figures as charts (运行情况图表): which are drawn, and what each point is called."""

from collections.abc import Mapping
from types import MappingProxyType

from xinzheng.apps.oversight.desk_figures import Bucket, Figures, Step
from xinzheng.apps.oversight.desk_words import OUTCOMES, WAYS, name_of
from xinzheng.core.sentences import spoken_date
from xinzheng.web.desk.charts import Chart, Point, Series, bars, rows

EACH: Mapping[Step, str] = MappingProxyType(
    {Step.DAY: "每天", Step.WEEK: "每周", Step.MONTH: "每月", Step.QUARTER: "每季度", Step.YEAR: "每年"}
)
AXES: Mapping[Step, str] = MappingProxyType(
    {Step.DAY: "日", Step.WEEK: "周一", Step.MONTH: "月", Step.QUARTER: "季", Step.YEAR: "年"}
)
HEADS: Mapping[Step, str] = MappingProxyType(
    {Step.DAY: "日期", Step.WEEK: "周", Step.MONTH: "月份", Step.QUARTER: "季度", Step.YEAR: "年份"}
)


def charts_of(found: Figures, domains: Mapping[str, str]) -> list[Chart]:
    """The charts of the desk, in their order; ``domains`` are names by code."""
    return [_issued(found), _looks(found), _gaps(found, domains), _ways(found)]


def _issued(found: Figures) -> Chart:
    outcomes = found.by_key("issued")
    parts = "、".join(f"{OUTCOMES.get(key, key)}{count:,}份" for key, count in outcomes.items())
    return bars(_over_time(found, "issued", "出具报告", "份", f"结论：{parts}。" if parts else ""))


def _looks(found: Figures) -> Chart:
    views = found.total("views")
    said = f"另有{views:,}次凭亮码查看报告内容。" if views else "没有人凭亮码查看报告内容。"
    return bars(_over_time(found, "looks", "接受核验", "次", said))


def _gaps(found: Figures, domains: Mapping[str, str]) -> Chart:
    points = tuple(Point(domains.get(key, key), count) for key, count in found.by_key("gaps").items())
    said = "单位没有按时报送完整，出具时写“未能核查”。一份报告可以涉及几个领域。"
    return rows(Series("gaps", "未能核查最多的领域", "份", "领域", points, said if points else "", "unver"))


def _ways(found: Figures) -> Chart:
    points = tuple(Point(WAYS.get(key, key), count) for key, count in found.by_key("looks").items())
    return rows(Series("ways", "怎样核验", "次", "方式", points, "公众核验不用登录，不记录是谁。" if points else ""))


def _over_time(found: Figures, figure: str, title: str, unit: str, said: str) -> Series:
    counted = zip(found.buckets, found.series(figure), strict=True)
    points = tuple(_point(bucket, count, found) for bucket, count in counted)
    step = found.step
    return Series(figure, f"{EACH[step]}{title}", unit, HEADS[step], points, said, axis=AXES[step])


def _point(bucket: Bucket, count: int, found: Figures) -> Point:
    label, group = label_of(bucket, found.step)
    begun = max(bucket.first, found.range.first)
    note = f"统计{spoken_date(begun)}至{spoken_date(bucket.last)}" if bucket.is_partial else ""
    return Point(label, count, name_of(bucket, found.step), group, bucket.is_partial, note)


def label_of(bucket: Bucket, step: Step) -> tuple[str, str]:
    """What stands under a bar, and under the first of its group."""
    first = bucket.first
    if step in (Step.DAY, Step.WEEK):
        return str(first.day), f"{first.month}月"
    if step is Step.MONTH:
        return str(first.month), f"{first.year}年"
    if step is Step.QUARTER:
        return str(first.month // 3 + 1), f"{first.year}年"
    return str(first.year), ""

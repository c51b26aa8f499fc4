"""A bulletin as files (通报文件): the words for the typesetter, the table as a workbook."""

from datetime import datetime
from typing import Any

from django.utils import timezone

from xinzheng.apps.ledger.delivery import in_china
from xinzheng.apps.oversight.bulletins import BulletinView
from xinzheng.apps.oversight.ports import bulletin_renderer, workbook_writer
from xinzheng.core.coverage_calendar import Month
from xinzheng.core.sentences import spoken_date

UNKNOWN = "—"
SHARES = ("completeness", "timeliness", "accuracy")
HEAD = ("名次", "单位", "得分", "较上月", "完整率%", "及时率%", "准确率%")
COUNTS = {
    "days_due": "应覆盖天数",
    "days_covered": "已覆盖天数",
    "records": "报送记录",
    "in_time": "按时报送",
    "lines": "报送行数",
    "rejected": "退回行数",
    "corrected": "异议更正",
}


def title_of(bulletin: BulletinView) -> str:
    """苏州市2026年10月数据质量通报."""
    month = Month.read(bulletin.figures["month"])
    return f"{bulletin.figures['policy']['jurisdiction']}{month.year}年{month.number}月数据质量通报"


def summary_of(bulletin: BulletinView) -> list[str]:
    """What the bulletin says, in sentences."""
    figures = bulletin.figures
    units, late = figures["units"], figures["late"]
    whole = sum(1 for unit in units if unit["days_due"] and unit["days_covered"] == unit["days_due"])
    sent, rejected = sum(unit["lines"] for unit in units), sum(unit["rejected"] for unit in units)
    said = [f"{len(units)}个单位中，{whole}个当月数据完整，{len({row['unit'] for row in late})}个缺数据。"]
    return [*said, f"当月报送{sent:,}行，退回{rejected:,}行。"]


def notes_of(bulletin: BulletinView) -> list[str]:
    """How the figures are made; the same on page, paper and workbook."""
    figures = bulletin.figures
    weights = figures["weights"]
    counts = "异议更正计入更正的月份，当月没有报送的以更正数为分母。"
    corrections = counts if figures["counts_corrections"] else "异议更正尚未接入，本期按0计。"
    return [
        "完整率为已覆盖天数除以应覆盖天数，按每项归集责任逐日计算；暂缓、有行待更正的批次不算覆盖。",
        f"及时率为决定作出后{figures['freshness_days']}个工作日内报送的记录除以报送的记录，按决定月份计算。",
        f"准确率为未被退回且未因异议更正的行除以报送的行，按报送月份计算。{corrections}",
        f"得分按完整率{weights['completeness']}、及时率{weights['timeliness']}、准确率{weights['accuracy']}加权；"
        "没有可以计算的，记作“—”，不参加加权。得分相同的，名次相同。",
        f"数据读自账本第{figures['position']}位，截至{figures['as_of']}。发布后不再改动，以后的变化计入以后的通报。",
    ]


def bulletin_pdf(bulletin: BulletinView) -> bytes:
    """The bulletin on paper. Raises RenderError."""
    pdf: bytes = bulletin_renderer().render_bulletin(words_of(bulletin), _moment(bulletin))
    return pdf


def words_of(bulletin: BulletinView) -> dict[str, Any]:
    """Every word of the paper."""
    figures, at = bulletin.figures, in_china(_moment(bulletin)).date()
    return {
        "title": title_of(bulletin),
        "subtitle": f"{figures['issuer']}　{spoken_date(at)}",
        "summary": summary_of(bulletin),
        "head": list(HEAD),
        "rows": [_row(unit) for unit in figures["units"]],
        "late": {
            "head": ["单位", "领域", "缺少"],
            "rows": [
                [row["unit"], row["domain"], f"{row['needed']}天中缺{row['lacking']}天"] for row in figures["late"]
            ],
        },
        "notes": notes_of(bulletin),
        "digest": bulletin.digest or "",
        "issuer": figures["issuer"],
        "date": spoken_date(at),
        "demonstration": figures["demonstration"],
        "draft": bulletin.is_draft,
    }


def _row(unit: dict[str, Any]) -> list[str]:
    trend = unit["trend"]
    rising = f"+{trend}" if trend and not trend.startswith("-") and float(trend) else trend
    cells = [unit["rank"], unit["name"], unit["score"], rising, *(unit["shares"][name] for name in SHARES)]
    return [UNKNOWN if cell is None else str(cell) for cell in cells]


def bulletin_workbook(bulletin: BulletinView) -> bytes:
    """The table as XLSX, with the counts behind every share."""
    writer, figures = workbook_writer(), bulletin.figures
    numbers = [writer.Column(title, 10, "0.0") for title in HEAD[2:]]
    counts = [writer.Column(title, 12, "#,##0") for title in COUNTS.values()]
    columns = [
        writer.Column("名次", 6),
        writer.Column("单位", 28),
        writer.Column("统一社会信用代码", 22),
        *numbers,
        *counts,
    ]
    state = "草稿，未发布" if bulletin.is_draft else f"摘要值（SHA-256）{bulletin.digest}"
    lines = [title_of(bulletin), state, *notes_of(bulletin)]
    if figures["demonstration"]:
        lines.insert(1, "演示文件，数据虚构，无证明效力。")
    rows = [_numbers(unit) for unit in figures["units"]]
    found: bytes = writer.write_workbook([writer.Sheet("通报", lines, columns, rows)], _moment(bulletin))
    return found


def _numbers(unit: dict[str, Any]) -> list[str | int | float | None]:
    shares = (unit["shares"][name] for name in SHARES)
    values = [None if text is None else float(text) for text in (unit["score"], unit["trend"], *shares)]
    return [unit["rank"], unit["name"], unit["uscc"], *values, *(unit[name] for name in COUNTS)]


def _moment(bulletin: BulletinView) -> datetime:
    return bulletin.published_at or timezone.now()

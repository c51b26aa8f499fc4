"""Many verifications as one table (核验结果表): an XLSX file for the receiver's own records."""

from collections.abc import Sequence
from datetime import datetime

from xinzheng.apps.reports import ports
from xinzheng.core.decision import CHINA

COLUMNS = (
    ("序号", 6),
    ("文件或者编号", 34),
    ("报告编号", 22),
    ("主体（已遮盖）", 24),
    ("文件是否改动", 24),
    ("签名是否有效", 18),
    ("签发者是否可信", 18),
    ("报告状态", 26),
    ("透明日志", 14),
    ("说明", 60),
)


def verification_workbook(rows: Sequence[Sequence[str]], at: datetime, lines: Sequence[str]) -> bytes:
    """The table: a row for each that was verified ``at`` a moment, without its serial number; ``lines`` stand above."""
    workbooks = ports.workbooks()
    said = f"{at.astimezone(CHINA):%Y-%m-%d %H:%M:%S}（北京时间）核对；以后的变化以再次核验为准。"
    columns = [workbooks.Column(title, width) for title, width in COLUMNS]
    numbered = [[place, *row] for place, row in enumerate(rows, 1)]
    sheet = workbooks.Sheet("核验结果", ["批量核验结果", said, *lines], columns, numbered)
    table: bytes = workbooks.write_workbook([sheet], at.astimezone(CHINA))
    return table

"""Write the files that departments would hand in, byte for byte the same each time."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path


class FileForm(StrEnum):
    """How a file is written; the value is its name's ending."""

    CSV = "csv"
    CSV_WITH_BOM = "bom.csv"
    CSV_GB18030 = "gbk.csv"
    XLSX = "xlsx"


ENCODINGS = {FileForm.CSV: "utf-8", FileForm.CSV_WITH_BOM: "utf-8-sig", FileForm.CSV_GB18030: "gb18030"}
# A workbook notes when it was made: always this moment, or no two files would be alike.
MADE_AT = datetime(2024, 3, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Sheet:
    """A table of text: header and rows."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]


def write_sheet(sheet: Sheet, path: Path, form: FileForm) -> Path:
    """Write the table; the file's path, whose ending is that of the form."""
    if form is FileForm.XLSX:
        path.write_bytes(_workbook(sheet))
    else:
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\r\n")
        writer.writerow(sheet.header)
        writer.writerows(sheet.rows)
        path.write_bytes(text.getvalue().encode(ENCODINGS[form]))
    return path


def _workbook(sheet: Sheet) -> bytes:
    from xlsxwriter import Workbook

    content = io.BytesIO()
    book = Workbook(content, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    book.set_properties({"created": MADE_AT.replace(tzinfo=None)})
    page = book.add_worksheet("报送数据")
    for number, row in enumerate((sheet.header, *sheet.rows)):
        for place, cell in enumerate(row):
            if cell:
                page.write_string(number, place, cell)
    book.close()
    return content.getvalue()

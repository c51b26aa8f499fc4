"""A workbook before it is opened: how large it is unpacked, and how far its cells reach.

The reader lays a sheet out as a full rectangle: one cell in the last corner of an empty sheet would need more memory
than there is, and end the process.
"""

import re
import zipfile
import zlib
from pathlib import Path

from xinzheng.core.errors import XinzhengError

MEBIBYTE = 1024**2
UNPACKED_LIMIT = 1024 * MEBIBYTE
RECTANGLE_LIMIT = 50_000_000
PIECE = MEBIBYTE
# Longer than any cell's or row's opening tag up to its reference.
OVERLAP = 64
REFERENCE = re.compile(rb'<(?:\w+:)?(?:c|row)\s[^<>]{0,40}?\br="([A-Z]{0,3})(\d{0,7})"')


class WorkbookError(XinzhengError):
    """The workbook cannot be opened, or not without endangering the process."""

    code = "workbook-unreadable"


def inspect_workbook(path: Path) -> None:
    """Unpack every member to nowhere and measure. Raises WorkbookError: damaged, or too large."""
    try:
        with zipfile.ZipFile(path) as archive:
            _inspect(archive, path.name)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        message = (
            f"{path.name}不是可以读取的XLSX表格（已损坏、设有密码或者格式不对）。请用表格软件另存为XLSX后重新导入。"
        )
        raise WorkbookError(message) from error


def _inspect(archive: zipfile.ZipFile, file_name: str) -> None:
    unpacked = 0
    for member in archive.infolist():
        is_sheet = member.filename.startswith("xl/worksheets/")
        columns, rows, tail = {b"A"}, 1, b""
        with archive.open(member) as file:
            while piece := file.read(PIECE):
                unpacked += len(piece)
                if is_sheet:
                    found = REFERENCE.findall(tail + piece)
                    columns |= {column for column, _ in found}
                    rows = max([rows, *(int(row) for _, row in found if row)])
                    tail = piece[-OVERLAP:]
                if unpacked > UNPACKED_LIMIT or max(map(_number, columns)) * rows > RECTANGLE_LIMIT:
                    message = f"{file_name}解压后过大，或者有单元格远在数据之外。请删去多余的行列，或者拆分后重新导入。"
                    raise WorkbookError(message, code="workbook-too-large")


def _number(column: bytes) -> int:
    number = 0
    for letter in column:
        number = number * 26 + letter - 64
    return number

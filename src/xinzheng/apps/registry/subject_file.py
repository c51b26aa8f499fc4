"""Read a file of the subject register (主体名录): CSV in UTF-8 or GB 18030, or XLSX, into lines of named cells."""

import csv
import io
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from types import MappingProxyType

from python_calamine import CalamineError, CalamineWorkbook

from xinzheng.apps.registry.workbook_guard import inspect_workbook
from xinzheng.core.errors import XinzhengError

MEBIBYTE = 1024**2
FILE_LIMIT = 256 * MEBIBYTE
CELL_LIMIT = 32_000
EXACT_IN_A_FLOAT = 10**15
ADVICE = "请用表格软件另存为“CSV UTF-8”或者XLSX后重新导入。"

# Field identifier: its Chinese column name first, then what else a register calls it.
COLUMNS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "name": ("名称", "主体名称", "企业名称", "单位名称", "姓名"),
        "code": ("统一社会信用代码", "代码", "主体代码", "公民身份号码", "身份证号码", "证件号码"),
        "kind": ("类型", "主体类型", "主体类别"),
        "legal_representative": ("法定代表人", "legal representative", "representative", "负责人", "经营者"),
        "status": ("登记状态", "状态", "经营状态"),
        "established": ("成立日期", "注册日期"),
        "address": ("住所", "地址", "经营场所"),
        "former_names": ("曾用名",),
        "former_codes": ("曾用代码",),
        "registration_number": ("注册号", "工商注册号"),
        "relation": ("承继关系",),
        "related_code": ("关联主体代码",),
        "related_date": ("关联日期",),
    }
)
REQUIRED = ("name", "code")


class SubjectFileError(XinzhengError):
    """The file as a whole cannot be read as a subject register; nothing of it was taken over."""

    code = "subject-file-unreadable"


@dataclass(frozen=True, slots=True)
class FileLine:
    """One line: its number as a person sees it (header = 1), and the text of each known, non-empty cell."""

    number: int
    cells: Mapping[str, str]


@dataclass(frozen=True)
class SubjectTable:
    """The file's lines and, per known column, its heading in the file."""

    headings: Mapping[str, str]
    lines: Sequence[FileLine]


def read_subject_file(path: Path) -> SubjectTable:
    """Read the whole file. Raises SubjectFileError: unreadable, too large, no table, columns missing or repeated."""
    _refuse_size(path)
    rows = _xlsx_rows(path) if path.suffix.lower() in (".xlsx", ".xlsm") else _csv_rows(path)
    if not rows:
        raise SubjectFileError(f"{path.name}没有内容，请填写后重新导入。", code="file-empty")
    fields = _fields(rows[0], path.name)
    headings = {field: rows[0][place].strip() for place, field in fields.items()}
    lines = []
    for number, row in enumerate(rows[1:], 2):
        if any(cell.strip() for cell in row):
            _refuse_torn(row, len(rows[0]), number, path.name)
            found = {field: row[place].strip() for place, field in fields.items() if place < len(row)}
            lines.append(FileLine(number, {field: text for field, text in found.items() if text}))
    return SubjectTable(headings, lines)


def _refuse_size(path: Path) -> None:
    try:
        size = path.stat().st_size
    except OSError as error:
        raise SubjectFileError(f"无法读取 {path}：{error.strerror}，请核对路径。", code="file-missing") from error
    if size > FILE_LIMIT:
        raise SubjectFileError(f"{path.name}超过{FILE_LIMIT // MEBIBYTE}MB，请拆分后导入。", code="file-too-large")


def _csv_rows(path: Path) -> list[list[str]]:
    content = path.read_bytes()
    if b"\0" in content:
        raise SubjectFileError(f"{path.name}不是文本表格。{ADVICE}", code="not-a-table")
    rows: list[list[str]] = []
    try:
        rows.extend(csv.reader(io.StringIO(_decoded(content, path.name), newline=""), strict=True))
    except csv.Error as error:
        message = f"{path.name}第{len(rows) + 1}行的分列有误（英文引号没有成对，或者单元格过长）。{ADVICE}"
        raise SubjectFileError(message, code="not-a-table", line=len(rows) + 1) from error
    return rows


def _decoded(content: bytes, file_name: str) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    message = f"{file_name}的编码既不是UTF-8也不是GB 18030。{ADVICE}"
    raise SubjectFileError(message, code="encoding-unknown")


def _xlsx_rows(path: Path) -> list[list[str]]:
    inspect_workbook(path)
    try:
        sheet = CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0)
        return [[_cell_text(cell) for cell in row] for row in sheet.to_python(skip_empty_area=False)]
    except (CalamineError, IndexError, ValueError) as error:
        raise SubjectFileError(f"{path.name}不是可以读取的XLSX表格。{ADVICE}", code="not-a-table") from error


def _cell_text(cell: object) -> str:
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < EXACT_IN_A_FLOAT:
        return str(int(cell))
    return str(cell)


def _fields(header: Sequence[str], file_name: str) -> dict[int, str]:
    names = {_folded(name): field for field, known in COLUMNS.items() for name in (field, *known)}
    fields = {place: names[_folded(cell)] for place, cell in enumerate(header) if _folded(cell) in names}
    missing = [COLUMNS[field][0] for field in REQUIRED if field not in fields.values()]
    if missing:
        message = f"{file_name}第1行缺少必填列：{'、'.join(missing)}。请在第1行写明各列名称后重新导入。"
        raise SubjectFileError(message, code="column-missing", line=1)
    repeated = {COLUMNS[field][0] for field in fields.values() if list(fields.values()).count(field) > 1}
    if repeated:
        message = f"{file_name}第1行有几列都是{'、'.join(sorted(repeated))}，请只保留一列。"
        raise SubjectFileError(message, code="header-duplicate", line=1)
    return fields


def _folded(name: str) -> str:
    return "".join(unicodedata.normalize("NFKC", name).lower().replace("\ufeff", "").split()).rstrip("*")


def _refuse_torn(row: Iterable[str], width: int, number: int, file_name: str) -> None:
    cells = list(row)
    if any(cell.strip() for cell in cells[width:]):
        message = f"{file_name}第{number}行比表头多出单元格，可能有未加引号的逗号，请核对后重新导入。"
        raise SubjectFileError(message, code="row-too-wide", line=number)
    if any(len(cell) > CELL_LIMIT for cell in cells):
        message = f"{file_name}第{number}行有超过{CELL_LIMIT}字的单元格，请核对后重新导入。"
        raise SubjectFileError(message, code="cell-too-long", line=number)

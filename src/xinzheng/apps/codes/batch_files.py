"""Files of reports to verify (批量核验文件): read from a table into lines, each to be asked or with what is wrong."""

import tempfile
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from django.conf import settings

from xinzheng.apps.audit.privacy import IDENTITY_NUMBER, PHONE, holds_number
from xinzheng.apps.reports.batch_verification import Asked
from xinzheng.core.errors import XinzhengError
from xinzheng.core.lifecycle import TYPED_LENGTH, is_report_number, normalise_number, normalise_typed_code

LINES_AT_MOST = 10_000
QR_TEXT_MAX, CELL_MAX = 4096, 64
NAME_AT_MOST, LEFT_OUT = 60, "（号码略）"
TOLD_AT_MOST = 5
MEBIBYTE = 1024 * 1024
NUMBER, CODE, QR = "number", "code", "qr"
# Field: its column's name first, then what else it is called.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    NUMBER: ("报告编号", "编号", "number", "report number"),
    CODE: ("核验码", "验证码", "code"),
    QR: ("二维码内容", "二维码", "二维码全文", "二维码文字", "qr", "qr code"),
}
ADVICE = "第1行请写列名：“报告编号”和“核验码”，或者“二维码内容”。"


class CheckFileError(XinzhengError):
    """The file cannot be verified as a whole; the message names file, line and column. Nothing was kept."""

    code = "check-file-unreadable"


@dataclass(frozen=True, slots=True)
class CheckLine:
    """A line of the file (核验行): its number as a person sees it, what is asked; or its ``fault``."""

    line: int
    number: str = ""
    code: str = ""
    qr: str = ""
    fault: str = ""

    @property
    def asked(self) -> Asked:
        """As it is put to the register. A QR code tells more than a number, and goes before."""
        return Asked(qr=self.qr) if self.qr else Asked(self.number, self.code)


def read_check_file(content: bytes, name: str) -> list[CheckLine]:
    """The lines of a table (CSV or XLSX) with columns for number and code, or for the texts of QR codes.

    Args:
        content: the file.
        name: what it is called in errors; see :func:`told_name`.

    Raises:
        CheckFileError: it is no table, has no such columns, no line that can be asked, or more than ten thousand.
    """
    with tempfile.TemporaryDirectory(prefix="xinzheng-check-") as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        table = _read(path, name)
        _refuse_columns(table.header, table.columns, name)
        lines = list(_lines(table))
    if not lines:
        raise CheckFileError(f"{name}只有列名，没有要核验的报告。请从第2行起填写，一行一份。", code="no-rows")
    if len(lines) > LINES_AT_MOST:
        raise CheckFileError(_too_many(name, len(lines)), code="rows-too-many", line=LINES_AT_MOST + 2)
    if all(line.fault for line in lines):
        raise CheckFileError(_nothing_to_ask(name, lines), code="nothing-to-ask", line=lines[0].line)
    return lines


def told_name(name: str) -> str:
    """A file's name as it is kept and shown: nothing that is not seen, no number of a person, not long."""
    seen = "".join(letter if letter.isprintable() and letter not in "/\\" else "�" for letter in name.strip(" ."))
    told = PHONE.sub(LEFT_OUT, IDENTITY_NUMBER.sub(LEFT_OUT, seen))
    if holds_number(told):
        return LEFT_OUT
    stem, dot, ending = told.rpartition(".")
    return (
        told if len(told) <= NAME_AT_MOST else f"{(stem or ending)[: NAME_AT_MOST - 6]}…{dot}{ending[:5]}"
    ) or "文件"


def template() -> bytes:
    """An empty file to fill in: CSV that a spreadsheet opens as what it is."""
    return ("\ufeff" + ",".join(names[0] for names in COLUMNS.values()) + "\r\n").encode()


def _read(path: Path, name: str) -> Any:
    """The file as the adapter reads it."""
    tabular = import_module(settings.XINZHENG_TABLE.rpartition(".")[0])
    read: Callable[..., Any] = getattr(tabular, settings.XINZHENG_TABLE.rpartition(".")[2])
    most = settings.XINZHENG_CHECK_FILE_MAX_BYTES
    limits = tabular.Limits(
        file_bytes=most,
        xls_bytes=most,
        xlsx_bytes=most,
        xlsx_unpacked_bytes=8 * most,
        xlsx_sheet_bytes=8 * most,
        xlsx_text_bytes=8 * most,
        xlsx_cells=100 * LINES_AT_MOST,
        cell_bytes=8 * QR_TEXT_MAX,
        columns=100,
        lines=3 * LINES_AT_MOST,
    )
    try:
        return read(path, field_of, limits)
    except XinzhengError as error:
        if error.code == "file-empty":
            raise CheckFileError(f"{name}没有内容。{ADVICE}", code=error.code) from error
        # Written for the departments, which report records.
        said = error.message.replace("报送", "上传").replace("没有数据的，请作零报告。", "")
        raise CheckFileError(said, code=error.code, **error.context) from error


def field_of(heading: str) -> str | None:
    """The field a heading names, or None."""
    return FIELD_OF.get(_folded(heading))


def _folded(heading: str) -> str:
    return "".join(unicodedata.normalize("NFKC", heading).replace("\ufeff", "").split()).casefold()


FIELD_OF = {_folded(name): field for field, names in COLUMNS.items() for name in names}


def _refuse_columns(header: Sequence[str], columns: Mapping[str, int], name: str) -> None:
    if QR in columns or {NUMBER, CODE} <= set(columns):
        return
    if columns:
        missing = COLUMNS[CODE if NUMBER in columns else NUMBER][0]
        raise CheckFileError(f"{name}第1行缺少“{missing}”一列。{ADVICE}", code="column-missing", line=1)
    looks_like_data = any(is_report_number(normalise_number(cell[:CELL_MAX])) or _is_address(cell) for cell in header)
    why = "第1行是报告，不是列名" if looks_like_data else "第1行没有认得的列名"
    raise CheckFileError(f"{name}{why}。{ADVICE}", code="header-missing", line=1)


def _lines(table: Any) -> Iterator[CheckLine]:
    for row in table.rows:
        cells = {field: row.cells[place].strip() for field, place in table.columns.items()}
        if not row.fault and not any(cells.values()):
            continue  # a line with something in other columns only asks for nothing
        yield CheckLine(row.line, fault=row.fault[1].replace("报送", "上传")) if row.fault else _line(row.line, cells)


def _line(at: int, cells: Mapping[str, str]) -> CheckLine:
    number, code, qr = (cells.get(field, "") for field in (NUMBER, CODE, QR))
    if not qr and _is_address(number):  # a scanner typed it into the first column
        number, qr = "", number
    fault = _fault(number, code, qr)
    return CheckLine(at, number[:CELL_MAX], "" if fault else code[:CELL_MAX], "" if fault else qr, fault)


def _fault(number: str, code: str, qr: str) -> str:
    """What has to be mended in a line, and in which column; empty where it can be asked."""
    if qr:
        return f"“{COLUMNS[QR][0]}”太长，不是报告二维码的内容。" if len(qr) > QR_TEXT_MAX else ""
    if not is_report_number(normalise_number(number[: 2 * CELL_MAX])):
        return f"“{COLUMNS[NUMBER][0]}”应为18位，末位是校验位，请对照报告核对。"
    if len(normalise_typed_code(code[: 2 * CELL_MAX])) != TYPED_LENGTH:
        return f"“{COLUMNS[CODE][0]}”应为{TYPED_LENGTH}位，请对照报告核对。"
    return ""


def _is_address(text: str) -> bool:
    return text[:8].casefold().startswith(("http://", "https://"))


def _too_many(name: str, count: int) -> str:
    return f"{name}有{count:,}行，一次至多核验{LINES_AT_MOST:,}份。请拆分成几个文件，分别上传。"


def _nothing_to_ask(name: str, lines: Sequence[CheckLine]) -> str:
    told = "".join(f"第{line.line}行：{line.fault}" for line in lines[:TOLD_AT_MOST])
    more = f"共{len(lines):,}行，每行都要改正。" if len(lines) > TOLD_AT_MOST else ""
    return f"{name}没有一行可以核验。{told}{more}"

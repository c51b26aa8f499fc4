"""XLSX before it is opened: really a workbook, of bearable size unpacked, without formulas that were never computed."""

import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO
from xml.etree import ElementTree as ET

from xinzheng.adapters.tabular.batch import Limits
from xinzheng.adapters.tabular.errors import TabularError

_PIECE = 1024**2
_OLE = b"\xd0\xcf\x11\xe0"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_SPREADSHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_SAVE_AS = "请用表格软件打开后另存为XLSX或者CSV UTF-8再报送。"


def is_old_office(head: bytes) -> bool:
    """Whether the first bytes are of the old Office container (XLS, or an encrypted XLSX)."""
    return head.startswith(_OLE)


def refuse_old_office(path: Path, file_name: str) -> None:
    """Always raises: encrypted workbooks and the old XLS are told apart."""
    with path.open("rb") as file:
        start = file.read(4 * 1024**2)
    if _ENCRYPTED in start:
        message = f"{file_name}设有打开密码，不能读取。请去掉密码后重新报送。"
        raise TabularError(message, code="workbook-encrypted")
    raise TabularError(f"{file_name}是旧版XLS格式，不能读取。{_SAVE_AS}", code="workbook-old-format")


def inspect_workbook(path: Path, file_name: str, limits: Limits) -> None:
    """Unpack every member to nowhere, counting; TabularError for anything that must not reach the reader."""
    try:
        with zipfile.ZipFile(path) as archive:
            _inspect(archive, file_name, limits)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, ValueError) as error:
        message = f"{file_name}已损坏或者不完整，不能读取。{_SAVE_AS}"
        raise TabularError(message, code="workbook-damaged") from error


def _inspect(archive: zipfile.ZipFile, file_name: str, limits: Limits) -> None:
    members = archive.infolist()
    if "xl/workbook.xml" not in {m.filename for m in members}:
        raise TabularError(f"{file_name}是压缩包，不是XLSX表格。{_SAVE_AS}", code="not-a-table")
    if any(m.flag_bits & 0x1 for m in members):
        raise TabularError(f"{file_name}设有密码，不能读取。请去掉密码后重新报送。", code="workbook-encrypted")
    if len(members) > limits.xlsx_members or sum(m.file_size for m in members) > limits.xlsx_unpacked_bytes:
        raise _too_large(file_name, limits)
    total = 0
    with_formulas = []
    for member in members:
        formula = False
        for piece in _pieces(archive, member):
            total += len(piece)
            if total > limits.xlsx_unpacked_bytes:
                raise _too_large(file_name, limits)
            if b"<!DOCTYPE" in piece or b"<!ENTITY" in piece:
                raise TabularError(f"{file_name}含有不允许的XML声明。{_SAVE_AS}", code="workbook-damaged")
            formula = formula or re.search(rb"<(?:\w+:)?f[ />]", piece) is not None
        if formula and member.filename.startswith("xl/worksheets/"):
            with_formulas.append(member)
    for member in with_formulas:
        with archive.open(member) as sheet:
            _refuse_uncomputed(sheet, member.filename, file_name)


def _pieces(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[bytes]:
    """The unpacked bytes, each piece preceded by the end of the one before so that no tag is cut."""
    tail = b""
    with archive.open(member) as file:
        while piece := file.read(_PIECE):
            yield piece if not tail else tail + piece
            tail = piece[-16:]


def _too_large(file_name: str, limits: Limits) -> TabularError:
    most = limits.xlsx_unpacked_bytes // 1024**2
    message = f"{file_name}解压后超过{most}MB，不予打开。请删除多余的工作表和图片，或者改用CSV报送。"
    return TabularError(message, code="workbook-too-large")


def _refuse_uncomputed(sheet: IO[bytes], member: str, file_name: str) -> None:
    try:
        for _, element in ET.iterparse(sheet):  # noqa: S314 - DOCTYPE and ENTITY were refused above
            if element.tag == f"{_SPREADSHEET}c":
                _refuse_cell(element, member, file_name)
                element.clear()
            elif element.tag == f"{_SPREADSHEET}row":
                element.clear()
    except ET.ParseError as error:
        raise TabularError(f"{file_name}已损坏或者不完整，不能读取。{_SAVE_AS}", code="workbook-damaged") from error


def _refuse_cell(cell: ET.Element, member: str, file_name: str) -> None:
    value = cell.find(f"{_SPREADSHEET}v")
    if cell.find(f"{_SPREADSHEET}f") is None or (value is not None and value.text):
        return
    place = cell.get("r", "")
    column, row = place.rstrip("0123456789"), place.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    message = (
        f"{file_name}第{row}行{column}列（单元格{place}）是没有计算结果的公式，读不出内容。"
        "请在表格软件中复制该列，选择性粘贴为“值”，保存后重新报送。"
    )
    raise TabularError(message, code="formula-without-value", line=row, column=column, member=member)

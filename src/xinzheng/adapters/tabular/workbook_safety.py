"""XLSX before it is opened: really a workbook, of bearable size, without macros or formulas never computed."""

import errno
import re
import zipfile
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from xinzheng.adapters.tabular.batch import Limits
from xinzheng.adapters.tabular.errors import TabularError
from xinzheng.adapters.tabular.rows import row_too_large
from xinzheng.adapters.tabular.workbook_extent import Extent, HeavyRowError, Strings, TooFarError, UncomputedError

_PIECE = 1024**2
_SAVE_AS = "请用表格软件打开后另存为XLSX或者CSV UTF-8再报送。"
_NEAR = 64 * 1024
# Sheets shrink to a tenth or a twentieth; what shrinks more than this is made to fill memory.
_MOST_RATIO = 100
_OTHERS = {
    "word/document.xml": "Word文档，不是表格",
    "ppt/presentation.xml": "演示文稿，不是表格",
    "xl/workbook.bin": "XLSB格式，不能读取",
    "content.xml": "ODS格式，不能读取",
}


@contextmanager
def explained(file_name: str) -> Iterator[None]:
    """What goes wrong with an archive or its sheets, as a TabularError."""
    damaged = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError)
    try:
        yield
    except TooFarError as error:
        message = (
            f"{file_name}里的单元格太多，或者有单元格远在数据之外，打开会耗尽内存。"
            "请删去数据区以外的行和列、多余的工作表，或者改用CSV报送。"
        )
        raise TabularError(message, code="workbook-too-large") from error
    except HeavyRowError as error:
        raise row_too_large(file_name, error.line, error.most) from error
    except UncomputedError as error:
        raise _uncomputed(error, file_name) from error
    except damaged as error:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            message = f"读取{file_name}所需的临时空间不足，没有接收。请联系系统管理员清理磁盘后重新报送。"
            raise TabularError(message, code="temporary-space-full") from error
        raise workbook_damaged(file_name) from error


def inspect_workbook(path: Path, file_name: str, limits: Limits) -> None:
    """Unpack every member to nowhere, measuring; TabularError for anything that must not reach the reader."""
    with explained(file_name), zipfile.ZipFile(path) as archive:
        refuse_archive(archive, file_name, limits)
        if sum(m.file_size for m in archive.infolist()) > limits.xlsx_unpacked_bytes:
            raise _too_large(file_name, limits.xlsx_unpacked_bytes)
        extent = Extent(limits.xlsx_cells, limits.xlsx_text_bytes)
        # Strings that cells refer to come first: their lengths tell what a cell weighs.
        for member in sorted(archive.infolist(), key=lambda m: not _holds_strings(m)):
            for piece in _safe_pieces(archive, member, file_name):
                if _holds_strings(member):
                    extent.strings.add(piece)
                else:
                    extent.add(piece)
            if extent.end_member():
                with archive.open(member) as file:
                    extent.parse(file, member.filename)


def inspect_around(archive: zipfile.ZipFile, sheets: Collection[str], file_name: str, limits: Limits) -> Strings:
    """Unpack every member but the sheets, which wait until they are read; the lengths of the shared strings.

    Raises TabularError for what must not reach the reader, and for sheets that declare more than they may hold.
    """
    within = [m for m in archive.infolist() if m.filename in sheets]
    around = [m for m in archive.infolist() if m.filename not in sheets]
    if sum(m.file_size for m in around) > limits.xlsx_unpacked_bytes:
        raise _too_large(file_name, limits.xlsx_unpacked_bytes)
    packed = sum(m.compress_size for m in within)
    most = min(limits.xlsx_sheet_bytes, max(limits.xlsx_unpacked_bytes, _MOST_RATIO * packed))
    if sum(m.file_size for m in within) > most:
        raise _too_large(file_name, most)
    strings = Strings(limits.xlsx_cells, limits.xlsx_text_bytes)
    for member in around:
        for piece in _safe_pieces(archive, member, file_name):
            if _holds_strings(member):
                strings.add(piece)
    return strings


def refuse_archive(archive: zipfile.ZipFile, file_name: str, limits: Limits) -> None:
    """TabularError for an archive that is no workbook, has macros or a password, or may be read in two ways."""
    members = archive.infolist()
    names = {m.filename.replace("\\", "/").casefold() for m in members}
    _refuse_kind(names, file_name)
    if any(m.flag_bits & 0x1 for m in members):
        raise TabularError(f"{file_name}设有密码，不能读取。请去掉密码后重新报送。", code="workbook-encrypted")
    if len(members) > limits.xlsx_members:
        raise _too_large(file_name, limits.xlsx_unpacked_bytes)
    if archive.comment or len(names) < len(members):
        # Readers may disagree on where such an archive ends, and on which of two members counts.
        raise workbook_damaged(file_name)


def _safe_pieces(archive: zipfile.ZipFile, member: zipfile.ZipInfo, file_name: str) -> Iterator[bytes]:
    for piece in _pieces(archive, member):
        if not _holds_strings(member):
            _refuse_declarations(piece, member, file_name)
        yield piece


def _holds_strings(member: zipfile.ZipInfo) -> bool:
    return member.filename.casefold().endswith("sharedstrings.xml")


def _refuse_kind(names: set[str], file_name: str) -> None:
    for name, what in _OTHERS.items():
        if name in names:
            raise TabularError(f"{file_name}是{what}。{_SAVE_AS}", code="not-a-table")
    if "xl/workbook.xml" not in names:
        raise TabularError(f"{file_name}是压缩包，不是XLSX表格。{_SAVE_AS}", code="not-a-table")
    if any(name.endswith("vbaproject.bin") for name in names):
        message = f"{file_name}带有宏，不予打开。请另存为不带宏的XLSX或者CSV UTF-8再报送。"
        raise TabularError(message, code="workbook-macro")


def _refuse_declarations(piece: bytes, member: zipfile.ZipInfo, file_name: str) -> None:
    # A zero byte in XML is UTF-16, which would hide everything that is looked for here.
    hidden = b"\0" in piece and member.filename.casefold().endswith((".xml", ".rels"))
    if hidden or b"<!DOCTYPE" in piece or b"<!ENTITY" in piece:
        raise TabularError(f"{file_name}含有不允许的XML声明或者编码。{_SAVE_AS}", code="workbook-damaged")


def _pieces(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[bytes]:
    """The unpacked bytes, cut before a tag where there is one near the end, so that tags stay whole."""
    tail = b""
    with archive.open(member) as file:
        while piece := file.read(_PIECE):
            whole = tail + piece
            cut = max(whole.rfind(mark, len(whole) - _NEAR) for mark in (b"<c ", b"<row "))
            if cut <= 0:
                cut = max(whole.rfind(b"<", len(whole) - _NEAR), 0) or len(whole)
            tail = whole[cut:]
            yield whole[:cut]
    if tail:
        yield tail


def _too_large(file_name: str, most: int) -> TabularError:
    message = f"{file_name}解压后超过{most // 1024**2}MB，不予打开。请删除多余的工作表和图片，或者改用CSV报送。"
    return TabularError(message, code="workbook-too-large")


def workbook_damaged(file_name: str) -> TabularError:
    """The refusal of a workbook that cannot be read."""
    return TabularError(f"{file_name}已损坏或者不完整，不能读取。{_SAVE_AS}", code="workbook-damaged")


def _uncomputed(found: UncomputedError, file_name: str) -> TabularError:
    parts = re.fullmatch(r"([A-Z]+)(\d+)", found.place)
    column, row = parts.groups() if parts else ("", "")
    place = f"第{row}行{column}列（单元格{found.place}）" if parts else "有一个单元格"
    message = (
        f"{file_name}{place}是没有计算结果的公式，读不出内容。"
        "请在表格软件中复制该列，选择性粘贴为“值”，保存后重新报送。"
    )
    return TabularError(message, code="formula-without-value", line=row, column=column, member=found.member)

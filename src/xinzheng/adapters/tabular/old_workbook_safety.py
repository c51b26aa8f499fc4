"""XLS (Excel 97 to 2003) before it is opened: really a workbook, of bearable size, without macros or a password."""

import struct
from pathlib import Path

from xinzheng.adapters.tabular.batch import Limits
from xinzheng.adapters.tabular.biff_extent import LockedError, MacroError, measure
from xinzheng.adapters.tabular.compound_file import CompoundFile
from xinzheng.adapters.tabular.errors import TabularError
from xinzheng.adapters.tabular.workbook_extent import TooFarError

_OLE = b"\xd0\xcf\x11\xe0"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_SAVE_AS = "请用表格软件打开后另存为XLSX或者CSV UTF-8再报送。"
_STREAM = "Workbook"
_OTHERS = {"WordDocument": "Word文档", "PowerPoint Document": "演示文稿"}
_MACROS = frozenset({"_VBA_PROJECT_CUR", "_VBA_PROJECT"})


def is_old_office(head: bytes) -> bool:
    """Whether the first bytes are of the old Office container (XLS, or an encrypted XLSX)."""
    return head.startswith(_OLE)


def inspect_old_workbook(path: Path, file_name: str, limits: Limits) -> None:
    """Walk the container and all records; TabularError for anything that must not reach the reader."""
    data = path.read_bytes()
    if _ENCRYPTED in data[: 4 * 1024**2]:
        raise _locked(file_name)
    try:
        measure(_stream(data, file_name), limits.xlsx_cells, limits.xlsx_text_bytes)
    except LockedError as error:
        raise _locked(file_name) from error
    except MacroError as error:
        raise _macro(file_name) from error
    except TooFarError as error:
        message = (
            f"{file_name}里的单元格太多，或者有单元格远在数据之外，打开会耗尽内存。"
            "请删去数据区以外的行和列、多余的工作表，或者改用CSV报送。"
        )
        raise TabularError(message, code="workbook-too-large") from error
    except (ValueError, struct.error) as error:
        message = f"{file_name}不是Excel 97至2003的XLS，或者已损坏，不能读取。{_SAVE_AS}"
        raise TabularError(message, code="workbook-old-format") from error


def _stream(data: bytes, file_name: str) -> bytes:
    container = CompoundFile(data)
    names = [entry.name for entry in container.entries]
    for name, what in _OTHERS.items():
        if name in names:
            raise TabularError(f"{file_name}是{what}，不是表格。{_SAVE_AS}", code="not-a-table")
    if not _MACROS.isdisjoint(names):
        raise _macro(file_name)
    # Readers may disagree on which of two streams of one name counts.
    books = [entry for entry in container.entries if entry.name.casefold() == _STREAM.casefold()]
    if len(books) != 1 or books[0].name != _STREAM:
        raise ValueError("no workbook")
    return container.stream(books[0])


def _locked(file_name: str) -> TabularError:
    return TabularError(f"{file_name}设有打开密码，不能读取。请去掉密码后重新报送。", code="workbook-encrypted")


def _macro(file_name: str) -> TabularError:
    message = f"{file_name}带有宏，不予打开。请另存为不带宏的XLSX或者CSV UTF-8再报送。"
    return TabularError(message, code="workbook-macro")

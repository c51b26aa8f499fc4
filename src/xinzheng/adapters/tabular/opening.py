"""A file opened as a table: its content tells what it is, and no row is taken of a file that changes meanwhile."""

import os
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from xinzheng.adapters.tabular.batch import Limits
from xinzheng.adapters.tabular.delimited import open_text
from xinzheng.adapters.tabular.errors import TabularError
from xinzheng.adapters.tabular.headers import Headings
from xinzheng.adapters.tabular.json_lines import is_json, open_json_lines
from xinzheng.adapters.tabular.old_workbook_safety import is_old_office
from xinzheng.adapters.tabular.rows import OpenTable, RawRows, in_stretches
from xinzheng.adapters.tabular.workbook import open_sheet

_HEAD = 512


def open_table(path: Path, headings: Headings, file_name: str, limits: Limits) -> OpenTable:
    """CSV, TSV, XLSX, XLS or JSON lines, told by its first bytes and not by its name; rows are read when asked for.

    Stretches of rows keep to ``limits.chunk_rows`` and ``limits.chunk_bytes``, whatever the format.
    Raises TabularError when the file cannot be read as a table, also while the rows are read.
    """
    try:
        before = path.stat()
        if not stat.S_ISREG(before.st_mode):
            message = f"{file_name}是文件夹或者设备，不是文件。请指定一个CSV、XLSX、XLS或者JSON行文件。"
            raise TabularError(message, code="file-unreadable")
        table = _opened(path, headings, file_name, limits)
    except OSError as error:
        raise _unreadable(file_name) from error
    rows = in_stretches(table.rows, file_name, limits)
    return replace(table, rows=undisturbed(rows, path, before, file_name))


def _opened(path: Path, headings: Headings, file_name: str, limits: Limits) -> OpenTable:
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if head.startswith(b"PK\x03\x04") or is_old_office(head):
        return open_sheet(path, headings, file_name, limits)
    if is_json(head):
        return open_json_lines(path, headings, file_name, limits)
    return open_text(path, headings, file_name, limits)


def undisturbed(rows: Iterator[RawRows], path: Path, before: os.stat_result, file_name: str) -> Iterator[RawRows]:
    """The rows; TabularError when the file is taken away or written to while they are read."""
    try:
        yield from rows
        after = path.stat()
    except UnicodeDecodeError as error:
        raise _changed(file_name) from error
    except OSError as error:
        raise _unreadable(file_name) from error
    if (after.st_ino, after.st_size, after.st_mtime_ns) != (before.st_ino, before.st_size, before.st_mtime_ns):
        raise _changed(file_name)


def _unreadable(file_name: str) -> TabularError:
    return TabularError(f"{file_name}打不开，请检查文件是否存在、能否读取。", code="file-unreadable")


def _changed(file_name: str) -> TabularError:
    message = f"{file_name}在读取过程中被改动，没有接收。请等文件写完、关闭后重新报送。"
    return TabularError(message, code="file-changed")

"""Read a file of the subject register (主体名录): CSV in UTF-8 or GB 18030, or XLSX, into lines of named cells."""

import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Protocol, cast

from django.conf import settings
from django.utils.module_loading import import_string

from xinzheng.core.errors import XinzhengError

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
        "relation_state": ("关系状态",),
        "relation_reason": ("关系说明", "撤销理由"),
    }
)
REQUIRED = ("name", "code")


class SubjectFileError(XinzhengError):
    """The file is a table, but not one of subjects; nothing of it was taken over."""

    code = "subject-file-unreadable"


@dataclass(frozen=True, slots=True)
class FileLine:
    """One line: its number as a person sees it (header = 1), and the text of each known, non-empty cell.

    ``fault``: code and message where the cells do not match the header, otherwise None.
    """

    number: int
    cells: Mapping[str, str]
    fault: tuple[str, str] | None = None


@dataclass(frozen=True)
class SubjectTable:
    """The file's lines and, per known column, its heading in the file."""

    headings: Mapping[str, str]
    lines: Sequence[FileLine]


class _Row(Protocol):
    """A row as the adapter reads it."""

    @property
    def line(self) -> int: ...
    @property
    def cells(self) -> tuple[str, ...]: ...
    @property
    def fault(self) -> tuple[str, str] | None: ...


class _Table(Protocol):
    """A file as the adapter reads it."""

    @property
    def header(self) -> tuple[str, ...]: ...
    @property
    def columns(self) -> Mapping[str, int]: ...
    @property
    def rows(self) -> Iterator[_Row]: ...


def read_subject_file(path: Path) -> SubjectTable:
    """Read the whole file through the adapter that settings name.

    Raises:
        SubjectFileError: the file is empty, or a required column is missing.
        XinzhengError: the file cannot be read as a table (the adapter's ``TabularError``).
    """
    table = _read(path)
    missing = [COLUMNS[field][0] for field in REQUIRED if field not in table.columns]
    if missing:
        message = f"{path.name}第1行缺少必填列：{'、'.join(missing)}。请在第1行写明各列名称后重新导入。"
        raise SubjectFileError(message, code="column-missing", line=1)
    headings = {field: table.header[place] for field, place in table.columns.items()}
    return SubjectTable(headings, [_line(row, table.columns) for row in table.rows])


def _read(path: Path) -> _Table:
    read = cast(Callable[[Path, Callable[[str], str | None]], _Table], import_string(settings.XINZHENG_TABLE))
    try:
        return read(path, _field_of)
    except XinzhengError as error:
        if error.code != "file-empty":
            raise
        # Of records an empty file may stand for a report of none; a register has no such report.
        raise SubjectFileError(f"{path.name}没有内容，请填写后重新导入。", code=error.code) from error


def _line(row: _Row, columns: Mapping[str, int]) -> FileLine:
    found = {field: row.cells[place].strip() for field, place in columns.items()}
    return FileLine(row.line, {field: text for field, text in found.items() if text}, row.fault)


def _field_of(heading: str) -> str | None:
    return FIELD_OF_NAME.get(_folded(heading))


def _folded(name: str) -> str:
    return "".join(unicodedata.normalize("NFKC", name).lower().replace("\ufeff", "").split()).rstrip("*")


FIELD_OF_NAME: Mapping[str, str] = MappingProxyType(
    {_folded(name): field for field, known in COLUMNS.items() for name in (field, *known)}
)

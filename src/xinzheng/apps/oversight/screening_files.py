"""Lists to screen (核查名单): read from a table with one column of codes; each line is asked, or told what is wrong."""

import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import polars as pl
from django.conf import settings

from xinzheng.core.errors import XinzhengError
from xinzheng.core.identifiers import check_uscc, name_key, normalise_identifier

LINES_AT_MOST = 1_000_000
TOLD_AT_MOST = 5
CODE_MAX = 64
# Where none of so many first codes is sound, it is the wrong column.
LOOKED_AT = 10_000
PLAIN = r"^[0-9A-Z]{18}$"
CODE = "code"
# The column's name first, then what else it is called.
HEADINGS = (
    "统一社会信用代码", "信用代码", "社会信用代码", "代码", "主体代码", "企业代码", "单位代码", "uscc", "code",
    "行政相对人代码_1(统一社会信用代码)",
)  # fmt: skip
FIELD_OF: Mapping[str, str] = dict.fromkeys((name_key(name).casefold() for name in HEADINGS), CODE)
ADVICE = f"请把一列的列名写成“{HEADINGS[0]}”，从下一行起一行一个代码；其他列不读。"
# An identity number (see audit/privacy), for a whole column at once: what stands around it is no digit.
PERSONS_NUMBER = (
    r"(?:^|\D)[1-9]\d{5}(?:18|19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx](?:$|[^\dA-Za-z])"
)
INVISIBLE = r"[\s\x{a0}\x{200b}-\x{200d}\x{3000}\x{feff}'`\-\x{2010}-\x{2014}]"
# What is neither ASCII nor a common sign, a Chinese character or full width: there are digits among it.
RARE = r"[^\x00-\x7f\x{2000}-\x{206f}\x{3000}-\x{303f}\x{4e00}-\x{9fff}\x{ff00}-\x{ffef}]"
FULL_WIDTH = {chr(0xFF10 + digit): str(digit) for digit in range(10)} | {"Ｘ": "X", "ｘ": "x"}


class ScreeningListError(XinzhengError):
    """The list cannot be screened as a whole; nothing of it was kept. The message names lines, never their contents."""

    code = "screening-list-unfit"


@dataclass(frozen=True, slots=True)
class ListedLine:
    """A line of the list (名单行): its number as a person sees it, the code in it; ``fault``: why it is not asked."""

    line: int
    code: str
    fault: str = ""


@dataclass(frozen=True, slots=True)
class ScreeningList:
    """A list that was read (核查名单)."""

    lines: tuple[ListedLine, ...]
    sha256: bytes


def read_list(path: Path, name: str) -> ScreeningList:
    """The lines of a CSV, XLSX or XLS file with a column of unified social credit codes; nothing else of it is kept.

    Args:
        path: the file.
        name: what it is called in errors.

    Raises:
        ScreeningListError: ``screening-list-unfit``: no table, no such column, no line with a code (errors by line);
            ``screening-too-long``: more than a million lines; ``screening-names-people``: a number of a natural
            person stands anywhere in it.
    """
    table = _read(path, name)
    _refuse_persons(table, name)
    if CODE not in table.columns:
        raise ScreeningListError(f"{name}没有“{HEADINGS[0]}”一列。{ADVICE}", line=1)
    lines = tuple(_lines(table))
    if not lines:
        raise ScreeningListError(f"{name}只有列名，没有要核查的代码。{ADVICE}")
    if len(lines) > LINES_AT_MOST:
        raise ScreeningListError(_too_many(name, len(lines)), code="screening-too-long", lines=len(lines))
    if not any(not line.fault and check_uscc(line.code).ok for line in lines[:LOOKED_AT]):
        raise ScreeningListError(_nothing_to_ask(name, lines), line=lines[0].line)
    return ScreeningList(lines, bytes.fromhex(table.sha256))


def _read(path: Path, name: str) -> Any:
    tabular = import_module(settings.XINZHENG_TABLE.rpartition(".")[0])
    read: Callable[..., Any] = getattr(tabular, settings.XINZHENG_TABLE.rpartition(".")[2])
    most = settings.XINZHENG_SCREENING_LIST_MAX_BYTES
    limits = tabular.Limits(
        file_bytes=most,
        xls_bytes=most,
        xlsx_bytes=most,
        xlsx_cells=4 * LINES_AT_MOST,
        cell_bytes=32 * 1024,
        columns=100,
        lines=LINES_AT_MOST + 100_000,
    )
    try:
        return read(path, lambda heading: FIELD_OF.get(name_key(heading).casefold()), limits)
    except XinzhengError as error:
        if error.code == "rows-too-many":
            raise ScreeningListError(_too_many(name, None), code="screening-too-long") from error
        # Written for the departments, which report records.
        said = error.message.replace(path.name, name).replace("报送", "上传").replace("没有数据的，请作零报告。", "")
        raise ScreeningListError(said, cause=error.code) from error


def _refuse_persons(table: Any, name: str) -> None:
    """Natural persons are never screened: one number of theirs, in whatever column, and nothing of the file is kept."""
    found: list[int] = []
    for stretch in table.stretches:
        lines = list(stretch.lines)
        for heading in table.header:
            plain = _plain(stretch.frame[heading])
            # Digits set apart are one number; one beside other digits is a number too.
            hits = _has_number(plain.str.replace_all(INVISIBLE, "")) | _has_number(plain)
            for place in hits.arg_true():
                if _is_persons(stretch.frame[heading][place] or ""):
                    found.append(lines[place])
    if any(_is_persons(heading) for heading in table.header):
        found.append(1)
    if found:
        raise ScreeningListError(
            _persons_words(name, sorted(set(found))), code="screening-names-people", lines=found[:TOLD_AT_MOST]
        )


def _narrow(texts: pl.Series) -> pl.Series:
    """Full width digits and digits set apart are the same number."""
    return _plain(texts).str.replace_all(INVISIBLE, "")


def _plain(texts: pl.Series) -> pl.Series:
    """Each digit as itself, however it is written; only rare signs are worth the whole normalisation."""
    plain = texts.cast(pl.String).str.replace_many(FULL_WIDTH)
    are_rare = plain.str.contains(RARE).fill_null(value=False)
    return plain.zip_with(~are_rare, plain.str.normalize("NFKC")) if are_rare.any() else plain


def _has_number(texts: pl.Series) -> pl.Series:
    return texts.str.contains(PERSONS_NUMBER).fill_null(value=False)


def _is_persons(text: str) -> bool:
    """Whether a text holds an identity number; a code of an organisation that is all digits is none."""
    if check_uscc(text).ok:
        return False
    return bool(_has_number(pl.Series([unicodedata.normalize("NFKC", text), normalise_identifier(text)])).any())


def _persons_words(name: str, lines: list[int]) -> str:
    where = "".join(f"第{line}行、" for line in lines[:TOLD_AT_MOST]).rstrip("、")
    more = f"等{len(lines):,}行" if len(lines) > TOLD_AT_MOST else ""
    return f"{name}{where}{more}有公民身份号码。名单核查不核查自然人，整个文件没有接收，也没有保存；请删去后重新提交。"


def _lines(table: Any) -> Iterator[ListedLine]:
    heading = table.header[table.columns[CODE]]
    for stretch in table.stretches:
        faults = {line: message for line, _code, message in stretch.misaligned.rows()}
        codes = stretch.frame[heading].fill_null("")
        plain = _narrow(codes).str.to_uppercase()
        is_plain = plain.str.contains(PLAIN)
        for number, text, code, is_code in zip(stretch.lines, codes, plain, is_plain, strict=True):
            if number in faults:
                yield ListedLine(number, "", faults[number].replace("报送", "上传"))
            elif is_code:
                yield ListedLine(number, code)
            elif text.strip():
                yield ListedLine(number, normalise_identifier(text[: 4 * CODE_MAX])[:CODE_MAX])


def fault_of(line: ListedLine) -> str:
    """What has to be mended in a line whose code nobody is known by; empty where the code itself is sound."""
    if line.fault:
        return line.fault
    checked = check_uscc(line.code)
    return "" if checked.ok else checked.errors[0].message


def _too_many(name: str, count: int | None) -> str:
    said = f"有{count:,}行" if count else "太长"
    return f"{name}{said}，一次至多核查{LINES_AT_MOST:,}个主体。请拆分成几个名单，分别提交。"


def _nothing_to_ask(name: str, lines: tuple[ListedLine, ...]) -> str:
    told = "".join(f"第{line.line}行：{fault_of(line)}" for line in lines[:TOLD_AT_MOST])
    more = f"共{len(lines):,}行，每行都要改正。" if len(lines) > TOLD_AT_MOST else ""
    return f"{name}没有一行可以核查。{told}{more}"

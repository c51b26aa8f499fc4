"""The catalogue of checks (核查目录), gathered from the checks themselves; docs/checks.md is written from it.

``python -m xinzheng.adapters.tabular.documentation checks`` prints the page.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from xinzheng.adapters.tabular import near_duplicates
from xinzheng.adapters.tabular.checks import checks_of
from xinzheng.adapters.tabular.decision_checks import publication_periods
from xinzheng.adapters.tabular.formats import FORMATS
from xinzheng.adapters.tabular.register_checks import REGISTER_CHECKS

ROW, FILE, REGISTER = "逐行", "整个文件", "登记库"
_SEVERITIES = {"error": "退回", "warning": "提示"}
_WHOLE_ROW = "整行"
# Found while a file is cut into rows, before any cell is looked at.
_STRUCTURE = (
    ("cells-missing", "error", "本行的单元格比表头少，可能缺列或者被截断，请补齐后重新报送该行。"),
    ("cells-beyond-header", "error", "本行在表头之外还有内容，各列可能错位，请更正。"),
    ("value-nested", "error", "JSON行的值是嵌套的对象或者数组，请改为一个文字或者数字。"),
    ("json-key-repeated", "error", "JSON行里两个键是同一项，请只保留一个。"),
    ("character-unusable", "error", "含有空字符或者残缺的字符，请更正后重新报送。"),
    ("column-unknown", "warning", "不是本格式的列，原样保存，不参与核查。"),
    (near_duplicates.BEATEN_CODE, "warning", near_duplicates.BEATEN_TEXT),
    (near_duplicates.CODE, "warning", near_duplicates.TEXT),
)
_OPENING = """# 核查目录

本页由程序里的核查定义生成，每项核查只有一处定义。“退回”的行不入账，更正后重新报送；“提示”的行照常入账。
“{}”处是该行自己的内容。在哪里核查：逐行，只看该行；整个文件，看完文件才知道；登记库，入账时对照主体、单位登记。

| 代码 | 轻重 | 列 | 说明和办法 | 依据 | 在哪里核查 |
|---|---|---|---|---|---|
"""
_SHOWN = 6


@dataclass(frozen=True)
class CatalogueEntry:
    """One check: code, severity, names of the columns, message, sources, and where it is computed."""

    code: str
    severity: str
    fields: tuple[str, ...]
    text: str
    citations: tuple[str, ...]
    where: str


def catalogue() -> tuple[CatalogueEntry, ...]:
    """Every check there is, those on rows first in the order they are made."""
    return (*_row_checks(), *_structure(), *_register_checks())


def _row_checks() -> Iterator[CatalogueEntry]:
    found: dict[tuple[str, str, str], tuple[dict[str, None], dict[str, None]]] = {}
    for form in FORMATS.values():
        everything = frozenset(field.id for field in form.fields)
        for check in checks_of(form, date.max, everything):
            fields, citations = found.setdefault((check.code, check.severity, check.text), ({}, {}))
            fields[check.field.name] = None
            citations[check.citation.split(" ")[0]] = None
    for (code, severity, text), (fields, citations) in found.items():
        rules = [period.citation for period in publication_periods()] if code == "publication-too-long" else citations
        yield CatalogueEntry(code, severity, tuple(fields), text, tuple(rules), ROW)


def _structure() -> Iterator[CatalogueEntry]:
    for code, severity, text in _STRUCTURE:
        is_whole = code in {near_duplicates.BEATEN_CODE, near_duplicates.CODE}
        yield CatalogueEntry(code, severity, (_WHOLE_ROW,), text, ("信证文件规则",), FILE if is_whole else ROW)


def _register_checks() -> Iterator[CatalogueEntry]:
    penalty = FORMATS["administrative_penalty"]
    for check in REGISTER_CHECKS.values():
        fields = (penalty.field(check.field).name if check.field else _WHOLE_ROW,)
        yield CatalogueEntry(check.code, check.severity, fields, check.text, (check.citation,), REGISTER)


def catalogue_document() -> str:
    """The page docs/checks.md."""
    return _OPENING + "".join(f"{_line(entry)}\n" for entry in catalogue())


def _line(entry: CatalogueEntry) -> str:
    fields = "、".join(entry.fields[:_SHOWN]) + (f"等{len(entry.fields)}列" if len(entry.fields) > _SHOWN else "")
    text = entry.text if entry.text != "{}" else "逐位说明哪一位不符合规则，请逐位核对。"
    cells = (entry.code, _SEVERITIES[entry.severity], fields, text, "、".join(entry.citations), entry.where)
    return "| " + " | ".join(cell.replace("|", "、") for cell in cells) + " |"

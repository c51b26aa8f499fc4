"""The page 报送格式.md, written from the format tables: ``python -m xinzheng.adapters.tabular.documentation``.

With the argument ``checks``: docs/checks.md.
"""

import sys
from collections.abc import Iterator

from xinzheng.adapters.tabular.batch import Limits
from xinzheng.adapters.tabular.catalogue import catalogue_document
from xinzheng.adapters.tabular.column_maps import column_maps
from xinzheng.adapters.tabular.fields import Field, FieldType, Format
from xinzheng.adapters.tabular.formats import FORMATS, KIND_NAMES
from xinzheng.adapters.tabular.privacy import NUMBER_MARK
from xinzheng.adapters.tabular.sheet_rows import LAST_ROW

_OPENING = """# 报送格式

本页由格式表生成，与程序所用的完全一致。

## 文件
- CSV（UTF-8，有无BOM均可；或者GB 18030；逗号、制表符或者分号分隔）、
  XLSX或者Excel 97至2003的XLS（一个数据工作表）、JSON行（UTF-8，每行一个对象）。
- 按文件内容识别格式，不看扩展名。更早的XLS、XLSB、ODS，带有宏的，设有密码的，以及另存成XLS的网页，不能读取。
- JSON行的键与列名相同，也可以用代码或者标识；值为文字、数字、true/false或者null，嵌套的对象或者数组
  使该行退回；没有表头，第1行就是第1条；一行不超过4MB。键在各行可以不同，没有写的按空。
- 同一个文件只能用一种编码、一种换行；单独的回车符（CR）与换行混用的，整个文件退回，以免丢行。
- 上限：CSV {file}MB、{lines}行（空行也算）；XLSX {xlsx}MB、{rows}行、工作表解压后{sheets}MB；
  XLS {xls}MB，它和写法特殊、不能分段读取的XLSX另限解压后{unpacked}MB、{cells}个单元格
  （按各工作表占用的整块区域计）；{columns}列；一个单元格{cell}KB，一行{row}MB。超过的请拆分，也可以改用CSV。
- XLSX各单元格的文字（引用同一段文字的逐格计算）合计不超过{file}MB；合计超过{text}MB的，还不得超过工作表和文字表
  解压后大小的{repeats}倍。超过的整个文件退回，请缩短或者删去重复的长文字，或者拆分成几个文件。
- 读取过程中被改动的文件，整个退回。
- 第1行为表头，上方不放标题。列名可以用中文名称、代码或者标识，可以混用，顺序不限；全角半角、括号、空格不影响识别。
- 表头以外的列原样保存，不参与核查。
- 行号是表格软件里的行号，表头为第1行（JSON行没有表头）；空行不计数据，但占行号。
- “— —”“无”“/”等视为空。
- 每一行都有下落：入账（ok）、退回（rejected）、重复（duplicate）。
- 同一文件里同一条记录出现几次的，以最后一行为准，其余只保存不入账。

## 写法
- 日期：2022-05-16、20220516、2022/5/16、2022年5月16日；长期写2099/12/31。只写年月的、不存在的日期（如2022-09-31）退回。
- 表格软件的日期序号（如44697）可以读取，但给出提示。
- 金额只填数字，不带单位；行政处罚的金额单位为万元，至多6位小数；欠缴的金额单位为元，至多2位小数。
- 统一社会信用代码核对字符、第17位（GB 11714）和第18位（GB 32100）；行政区划码不在代码表内的只提示。
- 公式单元格：CSV里按文字处理；XLSX里没有计算结果的公式，整个文件退回。
- 自然人只能按公民身份号码认定；姓名、证件号码不写入记录内容，文字里出现的以“当事人”代替。
- 法定代表人证件号码只留在原始文件里，不写入记录内容；单位的记录里，文字中出现的公民身份号码以“{mark}”代替，文号除外。
- 问题清单不引用公民身份号码；自然人的行，不引用可能是姓名的文字。

- 各项核查的代码、轻重和办法见[核查目录](../checks.md)。

## 模板
每种记录都有CSV和XLSX模板。XLSX模板的“数据”表有下拉选项和一行示例，示例行没有删除的会被退回；“填报说明”表逐列说明写法。

## 处理结果
行政处罚没有“处理结果”列或者该列为空的：处罚类别列明警告、罚款、没收等处罚种类的，登记为予以处罚；处罚内容或者处罚类别写明“不予行政处罚”“违法事实不能成立”
而没有列明处罚种类的，登记为不予处罚并提示；两者都有或者都没有的，登记为未注明并提示。适用程序只看“程序”列，从不按罚款数额推断。

## 撤销、变更和修复
已经报送的记录有变化的，用原来的格式再报一次：主体和确定同一条记录的各项（见各类型开头）照原样，其余照现在的填。
系统认作同一条记录，记为新的版本，以前的版本仍保留。
- 撤销：处罚状态或者记录状态填“撤销”或者“确认违法或无效”，并填状态日期；自这一天起不再计入。
- 变更：填“变更”和状态日期，其余各列填变更后的内容；决定日期仍填原决定日期。
- 修复：修复日期可以填在处罚记录里；也可以由修复认定单位报一条信用修复记录，
  主体、原处罚决定书文号、原处罚机关与处罚记录一致的，自动对应。修复本身被撤销的，信用修复记录的记录状态填“撤销”。
- 欠缴结清的，欠缴金额填0；移出名单的，填移出日期；列入决定本身被撤销的，记录状态填“撤销”。
- 处罚状态、记录状态为空的，按未撤销、未变更计入，报告写明状态未注明。
"""


def formats_document() -> str:
    """The whole page as Markdown."""
    parts = [_opening()]
    for form in FORMATS.values():
        parts.append("\n".join(_section(form)))
    parts.append("\n".join(_maps()))
    return "\n".join(parts)


def _maps() -> Iterator[str]:
    yield "## 列对照\n"
    yield "来源系统的列名与本格式不同的，可以选用列对照；本格式认识的列名优先。几列合并为一项的，用;隔开。\n"
    for found in column_maps().values():
        yield f"### {found.name}（{KIND_NAMES[found.kind]}）\n"
        yield f"{found.origin}\n"
        yield "| 列 | 对应 | 含义 |"
        yield "|---|---|---|"
        form = FORMATS[found.kind]
        for column in found.described:
            name = form.field(column.field).name if column.field else "不对应"
            yield f"| {column.heading} | {name} | {column.meaning} |"
        waived = "、".join(field.name for field in form.fields if field.id in found.waived)
        yield f"\n没有这些列也可以报送：{waived}。\n"


def _opening() -> str:
    limits = Limits()
    return _OPENING.format(
        file=limits.file_bytes // 1024**2,
        lines=limits.lines,
        xlsx=limits.xlsx_bytes // 1024**2,
        rows=LAST_ROW,
        sheets=limits.xlsx_sheet_bytes // 1024**2,
        xls=limits.xls_bytes // 1024**2,
        unpacked=limits.xlsx_unpacked_bytes // 1024**2,
        cells=limits.xlsx_cells,
        columns=limits.columns,
        cell=limits.cell_bytes // 1024,
        row=limits.row_bytes // 1024**2,
        text=limits.xlsx_text_bytes // 1024**2,
        repeats=limits.xlsx_repeats,
        mark=NUMBER_MARK,
    )


def _section(form: Format) -> Iterator[str]:
    yield f"## {form.name}（{form.kind}）\n"
    key = "、".join(
        "主管机关（代码，没有代码的用名称）" if part == "organ" else form.field(part).name for part in form.key
    )
    yield f"同一主体，以下各项相同的为同一条记录：{key}。\n"
    yield "| 序号 | 名称 | 标识 | 代码或者别名 | 写法 | 必填 | 长度 | 说明 | 依据 |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for number, field in enumerate(form.fields, 1):
        yield _row(number, field)
    yield ""


def _row(number: int, field: Field) -> str:
    kind = "、".join(dict.fromkeys(field.words)) if field.words else str(field.type)
    length = str(field.max_length) if field.type is FieldType.TEXT else ""
    cells = (
        str(number),
        field.name,
        field.id,
        "、".join(field.codes),
        kind,
        str(field.required),
        length,
        field.note,
        field.citation,
    )
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    sys.stdout.write(catalogue_document() if sys.argv[1:] == ["checks"] else formats_document())

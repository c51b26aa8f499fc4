"""Workbooks to fill in (模板): the header of a kind of record, an example, drop-down lists, a sheet of explanations."""

import io
from collections.abc import Mapping

import xlsxwriter
from xlsxwriter.format import Format as CellFormat
from xlsxwriter.worksheet import Worksheet

from xinzheng.adapters.tabular.checks import EXAMPLE_MARK
from xinzheng.adapters.tabular.fields import Field, FieldType, Format, Required
from xinzheng.adapters.tabular.formats import FORMATS

DATA_SHEET, NOTES_SHEET = "数据", "填报说明"
_LAST_ROW = 1_048_575
_NOTES = ("列名", "必填", "写法", "长度", "说明", "依据")
_EXAMPLE_BY_TYPE: Mapping[FieldType, str] = {
    FieldType.USCC: "91320505MA1XG6125L",
    FieldType.DATE: "2026-01-15",
    FieldType.MONTH: "2026-01",
    FieldType.AMOUNT: "1.5",
    FieldType.MONEY: "1500.00",
    FieldType.FLAG: "否",
}
_EXAMPLE_BY_FIELD = {
    "subject_name": EXAMPLE_MARK,
    "organ_code": "11320500MA4CL12T2B",
    "source_code": "11320500MA4CL12T2B",
    "document_number": "示例罚〔2026〕1号",
    "repaired_document_number": "示例罚〔2026〕1号",
    "category": "罚款",
    "content": "罚款15000元",
    "validity_date": "2099/12/31",
    "procedure": "普通程序",
    "outcome": "予以处罚",
    "domain": "",
    "kind": "",
    "listed_through": "",
    "standing": "",
    "standing_date": "",
    "repaired_date": "",
    "paid": "0.00",
    "confiscation": "",
    "insurance": "城镇职工基本养老保险",
}


def choices(field: Field) -> list[str]:
    """What may be picked for a field: one word per value; empty where anything may be written."""
    if field.type is FieldType.FLAG:
        return ["是", "否"]
    return list({value: word for word, value in reversed(list(field.words.items()))}.values())[::-1]


def template_xlsx(kind: str) -> bytes:
    """A workbook with the header, one row marked 示例, drop-down lists and explanations. KeyError if unknown.

    The example is refused when sent in: nobody's record may come of forgetting to delete it.
    """
    form = FORMATS[kind]
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as book:
        formats = {
            "required": book.add_format({"bold": True, "bg_color": "#FCE4D6", "border": 1, "text_wrap": True}),
            "optional": book.add_format({"bold": True, "bg_color": "#EDEDED", "border": 1, "text_wrap": True}),
            # As text: a number would lose digits of a code.
            "text": book.add_format({"num_format": "@"}),
            "example": book.add_format({"num_format": "@", "italic": True, "font_color": "#7F7F7F"}),
            "wrapped": book.add_format({"text_wrap": True, "valign": "top"}),
        }
        _fill_data(book.add_worksheet(DATA_SHEET), form, formats)
        _fill_notes(book.add_worksheet(NOTES_SHEET), form, formats)
    return content.getvalue()


def _fill_data(sheet: Worksheet, form: Format, formats: Mapping[str, CellFormat]) -> None:
    sheet.freeze_panes(1, 1)
    for place, field in enumerate(form.fields):
        sheet.set_column(place, place, 22, formats["text"])
        is_optional = field.required is Required.NO
        sheet.write_string(0, place, field.name, formats["optional" if is_optional else "required"])
        sheet.write_string(1, place, _example(field), formats["example"])
        if words := choices(field):
            message = "请从下拉列表中选择，或者按填报说明填写。"
            rule = {"validate": "list", "source": words, "error_title": field.name[:32], "error_message": message}
            sheet.data_validation(1, place, _LAST_ROW, place, rule)


def _example(field: Field) -> str:
    own = _EXAMPLE_BY_FIELD.get(field.id)
    if own is not None and (own or field.required is not Required.YES):
        return own
    if words := choices(field):
        return words[0]
    if field.type is FieldType.TEXT:
        return f"示例{field.name}" if field.required is Required.YES else ""
    return _EXAMPLE_BY_TYPE.get(field.type, "")


def _fill_notes(sheet: Worksheet, form: Format, formats: Mapping[str, CellFormat]) -> None:
    sheet.write_string(
        0, 0, f"{form.name}报送表填报说明：数据填在“{DATA_SHEET}”表，首行列名不要改动，示例行报送前请删除。"
    )
    for place, (title, width) in enumerate(zip(_NOTES, (36, 14, 48, 8, 48, 30), strict=True)):
        sheet.set_column(place, place, width, formats["wrapped"])
        sheet.write_string(1, place, title, formats["optional"])
    for row, field in enumerate(form.fields, 2):
        words = "、".join(dict.fromkeys(field.words)) or str(field.type)
        length = str(field.max_length) if field.type is FieldType.TEXT else ""
        for place, text in enumerate((field.name, str(field.required), words, length, field.note, field.citation)):
            sheet.write_string(row, place, text, formats["wrapped"])

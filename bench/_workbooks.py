"""Penalty workbooks of any length, written row by row as spreadsheet programs write them."""

import itertools
import random
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from xml.sax.saxutils import escape

from xinzheng.adapters.tabular.formats import PENALTY
from xinzheng.core.identifiers import organisation_check_character, uscc_check_character

COLUMNS = tuple(field.name for field in PENALTY.fields[:30])
_NUMBERS = frozenset({19, 20})
_VIOLATIONS = ("广告违法行为", "食品违法行为", "产品(商品)质量违法行为", "无照经营", "特种设备违法行为")
_ORGAN = ("示例市市场监督管理局", "11320500MA4CL12T2B")
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
_STYLES = (
    f'<styleSheet xmlns="{_MAIN}"><fonts count="1"><font/></fonts><fills count="1"><fill/></fills>'
    '<borders count="1"><border/></borders><cellXfs count="1"><xf numFmtId="0"/></cellXfs></styleSheet>'
)


def _uscc(draw: random.Random) -> str:
    body = "MA" + "".join(draw.choices("0123456789ABCDEFGHJKLMNPQRTUWXY", k=6))
    first17 = draw.choice(("91", "92")) + "320505" + body + organisation_check_character(body)
    return first17 + uscc_check_character(first17)


def penalty_rows(count: int, organ: tuple[str, str] = _ORGAN, seed: int = 7) -> Iterator[Sequence[str]]:
    """Rows of the 30 national columns, five to a subject, one in a thousand wrong; the same for the same seed.

    ``organ``: name and code of who decided and who delivers.
    """
    draw = random.Random(seed)
    codes = [_uscc(draw) for _ in range(max(count // 5, 1))]
    for number in range(count):
        code, fine = draw.choice(codes), draw.randint(1, 500_000)
        name = f"示例市{code[10:16]}{'商店' if code[1] == '2' else '科技有限公司'}"
        day = date(2023, 1, 1) + timedelta(days=draw.randint(0, 1200))
        violation = draw.choice(_VIOLATIONS)
        yield (
            name, "个体工商户" if code[1] == "2" else "法人及非法人组织",
            code[:17] + "?" if number % 1000 == 999 else code, "", "", "", "", "", "示例甲", "身份证", "", "", "",
            f"示市监处罚〔{day.year}〕{number}号", violation,
            f"{name}在经营中实施{violation}，经现场检查和询问调查属实，当事人对事实予以确认",
            "《中华人民共和国广告法》第五十五条第一款；《中华人民共和国行政处罚法》第三十二条", "罚款", f"罚款{fine}元",
            f"{fine / 10000:.4f}", "0", "", f"{day:%Y%m%d}", "2099/12/31", "", *organ, *organ, "",
        )  # fmt: skip


def write_xlsx(path: Path, rows: Iterator[Sequence[str]], *, shared: bool) -> None:
    """A workbook of one sheet; ``shared``: texts in one table, as Excel keeps them, else in each cell."""
    strings = dict[str, int]() if shared else None
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
            sheet.write(f'<worksheet xmlns="{_MAIN}"><sheetData>'.encode())
            for number, row in enumerate(itertools.chain([COLUMNS], rows), 1):
                sheet.write(_row(number, row, strings).encode())
            sheet.write(b"</sheetData></worksheet>")
        with archive.open("xl/sharedStrings.xml", "w") as table:
            table.write(f'<sst xmlns="{_MAIN}">'.encode())
            for text in strings or ():
                table.write(f"<si><t>{escape(text)}</t></si>".encode())
            table.write(b"</sst>")
        archive.writestr("xl/styles.xml", _STYLES)
        archive.writestr("_rels/.rels", _relations(("officeDocument", "xl/workbook.xml")))
        archive.writestr(
            "xl/_rels/workbook.xml.rels",
            _relations(
                ("worksheet", "worksheets/sheet1.xml"), ("sharedStrings", "sharedStrings.xml"), ("styles", "styles.xml")
            ),
        )
        archive.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets><sheet name="行政处罚" sheetId="1" r:id="rId1"/>'
            "</sheets></workbook>",
        )


def _letters(place: int) -> str:
    return chr(65 + place) if place < 26 else _letters(place // 26 - 1) + chr(65 + place % 26)


_LETTERS = tuple(_letters(place) for place in range(len(COLUMNS)))


def _row(number: int, row: Sequence[str], strings: dict[str, int] | None) -> str:
    cells = []
    for place, text in enumerate(row):
        if not text:
            continue
        reference = f'<c r="{_LETTERS[place]}{number}"'
        if place in _NUMBERS and number > 1:
            cells.append(f"{reference}><v>{float(text)!r}</v></c>")
        elif strings is None:
            cells.append(f'{reference} t="inlineStr"><is><t>{escape(text)}</t></is></c>')
        else:
            cells.append(f'{reference} t="s"><v>{strings.setdefault(text, len(strings))}</v></c>')
    return f'<row r="{number}" spans="1:30">{"".join(cells)}</row>'


def _relations(*found: tuple[str, str]) -> str:
    items = (
        f'<Relationship Id="rId{n}" Type="{_OFFICE}/{kind}" Target="{target}"/>'
        for n, (kind, target) in enumerate(found, 1)
    )
    return f'<Relationships xmlns="{_PACKAGE}">{"".join(items)}</Relationships>'

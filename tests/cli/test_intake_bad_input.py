"""``xinzheng intake`` with what careless and hostile hands deliver: a clear refusal, and a database left alone."""

import codecs
import gc
import io
import json
import os
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
import xlsxwriter
from django.db import connection

from xinzheng.adapters.tabular import template_csv
from xinzheng.cli import main
from xinzheng.core.identifiers import identity_check_character

pytestmark = pytest.mark.django_db

UNIT, DOMAIN, KIND = "11320500DEM0100955", "water_affairs", "administrative_penalty"
HEADER = template_csv(KIND).decode("utf-8-sig").strip()
COLUMNS = HEADER.split(",")
PERSON = "33050219900101001" + identity_check_character("33050219900101001")
ROW: Mapping[str, str] = {
    "行政相对人名称": "示例市博图科技有限公司",
    "行政相对人类别": "法人及非法人组织",
    "行政相对人代码_1(统一社会信用代码)": "91320505MA1XG6125L",
    "行政处罚决定书文号": "示水罚〔2022〕1000号",
    "违法行为类型": "违法取水",
    "违法事实": "未经批准取水",
    "处罚依据": "水法第六十九条",
    "处罚类别": "罚款",
    "处罚内容": "罚款300元",
    "罚款金额(万元)": "0.03",
    "处罚决定日期": "2022-05-16",
    "处罚有效期": "2099/12/31",
    "处罚机关": "市水务局",
    "处罚机关统一社会信用代码": UNIT,
    "数据来源单位": "市水务局",
    "数据来源单位统一社会信用代码": UNIT,
}
SHEET = "xl/worksheets/sheet1.xml"
STRINGS = "xl/sharedStrings.xml"


def row(**changes: str) -> str:
    return ",".join({**ROW, **changes}.get(column, "") for column in COLUMNS)


def table(*rows: str) -> str:
    return "\n".join((HEADER, *(rows or (row(),)))) + "\n"


def workbook(formula: bool = False) -> bytes:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, COLUMNS)
        sheet.write_row(1, 0, row().split(","))
        if formula:
            sheet.write_formula(1, 13, '="示罚"&"1号"', None, "")
    return buffer.getvalue()


def repacked(changes: Mapping[str, Callable[[bytes], bytes]], **added: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook())) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            new.writestr(info.filename, changes.get(info.filename, bytes)(old.read(info)))
        for name, data in added.items():
            new.writestr(name, data)
    return buffer.getvalue()


def with_rows(rows: bytes) -> bytes:
    return repacked({SHEET: lambda data: data.replace(b"</sheetData>", rows + b"</sheetData>")})


def amplified() -> bytes:
    """A text of 30 kB that a hundred thousand cells refer to: 3 GB once each has its copy."""
    text = b"<si><t>" + "甲".encode() * 10_000 + b"</t></si>"
    cells = b"".join(b'<row r="%d"><c r="A%d" t="s"><v>0</v></c></row>' % (n, n) for n in range(3, 100_003))
    return repacked(
        {
            STRINGS: lambda data: data.replace(b"<si>", text + b"<si>", 1),
            SHEET: lambda data: data.replace(b"</sheetData>", cells + b"</sheetData>"),
        }
    )


def bomb() -> bytes:
    """Half a megabyte that unpacks to more than half a gigabyte."""
    buffer = io.BytesIO(workbook())
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_DEFLATED) as packed, packed.open("xl/media/b.bin", "w") as member:
        for _ in range(520):
            member.write(b"0" * 1024**2)
    return buffer.getvalue()


def archive(*names: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        for name in names:
            packed.writestr(name, "<x/>")
    return buffer.getvalue()


OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600
STRAY = b'<row r="1048576"><c %s><v>1</v></c></row>'
# Content; code; what the message says besides the file's name.
REFUSED: Mapping[str, tuple[bytes, str, str]] = {
    "picture": (b"\x89PNG\r\n\x1a\n\0\0", "not-a-table", "图片"),
    "pdf": (b"%PDF-1.7\n\xe2\xe3", "not-a-table", "PDF"),
    "docx": (archive("word/document.xml"), "not-a-table", "Word"),
    "ods": (archive("mimetype", "content.xml", "xl/workbook.xml"), "not-a-table", "ODS"),
    "page": (f"<html><table><td>{HEADER}</td></table></html>".encode(), "not-a-table", "网页"),
    "prose": ("今天天气很好，没有数据\n".encode(), "header-missing", "第1行"),
    "empty": (b"", "file-empty", "零报告"),
    "header only": (f"{HEADER}\n".encode(), "no-rows", "只有表头"),
    "utf-16": (table().encode("utf-16"), "encoding-unsupported", "UTF-16"),
    "utf-16 without mark": (table().encode("utf-16-be"), "nul-byte", "空字符"),
    "shift-jis": ("行政処分,コード\n株式会社,1\n".encode("shift-jis"), "header-missing", "第1行"),
    "neither encoding": (table().encode("gb18030") + b"\xff\xff\n", "encoding-unknown", "第3行"),
    "cut character": ((table() + "甲").encode("gb18030")[:-1], "file-truncated", "第3行"),
    "two encodings": (table().encode() + (row() + "\n").encode("gb18030"), "encoding-mixed", "第3行"),
    "two encodings, other order": (table().encode("gb18030") + (row() + "\n").encode(), "encoding-mixed", "第3行"),
    "mark of utf-8 before gb 18030": (codecs.BOM_UTF8 + table().encode("gb18030"), "encoding-unknown", "第1行"),
    "column missing": (table().replace("处罚决定日期", "备用").encode(), "column-missing", "“处罚决定日期”"),
    "column twice": (f"{HEADER},处罚决定日期\n{row()},\n".encode(), "header-duplicate", "第40列“处罚决定日期”"),
    "1000 columns": (f"{HEADER}{',列' * 1000}\n{row()}\n".encode(), "columns-too-many", "1039列"),
    "title above": (f"行政处罚报送表\n{table()}".encode(), "header-missing", "表头在第2行"),
    "blank line above": (f"\n{table()}".encode(), "header-missing", "表头在第2行"),
    "cell of 10 MB": (table(row(违法事实="甲" * 3_400_000)).encode(), "cell-too-large", "第2行“违法事实”"),
    "quoted cell of 10 MB": (table(row(违法事实='"' + "甲\n" * 2_600_000 + '"')).encode(), "cell-too-large", "第2行"),
    "endless first line": (("甲" * 700_000).encode(), "header-too-long", "第1行"),
    "nul": (table(row(违法事实="取\0水")).encode(), "nul-byte", "空字符"),
    "quote not closed": (table(row(), row(违法事实='"取水')).encode(), "quote-unclosed", "第3行"),
    "quote in a cell": (table(row(违法事实='取"水"')).encode(), "quote-stray", "第2行"),
    "carriage returns, line feed in a cell": (
        table(row(违法事实='"取@水"'), row()).replace("\n", "\r").replace("@", "\n").encode(),
        "line-ends-mixed",
        "回车符",
    ),
    "one line end is a carriage return": ((table() + row() + "\r" + row() + "\n").encode(), "line-ends-mixed", "第3行"),
    "old or locked": (OLD_OFFICE, "workbook-old-format", "XLS"),
    "locked": (OLD_OFFICE + "EncryptedPackage".encode("utf-16-le"), "workbook-encrypted", "密码"),
    "macros": (repacked({}, **{"xl/vbaProject.bin": b"x"}), "workbook-macro", "宏"),
    "formula never computed": (workbook(formula=True), "formula-without-value", "第2行N列"),
    "damaged": (workbook()[:-200], "workbook-damaged", "损坏"),
    "utf-16 inside": (
        repacked({SHEET: lambda _: "<!DOCTYPE a><worksheet/>".encode("utf-16")}),
        "workbook-damaged",
        "编码",
    ),
    "bomb": (bomb(), "workbook-too-large", "512MB"),
    "last corner": (with_rows(STRAY % b'r="XFD1048576"'), "columns-too-many", "200列"),
    "last corner, single quotes": (with_rows(STRAY % b"r='XFD1048576'"), "columns-too-many", "200列"),
    "last corner, lower case": (with_rows(STRAY % b'r="xfd1048576"'), "columns-too-many", "200列"),
    "last corner, hidden": (with_rows(STRAY % b's=">" r="XFD1048576"'), "columns-too-many", "200列"),
    "last corner, beyond": (with_rows(STRAY % b'r="XFD4294967295"'), "workbook-damaged", "另存为"),
    "cells without place": (
        with_rows(b'<row r="1048576">' + b"<c><v>1</v></c>" * 16_000 + b"</row>"),
        "columns-too-many",
        "200列",
    ),
    "one text a hundred thousand times": (amplified(), "workbook-too-large", "重复"),
}


def rows_in_database() -> dict[str, int]:
    with connection.cursor() as cursor:
        names = [n for n in connection.introspection.table_names(cursor) if re.match("audit_|ledger_|registry_", n)]
        counts = {}
        for name in names:
            cursor.execute(f'SELECT count(*) FROM "{name}"')
            counts[name] = cursor.fetchone()[0]
    return counts


@pytest.fixture
def city(capsys: pytest.CaptureFixture[str]) -> None:
    main(["city", "init", "suzhou"])
    capsys.readouterr()


def intake(path: Path, *more: str) -> int:
    return main(["intake", str(path), "--unit", UNIT, "--domain", DOMAIN, "--kind", KIND, "--json", *more])


def refusal(path: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    """The error, once it is sure that it was told decently and that nothing was written."""
    before = rows_in_database()
    assert intake(path) == 1
    told = capsys.readouterr()
    error: dict[str, str] = json.loads(told.out)["error"]
    assert told.err.strip() == error["message"]
    assert path.name in error["message"]
    assert "Traceback" not in told.err
    assert not re.search(r"\d{15}", error["message"])
    assert error["message"].endswith("。")
    assert rows_in_database() == before
    return error


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.usefixtures("city")
def test_a_bad_file_is_refused_and_the_database_unchanged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    content, code, words = REFUSED[name]
    (tmp_path / "报送.csv").write_bytes(content)
    with no_collection():
        error = refusal(tmp_path / "报送.csv", capsys)
        assert not open_files(tmp_path)
    assert error["code"] == code
    assert words in error["message"]


@contextmanager
def no_collection() -> Iterator[None]:
    """What is closed in here was closed by its owner, not by the collector of cycles."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def open_files(folder: Path) -> list[str]:
    """Files of the folder that this process holds open."""
    held = (os.path.realpath(f"/proc/self/fd/{number}") for number in os.listdir("/proc/self/fd"))
    return [name for name in held if name.startswith(str(folder))]


@pytest.mark.usefixtures("city")
def test_what_is_no_file_is_refused_without_waiting(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.mkfifo(tmp_path / "管道")
    for path in (tmp_path, tmp_path / "管道", tmp_path / "没有.csv", Path("/dev/zero")):
        assert refusal(path, capsys)["code"] == "file-unreadable"


@pytest.mark.parametrize(
    ("scope", "code"),
    [
        (("91320505MA1XG6125L", DOMAIN, KIND), "unknown-unit"),
        ((UNIT, "no_such_domain", KIND), "unknown-domain"),
        ((UNIT, DOMAIN, "no_such_kind"), "unknown-kind"),
        ((UNIT, "credit_repair", "credit_repair"), "unit-not-responsible"),
    ],
)
@pytest.mark.usefixtures("city")
def test_whom_it_is_not_for_may_not_deliver(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], scope: tuple[str, str, str], code: str
) -> None:
    (tmp_path / "报送.csv").write_text(table(), "utf-8")
    before = rows_in_database()
    unit, domain, kind = scope
    arguments = ["--unit", unit, "--domain", domain, "--kind", kind, "--json"]
    assert main(["intake", str(tmp_path / "报送.csv"), *arguments]) == 1
    assert json.loads(capsys.readouterr().out)["error"]["code"] == code
    assert rows_in_database() == before


def test_wrong_use_is_told_apart_from_bad_input(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["intake"], ["intake", "a.csv"], ["intake", "a.csv", "--mode", "all"]):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code == 2
        assert "用法" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"处罚决定日期": "2022-09-31"}, "处罚决定日期", "date-impossible"),
        ({"处罚决定日期": PERSON}, "处罚决定日期", "date-unreadable"),
        ({"领域": PERSON}, "领域", "domain-unknown"),
        (
            {"行政相对人类别": "自然人", "行政相对人代码_1(统一社会信用代码)": PERSON, "行政相对人名称": "王小明"},
            "行政相对人代码_1(统一社会信用代码)",
            "uscc-organisation-check",
        ),
        (
            {"行政相对人类别": "自然人", "证件号码": PERSON[:-1], "行政相对人名称": "王小明"},
            "证件号码",
            "identity-length",
        ),
        (
            {"行政相对人类别": "自然人", "证件号码": PERSON, "行政相对人名称": "王小明", "处罚决定日期": "王小明"},
            "处罚决定日期",
            "date-unreadable",
        ),
    ],
)
@pytest.mark.usefixtures("city")
def test_a_wrong_cell_is_told_with_line_and_field_and_without_a_person(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], changes: dict[str, str], field: str, code: str
) -> None:
    (tmp_path / "报送.csv").write_text(table(row(**changes)), "utf-8")
    versions = rows_in_database()["ledger_recordversion"]
    intake(tmp_path / "报送.csv")
    told = capsys.readouterr().out
    result = json.loads(told)
    assert (result["lines"], result["rejected"], result["new"]) == (1, 1, 0)
    assert (2, field, code) in [(d["line"], d["field"], d["code"]) for d in result["defects"]]
    assert PERSON[:-1] not in told
    assert "王小明" not in told
    assert rows_in_database()["ledger_recordversion"] == versions
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM ledger_defect d WHERE d::text ~ %s", [f"{PERSON[:-1]}|王小明"])
        assert cursor.fetchone()[0] == 0


@pytest.mark.usefixtures("city")
def test_dirt_that_can_be_read_is_taken(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cells = {
        "处罚决定日期": "２０２２年５月１６日",
        "违法事实": f"=cmd|'/c calc'!A1 {PERSON}",
        "行政相对人名称": "示例市𠮷㐂公司",
    }
    text = "\ufeff" + table(row(**cells)).replace("\n", "\r\n") + "\r\n" * 20 + ",,,\r\n"
    (tmp_path / "报送.csv").write_bytes(text.encode("gb18030"))
    assert intake(tmp_path / "报送.csv") == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["lines"], result["new"], result["rejected"]) == (1, 1, 0)
    with connection.cursor() as cursor:
        cursor.execute("SELECT payload, decision_date::text FROM ledger_recordversion")
        payload, decided = cursor.fetchone()
    assert decided == "2022-05-16"
    assert "𠮷㐂" in payload
    assert PERSON not in payload
    assert "=cmd|" in payload

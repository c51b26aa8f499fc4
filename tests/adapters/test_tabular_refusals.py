"""Files that must be refused as a whole: each with its code, and a Chinese message naming file and place."""

import struct
import zipfile
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
import xlsxwriter

from xinzheng.adapters.tabular import BatchDefaults, Limits, TabularError, read_batch, read_batches, template_csv

DEFAULTS = BatchDefaults("administrative_penalty", "market_regulation", date(2026, 11, 21), "批次.csv")
HEADER = template_csv("administrative_penalty").decode("utf-8-sig").strip()
WIDTH = HEADER.count(",") + 1
BLANK_ROW = "甲" + "," * (WIDTH - 1)


def refusal(path: Path, limits: Limits | None = None) -> TabularError:
    with pytest.raises(TabularError) as raised:
        read_batch(path, DEFAULTS, limits or Limits())
    assert "批次.csv" in raised.value.message
    return raised.value


TEXTS = [
    (b"", "file-empty"),
    (b"\xef\xbb\xbf\r\n\r\n", "file-empty"),
    (b"%PDF-1.7 ...", "not-a-table"),
    (b"\x89PNG\r\n\x1a\n", "not-a-table"),
    (b"PK\x05\x06" + b"\0" * 18, "not-a-table"),
    ("甲,乙\n".encode("utf-16"), "encoding-unsupported"),
    (HEADER.encode() + b"\n\0,1\n", "nul-byte"),
    (HEADER.encode("gb18030") + b"\n\xff\xff\n", "encoding-unknown"),
    ((HEADER + "\n甲").encode("gb18030")[:-1], "file-truncated"),
    ("今天天气很好\n明天也好\n".encode(), "header-missing"),
    (f"{BLANK_ROW}\n{BLANK_ROW}\n".encode(), "header-missing"),
    (f"{HEADER},CF_WSH\n".encode(), "header-duplicate"),
    (f"{HEADER}\n".encode(), "no-rows"),
    (f"{HEADER},{','.join(f'列{n}' for n in range(1000))}\n{BLANK_ROW}\n".encode(), "columns-too-many"),
    (f"{HEADER}\n{BLANK_ROW}{',' * 2000}\n".encode(), "columns-too-many"),
    (f'{HEADER}\n{BLANK_ROW}\n甲"乙{BLANK_ROW}\n丙"丁{BLANK_ROW}\n'.encode(), "quote-stray"),
    (f'{HEADER}\n{BLANK_ROW}\n"{BLANK_ROW}\n'.encode(), "quote-unclosed"),
]


@pytest.mark.parametrize(("content", "code"), TEXTS)
def test_a_text_file_that_is_no_table_is_refused(tmp_path: Path, content: bytes, code: str) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    assert refusal(tmp_path / "a.csv").code == code


def test_a_missing_required_column_is_named_and_the_template_suggested(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(HEADER.replace("处罚决定日期", "备用") + f"\n{BLANK_ROW}\n", "utf-8")
    error = refusal(tmp_path / "a.csv")
    assert error.code == "column-missing"
    assert "“处罚决定日期”" in error.message
    assert "模板" in error.message


def test_an_unclosed_quote_is_named_by_its_line(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(f'{HEADER}\n{BLANK_ROW}\n"{BLANK_ROW}\n{BLANK_ROW}\n', "utf-8")
    assert "第3行" in refusal(tmp_path / "a.csv").message


def test_a_cell_of_ten_megabytes_is_named_by_line_and_column(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(f"{HEADER}\n{BLANK_ROW}\n{'甲' * 3_500_000}{BLANK_ROW}\n", "utf-8")
    error = refusal(tmp_path / "a.csv")
    assert error.code == "cell-too-large"
    assert "第3行“行政相对人名称”" in error.message


def test_an_oversize_file_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(f"{HEADER}\n{BLANK_ROW}\n", "utf-8")
    assert refusal(tmp_path / "a.csv", Limits(file_bytes=100)).code == "file-too-large"
    assert refusal(tmp_path / "none.csv").code == "file-unreadable"
    assert refusal(tmp_path).code == "file-unreadable"


def test_an_unknown_kind_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(HEADER, "utf-8")
    with pytest.raises(TabularError, match="administrative_penalty") as raised:
        read_batch(tmp_path / "a.csv", replace(DEFAULTS, kind="nonsense"))
    assert raised.value.code == "kind-unknown"


def test_nothing_is_yielded_of_a_file_whose_end_is_broken(tmp_path: Path) -> None:
    rows = f"{BLANK_ROW}\n" * 200
    (tmp_path / "a.csv").write_text(f'{HEADER}\n{rows}"{BLANK_ROW}\n', "utf-8")
    with pytest.raises(TabularError):
        next(read_batches(tmp_path / "a.csv", DEFAULTS, chunk_rows=10))


def workbook(path: Path, formula: str | None = None, value: object = "") -> Path:
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, HEADER.split(","))
        sheet.write_row(1, 0, ["甲", "法人及非法人组织"])
        if formula:
            sheet.write_formula(1, 13, formula, None, value)
    return path


def rewritten(source: Path, target: Path, member: str, change: tuple[bytes, bytes]) -> Path:
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            data = old.read(info)
            new.writestr(info.filename, data.replace(*change) if info.filename == member else data)
    return target


def test_a_formula_without_a_computed_value_is_named_by_row_and_column(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", "=A1&B1", "示罚1号")
    assert read_batch(path, DEFAULTS).frame["document_number"].to_list() == ["示罚1号"]
    bare = rewritten(path, tmp_path / "b.xlsx", "xl/worksheets/sheet1.xml", ("<v>示罚1号</v>".encode(), b""))
    error = refusal(bare)
    assert error.code == "formula-without-value"
    assert "第2行N列" in error.message


def test_a_bomb_is_stopped_by_its_declared_and_by_its_true_size(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx")
    limits = Limits(xlsx_unpacked_bytes=2 * 1024**2)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/bomb.bin", b"0" * (8 * 1024**2))
    assert refusal(path, limits).code == "workbook-too-large"
    data = path.read_bytes()
    lied = data.replace(struct.pack("<L", 8 * 1024**2), struct.pack("<L", 100))
    (tmp_path / "lied.xlsx").write_bytes(lied)
    assert lied != data
    assert refusal(tmp_path / "lied.xlsx", limits).code in {"workbook-too-large", "workbook-damaged"}
    assert refusal(path, Limits(xlsx_members=3)).code == "workbook-too-large"
    assert refusal(path, Limits(xlsx_bytes=100)).code == "file-too-large"


def test_entities_a_truncated_workbook_and_a_plain_archive_are_refused(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx")
    entity = (b"<worksheet", b'<!DOCTYPE x [<!ENTITY a "b">]><worksheet')
    assert refusal(rewritten(path, tmp_path / "e.xlsx", "xl/worksheets/sheet1.xml", entity)).code == "workbook-damaged"
    (tmp_path / "t.xlsx").write_bytes(path.read_bytes()[:-200])
    assert refusal(tmp_path / "t.xlsx").code == "workbook-damaged"
    with zipfile.ZipFile(tmp_path / "z.xlsx", "w") as archive:
        archive.writestr("readme.txt", "x")
    assert refusal(tmp_path / "z.xlsx").code == "not-a-table"


def test_old_and_encrypted_workbooks_are_told_apart(tmp_path: Path) -> None:
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600
    (tmp_path / "old.xlsx").write_bytes(head)
    assert refusal(tmp_path / "old.xlsx").code == "workbook-old-format"
    (tmp_path / "locked.xlsx").write_bytes(head + "EncryptedPackage".encode("utf-16-le"))
    assert refusal(tmp_path / "locked.xlsx").code == "workbook-encrypted"


def test_two_sheets_of_data_are_refused_and_a_sheet_of_explanations_is_not(tmp_path: Path) -> None:
    with xlsxwriter.Workbook(tmp_path / "two.xlsx") as book:
        book.add_worksheet("填报说明").write(0, 0, "请按模板填写")
        for name in ("一季度", "二季度"):
            book.add_worksheet(name).write_row(0, 0, HEADER.split(","))
    error = refusal(tmp_path / "two.xlsx")
    assert error.code == "several-sheets"
    assert "“一季度”、“二季度”" in error.message


def test_a_title_above_the_header_and_a_shifted_table_are_refused_or_numbered_as_seen(tmp_path: Path) -> None:
    with xlsxwriter.Workbook(tmp_path / "title.xlsx") as book:
        sheet = book.add_worksheet()
        sheet.write(0, 0, "行政处罚信息报送表")
        sheet.write_row(1, 0, HEADER.split(","))
    assert refusal(tmp_path / "title.xlsx").code == "header-missing"
    with xlsxwriter.Workbook(tmp_path / "shifted.xlsx") as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 2, HEADER.split(","))
        sheet.write_row(4, 2, ["甲", "法人及非法人组织"])
    parsed = read_batch(tmp_path / "shifted.xlsx", DEFAULTS)
    assert parsed.frame["line"].to_list() == [5]
    assert parsed.frame["subject_name"].to_list() == ["甲"]

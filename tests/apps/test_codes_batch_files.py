"""Files of reports to verify: what is read of them, and what is said of those that cannot be."""

import csv
import io
from datetime import date

import pytest
from django.test import override_settings

from xinzheng.adapters.workbook_out import Column, Sheet, write_workbook
from xinzheng.apps.codes.batch_files import (
    LINES_AT_MOST,
    CheckFileError,
    CheckLine,
    read_check_file,
    template,
    told_name,
)
from xinzheng.core.lifecycle import report_number

HEAD = "报告编号,核验码,二维码内容\n"
CODE = "0123456789AB"


def csv_of(*rows: tuple[str, ...]) -> bytes:
    return (HEAD + "".join(",".join([*row, "", ""][:3]) + "\n" for row in rows)).encode()


def workbook(*rows: tuple[str | int | None, ...]) -> bytes:
    heads = [Column("报告编号"), Column("核验码")]
    return write_workbook([Sheet("清单", (), heads, rows)])


def sound_number() -> str:
    return report_number("SZ", date(2026, 11, 22), 1)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_a_text_table_is_read_whatever_its_encoding_and_separator(encoding: str, mark: str) -> None:
    number = sound_number()
    text = (
        mark.join(("客户", "报告编号", "核 验 码"))
        + "\n\n"
        + mark.join(("甲", number.lower(), "0123-4567-89ab"))
        + "\n"
    )
    assert read_check_file(text.encode(encoding), "x.csv") == [CheckLine(3, number.lower(), "0123-4567-89ab")]


def test_a_workbook_is_read_and_keeps_the_numbers_of_its_lines() -> None:
    number = sound_number()
    lines = read_check_file(workbook((number, CODE), (None, None), ("SZ1", CODE), (number, "12")), "x.xlsx")
    assert [(one.line, one.number, bool(one.fault)) for one in lines] == [
        (2, number, False),
        (4, "SZ1", True),
        (5, number, True),
    ]
    assert "“报告编号”应为18位" in lines[1].fault
    assert "“核验码”应为12位" in lines[2].fault


def test_what_a_scanner_typed_is_taken_as_a_qr_code_in_either_column() -> None:
    address = "https://example.test/v/AAAA#BBBB"
    lines = read_check_file(csv_of((address,), ("", "", address), ("", "", "x" * 5000)), "x.csv")
    assert [one.qr for one in lines] == [address, address, ""]
    assert "太长" in lines[2].fault


@pytest.mark.parametrize("heading", ["二维码内容", "QR Code", " 二维码 "])
def test_one_column_of_qr_codes_is_enough(heading: str) -> None:
    address = "https://example.test/v/AAAA#BBBB-_"
    sheet = write_workbook([Sheet("清单", (), [Column(heading)], [(address,)])])
    for content in (f"{heading}\r\n{address}\r\n".encode("gb18030"), sheet):
        assert read_check_file(content, "x") == [CheckLine(2, qr=address)]


def test_a_line_whose_cells_do_not_fit_the_header_is_not_guessed_at() -> None:
    content = f"报告编号,核验码\n{sound_number()},{CODE}\n{sound_number()}\n".encode()
    assert "只有1个单元格" in read_check_file(content, "x.csv")[1].fault


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        (b"", "file-empty", "没有内容"),
        ("甲,乙\n1,2\n".encode(), "header-missing", "第1行没有认得的列名"),
        (f"{sound_number()},{CODE}\n".encode(), "header-missing", "第1行是报告，不是列名"),
        (f"报告编号,备注\n{sound_number()},x\n".encode(), "column-missing", "第1行缺少“核验码”一列"),
        ("报告编号,核验码\n".encode(), "no-rows", "只有列名"),
        ("报告编号,编号,核验码\nx,y,z\n".encode(), "header-duplicate", "表头重复"),
        (b"%PDF-1.7 what", "not-a-table", "PDF文件"),
        ("报告编号,核验码\nx,y\n\nz,y\n".encode(), "nothing-to-ask", "第2行：“报告编号”应为18位"),
        (b"PK\x03\x04 broken", "workbook-damaged", "清单"),
    ],
)
def test_a_file_that_cannot_be_verified_is_refused_by_file_line_and_column(
    content: bytes, code: str, said: str
) -> None:
    with pytest.raises(CheckFileError) as refused:
        read_check_file(content, "清单.csv")
    assert refused.value.code == code
    assert refused.value.message.startswith("清单.csv")
    assert said in refused.value.message
    assert "报送" not in refused.value.message


def test_ten_thousand_lines_are_read_and_one_more_is_refused() -> None:
    line = f"{sound_number()},{CODE}\n".encode()
    head = "报告编号,核验码\n".encode()
    assert len(read_check_file(head + line * LINES_AT_MOST, "x.csv")) == LINES_AT_MOST
    with pytest.raises(CheckFileError, match="有10,001行，一次至多核验10,000份"):
        read_check_file(head + line * (LINES_AT_MOST + 1), "x.csv")


def test_a_larger_file_than_the_setting_lets_is_refused() -> None:
    with override_settings(XINZHENG_CHECK_FILE_MAX_BYTES=1024**2), pytest.raises(CheckFileError, match="超过1MB"):
        read_check_file("报告编号,核验码\n".encode() + b" " * 1024**2, "x.csv")


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("贷款客户330502199001010014.xlsx", "贷款客户（号码略）.xlsx"),
        ("13812345678\n.csv", "（号码略）�.csv"),
        ("../..", "�"),
        (" . ", "文件"),
        ("a/b\\c.csv", "a�b�c.csv"),
        ("长" * 100 + ".xlsx", "长" * 54 + "….xlsx"),
        ("长" * 45 + "330502199001010014.xlsx", "长" * 45 + "（号码略）.xlsx"),
        ("３３０５０２１９９００１０１００１４.csv", "（号码略）"),
        ("330502 19900101 0014.csv", "（号码略）"),
        ("３３０５０２１９９００１０１００１４ 2026.csv", "（号码略）"),
    ],
)
def test_the_name_of_a_file_holds_no_number_of_a_person_and_nothing_unseen(name: str, kept: str) -> None:
    assert told_name(name) == kept


def test_the_template_has_the_columns_that_are_read() -> None:
    assert next(csv.reader(io.StringIO(template().decode("utf-8-sig")))) == ["报告编号", "核验码", "二维码内容"]


def test_a_file_of_another_shape_than_csv_is_told_by_its_content() -> None:
    assert read_check_file(workbook((sound_number(), CODE)), "清单.csv")[0].line == 2

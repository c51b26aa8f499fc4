"""Importing the subject register: every line is accounted for, nothing changes without a new version."""

import csv
import io
import random
import time
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import pytest
import xlsxwriter

from xinzheng.apps.audit.models import Entry
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.registry.actions import ImportResult, import_subjects
from xinzheng.apps.registry.models import FormerName, Subject, SubjectCode, SubjectVersion, Succession
from xinzheng.apps.registry.queries import find_subject, subject_at, ties_at
from xinzheng.apps.registry.subject_file import SubjectFileError
from xinzheng.core.errors import XinzhengError
from xinzheng.core.identifiers import organisation_check_character, uscc_check_character
from xinzheng.core.subjects import Subject as SeenSubject
from xinzheng.core.subjects import SubjectKind, Tie

pytestmark = pytest.mark.django_db

HEADER = "名称,统一社会信用代码,类型,法定代表人,登记状态,成立日期,住所"
Import = Callable[[str], ImportResult]


def code_of(number: int, prefix: str = "91320594") -> str:
    body = f"MA{number:06d}"
    first = f"{prefix}{body}{organisation_check_character(body)}"
    return first + uscc_check_character(first)


A, B, C, D = (code_of(number) for number in range(1, 5))


@pytest.fixture
def importing(tmp_path: Path) -> Import:
    """Write the text into a file and import it."""

    def run(text: str) -> ImportResult:
        path = tmp_path / "名录.csv"
        path.write_text(text, encoding="utf-8")
        return import_subjects(path, by="command-line")

    return run


def counts(result: ImportResult) -> tuple[int, int, int, int, int]:
    assert result.new + result.changed + result.identical + result.rejected == result.lines
    return result.lines, result.new, result.changed, result.identical, result.rejected


def seen(code: str, position: int | None = None) -> SeenSubject:
    subject_id = find_subject(code)
    assert subject_id is not None
    return subject_at(subject_id, head_position() if position is None else position)


def test_new_subjects_stand_in_the_register_with_every_column(importing: Import) -> None:
    result = importing(f"{HEADER}\n示例甲有限公司,{A},企业法人,示例乙,存续,2020-02-29,苏州工业园区示例路1号\n")
    assert counts(result) == (1, 1, 0, 0, 0)
    assert seen(A) == SeenSubject(SubjectKind.ENTERPRISE_LEGAL_PERSON, "示例甲有限公司", A, "示例乙", "存续", False)
    version = SubjectVersion.objects.get()
    assert (version.established_date, version.address) == (date(2020, 2, 29), "苏州工业园区示例路1号")


def test_the_english_column_names_are_understood(importing: Import) -> None:
    result = importing(
        "name,code,kind,legal_representative,status,established,address\n"
        f"示例甲有限公司,{A},enterprise_legal_person,示例乙,存续,2020/2/9,示例路\n"
    )
    assert counts(result) == (1, 1, 0, 0, 0)
    assert seen(A).representative == "示例乙"
    assert SubjectVersion.objects.get().established_date == date(2020, 2, 9)


def test_the_same_file_again_changes_nothing_and_writes_no_entry(importing: Import) -> None:
    text = f"{HEADER},曾用名,注册号\n甲,{A},,乙,存续,2020-01-01,路,旧甲；更旧甲,320594000012345\n丙,{B},,,,,,,\n"
    first = importing(text)
    again = importing(text)
    assert counts(first) == (2, 2, 0, 0, 0)
    assert counts(again) == (2, 0, 0, 2, 0)
    assert again.position is None
    assert Entry.objects.count() == 1
    assert SubjectVersion.objects.count() == Subject.objects.count() == 2


def test_a_changed_line_makes_a_version_and_the_old_position_sees_the_old_one(importing: Import) -> None:
    before = importing(f"{HEADER}\n甲公司,{A},企业法人,乙,存续,,\n丙公司,{B},企业法人,丁,存续,,\n").position
    result = importing(f"{HEADER}\n甲新公司,{A},企业法人,戊,存续,,\n丙公司,{B},企业法人,丁,存续,,\n")
    assert counts(result) == (2, 0, 1, 1, 0)
    assert before is not None
    assert (seen(A, before).name, seen(A, before).representative) == ("甲公司", "乙")
    assert (seen(A).name, seen(A).representative) == ("甲新公司", "戊")
    assert SubjectVersion.objects.count() == 3


def test_a_column_the_file_lacks_leaves_what_is_registered(importing: Import) -> None:
    importing(f"{HEADER}\n甲公司,{A},非法人企业,乙,注销,2020-01-01,路\n")
    result = importing(f"名称,统一社会信用代码\n甲公司,{A}\n")
    assert counts(result) == (1, 0, 0, 1, 0)
    assert seen(A).kind is SubjectKind.UNINCORPORATED_ENTERPRISE
    assert seen(A).is_deregistered


def test_an_emptied_cell_is_a_change(importing: Import) -> None:
    importing(f"{HEADER}\n甲公司,{A},企业法人,乙,存续,,\n")
    assert counts(importing(f"{HEADER}\n甲公司,{A},企业法人,无,存续,,\n")) == (1, 0, 1, 0, 0)
    assert seen(A).representative is None


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (code_of(1), SubjectKind.ENTERPRISE_LEGAL_PERSON),
        (code_of(1, "92320594"), SubjectKind.INDIVIDUAL_BUSINESS),
        (code_of(1, "93320594"), SubjectKind.COOPERATIVE),
        (code_of(1, "52320594"), SubjectKind.SOCIAL_ORGANISATION),
        (code_of(1, "12320594"), SubjectKind.PUBLIC_INSTITUTION),
    ],
)
def test_an_empty_kind_is_told_by_the_code(importing: Import, code: str, kind: SubjectKind) -> None:
    importing(f"名称,统一社会信用代码\n甲,{code}\n")
    assert seen(code).kind is kind


def test_a_code_is_found_however_it_is_typed(importing: Import) -> None:
    importing(f"名称,统一社会信用代码\n甲, {A.lower()} \n")
    assert find_subject(f" {A[:8].lower()}　{A[8:]}") == find_subject(A) is not None
    assert find_subject(B) is None


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_the_usual_encodings_are_read(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(f"{HEADER}\r\n苏州㐂有限公司,{A},企业法人,示例乙,存续,,\r\n".encode(encoding))
    assert counts(import_subjects(path, by="system")) == (1, 1, 0, 0, 0)
    assert seen(A).name == "苏州㐂有限公司"


def test_a_workbook_is_read_with_its_dates_and_numbers(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(path, {"default_date_format": "yyyy-mm-dd"}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["名称", "统一社会信用代码", "成立日期", "注册号"])
        sheet.write_row(1, 0, ["甲公司", A])
        sheet.write_datetime(1, 2, datetime(2020, 2, 29))
        sheet.write_number(1, 3, 320594000012345)
    assert counts(import_subjects(path, by="system")) == (1, 1, 0, 0, 0)
    assert SubjectVersion.objects.get().established_date == date(2020, 2, 29)
    assert find_subject("320594000012345") == find_subject(A)


def test_former_names_and_codes_lead_to_the_subject(importing: Import) -> None:
    importing(f"名称,统一社会信用代码,曾用名,注册号,曾用代码\n甲,{A},旧甲；更旧甲,320594000012345,320594-9X 78901234\n")
    assert set(FormerName.objects.values_list("name", flat=True)) == {"旧甲", "更旧甲"}
    assert find_subject("320594000012345") == find_subject("78901234") == find_subject(A)
    assert seen(A).identifier == A
    schemes = dict(SubjectCode.objects.values_list("code", "scheme"))
    assert schemes == {A: "uscc", "320594000012345": "registration", "3205949X": "former", "78901234": "former"}


def test_a_new_former_name_alone_is_a_change_without_a_new_version(importing: Import) -> None:
    importing(f"名称,统一社会信用代码,曾用名\n甲,{A},\n")
    assert counts(importing(f"名称,统一社会信用代码,曾用名\n甲,{A},旧甲\n")) == (1, 0, 1, 0, 0)
    assert SubjectVersion.objects.count() == FormerName.objects.count() == 1


@pytest.mark.parametrize(
    ("line", "field", "code"),
    [
        (f",{A},企业法人,,,,", "名称", "name-missing"),
        ("甲,,企业法人,,,,", "统一社会信用代码", "code-missing"),
        (f"甲,{A[:-1]},企业法人,,,,", "统一社会信用代码", "uscc-length"),
        (f"甲,{A[:-1]}I,企业法人,,,,", "统一社会信用代码", "uscc-character"),
        (f"甲,{A[:12]}9{A[13:]},企业法人,,,,", "统一社会信用代码", "uscc-check"),
        (f"甲,{A},外星企业,,,,", "类型", "kind-unknown"),
        (f"甲,{code_of(1, '11320594')},,,,,", "类型", "kind-missing"),
        (f"甲,{A},企业法人,,,2022-09-31,", "成立日期", "date-invalid"),
        (f"甲,{A},企业法人,,,Oct-17,", "成立日期", "date-invalid"),
        ("甲,110101199003074478,自然人,,,,", "统一社会信用代码", "identity-check"),
        (f"甲,{A},自然人,,,,", "统一社会信用代码", "identity-character"),
    ],
)
def test_a_bad_line_is_rejected_by_line_and_column_and_the_good_ones_stay(
    importing: Import, line: str, field: str, code: str
) -> None:
    result = importing(f"{HEADER}\n好,{B},企业法人,,,,\n\n{line}\n也好,{C},企业法人,,,,\n")
    assert counts(result) == (3, 2, 0, 0, 1)
    assert (4, field, code) in [(d.line, d.field, d.code) for d in result.defects]
    assert all(d.line == 4 and "，" in d.message for d in result.defects)
    assert find_subject(A) is None


def test_the_second_line_of_a_subject_is_rejected_with_the_number_of_the_first(importing: Import) -> None:
    result = importing(f"{HEADER}\n甲,{A},,,,,\n丙,{B},,,,,\n甲甲,{A},,,,,\n")
    assert counts(result) == (3, 2, 0, 0, 1)
    assert [(d.line, d.code) for d in result.defects] == [(4, "subject-repeated")]
    assert "第2行" in result.defects[0].message
    assert seen(A).name == "甲"


def test_a_former_code_of_somebody_else_is_rejected(importing: Import) -> None:
    importing(f"名称,统一社会信用代码,注册号\n甲,{A},320594000012345\n")
    result = importing(f"名称,统一社会信用代码,注册号,曾用代码\n丙,{B},320594000012345,\n丁,{C},,{A}\n戊,{D},,{D}\n")
    assert counts(result) == (3, 0, 0, 0, 3)
    assert {d.code for d in result.defects} == {"former-code-taken"}
    assert result.position is None


def test_a_line_under_a_former_code_is_told_to_use_the_present_one(importing: Import) -> None:
    importing(f"名称,统一社会信用代码,曾用代码\n甲,{A},{B}\n")
    result = importing(f"名称,统一社会信用代码\n甲,{B}\n")
    assert [(d.line, d.code) for d in result.defects] == [(2, "code-is-former")]


RELATIONS = "名称,统一社会信用代码,承继关系,关联主体代码,关联日期"


@pytest.mark.parametrize(
    ("word", "tie"),
    [("更名", Tie.RENAMED), ("吸收合并", Tie.MERGED), ("分立", Tie.SPLIT), ("分支机构", Tie.BRANCH)],
)
def test_a_succession_ties_the_predecessor_s_records_to_the_successor_from_then_on(
    importing: Import, word: str, tie: Tie
) -> None:
    before = importing(f"{RELATIONS}\n新,{A},,,\n旧,{B},,,\n").position
    assert before is not None
    result = importing(f"{RELATIONS}\n旧,{B},{word},{A},2023-05-01\n")
    assert counts(result) == (1, 0, 1, 0, 0)
    new, old = find_subject(A), find_subject(B)
    assert new is not None
    assert old is not None
    assert ties_at(new, head_position()) == {new: Tie.SELF, old: tie}
    assert ties_at(new, before) == {new: Tie.SELF}
    assert ties_at(old, head_position()) == {old: Tie.SELF}
    assert Succession.objects.get().date == date(2023, 5, 1)
    assert counts(importing(f"{RELATIONS}\n旧,{B},{word},{A},2023-05-01\n")) == (1, 0, 0, 1, 0)


def test_ties_reach_through_chains_and_keep_the_first_that_is_no_renaming(importing: Import) -> None:
    importing(f"{RELATIONS}\n丁,{D},,,\n丙,{C},更名,{D},\n乙,{B},吸收合并,{C},\n甲,{A},分支机构,{B},\n")
    ids = {code: find_subject(code) for code in (A, B, C, D)}
    top = ids[D]
    assert top is not None
    assert ties_at(top, head_position()) == {
        ids[D]: Tie.SELF, ids[C]: Tie.RENAMED, ids[B]: Tie.MERGED, ids[A]: Tie.MERGED,
    }  # fmt: skip


def test_a_branch_without_a_kind_is_an_unincorporated_enterprise(importing: Import) -> None:
    importing(f"{RELATIONS}\n甲,{A},,,\n甲分公司,{B},分支机构,{A},\n")
    assert seen(B).kind is SubjectKind.UNINCORPORATED_ENTERPRISE


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "file-empty"),
        (b"\n", "file-empty"),
        (b"%PDF-1.7\x00\x01", "not-a-table"),
        (f"名称,统一社会信用代码\n甲\0,{A}\n".encode(), "nul-byte"),
        ("名称,类型\n甲,企业法人\n".encode(), "column-missing"),
        ("名称,统一社会信用代码,代码\n".encode(), "header-duplicate"),
        (f"苏州市主体名录,,\n名称,统一社会信用代码,类型\n甲,{A},\n".encode(), "header-missing"),
        (b"\xff\xfe\xfd\xfc", "encoding-unsupported"),
        (b"a,\xff\xfd\n", "encoding-unknown"),
        (f"名称,统一社会信用代码\n甲{A}\n乙,".encode() + "丙\n".encode("gb18030"), "encoding-mixed"),
        (f'名称,统一社会信用代码\n"甲,{A}\n'.encode(), "quote-unclosed"),
        (f'名称,统一社会信用代码\n甲"乙",{A}\n'.encode(), "quote-stray"),
        (f"名称,统一社会信用代码\n甲,{A}\n乙\r丙,{B}\n".encode(), "line-ends-mixed"),
        (f"名称,统一社会信用代码\n{'甲' * 40_000},{A}\n".encode(), "cell-too-large"),
    ],
)
def test_a_file_that_is_no_register_is_refused_and_changes_nothing(tmp_path: Path, content: bytes, code: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(XinzhengError, match=r"a\.csv") as refused:
        import_subjects(path, by="system")
    assert refused.value.code == code
    assert Entry.objects.count() == Subject.objects.count() == 0


def test_an_empty_register_is_not_advised_to_report_that_there_is_nothing(importing: Import) -> None:
    with pytest.raises(SubjectFileError, match="请填写后重新导入") as refused:
        importing("")
    assert "零报告" not in refused.value.message


@pytest.mark.parametrize(
    ("line", "code"), [(f"甲,{A},企业法人,乙,存续,,路,多出", "cells-beyond-header"), (f"甲,{A},企业", "cells-missing")]
)
def test_a_torn_line_is_rejected_as_a_whole_and_wipes_nothing(importing: Import, line: str, code: str) -> None:
    importing(f"{HEADER}\n甲,{A},企业法人,乙,存续,,路\n")
    result = importing(f"{HEADER}\n{line}\n好,{B},企业法人,,,,\n")
    assert counts(result) == (2, 1, 0, 0, 1)
    assert [(d.line, d.field, d.code) for d in result.defects] == [(2, "整行", code)]
    assert seen(A).representative == "乙"


def test_a_workbook_is_known_by_its_content_and_its_register_by_the_headings(tmp_path: Path) -> None:
    path = tmp_path / "名录.csv"
    with xlsxwriter.Workbook(path) as book:
        book.add_worksheet("填报说明").write(0, 0, "请按说明填写")
        sheet = book.add_worksheet("名录")
        sheet.write_row(0, 0, ["名称", "统一社会信用代码"])
        sheet.write_row(3, 0, ["甲公司", A[:-1]])
        sheet.write_row(4, 0, ["乙公司", B])
    result = import_subjects(path, by="system")
    assert counts(result) == (2, 1, 0, 0, 1)
    assert {d.line for d in result.defects} == {4}


@pytest.mark.parametrize("corner", [False, True])
def test_a_broken_or_boundless_workbook_is_refused_by_the_guards_of_the_records(tmp_path: Path, corner: bool) -> None:
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["名称", "统一社会信用代码"])
        sheet.write(1_048_575 if corner else 1, 16_383 if corner else 1, "x")
    if not corner:
        path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(XinzhengError, match=r"a\.xlsx") as refused:
        import_subjects(path, by="system")
    assert refused.value.code == ("columns-too-many" if corner else "workbook-damaged")


def test_a_missing_file_is_told_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(XinzhengError, match=r"nowhere\.csv") as refused:
        import_subjects(tmp_path / "nowhere.csv", by="system")
    assert refused.value.code == "file-unreadable"


def test_twenty_thousand_subjects_are_imported_in_seconds(tmp_path: Path) -> None:
    chance = random.Random(7)
    path = tmp_path / "big.csv"
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(HEADER.split(","))
    for number in range(20_000):
        writer.writerow(
            [
                f"苏州示例{number}有限公司",
                code_of(number),
                "企业法人",
                f"示例{chance.randint(1, 99)}",
                "存续",
                "2020-01-01",
                "路",
            ]
        )
    path.write_text(text.getvalue(), encoding="utf-8")
    started = time.perf_counter()
    assert counts(import_subjects(path, by="system")) == (20_000, 20_000, 0, 0, 0)
    assert counts(import_subjects(path, by="system")) == (20_000, 0, 0, 20_000, 0)
    assert time.perf_counter() - started < 20

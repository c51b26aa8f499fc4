"""Up to a hundred files in one form: a row each with its facts, a table to take away, mistakes told at the field."""

from collections.abc import Callable
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, override_settings
from python_calamine import CalamineWorkbook

from tests import hostile_pdfs
from tests.web.conftest import People, issue
from tests.web.test_verify import code_of, report
from xinzheng.apps.reports import file_verification
from xinzheng.apps.reports.models import Look, Report
from xinzheng.apps.reports.queries import report_pdf
from xinzheng.apps.reports.status import revoke_report
from xinzheng.core.lifecycle import RevocationReason

__all__ = ["report"]

pytestmark = pytest.mark.django_db


def handed_in(*files: tuple[str, bytes], client: Client | None = None) -> tuple[int, str]:
    sent = {"way": "files", "files": [SimpleUploadedFile(name, data, "application/pdf") for name, data in files]}
    response = (client or Client()).post("/verify/batch", sent)
    return response.status_code, response.content.decode()


def rows_of(page: str) -> list[str]:
    return page.split("<tbody")[1].split("<tr ")[1:]


def changed(data: bytes) -> bytes:
    return data[: len(data) // 2] + bytes([data[len(data) // 2] ^ 1]) + data[len(data) // 2 + 1 :]


def test_each_file_has_a_row_with_its_four_facts_and_the_log_in_the_order_chosen(people: People) -> None:
    clean, punished = issue(people.clean), issue(people.punished)
    good, bad = report_pdf(clean.number), changed(report_pdf(punished.number))
    status, page = handed_in(("甲.pdf", good), ("乙.pdf", bad), ("丙.pdf", b"%PDF-1.7 nothing"), ("丁.pdf", b"GIF89a"))
    assert status == 200
    first, second, third, fourth = rows_of(page)
    assert [word in first for word in ("甲.pdf", clean.number, "文件未改动", "签名有效", "签发者可信")] == [True] * 5
    assert "<span>正常</span>" in first
    assert "等待收录" in first
    assert "乙.pdf" in second
    assert "文件已被改动" in second
    assert "没有读出，未核对" in third
    assert "这不是PDF文件，没有核对" in fourth
    assert "文件已被改动" not in fourth
    assert "1份四项都好，3份需要留意。" in page
    assert "精密制造" not in page
    assert list(Look.objects.values_list("report_number", "way", "by")) == [(clean.number, "batch", "public")]


def test_a_report_that_was_revoked_is_no_good_file_although_nothing_was_changed(report: Report) -> None:
    revoke_report(report.number, RevocationReason.SUBJECT_WRONG, "test")
    _, page = handed_in(("a.pdf", report_pdf(report.number)))
    assert "1份需要留意。" in page
    assert '<tr role="row" class="row-found">' in page
    assert "已作废（申请主体登记有误）" in page


def test_the_table_to_take_away_says_what_the_page_says(report: Report) -> None:
    _, page = handed_in(("=甲.pdf", report_pdf(report.number)), ("乙.pdf", b"GIF89a"))
    token = page.split('name="table" value="')[1].split('"')[0]
    response = Client().post("/verify/batch.xlsx", {"table": token})
    assert response.headers["Content-Disposition"].startswith('attachment; filename="verification-')
    lines = CalamineWorkbook.from_filelike(BytesIO(response.content)).get_sheet_by_index(0).to_python()
    assert lines[0][0] == "批量核验结果"
    assert any("以上说明报告真伪和状态" in str(line[0]) for line in lines)
    *_, head, first, second = lines
    assert head[:5] == ["序号", "文件或者编号", "报告编号", "主体（已遮盖）", "文件是否改动"]
    assert first[1:3] == ["=甲.pdf", report.number]
    assert first[4:9] == ["文件未改动", "签名有效", "签发者可信", "正常", "等待收录"]
    assert second[0] == 2
    assert "这不是PDF文件" in second[9]


def test_the_answers_to_lines_can_be_taken_away_too_and_a_changed_token_gives_nothing(report: Report) -> None:
    page = Client().post("/verify/batch", {"lines": f"{report.number} {code_of(report)}"}).content.decode()
    token = page.split('name="table" value="')[1].split('"')[0]
    assert Client().post("/verify/batch.xlsx", {"table": token}).content.startswith(b"PK")
    for wrong in ("", token[:-1] + ("A" if token[-1] != "A" else "B")):
        sent = Client().post("/verify/batch.xlsx", {"table": wrong})
        assert (sent.status_code, sent.headers["Location"]) == (302, "/verify/batch")


def test_a_hostile_file_takes_nothing_from_the_others(report: Report) -> None:
    hostile = hostile_pdfs.a_ring_of_fields()
    _, page = handed_in(("bad.pdf", hostile), ("a.pdf", report_pdf(report.number)))
    bad, good = rows_of(page)
    assert "签名有效" not in bad
    assert "文件未改动" in good


def test_what_the_time_for_all_does_not_reach_is_said_not_to_have_been_examined(
    report: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_verification, "SECONDS_FOR_ALL", 0.0)
    _, page = handed_in(("a.pdf", report_pdf(report.number)))
    assert "这份没有核对到。请另行核验。" in page
    assert "文件未改动" not in page
    assert Look.objects.count() == 0


def test_while_a_batch_is_examined_another_is_told_to_come_again(report: Report) -> None:
    with file_verification._one_batch():
        status, page = handed_in(("a.pdf", report_pdf(report.number)))
    assert status == 422
    assert '<a href="#files">正在核对另一批文件，这一批没有核对。' in page
    assert handed_in(("a.pdf", report_pdf(report.number)))[0] == 200


def test_a_hundred_files_ask_the_database_no_more_than_one(
    report: Report, django_assert_max_num_queries: Callable[[int], object]
) -> None:
    data = report_pdf(report.number)
    with django_assert_max_num_queries(5):  # type: ignore[attr-defined]
        status, page = handed_in(*((f"{number}.pdf", data) for number in range(100)))
    assert status == 200
    assert "100份四项都好：" in page
    assert Look.objects.filter(way="batch").count() == 100


def test_more_than_a_hundred_files_are_refused_at_the_field(db: None) -> None:
    status, page = handed_in(*((f"{number}.pdf", b"%PDF-") for number in range(101)))
    assert status == 422
    assert '<a href="#files">一次至多核验100份文件' in page


def test_files_beyond_what_is_taken_together_are_refused_by_their_length_alone(db: None) -> None:
    with override_settings(XINZHENG_VERIFY_FILES_MAX_BYTES=1024 * 1024):
        form = "multipart/form-data; boundary=x"
        sent = Client().post("/verify/batch", "x", content_type=form, CONTENT_LENGTH="9999999")
    assert sent.status_code == 422
    assert "这些文件合起来超过1 MB" in sent.content.decode()


def test_a_form_without_files_or_without_its_token_is_refused(db: None) -> None:
    assert "请先选择报告文件" in handed_in()[1]
    assert Client(enforce_csrf_checks=True).post("/verify/batch", {"way": "files"}).status_code == 403


def test_every_file_counts_as_one_in_the_minute(db: None) -> None:
    with override_settings(XINZHENG_VERIFY_FILES_PER_MINUTE=5):
        assert handed_in(*[("a.pdf", b"GIF")] * 3)[0] == 200
        status, page = handed_in(*[("a.pdf", b"GIF")] * 3)
    assert status == 429
    assert "秒后再试" in page


def test_a_name_that_turns_letters_around_is_shown_without_what_turns_them(db: None) -> None:
    _, page = handed_in(("\u202efdp.<b>exe.pdf", b"GIF"))
    assert "\u202e" not in page
    assert "fdp.&lt;b&gt;exe.pdf" in page

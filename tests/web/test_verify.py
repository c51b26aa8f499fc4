"""Verifying without an account: three ways, four facts apart, mistakes told where they are."""

import re
from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, override_settings
from django.utils import timezone

from tests.small_city import today
from tests.web.conftest import People, client_of, issue
from xinzheng.adapters.signing import qr_text
from xinzheng.apps.audit.log import seal_log
from xinzheng.apps.reports.issuing import long_code
from xinzheng.apps.reports.models import Look, Report
from xinzheng.apps.reports.queries import report_pdf
from xinzheng.apps.reports.status import Why, change_status, revoke_report
from xinzheng.core.lifecycle import ReportStatus, RevocationReason, typed_code
from xinzheng.core.sentences import spoken_date
from xinzheng.web.limits import PER_WINDOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def report(people: People) -> Report:
    return issue(people.clean)


def code_of(report: Report) -> str:
    return typed_code(bytes(report.secret))


def by_code(number: str, code: str) -> tuple[int, str]:
    response = Client().post("/verify", {"way": "code", "number": number, "code": code})
    return response.status_code, response.content.decode()


def by_file(data: bytes) -> tuple[int, str]:
    file = SimpleUploadedFile("report.pdf", data, "application/pdf")
    response = Client().post("/verify", {"way": "file", "pdf": file})
    return response.status_code, response.content.decode()


def facts_of(page: str) -> list[str]:
    """The four facts in their fixed words, in order."""
    return re.findall(r"<h3><span>[^<]+</span>([^<]+)</h3>", page)


def test_by_number_and_code_only_the_status_is_known_and_the_other_facts_are_said_to_be_unexamined(
    report: Report,
) -> None:
    _, page = by_code(report.number, code_of(report))
    assert facts_of(page) == [*["未提交文件，未核对内容"] * 3, "报告状态：正常"]
    assert report.number in page
    assert "以上说明报告真伪和状态，不代表该主体目前有无违法记录。" in page


def test_the_code_may_be_typed_in_small_letters_with_spaces(report: Report) -> None:
    code = code_of(report).lower()
    _, page = by_code(f" {report.number.lower()} ", f"{code[:4]} {code[4:8]}-{code[8:]}")
    assert "报告状态：正常" in page


def test_by_file_all_four_facts_are_known(report: Report) -> None:
    _, page = by_file(report_pdf(report.number))
    assert facts_of(page) == ["文件未改动", "签名有效", "签发者可信", "报告状态：正常"]


def test_a_good_answer_is_blue_and_never_green(report: Report) -> None:
    _, page = by_file(report_pdf(report.number))
    assert '<section class="answer answer-info"' in page
    assert "is-none" not in page
    assert "answer-none" not in page


def test_a_stranger_sees_neither_name_nor_outcome(report: Report) -> None:
    for _, page in (by_code(report.number, code_of(report)), by_file(report_pdf(report.number))):
        assert "精密制造" not in page
        assert "未查询到违法记录" not in page
        assert "名称已遮盖" in page


def test_a_changed_file_is_said_to_be_changed_and_not_to_be_used(report: Report) -> None:
    data = bytearray(report_pdf(report.number))
    data[len(data) // 2] ^= 1
    _, page = by_file(bytes(data))
    assert "文件已被改动" in page
    assert "不要使用这份文件" in page
    assert '<section class="answer answer-found"' in page


def test_a_wrong_code_gets_the_answer_of_an_unknown_number(report: Report) -> None:
    wrong, _ = by_code(report.number, "0" * 12), None
    assert wrong[0] == 200
    assert "未查询到该编号" in wrong[1]
    assert '<section class="answer answer-unver"' in wrong[1]
    assert "报告状态：正常" not in wrong[1]


def test_a_report_that_was_revoked_says_so_with_its_reason(report: Report) -> None:
    revoke_report(report.number, RevocationReason.SUBJECT_WRONG, "test")
    _, page = by_code(report.number, code_of(report))
    assert "报告状态：已作废（申请主体登记有误）" in page
    assert '<section class="answer answer-found"' in page


def test_the_qr_address_opens_the_status_and_offers_to_send_what_stays_in_the_browser(report: Report) -> None:
    page = Client().get(f"/v/{long_code(bytes(report.secret))}").content.decode()
    assert "报告状态：正常" in page
    assert "data-fragment" in page
    assert Client().get("/v/AAAAAAAAAAAAAAAAAAAAAA").content.decode().count("未查询到该编号") > 0


def test_the_whole_text_of_the_qr_code_also_proves_the_signature(report: Report) -> None:
    text = qr_text(bytes(report.cose), long_code(bytes(report.secret)))
    page = Client().post("/verify", {"way": "qr", "qr_text": text}).content.decode()
    assert facts_of(page) == ["未提交文件，未核对内容", "签名有效", "签发者可信", "报告状态：正常"]


@pytest.mark.parametrize(
    ("number", "code", "field", "message"),
    [
        ("", "0" * 12, "number", "请填写报告编号"),
        ("SZ1", "0" * 12, "number", "报告编号应为18位，现在是3位"),
        ("SZ2026112100001280", "0" * 12, "number", "报告编号有一位输错了（校验位不符）"),
        ("SZ2026112100001289", "", "code", "请填写核验码"),
        ("SZ2026112100001289", "7KQM2XRT9HD", "code", "核验码应为12位，现在是11位"),
    ],
)
def test_a_mistake_is_told_at_the_top_and_tied_to_its_field_and_nothing_typed_is_lost(
    client: Client, number: str, code: str, field: str, message: str
) -> None:
    status, page = by_code(number, code)
    assert status == 422
    assert f'<a href="#{field}">{message}' in page
    assert f'id="{field}-error"' in page
    assert re.search(f'<input id="{field}"[^>]*aria-describedby="[^"]*{field}-error"[^>]*aria-invalid="true"', page)
    assert f'value="{number}"' in page
    assert f'value="{code}"' in page
    assert "<title>有1处需要改正" in page


def test_a_file_that_is_no_report_is_refused_with_what_to_send_instead(db: None) -> None:
    assert "这不是PDF文件" in by_file(b"GIF89a")[1]
    assert "请先选择报告文件" in Client().post("/verify", {"way": "file"}).content.decode()
    with override_settings(XINZHENG_PDF_MAX_BYTES=1024 * 1024):
        status, page = by_file(b"%PDF-" + b"0" * 1024 * 1024)
    assert status == 422
    assert "文件超过1 MB" in page


def test_a_broken_pdf_is_an_answer_and_not_a_failure(db: None) -> None:
    status, page = by_file(b"%PDF-1.7\nnothing of it is true")
    assert status == 200
    assert "不要使用这份文件" in page or "未查询到该编号" in page


@pytest.mark.parametrize("text", ["", "hello", "https://evil.example/v/x#y", "A" * 5000])
def test_a_text_that_is_no_qr_code_of_ours_never_verifies(db: None, text: str) -> None:
    page = Client().post("/verify", {"way": "qr", "qr_text": text}).content.decode()
    assert "报告状态：正常" not in page
    assert "签名有效</h3>" not in page


def test_more_than_thirty_in_a_minute_get_a_page_that_says_when_to_try_again(client: Client) -> None:
    for _ in range(PER_WINDOW):
        assert client.post("/verify", {"way": "code"}).status_code == 422
    refused = client.post("/verify", {"way": "code"})
    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    assert "秒后再试" in refused.content.decode()
    assert client.get("/verify").status_code == 200
    other = client.post("/verify", {"way": "code"}, REMOTE_ADDR="203.0.113.9")
    assert other.status_code == 422


def test_codes_never_travel_in_the_address(client: Client) -> None:
    page = client.get("/verify").content.decode()
    assert page.count('method="post" action="/verify"') == 4
    assert 'value="SZ1"' not in client.get("/verify?number=SZ1&code=X").content.decode()


def test_an_answer_asks_little_of_the_database(
    report: Report, django_assert_max_num_queries: Callable[[int], object]
) -> None:
    with django_assert_max_num_queries(4):  # type: ignore[attr-defined]
        by_code(report.number, code_of(report))


def test_a_file_that_cannot_be_read_is_never_said_not_to_have_been_handed_in(report: Report) -> None:
    for data in (report_pdf(report.number)[:-5000], b"%PDF-1.7\n" + bytes(100)):
        _, page = by_file(data)
        assert facts_of(page) == [
            "文件已被改动",
            "没有读出，未核对",
            "没有读出，未核对",
            "没有读出可信的报告编号，未查询报告状态",
        ]
        assert "没有上传文件" not in page


def test_a_number_typed_in_full_width_letters_is_the_same_number(report: Report) -> None:
    wide = "".join(chr(ord(letter) + 0xFEE0) for letter in report.number)
    _, page = by_code(wide, code_of(report))
    assert "报告状态：正常" in page


def test_since_when_and_why_a_report_is_superseded_is_told_in_general_words(report: Report) -> None:
    change_status(report, ReportStatus.SUPERSEDED, "system", Why("税务局补报了一条处罚", code="records-added"))
    _, page = by_code(report.number, code_of(report))
    today_said = spoken_date(today())
    assert f"自{today_said}起；出具后，出具前的数据有补充或者更正。" in page
    assert "税务局补报" not in page


def test_the_log_is_answered_beside_the_four_facts(report: Report) -> None:
    _, waiting = by_code(report.number, code_of(report))
    assert "<b>等待收录</b>" in waiting
    seal_log(timezone.now())
    _, page = by_code(report.number, code_of(report))
    assert "<b>已收录</b>" in page
    assert "序号0，" in page
    assert len(facts_of(page)) == 4
    assert "透明日志</h2>" not in by_code(report.number, "0" * 12)[1]


def test_the_page_names_its_own_host_and_a_code_of_another_host_is_said_so(report: Report) -> None:
    assert "127.0.0.1:8000" in Client().get("/verify").content.decode()
    text = qr_text(bytes(report.cose), long_code(bytes(report.secret)))
    ours = Client().post("/verify", {"way": "qr", "qr_text": text}).content.decode()
    assert '<dt>核验网站</dt><dd><span class="code">127.0.0.1:8000</span><small>二维码的签名写明</small>' in ours
    elsewhere = text.replace("http://127.0.0.1:8000", "https://credit.example")
    page = Client().post("/verify", {"way": "qr", "qr_text": elsewhere}).content.decode()
    assert "二维码打开的是 credit.example，签名部分写明的核验网站是 127.0.0.1:8000：这张码被改过，不要打开" in page
    assert "不要打开这张码" in page
    assert "报告状态：正常" not in page


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("https://xn--fiqs8s.example/v/AAAAAAAAAAAAAAAAAAAAAA#" + "A" * 60, "xn--fiqs8s.example"),
        ("https://сredit.example/v/AAAAAAAAAAAAAAAAAAAAAA#" + "A" * 60, "xn--redit-0ye.example"),
    ],
)
def test_a_look_alike_name_is_shown_in_plain_letters(db: None, address: str, host: str) -> None:
    page = Client().post("/verify", {"way": "qr", "qr_text": address}).content.decode()
    assert f"这张码写明的核验网站是 {host}，不是本站" in page


def test_a_body_beyond_any_report_is_refused_by_its_length_alone(db: None) -> None:
    with override_settings(XINZHENG_PDF_MAX_BYTES=1024 * 1024):
        sent = Client().post("/verify", "x", content_type="multipart/form-data; boundary=x", CONTENT_LENGTH="9999999")
    assert sent.status_code == 422
    assert "文件超过1 MB" in sent.content.decode()


def test_a_form_without_its_token_is_still_refused(db: None) -> None:
    assert Client(enforce_csrf_checks=True).post("/verify", {"way": "code"}).status_code == 403


def test_a_batch_is_answered_line_by_line_in_its_order(report: Report) -> None:
    text = qr_text(bytes(report.cose), long_code(bytes(report.secret)))
    lines = [
        f"{report.number} {code_of(report)}",
        f"{report.number},{code_of(report).lower()}",
        "",
        text,
        f"{report.number}\t{'0' * 12}",
    ]
    page = Client().post("/verify/batch", {"lines": "\n".join(lines)}).content.decode()
    assert "3份报告状态正常，1份需要留意。" in page
    assert page.count("<span>报告状态：正常</span>") == 3
    assert page.count("<span>未查询到该编号</span>") == 1
    assert "精密制造" not in page
    assert Look.objects.filter(report_number=report.number, way="batch", by="public").count() == 3


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("", "请填写要核验的报告"),
        ("https://a.example\n" * 101, "一次至多核验100份，现在是101行"),
        ("\n\nhello", "第3行：报告编号应为18位"),
        ("SZ2026112100001289 7KQ", "第1行：编号后面请写12位核验码"),
    ],
)
def test_a_batch_with_a_mistake_names_the_line_and_loses_nothing(db: None, lines: str, message: str) -> None:
    sent = Client().post("/verify/batch", {"lines": lines})
    assert sent.status_code == 422
    assert message in sent.content.decode()
    assert lines.strip().splitlines()[-1:] == [] or lines.strip().splitlines()[-1] in sent.content.decode()


def test_the_subject_reads_who_verified_the_report_and_how(people: People, report: Report) -> None:
    client = client_of(people.clean)
    assert "还没有人核验过这份报告" in client.get(f"/reports/{report.number}").content.decode()
    by_code(report.number, code_of(report))
    by_file(report_pdf(report.number))
    by_code(report.number, "0" * 12)
    page = client.get(f"/reports/{report.number}").content.decode()
    assert "共2次" in page
    assert page.index("上传报告文件</td>") < page.index("输入编号和核验码</td>")
    assert "公众（不用登录，不记录是谁）" in page

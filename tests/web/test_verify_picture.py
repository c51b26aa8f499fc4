"""A picture of the QR code on the page: read, and answered as its text is; mistakes are told at the field."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from tests import pictures
from tests.web.conftest import People
from tests.web.test_verify import facts_of, report
from xinzheng.adapters.signing import qr_text
from xinzheng.apps.reports.issuing import long_code
from xinzheng.apps.reports.models import Look, Report

__all__ = ["report"]

pytestmark = pytest.mark.django_db
SEALED = ["未提交文件，未核对内容", "签名有效", "签发者可信", "报告状态：正常"]


def text_of(report: Report) -> str:
    return qr_text(bytes(report.cose), long_code(bytes(report.secret)))


def by_picture(data: bytes, field: str = "picture") -> tuple[int, str]:
    sent = {"way": "picture", field: SimpleUploadedFile("p.jpg", data, "image/jpeg")}
    response = Client().post("/verify", sent)
    return response.status_code, response.content.decode()


@pytest.mark.parametrize("field", ["photo", "picture"])
def test_a_picture_just_taken_or_chosen_proves_the_signature_in_the_code(report: Report, field: str) -> None:
    status, page = by_picture(pictures.as_file(pictures.photograph(pictures.page([text_of(report)]))), field)
    assert status == 200
    assert facts_of(page) == SEALED
    assert "个别的二维码" not in page
    assert Look.objects.filter(report_number=report.number, way="qr", by="public").count() == 1


def test_other_codes_in_the_picture_are_counted_and_not_opened(report: Report) -> None:
    texts = ["https://other.example/", text_of(report), "HELLO"]
    _, page = by_picture(pictures.as_file(pictures.page(texts), "PNG"))
    assert facts_of(page) == SEALED
    assert "图片里还有2个别的二维码，没有核验，也没有打开。" in page
    assert "other.example" not in page


def test_a_code_of_another_site_is_named_and_warned_of_and_makes_no_link(people: People) -> None:
    status, page = by_picture(pictures.as_file(pictures.code("https://сredit.example/v/x")))
    assert status == 200
    assert "这张码写明的核验网站是 xn--redit-0ye.example，不是本站" in page
    assert "不要打开这张码" in page
    assert 'href="https://' not in page


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"%PDF-1.7", "这不是能读的图片"),
        (b"\x89PNG\r\n\x1a\n", "图片打不开，或者没有传完整"),
        (b"\xff\xd8\xff" + bytes(10 * 1024 * 1024), "图片超过10 MB"),
        (pictures.png(8_000, 7_000, b""), "图片超过5000万像素"),
        (pictures.as_file(Image.new("L", (300, 300), 255)), "图片里没有找到二维码"),
        (pictures.as_file(pictures.code("WIFI:S:office;;")), "图片里的二维码不是报告的二维码，没有打开它"),
        (pictures.as_file(pictures.code("http://127.0.0.1:8000/s/AAAAAAAAAAAA")), "这是对方亮出来给人看内容的码"),
    ],
)
def test_a_picture_that_leads_to_nothing_is_told_at_its_field_with_what_to_do(
    db: None, data: bytes, message: str
) -> None:
    status, page = by_picture(data)
    assert status == 422
    assert f'<a href="#picture">{message}' in page
    assert 'id="picture-error"' in page
    assert "图片没有保存。" in page


def test_a_form_without_a_picture_says_to_take_one(db: None) -> None:
    assert "请先拍照，或者选择一张图片。" in Client().post("/verify", {"way": "picture"}).content.decode()

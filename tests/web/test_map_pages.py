"""The column map editor: a sample, its headings, what is missing, words, the preview, saving; only for its unit."""

import io
import json
import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest
import xlsxwriter
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import F
from django.http import HttpResponse
from django.test import Client

from tests.api.conftest import as_csv
from tests.cli.test_intake_maps import OLD, SHIPPED
from tests.small_city import PENALTY, SmallCity, today, uscc
from tests.web.conftest import People, client_of
from xinzheng.apps.ledger.map_models import MapSample, StoredMap
from xinzheng.apps.ledger.map_samples import drop_kept_files
from xinzheng.apps.ledger.models import RecordVersion, Upload, UploadPiece
from xinzheng.apps.ledger.uploads import take_in_upload

pytestmark = pytest.mark.django_db

NEW = "/department/maps/new"
SCOPE = f"water_affairs|{PENALTY}"
ROW = {
    "企业": "苏州示例精密制造有限公司", "信用号": uscc(1), "书号": "苏水罚〔2026〕1号", "干了什么": "超标排水",
    "种类": "罚款", "结果": "罚款1万元", "日子": "2026-01-05", "程序码": "1", "处罚机关": "市水务局",
}  # fmt: skip
TAKEN = {
    "企业": "subject_name", "信用号": "subject_uscc", "书号": "document_number", "干了什么": "facts",
    "种类": "category", "结果": "content", "日子": "decision_date", "程序码": "procedure",
}  # fmt: skip
WAIVED = ["subject_class", "violation", "basis", "validity_date", "organ_code", "source_name", "source_code"]


def sample_file(*rows: Mapping[str, str]) -> SimpleUploadedFile:
    return SimpleUploadedFile("导出.csv", as_csv([dict(row) for row in rows or (ROW,)]), "text/csv")


def begin(people: People, *rows: Mapping[str, str], base: str = "") -> tuple[Client, str]:
    """A client of the officer, and the address of the editor of a sample with these rows."""
    client = client_of(people.officer)
    sent = client.post(NEW, {"kind": PENALTY, "sample": sample_file(*rows), "base": base})
    assert sent.status_code == 302, sent.content.decode()
    return client, sent.headers["Location"]


def form(action: str, taken: Mapping[str, str] = TAKEN, **changes: Any) -> dict[str, Any]:
    fields = {
        "action": action,
        "name": "旧系统导出",
        "origin": "水务旧系统",
        "heading": list(taken),
        "column": list(taken.values()),
        "waive": WAIVED,
        "said-procedure": ["1"],
        "word-procedure": ["普通程序"],
    }
    return fields | changes


def text(response: HttpResponse) -> str:
    return response.content.decode()


def test_a_unit_without_maps_sees_the_shipped_one_and_what_to_do_next(people: People) -> None:
    page = text(client_of(people.officer).get("/department/maps"))
    assert SHIPPED in page
    assert "还没有自己的列对照" in page
    assert f'href="{NEW}"' in page


def test_a_shipped_map_says_its_origin_and_every_column(people: People) -> None:
    page = text(client_of(people.officer).get(f"/department/maps/{SHIPPED}"))
    assert "各地旧系统的导出文件仍在使用" in page
    assert re.search(r"CF_XZJG</th>.*?处罚机关", page, re.DOTALL)
    assert "文件写“1”，读作“撤销”" in page
    assert "/retire" not in page


def test_a_sample_is_kept_encrypted_and_its_headings_are_shown_with_examples(people: People) -> None:
    client, editor = begin(people)
    page = text(client.get(editor))
    sample = MapSample.objects.get()
    assert ROW["书号"].encode() not in bytes(sample.content)
    assert re.search(r"书号</th>.*?苏水罚〔2026〕1号", page, re.DOTALL)
    assert re.search(r"处罚机关</th>.*?<small>标准列名</small>", page, re.DOTALL)
    assert page.count('name="column"') == len(TAKEN)
    assert re.search(r"还缺\d+个必填项：", page)


def test_the_preview_shows_rows_as_they_would_be_read_and_follows_the_choice(people: People) -> None:
    client, editor = begin(people, ROW, ROW | {"书号": "2号", "日子": "2026-02-30"})
    page = text(client.post(editor, form("preview")))
    assert "前2行中，1行可以入账，其余会退回" in page
    assert "这一天不存在" in page
    assert re.search(r"程序</span> <span class=\"value-cell\">普通程序", page)
    less = text(client.post(editor, form("preview", {**TAKEN, "日子": ""})))
    assert "还缺1个必填项：处罚决定日期" in less
    assert not StoredMap.objects.exists()


def test_words_the_format_does_not_know_are_offered_for_translation(people: People) -> None:
    client, editor = begin(
        people, ROW, ROW | {"书号": "2号", "程序码": "听证程序"}, ROW | {"书号": "3号", "程序码": "9"}
    )
    page = text(client.post(editor, form("preview")))
    offered = re.findall(r'name="said-procedure" value="([^"]+)"', page)
    assert offered == ["1", "9"]


def test_a_saved_map_reads_a_delivery_and_the_sample_is_gone(people: People) -> None:
    client, editor = begin(people)
    saved = client.post(editor, form("save"), follow=True)
    assert "列对照“旧系统导出”已保存" in text(saved)
    assert not MapSample.objects.exists()
    desk = text(client.get("/department"))
    assert '<option value="旧系统导出">' in desk
    fields = {"scope": SCOPE, "mode": "increment", "map": "旧系统导出"}
    client.post("/department/upload", fields | {"file": sample_file()})
    assert take_in_upload(Upload.objects.get().pk) is not None
    version = RecordVersion.objects.get()
    assert (version.organ_name, version.procedure) == ("市水务局", "ordinary")
    assert "按列对照“旧系统导出”读取" in text(client.get(f"/department/batches/{version.batch_id}"))


def test_what_decides_cannot_be_saved_without_a_column(people: People) -> None:
    client, editor = begin(people)
    refused = client.post(editor, form("save", {**TAKEN, "书号": ""}, waive=[*WAIVED, "document_number"]))
    page = text(refused)
    assert refused.status_code == 422
    assert "“行政处罚决定书文号”不能免填" in page
    assert 'href="#gap-document_number"' in page
    assert not StoredMap.objects.exists()
    assert MapSample.objects.exists()


@pytest.mark.parametrize(
    ("changes", "place", "told"),
    [
        ({"name": ""}, "name", "名称应为1至40个字"),
        ({"name": SHIPPED}, "name", "系统自带"),
        ({"name": "new"}, "name", "不能叫“new”"),
        ({"constant-document_number": "1号"}, "column-2", "不能写成固定值"),
        ({"word-procedure": ["随便"]}, "column-7", "没有“随便”这种取值"),
        ({"column": ["nothing", *list(TAKEN.values())[1:]]}, "name", "不存在的标识"),
    ],
)
def test_what_may_not_be_saved_is_told_at_its_place(
    people: People, changes: dict[str, Any], place: str, told: str
) -> None:
    client, editor = begin(people)
    refused = client.post(editor, form("save", **changes))
    page = text(refused)
    assert refused.status_code == 422
    assert told in page
    assert f'<a href="#{place}">' in page
    assert f'id="{place}"' in page
    assert not StoredMap.objects.exists()


def test_two_columns_for_one_date_are_told(people: People) -> None:
    client, editor = begin(people, ROW | {"另一天": "2026-01-06"})
    twice = {**TAKEN, "另一天": "decision_date"}
    assert "只能取自一列" in text(client.post(editor, form("save", twice)))
    assert "是同一项，请只保留一列" in text(client.post(editor, form("preview", twice)))


def test_a_name_in_use_is_not_taken_unawares_but_its_map_can_be_changed(people: People) -> None:
    client, editor = begin(people)
    client.post(editor, form("save"))
    _, again = begin(people)
    assert "已有列对照“旧系统导出”" in text(client.post(again, form("save")))
    _, changing = begin(people, base="旧系统导出")
    page = text(client.get(changing))
    assert 'value="旧系统导出"' in page
    assert re.search(r'<option value="document_number" selected>', page)
    assert client.post(changing, form("save", **{"word-procedure": ["简易程序"]})).status_code == 302
    assert StoredMap.objects.count() == 2
    versions = text(client.get("/department/maps/旧系统导出"))
    assert versions.count("，保存</li>") == 2
    assert "文件写“1”，读作“简易程序”" in versions


def test_headings_that_the_new_sample_lacks_stay_in_the_map(people: People) -> None:
    client, editor = begin(people, ROW | {"备用": "x"})
    client.post(editor, form("save", {**TAKEN, "备用": "remark"}))
    _, changing = begin(people, base="旧系统导出")
    client.post(changing, form("save", **{"origin": "另一台机器"}))
    headings = [c["heading"] for c in StoredMap.objects.latest("id").content["columns"]]
    assert "备用" in headings


def test_a_retired_map_is_gone_from_the_desk(people: People) -> None:
    client, editor = begin(people)
    client.post(editor, form("save"))
    page = text(client.post("/department/maps/旧系统导出/retire", follow=True))
    assert "列对照“旧系统导出”已停用" in page
    assert "旧系统导出" not in text(client.get("/department"))
    assert client.get("/department/maps/旧系统导出").status_code == 404


def failed_upload(people: People) -> Upload:
    """A 2016 export delivered without a map."""
    fields = {"scope": SCOPE, "from": "2016-01-01", "through": today().isoformat(), "mode": "increment"}
    file = SimpleUploadedFile("旧.csv", as_csv([OLD]), "text/csv")
    client_of(people.officer).post("/department/upload", fields | {"file": file})
    upload = Upload.objects.get()
    assert take_in_upload(upload.pk) is None
    upload.refresh_from_db()
    return upload


def test_a_file_that_failed_for_its_headings_can_be_mapped_without_sending_it_again(people: People) -> None:
    upload, client = failed_upload(people), client_of(people.officer)
    assert upload.failure_code == "column-missing"
    page = text(client.get(f"/department/uploads/{upload.pk}"))
    assert "按列对照处理" in page
    editor = client.post(f"/department/uploads/{upload.pk}/map").headers["Location"]
    page = text(client.get(editor))
    assert f"用“{SHIPPED}”报送这份文件" in page
    assert f"已按“{SHIPPED}”预选" in page
    sent = client.post(editor, {"action": "deliver-by", "map": SHIPPED})
    assert sent.headers["Location"] == f"/department/uploads/{upload.pk}"
    result = take_in_upload(upload.pk)
    assert result is not None
    assert (result.new, result.is_covered) == (1, True)
    assert not MapSample.objects.exists()
    assert not UploadPiece.objects.exists()


def test_a_new_map_can_be_saved_and_the_failed_file_delivered_in_one_go(people: People) -> None:
    upload, client = failed_upload(people), client_of(people.officer)
    editor = client.post(f"/department/uploads/{upload.pk}/map").headers["Location"] + f"&base={SHIPPED}"
    page = text(client.get(editor))
    headings = re.findall(r'name="heading" value="([^"]+)"', page)
    columns = re.findall(r'name="column".*?</select>', page, re.DOTALL)
    chosen = [(re.search(r'value="([^"]*)" selected', c) or re.search(r"()", c)).group(1) for c in columns]  # type: ignore[union-attr]
    said = re.findall(r'name="said-standing" value="([^"]+)"', page)
    fields = {
        "action": "deliver", "name": "水务2016", "heading": headings, "column": chosen, "waive": WAIVED,
        "said-standing": said, "word-standing": ["有效", "有效", "撤销", "撤销"][: len(said)],
    }  # fmt: skip
    sent = client.post(editor, fields)
    assert sent.headers.get("Location") == f"/department/uploads/{upload.pk}", text(sent)[:3000]
    assert take_in_upload(upload.pk) is not None
    assert StoredMap.objects.get().name == "水务2016"


def test_kept_files_are_deleted_after_an_hour(people: People) -> None:
    upload, client = failed_upload(people), client_of(people.officer)
    editor = client.post(f"/department/uploads/{upload.pk}/map").headers["Location"]
    assert drop_kept_files() == 0
    MapSample.objects.update(created_at=F("created_at") - timedelta(hours=1))
    Upload.objects.update(failed_at=F("failed_at") - timedelta(hours=1))
    page = text(client.get(editor, follow=True))
    assert "样本文件已经清除" in page
    assert "按列对照处理" not in text(client.get(f"/department/uploads/{upload.pk}"))
    gone = client.post(f"/department/uploads/{upload.pk}/map", follow=True)
    assert "这份文件已经清除" in text(gone)
    assert drop_kept_files() == 2
    assert not MapSample.objects.exists()
    assert not UploadPiece.objects.exists()


def test_other_failures_keep_no_file_and_offer_no_map(people: People) -> None:
    client = client_of(people.officer)
    file = SimpleUploadedFile("坏.csv", b"%PDF-1.7 ...", "text/csv")
    client.post("/department/upload", {"scope": SCOPE, "mode": "increment", "file": file})
    upload = Upload.objects.get()
    take_in_upload(upload.pk)
    assert not UploadPiece.objects.exists()
    assert "按列对照处理" not in text(client.get(f"/department/uploads/{upload.pk}"))


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"kind": "criminal_judgment"}, "请选择记录类型"),
        ({"sample": SimpleUploadedFile("a.docx", b"x")}, "不认识这种文件"),
        ({"sample": SimpleUploadedFile("a.csv", b"")}, "文件是空的"),
        ({"sample": SimpleUploadedFile("a.csv", b"%PDF-1.7 ...")}, "不是表格"),
    ],
)
def test_a_sample_that_is_none_is_refused_at_once(people: People, fields: dict[str, Any], told: str) -> None:
    refused = client_of(people.officer).post(NEW, {"kind": PENALTY, "sample": sample_file()} | fields)
    assert refused.status_code == 422
    assert told in text(refused)
    assert not MapSample.objects.exists()


def test_of_a_large_text_the_beginning_is_kept_and_a_large_workbook_is_refused(people: People) -> None:
    rows = [ROW | {"书号": f"苏水罚〔2026〕{n}号", "结果": "罚款" + "一" * 900} for n in range(1200)]
    client, editor = begin(people, *rows)
    assert len(bytes(MapSample.objects.get().content)) < 2 * 1024**2
    assert "前20行中，20行可以入账" in text(client.post(editor, form("preview")))
    workbook = SimpleUploadedFile("a.xlsx", b"PK\x03\x04" + b"0" * (20 * 1024**2))
    refused = client.post(NEW, {"kind": PENALTY, "sample": workbook})
    assert "超过20 MB" in text(refused)


def test_a_workbook_and_lines_of_json_are_samples_as_well(people: People) -> None:
    client, book = client_of(people.officer), io.BytesIO()
    with xlsxwriter.Workbook(book) as workbook:
        sheet = workbook.add_worksheet()
        sheet.write_row(0, 0, list(ROW))
        sheet.write_row(1, 0, list(ROW.values()))
    for name, data in (("a.xlsx", book.getvalue()), ("a.jsonl", json.dumps(ROW, ensure_ascii=False).encode())):
        sent = client.post(NEW, {"kind": PENALTY, "sample": SimpleUploadedFile(name, data)})
        page = text(client.post(sent.headers["Location"], form("preview")))
        assert "前1行中，1行可以入账" in page


def test_a_header_further_down_is_told_and_no_sample_stays(people: People) -> None:
    data = b"\xe6\xa0\x87\xe9\xa2\x98\n\n" + as_csv([OLD]).removeprefix(b"\xef\xbb\xbf")
    client = client_of(people.officer)
    file = SimpleUploadedFile("旧.csv", data, "text/csv")
    client.post("/department/upload", {"scope": SCOPE, "mode": "increment", "file": file})
    upload = Upload.objects.get()
    take_in_upload(upload.pk)
    told = text(client.post(f"/department/uploads/{upload.pk}/map", follow=True))
    assert "的表头在第3行" in told
    assert not MapSample.objects.exists()


def test_an_identity_number_is_neither_shown_nor_kept_in_a_map(people: People) -> None:
    number = "330502199001010019"
    client, editor = begin(people, ROW | {"证件号码": number, "干了什么": f"{number}超标排水"})
    assert number not in text(client.get(editor))
    assert number not in text(client.post(editor, form("preview")))
    assert "不得写证件号码" in text(client.post(editor, form("save", origin=f"经办 {number}")))


def test_maps_and_samples_are_the_unit_s_own(city: SmallCity, people: People) -> None:
    client, editor = begin(people)
    client.post(editor, form("save"))
    upload = failed_upload(people)
    _, other = begin(people)
    stranger = client_of(people.stranger)
    assert stranger.get("/department/maps/旧系统导出").status_code == 404
    assert "样本文件已经清除" in text(stranger.get(other, follow=True))
    assert stranger.post(f"/department/uploads/{upload.pk}/map").status_code == 403
    assert client_of(people.clean).get("/department/maps").status_code == 403
    assert Client().get("/department/maps").headers["Location"].startswith("/sign-in")


def test_the_forms_need_their_token(people: People) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(people.officer)
    assert client.post(NEW, {"kind": PENALTY, "sample": sample_file()}).status_code == 403
    assert not MapSample.objects.exists()


def test_a_map_that_is_gone_meanwhile_is_told_at_its_field(people: People) -> None:
    client = client_of(people.officer)
    refused = client.post(
        "/department/upload", {"scope": SCOPE, "mode": "increment", "map": "没有", "file": sample_file()}
    )
    assert refused.status_code == 422
    assert '<a href="#map">' in text(refused)
    assert f"没有列对照“没有”，可用的有：{SHIPPED}" in text(refused)


def test_the_pages_ask_a_bounded_number_of_questions(
    people: People, django_assert_max_num_queries: Callable[[int], object]
) -> None:
    client, editor = begin(people)
    client.get(editor)
    for address, most in ((editor, 12), ("/department/maps", 8), (f"/department/maps/{SHIPPED}", 8), (NEW, 21)):
        with django_assert_max_num_queries(most):  # type: ignore[attr-defined]
            client.get(address)

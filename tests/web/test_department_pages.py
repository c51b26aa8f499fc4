"""A department's pages: what needs doing, the sum of a batch, rows to correct, zero returns; only its own."""

import csv
import io
import re
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import override_settings
from python_calamine import CalamineWorkbook

from tests.small_city import PENALTY, SmallCity, today
from tests.web.conftest import People, client_of, water_rows
from xinzheng.apps.audit.models import AuditEvent
from xinzheng.apps.ledger.actions import BatchResult, CorrectedRow, submit_batch, submit_correction
from xinzheng.apps.ledger.models import CoverageStatement, RecordHead, Upload
from xinzheng.apps.ledger.queries import current_row

pytestmark = pytest.mark.django_db

SCOPE = f"water_affairs|{PENALTY}"


def zero_return(people: People, **changes: str) -> tuple[int, str]:
    fields = {"zero-scope": SCOPE, "zero-from": "2026-01-01", "zero-through": today().isoformat()} | changes
    response = client_of(people.officer).post("/department/zero", fields, follow=True)
    return response.status_code, response.content.decode()


def test_the_desk_of_a_unit_whose_data_is_complete_says_so(people: People) -> None:
    page = client_of(people.officer).get("/department").content.decode()
    assert "1项归集责任中，全部数据完整。" in page
    assert "还没有报送过" in page
    assert "row-unver" not in page


def test_rejected_lines_and_what_they_hold_back_stand_first(people: People, faulty_batch: BatchResult) -> None:
    page = client_of(people.officer).get("/department").content.decode()
    assert '<section class="answer answer-unver' in page
    assert "2行待改正" in page
    assert f'href="/department/batches/{faulty_batch.batch}#rows-h"' in page
    assert "要补" in page


def test_a_batch_is_shown_as_a_sum_that_accounts_for_every_line(people: People, faulty_batch: BatchResult) -> None:
    page = client_of(people.officer).get(f"/department/batches/{faulty_batch.batch}").content.decode()
    terms = {word: int(count) for word, count in re.findall(r"<dt>([^<]+)</dt><dd>([\d,]+)</dd>", page)}
    assert terms == {"读取": 8, "新增": 5, "变更": 0, "相同": 0, "退回": 2, "重复": 1}
    assert terms["读取"] == sum(count for word, count in terms.items() if word != "读取")


def test_a_correction_that_an_objection_led_to_is_called_one(people: People, city: SmallCity) -> None:
    city.submit(water_rows(city, 1), "water_affairs")
    row = current_row(RecordHead.objects.latest("record_id").record_id)
    changed = {**row.values, "procedure": "简易程序"}
    unit = city.unit("water_affairs")
    done = submit_correction(CorrectedRow(row.subject_id, row.domain, row.kind, unit, changed), by="test")
    client = client_of(people.officer)
    assert client.get("/department").content.decode().count("<small>异议更正</small>") == 1
    assert "异议更正" in client.get(f"/department/batches/{done.batch}").content.decode()


def test_each_row_to_correct_tells_line_field_value_and_remedy(people: People, faulty_batch: BatchResult) -> None:
    page = client_of(people.officer).get(f"/department/batches/{faulty_batch.batch}").content.decode()
    assert "2026-09-31" in page
    assert re.search(r'data-label="行">3</td>.*?处罚决定日期', page, re.DOTALL)
    assert re.search(r'data-label="行">5</td>.*?行政处罚决定书文号', page, re.DOTALL)


def test_rows_can_be_filtered_by_level_and_field(people: People, faulty_batch: BatchResult) -> None:
    client, address = client_of(people.officer), f"/department/batches/{faulty_batch.batch}"
    errors = client.get(address, {"severity": "error"}).content.decode()
    assert "<span>提醒</span>" not in errors
    dates = client.get(address, {"field": "处罚决定日期"}).content.decode()
    assert dates.count('data-label="行"') == 1
    assert "没有符合条件的行" in client.get(address, {"field": "没有这个字段"}).content.decode()


def test_the_rows_to_correct_can_be_downloaded_with_their_original_columns(
    people: People, faulty_batch: BatchResult
) -> None:
    response = client_of(people.officer).get(f"/department/batches/{faulty_batch.batch}/defects.csv")
    assert response.headers["Content-Type"].startswith("text/csv")
    assert "attachment" in response.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(response.getvalue().decode("utf-8-sig"))))
    assert "2026-09-31" in {row["处罚决定日期"] for row in rows}
    assert "行政相对人名称" in rows[0]


def test_the_file_as_delivered_can_be_downloaded_by_its_unit_alone(
    city: SmallCity, people: People, tmp_path: Path
) -> None:
    delivery = replace(city.delivery(water_rows(city), "water_affairs"), file_name='十一月 "行政处罚".csv')
    result = submit_batch(delivery, by="test")
    address = f"/department/batches/{result.batch}"
    response = client_of(people.officer).get(f"{address}/file")
    assert response.getvalue() == delivery.file.read_bytes()
    assert response.headers["Content-Type"].startswith("text/csv")
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Cache-Control"] == "private, no-store"
    assert response.headers["Content-Disposition"] == f"attachment; filename*=utf-8''{quote(delivery.file_name)}"
    event = AuditEvent.objects.get(action="raw-file-fetched")
    assert (event.who, event.object_id) == (people.officer.actor, str(result.batch))
    page = client_of(people.officer).get(address).content.decode()
    assert sha256(delivery.file.read_bytes()).hexdigest() in page
    assert client_of(people.stranger).get(f"{address}/file").status_code == 403
    assert client_of(people.office).get(f"{address}/file").status_code == 403
    assert AuditEvent.objects.filter(action="raw-file-fetched").count() == 1


def test_the_responsible_officer_may_explain_a_line_and_the_officer_may_not(
    people: People, faulty_batch: BatchResult
) -> None:
    address = f"/department/batches/{faulty_batch.batch}"
    explained = {"line": "3", "reason": "该决定已经撤销，不再报送。"}
    assert "explain-h" not in client_of(people.officer).get(address).content.decode()
    assert client_of(people.officer).post(f"{address}/explain", explained).status_code == 403
    page = client_of(people.chief).post(f"{address}/explain", explained, follow=True).content.decode()
    assert "第3行的说明已记录" in page
    assert "1行退回，等待改正" in page
    assert "第3行：该决定已经撤销，不再报送。" in page


def test_an_explanation_without_a_reason_is_not_kept(people: People, faulty_batch: BatchResult) -> None:
    address = f"/department/batches/{faulty_batch.batch}"
    page = client_of(people.chief).post(f"{address}/explain", {"line": "3", "reason": " "}, follow=True)
    assert "请写明行号和说明" in page.content.decode()
    assert "2行退回" in page.content.decode()


def test_a_zero_return_is_recorded_and_said_back(people: People) -> None:
    status, page = zero_return(people)
    assert status == 200
    assert "零报告已记录：水务，行政处罚" in page
    assert CoverageStatement.objects.latest("id").is_zero


def test_where_records_stand_in_the_period_it_is_a_statement_and_no_zero_return(
    city: SmallCity, people: People
) -> None:
    city.submit(water_rows(city), "water_affairs")
    _, page = zero_return(people)
    assert "覆盖声明已记录" in page
    assert not CoverageStatement.objects.latest("id").is_zero


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"zero-scope": "taxation|administrative_penalty"}, "请选择领域和数据种类"),
        ({"zero-from": ""}, "起始日期没有填对"),
        ({"zero-through": "2026-13-01"}, "截止日期没有填对"),
        ({"zero-from": "2026-06-01", "zero-through": "2026-05-01"}, "起始日期晚于截止日期"),
        ({"zero-through": "9999-12-31"}, "晚于今天"),
    ],
)
def test_a_zero_return_with_a_mistake_is_not_recorded(people: People, changes: dict[str, str], message: str) -> None:
    before = CoverageStatement.objects.count()
    status, page = zero_return(people, **changes)
    assert status == 422
    assert message in page
    assert "没有提交" in page
    assert CoverageStatement.objects.count() == before


def test_a_unit_sees_only_its_own_batches_and_guessed_ones_are_not_found(
    people: People, faulty_batch: BatchResult
) -> None:
    for page in (f"/department/batches/{faulty_batch.batch}", f"/department/batches/{faulty_batch.batch}/defects.csv"):
        assert client_of(people.stranger).get(page).status_code == 403
        assert client_of(people.clean).get(page).status_code == 403
    assert client_of(people.officer).get("/department/batches/999999999").status_code == 404


def test_the_desk_is_closed_to_subjects(people: People) -> None:
    response = client_of(people.clean).get("/department")
    assert response.status_code == 403
    assert "只有数源单位" in response.content.decode()


def test_the_desk_and_a_batch_ask_a_bounded_number_of_questions(
    people: People, faulty_batch: BatchResult, django_assert_max_num_queries: Callable[[int], object]
) -> None:
    client = client_of(people.officer)
    client.get("/department")
    with django_assert_max_num_queries(31):  # type: ignore[attr-defined]
        client.get("/department")
    with django_assert_max_num_queries(13):  # type: ignore[attr-defined]
        client.get(f"/department/batches/{faulty_batch.batch}")


def upload(people: People, data: bytes, **changes: str) -> HttpResponse:
    file = SimpleUploadedFile(changes.pop("name", "行政处罚.csv"), data, "text/csv")
    fields = {"scope": SCOPE, "from": "2026-01-01", "through": today().isoformat(), "mode": "increment"} | changes
    response: HttpResponse = client_of(people.officer).post("/department/upload", {**fields, "file": file})
    return response


@pytest.mark.parametrize(
    ("changes", "field", "message"),
    [
        ({"scope": "taxation|administrative_penalty"}, "scope", "请选择领域和数据种类"),
        ({"from": ""}, "from", "起始日期没有填对"),
        ({"from": "2026-06-01", "through": "2026-05-01"}, "from", "起始日期晚于截止日期"),
        ({"through": "9999-12-31"}, "through", "晚于今天"),
        ({"name": "penalties.docx"}, "file", "不认识这种文件"),
    ],
)
def test_a_delivery_with_a_mistake_is_refused_at_once_and_says_where(
    people: People, changes: dict[str, str], field: str, message: str
) -> None:
    response = upload(people, b"x", **changes)
    page = response.content.decode()
    assert response.status_code == 422
    assert message in page
    assert f'<a href="#{field}">' in page
    assert f'id="{field}-error"' in page
    assert not Upload.objects.exists()


def test_an_empty_file_and_one_that_is_too_large_are_refused(people: People) -> None:
    assert "文件是空的" in upload(people, b"").content.decode()
    with override_settings(XINZHENG_BATCH_MAX_BYTES=1024 * 1024):
        assert "文件超过1 MB" in upload(people, b"x" * (1024 * 1024 + 1)).content.decode()
    assert not Upload.objects.exists()


def test_a_delivery_is_queued_and_its_progress_asks_again_until_it_is_settled(people: People) -> None:
    response = upload(people, b"a,b\n1,2\n")
    queued = Upload.objects.get()
    assert response.headers["Location"] == f"/department/uploads/{queued.pk}"
    client = client_of(people.officer)
    page = client.get(f"/department/uploads/{queued.pk}").content.decode()
    assert f'hx-get="/department/uploads/{queued.pk}?follow=1" hx-trigger="every 1s"' in page
    assert '<noscript><meta http-equiv="refresh"' in page
    Upload.objects.update(state="failed", message="表头认不出来。")
    page = client.get(f"/department/uploads/{queued.pk}").content.decode()
    assert "表头认不出来。" in page
    assert "hx-trigger" not in page
    assert "http-equiv" not in page


def test_a_settled_upload_leads_to_its_batch_and_stays_where_it_is_on_the_desk(
    people: People, faulty_batch: BatchResult
) -> None:
    upload(people, b"a,b\n1,2\n")
    Upload.objects.update(state="done", batch_id=faulty_batch.batch, lines_done=8, lines_total=8)
    client, address = client_of(people.officer), f"/department/uploads/{Upload.objects.get().pk}"
    part = {"HX-Request": "true"}
    assert client.get(address).headers["Location"] == f"/department/batches/{faulty_batch.batch}"
    assert client.get(f"{address}?follow=1", headers=part).headers["HX-Redirect"].endswith(str(faulty_batch.batch))
    assert f'href="/department/batches/{faulty_batch.batch}"' in client.get(address, headers=part).content.decode()


def test_an_upload_is_shown_to_its_own_unit_only(people: People) -> None:
    upload(people, b"a,b\n1,2\n")
    address = f"/department/uploads/{Upload.objects.get().pk}"
    assert client_of(people.stranger).get(address).status_code == 403
    assert client_of(people.clean).get(address).status_code == 403
    assert client_of(people.officer).get("/department/uploads/999999").status_code == 404


def test_the_template_of_a_kind_can_be_downloaded_and_of_no_other(people: People) -> None:
    client = client_of(people.officer)
    assert f"/department/templates/{PENALTY}.xlsx" in client.get("/department").content.decode()
    response = client.get(f"/department/templates/{PENALTY}.xlsx")
    first_sheet = CalamineWorkbook.from_filelike(io.BytesIO(response.content)).get_sheet_by_index(0).to_python()
    assert "行政处罚决定书文号" in first_sheet[0]
    assert client.get("/department/templates/sorcery.xlsx").status_code == 404

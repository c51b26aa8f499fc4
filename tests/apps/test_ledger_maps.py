"""Column maps: a delivery is read by the one it names, its batch remembers the version, and a unit's own has bounds."""

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import DatabaseError, connection, transaction

from tests.small_city import BY, PENALTY, SmallCity, build_small_city, uscc
from xinzheng.adapters.tabular import TabularError
from xinzheng.apps.audit.models import AuditEvent
from xinzheng.apps.ledger.actions import (
    Delivery,
    confirm_batch,
    fetch_defects_file,
    queue_upload,
    retire_column_map,
    save_column_map,
    submit_batch,
)
from xinzheng.apps.ledger.errors import IntakeError
from xinzheng.apps.ledger.map_models import StoredMap
from xinzheng.apps.ledger.models import Batch, RecordVersion, Upload
from xinzheng.apps.ledger.queries import batch_map_name, column_map, column_map_versions, column_maps_of
from xinzheng.apps.ledger.reading import Reading, read_stretches, reading_of
from xinzheng.apps.ledger.uploads import take_in_upload
from xinzheng.apps.registry.queries import unit_by_uscc
from xinzheng.core.floors import Floors

SHIPPED = "双公示2016"
OWN = "老系统导出"
# Headings of a source of its own: nothing of it is recognised without a map.
SOURCE_ROW = {
    "企业": "苏州示例精密制造有限公司", "信用号": uscc(1), "书号": "苏税罚〔2026〕1号", "做了什么": "少缴税款",
    "种类": "罚款", "结果": "罚款1万元", "日子": "2026-01-05", "程序码": "1", "情况": "有",
}  # fmt: skip
CONTENT: dict[str, Any] = {
    "name": OWN,
    "kind": PENALTY,
    "origin": "税务旧系统",
    "columns": [
        {"heading": "企业", "field": "subject_name", "meaning": ""},
        {"heading": "信用号", "field": "subject_uscc", "meaning": ""},
        {"heading": "书号", "field": "document_number", "meaning": ""},
        {"heading": "做了什么", "field": "facts", "meaning": ""},
        {"heading": "种类", "field": "category", "meaning": ""},
        {"heading": "结果", "field": "content", "meaning": ""},
        {"heading": "日子", "field": "decision_date", "meaning": ""},
        {"heading": "程序码", "field": "procedure", "meaning": ""},
        {"heading": "情况", "field": "remark", "meaning": ""},
    ],
    "words": {"procedure": {"1": "普通程序", "2": "简易程序"}},
    "constants": {"organ_name": "市税务局"},
    "waived": [
        "subject_class", "violation", "basis", "validity_date", "organ_code", "source_name", "source_code",
    ],
}  # fmt: skip


@pytest.fixture
def city(db: None, tmp_path: Path) -> SmallCity:
    return build_small_city(tmp_path, units_per_domain=1)


def unit_id(city: SmallCity, domain: str = "taxation") -> int:
    unit = unit_by_uscc(city.unit(domain))
    assert unit is not None
    return unit.id


def named(city: SmallCity, name: str, *rows: Mapping[str, str]) -> Delivery:
    """Rows of the source, delivered by a map."""
    return replace(city.delivery([dict(row) for row in rows or (SOURCE_ROW,)]), map_name=name)


def save(city: SmallCity, **changes: Any) -> StoredMap:
    return save_column_map(unit_id=unit_id(city), content=CONTENT | changes, by=BY)


def changed_words(city: SmallCity) -> StoredMap:
    return save(city, words={"procedure": {"1": "简易程序"}})


def test_a_delivery_is_read_by_the_unit_s_own_map_and_refused_without(city: SmallCity) -> None:
    save(city)
    result = submit_batch(named(city, OWN), by=BY)
    assert (result.lines, result.new, result.rejected) == (1, 1, 0)
    version = RecordVersion.objects.get(batch_id=result.batch)
    content = json.loads(version.payload)
    assert (version.procedure, version.decision_date, version.organ_name) == ("ordinary", date(2026, 1, 5), "市税务局")
    assert (content["facts"], content["remark"]) == ("少缴税款", "有")
    with pytest.raises(TabularError) as raised:
        submit_batch(replace(named(city, OWN), map_name=None), by=BY)
    assert raised.value.code == "header-missing"


def test_a_shipped_map_is_kept_when_it_is_first_used_and_only_then(city: SmallCity) -> None:
    row = {
        "CF_WSH": "苏税罚〔2016〕1号", "CF_CFMC": "偷税案", "CF_CFLB1": "罚款", "CF_SY": "少缴", "CF_YJ": "税法",
        "CF_XDR_MC": "苏州示例", "CF_XDR_SHXYM": uscc(1), "CF_JG": "罚款", "CF_JDRQ": "2016/4/1", "CF_XZJG": "市税务局",
        "CF_ZT": "0",
    }  # fmt: skip
    first = submit_batch(named(city, SHIPPED, row), by=BY)
    again = submit_batch(named(city, SHIPPED, row | {"CF_WSH": "苏税罚〔2016〕2号"}), by=BY)
    assert (first.new, again.new) == (1, 1)
    kept = StoredMap.objects.get()
    assert (kept.unit_id, kept.name) == (None, SHIPPED)
    assert batch_map_name(first.batch) == batch_map_name(again.batch) == SHIPPED
    plain = city.submit([city.penalty(uscc(2))])
    assert batch_map_name(plain.batch) is None


def test_a_batch_is_read_again_by_the_version_it_was_read_by(city: SmallCity) -> None:
    save(city)
    delivery = named(city, OWN)
    batch_id = submit_batch(delivery, by=BY).batch
    changed_words(city)
    retire_column_map(unit_id=unit_id(city), name=OWN, by=BY)
    batch = Batch.objects.get(pk=batch_id)
    (stretch,) = read_stretches(delivery.file, reading_of(batch))
    assert stretch.frame["procedure"].to_list() == ["ordinary"]


def test_the_lines_to_correct_are_written_by_the_map_with_the_source_s_own_columns(city: SmallCity) -> None:
    save(city)
    batch_id = submit_batch(named(city, OWN, SOURCE_ROW, SOURCE_ROW | {"书号": ""}), by=BY).batch
    retire_column_map(unit_id=unit_id(city), name=OWN, by=BY)
    with fetch_defects_file(batch_id=batch_id, by=BY) as file:
        rows = list(csv.DictReader(io.StringIO(file.read().decode("utf-8-sig"))))
    assert rows[-1].keys() >= SOURCE_ROW.keys()
    assert "“书号”：为空" in rows[-1]["问题"]


def test_a_held_batch_is_booked_by_the_version_it_came_with(city: SmallCity, settings: LazySettings) -> None:
    save(city)
    settings.XINZHENG_FLOORS = Floors(least_history=2, far_times=3, far_lines=3)
    for number in "ab":
        submit_batch(named(city, OWN, SOURCE_ROW | {"书号": number}), by=BY)
    rows = [SOURCE_ROW | {"书号": f"{number}号"} for number in range(8)]
    held = submit_batch(named(city, OWN, *rows), by=BY)
    assert held.held
    changed_words(city)
    booked = confirm_batch(batch_id=held.batch, by="second-officer")
    assert booked.new == 8
    assert set(RecordVersion.objects.filter(batch_id=booked.batch).values_list("procedure", flat=True)) == {"ordinary"}
    assert batch_map_name(booked.batch) == OWN


def test_an_upload_keeps_the_version_it_was_queued_with(city: SmallCity) -> None:
    save(city)
    upload = queue_upload(named(city, OWN), by=BY)
    changed_words(city)
    result = take_in_upload(upload.pk)
    assert result is not None
    assert RecordVersion.objects.get(batch_id=result.batch).procedure == "ordinary"


def test_a_map_of_another_kind_and_one_that_is_not_there_are_refused_before_anything_is_kept(city: SmallCity) -> None:
    save(city)
    content = CONTENT | {"name": "修复", "kind": "credit_repair", "words": {}, "waived": []}
    content["columns"] = [{"heading": "企业", "field": "subject_name", "meaning": ""}]
    save_column_map(unit_id=unit_id(city), content=content, by=BY)
    with pytest.raises(IntakeError, match=OWN) as unknown:
        queue_upload(named(city, "没有这个"), by=BY)
    with pytest.raises(IntakeError, match=SHIPPED) as other:
        queue_upload(named(city, "修复"), by=BY)
    assert (unknown.value.code, other.value.code) == ("map-unknown", "map-of-other-kind")
    assert not Upload.objects.exists()


def test_another_unit_s_map_is_not_there(city: SmallCity) -> None:
    save(city)
    assert [summary.name for summary in column_maps_of(unit_id(city, "water_affairs"))] == [SHIPPED]
    assert [summary.name for summary in column_maps_of(unit_id(city))] == [SHIPPED, OWN]
    assert [summary.name for summary in column_maps_of(unit_id(city), "credit_repair")] == []


def test_each_saving_is_a_version_and_an_unchanged_one_is_not(city: SmallCity) -> None:
    first = save(city)
    assert save(city).pk == first.pk
    second = changed_words(city)
    assert [stored.pk for stored in column_map_versions(unit_id(city), OWN)] == [second.pk, first.pk]
    assert column_map(unit_id(city), OWN).version == second.pk
    assert AuditEvent.objects.filter(action="column-map-saved").count() == 2


def test_a_retired_map_is_gone_from_the_list_its_history_is_not_and_it_can_come_back(city: SmallCity) -> None:
    save(city)
    retire_column_map(unit_id=unit_id(city), name=OWN, by=BY)
    assert [summary.name for summary in column_maps_of(unit_id(city))] == [SHIPPED]
    assert len(column_map_versions(unit_id(city), OWN)) == 2
    with pytest.raises(IntakeError) as raised:
        retire_column_map(unit_id=unit_id(city), name=OWN, by=BY)
    assert raised.value.code == "map-unknown"
    save(city)
    assert column_map(unit_id(city), OWN).name == OWN


def test_a_shipped_map_can_be_neither_retired_nor_replaced(city: SmallCity) -> None:
    with pytest.raises(IntakeError) as retired:
        retire_column_map(unit_id=unit_id(city), name=SHIPPED, by=BY)
    assert retired.value.code == "map-shipped"
    with pytest.raises(TabularError, match="系统自带"):
        save(city, name=SHIPPED)


def test_versions_are_history(city: SmallCity) -> None:
    saved = save(city)
    for change in ("UPDATE ledger_storedmap SET name = 'x'", "DELETE FROM ledger_storedmap"):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(change)
    assert StoredMap.objects.get().pk == saved.pk


DECIDING = ("subject_name", "subject_uscc", "identity_number", "document_number", "decision_date", "organ_name",
            "category", "content", "kind", "domain")  # fmt: skip


@pytest.mark.parametrize("field", DECIDING)
def test_what_decides_cannot_be_waived(city: SmallCity, field: str) -> None:
    with pytest.raises(TabularError, match="不能免填") as raised:
        save(city, waived=[field])
    assert raised.value.code == "map-refused"
    assert not StoredMap.objects.exists()


@pytest.mark.parametrize(
    "field",
    ["subject_name", "subject_uscc", "document_number", "decision_date", "served_date", "category", "content",
     "procedure", "outcome", "standing", "standing_date", "repaired_date", "sealed", "kind", "domain"],
)  # fmt: skip
def test_what_decides_cannot_be_written_into_the_map_instead_of_the_file(city: SmallCity, field: str) -> None:
    with pytest.raises(TabularError, match="不能写成固定值"):
        save(city, constants={field: "是"})


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"words": {"procedure": {"普通程序": "简易程序"}}}, "本来就认得"),
        ({"words": {"standing": {"有效": "撤销"}}}, "本来就认得"),
        ({"words": {"category": {"罚款": "警告"}}}, "本来就认得"),
        ({"words": {"category": {"罚没": "不予处罚"}}}, "没有“不予处罚”这种取值"),
        ({"words": {"procedure": {"1": "随便"}}}, "没有“随便”这种取值"),
        ({"words": {"document_number": {"1": "2"}}}, "不能翻译取值"),
        ({"words": {"kind": {"1": "信用修复"}}}, "不能翻译取值"),
        ({"columns": [{"heading": "类", "field": "kind", "meaning": ""}]}, "在报送时选定"),
        ({"columns": [{"heading": "处罚决定日期", "field": "remark", "meaning": ""}]}, "是标准列名"),
        ({"columns": [{"heading": n, "field": "document_number", "meaning": ""} for n in "甲乙"]}, "只能取自一列"),
        ({"name": ""}, "名称"),
        ({"name": "甲/乙"}, "斜线"),
        ({"origin": "经办人 110101199003074477"}, "证件号码"),
    ],
)  # fmt: skip
def test_a_map_says_where_things_stand_and_never_what_they_mean(
    city: SmallCity, changes: dict[str, Any], told: str
) -> None:
    with pytest.raises(TabularError, match=told):
        save(city, **changes)


def test_a_map_may_join_columns_of_free_text(city: SmallCity) -> None:
    columns = [*CONTENT["columns"], {"heading": "种类二", "field": "category", "meaning": ""}]
    save(city, columns=columns)
    result = submit_batch(named(city, OWN, SOURCE_ROW | {"种类二": "警告"}), by=BY)
    payload = json.loads(RecordVersion.objects.get(batch_id=result.batch).payload)
    assert payload["category"] == "罚款;警告"


def test_a_row_without_what_decides_is_rejected_whatever_the_map_says(city: SmallCity) -> None:
    save(city)
    rows = [
        SOURCE_ROW | {"书号": ""},
        SOURCE_ROW | {"日子": ""},
        SOURCE_ROW | {"信用号": ""},
        SOURCE_ROW | {"企业": ""},
    ]
    result = submit_batch(named(city, OWN, *rows), by=BY)
    assert (result.lines, result.rejected) == (4, 4)


def test_reading_without_a_map_is_as_it_was(city: SmallCity) -> None:
    delivery = city.delivery([city.penalty(uscc(1))])
    (stretch,) = read_stretches(delivery.file, Reading(PENALTY, "taxation", date(2026, 11, 1), "a.csv"))
    assert stretch.frame["status"].to_list() == ["ok"]

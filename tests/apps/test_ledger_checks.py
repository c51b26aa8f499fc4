"""Every check that issue 3 names works where files are taken in: each is proved through a delivery to the ledger."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from tests.small_city import BY, SmallCity, build_small_city, today, uscc
from tests.tabular_rows import PERSON
from xinzheng.apps.audit.actions import open_entry, take_position
from xinzheng.apps.ledger.models import RecordVersion
from xinzheng.apps.ledger.queries import batch_defects
from xinzheng.apps.registry.models import Unit, UnitVersion
from xinzheng.core.identifiers import identity_check_character

CODE = "行政相对人代码_1(统一社会信用代码)"
ORGAN, ORGAN_CODE = "处罚机关", "处罚机关统一社会信用代码"
SOURCE, SOURCE_CODE = "数据来源单位", "数据来源单位统一社会信用代码"
NUMBER = "行政处罚决定书文号"
REQUIRED = (
    "行政相对人名称", NUMBER, "违法行为类型", "违法事实", "处罚依据", "处罚类别", "处罚内容", "处罚决定日期",
    "处罚有效期", ORGAN, ORGAN_CODE, SOURCE, SOURCE_CODE,
)  # fmt: skip
FIRM = "苏州示例精密制造有限公司"
ABROAD = uscc(5, "11330500")
OLD_OFFICE = uscc(6, "11320500")


@pytest.fixture
def city(db: None, tmp_path: Path) -> SmallCity:
    city = build_small_city(tmp_path, units_per_domain=1)
    city.firm(uscc(1), 曾用名="苏州旧称（集团）有限公司")
    return city


# Published for a day longer than minor violations may be.
SHORTLY = {"处罚决定日期": "2026-04-01", "公示截止期": "2026-07-02"}


def misread(code: str, place: int) -> str:
    """The code with one place wrong, counted from nought."""
    other = "1" if code[place] != "1" else "2"
    return code[:place] + other + code[place:][1:]


def told(city: SmallCity, *rows: dict[str, str]) -> list[tuple[str, str]]:
    """Code and severity of all that the ledger keeps against the rows, once each."""
    found = batch_defects(city.submit(list(rows)).batch)
    return list(dict.fromkeys((defect.code, defect.severity) for defect in found))


def a_day(days_ago: int) -> str:
    return (today() - timedelta(days=days_ago)).isoformat()


def test_nothing_is_held_against_a_sound_row(city: SmallCity) -> None:
    assert told(city, city.penalty(uscc(1))) == []


@pytest.mark.parametrize("column", REQUIRED)
@pytest.mark.parametrize("empty", ["", "— —", "无", "/"])
def test_a_required_field_that_is_empty_or_only_marked_empty_rejects_its_row(
    city: SmallCity, column: str, empty: str
) -> None:
    assert ("required", "error") in told(city, city.penalty(uscc(1), **{column: empty}))


@pytest.mark.parametrize(("changes", "code"), [
    ({CODE: ""}, "required"),
    ({CODE: misread(uscc(1), 16)}, "uscc-organisation-check"),
    ({CODE: misread(uscc(1), 17)}, "uscc-check"),
    ({ORGAN_CODE: misread(OLD_OFFICE, 17)}, "uscc-check"),
    ({CODE: "", "行政相对人类别": "自然人", "证件号码": misread(PERSON, 17)}, "identity-check"),
    ({CODE: "", "行政相对人类别": "自然人", "证件号码": "330502199002300100"}, "identity-birth-date"),
    ({"处罚决定日期": "2026-02-30"}, "date-impossible"),
    ({"处罚决定日期": "2026-02"}, "date-month-only"),
    ({"处罚决定日期": a_day(-1)}, "date-in-future"),
    ({"处罚决定日期": a_day(10), "处罚有效期": a_day(11)}, "validity-before-decision"),
    ({"罚款金额(万元)": "-1"}, "amount-negative"),
    ({"罚款金额(万元)": "0.1234567"}, "amount-too-precise"),
    ({"罚款金额(万元)": "1万元"}, "amount-unreadable"),
])  # fmt: skip
def test_a_row_that_cannot_be_right_is_rejected(city: SmallCity, changes: dict[str, str], code: str) -> None:
    found = told(city, city.penalty(uscc(1), **changes))
    assert (code, "error") in found
    assert not RecordVersion.objects.exists()


@pytest.mark.parametrize(("changes", "code"), [
    ({CODE: uscc(2, "91999999")}, "uscc-division-unknown"),
    ({ORGAN_CODE: uscc(2, "11320999")}, "organ-division-unknown"),
    ({"行政相对人类别": "个体工商户"}, "class-against-code"),
    ({CODE: uscc(2, "92320500")}, "class-against-code"),
    ({"处罚决定日期": "2025-06-01", "公示截止期": "2028-06-02"}, "publication-too-long"),
    (SHORTLY | {"程序": "简易程序"}, "publication-too-long"),
    (SHORTLY | {"处罚类别": "警告"}, "publication-too-long"),
    (SHORTLY | {"处罚类别": "其他-警告;通报批评"}, "publication-too-long"),
    ({"处罚决定日期": a_day(10), "公示截止期": a_day(11)}, "publication-before-decision"),
    ({"罚款金额(万元)": ""}, "fine-missing"),
    ({"处罚类别": "没收违法所得"}, "confiscation-missing"),
    ({"处罚类别": "吊销许可证件"}, "licence-missing"),
    ({"罚款金额(万元)": "200000"}, "amount-absurd"),
    ({"罚款金额(万元)": "10000", "处罚内容": "罚款10000元"}, "fine-differs"),
    ({"处罚类别": "其他", "处罚内容": "不予行政处罚。", "处理结果": "", "罚款金额(万元)": ""}, "not-penalised-in-feed"),
    ({"处罚内容": "违法事实不能成立。", "处理结果": ""}, "outcome-conflict"),
    ({ORGAN: "苏州市中级人民法院", ORGAN_CODE: uscc(3, "11320500")}, "organ-not-administrative"),
    ({ORGAN: "湖州市某局", ORGAN_CODE: ABROAD}, "organ-elsewhere"),
    ({SOURCE: "湖州市某局", SOURCE_CODE: ABROAD}, "source-not-answering"),
    ({"行政相对人名称": "苏州别家有限公司"}, "name-against-register"),
    ({"行政相对人名称": "苏州示例精密"}, "name-cut-short"),
])  # fmt: skip
def test_a_doubtful_row_is_kept_and_told_of_once(city: SmallCity, changes: dict[str, str], code: str) -> None:
    found = told(city, city.penalty(uscc(1), **changes))
    assert (code, "warning") in found
    assert RecordVersion.objects.count() == 1


@pytest.mark.parametrize("category", ["警告;罚款", "罚款"])
def test_a_penalty_that_is_more_than_a_warning_may_be_published_longer(city: SmallCity, category: str) -> None:
    row = city.penalty(uscc(1), 处罚类别=category, **SHORTLY)
    assert told(city, row) == []


@pytest.mark.parametrize("prefix", ["N2320500", "A1320500", "Y1320500"])
def test_codes_of_collectives_and_other_registrars_are_accepted(city: SmallCity, prefix: str) -> None:
    assert told(city, city.penalty(uscc(4, prefix))) == []
    assert RecordVersion.objects.count() == 1


def test_a_natural_person_with_a_right_number_is_accepted(city: SmallCity) -> None:
    assert told(city, city.penalty("", 行政相对人名称="某甲", 行政相对人类别="自然人", 证件号码=PERSON)) == []


def test_a_decision_not_to_punish_is_recorded_as_such_and_never_for_its_amount(city: SmallCity) -> None:
    unpunished = {"处罚类别": "其他", "处罚内容": "不予行政处罚。", "处理结果": ""}
    rows = [
        city.penalty(uscc(1), "1号", **unpunished),
        city.penalty(uscc(1), "2号", **unpunished | {"处罚内容": "责令改正"}, **{"罚款金额(万元)": "0"}),
    ]
    city.submit(rows)
    assert dict(RecordVersion.objects.values_list("document_key", "outcome")) == {"1号": "not_penalised", "2号": None}


def test_a_document_number_is_compared_without_its_brackets_and_width_and_kept_as_written(city: SmallCity) -> None:
    result = city.submit([city.penalty(uscc(1), "苏税罚〔2026〕9号"), city.penalty(uscc(1), "苏税罚[2026] ９号")])
    assert (result.new, result.duplicate) == (1, 1)
    version = RecordVersion.objects.get()
    assert version.document_key == "苏税罚〔2026〕9号"
    assert '"document_number":"苏税罚[2026] ９号"' in version.payload


def test_a_line_repeated_in_a_delivery_is_told_which_line_wins(city: SmallCity) -> None:
    result = city.submit([city.penalty(uscc(1)), city.penalty(uscc(1))])
    (note,) = batch_defects(result.batch)
    assert (note.line, note.code, note.severity) == (2, "duplicate-line", "warning")
    assert "第3行" in note.message


@pytest.mark.parametrize(
    "written", [FIRM, "苏州 示例精密制造有限公司", "苏州旧称(集团)有限公司", "苏州旧称（集团）有限公司"]
)
def test_a_name_is_compared_as_names_are_and_former_names_count(city: SmallCity, written: str) -> None:
    assert told(city, city.penalty(uscc(1), 行政相对人名称=written)) == []


def test_a_name_no_longer_in_use_since_an_import_counts_as_well(city: SmallCity) -> None:
    city.firm(uscc(1), "苏州新名有限公司")
    rows = [
        city.penalty(uscc(1), f"{n}号", 行政相对人名称=name)
        for n, name in enumerate([FIRM, "苏州新名有限公司", "别家"])
    ]
    found = batch_defects(city.submit(rows).batch)
    misnamed = [d for d in found if d.code != "near-duplicate"]
    assert [(d.line, d.code, d.value) for d in misnamed] == [(4, "name-against-register", "别家")]
    assert misnamed[0].message.startswith("“行政相对人名称”：写的是“别家”")


def test_whom_the_register_does_not_know_cannot_be_called_by_a_wrong_name(city: SmallCity) -> None:
    assert told(city, city.penalty(uscc(8), 行政相对人名称="甲公司")) == []
    assert told(city, city.penalty(uscc(8), "2号", 行政相对人名称="乙公司")) == []


def test_the_name_of_a_natural_person_is_neither_compared_nor_shown(city: SmallCity) -> None:
    first = {"行政相对人类别": "自然人", "证件号码": PERSON}
    city.submit([city.penalty("", 行政相对人名称="某甲", **first)])
    assert told(city, city.penalty("", "2号", 行政相对人名称="某乙", **first)) == []


def test_an_identity_number_written_as_a_name_is_not_repeated(city: SmallCity) -> None:
    number = "32050219900101001" + identity_check_character("32050219900101001")
    found = batch_defects(city.submit([city.penalty(uscc(1), 行政相对人名称=f"某甲{number}")]).batch)
    assert [d.code for d in found] == ["name-against-register"]
    assert number not in found[0].message + str(found[0].value)


def office(name: str, code: str, **more: object) -> None:
    """Register a unit, or a newer version of it."""
    entry = open_entry(kind="test", by=BY)
    unit, _ = Unit.objects.get_or_create(uscc=code)
    facts = {"name": name, "short_name": name, "jurisdiction": "320500", "division": "320500"} | more
    UnitVersion.objects.create(entry=entry, unit=unit, **facts)
    take_position(entry)


@pytest.mark.parametrize(("decided", "is_told"), [("2025-05-31", False), ("2025-06-01", False), ("2025-06-02", True)])
def test_a_decision_of_an_office_after_it_was_abolished_is_told(city: SmallCity, decided: str, is_told: bool) -> None:
    office("苏州市旧粮食局", OLD_OFFICE, abolished_date=date(2025, 6, 1))
    row = city.penalty(uscc(1), **{ORGAN: "苏州市旧粮食局", ORGAN_CODE: OLD_OFFICE, "处罚决定日期": decided})
    assert told(city, row) == ([("organ-abolished", "warning")] if is_told else [])


def test_an_abolished_office_is_known_by_its_name_where_the_row_gives_no_code(city: SmallCity) -> None:
    office("苏州市旧粮食局", OLD_OFFICE, abolished_date=date(2025, 6, 1))
    row = {"主体名称": FIRM, "统一社会信用代码": uscc(1), "原处罚决定书文号": "1号", "原处罚机关": "苏州市旧粮食局",
           "修复日期": a_day(3), "原处罚决定日期": ""}  # fmt: skip
    rows = [row | {"原处罚决定日期": day, "原处罚决定书文号": day} for day in ("2025-05-01", "2025-07-01")]
    found = batch_defects(city.submit_kind(rows, "credit_repair", "credit_repair").batch)
    assert [(d.line, d.code, d.field) for d in found] == [(3, "organ-abolished", "原处罚机关统一社会信用代码")]


def test_an_office_standing_again_is_not_abolished(city: SmallCity) -> None:
    office("苏州市旧粮食局", OLD_OFFICE, abolished_date=date(2025, 6, 1))
    office("苏州市旧粮食局", OLD_OFFICE)
    assert told(city, city.penalty(uscc(1), **{ORGAN: "苏州市旧粮食局", ORGAN_CODE: OLD_OFFICE})) == []


def test_a_deciding_organ_need_not_be_the_source(city: SmallCity) -> None:
    row = city.penalty(uscc(1), **{ORGAN: "昆山市某局", ORGAN_CODE: uscc(9, "11320583")})
    assert told(city, row) == []


def test_a_source_that_gives_no_code_is_known_by_every_name_it_ever_had(city: SmallCity) -> None:
    unit = UnitVersion.objects.get(unit__uscc=city.unit("credit_repair"))
    office("苏州市新发改委", unit.unit.uscc)
    row = {"主体名称": FIRM, "统一社会信用代码": uscc(1), "原处罚机关": "市税务局", "修复日期": a_day(3)}
    names = (unit.name, unit.short_name, "苏州市新发改委", "", "某局")
    rows = [row | {"原处罚决定书文号": f"{n}号", SOURCE: name} for n, name in enumerate(names)]
    found = batch_defects(city.submit_kind(rows, "credit_repair", "credit_repair").batch)
    assert [(d.line, d.code, d.field) for d in found] == [(6, "source-not-answering", SOURCE_CODE)]


@pytest.fixture
def short_stretches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xinzheng.apps.ledger.reading.ROWS_AT_ONCE", 7)


def near_notes(city: SmallCity, rows: list[dict[str, str]]) -> list[tuple[int, str]]:
    found = batch_defects(city.submit(rows).batch)
    return [(d.line, d.message[: d.message.index("行")]) for d in found if d.code == "near-duplicate"]


def decisions(city: SmallCity, **same: str) -> list[dict[str, str]]:
    """Thirty decisions of different amounts, but the fourth and the last of one amount."""
    fine = "罚款金额(万元)"
    rows = [city.penalty(uscc(1), f"{n}号", 处罚内容="罚款", **{fine: f"1.{n:02}"}) for n in range(30)]
    rows[29] |= {fine: rows[3][fine]} | same
    return rows


@pytest.mark.usefixtures("short_stretches")
def test_a_decision_told_under_two_numbers_is_told_at_both_lines_across_stretches(city: SmallCity) -> None:
    assert near_notes(city, decisions(city)) == [(5, "与第31"), (31, "与第5")]


@pytest.mark.usefixtures("short_stretches")
def test_they_are_found_in_a_file_that_had_to_be_begun_again(city: SmallCity) -> None:
    rows = decisions(city)
    assert near_notes(city, [*rows, rows[10]]) == [(5, "与第31"), (31, "与第5")]


@pytest.mark.usefixtures("short_stretches")
@pytest.mark.parametrize("gone", [{NUMBER: "3号"}, {"处罚有效期": "坏"}])
def test_a_line_that_does_not_count_is_near_to_none(city: SmallCity, gone: dict[str, str]) -> None:
    assert near_notes(city, decisions(city, **gone)) == []


def test_a_line_of_another_units_record_is_near_to_none(city: SmallCity) -> None:
    theirs = city.penalty(uscc(1), "1号", **{"罚款金额(万元)": "3"})
    city.submit([theirs])
    mine = [theirs | {"违法事实": "不同"}, theirs | {NUMBER: "2号"}]
    found = batch_defects(city.submit(mine, domain="transport").batch)
    assert "conflict" in {d.code for d in found}
    assert "near-duplicate" not in {d.code for d in found}

"""A record typed back is the same record: of every kind, whatever its cells say."""

import json
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.tabular_rows import ORGAN, PERSON, ROW, USCC, defaults, parse
from xinzheng.adapters.tabular import column_ids, json_line, read_batch, typed_values
from xinzheng.adapters.tabular.fields import FieldType
from xinzheng.adapters.tabular.formats import FORMATS
from xinzheng.adapters.tabular.own_maps import ROUTING
from xinzheng.adapters.tabular.templates import choices

KINDS = sorted(FORMATS)
OF_TYPE = {
    FieldType.USCC: st.just(ORGAN),
    FieldType.IDENTITY: st.none(),
    FieldType.DATE: st.dates(date(2001, 1, 1), date(2025, 12, 31)).map(str),
    FieldType.MONTH: st.just("2025-03"),
    FieldType.AMOUNT: st.decimals(0, 10**6, places=6).map(str),
    FieldType.MONEY: st.decimals(0, 10**6, places=2).map(str),
    FieldType.FLAG: st.sampled_from(["是", "否"]),
    FieldType.TEXT: st.text("罚款万元一二三（）“” \\/-=AbCd0189", min_size=1, max_size=12),
}
# What a row of an organisation has to agree in, or what is kept out of a record.
GIVEN = {"subject_name": "示例市博图科技有限公司", "subject_class": "法人及非法人组织", "subject_uscc": USCC}


@st.composite
def rows(draw: st.DrawFn) -> tuple[str, dict[str, str]]:
    kind, row = draw(st.sampled_from(KINDS)), dict[str, str]()
    for field in FORMATS[kind].fields:
        if field.id in ROUTING or field.personal or field.id in GIVEN:
            continue
        text = draw(st.sampled_from(choices(field)) if field.type is FieldType.WORD else OF_TYPE[field.type])
        if text is not None and (field.required != "否" or draw(st.booleans())):
            row[field.name] = text
    named = FORMATS[kind].field
    return kind, row | {named(field_id).name: text for field_id, text in GIVEN.items()}


def payload_of(path: Path, kind: str, content: bytes) -> str:
    path.write_bytes(content)
    return str(read_batch(path, defaults(kind)).frame.get_column("payload")[0])


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows())
def test_whatever_is_kept_of_a_row_is_kept_again_of_what_it_is_typed_back_to(
    tmp_path: Path, found: tuple[str, dict[str, str]]
) -> None:
    kind, row = found
    kept = payload_of(tmp_path / "first.jsonl", kind, json.dumps(row).encode())
    typed = typed_values(kind, json.loads(kept))
    assert payload_of(tmp_path / "again.jsonl", kind, json_line(kind, typed)) == kept


def test_words_flags_and_amounts_are_typed_as_people_do(tmp_path: Path) -> None:
    row = {**ROW, "程序": "一般程序", "处罚状态": "有效", "依法封存": "否", "罚款金额(万元)": "1,200.50"}
    typed = typed_values("administrative_penalty", json.loads(parse(tmp_path, row).frame.get_column("payload")[0]))
    said = {name: typed[name] for name in ("procedure", "standing", "sealed", "fine", "decision_date", "subject_class")}
    assert said == {
        "procedure": "普通程序",
        "standing": "有效",
        "sealed": "否",
        "fine": "1200.5",
        "decision_date": "2022-05-16",
        "subject_class": "法人及非法人组织",
    }
    assert list(typed) == [field for field in column_ids("administrative_penalty").values() if field in typed]


def test_a_natural_persons_name_and_number_are_not_there_to_be_typed_back(tmp_path: Path) -> None:
    row = {**ROW, "行政相对人名称": "示例某乙", "行政相对人类别": "自然人", "行政相对人代码_1(统一社会信用代码)": "",
           "证件号码": PERSON, "违法事实": f"示例某乙（{PERSON}）逾期"}  # fmt: skip
    kept = json.loads(parse(tmp_path, row).frame.get_column("payload")[0])
    typed = typed_values("administrative_penalty", kept)
    assert not {"subject_name", "identity_number"} & typed.keys()
    assert (typed["subject_class"], typed["facts"]) == ("自然人", "当事人（当事人）逾期")


def test_a_line_has_every_column_and_refuses_one_that_there_is_not() -> None:
    line = json.loads(json_line("credit_repair", {"subject_uscc": USCC, "fine": ""}))
    assert list(line) == list(column_ids("credit_repair"))
    assert {name for name, text in line.items() if text} == {"统一社会信用代码"}
    with pytest.raises(KeyError, match="kind"):
        json_line("credit_repair", {"kind": "行政处罚"})

"""JSON lines: the same rows as from a table, and what is no flat object told by line and key."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tabular_rows import ROW, defaults, parse
from xinzheng.adapters.tabular import (
    Limits,
    ParsedBatch,
    TabularError,
    defects_csv,
    read_batch,
    read_batches,
    read_table,
)
from xinzheng.adapters.tabular.formats import PENALTY
from xinzheng.adapters.tabular.headers import field_of


def read(folder: Path, *rows: Mapping[str, object], limits: Limits | None = None) -> ParsedBatch:
    (folder / "a.jsonl").write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), "utf-8")
    return read_batch(folder / "a.jsonl", defaults(), limits or Limits())


def test_the_rows_are_those_of_the_same_table(tmp_path: Path) -> None:
    parsed, table = (
        read(tmp_path, ROW, {**ROW, "处罚决定日期": "2022-05-15", "行政处罚决定书文号": "另号"}),
        parse(tmp_path, ROW),
    )
    assert (parsed.format, parsed.encoding) == ("jsonl", "utf-8")
    assert parsed.frame["line"].to_list() == [1, 2]
    assert parsed.frame["payload"][0] == table.frame["payload"][0]
    assert parsed.defects.height == 0


@pytest.mark.parametrize("style", ["name", "code", "id"])
def test_keys_are_names_or_codes_or_field_ids_even_changing_by_line(tmp_path: Path, style: str) -> None:
    fields = {name: PENALTY.field(field_of(name, PENALTY.kind) or "") for name in ROW}
    other = {{"name": f.name, "code": f.codes[0], "id": f.id}[style]: ROW[name] for name, f in fields.items()}
    parsed = read(tmp_path, ROW, {**other, "备注": "乙"}, {**other, "BZ": "丙"})
    assert parsed.frame["payload"].str.json_path_match("$.remark").to_list() == [None, "乙", "丙"]
    assert parsed.frame["status"].to_list() == ["duplicate", "duplicate", "ok"]


def test_numbers_keep_their_digits_and_flags_and_nulls_are_words(tmp_path: Path) -> None:
    text = json.dumps({**ROW, "依法封存": True, "备注": None}, ensure_ascii=False)
    text = text.replace('"0.03"', "0.030001").replace('"2022-05-16"', "20220516")
    (tmp_path / "a.jsonl").write_text(text, "utf-8-sig")
    parsed = read_batch(tmp_path / "a.jsonl", defaults())
    content = json.loads(parsed.frame["payload"][0])
    assert (content["fine"], content["decision_date"], content["sealed"]) == ("0.030001", "2022-05-16", True)
    assert "remark" not in content


FAULTS: list[tuple[object, str]] = [
    ({"a": 1}, "value-nested"),
    (["罚款", "没收"], "value-nested"),
    ([], "value-nested"),
    ("甲\0乙", "character-unusable"),
    ("\ud83d", "character-unusable"),
]


@pytest.mark.parametrize(("value", "code"), FAULTS)
def test_a_value_that_is_no_text_costs_its_row_and_is_named(tmp_path: Path, value: object, code: str) -> None:
    rows = [{**ROW, "行政处罚决定书文号": f"{n}号"} for n in range(3)]
    lines = [json.dumps({**row, "违法事实": value} if n == 1 else row) for n, row in enumerate(rows)]
    (tmp_path / "a.jsonl").write_text("\n\n".join(lines), "utf-8")
    parsed = read_batch(tmp_path / "a.jsonl", defaults())
    assert parsed.frame["line"].to_list() == [1, 3, 5]
    assert parsed.frame["status"].to_list() == ["ok", "rejected", "ok"]
    told = {code: (line, message) for line, code, message in parsed.defects.select("line", "code", "message").rows()}
    assert told[code][0] == 3
    assert "“违法事实”" in told[code][1]
    assert "违法事实" in defects_csv(parsed).decode("utf-8-sig").splitlines()[0]


def test_a_key_given_twice_costs_its_row(tmp_path: Path) -> None:
    text = json.dumps({**ROW, "CF_WSH": "另号"}, ensure_ascii=False)
    (tmp_path / "a.jsonl").write_text(text, "utf-8")
    assert read_batch(tmp_path / "a.jsonl", defaults()).defects["code"].to_list() == ["json-key-repeated"]


GOOD = json.dumps(ROW, ensure_ascii=False).encode()
REFUSALS = [
    (GOOD + b"\n" + GOOD[:-5], "json-broken", "第2行"),
    (GOOD + b"\n" + GOOD + b",", "json-broken", "第2行"),
    (GOOD + b'\n"a"', "json-broken", "第2行"),
    (b"{" + b'"a":{' * 100_000, "json-broken", "第1行"),
    (b"[" + GOOD + b"]", "json-array", "每行一个对象"),
    (GOOD.decode().encode("gb18030"), "encoding-unsupported", "UTF-8"),
    (GOOD + b"\n" + b'{"a":"' + b"x" * 5_000_000 + b'"}', "json-line-too-long", "第2行"),
    (GOOD + b"\n" + b'{"a":"' + b"x" * 2_000_000 + b'"}', "cell-too-large", "第2行“a”"),
    (GOOD + b'\n{"\\u0000":1}', "json-key", "第2行"),
    (json.dumps({f"列{n}": 1 for n in range(300)}).encode(), "columns-too-many", "200"),
    (b'{"a": 1}', "header-missing", "列名"),
    (b"{\n}", "json-broken", "第1行"),
]


@pytest.mark.parametrize(("content", "code", "words"), REFUSALS)
def test_a_file_that_is_no_json_lines_is_refused(tmp_path: Path, content: bytes, code: str, words: str) -> None:
    (tmp_path / "a.jsonl").write_bytes(content)
    with pytest.raises(TabularError, match=r"批次\.csv") as raised:
        read_batch(tmp_path / "a.jsonl", defaults())
    assert (raised.value.code, words in raised.value.message) == (code, True)


def test_stretches_and_tables_give_the_same_rows(tmp_path: Path) -> None:
    whole = read(tmp_path, *({**ROW, "行政处罚决定书文号": f"{n}号", "备注": n} for n in range(100)))
    parts = list(read_batches(tmp_path / "a.jsonl", defaults(), 7, keep_raw=True))
    assert [line for part in parts for line in part.frame["line"]] == whole.frame["line"].to_list()
    assert [text for part in parts for text in part.frame["payload"]] == whole.frame["payload"].to_list()
    table = read_table(tmp_path / "a.jsonl", {"备注": "remark"}.get)
    assert [row.cells[table.columns["remark"]] for row in table.rows] == [str(n) for n in range(100)]


_VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.integers(), max_size=2)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from(list(ROW)), _VALUES), min_size=1, max_size=6))
def test_every_line_is_accounted_for_whatever_it_holds(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, object]]
) -> None:
    path = tmp_path_factory.getbasetemp() / "dirt.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in [dict(ROW), *({**ROW, **row} for row in rows)]), "utf-8")
    parsed = read_batch(path, defaults())
    assert parsed.frame["line"].to_list() == list(range(1, len(rows) + 2))
    assert set(parsed.frame["status"]) <= {"ok", "rejected", "duplicate"}

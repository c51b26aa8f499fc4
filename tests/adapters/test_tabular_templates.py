"""Templates as workbooks: filled in they are read without a defect; the example itself never becomes a record."""

import io
import re
import zipfile
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook

from tests.tabular_rows import defaults
from xinzheng.adapters.tabular import read_batch, template_xlsx
from xinzheng.adapters.tabular.checks import EXAMPLE_MARK
from xinzheng.adapters.tabular.formats import FORMATS, STANDINGS
from xinzheng.adapters.tabular.templates import choices


@pytest.mark.parametrize("kind", list(FORMATS))
def test_the_example_is_refused_as_such_and_is_otherwise_without_fault(tmp_path: Path, kind: str) -> None:
    (tmp_path / "t.xlsx").write_bytes(template_xlsx(kind))
    parsed = read_batch(tmp_path / "t.xlsx", defaults(kind))
    assert parsed.frame["status"].to_list() == ["rejected"]
    assert parsed.defects["code"].to_list() == ["example-row"]
    assert "删除" in parsed.defects["message"][0]


@pytest.mark.parametrize("kind", list(FORMATS))
def test_every_listed_field_has_its_list_and_every_column_its_explanation(kind: str) -> None:
    content = template_xlsx(kind)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
    lists = re.findall(r'<formula1>"([^"]+)"</formula1>', sheet)
    assert lists == [",".join(choices(field)) for field in FORMATS[kind].fields if choices(field)]
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    data, notes = (book.get_sheet_by_name(name).to_python() for name in book.sheet_names)
    assert data[0] == [field.name for field in FORMATS[kind].fields]
    assert EXAMPLE_MARK in data[1]
    assert [row[0] for row in notes[2:]] == data[0]


def test_a_list_offers_one_word_per_value_and_only_words_that_are_read() -> None:
    field = FORMATS["administrative_penalty"].field("procedure")
    assert choices(field) == ["简易程序", "普通程序", "听证程序"]
    assert choices(FORMATS["administrative_penalty"].field("standing")) == list(STANDINGS)


def test_an_unknown_kind_has_no_template() -> None:
    with pytest.raises(KeyError):
        template_xlsx("nonsense")

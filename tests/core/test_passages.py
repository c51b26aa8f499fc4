"""A decree's text in blocks: sections, items and tables are told apart, quotations are marked, no character is lost."""

from hypothesis import given
from hypothesis import strategies as st

from xinzheng.core.passages import Block, BlockKind, Piece, marked_text

TEXT = "示例通知\n\n一、总则\n\n甲乙丙丁。\n\n（一）戊己 庚。辛\n\n二、附则\n\n序号\t领域\n1\t税务\n"


def texts(blocks: list[Block]) -> str:
    return "".join(piece.text for block in blocks for row in block.cells for cell in row for piece in cell)


def test_headings_items_and_tables_are_told_apart() -> None:
    blocks = marked_text(TEXT, {})
    assert [(block.kind, block.anchor) for block in blocks] == [
        (BlockKind.PARAGRAPH, ""),
        (BlockKind.HEADING, "s1"),
        (BlockKind.PARAGRAPH, ""),
        (BlockKind.PARAGRAPH, "s1-1"),
        (BlockKind.HEADING, "s2"),
        (BlockKind.TABLE, ""),
    ]
    assert [[cell[0].text for cell in row] for row in blocks[-1].cells] == [["序号", "领域"], ["1", "税务"]]


def test_quotations_are_marked_where_they_stand_also_across_each_other_and_over_paragraphs() -> None:
    quotes = {"a": "乙丙", "b": "丙丁。（一）戊己庚", "c": "税务", "none": "壬癸", "empty": ""}
    blocks = marked_text(TEXT, quotes)
    assert list(blocks[2].pieces) == [
        Piece("甲"),
        Piece("乙", ("a",), ("a",)),
        Piece("丙", ("a", "b"), ("b",)),
        Piece("丁。", ("b",)),
    ]
    assert list(blocks[3].pieces) == [Piece("（一）戊己 庚", ("b",)), Piece("。辛")]
    assert blocks[5].begins == ("c",)
    assert {name for block in blocks for name in block.begins} == {"a", "b", "c"}


@given(
    st.text(alphabet="一、（）甲乙丙 \t\n", max_size=60),
    st.dictionaries(st.sampled_from("pqr"), st.text(alphabet="甲乙丙 ", max_size=4)),
)
def test_marking_loses_no_character_and_marks_exactly_what_was_quoted(text: str, quotes: dict[str, str]) -> None:
    blocks = marked_text(text, quotes)
    whole = "".join(text.split())
    assert "".join(texts(blocks).split()) == whole
    pieces = [piece for block in blocks for row in block.cells for cell in row for piece in cell]
    for name, quote in quotes.items():
        wanted = "".join(quote.split())
        marked = "".join("".join(piece.text.split()) for piece in pieces if name in piece.quoted_by)
        assert marked == (wanted if wanted in whole else "")

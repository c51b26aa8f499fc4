"""Rehearse a report (试排): set it, read it back as a stranger would, and refuse it unless every fact is there."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from xinzheng.adapters.pdf.errors import RenderError
from xinzheng.adapters.pdf.fonts import faces_in, leaves, require_glyphs
from xinzheng.adapters.pdf.readback import ReadBack, plain, read_back, running_text
from xinzheng.adapters.pdf.typesetting import parse, set_pages, view_of
from xinzheng.adapters.pdf.view import day, folded, moment

# For machines, not for readers: codes, states and digests. The rest of a content must stand on the paper.
MACHINE_FIELDS = frozenset({"result", "kind", "domain", "outcome", "missing_units", "key"})
MACHINE_PATHS = re.compile(r"format|policy\.(id|sha256)|(domains|other)\[\d+\]\.code|(records|apart)\[\d+\]\.procedure")
RESULT_HEAD = ("核查结果", "数据截至")


def rehearse(content: bytes, qr_text: str, fonts: Path | None = None) -> bytes:
    """Set the report and read it back: text layer, QR code, attachment. The file that was read, as render_report's.

    RenderError as render_report, and ``rehearsal-failed`` naming the fact that is not on the paper.
    """
    report, faces = parse(content), faces_in(fonts)
    require_glyphs(report, faces)
    view = view_of(report)
    pdf = set_pages(content, view, qr_text, faces)
    check(report, view, content, qr_text, read_back(pdf))
    return pdf


def check(report: Mapping[str, Any], view: Mapping[str, Any], content: bytes, qr_text: str, found: ReadBack) -> None:
    """Compare what was read back with what was to be said."""
    text = running_text(found.bodies, _repeated_head(view))
    for name, words in (*_sentences(view), *_content_facts(report)):
        if plain(words) not in text:
            raise _failed(f"“{name}”没有完整出现在版面上")
    head = plain(f"报告编号{view['number']}{view['title'][0]}")
    if any(page != head for page in found.heads):
        raise _failed("有的页面没有报告编号")
    if found.codes != (qr_text,):
        raise _failed("末页二维码读不出，或者与应有的内容不同")
    if found.attachment != content:
        raise _failed("所附数据与报告内容不是逐字节相同")


def _failed(what: str) -> RenderError:
    return RenderError(f"试排没有通过：{what}。报告没有出具，请联系系统管理员。", code="rehearsal-failed", fact=what)


def _repeated_head(view: Mapping[str, Any]) -> re.Pattern[str]:
    """A table's head row as it is repeated on the next page, or a card's title with （续）."""
    results = "|".join(
        re.escape(plain("序号" + name + view["units_word"] + "".join(RESULT_HEAD))) for name in ("领域", "核查内容")
    )
    arrears = re.escape(plain("".join(view["arrears"]["head"])))
    cards = (re.escape(plain(f"{card['title']}（续）{card['marks']}")) for card in (*view["records"], *view["apart"]))
    return re.compile("^(?:" + "|".join((results, arrears, *cards)) + ")")


def _sentences(view: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Words that must stand together, so that no result is read beside another's name."""
    yield "标题", "".join(view["title"])
    yield "报告编号和截至时间", f"报告编号{view['number']}截至{view['as_of']}"
    yield "核查结论", view["conclusion"]["text"]
    for section in ("subject", "scope"):
        for row in view[section]:
            yield row[0], "".join(row)
    for section in ("domains", "other"):
        for row in view[section]:
            words = (row["index"], row["name"], row["units"], row["words"], row["date"] or "")
            yield f"{row['name']}核查结果", "".join(words)
    for section in ("records", "apart", "repairs"):
        for card in view[section]:
            yield from _card_sentences(card)
    for row in view["arrears"]["rows"]:
        yield f"欠缴信息：{row[0]}", "".join(row)
    for index, note in enumerate(view["notes"], 1):
        yield f"说明{index}", f"{index}.{note}"
    yield "印章名称和日期", view["seal"]["name"] + view["seal"]["date"]
    yield "核验码", "核验码" + view["verification"]["code"]


def _card_sentences(card: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    title = card.get("title", "")
    yield f"{title or '信用修复记录'}", title + card.get("marks", "") + "".join("".join(row) for row in card["short"])
    for label, words in card["long"]:
        yield f"{title}的{label}", label + words


def _content_facts(report: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Each text of the content by its path: a field the layout does not know is a failure, never left out."""
    for path, words in leaves(report):
        if MACHINE_PATHS.fullmatch(path) or MACHINE_FIELDS.intersection(re.split(r"[.\[\]]+", path)):
            continue
        yield path, moment(words) if path == "as_of" else folded(words) if path.endswith(".units") else day(words)

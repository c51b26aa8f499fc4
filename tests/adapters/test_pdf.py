"""The report on paper: what independent readers find in it, and what is refused before it is issued."""

import copy
import json
import re
import subprocess
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from PIL import Image

from xinzheng.adapters.pdf import RenderError, read_attachment, rehearse, render_report
from xinzheng.adapters.pdf import rehearsal as rehearsal_module
from xinzheng.adapters.pdf.artwork import DEMONSTRATION, outline, seal_svg, watermark_svg
from xinzheng.adapters.pdf.fonts import HEI, Faces
from xinzheng.adapters.pdf.view import build, day, folded, moment

REPORTS = Path(__file__).parents[1] / "data" / "reports"
SAMPLES = ("suzhou-clear", "suzhou-mixed", "huzhou-person")
QR_TEXT = "https://host.example/v/7K3M9Q2XB4HT#" + "A" * 240
NOT_PRINTED = {"format", "id", "sha256", "result", "kind", "domain", "outcome", "key"}


def sample(name: str) -> dict[str, Any]:
    report: dict[str, Any] = json.loads((REPORTS / f"{name}.json").read_text(encoding="utf-8"))
    return report


def canonical(report: dict[str, Any]) -> bytes:
    return rfc8785.dumps(report)


def squeezed(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split())


def text_of(pdf: bytes, folder: Path) -> str:
    """What pdftotext reads, without running lines, so that a field cut by a page is whole again."""
    (folder / "report.pdf").write_bytes(pdf)
    read = subprocess.run(["pdftotext", "-raw", folder / "report.pdf", "-"], capture_output=True, check=True)
    pages = squeezed("".join(f"{page}\n" for page in read.stdout.decode().split("\f")))
    return re.sub(r"第\d+页/共\d+页报告编号\w{18}(专用|市场主体)信用报告(记录\d+\w+\(续\))?", "", pages)


def printed(value: object, key: str = "") -> Iterator[str]:
    if isinstance(value, str) and key not in NOT_PRINTED:
        yield moment(value) if key == "as_of" else day(value)
    elif isinstance(value, dict):
        for inner_key, inner in value.items():
            if not (inner_key == "code" and "data_as_of" in value):
                yield from printed(inner, inner_key)
    elif isinstance(value, list):
        for inner in value:
            yield from printed(inner, key)


@pytest.fixture(scope="module", params=SAMPLES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_a_sample_passes_its_rehearsal(name: str) -> None:
    rehearse(canonical(sample(name)), QR_TEXT)


def test_pdftotext_finds_every_fact_of_the_content(name: str, tmp_path: Path) -> None:
    report = sample(name)
    text = text_of(render_report(canonical(report), QR_TEXT), tmp_path)
    missing = [fact for fact in printed(report) if squeezed(fact) not in text]
    assert missing == []


def test_each_domain_stands_beside_its_own_result_and_date(name: str, tmp_path: Path) -> None:
    report = sample(name)
    text = text_of(render_report(canonical(report), QR_TEXT), tmp_path)
    for index, row in enumerate(report["domains"], 1):
        assert squeezed(f"{index}{row['name']}{row['units']}{row['text']}") in text


@pytest.mark.parametrize("dots", [100, 120, 150])
@pytest.mark.parametrize("turned", [-1, 0, 1])
def test_zbar_reads_the_code_of_a_poor_scan_that_lies_aslant(name: str, dots: int, turned: int, tmp_path: Path) -> None:
    (tmp_path / "report.pdf").write_bytes(render_report(canonical(sample(name)), QR_TEXT))
    subprocess.run(["pdftoppm", "-r", str(dots), "-gray", tmp_path / "report.pdf", tmp_path / "page"], check=True)
    last = max(tmp_path.glob("page-*.pgm"))
    with Image.open(last) as page:
        page.rotate(turned, Image.Resampling.BICUBIC, fillcolor=255).save(tmp_path / "scan.pgm")
    read = subprocess.run(
        ["zbarimg", "--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", tmp_path / "scan.pgm"],
        capture_output=True,
        check=True,
    )
    assert read.stdout.decode().strip() == QR_TEXT


def test_the_same_content_gives_the_same_bytes_and_another_gives_others(name: str) -> None:
    content = canonical(sample(name))
    assert render_report(content, QR_TEXT) == render_report(content, QR_TEXT)
    assert render_report(content, QR_TEXT) != render_report(content, QR_TEXT + "B")


def test_the_content_is_attached_byte_for_byte(name: str) -> None:
    content = canonical(sample(name))
    assert read_attachment(render_report(content, QR_TEXT)) == content


def test_the_file_declares_pdf_a_3b_and_qpdf_finds_it_sound(name: str, tmp_path: Path) -> None:
    pdf = render_report(canonical(sample(name)), QR_TEXT)
    assert b"<pdfaid:part>3</pdfaid:part>" in pdf
    assert b"<pdfaid:conformance>B</pdfaid:conformance>" in pdf
    (tmp_path / "report.pdf").write_bytes(pdf)
    subprocess.run(["qpdf", "--check", tmp_path / "report.pdf"], check=True, capture_output=True)


def test_every_page_has_the_number_and_its_place_among_the_pages(tmp_path: Path) -> None:
    report = sample("suzhou-mixed")
    (tmp_path / "report.pdf").write_bytes(render_report(canonical(report), QR_TEXT))
    read = subprocess.run(["pdftotext", tmp_path / "report.pdf", "-"], capture_output=True, check=True)
    pages = [squeezed(page) for page in read.stdout.decode().split("\f")[:-1]]
    assert len(pages) == 4
    for index, page in enumerate(pages, 1):
        assert f"报告编号{report['number']}" in page
        assert f"第{index}页/共4页" in page


def test_a_missing_glyph_is_refused_with_its_character_code_point_and_field() -> None:
    report = sample("suzhou-mixed")
    report["records"][0]["facts"] = "字\U0003134a没有字形"
    for attempt in (rehearse, render_report):
        with pytest.raises(RenderError) as caught:
            attempt(canonical(report), QR_TEXT)
        assert caught.value.code == "glyph-missing"
        for part in ("\U0003134a", "U+3134A", "records[0].facts"):
            assert part in caught.value.message


@pytest.mark.parametrize("hidden", ["\u202e", "\u200b", "\x07", "\ue000"])
def test_characters_that_could_hide_or_turn_what_is_read_are_refused(hidden: str) -> None:
    report = sample("suzhou-clear")
    report["subject"]["name"] = f"示例{hidden}公司"
    with pytest.raises(RenderError, match=r"subject\.name") as caught:
        render_report(canonical(report), QR_TEXT)
    assert caught.value.code == "glyph-missing"


def test_markup_in_the_data_is_set_as_it_is(tmp_path: Path) -> None:
    report = sample("suzhou-mixed")
    report["records"][0]["facts"] = "见*附件*#set text(red)与$x$_y_<b>\\n@a「引」"
    content = canonical(report)
    rehearse(content, QR_TEXT)
    assert squeezed(report["records"][0]["facts"]) in text_of(render_report(content, QR_TEXT), tmp_path)


def test_a_field_that_the_layout_does_not_know_fails_the_rehearsal_by_name() -> None:
    report = sample("suzhou-mixed")
    report["records"][1]["mystery"] = "没有排印的事实"
    with pytest.raises(RenderError, match=r"records\[1\]\.mystery") as caught:
        rehearse(canonical(report), QR_TEXT)
    assert caught.value.code == "rehearsal-failed"


def test_a_domain_left_out_by_the_layout_fails_the_rehearsal(monkeypatch: pytest.MonkeyPatch) -> None:
    set_pages = rehearsal_module.set_pages

    def forgetful(content: bytes, view: dict[str, Any], qr_text: str, faces: Faces) -> bytes:
        return set_pages(content, view | {"domains": view["domains"][:-1]}, qr_text, faces)

    monkeypatch.setattr(rehearsal_module, "set_pages", forgetful)
    with pytest.raises(RenderError, match="消防安全核查结果"):
        rehearse(canonical(sample("suzhou-clear")), QR_TEXT)


def test_two_results_set_beside_each_others_names_fail_the_rehearsal(monkeypatch: pytest.MonkeyPatch) -> None:
    set_pages = rehearsal_module.set_pages

    def confused(content: bytes, view: dict[str, Any], qr_text: str, faces: Faces) -> bytes:
        rows = copy.deepcopy(view["domains"])
        rows[3]["words"], rows[4]["words"] = rows[4]["words"], rows[3]["words"]
        return set_pages(content, view | {"domains": rows}, qr_text, faces)

    monkeypatch.setattr(rehearsal_module, "set_pages", confused)
    with pytest.raises(RenderError, match="生态环境核查结果"):
        rehearse(canonical(sample("suzhou-mixed")), QR_TEXT)


def test_another_code_on_the_page_fails_the_rehearsal(monkeypatch: pytest.MonkeyPatch) -> None:
    set_pages = rehearsal_module.set_pages
    monkeypatch.setattr(rehearsal_module, "set_pages", lambda c, v, _, f: set_pages(c, v, "https://other.example", f))
    with pytest.raises(RenderError, match="二维码"):
        rehearse(canonical(sample("suzhou-clear")), QR_TEXT)


@pytest.mark.parametrize("count", [0, 1, 60])
def test_any_number_of_records_fits_and_reads_whole(count: int) -> None:
    report = sample("suzhou-mixed")
    cards = report["records"]
    report["records"] = [
        cards[index % 3] | {"document_number": f"苏环行罚字〔2025〕{index}号", "marks": ["复议／诉讼中"] * (index % 2)}
        for index in range(count)
    ]
    rehearse(canonical(report), QR_TEXT)


@pytest.mark.parametrize(
    ("kind", "label"),
    [
        ("other_determination", "文书文号"),
        ("administrative_compulsion", "强制措施"),
        ("criminal_judgment", "审理法院"),
        ("serious_dishonesty", "列入日期"),
        ("abnormal_operation", "列入机关"),
    ],
)
def test_each_kind_of_record_has_its_own_labels_and_shows_every_field(kind: str, label: str, tmp_path: Path) -> None:
    report = sample("suzhou-mixed")
    report["records"] = [report["records"][1] | {"kind": kind, "source": None}]
    content = canonical(report)
    rehearse(content, QR_TEXT)
    text = text_of(render_report(content, QR_TEXT), tmp_path)
    assert label in text
    assert "数据来源单位未注明" in text


def test_forty_four_domains_with_ten_not_verifiable_and_no_record_fit() -> None:
    report = sample("huzhou-person")
    rows = report["domains"] + [report["domains"][0] | {"code": f"more{i}", "name": f"追加领域{i}"} for i in range(4)]
    for row in rows[::4]:
        row |= {"result": "not_verifiable", "text": f"未能核查：{row['units']}尚未归集该项数据", "data_as_of": None}
    rehearse(canonical(report | {"domains": rows}), QR_TEXT)


def test_empty_sections_and_records_listed_apart_fit() -> None:
    report = sample("suzhou-mixed")
    card = report["records"][0]
    for section in ("arrears", "repairs"):
        report.pop(section)
    rehearse(canonical(report | {"records": [], "other": []}), QR_TEXT)
    rehearse(canonical(report | {"records": [], "other": [], "apart": [card]}), QR_TEXT)


def test_words_too_long_for_a_line_stay_inside_the_page() -> None:
    report = sample("suzhou-mixed")
    report["records"][0] |= {"document_number": "A1" * 64, "facts": "https://host.example/" + "a" * 200}
    report["seal"]["name"] = "某市公共信用信息中心（某市社会信用体系建设领导小组办公室）"
    rehearse(canonical(report), QR_TEXT)


def test_a_report_that_is_no_demonstration_has_neither_the_word_in_its_seal_nor_a_watermark(tmp_path: Path) -> None:
    report = sample("suzhou-clear") | {"demonstration": False}
    report["notes"].pop()
    text = text_of(render_report(canonical(report), QR_TEXT), tmp_path)
    assert "演示文件" not in text
    assert "polygon" in seal_svg("某市公共信用信息中心", False)
    assert "polygon" not in seal_svg("某市公共信用信息中心", True)


def test_the_watermark_file_holds_the_outlines_of_its_word_in_the_face_we_set_with() -> None:
    for char in DEMONSTRATION:
        path = outline(HEI, char, (0, 0), 300).split(' d="')[1].split('"')[0]
        assert watermark_svg().count(path) == 3


def test_a_long_list_of_units_is_folded_with_a_true_count() -> None:
    names = [f"某市第{index}区自然资源和规划局" for index in range(12)]
    assert folded("、".join(names)) == "、".join(names[:2]) + "等12个单位"
    assert folded("、".join([*names, "各县级市（区、县）"])).endswith("等单位")
    assert folded("市司法局，各县级市（区）") == "市司法局，各县级市（区）"


def test_dates_and_times_are_written_as_people_here_read_them() -> None:
    assert day("2026-11-01") == "2026年11月1日"
    assert day("2026-09") == "2026年9月"
    assert moment("2026-11-20T23:59:59+00:00") == "2026年11月21日07:59:59（北京时间）"
    assert build(sample("suzhou-clear"))["as_of"] == "2025年12月15日10:24:36（北京时间）"


@pytest.mark.parametrize(
    "content", [b"", b"[]", b'{"format":"other/1"}', b'{"format":"xinzheng.report/1"}', b"\xff\xfe"]
)
def test_a_content_that_is_no_report_is_refused(content: bytes) -> None:
    with pytest.raises(RenderError) as caught:
        render_report(content, QR_TEXT)
    assert caught.value.code == "content-invalid"


def test_no_attachment_is_found_in_what_is_no_report_of_ours() -> None:
    assert read_attachment(b"") is None
    assert read_attachment(b"%PDF-1.7\n" + bytes(1000)) is None
    assert read_attachment(bytes(20 * 1024**2 + 1)) is None

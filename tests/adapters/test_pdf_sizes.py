"""Reports of every size (篇幅): 20 and 44 domains, no record or two hundred, the longest names; all read back whole."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.test_pdf import QR_TEXT, canonical, sample
from xinzheng.adapters.pdf import rehearse, render_report

LONG_NAME = "苏州工业园区" + "示例" * 43 + "股份有限公司" + "（）"  # 100 characters
KINDS = ("administrative_penalty", "other_determination", "administrative_compulsion", "criminal_judgment")


def sized(domains: int, records: int, name: str | None = None) -> dict[str, Any]:
    """A report of so many domains and records of several kinds, with a long name if one is given."""
    report = sample("suzhou-mixed")
    rows = report["domains"]
    report["domains"] = [
        rows[index % len(rows)] | ({"code": f"domain{index}", "name": f"领域{index + 1}"} if index >= len(rows) else {})
        for index in range(domains)
    ]
    cards = report["records"]
    report["records"] = [
        cards[index % len(cards)]
        | {
            "document_number": f"苏环行罚字〔2025〕{index + 1}号",
            "kind": KINDS[index % len(KINDS)],
            "marks": ["复议／诉讼中"] * (index % 7 == 0),
        }
        for index in range(records)
    ]
    if name is not None:
        report["subject"]["name"] = name
    return report


@pytest.mark.parametrize("domains", [20, 44])
@pytest.mark.parametrize("records", [0, 1, 20])
def test_any_number_of_domains_and_records_reads_back_whole(domains: int, records: int, tmp_path: Path) -> None:
    content = canonical(sized(domains, records))
    rehearse(content, QR_TEXT)
    pdf = render_report(content, QR_TEXT)
    assert pdf == render_report(content, QR_TEXT)
    (tmp_path / "report.pdf").write_bytes(pdf)
    subprocess.run(["qpdf", "--check", tmp_path / "report.pdf"], check=True, capture_output=True)


@pytest.mark.parametrize("domains", [20, 44])
def test_two_hundred_records_read_back_whole_and_every_page_names_the_report(domains: int, tmp_path: Path) -> None:
    report = sized(domains, 200)
    content = canonical(report)
    rehearse(content, QR_TEXT)
    (tmp_path / "report.pdf").write_bytes(render_report(content, QR_TEXT))
    read = subprocess.run(["pdftotext", tmp_path / "report.pdf", "-"], capture_output=True, text=True, check=True)
    pages = read.stdout.split("\f")[:-1]
    assert 50 < len(pages) < 120
    for index, page in enumerate(pages, 1):
        assert f"报告编号 {report['number']}" in page
        assert f"第 {index} 页 / 共 {len(pages)} 页" in page


@pytest.mark.parametrize("domains", [20, 44])
def test_names_of_a_hundred_characters_stay_inside_the_page(domains: int) -> None:
    report = sized(domains, 2, LONG_NAME)
    assert len(LONG_NAME) == 100
    report["records"][0] |= {"organ": LONG_NAME, "document_number": "〔2025〕" + "第" * 95 + "号"}
    for row in report["domains"][:3]:
        row["units"] = LONG_NAME
    report["domains"][1]["name"] = LONG_NAME[:40]
    report["seal"]["name"] = LONG_NAME[:40]
    rehearse(canonical(report), QR_TEXT)

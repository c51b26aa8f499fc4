"""Documents a second: ours (rehearse, render, sign) against WeasyPrint + pyHanko as commonly called.

Both set the same content, seal, watermark and code included, with the same faces, as PDF/A-3b with the data attached,
and sign with the same P-256 key, in the same run and the same number of worker processes. Theirs does less: it has no
rehearsal. WeasyPrint needs Debian's libpango-1.0-0 and libpangoft2-1.0-0. Run: python -m bench.issue_pdf [seconds]
"""

import base64
import html
import json
import logging
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pylopdf_fonts_zh_cn as faces
import rfc8785

from xinzheng.adapters.pdf import rehearse
from xinzheng.adapters.pdf.artwork import seal_svg, watermark_svg
from xinzheng.adapters.pdf.view import build
from xinzheng.adapters.qr import qr_svg
from xinzheng.adapters.signing import ensure_demo_keys, load_signer, sign_pdf
from xinzheng.adapters.signing.generations import current_generation

ROOT = Path(__file__).parents[1]
REPORTS = ROOT / "tests" / "data" / "reports"
QR_TEXT = "https://host.example/v/7K3M9Q2XB4HT#" + "A" * 240
WORKERS = 2
TARGET_PER_SECOND, TARGET_RATIO = 15.0, 4.0
Maker = Callable[[bytes, Path], bytes]
STYLE = """
@page { size: A4; margin: 30mm 25mm 25mm; background: url("%(watermark)s") no-repeat -25mm -30mm / 210mm 297mm;
  @top-left { content: "报告编号 %(number)s"; font: 9pt Hei }
  @bottom-center { content: "第 " counter(page) " 页 / 共 " counter(pages) " 页"; font: 9pt Song } }
@font-face { font-family: Hei; src: url(%(hei)s) } @font-face { font-family: Song; src: url(%(song)s) }
body { font: 10.5pt/1.5 Song } h1, h2, th, .c { font-family: Hei; font-weight: normal }
h1 { text-align: center; font-size: 22pt } h2 { font-size: 12pt; break-after: avoid }
.c { border: 1pt solid; padding: 10pt; font-size: 13pt }
table { width: 100%%; border-collapse: collapse; margin-bottom: 9pt } tr { break-inside: avoid }
td, th { border-bottom: .4pt solid #aeb5bd; text-align: left; vertical-align: top; padding: 3pt }
.none_found { color: #1a6b3c } .records_found { color: #a4161a } .not_verifiable { color: #8a5a00 }
img { width: 38mm; height: 38mm }
"""
MARKS = {"none_found": "○", "records_found": "■", "not_verifiable": "◆", "listed_apart": "□"}
HEADS = ("序号", "领域", "责任单位", "核查结果", "数据截至")


@dataclass(frozen=True)
class Rate:
    """Documents made by all workers, and the seconds from the first start to the last end."""

    documents: int
    seconds: float

    @property
    def per_second(self) -> float:
        return self.documents / self.seconds


@dataclass(frozen=True)
class Job:
    """What each worker does, and for how long."""

    make: Maker
    name: str
    keys: Path
    seconds: float


def sample(name: str, turn: int) -> bytes:
    """The canonical content of a sample as another report each time: number, code and dates differ."""
    report = json.loads((REPORTS / f"{name}.json").read_text(encoding="utf-8"))
    report["number"] = f"{report['number'][:10]}{turn:07}X"
    report["verification"]["code"] = f"{turn:012}"
    for index, row in enumerate(report["domains"]):
        if row["result"] != "not_verifiable":
            row["data_as_of"] = f"2026-{turn % 12 + 1:02}-{(turn * 7 + index) % 28 + 1:02}"
    return rfc8785.dumps(report)


def ours(content: bytes, keys: Path) -> bytes:
    """The whole way of a report's file, as the issue of reports takes it."""
    return sign_pdf(rehearse(content, QR_TEXT), load_signer(keys), datetime.now(UTC))


def theirs(content: bytes, keys: Path) -> bytes:
    """HTML through WeasyPrint, then pyHanko's own one-call signature with the key loaded for the document."""
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.sign import signers
    from weasyprint import HTML, Attachment

    data = Attachment(string=content, name="report.json", relationship="Source")
    page = HTML(string=as_html(json.loads(content)))
    pdf = page.write_pdf(pdf_variant="pdf/a-3b", attachments=[data])
    place = current_generation(keys).folder
    passphrase = (place / "signer.pass").read_bytes()
    signer = signers.SimpleSigner.load_pkcs12(str(place / "signer.p12"), passphrase=passphrase)
    metadata = signers.PdfSignatureMetadata(field_name="Signature1", reason="签发专用信用报告")
    return bytes(signers.sign_pdf(IncrementalPdfFileWriter(BytesIO(pdf)), metadata, signer=signer).getvalue())


def as_html(report: dict[str, Any]) -> str:
    """The same words and pictures as a web page."""
    view = build(report)
    cards = [[*card["short"], *card["long"]] for card in (*view["records"], *view["repairs"])]
    style = STYLE % {
        "number": view["number"],
        "watermark": _picture(watermark_svg()),
        "hei": faces.sans_path().as_uri(),
        "song": faces.serif_path().as_uri(),
    }
    seal = seal_svg(view["seal"]["name"], view["demonstration"])
    parts = (
        f"<html lang=zh-CN><title>{view['number']}</title><style>{style}</style>",
        f"<h1>{'<br>'.join(map(html.escape, view['title']))}</h1><p>报告编号 {view['number']} 截至 {view['as_of']}</p>",
        f"<p class=c>{html.escape(view['conclusion']['text'])}</p>",
        f"<h2>一、主体</h2>{_table(view['subject'])}<h2>二、核查范围</h2>{_table(view['scope'])}",
        f"<h2>三、各领域核查结果</h2>{_results(view['domains'])}",
        *(_table(card) for card in cards),
        f"<h2>其他核查信息</h2>{_results(view['other'])}{_table(view['arrears']['rows'])}",
        f"<h2>说明</h2><ol>{''.join(f'<li>{html.escape(note)}</li>' for note in view['notes'])}</ol>",
        f'<h2>核验</h2><img src="{_picture(qr_svg(QR_TEXT))}"><img src="{_picture(seal)}">',
        f"<p>{view['verification']['code']}<br>{html.escape(view['seal']['name'])}<br>{view['seal']['date']}</p></html>",
    )
    return "".join(parts)


def _picture(svg: str) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()


def _results(rows: list[dict[str, Any]]) -> str:
    lines = "".join(
        f"<tr><td>{row['index']}<td>{row['name']}<td>{row['units']}"
        f"<td class={row['state']}>{MARKS[row['state']]} {row['words']}<td>{row['date'] or ''}</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{''.join(f'<th>{head}' for head in HEADS)}</tr></thead>{lines}</table>"


def _table(rows: list[list[str]]) -> str:
    cells = ("".join(f"<td>{html.escape(cell)}" for cell in row) for row in rows)
    return "<table>" + "".join(f"<tr>{row}</tr>" for row in cells) + "</table>"


def measure(make: Maker, name: str, keys: Path, seconds: float) -> Rate:
    """All workers make documents for the given time, each warmed up by two before the clock starts."""
    context = multiprocessing.get_context("spawn")
    ready, done = context.Barrier(WORKERS), context.Queue()
    job = Job(make, name, keys, seconds)
    processes = [context.Process(target=_work, args=(job, index, ready, done)) for index in range(WORKERS)]
    for process in processes:
        process.start()
    counts = [done.get(timeout=seconds + 120) for _ in processes]
    for process in processes:
        process.join()
    spans = [(start, end) for _, start, end in counts]
    return Rate(sum(count for count, _, _ in counts), max(e for _, e in spans) - min(s for s, _ in spans))


def _work(job: Job, worker: int, ready: Any, done: Any) -> None:
    logging.disable(logging.CRITICAL)
    for turn in (1, 2):
        job.make(sample(job.name, turn), job.keys)
    ready.wait(timeout=120)
    start, count = time.monotonic(), 0
    while time.monotonic() - start < job.seconds:
        job.make(sample(job.name, worker * 1_000_000 + count), job.keys)
        count += 1
    done.put((count, start, time.monotonic()))


def compare(name: str, seconds: float) -> tuple[Rate, Rate]:
    """(ours, theirs) for one sample, one after the other."""
    with tempfile.TemporaryDirectory() as folder:
        keys = Path(folder) / "keys"
        ensure_demo_keys(keys, datetime.now(UTC))
        return measure(ours, name, keys, seconds), measure(theirs, name, keys, seconds)


def main(seconds: float) -> int:
    """Print ours, theirs and the ratio; 1 if the clear report misses a target."""
    missed = False
    for name in ("suzhou-clear", "suzhou-mixed"):
        mine, peer = compare(name, seconds)
        ratio = mine.per_second / peer.per_second
        print(
            f"{name}, {WORKERS} processes: ours {mine.per_second:.1f}/s (rehearse, render, sign), "
            f"WeasyPrint + pyHanko {peer.per_second:.2f}/s, ratio {ratio:.1f}"
        )
        missed |= name == "suzhou-clear" and (mine.per_second < TARGET_PER_SECOND or ratio < TARGET_RATIO)
    return int(missed)


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else 10.0))

"""Read a report back (读回): its text layer page by page, its QR code, its attachment, with pdfium."""

import re
import threading
import unicodedata
from dataclasses import dataclass

import pypdfium2

from xinzheng.adapters.pdf.attachments import ATTACHMENT_NAME
from xinzheng.adapters.qr import decode

ONE_AT_A_TIME = threading.Lock()  # pdfium is not made for threads
MM = 72 / 25.4
CODE_CORNER = (18 * MM, 25 * MM, 70 * MM, 95 * MM)  # left, bottom, right, top of where the last page has its code
DPI = 150
FOOT = re.compile(r"第\d+页/共\d+页")


@dataclass(frozen=True)
class ReadBack:
    """``pages``: each page's text, plain(); ``codes``: QR texts on the last page; ``attachment``: report.json."""

    pages: tuple[str, ...]
    codes: tuple[str, ...]
    attachment: bytes | None


def plain(text: str) -> str:
    """Text without any space, compatibility forms made one: what stays equal between data and page."""
    # pdfium writes a hyphen at the end of a line as U+0002 or U+FFFE
    text = text.replace("\u0002", "-").replace("\ufffe", "-")
    return "".join(unicodedata.normalize("NFKC", text).split())


def read_back(pdf: bytes) -> ReadBack:
    """Everything the rehearsal compares, from one opening of the file."""
    with ONE_AT_A_TIME:
        document = pypdfium2.PdfDocument(pdf)
        try:
            pages = tuple(_text(document[index]) for index in range(len(document)))
            return ReadBack(pages, tuple(_codes(document[len(document) - 1])), _attachment(document))
        finally:
            document.close()


def _text(page: pypdfium2.PdfPage) -> str:
    layer = page.get_textpage()
    try:
        return plain(layer.get_text_range())
    finally:
        layer.close()


def _codes(page: pypdfium2.PdfPage) -> list[str]:
    width, height = page.get_size()
    left, bottom, right, top = CODE_CORNER
    crop = (left, bottom, width - right, height - top)
    bitmap = page.render(scale=DPI / 72, crop=crop, grayscale=True, may_draw_forms=False)
    return decode(bitmap.to_pil())


def _attachment(document: pypdfium2.PdfDocument) -> bytes | None:
    for index in range(document.count_attachments()):
        attachment = document.get_attachment(index)
        if attachment.get_name() == ATTACHMENT_NAME:
            return bytes(attachment.get_data())
    return None


def running_text(pages: tuple[str, ...], head: str, repeated: re.Pattern[str]) -> str:
    """The pages as one text: running head and foot taken out, and at the top of a page a repeated table head."""
    bodies = []
    for page in pages:
        body = FOOT.sub("", page, count=1).replace(head, "", 1)
        bodies.append(repeated.sub("", body, count=1) if bodies else body)
    return "".join(bodies)

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
BODY = (23 * MM, 23 * MM, 187 * MM, 268 * MM)  # left, bottom, right, top: what stands outside is not readable
HEAD = (23 * MM, 272 * MM, 187 * MM, 290 * MM)
CODE_CORNER = (18 * MM, 20 * MM, 95 * MM, 90 * MM)  # where the last page has its code
DPI = 120  # what a poor scan has
Area = tuple[float, float, float, float]


@dataclass(frozen=True)
class ReadBack:
    """``heads`` and ``bodies``: the text of each page, plain(); ``codes``: the last page's QR texts."""

    heads: tuple[str, ...]
    bodies: tuple[str, ...]
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
            pages = [document[index] for index in range(len(document))]  # parsing a page is most of the cost
            heads, bodies = (tuple(column) for column in zip(*map(_areas, pages), strict=True))
            return ReadBack(heads, bodies, tuple(_codes(pages[-1])), _attachment(document))
        finally:
            document.close()


def _areas(page: pypdfium2.PdfPage) -> tuple[str, str]:
    layer = page.get_textpage()
    try:
        return plain(layer.get_text_bounded(*HEAD)), plain(layer.get_text_bounded(*BODY))
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


def running_text(bodies: tuple[str, ...], repeated: re.Pattern[str]) -> str:
    """The pages as one text, without the table head that is repeated at the top of a page."""
    return bodies[0] + "".join(repeated.sub("", body, count=1) for body in bodies[1:])

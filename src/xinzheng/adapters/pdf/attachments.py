"""Read the data attached to a report (附件): the canonical JSON, out of a file that may be hostile."""

from io import BytesIO
from typing import Any

from pyhanko.pdf_utils.decode_limits import DecodeLimits, DocumentDecodeBudget, StreamDecodeLimits
from pyhanko.pdf_utils.reader import PdfFileReader

ATTACHMENT_NAME = "report.json"
MAX_PDF_BYTES = 20 * 1024**2
MAX_ATTACHMENT_BYTES = 8_000_000
MAX_FILES = 16
LIMITS = DecodeLimits(
    per_stream=StreamDecodeLimits(max_output_size=MAX_ATTACHMENT_BYTES),
    document_budget=DocumentDecodeBudget(base_allowance=4 * MAX_ATTACHMENT_BYTES, max_ratio=1),
)


def read_attachment(pdf: bytes) -> bytes | None:
    """The bytes of report.json in ``pdf``; None if there is none, or the file is too large or cannot be read.

    At most 8 MB of attachment, unpacked, out of at most 20 MiB of file.
    """
    if len(pdf) > MAX_PDF_BYTES:
        return None
    try:
        return attachment_in(open_bounded(pdf))
    except Exception:  # whatever a stranger's file does to the reader, it holds no attachment for us
        return None


def open_bounded(pdf: bytes) -> PdfFileReader:
    """A reader of ``pdf`` that unpacks no more than a report of ours needs. Raises whatever the reader raises."""
    return PdfFileReader(BytesIO(pdf), decode_limits=LIMITS)


def attachment_in(reader: PdfFileReader) -> bytes | None:
    """The bytes of report.json, looked for among the catalogue's associated files, where PDF/A-3 requires each
    attachment to be listed; None if it is not there. Raises whatever the reader raises."""
    files: Any = reader.root.get("/AF", ())
    for index in range(min(len(files), MAX_FILES)):
        file = files[index]
        if file.get("/UF", file.get("/F")) == ATTACHMENT_NAME:
            return bytes(file["/EF"]["/F"].data)
    return None

"""Which leaf of the log a report's file belongs to (文件的日志叶), told from the file alone."""

from hashlib import sha256
from io import BytesIO

from pyhanko.pdf_utils.reader import PdfFileReader

from xinzheng.adapters.pdf.attachments import read_attachment
from xinzheng.adapters.signing.form import signed_digest
from xinzheng.core.errors import XinzhengError
from xinzheng.core.leaves import Leaf, issued_leaf
from xinzheng.core.lifecycle import ReportStatus


def leaf_of_file(pdf: bytes) -> Leaf:
    """What the log must say about a file: its content's digest, its signed digest, and the time in its signature.

    Nothing is said about the signature itself. XinzhengError ``report-unreadable`` when it is no report of ours.
    """
    content = read_attachment(pdf)
    file = signed_digest(pdf)
    try:
        signed_at = PdfFileReader(BytesIO(pdf)).embedded_signatures[0].self_reported_timestamp
    except Exception:  # whatever a stranger's file does to the reader, it is no report of ours
        signed_at = None
    if content is None or signed_at is None:
        raise XinzhengError("文件里没有报告内容或者签名时间，不是本系统签发的报告。", code="report-unreadable")
    return Leaf(sha256(content).digest(), ReportStatus.IN_FORCE, signed_at, file)


def leaf_bytes(leaf: Leaf) -> bytes:
    """The leaf of an issued report as the log holds it."""
    if leaf.file is None:
        raise ValueError("not the leaf of an issued report")
    return issued_leaf(leaf.digest, leaf.file, leaf.at)

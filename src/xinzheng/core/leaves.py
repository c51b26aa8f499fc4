"""What the transparency log holds (日志叶): canonical JSON, without a number or a name.

The digest of a report's content is all that tells its leaves from others; it cannot be guessed, since the content
holds the code. So whoever has the report finds its leaves, and whoever reads the log learns nothing about anybody.
"""

import hashlib
import json
import re
from datetime import UTC, datetime

from xinzheng.core.errors import XinzhengError
from xinzheng.core.lifecycle import ReportStatus

BYTE_RANGE = re.compile(rb"/ByteRange\s*\[\s*0\s+(\d{1,10})\s+(\d{1,10})\s+(\d{1,10})\s*\]")


def issued_leaf(digest: bytes, signed_digest: bytes, issued_at: datetime) -> bytes:
    """A report came into force: SHA-256 of its content, and of the bytes that its signature covers.

    ``issued_at`` is the time that stands in the signature, so that who has the file can make the leaf again.
    """
    return _canonical({"at": _moment(issued_at), "digest": digest.hex(), "file": signed_digest.hex(), "type": "issued"})


def status_leaf(digest: bytes, status: ReportStatus, changed_at: datetime) -> bytes:
    """A report's status changed."""
    return _canonical({"at": _moment(changed_at), "digest": digest.hex(), "status": str(status), "type": "status"})


def signed_digest(pdf: bytes) -> bytes:
    """SHA-256 of the bytes that a file's one signature covers: all but the room for the signature itself.

    The same before and after a time stamp is put in. XinzhengError ``byte-range-unreadable`` when there is not exactly
    one signature, or it leaves more out than one hexadecimal string.
    """
    found = BYTE_RANGE.findall(pdf)
    if len(found) == 1:
        end, begin, rest = (int(number) for number in found[0])
        gap = pdf[end:begin]
        if begin + rest == len(pdf) and gap[:1] == b"<" and gap[-1:] == b">" and gap.count(b"<") == 1:
            return hashlib.sha256(pdf[:end] + pdf[begin:]).digest()
    raise XinzhengError("文件中没有唯一的、覆盖整个文件的签名，不是本系统签发时的文件。", code="byte-range-unreadable")


def _moment(at: datetime) -> str:
    """One text for one moment, whatever zone it was given in."""
    return at.astimezone(UTC).isoformat()


def _canonical(members: dict[str, str]) -> bytes:
    """RFC 8785 of an object whose members are plain ASCII texts."""
    return json.dumps(members, sort_keys=True, separators=(",", ":")).encode("ascii")

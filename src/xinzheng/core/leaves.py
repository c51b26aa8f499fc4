"""What the transparency log holds (日志叶): canonical JSON, without a number or a name.

The digest of a report's content is all that tells its leaves from others; it cannot be guessed, since the content
holds the code. So whoever has the report finds its leaves, and whoever reads the log learns nothing about anybody.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime

from xinzheng.core.errors import XinzhengError
from xinzheng.core.lifecycle import ReportStatus


@dataclass(frozen=True, slots=True)
class Leaf:
    """What a leaf says (日志叶): since when the report of this content has this status.

    ``file`` is the signed digest of the file it was issued as; None for a later change of its status.
    """

    digest: bytes
    status: ReportStatus
    at: datetime
    file: bytes | None = None


def issued_leaf(digest: bytes, signed_digest: bytes, issued_at: datetime) -> bytes:
    """A report came into force: SHA-256 of its content, and of the bytes that its signature covers.

    ``issued_at`` is the time that stands in the signature, so that who has the file can make the leaf again.
    """
    return _canonical({"at": _moment(issued_at), "digest": digest.hex(), "file": signed_digest.hex(), "type": "issued"})


def status_leaf(digest: bytes, status: ReportStatus, changed_at: datetime) -> bytes:
    """A report's status changed."""
    return _canonical({"at": _moment(changed_at), "digest": digest.hex(), "status": str(status), "type": "status"})


def read_leaf(data: bytes) -> Leaf:
    """What a leaf says. XinzhengError ``leaf-unreadable`` when it is none of ours."""
    try:
        told = json.loads(data)
        at = datetime.fromisoformat(told["at"])
        status = ReportStatus.IN_FORCE if told["type"] == "issued" else ReportStatus(told["status"])
        leaf = Leaf(bytes.fromhex(told["digest"]), status, at, bytes.fromhex(told["file"]) if "file" in told else None)
        again = status_leaf(leaf.digest, status, at) if leaf.file is None else issued_leaf(leaf.digest, leaf.file, at)
        if again == data:
            return leaf
    except (ValueError, LookupError, TypeError):
        pass
    raise XinzhengError("日志的这一条不是本系统的格式。", code="leaf-unreadable")


def _moment(at: datetime) -> str:
    """One text for one moment, whatever zone it was given in."""
    return at.astimezone(UTC).isoformat()


def _canonical(members: dict[str, str]) -> bytes:
    """RFC 8785 of an object whose members are plain ASCII texts."""
    return json.dumps(members, sort_keys=True, separators=(",", ":")).encode("ascii")

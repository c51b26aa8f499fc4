"""What the transparency log holds (日志叶): canonical JSON, without a number or a name.

The digest of a report's content is all that tells its leaves from others; it cannot be guessed, since the content
holds the code. So whoever has the report finds its leaves, and whoever reads the log learns nothing about anybody.
Leaves of another kind anchor the audit trail: how many events it had, and the head of their chain.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from xinzheng.core.errors import XinzhengError
from xinzheng.core.lifecycle import ReportStatus
from xinzheng.core.merkle import HASH_BYTES


@dataclass(frozen=True, slots=True)
class Leaf:
    """What a leaf says (日志叶): since when the report of this content has this status.

    ``file`` is the signed digest of the file it was issued as; None for a later change of its status.
    """

    digest: bytes
    status: ReportStatus
    at: datetime
    file: bytes | None = None


@dataclass(frozen=True, slots=True)
class AuditLeaf:
    """Anchor of the audit trail (审计锚定): with ``count`` events its chain had this head at that time."""

    count: int
    head: bytes
    at: datetime


def issued_leaf(digest: bytes, signed_digest: bytes, issued_at: datetime) -> bytes:
    """A report came into force: SHA-256 of its content, and of the bytes that its signature covers.

    ``issued_at`` is the time that stands in the signature, so that who has the file can make the leaf again.
    """
    return _canonical({"at": _moment(issued_at), "digest": digest.hex(), "file": signed_digest.hex(), "type": "issued"})


def status_leaf(digest: bytes, status: ReportStatus, changed_at: datetime) -> bytes:
    """A report's status changed."""
    return _canonical({"at": _moment(changed_at), "digest": digest.hex(), "status": str(status), "type": "status"})


def audit_leaf(count: int, head: bytes, at: datetime) -> bytes:
    """The chain of audit events had this head when it held ``count`` of them."""
    return _canonical({"at": _moment(at), "count": count, "head": head.hex(), "type": "audit"})


def read_leaf(data: bytes) -> Leaf | AuditLeaf:
    """What a leaf says. XinzhengError ``leaf-unreadable`` when it is none of ours."""
    try:
        told = json.loads(data)
        leaf = _anchor(told) if told["type"] == "audit" else _told_of_report(told)
        if _again(leaf) == data:
            return leaf
    except (ValueError, LookupError, TypeError):
        pass
    raise XinzhengError("日志的这一条不是本系统的格式。", code="leaf-unreadable")


def _anchor(told: dict[str, Any]) -> AuditLeaf:
    if type(told["count"]) is not int or len(told["head"]) != len("00") * HASH_BYTES:
        raise ValueError(told["count"])
    return AuditLeaf(told["count"], bytes.fromhex(told["head"]), datetime.fromisoformat(told["at"]))


def _told_of_report(told: dict[str, Any]) -> Leaf:
    status = ReportStatus.IN_FORCE if told["type"] == "issued" else ReportStatus(told["status"])
    file = bytes.fromhex(told["file"]) if "file" in told else None
    return Leaf(bytes.fromhex(told["digest"]), status, datetime.fromisoformat(told["at"]), file)


def _again(leaf: Leaf | AuditLeaf) -> bytes:
    if isinstance(leaf, AuditLeaf):
        return audit_leaf(leaf.count, leaf.head, leaf.at)
    if leaf.file is None:
        return status_leaf(leaf.digest, leaf.status, leaf.at)
    return issued_leaf(leaf.digest, leaf.file, leaf.at)


def _moment(at: datetime) -> str:
    """One text for one moment, whatever zone it was given in."""
    return at.astimezone(UTC).isoformat()


def _canonical(members: dict[str, str | int]) -> bytes:
    """RFC 8785 of an object whose members are plain ASCII texts and whole numbers."""
    return json.dumps(members, sort_keys=True, separators=(",", ":")).encode("ascii")

"""What the transparency log holds (日志叶): canonical JSON, without a number or a name.

The digest of a report's content is all that tells its leaves from others; it cannot be guessed, since the content
holds the code. So whoever has the report finds its leaves, and whoever reads the log learns nothing about anybody.
"""

import json
from datetime import datetime

from xinzheng.core.lifecycle import ReportStatus


def issued_leaf(digest: bytes, signed_digest: bytes, issued_at: datetime) -> bytes:
    """A report came into force: SHA-256 of its content, and of the bytes that its signature covers."""
    return _canonical(
        {"at": issued_at.isoformat(), "digest": digest.hex(), "file": signed_digest.hex(), "type": "issued"}
    )


def status_leaf(digest: bytes, status: ReportStatus, changed_at: datetime) -> bytes:
    """A report's status changed."""
    return _canonical({"at": changed_at.isoformat(), "digest": digest.hex(), "status": str(status), "type": "status"})


def _canonical(members: dict[str, str]) -> bytes:
    """RFC 8785 of an object whose members are plain ASCII texts."""
    return json.dumps(members, sort_keys=True, separators=(",", ":")).encode("ascii")

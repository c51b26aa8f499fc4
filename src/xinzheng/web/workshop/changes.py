"""What differs between two versions of a pack (逐条比较), as the pages show it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from xinzheng.apps.oversight.pack_versions import pack_version
from xinzheng.apps.redress.clock import today
from xinzheng.apps.reports import ports
from xinzheng.core.policy import Policy


@dataclass(frozen=True)
class Changes:
    """Two versions and the clauses and rules in which they differ."""

    old: Policy
    new: Policy
    changed: Sequence[Any]


def changes_between(policy_id: str, old_sha256: str, new_sha256: str) -> Changes:
    """Compare two versions of a policy. Raises as ``pack_version`` does."""
    day = today()
    # Extensions are the deployment's and the office's, no part of any version.
    old, new = (replace(pack_version(policy_id, one, day), extensions=()) for one in (old_sha256, new_sha256))
    return Changes(old, new, ports.policy_files().compared(old, new))

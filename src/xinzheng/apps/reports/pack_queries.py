"""Which packs were published and which extensions recorded (发布、延期): read anew each time, within a page once."""

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from xinzheng.apps.reports.prepared import fetched
from xinzheng.core.policy import Extension

# A few rows a year: all of them are less than one look for one policy, whichever page asks for which.
RECORDED = """
    SELECT 'pack', policy_id, entry_id, from_date, document, reason, pack_id FROM reports_packpublication
    UNION ALL
    SELECT 'extension', policy_id, entry_id, until_date, document, note, NULL FROM reports_packextension
    ORDER BY 3
"""
# However a page ends: what it knew is not believed for longer.
PAGE_SECONDS = 5.0
_page = threading.local()


@dataclass(frozen=True, slots=True)
class Publication:
    """A pack put in force (发布政策包) from a day on; ``sha256`` is its digest in hexadecimal."""

    entry: int
    policy_id: str
    sha256: str
    from_date: date
    document: str
    reason: str


@dataclass(frozen=True, slots=True)
class Recorded:
    """All publications and extensions, by policy in the order in which they were recorded."""

    publications: Mapping[str, Sequence[Publication]] = field(default_factory=dict)
    extensions: Mapping[str, tuple[Extension, ...]] = field(default_factory=dict)

    def publication_on(self, policy_id: str, day: date) -> Publication | None:
        """The publication that holds on the day: of those begun the one with the latest day, of a day the later."""
        begun = [one for one in self.publications.get(policy_id, ()) if one.from_date <= day]
        return max(begun, key=lambda one: (one.from_date, one.entry), default=None)


def recorded() -> Recorded:
    """What was published and prolonged up to now, as this connection sees it. Within a page it is read once."""
    known: Recorded | None = getattr(_page, "recorded", None)
    if known is not None and time.monotonic() < _page.until:
        return known
    found = _read()
    if getattr(_page, "is_open", False):
        _page.recorded, _page.until = found, time.monotonic() + PAGE_SECONDS
    return found


def begin_page(**_signal: Any) -> None:
    """As a request begins: what is read from now on holds until it ends."""
    _page.recorded, _page.is_open = None, True


def forget_page(**_signal: Any) -> None:
    """As a request ends, and as soon as it publishes something itself: read anew each time."""
    _page.recorded, _page.is_open = None, False


def _read() -> Recorded:
    publications: dict[str, list[Publication]] = {}
    extensions: dict[str, tuple[Extension, ...]] = {}
    for what, policy_id, entry, day, document, words, pack in fetched(RECORDED, ()):
        if what == "pack":
            one = Publication(entry, policy_id, bytes(pack).hex(), day, document, words)
            publications.setdefault(policy_id, []).append(one)
        else:
            extensions[policy_id] = (*extensions.get(policy_id, ()), Extension(document, day, words))
    return Recorded(publications, extensions)

"""Rows as they were before a correction, brought again (旧内容再次报送): rejected, and the unit's to explain."""

from dataclasses import dataclass
from urllib.parse import urlencode

from xinzheng.apps.ledger.queries import waiting_of
from xinzheng.apps.redress.queries import ObjectionView
from xinzheng.core.identifiers import document_key
from xinzheng.core.objections import State

LOOKED_THROUGH = 500


@dataclass(frozen=True, slots=True)
class OldRow:
    """A waiting line with the document number of a corrected record; ``address`` opens the form of its explanation."""

    batch: int
    line: int
    address: str


def old_rows(view: ObjectionView, unit_id: int) -> list[OldRow]:
    """The unit's waiting lines about the record of an objection it upheld; nothing explains itself."""
    wanted = document_key(view.document_number)
    if view.state is not State.CORRECTED or view.unit_id != unit_id or not wanted:
        return []
    lines, _total = waiting_of(unit_id, limit=LOOKED_THROUGH)
    same = [line for line in lines if line.kind == view.kind and document_key(line.document) == wanted]
    return [OldRow(line.batch, line.line, _address(line.batch, line.line, view.number)) for line in same]


def _address(batch: int, line: int, number: str) -> str:
    reason = f"异议{number}成立，记录已经更正；这一行是更正以前的内容。"
    return f"/department/waiting?{urlencode({'batch': batch, 'line': line, 'reason': reason})}#explain-h"

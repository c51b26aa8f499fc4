"""What a PDF does beside showing itself (文件动作): looked for by name everywhere in it, whichever object holds it.

Acting things hang in many places (pages, fields, bookmarks, links, chains of actions), so it is their names that are
looked for. Only object streams hide names: they are opened, or the file is not taken.
"""

import re
from io import BytesIO
from typing import Any

from pyhanko.pdf_utils.reader import PdfFileReader

from xinzheng.adapters.evidence.verdicts import Problem

ESCAPED = re.compile(rb"#([0-9A-Fa-f]{2})")
ENDS = rb"(?=[\x00\t\n\f\r ()<>\[\]{}/%])"
ACTS = re.compile(rb"/(?:JavaScript|Launch|SubmitForm|ImportData|XFA)" + ENDS)
CARRIES = re.compile(rb"/EmbeddedFile" + ENDS)
# With either, objects may stand in compressed streams.
PACKED = re.compile(rb"/(?:ObjStm|XRef)" + ENDS)
MOST_UNPACKED = 100 * 1024 * 1024


def problem_of_actions(data: bytes) -> Problem | None:
    """What the file does or carries beside its pages; BROKEN where that cannot be told."""
    named = _named(data)
    problem = _problem_in(named)
    if problem is not None or not PACKED.search(named):
        return problem
    try:
        return _problem_in_packed(PdfFileReader(BytesIO(data), strict=False))
    # Whatever fails in reading strangers' objects: what cannot be looked into is not taken.
    except Exception:
        return Problem.BROKEN


def _named(data: bytes) -> bytes:
    """With names as they are read: ``/Java#53cript`` is ``/JavaScript``."""
    return ESCAPED.sub(lambda found: bytes.fromhex(found[1].decode()), data) + b" "


def _problem_in(named: bytes) -> Problem | None:
    if ACTS.search(named):
        return Problem.CARRIES_SCRIPTS
    return Problem.CARRIES_FILES if CARRIES.search(named) else None


def _problem_in_packed(reader: Any) -> Problem | None:
    if reader.encrypted:
        reader.decrypt(b"")
    unpacked = 0
    for reference in _packed(reader):
        text = reader.get_object(reference, transparent_decrypt=True).data
        unpacked += len(text)
        if unpacked > MOST_UNPACKED:
            return Problem.BROKEN
        problem = _problem_in(_named(text))
        if problem is not None:
            return problem
    return None


def _packed(reader: Any) -> set[Any]:
    """The streams that hold objects, of all revisions."""
    revisions = range(reader.xrefs.total_revisions)
    return {reference for revision in revisions for reference in reader.xrefs.object_streams_used_in(revision)}

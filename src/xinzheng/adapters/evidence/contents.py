"""Tell what a file is by what is in it, and what is wrong with it; runs in the bounded process only."""

import zipfile
from contextlib import suppress
from io import BytesIO

from PIL import Image

from xinzheng.adapters.evidence.pdf_files import problem_of_pdf
from xinzheng.adapters.evidence.picture_files import problem_of_picture
from xinzheng.adapters.evidence.verdicts import JPEG, PDF, PNG, Problem, Verdict

BEGINNINGS = {b"%PDF-": PDF, b"\xff\xd8\xff": JPEG, b"\x89PNG\r\n\x1a\n": PNG}
# Readers of PDF look for its beginning so far into a file.
PDF_BEGINS_WITHIN = 1024


def judge(data: bytes) -> Verdict:
    """What the file is, or the first thing found wrong with it."""
    media_type = next((kind for begin, kind in BEGINNINGS.items() if data.startswith(begin)), "")
    if not media_type:
        return Verdict(problem=Problem.OTHER_KIND)
    problem = _is_something_else_too(data, media_type) or _problem(data, media_type)
    return Verdict(problem=problem) if problem else Verdict(media_type)


def _is_something_else_too(data: bytes, media_type: str) -> Problem | None:
    """A file that another program takes for another kind: an archive is read from its end, a PDF from further in."""
    if zipfile.is_zipfile(BytesIO(data)):
        return Problem.SOMETHING_BESIDE
    if media_type != PDF and b"%PDF-" in data[:PDF_BEGINS_WITHIN]:
        return Problem.SOMETHING_BESIDE
    return None


def _problem(data: bytes, media_type: str) -> Problem | None:
    return problem_of_pdf(data) if media_type == PDF else problem_of_picture(data, media_type)


def warm_up() -> None:
    """Look into one small file of each kind: the libraries are loaded before strangers come."""
    for kind in ("PNG", "JPEG", "PDF"):
        drawn = BytesIO()
        with suppress(OSError):
            Image.new("L", (16, 16), 255).save(drawn, kind)
            judge(drawn.getvalue())

"""Whether a PDF can be taken as evidence: it opens for everybody, has pages, and carries nothing that acts."""

from contextlib import suppress
from io import BytesIO
from typing import Any

import pypdfium2
from pyhanko.pdf_utils.generic import DictionaryObject
from pyhanko.pdf_utils.reader import PdfFileReader
from pypdfium2 import raw

from xinzheng.adapters.evidence.pdf_actions import problem_of_actions
from xinzheng.adapters.evidence.verdicts import MOST_PAGES, Problem

END = b"%%EOF"
# What programs that scan or sign leave behind the end; an appended file is larger, or no white space.
BLANK = b"\r\n\t \x00"
CARRYING = (
    raw.FPDF_ANNOT_FILEATTACHMENT,
    raw.FPDF_ANNOT_SOUND,
    raw.FPDF_ANNOT_MOVIE,
    raw.FPDF_ANNOT_SCREEN,
    raw.FPDF_ANNOT_THREED,
    raw.FPDF_ANNOT_RICHMEDIA,
)


def problem_of_pdf(data: bytes) -> Problem | None:
    """What is wrong with it, None if nothing."""
    if END not in data:
        return Problem.BROKEN
    whole = data[: data.rfind(END) + len(END)]
    if data[len(whole) :].strip(BLANK):
        return Problem.SOMETHING_BESIDE
    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        return Problem.ENCRYPTED if _asks_for_a_password(error) else Problem.BROKEN
    try:
        acts = Problem.CARRIES_SCRIPTS if _acts_when_opened(whole) else None
        return _problem_inside(document) or acts or problem_of_actions(whole)
    except pypdfium2.PdfiumError:
        return Problem.BROKEN
    finally:
        document.close()


def _asks_for_a_password(error: pypdfium2.PdfiumError) -> bool:
    return bool(getattr(error, "err_code", None) == raw.FPDF_ERR_PASSWORD)


def _acts_when_opened(data: bytes) -> bool:
    """Whether its catalogue has something done when it is opened or closed, but to turn to a page."""
    # What only one of the two programs can read is taken: it opens, and the other knows of nothing in it.
    with suppress(Exception):
        reader = PdfFileReader(BytesIO(data), strict=False)
        if reader.encrypted:
            reader.decrypt(b"")
        action = reader.root.get("/OpenAction")
        action = getattr(action, "decrypted", action)
        return "/AA" in reader.root or (isinstance(action, DictionaryObject) and action.get("/S") != "/GoTo")
    return False


def _problem_inside(document: Any) -> Problem | None:
    count = len(document)
    if not count:
        return Problem.BROKEN
    if count > MOST_PAGES:
        return Problem.TOO_MANY_PAGES
    if document.count_attachments():
        return Problem.CARRIES_FILES
    if raw.FPDFDoc_GetJavaScriptActionCount(document) > 0:
        return Problem.CARRIES_SCRIPTS
    return next(filter(None, (_problem_of_page(document, number) for number in range(count))), None)


def _problem_of_page(document: Any, number: int) -> Problem | None:
    """Each page is unfolded once; one with a film, a sound or a file pinned to it is not taken."""
    page = document[number]
    try:
        for index in range(raw.FPDFPage_GetAnnotCount(page)):
            annotation = raw.FPDFPage_GetAnnot(page, index)
            problem = _problem_of_annotation(annotation)
            raw.FPDFPage_CloseAnnot(annotation)
            if problem:
                return problem
    finally:
        page.close()
    return None


def _problem_of_annotation(annotation: Any) -> Problem | None:
    if raw.FPDFAnnot_GetSubtype(annotation) in CARRYING:
        return Problem.CARRIES_FILES
    link = raw.FPDFAnnot_GetLink(annotation)
    action = raw.FPDFLink_GetAction(link) if link else None
    starts_a_program = action and raw.FPDFAction_GetType(action) == raw.PDFACTION_LAUNCH
    return Problem.CARRIES_SCRIPTS if starts_a_program else None

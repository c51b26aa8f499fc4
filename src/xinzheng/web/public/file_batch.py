"""Verify up to a hundred report files at once."""

from typing import BinaryIO, cast

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse

from xinzheng.apps.reports.file_verification import FILES_AT_MOST, BatchRunningError, verify_files
from xinzheng.apps.reports.looks import PUBLIC
from xinzheng.web.limits import are_too_many
from xinzheng.web.public.batch_answers import answers, file_row
from xinzheng.web.public.body_size import TOO_LARGE, TOO_MANY
from xinzheng.web.public.verdict_words import explain

FILES = "files"
MEBIBYTE = 1024 * 1024
NAME_AT_MOST = 120


class FilesError(Exception):
    """Nothing was verified; the message says what to do."""


def refusal(why: str) -> str:
    """What is said of a form that is too much to be read."""
    together = settings.XINZHENG_VERIFY_FILES_MAX_BYTES // MEBIBYTE
    return {
        TOO_LARGE: f"这些文件合起来超过{together} MB，没有核验。请分几次核验。",
        TOO_MANY: f"一次至多核验{FILES_AT_MOST}份文件，没有核验。请分几次核验。",
    }[why]


def verify_handed_in(request: HttpRequest) -> HttpResponse:
    """An answer for each file, or the page that says to wait. Raises FilesError."""
    files = cast("list[UploadedFile[bytes]]", request.FILES.getlist(FILES))
    if not files:
        raise FilesError("请先选择报告文件，一次可以选很多份。")
    wait = are_too_many(request, "verify-files", len(files), settings.XINZHENG_VERIFY_FILES_PER_MINUTE)
    if wait is not None:
        return wait
    try:
        verdicts = verify_files([cast(BinaryIO, file.file) for file in files], PUBLIC)
    except BatchRunningError as error:
        raise FilesError(error.message) from error
    rows = [
        file_row(verdict, explain(verdict, "file"), shown_name(file.name))
        for verdict, file in zip(verdicts, files, strict=True)
    ]
    return answers(request, rows, verdicts, "public/verify_batch_files.html")


def shown_name(name: str | None) -> str:
    """A file's name as it may be shown: no letter that is not seen, or that turns others around."""
    return "".join(letter if letter.isprintable() else "�" for letter in (name or "")[:NAME_AT_MOST])

"""Files handed in with a form (上传的证据): each looked into before anything is written; what is wrong with which."""

from collections.abc import Sequence
from typing import cast

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest

from xinzheng.apps.redress.evidence import MOST_FILES, EvidenceError, Found, read_file
from xinzheng.web.form_errors import FieldError

FIELD = "evidence"
# Fields before and after the files: a body that was cut off on its way would else be taken without the last of them.
BEGIN, END = "files-begin", "files-end"
MEBIBYTE = 1024 * 1024
UPLOADS_A_MINUTE = 20


def hint() -> str:
    """What may be handed in."""
    each, together = settings.XINZHENG_EVIDENCE_MAX_BYTES, settings.XINZHENG_EVIDENCE_TOGETHER_BYTES
    return (
        f"PDF、JPG或者PNG，最多{MOST_FILES}个，每个不超过{each // MEBIBYTE}MB，合起来不超过{together // MEBIBYTE}MB；"
        "拍照、扫描都可以"
    )


def too_much() -> str:
    """What is said of a form that is too large to be read."""
    together = settings.XINZHENG_EVIDENCE_TOGETHER_BYTES // MEBIBYTE
    return f"没有提交：最多{MOST_FILES}个文件，合起来不超过{together}MB。请缩小或者去掉几个，再填一次。"


def files_of(request: HttpRequest) -> tuple[list[Found], list[FieldError]]:
    """The files of the form, and what is wrong with those that are not taken."""
    if BEGIN in request.POST and END not in request.POST:
        return [], [FieldError(FIELD, "没有传完整，可能是网络中断，没有提交。请重新选择文件，再提交一次。")]
    handed_in = cast("Sequence[UploadedFile[bytes]]", request.FILES.getlist(FIELD))
    if len(handed_in) > MOST_FILES:
        words = f"一次最多上传{MOST_FILES}个文件，现在有{len(handed_in)}个。请去掉几个，或者合成一个PDF。"
        return [], [FieldError(FIELD, words)]
    found, errors = [], []
    for file in handed_in:
        try:
            found.append(read_file(file.read(settings.XINZHENG_EVIDENCE_MAX_BYTES + 1), file.name or ""))
        except EvidenceError as error:
            errors.append(FieldError(FIELD, error.message))
            if error.code == "evidence-not-examined":  # who makes us work that long is not worked for any longer
                break
    return found, errors

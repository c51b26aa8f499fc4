"""A file that came with a request: exactly one, not empty, not too large; on disk, with its digest."""

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path

from django.conf import settings
from django.core.files.uploadedfile import TemporaryUploadedFile, UploadedFile
from django.http import HttpRequest

from xinzheng.api.callers import MEBIBYTE
from xinzheng.api.problems import ProblemError
from xinzheng.api.v1.schemas import BatchForm


def check_parts(request: HttpRequest) -> None:
    """Refuse a form with fields nobody reads: a mistyped name would silently change what is stated."""
    strange = sorted(set(request.POST) - set(BatchForm.model_fields)) + sorted(set(request.FILES) - {"file"})
    twice = sorted(name for name in request.POST if len(request.POST.getlist(name)) > 1)
    if len(request.FILES.getlist("file")) > 1:
        twice.append("file")
    errors = [{"in": "form", "field": name[:64], "detail": "没有这一项，请核对名称。"} for name in strange]
    errors += [{"in": "form", "field": name, "detail": "只能写一次。"} for name in twice]
    if errors:
        message = "；".join(f"{found['field']}：{found['detail']}" for found in errors)
        raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "request-invalid", message, errors=errors)


def check_size(file: "UploadedFile[bytes]") -> None:
    """Refuse an empty file, and one beyond the limit."""
    limit = settings.XINZHENG_BATCH_MAX_BYTES
    if not file.size:
        message = "文件是空的，请换一个文件；没有记录的，请作零报告（POST /api/v1/coverage）。"
        raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "file-empty", message)
    if file.size > limit:
        message = f"文件超过{limit // MEBIBYTE} MB，请拆成几个文件分别报送。"
        raise ProblemError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "file-too-large", message)


def digest_of(form: BatchForm, file: "UploadedFile[bytes]") -> bytes:
    """SHA-256 of all that a delivery says: its fields, the file's name and its bytes."""
    digest = hashlib.sha256(form.model_dump_json().encode())
    digest.update(b"\0" + str(file.name).encode() + b"\0")
    for piece in file.chunks():
        digest.update(piece)
    return digest.digest()


@contextmanager
def on_disk(file: "UploadedFile[bytes]") -> Iterator[Path]:
    """The file as a path: a large one is on disk already, a small one is written there for the moment."""
    if isinstance(file, TemporaryUploadedFile):
        yield Path(file.temporary_file_path())
        return
    with tempfile.TemporaryDirectory(prefix="xinzheng-upload-") as folder:
        path = Path(folder) / "file"
        path.write_bytes(b"".join(file.chunks()))
        yield path

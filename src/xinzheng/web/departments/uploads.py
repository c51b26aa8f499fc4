"""Uploads: a file is handed in, taken in behind the scenes, and followed."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import TemporaryUploadedFile, UploadedFile
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django_htmx.http import HttpResponseClientRedirect, HttpResponseClientRefresh

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.accounts.permissions import refusals_to_submit
from xinzheng.apps.ledger.actions import Delivery, Scope
from xinzheng.apps.ledger.maps import ColumnMapError
from xinzheng.apps.ledger.models import Upload
from xinzheng.apps.ledger.queries import delivered_uploads
from xinzheng.apps.ledger.uploads import queue_upload
from xinzheng.apps.registry.queries import RegisteredUnit
from xinzheng.core.errors import XinzhengError
from xinzheng.web.access import form_on, refuse_if, signed_in
from xinzheng.web.departments.delivery_form import Filled, read_delivery
from xinzheng.web.departments.desk import Mistakes, desk_page, filled_in
from xinzheng.web.departments.duties import duties_of, own_unit
from xinzheng.web.form_errors import FieldError

UNDER_WAY = (Upload.State.QUEUED, Upload.State.RUNNING)


@form_on("/department")
@signed_in
def upload(request: HttpRequest, account: Account) -> HttpResponse:
    """Take a file and go to its progress page; what is plainly wrong is told on the desk."""
    unit = own_unit(account)
    refuse_if(refusals_to_submit(account, unit.id))
    duties = duties_of(unit)
    file = request.FILES.get("file")
    filled = read_delivery(duties, request.POST, file)
    if filled.errors or file is None:
        return desk_page(request, unit, duties, Mistakes(filled.errors, filled_in(request)))
    try:
        queued = _queue(unit, filled, file, account.actor)
    except XinzhengError as error:
        field = "map" if isinstance(error, ColumnMapError) else "through"
        mistakes = Mistakes([FieldError(field, error.message)], filled_in(request))
        return desk_page(request, unit, duties, mistakes)
    address = f"/department/uploads/{queued.pk}"
    return HttpResponseClientRedirect(address) if _asks_for_part(request) else HttpResponseRedirect(address)


@require_safe
@signed_in
def upload_progress(request: HttpRequest, account: Account, upload_id: int) -> HttpResponse:
    """Show how far an upload is; its own page goes on to the batch, its line on the desk stays where it is."""
    found = delivered_uploads().filter(pk=upload_id).first()
    if found is None:
        raise Http404("没有这次上传。")
    if found.unit_uscc != own_unit(account).uscc:
        raise PermissionDenied("这次上传属于另一单位，不能查看。")
    follows = not _asks_for_part(request) or "follow" in request.GET
    if found.state == Upload.State.DONE and follows:
        address = f"/department/batches/{found.batch_id}"
        return HttpResponseClientRedirect(address) if _asks_for_part(request) else HttpResponseRedirect(address)
    if found.state == Upload.State.FAILED and "follow" in request.GET and _asks_for_part(request):
        return HttpResponseClientRefresh()
    template = "departments/upload_job.html" if _asks_for_part(request) else "departments/upload.html"
    return render(request, template, {"upload": found, "follow": follows, "is_under_way": found.state in UNDER_WAY})


def _asks_for_part(request: HttpRequest) -> bool:
    return bool(getattr(request, "htmx", False))


def _queue(unit: RegisteredUnit, filled: Filled, file: "UploadedFile[bytes]", by: str) -> Upload:
    if filled.duty is None:
        raise XinzhengError("请选择领域和数据种类。", code="no-scope")
    scope = Scope(unit.uscc, filled.duty.domain, filled.duty.kind)
    with on_disk(file) as path:
        return queue_upload(Delivery(path, scope, filled.covers, filled.mode, str(file.name), filled.map_name), by=by)


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

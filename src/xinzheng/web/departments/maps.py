"""Column maps of a unit (列对照): which there are, what one says, a file to make a new one for, retirement."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_safe

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.accounts.permissions import refusals_to_submit
from xinzheng.apps.ledger.actions import retire_column_map
from xinzheng.apps.ledger.map_models import MapSample
from xinzheng.apps.ledger.map_samples import SampleFile, keep_failed_upload, keep_sample, preview_sample
from xinzheng.apps.ledger.maps import ColumnMapError, map_fields
from xinzheng.apps.ledger.models import Upload
from xinzheng.apps.ledger.queries import ColumnMapSummary, column_map, column_map_versions, column_maps_of
from xinzheng.apps.registry.queries import RegisteredUnit
from xinzheng.core.errors import XinzhengError
from xinzheng.web.access import form_on, refuse_if, signed_in
from xinzheng.web.departments.delivery_form import MEBIBYTE, SUFFIXES, check_file
from xinzheng.web.departments.duties import KIND_NAMES, duties_of, own_unit
from xinzheng.web.departments.map_editor import edit_map
from xinzheng.web.departments.uploads import on_disk
from xinzheng.web.form_errors import FieldError, by_field

SAMPLE_BYTES = 20 * MEBIBYTE


@require_safe
@signed_in
def maps(request: HttpRequest, account: Account) -> HttpResponse:
    """List the shipped maps and the unit's own."""
    unit = own_unit(account)
    found = column_maps_of(unit.id)
    context = {"own": [s for s in found if not s.is_shipped], "shipped": [s for s in found if s.is_shipped]}
    return render(request, "departments/maps.html", context | {"unit": unit})


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def new_map(request: HttpRequest, account: Account) -> HttpResponse:
    """Ask for a sample file; with one, edit."""
    unit = own_unit(account)
    refuse_if(refusals_to_submit(account, unit.id))
    if "sample" in request.GET:
        return edit_map(request, account, unit)
    if request.method == "POST":
        return _take_sample(request, account, unit)
    return _sample_page(request, unit, ())


@require_safe
@signed_in
def map_page(request: HttpRequest, account: Account, name: str) -> HttpResponse:
    """What one map says, and its versions."""
    unit = own_unit(account)
    found = _found(unit, name)
    fields = {field.id: field.name for field in map_fields(found.kind)}
    content = found.content
    context = {
        "unit": unit,
        "map": found,
        "columns": [(c["heading"], fields.get(c["field"], ""), c["meaning"]) for c in content["columns"]],
        "constants": [(fields[key], text) for key, text in content["constants"].items()],
        "words": [(fields[key], *said) for key, words in content["words"].items() for said in words.items()],
        "waived": [name for key, name in fields.items() if key in content["waived"]],
        "has_meanings": any(c["meaning"] for c in content["columns"]),
        "versions": column_map_versions(unit.id, name),
    }
    return render(request, "departments/map.html", context | _sample_fields())


@form_on("/department/maps/{name}")
@signed_in
def retire_map(request: HttpRequest, account: Account, name: str) -> HttpResponse:
    """Take a map of the unit out of use."""
    unit = own_unit(account)
    refuse_if(refusals_to_submit(account, unit.id))
    try:
        retire_column_map(unit_id=unit.id, name=name, by=account.actor)
    except XinzhengError as error:
        messages.add_message(request, messages.ERROR, error.message, extra_tags="found")
    else:
        messages.add_message(request, messages.SUCCESS, f"列对照“{name}”已停用。", extra_tags="none")
    return redirect("department-maps")


@form_on("/department/uploads/{upload_id}")
@signed_in
def map_upload(request: HttpRequest, account: Account, upload_id: int) -> HttpResponse:
    """Begin a map for the file of an upload that failed for its headings."""
    unit = own_unit(account)
    refuse_if(refusals_to_submit(account, unit.id))
    upload = Upload.objects.filter(pk=upload_id).first()
    if upload is None:
        raise Http404("没有这次上传。")
    if upload.unit_uscc != unit.uscc:
        raise PermissionDenied("这次上传属于另一单位，不能查看。")
    try:
        sample = _readable(keep_failed_upload(upload, unit.id, by=account.actor))
    except XinzhengError as error:
        messages.add_message(request, messages.ERROR, error.message, extra_tags="found")
        return redirect("department-maps-new")
    return redirect(f"/department/maps/new?{urlencode({'sample': str(sample.pk)})}")


def _take_sample(request: HttpRequest, account: Account, unit: RegisteredUnit) -> HttpResponse:
    kind, file = request.POST.get("kind", ""), request.FILES.get("sample")
    errors = []
    if kind not in dict(_kinds(unit)):
        errors.append(FieldError("kind", "请选择记录类型。"))
    check_file(file, errors, "sample")
    if file is not None and (file.size or 0) > SAMPLE_BYTES:
        errors.append(FieldError("sample", f"样本文件超过{SAMPLE_BYTES // MEBIBYTE} MB，请另存前几百行再上传。"))
    if errors or file is None:
        return _sample_page(request, unit, errors)
    try:
        address = _kept(request, account, unit, file)
    except XinzhengError as error:
        return _sample_page(request, unit, [FieldError("sample", error.message)])
    return redirect(address)


def _kept(request: HttpRequest, account: Account, unit: RegisteredUnit, file: "UploadedFile[bytes]") -> str:
    """Keep the sample; the address of its editor."""
    with on_disk(file) as path:
        given = SampleFile(unit.id, request.POST["kind"], path, str(file.name))
        sample = _readable(keep_sample(given, by=account.actor))
    base = request.POST.get("base", "")
    return f"/department/maps/new?{urlencode({'sample': str(sample.pk)} | ({'base': base} if base else {}))}"


def _readable(sample: MapSample) -> MapSample:
    """The sample, once it is sure that it is a table; otherwise it is dropped, and the adapter's error raised."""
    try:
        preview_sample(sample, None, rows=0)
    except XinzhengError:
        sample.delete()
        raise
    return sample


def _sample_page(request: HttpRequest, unit: RegisteredUnit, errors: "list[FieldError] | tuple[()]") -> HttpResponse:
    context = {
        "unit": unit,
        "kinds": _kinds(unit),
        "kind": request.POST.get("kind", ""),
        "base": request.POST.get("base", ""),
        "errors": errors,
        "error_of": by_field(errors),
    }
    page = _sample_fields() | context
    return render(request, "departments/map_sample.html", page, status=422 if errors else 200)


def _sample_fields() -> dict[str, object]:
    return {
        "error_of": by_field(()),
        "accept": ",".join(SUFFIXES),
        "max_bytes": SAMPLE_BYTES,
        "file_hint": f"CSV、XLSX、XLS或者JSON行，不超过{SAMPLE_BYTES // MEBIBYTE} MB，前几百行就够",
    }


def _kinds(unit: RegisteredUnit) -> list[tuple[str, str]]:
    return sorted({(duty.kind, KIND_NAMES.get(duty.kind, duty.kind)) for duty in duties_of(unit)})


def _found(unit: RegisteredUnit, name: str) -> ColumnMapSummary:
    try:
        return column_map(unit.id, name)
    except ColumnMapError as error:
        raise Http404(error.message) from error

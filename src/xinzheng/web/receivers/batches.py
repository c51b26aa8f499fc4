"""Pages of batch verification by file (批量核验): hand a file in, follow it, read and take away its answers."""

import uuid
from collections.abc import Sequence
from typing import cast

from django.conf import settings
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe
from django_htmx.http import HttpResponseClientRedirect, HttpResponseClientRefresh

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.audit.actions import record_event
from xinzheng.apps.codes.batch_files import LINES_AT_MOST, CheckFileError, read_check_file, template, told_name
from xinzheng.apps.codes.batch_queries import CheckRow, check_of, checks_of, summary_of, table_of_check
from xinzheng.apps.codes.batches import BatchCheckError, HandedIn, delete_check, queue_check
from xinzheng.apps.codes.models import Receiver
from xinzheng.apps.codes.receivers import receiver_of, refusals_to_check_batches
from xinzheng.web.access import form_on, refuse_if, signed_in
from xinzheng.web.form_errors import FieldError, by_field
from xinzheng.web.limits import limited
from xinzheng.web.public.batch_answers import XLSX
from xinzheng.web.public.body_size import sized

CHECKS, FILE = "/receiver/checks", "file"
FILES_A_MINUTE = 20
MEBIBYTE = 1024 * 1024


def _too_large(request: HttpRequest, _why: str) -> HttpResponse:
    most = settings.XINZHENG_CHECK_FILE_MAX_BYTES // MEBIBYTE
    error = FieldError(FILE, f"文件超过{most} MB，没有核验。请拆分成几个文件，分别上传。")
    return _refused_page(request, error=error)


@sized("XINZHENG_CHECK_FILE_MAX_BYTES", _too_large)
@limited("receiver-checks", FILES_A_MINUTE)
@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def checks(request: HttpRequest, account: Account) -> HttpResponse:
    """The receiver's own list and the form; or take a file and go to its progress page."""
    receiver = _own(account)
    if request.method != "POST":
        return _page(request, receiver, ())
    file = cast("UploadedFile[bytes] | None", request.FILES.get(FILE))
    if file is None:
        return _page(request, receiver, (FieldError(FILE, "请先选择要核验的文件。"),))
    name = told_name(file.name or "")
    try:
        lines = read_check_file(file.read(), name)
        made = queue_check(HandedIn(_number_of(request), name, lines), receiver, account=account)
    except (CheckFileError, BatchCheckError) as error:
        return _page(request, receiver, (FieldError(FILE, error.message),))
    address = f"{CHECKS}/{made.pk}"
    return HttpResponseClientRedirect(address) if _asks_for_part(request) else HttpResponseRedirect(address)


@require_safe
@signed_in
def check(request: HttpRequest, account: Account, check_id: uuid.UUID) -> HttpResponse:
    """How far a file is, or its answers; asked for its part only, the whole page loads anew when it is over."""
    found = _found(account, check_id)
    if not found.is_under_way and _asks_for_part(request):
        return HttpResponseClientRefresh()
    if found.is_done:
        summary = summary_of(found.id)
        more = summary.wanting + summary.not_asked > len(summary.rows)
        return render(request, "receivers/check_done.html", {"check": found, "summary": summary, "more": more})
    template_name = "receivers/check_part.html" if _asks_for_part(request) else "receivers/check.html"
    return render(request, template_name, {"check": found})


@require_safe
@signed_in
def check_table(_request: HttpRequest, account: Account, check_id: uuid.UUID) -> HttpResponse:
    """The answers as XLSX; that they were taken away is written down."""
    found = _found(account, check_id)
    if not found.is_done:
        raise Http404("还没有核验完。")
    response = HttpResponse(table_of_check(found.id), content_type=XLSX)
    response.headers["Content-Disposition"] = f'attachment; filename="checked-{found.created_at:%Y%m%d-%H%M%S}.xlsx"'
    record_event(
        who=account.actor,
        action="batch-check-fetched",
        object_kind="batch-check",
        object_id=found.id,
        details={"lines": found.lines},
    )
    return response


@form_on(CHECKS)
@signed_in
def delete(request: HttpRequest, account: Account, check_id: uuid.UUID) -> HttpResponse:
    """Delete a file and its answers before their time."""
    delete_check(_found(account, check_id).id, by=account.actor)
    messages.success(request, "已删除上传的文件和核验结果。")
    return redirect("receiver-checks")


@require_safe
@signed_in
def template_file(_request: HttpRequest, account: Account) -> HttpResponse:
    """An empty file to fill in."""
    _own(account)
    response = HttpResponse(template(), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="check-template.csv"'
    return response


def _own(account: Account) -> Receiver:
    """The account's receiver, once the office has verified it. Raises PermissionDenied."""
    receiver = receiver_of(account)
    refuse_if(refusals_to_check_batches(account, receiver))
    return cast(Receiver, receiver)


def _found(account: Account, check_id: uuid.UUID) -> CheckRow:
    """One of the own receiver's checks; anybody else's is not there."""
    found = check_of(_own(account).pk, check_id)
    if found is None:
        raise Http404("没有这次核验，可能已经到期删除。")
    return found


def _number_of(request: HttpRequest) -> uuid.UUID:
    """The number that the form brought, so that a second click is no second check."""
    try:
        return uuid.UUID(request.POST.get("id", ""))
    except ValueError:
        return uuid.uuid4()


def _asks_for_part(request: HttpRequest) -> bool:
    return bool(getattr(request, "htmx", False))


@signed_in
def _refused_page(request: HttpRequest, account: Account, error: FieldError) -> HttpResponse:
    return _page(request, _own(account), (error,))


def _page(request: HttpRequest, receiver: Receiver, errors: Sequence[FieldError]) -> HttpResponse:
    most = settings.XINZHENG_CHECK_FILE_MAX_BYTES
    context = {
        "receiver": receiver,
        "checks": checks_of(receiver.pk),
        "fresh": uuid.uuid4(),
        "errors": errors,
        "error_of": by_field(errors),
        "max_bytes": most,
        "hint": f"CSV或者XLSX，至多{LINES_AT_MOST:,}行，不超过{most // MEBIBYTE} MB",
        "days": settings.XINZHENG_KEEP_CHECK_DAYS,
    }
    return render(request, "receivers/checks.html", context, status=422 if errors else 200)

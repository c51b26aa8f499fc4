"""The credit office's page of screenings (名单核查): hand a list in on a stated basis, come back to its answer."""

import tempfile
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods
from django_htmx.http import HttpResponseClientRedirect

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.codes.batch_files import told_name
from xinzheng.apps.oversight.models import Screening
from xinzheng.apps.oversight.permissions import refusals_to_screen
from xinzheng.apps.oversight.queries import overseen_policies
from xinzheng.apps.oversight.screening import STATED, TEXT_MAX, NewScreening, ask
from xinzheng.apps.oversight.screening_files import LINES_AT_MOST
from xinzheng.apps.oversight.screening_queries import screenings
from xinzheng.core.errors import XinzhengError
from xinzheng.web.access import refuse_if, signed_in
from xinzheng.web.form_errors import FieldError, by_field
from xinzheng.web.public.body_size import sized

ADDRESS, FILE, POLICY = "/office/screenings", "file", "policy"
MEBIBYTE = 1024 * 1024
HINTS: Mapping[str, str] = {
    "basis": "准许不经主体同意核查的法律、法规或者规章，写到条款",
    "document": "提出核查的来函、通知或者会议纪要的文号；没有文号的，写材料名称和日期",
    "purpose": "例如：2026年度专项资金申请资格审核",
    "asked_for": "需要核查结果的单位全称",
}


def _too_large(request: HttpRequest, _why: str) -> HttpResponse:
    most = settings.XINZHENG_SCREENING_LIST_MAX_BYTES // MEBIBYTE
    return _refused_page(request, FieldError(FILE, f"名单超过{most} MB，没有接收。请拆分成几个名单，分别提交。"))


@sized("XINZHENG_SCREENING_LIST_MAX_BYTES", _too_large)
@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def screenings_page(request: HttpRequest, account: Account) -> HttpResponse:
    """All screenings and the form; or take a list in and go to its progress page."""
    refuse_if(refusals_to_screen(account))
    if request.method != "POST":
        return _page(request, {}, ())
    said = {name: request.POST.get(name, "") for name in (POLICY, *STATED)}
    file = cast("UploadedFile[bytes] | None", request.FILES.get("file"))
    if file is None:
        return _page(request, said, (FieldError(FILE, "请先选择名单文件。"),))
    try:
        made = _asked(said, file, account, _number_of(request))
    except XinzhengError as error:
        return _page(request, said, (FieldError(_field_of(error), error.message),))
    address = f"{ADDRESS}/{made.pk}"
    return HttpResponseClientRedirect(address) if getattr(request, "htmx", False) else HttpResponseRedirect(address)


def _asked(said: Mapping[str, str], file: "UploadedFile[bytes]", account: Account, key: uuid.UUID) -> Screening:
    """The list is read from a folder of ours and does not stay there."""
    with tempfile.TemporaryDirectory(prefix="xinzheng-list-") as folder:
        path = Path(folder) / "list"
        with path.open("wb") as out:
            for chunk in file.chunks():
                out.write(chunk)
        stated = {name: said[name] for name in STATED}
        new = NewScreening(said[POLICY], file=path, name=told_name(file.name or ""), **stated)
        return ask(new, account=account, key=key)


def _field_of(error: XinzhengError) -> str:
    if error.code.startswith("screening-list") or error.code in ("screening-too-long", "screening-names-people"):
        return FILE
    return str(error.context.get("field", POLICY if error.code != "screening-refused" else FILE))


def _number_of(request: HttpRequest) -> uuid.UUID:
    """The number that the form brought, so that a second click is no second screening."""
    try:
        return uuid.UUID(request.POST.get("id", ""))
    except ValueError:
        return uuid.uuid4()


@signed_in
def _refused_page(request: HttpRequest, account: Account, error: FieldError) -> HttpResponse:
    refuse_if(refusals_to_screen(account))
    return _page(request, {}, (error,))


def _page(request: HttpRequest, said: Mapping[str, str], errors: Sequence[FieldError]) -> HttpResponse:
    rows, most = screenings(), settings.XINZHENG_SCREENING_LIST_MAX_BYTES
    error_of = by_field(errors)
    context = {
        "rows": rows,
        "under_way": sum(row.is_under_way for row in rows),
        "policies": overseen_policies(timezone.localdate()),
        "policy": said.get(POLICY, ""),
        "fields": [(name, words, HINTS[name], said.get(name, ""), error_of[name]) for name, words in STATED.items()],
        "text_max": TEXT_MAX,
        "fresh": uuid.uuid4(),
        "errors": errors,
        "error_of": error_of,
        "max_bytes": most,
        "hint": f"CSV或者XLSX，至多{LINES_AT_MOST:,}行，不超过{most // MEBIBYTE} MB",
        "days": settings.XINZHENG_KEEP_SCREENING_DAYS,
    }
    return render(request, "screening/screenings.html", context, status=422 if errors else 200)

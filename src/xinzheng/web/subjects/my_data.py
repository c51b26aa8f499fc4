"""My data (我的数据): what is kept about who is signed in, who did what with it, taking it along, the phone."""

import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from xinzheng.apps.accounts.models import Account, Role
from xinzheng.apps.audit.actions import About, record_event
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.oversight.screening_queries import screened
from xinzheng.apps.registry.actions import PersonError, forget_phone, keep_phone
from xinzheng.apps.registry.queries import FullIdentity, full_identity, phone_of, subject_at
from xinzheng.web.access import form_on, signed_in
from xinzheng.web.form_errors import FieldError, by_field
from xinzheng.web.sign_in.recent import freshly_signed_in
from xinzheng.web.subjects.personal_data import access_log, everything, logged_subject, person_of

SHOWN = 50
READ_ME = """本压缩包是本系统保存的关于您的个人信息，导出时间见 personal-information.json 的 made_at。
person 是实名信息和联系电话，只在本文件中完整列出；subject 是系统内部编号。
objections 是提出的异议：每一步、您写的说明、您上传的文件名；文件本身在“异议”页面下载。
events_about 是谁办理、查看过与您有关的事项，events_by 是您自己办理的事项，各列最近一万条。
请妥善保管，不要转发。更正、删除请联系信用办。
"""


@require_safe
@signed_in
def my_data(request: HttpRequest, account: Account) -> HttpResponse:
    """What is kept, masked, and the access log."""
    return _page(request, account)


@require_safe
@signed_in
@freshly_signed_in
def my_data_in_full(request: HttpRequest, account: Account) -> HttpResponse:
    """The same with name, number and phone in clear; each time it is opened is an event."""
    person = person_of(account)
    identity = full_identity(person) if person is not None else None
    if person is None or identity is None:
        raise Http404("本账户没有实名信息。")
    _tell(account, "identity-shown", person)
    return _page(request, account, identity=identity)


@form_on("/my-data")
@signed_in
@freshly_signed_in
def export_my_data(request: HttpRequest, account: Account) -> HttpResponse:  # noqa: ARG001  every view takes it
    """All of it as JSON in a ZIP file."""
    _tell(account, "personal-data-exported", person_of(account))
    said = json.dumps(everything(account), ensure_ascii=False, indent=1, default=_plain)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("personal-information.json", said)
        file.writestr("说明.txt", READ_ME)
    response = HttpResponse(packed.getvalue(), content_type="application/zip")
    response.headers["Content-Disposition"] = 'attachment; filename="personal-information.zip"'
    return response


@form_on("/my-data")
@signed_in
@freshly_signed_in
def change_phone(request: HttpRequest, account: Account) -> HttpResponse:
    """Keep another phone, or none."""
    person = person_of(account)
    if person is None:
        raise Http404("本账户没有实名信息，不保存联系电话。")
    if "delete" in request.POST:
        forget_phone(person, by=account.actor)
        said = "联系电话已删除。"
    else:
        try:
            keep_phone(person, request.POST.get("phone", ""), by=account.actor)
        except PersonError as error:
            return _page(request, account, errors=(FieldError("phone", error.message),))
        said = "联系电话已保存。"
    messages.add_message(request, messages.SUCCESS, said, extra_tags="none")
    return redirect("my-data")


def _page(
    request: HttpRequest,
    account: Account,
    *,
    identity: FullIdentity | None = None,
    errors: tuple[FieldError, ...] = (),
) -> HttpResponse:
    person, logged = person_of(account), logged_subject(account)
    before = request.GET.get("before", "")
    asked = int(before) if before.isascii() and before.isdigit() and len(before) < 19 else None
    rows = access_log(account, logged, before=asked, limit=SHOWN + 1) if logged is not None else []
    context = {
        "role": Role(account.role).label,
        "person": _shown(person, identity) if person is not None else None,
        "is_full": identity is not None,
        "has_log": logged is not None,
        "screened": screened(logged) if logged is not None else [],
        "rows": rows[:SHOWN],
        "next": rows[SHOWN - 1].id if len(rows) > SHOWN else None,
        "is_later": asked is not None,
        "errors": errors,
        "error_of": by_field(errors),
    }
    return render(request, "subjects/my_data.html", context, status=422 if errors else 200)


def _shown(person: int, identity: FullIdentity | None) -> Mapping[str, str]:
    masked, phone = subject_at(person, head_position()), phone_of(person) or ""
    if identity is not None:
        return {"name": identity.name, "number": identity.number, "phone": phone}
    hidden = f"{phone[:3]}****{phone[-4:]}" if phone else ""
    return {"name": masked.name, "number": masked.identifier, "phone": hidden}


def _tell(account: Account, action: str, person: int | None) -> None:
    record_event(who=account.actor, action=action, object_kind="account", object_id=account.pk, details=About(person))


def _plain(value: Any) -> str:
    return str(value.isoformat() if hasattr(value, "isoformat") else value)

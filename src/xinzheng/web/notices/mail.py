"""Where notices are mailed (通知邮箱): keep an address, confirm it by the code, delete it."""

from collections.abc import Callable
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from xinzheng.apps.accounts.models import Account, Role
from xinzheng.apps.codes.mail_addresses import (
    CODE_LENGTH,
    LONGEST,
    MailError,
    address_of,
    confirm_address,
    forget_address,
    is_mail_set_up,
    keep_address,
    masked_address,
)
from xinzheng.apps.codes.models import MailAddress
from xinzheng.web.access import signed_in
from xinzheng.web.form_errors import FieldError, by_field
from xinzheng.web.limits import limited
from xinzheng.web.sign_in.staff import is_everybodys

TRIES_A_MINUTE = 10
EVERYBODYS = "这是演示账户，人人可以进入，不能登记邮箱。"


@dataclass(frozen=True, slots=True)
class _Act:
    """One of the page's forms: what it does, which field it is about, what is said when it is done."""

    do: Callable[[Account, str], object]
    field: str
    done: str


ACTS = {
    "keep": _Act(keep_address, "address", "确认码已经发到这个邮箱，请在30分钟内填写。"),
    "confirm": _Act(confirm_address, "code", "邮箱已确认，以后的通知同时发到这里。"),
    "forget": _Act(
        lambda account, _said: forget_address(account.pk, by=account.actor), "", "邮箱已删除，不再发送邮件。"
    ),
}


@limited("account-mail", TRIES_A_MINUTE)
@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def mail(request: HttpRequest, account: Account) -> HttpResponse:
    """The address and what can be done with it; POST does one of it."""
    act = ACTS.get(request.POST.get("act", "")) if request.method == "POST" else None
    if act is None:
        return _page(request, account)
    if is_everybodys(account):
        return _page(request, account, (FieldError("address", EVERYBODYS),))
    typed = {"address": request.POST.get("address", ""), "code": request.POST.get("code", "")}.get(act.field, "")
    try:
        act.do(account, typed.replace("\0", ""))
    except MailError as error:
        return _page(request, account, (FieldError(act.field or "address", error.message),))
    messages.add_message(request, messages.SUCCESS, act.done, extra_tags="none")
    return redirect("account-mail")


def _page(request: HttpRequest, account: Account, errors: tuple[FieldError, ...] = ()) -> HttpResponse:
    kept = MailAddress.objects.filter(pk=account.pk).first()
    context = {
        "address": masked_address(address_of(kept)) if kept is not None else "",
        "confirmed_at": kept.confirmed_at if kept is not None else None,
        "until": kept.confirm_until if kept is not None else None,
        "is_set_up": is_mail_set_up(),
        "is_office": account.role == Role.OFFICE_OPERATOR,
        "is_everybodys": is_everybodys(account),
        "longest": LONGEST,
        "code_length": CODE_LENGTH + 4,
        "errors": errors,
        "error_of": by_field(errors),
    }
    return render(request, "notices/mail.html", context, status=422 if errors else 200)

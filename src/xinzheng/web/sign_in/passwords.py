"""Change one's password (修改密码)."""

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from xinzheng.apps.accounts.locking import Attempt, attempt
from xinzheng.apps.accounts.models import Account
from xinzheng.apps.accounts.passwords import PasswordError, change_password, is_password_due
from xinzheng.web.access import signed_in
from xinzheng.web.form_errors import FieldError, by_field
from xinzheng.web.limits import limited
from xinzheng.web.sign_in import entering
from xinzheng.web.sign_in.staff import first_page, is_everybodys

RULES = (
    "至少12个字符。",
    "大写字母、小写字母、数字、其他字符中至少有三种。",
    "不含用户名，不是常见的密码。",
    "与最近5次用过的都不同。",
)


@sensitive_post_parameters("present", "password", "repeated")
@require_http_methods(["GET", "HEAD", "POST"])
@limited("password")
@signed_in
def password(request: HttpRequest, account: Account) -> HttpResponse:
    """Set a new password against the present one; every other session of the account ends."""
    if request.method != "POST" or is_everybodys(account) or not account.has_usable_password():
        return _page(request, account, [])
    errors = _mistakes(request, account)
    if not errors:
        try:
            change_password(account, request.POST["password"], by=account.actor)
        except PasswordError as error:
            errors = [FieldError("password", reason) for reason in error.reasons]
    if errors:
        return _page(request, account, errors)
    account.refresh_from_db()
    update_session_auth_hash(request, account)
    messages.add_message(request, messages.SUCCESS, "密码已修改。在其他设备上要用新密码重新登录。", extra_tags="none")
    return HttpResponseRedirect(first_page(account))


def _mistakes(request: HttpRequest, account: Account) -> list[FieldError]:
    wanted = {"present": "请填写现在的密码。", "password": "请填写新密码。", "repeated": "请再填写一次新密码。"}
    errors = [FieldError(name, message) for name, message in wanted.items() if not request.POST.get(name)]
    if errors:
        return errors
    if request.POST["password"] != request.POST["repeated"]:
        return [FieldError("repeated", "两次填写的新密码不一样，请重新填写。")]

    def check() -> Account | None:
        return account if account.check_password(request.POST["present"]) else None

    is_right = attempt(Attempt(account.username, account, "password"), check) is not None
    return [] if is_right else [FieldError("present", entering.wrong())]


def _page(request: HttpRequest, account: Account, errors: list[FieldError]) -> HttpResponse:
    context = {
        "errors": errors,
        "error_of": by_field(errors),
        "rules": RULES,
        "is_due": is_password_due(account),
        "has_password": account.has_usable_password() and not is_everybodys(account),
        "username": account.username,
    }
    return render(request, "sign_in/password.html", context, status=422 if errors else 200)

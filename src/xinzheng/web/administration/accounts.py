"""Accounts (账户): the system administrator opens and closes, the security administrator assigns and unlocks,
the auditor reads."""

from collections.abc import Callable, Sequence

from allauth.mfa.models import Authenticator
from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods

from xinzheng.apps.accounts.actions import NewAccount
from xinzheng.apps.accounts.administering import (
    NAME_AT_MOST,
    AccountError,
    assign_role,
    close_for,
    first_password,
    open_for,
    reopen_for,
)
from xinzheng.apps.accounts.locking import unlock
from xinzheng.apps.accounts.models import Account, Role
from xinzheng.apps.accounts.passwords import end_sessions
from xinzheng.apps.accounts.permissions import (
    refusals_to_assign_role,
    refusals_to_close_account,
    refusals_to_see_accounts,
    refusals_to_unlock,
)
from xinzheng.apps.audit.actions import record_event
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.registry.queries import units_at
from xinzheng.core.errors import XinzhengError
from xinzheng.web.access import form_on, refuse_if, signed_in
from xinzheng.web.administration.account_rows import account_page, account_rows, openable_roles
from xinzheng.web.form_errors import FieldError, by_field
from xinzheng.web.people.mandate_rows import LONGEST_NUMBER
from xinzheng.web.sign_in.recent import freshly_signed_in, is_fresh
from xinzheng.web.sign_in.staff import is_everybodys

PAGE, SESSIONS = "/administration/accounts", "/administration/sessions"
FIELDS = {"user-name-unfit": "username", "user-name-taken": "username", "unit-unfit": "unit"}


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def accounts(request: HttpRequest, account: Account) -> HttpResponse:
    """All accounts; POST opens one and shows its first password, this once."""
    refuse_if(refusals_to_see_accounts(account))
    if request.method != "POST":
        return _page(request, account)
    if not openable_roles(account):
        refuse_if(["审计员只查看账户，不开户。"])
    return _opened(request, account)


@freshly_signed_in
@sensitive_variables("password")
def _opened(request: HttpRequest, account: Account) -> HttpResponse:
    role, password = request.POST.get("role", ""), first_password()
    if role not in [choice.value for choice in openable_roles(account)]:
        return _page(request, account, [FieldError("role", "请选择角色。")])
    try:
        made = open_for(_new(request, Role(role), password), by=account)
    except AccountError as error:
        return _page(request, account, [FieldError(FIELDS.get(error.code, "role"), error.message)])
    return _page(request, account, made=made, password=password)


@form_on(PAGE)
@signed_in
@freshly_signed_in
def close(request: HttpRequest, account: Account, account_id: int) -> HttpResponse:
    """Close an account; it is signed out everywhere at once."""
    return _done(request, account, account_id, (refusals_to_close_account, close_for, "已停用，立即生效。"))


@form_on(PAGE)
@signed_in
@freshly_signed_in
def reopen(request: HttpRequest, account: Account, account_id: int) -> HttpResponse:
    """Let a closed account in again."""
    return _done(request, account, account_id, (refusals_to_close_account, reopen_for, "已恢复。"))


@form_on(PAGE)
@signed_in
@freshly_signed_in
def role(request: HttpRequest, account: Account, account_id: int) -> HttpResponse:
    """Give an account another role."""

    def assign(of: int, *, by: Account) -> Account:
        chosen = request.POST.get("role", "")
        if chosen not in Role.values:
            raise AccountError("请选择角色。", code="role-unfit")
        return assign_role(of, Role(chosen), _unit_id(request), by=by)

    return _done(request, account, account_id, (refusals_to_assign_role, assign, "已分配角色，该账户须重新登录。"))


@form_on(PAGE)
@signed_in
@freshly_signed_in
def release(request: HttpRequest, account: Account, account_id: int) -> HttpResponse:
    """Unlock an account after failures."""

    def released(of: int, *, by: Account) -> Account:
        found = Account.objects.get(pk=of)
        unlock(found, by=by.actor)
        return found

    return _done(request, account, account_id, (refusals_to_unlock, released, "已解除锁定。"))


@form_on(PAGE)
@signed_in
@freshly_signed_in
def reset_factor(request: HttpRequest, account: Account, account_id: int) -> HttpResponse:
    """Take away all second factors of an account: it must set up a new one; its sessions end."""
    said = "已重置第二因子；该账户下次登录时须重新设置。"
    return _done(request, account, account_id, (refusals_to_unlock, _without_factors, said))


@form_on(PAGE)
@signed_in
@freshly_signed_in
def sign_out_everywhere(request: HttpRequest, account: Account, account_id: int) -> HttpResponse:
    """End all sessions of an account."""

    def ended(of: int, *, by: Account) -> Account:
        return end_sessions(Account.objects.get(pk=of), by=by.actor)

    return _done(request, account, account_id, (refusals_to_unlock, ended, "已全部退出。"))


Deed = tuple[Callable[[Account, Account], list[str]], Callable[..., Account], str]


def _done(request: HttpRequest, account: Account, account_id: int, deed: Deed) -> HttpResponse:
    refusals, act, said = deed
    refuse_if(refusals_to_see_accounts(account))
    found = Account.objects.filter(pk=account_id).first()
    if found is None:
        raise Http404("没有这个账户。")
    refuse_if(refusals(account, found))
    if is_everybodys(found):
        refuse_if(["演示账户人人可以登录，不能停用或者更改。"])
    try:
        act(account_id, by=account)
    except XinzhengError as error:
        messages.add_message(request, messages.ERROR, error.message, extra_tags="found")
    else:
        messages.add_message(request, messages.SUCCESS, f"“{found.display_name}”{said}", extra_tags="none")
    return redirect(SESSIONS if request.POST.get("page") == SESSIONS else PAGE)


@transaction.atomic
def _without_factors(account_id: int, *, by: Account) -> Account:
    found = Account.objects.get(pk=account_id)
    Authenticator.objects.filter(user=found).delete()
    record_event(who=by.actor, action="second-factor-reset", object_kind="account", object_id=found.pk)
    return end_sessions(found, by=by.actor)


def _new(request: HttpRequest, role: Role, password: str) -> NewAccount:
    return NewAccount(
        username=request.POST.get("username", "").strip(),
        display_name=request.POST.get("display_name", "").strip(),
        role=role,
        unit_id=_unit_id(request),
        password=password,
    )


def _unit_id(request: HttpRequest) -> int | None:
    chosen = request.POST.get("unit", "")
    if not (chosen.isascii() and chosen.isdecimal() and len(chosen) <= LONGEST_NUMBER):
        return None
    return int(chosen) if int(chosen) in {unit.id for unit in units_at(head_position()).values()} else None


def _page(
    request: HttpRequest,
    account: Account,
    errors: Sequence[FieldError] = (),
    *,
    made: Account | None = None,
    password: str = "",
) -> HttpResponse:
    units = {unit.id: unit.name for unit in units_at(head_position()).values()}
    asked, page = account_page(request.GET)
    fields = ("username", "display_name", "role", "unit")
    context = {
        "rows": account_rows(account, page.shown, units),
        "next": page.next,
        "asked": asked,
        "roles": openable_roles(account),
        "is_fresh": is_fresh(request, account),
        "staff_roles": [one for one in Role if one not in (Role.SUBJECT_AGENT, Role.RECEIVER)],
        "is_security": account.role == Role.SECURITY_ADMINISTRATOR,
        "units": sorted(units.items(), key=lambda unit: unit[1]),
        "made": made,
        "password": password,
        "errors": errors,
        "error_of": by_field(errors),
        "values": {name: request.POST.get(name, "") if errors else "" for name in fields},
        "name_at_most": NAME_AT_MOST,
    }
    return render(request, "administration/accounts.html", context, status=422 if errors else 200)

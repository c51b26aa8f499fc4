"""The second factors of an account (第二因子): see them, add an app or a security key, make recovery codes, remove."""

import json
from dataclasses import dataclass
from datetime import datetime

from allauth.mfa.base.internal.flows import delete_dangling_recovery_codes, post_authentication
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from allauth.mfa.utils import decrypt, encrypt
from allauth.mfa.webauthn.internal.auth import WebAuthn, begin_registration
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.safestring import mark_safe
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from xinzheng.adapters.qr import qr_svg
from xinzheng.apps.accounts.models import Account
from xinzheng.apps.audit.actions import About, record_event
from xinzheng.web.access import form_on, signed_in
from xinzheng.web.form_errors import FieldError, by_field
from xinzheng.web.sign_in.factors import Kind, counted_kinds, factors_of, matching_counter, new_key
from xinzheng.web.sign_in.recent import freshly_signed_in
from xinzheng.web.sign_in.second_factor import Adapter
from xinzheng.web.sign_in.staff import first_page, is_everybodys, needs_second_factor, takes_security_keys

PAGE = "/account/keys"
RECOVERY = f"{PAGE}/recovery"
PENDING = "pending-code-secret"
NAME_AT_MOST = 50
KINDS = {Kind.TOTP: "动态口令", Kind.WEBAUTHN: "安全密钥"}


@dataclass(frozen=True)
class FactorRow:
    """A factor as the page shows it; never its secret."""

    id: int
    kind: str
    name: str
    created_at: datetime
    last_used_at: datetime | None


@signed_in
def keys(request: HttpRequest, account: Account) -> HttpResponse:
    """The account's factors, and what can be added."""
    held = factors_of(account)
    context = {
        "rows": [_row(factor) for factor in held],
        "has_app": any(factor.type == Kind.TOTP for factor in held),
        "offers_app": Kind.TOTP in counted_kinds(),
        "offers_keys": takes_security_keys(request),
        "is_needed": needs_second_factor(account) and not is_everybodys(account),
        "is_everybodys": is_everybodys(account),
        "may_remove": not needs_second_factor(account) or len(held) > 1,
        "codes_left": _codes_left(account),
        "first_page": first_page(account),
    }
    return render(request, "sign_in/keys.html", context)


@sensitive_post_parameters("code")
@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
@freshly_signed_in
def add_app(request: HttpRequest, account: Account) -> HttpResponse:
    """Bind an app that shows one-time codes: scan, then type the first code."""
    _refuse_everybodys(account)
    if Kind.TOTP not in counted_kinds() or Authenticator.objects.filter(user_id=account.pk, type=Kind.TOTP).exists():
        return HttpResponseRedirect(PAGE)
    # The secret waits sealed in the session until the first code shows that the app has it.
    if request.method != "POST" or PENDING not in request.session:
        request.session[PENDING] = encrypt(generate_totp_secret())
        return _app_page(request, account, [])
    secret = decrypt(request.session[PENDING])
    step = matching_counter(secret, "".join(request.POST.get("code", "").split()))
    if step is None:
        return _app_page(
            request, account, [FieldError("code", "验证码不对，请核对手机的时间，输入应用现在显示的6位数。")]
        )
    del request.session[PENDING]
    with transaction.atomic():
        made = TOTP.activate(account, secret).instance
        made.data["last_step"] = step
        made.save(update_fields=["data"])
        _added(request, account, made)
    return HttpResponseRedirect(RECOVERY)


@sensitive_post_parameters("credential")
@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
@freshly_signed_in
def add_key(request: HttpRequest, account: Account) -> HttpResponse:
    """Bind a security key: the browser asks for it, and posts what it answered."""
    _refuse_everybodys(account)
    if not takes_security_keys(request):
        return HttpResponseRedirect(PAGE)
    if request.method != "POST":
        return _key_page(request, account, [])
    answer = new_key(request.POST.get("credential", ""))
    if answer is None:
        return _key_page(request, account, [FieldError("name", "没有收到安全密钥的回应，请再试一次。")])
    name = "".join(char for char in request.POST.get("name", "") if char.isprintable())[:NAME_AT_MOST].strip()
    with transaction.atomic():
        _added(request, account, WebAuthn.add(account, name or "安全密钥", answer).instance)
    return HttpResponseRedirect(RECOVERY)


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
@freshly_signed_in
def recovery(request: HttpRequest, account: Account) -> HttpResponse:
    """The recovery codes: shown once; POST makes new ones, and those from before open nothing any more."""
    _refuse_everybodys(account)
    if not factors_of(account):
        return HttpResponseRedirect(PAGE)
    if request.method == "POST":
        with transaction.atomic():
            Account.objects.select_for_update().get(pk=account.pk)
            Authenticator.objects.filter(user_id=account.pk, type=Kind.RECOVERY_CODES).delete()
            RecoveryCodes.activate(account)
            _record(account, "recovery-codes-made")
        return HttpResponseRedirect(RECOVERY)
    context = {"codes": _codes_once(account), "left": _codes_left(account), "first_page": first_page(account)}
    return render(request, "sign_in/recovery.html", context)


@form_on(PAGE)
@signed_in
@freshly_signed_in
def remove(request: HttpRequest, account: Account, key_id: int) -> HttpResponse:
    """Remove a factor; staff keep at least one."""
    _refuse_everybodys(account)
    with transaction.atomic():
        Account.objects.select_for_update().get(pk=account.pk)
        held = factors_of(account)
        factor = next((factor for factor in held if factor.pk == key_id), None)
        if factor is None:
            raise Http404
        if needs_second_factor(account) and len(held) == 1:
            raise PermissionDenied("工作人员至少要有一个第二因子；请先添加新的，再移除这一个。")
        kind = factor.type
        factor.delete()
        delete_dangling_recovery_codes(account)
        _record(account, "second-factor-removed", kind)
    messages.add_message(request, messages.SUCCESS, "已移除，立即生效。", extra_tags="none")
    return HttpResponseRedirect(PAGE)


def _refuse_everybodys(account: Account) -> None:
    if is_everybodys(account):
        raise PermissionDenied("演示账户人人可以进入，不能绑定第二因子，也不能修改密码。")


def _row(factor: Authenticator) -> FactorRow:
    name = factor.wrap().name if factor.type == Kind.WEBAUTHN else "手机上的验证器应用"
    return FactorRow(factor.pk, KINDS[factor.type], name, factor.created_at, factor.last_used_at)


def _added(request: HttpRequest, account: Account, made: Authenticator) -> None:
    RecoveryCodes.activate(account)
    _record(account, "second-factor-added", made.type)
    # Whoever has just shown the factor has signed in with it.
    post_authentication(request, made)


def _record(account: Account, action: str, kind: str = "") -> None:
    about = About(account.person_id, details={"kind": kind} if kind else {})
    record_event(who=account.actor, action=action, object_kind="account", object_id=account.pk, details=about)


def _recovery_of(account: Account) -> RecoveryCodes | None:
    found = Authenticator.objects.filter(user_id=account.pk, type=Kind.RECOVERY_CODES).first()
    return None if found is None else found.wrap()


def _codes_left(account: Account) -> int:
    found = _recovery_of(account)
    return 0 if found is None else len(found.get_unused_codes())


def _codes_once(account: Account) -> list[str]:
    found = _recovery_of(account)
    if found is None or found.did_view:
        return []
    found.mark_as_viewed()
    return list(found.get_unused_codes())


def _app_page(request: HttpRequest, account: Account, errors: list[FieldError]) -> HttpResponse:
    secret = decrypt(request.session[PENDING])
    context = {
        "errors": errors,
        "error_of": by_field(errors),
        "secret": " ".join(secret[i : i + 4] for i in range(0, len(secret), 4)),
        "qr": mark_safe(qr_svg(Adapter(request).build_totp_url(account, secret))),  # noqa: S308  our own drawing
    }
    return render(request, "sign_in/add_app.html", context, status=422 if errors else 200)


def _key_page(request: HttpRequest, account: Account, errors: list[FieldError]) -> HttpResponse:
    options = json.dumps(begin_registration(account, passwordless=False), default=dict)
    context = {
        "errors": errors,
        "error_of": by_field(errors),
        "options": options,
        "name": request.POST.get("name", ""),
        "name_at_most": NAME_AT_MOST,
    }
    return render(request, "sign_in/add_key.html", context, status=422 if errors else 200)

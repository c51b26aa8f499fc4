"""To an identity platform and back (OpenID Connect, code flow with PKCE), and the platforms an account is linked to."""

from typing import Any

import jwt
import structlog
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialLogin
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.contrib import messages
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods
from requests import RequestException

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.audit.actions import About, record_event
from xinzheng.web.access import form_on, safe_return, signed_in
from xinzheng.web.context import signed_in_account
from xinzheng.web.limits import limited
from xinzheng.web.sign_in.platform_buttons import buttons, let_forms_lead_to
from xinzheng.web.sign_in.platforms import CONNECTIONS, UNFINISHED, failed, platform_named
from xinzheng.web.sign_in.recent import freshly_signed_in, is_fresh
from xinzheng.web.sign_in.staff import is_everybodys, is_staff

SIGNED_WITH = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
# What a platform's answer that is not as the standard has it looks like from here.
UNREADABLE = (KeyError, ValueError, TypeError, AttributeError, ImproperlyConfigured)
log = structlog.get_logger(__name__)


class PlatformClient(OpenIDConnectOAuth2Adapter):  # type: ignore[misc]
    """The library's client, stricter: the token is always checked against the platform's keys, claims are not kept."""

    def complete_login(self, request: HttpRequest, app: SocialApp, token: Any, **kwargs: Any) -> SocialLogin:
        """Who comes; what is said of him stands in ``said`` until the request ends."""
        if not kwargs["response"].get("id_token"):
            raise OAuth2Error("no id_token")
        login = super().complete_login(request, app, token, **kwargs)
        said = login.account.extra_data
        # OpenID Connect Core 5.3.2: a userinfo answer about somebody else must not be used.
        if said["userinfo"].get("sub") != said["id_token"].get("sub"):
            raise OAuth2Error("userinfo of somebody else")
        login.said = {**said["id_token"], **said["userinfo"]}
        login.account.extra_data = {}
        return login

    def _decode_id_token(self, app: SocialApp, id_token: str) -> dict[str, Any]:
        with get_adapter().get_requests_session() as session:
            answer = session.get(self.openid_config["jwks_uri"])
            answer.raise_for_status()
        try:
            kid = jwt.get_unverified_header(id_token).get("kid")
            # A platform with a single key need not name it (OpenID Connect Core 10.1).
            (key,) = [key for key in answer.json()["keys"] if kid is None or key.get("kid") == kid]
            found: dict[str, Any] = jwt.decode(
                id_token,
                key=jwt.PyJWK(key).key,
                algorithms=SIGNED_WITH,
                issuer=self.openid_config["issuer"],
                audience=app.client_id,
                options={"require": ["exp", "iat", "sub"]},
            )
        except jwt.PyJWTError as error:
            raise OAuth2Error("id_token not valid") from error
        return found


@never_cache
@form_on("/sign-in")
@limited("platform")
def begin(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Lead to the platform; ``process=connect`` links it to the account that is signed in."""
    if platform_named(provider_id) is None:
        raise Http404
    account, is_connecting = signed_in_account(request), request.POST.get("process") == "connect"
    if is_connecting and account is not None and (is_staff(account) or is_everybodys(account)):
        return HttpResponseRedirect(CONNECTIONS)
    if is_connecting and (account is None or not is_fresh(request, account)):
        return HttpResponseRedirect(f"/sign-in/again?next={CONNECTIONS}")
    wanted = safe_return(request, request.POST.get("next", ""), "")
    provider = get_adapter(request).get_provider(request, provider_id)
    try:
        response: HttpResponse = provider.redirect(
            request,
            "connect" if is_connecting else "login",
            next_url=wanted or None,
            auth_params={"prompt": "login"} if request.POST.get("process") == "again" else {},
        )
    except (RequestException, *UNREADABLE) as error:
        log.warning("platform cannot be reached", platform=provider_id, reason=type(error).__name__)
        return failed(request, UNFINISHED, status=502)
    return response


@never_cache
@require_http_methods(["GET"])
def come_back(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Take what the platform sends back: once, to the browser that went there."""
    if platform_named(provider_id) is None:
        raise Http404
    try:
        response: HttpResponse = OAuth2CallbackView.adapter_view(PlatformClient(request, provider_id))(request)
    except UNREADABLE as error:
        log.warning("platform answers unreadably", platform=provider_id, reason=type(error).__name__)
        return failed(request, UNFINISHED, status=502)
    return response


@signed_in
def connections(request: HttpRequest, account: Account) -> HttpResponse:
    """The platforms the account is linked to, and those it may be linked to."""
    names = {platform.id: platform.name for platform in buttons()}
    held = _links(account)
    context = {
        "rows": [(link, names.get(link.provider, link.provider)) for link in held],
        "others": [platform for platform in buttons() if platform.id not in {link.provider for link in held}],
        "may_connect": not is_staff(account) and not is_everybodys(account),
        "may_remove": account.has_usable_password() or len(held) > 1,
        "next": "",
    }
    return let_forms_lead_to(render(request, "sign_in/connections.html", context))


@form_on(CONNECTIONS)
@signed_in
@freshly_signed_in
def disconnect(request: HttpRequest, account: Account, link_id: int) -> HttpResponse:
    """Forget a platform; one way to sign in stays."""
    with transaction.atomic():
        Account.objects.select_for_update().get(pk=account.pk)
        held = _links(account)
        link = next((link for link in held if link.pk == link_id), None)
        if link is None:
            raise Http404
        if not account.has_usable_password() and len(held) == 1:
            raise PermissionDenied("这是唯一的登录方式，不能取消；请先连接另一个政务服务账户。")
        about = About(account.person_id, details={"platform": link.provider})
        link.delete()
        record_event(
            who=account.actor,
            action="platform-disconnected",
            object_kind="account",
            object_id=account.pk,
            details=about,
        )
    messages.add_message(request, messages.SUCCESS, "已取消连接。", extra_tags="none")
    return HttpResponseRedirect(CONNECTIONS)


def _links(account: Account) -> list[SocialAccount]:
    return list(SocialAccount.objects.filter(user_id=account.pk).order_by("pk"))

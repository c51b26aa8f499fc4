"""Where platforms get tokens (令牌) and give them back; answers are those of RFC 6749 and 7009, not problems."""

import json
import re
from datetime import timedelta
from typing import Any

from allauth.core.internal.httpkit import extract_basic_auth
from allauth.idp.oidc import views
from allauth.idp.oidc.models import Client, Token
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from xinzheng.apps.accounts.models import Platform
from xinzheng.apps.accounts.platform_tokens import acts_for_somebody, token_digest
from xinzheng.apps.accounts.platforms import ON_BEHALF, OPENID
from xinzheng.apps.audit.actions import record_event
from xinzheng.web.limits import is_too_often
from xinzheng.web.platforms.strict import oauth_error, without_nul
from xinzheng.web.platforms.used_codes import end_if_used, note_used

LIMIT, WRONG_PER_MINUTE = "platform-token", 30
GRANTS = (Client.GrantType.CLIENT_CREDENTIALS, Client.GrantType.AUTHORIZATION_CODE, Client.GrantType.REFRESH_TOKEN)
LONGEST_CODE = 200
NAME = re.compile(r"[!-~]{1,100}")
SECRETS = ("client_secret", "code", "code_verifier", "refresh_token", "token")


@csrf_exempt
@sensitive_post_parameters(*SECRETS)
@require_POST
@without_nul
def token(request: HttpRequest) -> HttpResponse:
    """Give a token: to a platform for itself, for a code that a person's consent gave, or for a refresh token."""
    if is_too_often(request, LIMIT, WRONG_PER_MINUTE, many=0):
        return oauth_error("temporarily_unavailable", "出错的次数太多，请在一分钟后再试。", 429)
    refused = _refused(request)
    if refused is not None:
        return refused
    own = f"platform-tokens:{_named(request)}"
    if is_too_often(request, own, _per_minute(request), many=0):
        return oauth_error("temporarily_unavailable", "取令牌太频繁：令牌在到期前可以反复使用，请在一分钟后再试。", 429)
    with transaction.atomic():
        _hold(_named(request))
        _wait_for(request.POST.get("code") or request.POST.get("refresh_token") or "")
        before, begun_at = _refresh_token(request), timezone.now()
        response: HttpResponse = views.token(request)
        if response.status_code == 200:
            given = _note(request, response, before)
            note_used(given.client_id, request.POST.get("code", ""), given.user_id, begun_at)
            is_too_often(request, own, 1)
        elif b'"invalid_grant"' in response.content:  # said only to who has proved to be the platform
            end_if_used(_named(request), request.POST.get("code", ""))
    if response.status_code in (400, 401):
        is_too_often(request, LIMIT, WRONG_PER_MINUTE)
    return response


@csrf_exempt
@sensitive_post_parameters(*SECRETS)
@require_POST
@without_nul
def revoke(request: HttpRequest) -> HttpResponse:
    """Take back a token of the platform that asks, with a refresh token also the access tokens for that person.

    A token of nobody, or of another platform, is answered alike: it opens nothing here.
    """
    if is_too_often(request, LIMIT, WRONG_PER_MINUTE, many=0):
        return oauth_error("temporarily_unavailable", "出错的次数太多，请在一分钟后再试。", 429)
    client = _authenticated(request)
    if client is None:
        is_too_often(request, LIMIT, WRONG_PER_MINUTE)
        return _unknown_client()
    with transaction.atomic():
        digest = token_digest(request.POST.get("token", ""))
        found = Token.objects.filter(client=client, hash=digest).exclude(type=Token.Type.AUTHORIZATION_CODE).first()
        if found is not None:
            same = Token.objects.filter(client=client, user=found.user)
            count, _ = (same if found.type == Token.Type.REFRESH_TOKEN else same.filter(pk=found.pk)).delete()
            _record(client.pk, "platform-token-returned", found, {"tokens": count})
    return HttpResponse(status=200, headers={"Cache-Control": "no-store"})


def _refused(request: HttpRequest) -> HttpResponse | None:
    """What the library would let pass, or stumble over."""
    said = request.POST
    if request.GET or any(len(values) > 1 for _, values in said.lists()):
        return oauth_error("invalid_request", "参数应写在表单里，每个只写一次。")
    if said.get("grant_type") not in GRANTS:
        return oauth_error("unsupported_grant_type", f"grant_type 可用的有：{'、'.join(GRANTS)}。")
    if "resource" in said:
        return oauth_error("invalid_target", "本接口不用 resource 参数。")
    asked = set(said.get("scope", "").split())
    if said["grant_type"] == Client.GrantType.CLIENT_CREDENTIALS and asked & {*ON_BEHALF, OPENID}:
        return oauth_error("invalid_scope", "这些权限须代表用户办理，请用授权码方式取得令牌。")
    return _refused_proof(request)


def _refused_proof(request: HttpRequest) -> HttpResponse | None:
    said = request.POST
    by_header, _ = extract_basic_auth(request.headers)
    if not NAME.fullmatch(_named(request)):
        return _unknown_client()
    if by_header is not None and (said.get("client_id", by_header) != by_header or "client_secret" in said):
        return oauth_error("invalid_request", "平台的编号和密钥只用一种方式出示。")
    code = said.get("code", "")
    if len(code) > LONGEST_CODE or not (code.isascii() and (not code or code.isprintable()) and " " not in code):
        return oauth_error("invalid_grant", "授权码无效，请由用户重新授权。")
    return _refused_refreshing(request)


def _named(request: HttpRequest) -> str:
    """The platform that the request says it comes from."""
    by_header, _ = extract_basic_auth(request.headers)
    return str(request.POST.get("client_id", "") if by_header is None else by_header)


def _per_minute(request: HttpRequest) -> int:
    found = Platform.objects.filter(pk=_named(request)).values_list("per_minute", flat=True).first()
    return found or WRONG_PER_MINUTE


def _refused_refreshing(request: HttpRequest) -> HttpResponse | None:
    found = _refresh_token(request)
    if found is None or found.user is None or acts_for_somebody(found.user):
        return None
    return oauth_error("invalid_grant", "该账户现在没有可以代办的主体，请由用户重新授权。")


def _refresh_token(request: HttpRequest) -> Token | None:
    if request.POST.get("grant_type") != Client.GrantType.REFRESH_TOKEN:
        return None
    digest = token_digest(request.POST.get("refresh_token", ""))
    found: Token | None = Token.objects.valid().filter(type=Token.Type.REFRESH_TOKEN, hash=digest).first()
    return found


def _hold(client_id: str) -> None:
    """Nothing is given while the consent is taken back or the platform revoked: whoever comes second finds it done."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM accounts_platform WHERE client_id = %s FOR SHARE", [client_id])


def _wait_for(shown: str) -> None:
    """Of two who come with the same code or refresh token at once, the second finds it used."""
    if not shown:
        return
    number = int(token_digest(shown)[:15], 16)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [number])


def _note(request: HttpRequest, response: HttpResponse, before: Token | None) -> Token:
    """Record what was given, and return it; refreshed, it ends when the person's consent would have ended anyway."""
    answer: dict[str, Any] = json.loads(response.content)
    given = Token.objects.get(type=Token.Type.ACCESS_TOKEN, hash=token_digest(answer["access_token"]))
    if before is not None and before.expires_at is not None:
        given_too = Token.objects.filter(
            type=Token.Type.REFRESH_TOKEN, hash=token_digest(answer.get("refresh_token", ""))
        )
        given_too.update(expires_at=before.expires_at, created_at=before.created_at)
        Token.objects.filter(pk=given.pk, expires_at__gt=before.expires_at).update(expires_at=before.expires_at)
        answer["refresh_expires_in"] = max(int((before.expires_at - timezone.now()) / timedelta(seconds=1)), 0)
        response.content = json.dumps(answer).encode()
    _record(given.client_id, "platform-token-given", given, {"grant": request.POST["grant_type"]})
    return given


def _record(client_id: str, action: str, token: Token, facts: dict[str, Any]) -> None:
    """Tokens are the platform's affair; what it does for a subject by them is written down as that subject's."""
    details = facts | {"scopes": token.get_scopes()} | ({"account": token.user_id} if token.user_id else {})
    record_event(who=f"client:{client_id}", action=action, object_kind="platform", object_id=client_id, details=details)


def _authenticated(request: HttpRequest) -> Client | None:
    client_id, secret = extract_basic_auth(request.headers)
    if client_id is None:
        client_id, secret = request.POST.get("client_id", ""), request.POST.get("client_secret", "")
    found: Client | None = Client.objects.filter(pk=client_id).first()
    return found if found is not None and secret and found.check_secret(secret) else None


def _unknown_client() -> HttpResponse:
    response = oauth_error("invalid_client", "平台的编号或者密钥不对，请核对。", 401)
    response.headers["WWW-Authenticate"] = 'Basic realm="xinzheng"'
    return response

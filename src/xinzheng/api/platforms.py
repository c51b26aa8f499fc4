"""Platforms that call (接入平台): by a token they got as themselves, or for a person who let them."""

from dataclasses import dataclass
from http import HTTPStatus

from django.http import HttpRequest
from ninja.security import HttpBearer
from ninja.throttling import BaseThrottle

from xinzheng.api.callers import Body, check_body
from xinzheng.api.limits import WRONG_KEYS_PER_ADDRESS, count, count_for, seconds_left
from xinzheng.api.problems import ProblemError
from xinzheng.apps.accounts.models import Account, Platform
from xinzheng.apps.accounts.platform_tokens import actor_name, hindrance, recognise_token, token_holder
from xinzheng.apps.accounts.platforms import SCOPES
from xinzheng.apps.audit.refusals import note_caller

CHALLENGE = {"WWW-Authenticate": 'Bearer realm="xinzheng", error="invalid_token"'}


@dataclass(frozen=True)
class PlatformCaller:
    """The platform that calls; ``account`` is whom it acts for, None when it acts for itself."""

    platform: Platform
    account: Account | None
    scopes: frozenset[str]
    token_id: int

    @property
    def actor(self) -> str:
        """How entries, audit events and kept requests name the caller."""
        return actor_name(self.platform.pk, self.account)


class PlatformToken(HttpBearer):
    """Recognise the bearer token; then refuse a body of another type or size than the operation takes."""

    def __init__(self, body: Body | None = None) -> None:
        super().__init__()
        self._body = body

    def __call__(self, request: HttpRequest) -> PlatformCaller | None:
        """The caller, or None when no bearer token is shown; the header is never logged, whatever it holds."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != self.openapi_scheme or not token.strip():
            return None
        return self.authenticate(request, token.strip())

    def authenticate(self, request: HttpRequest, token: str) -> PlatformCaller:
        """The caller. Raises ProblemError; every token that opens nothing, and a unit's key, is told the same."""
        known = recognise_token(token)
        holder = token_holder(token) if known is None else actor_name(known.platform.pk, known.account)
        if holder is not None:
            note_caller(request, holder)
        if known is None:
            raise _refused(request)
        if known.account is not None:
            _refuse_hindered(known.account)
        if self._body is not None:
            check_body(request, self._body)
        return PlatformCaller(known.platform, known.account, known.scopes, known.token_id)


class PerPlatform(BaseThrottle):
    """Allow a platform its requests a minute and process, whoever they are for."""

    def allow_request(self, request: HttpRequest) -> bool:
        """Count the request of the platform that was recognised before."""
        platform = platform_caller(request).platform
        return count_for(request, f"platform:{platform.pk}", platform.per_minute, "platform")

    def wait(self) -> float | None:
        """Seconds until the next minute begins."""
        return float(seconds_left())


def platform_caller(request: HttpRequest) -> PlatformCaller:
    """The platform of a request that was let in."""
    caller = getattr(request, "auth", None)
    if not isinstance(caller, PlatformCaller):
        raise ProblemError(HTTPStatus.UNAUTHORIZED, "key-missing", "没有令牌。", headers=CHALLENGE)
    return caller


def require(caller: PlatformCaller, scope: str) -> None:
    """Refuse what the token was not given for. Raises ProblemError ``scope-missing``."""
    if scope not in caller.scopes:
        message = f"令牌没有“{SCOPES[scope]}”（{scope}）的权限；请取得含这一项的授权后再试。"
        headers = {"WWW-Authenticate": f'Bearer realm="xinzheng", error="insufficient_scope", scope="{scope}"'}
        raise ProblemError(HTTPStatus.FORBIDDEN, "scope-missing", message, headers=headers)


def acting_account(caller: PlatformCaller) -> Account:
    """Whom the platform acts for. Raises ProblemError ``on-behalf-required`` when it is nobody."""
    if caller.account is None:
        message = "这件事须代表用户办理；请用用户授权取得的令牌（授权码方式），不要用平台自己的令牌。"
        raise ProblemError(HTTPStatus.FORBIDDEN, "on-behalf-required", message)
    return caller.account


def _refuse_hindered(account: Account) -> None:
    found = hindrance(account)
    if found is not None:
        raise ProblemError(HTTPStatus.FORBIDDEN, *found)


def _refused(request: HttpRequest) -> ProblemError:
    used, wait = count(f"wrong:{request.META.get('REMOTE_ADDR', '')}")
    if used > WRONG_KEYS_PER_ADDRESS:
        message = f"这个网络地址出示无效令牌的次数太多，请在{wait}秒后再试。"
        headers = {"Retry-After": str(wait)}
        return ProblemError(HTTPStatus.TOO_MANY_REQUESTS, "too-many-wrong-keys", message, headers=headers)
    message = "令牌无效、已到期或者已收回；请重新取得令牌，用户收回了授权的，须由用户再次授权。"
    return ProblemError(HTTPStatus.UNAUTHORIZED, "token-refused", message, headers=CHALLENGE)

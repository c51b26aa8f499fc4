"""Who calls: a unit, known by the key its system shows; and whether what it sends may be read at all."""

from dataclasses import dataclass
from http import HTTPStatus

from django.http import HttpRequest
from ninja.security import HttpBearer

from xinzheng.api.limits import WRONG_KEYS_PER_ADDRESS, count
from xinzheng.api.problems import ProblemError
from xinzheng.apps.accounts.key_actions import recognise_key, shown_key
from xinzheng.apps.accounts.models import ApiKey
from xinzheng.apps.audit.refusals import note_caller
from xinzheng.apps.ledger.delivery import today_in_china
from xinzheng.apps.registry.models import Unit

CHALLENGE = {"WWW-Authenticate": 'Bearer realm="xinzheng"'}
MEBIBYTE = 1024 * 1024


@dataclass(frozen=True)
class Caller:
    """The key that was shown and the unit it speaks for."""

    key: ApiKey
    unit_id: int
    uscc: str

    @property
    def key_id(self) -> int:
        """The key's number."""
        return self.key.pk

    @property
    def actor(self) -> str:
        """How entries and audit events name the caller."""
        return self.key.actor


@dataclass(frozen=True)
class Body:
    """What a request may carry: one media type, at most so many bytes; looked at before a byte is read."""

    media_type: str
    max_bytes: int


class UnitKey(HttpBearer):
    """Recognise the bearer key; then refuse a body of another type or size than the operation takes."""

    def __init__(self, body: Body | None = None) -> None:
        super().__init__()
        self._body = body

    def __call__(self, request: HttpRequest) -> Caller | None:
        """The caller, or None when no bearer key is shown; the header is never logged, whatever it holds."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != self.openapi_scheme or not token.strip():
            return None
        return self.authenticate(request, token.strip())

    def authenticate(self, request: HttpRequest, token: str) -> Caller:
        """The caller. Raises ProblemError; a wrong key and a revoked one are told the same."""
        key = recognise_key(token, today=today_in_china())
        unit = None if key is None else Unit.objects.filter(pk=key.unit_id).first()
        shown = key or shown_key(token)
        if shown is not None:
            note_caller(request, shown.actor)
        if key is None or unit is None:
            raise _refused(request)
        if self._body is not None:
            check_body(request, self._body)
        return Caller(key, unit.pk, unit.uscc)


def caller_of(request: HttpRequest) -> Caller:
    """The caller of a request that was let in."""
    caller = getattr(request, "auth", None)
    if not isinstance(caller, Caller):
        raise ProblemError(HTTPStatus.UNAUTHORIZED, "key-missing", "没有密钥。", headers=CHALLENGE)
    return caller


def _refused(request: HttpRequest) -> ProblemError:
    used, wait = count(f"wrong:{request.META.get('REMOTE_ADDR', '')}")
    if used > WRONG_KEYS_PER_ADDRESS:
        message = f"这个网络地址出示无效密钥的次数太多，请在{wait}秒后再试。"
        headers = {"Retry-After": str(wait)}
        return ProblemError(HTTPStatus.TOO_MANY_REQUESTS, "too-many-wrong-keys", message, headers=headers)
    message = "密钥无效或者已经吊销，请核对；需要新密钥的，请联系系统管理员。"
    return ProblemError(HTTPStatus.UNAUTHORIZED, "key-refused", message, headers=CHALLENGE)


def check_body(request: HttpRequest, body: Body) -> None:
    """Refuse, before a byte is read, a body of another type or size than ``body`` allows. Raises ProblemError."""
    if request.content_type != body.media_type:
        message = f"请以 {body.media_type} 发送。"
        raise ProblemError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "media-type-unsupported", message)
    length = str(request.META.get("CONTENT_LENGTH") or "")
    if not length.isdecimal():
        raise ProblemError(HTTPStatus.LENGTH_REQUIRED, "length-required", "请写明 Content-Length，不要分块发送。")
    if int(length) > body.max_bytes:
        said = f"{body.max_bytes // MEBIBYTE} MB" if body.max_bytes >= MEBIBYTE else f"{body.max_bytes // 1024} KB"
        message = f"请求超过{said}，请拆开后分别发送。"
        raise ProblemError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "request-too-large", message)

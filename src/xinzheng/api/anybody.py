"""Operations that anybody may call, with a key, a platform's token or neither: who asks, and how often they may."""

from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest
from ninja.throttling import BaseThrottle

from xinzheng.api.callers import Body, Caller, UnitKey, check_body
from xinzheng.api.limits import PER_KEY, count_for, seconds_left
from xinzheng.api.platforms import PerPlatform, PlatformCaller, PlatformToken, require
from xinzheng.apps.accounts.key_actions import is_key_shaped
from xinzheng.apps.reports.looks import PUBLIC, by_client, by_key

VERIFY = "verify"


@dataclass(frozen=True)
class Visitor:
    """Who asks without a key, known by nothing but the address that limits count by."""

    address: str


class Anybody:
    """Let in whoever comes, after a look at what they send; a key or token that is shown has to be a good one."""

    def __init__(self, body: Body) -> None:
        self._body = body
        self._key = UnitKey(body)
        self._token = PlatformToken(body)

    def __call__(self, request: HttpRequest) -> Caller | PlatformCaller | Visitor | None:
        """The caller or visitor; a header that is no bearer key is refused, not passed over.

        Raises ProblemError ``scope-missing``: the platform was not let to verify.
        """
        shown = str(request.META.get("HTTP_AUTHORIZATION", ""))
        if shown and not is_key_shaped(shown.partition(" ")[2].strip()):
            platform = self._token(request)
            if platform is not None:
                require(platform, VERIFY)
            return platform
        if shown:
            return self._key(request)
        check_body(request, self._body)
        return Visitor(str(request.META.get("REMOTE_ADDR", "")))


def asked_by(request: HttpRequest) -> str:
    """How a look names who asked."""
    caller = getattr(request, "auth", None)
    if isinstance(caller, PlatformCaller):
        return by_client(caller.platform.pk)
    return by_key(caller.key_id) if isinstance(caller, Caller) else PUBLIC


class PerVisitor(BaseThrottle):
    """So many requests a minute and process: few for an address without a key, more with one."""

    def __init__(self, name: str, per_minute: int | None = None) -> None:
        self._name = name
        self._per_minute = per_minute

    def allow_request(self, request: HttpRequest) -> bool:
        """Count the request under the key or the address."""
        caller = getattr(request, "auth", None)
        if isinstance(caller, Caller):
            return count_for(request, f"key:{caller.key_id}", PER_KEY, "key")
        if isinstance(caller, PlatformCaller):
            return PerPlatform().allow_request(request)
        limit = self._per_minute or settings.XINZHENG_VERIFY_PER_MINUTE
        return count_for(request, f"{self._name}:{getattr(caller, 'address', '')}", limit, "address")

    def wait(self) -> float | None:
        """Seconds until the next minute begins."""
        return float(seconds_left())

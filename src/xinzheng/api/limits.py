"""How often a key may ask, and how often an address may come with a key that is none; a minute at a time."""

import time
from dataclasses import dataclass

from django.core.cache import cache
from django.http import HttpRequest
from ninja.throttling import BaseThrottle

WINDOW_SECONDS = 60
PER_KEY = 120
WRONG_KEYS_PER_ADDRESS = 30
NOTED = "_xinzheng_standing"


@dataclass(frozen=True)
class Standing:
    """How a limit stands: how many of how many are left, and after how many seconds all are there again."""

    limit: int
    left: int
    reset_seconds: int


class PerKey(BaseThrottle):
    """Allow a key so many requests a minute and process (limits of the ``RateLimit`` draft)."""

    def allow_request(self, request: HttpRequest) -> bool:
        """Count the request of the key that was recognised before."""
        used, reset_seconds = count(f"key:{getattr(request, 'auth').key_id}")  # noqa: B009  set by ninja, unknown to types
        setattr(request, NOTED, Standing(PER_KEY, max(PER_KEY - used, 0), reset_seconds))
        return used <= PER_KEY

    def wait(self) -> float | None:
        """Seconds until the next minute begins."""
        return float(_seconds_left())


def limit_headers(request: HttpRequest) -> dict[str, str]:
    """``RateLimit`` and ``RateLimit-Policy`` of a counted request (draft-ietf-httpapi-ratelimit-headers-10)."""
    standing: Standing | None = getattr(request, NOTED, None)
    if standing is None:
        return {}
    return {
        "RateLimit-Policy": f'"key";q={standing.limit};w={WINDOW_SECONDS}',
        "RateLimit": f'"key";r={standing.left};t={standing.reset_seconds}',
    }


def count(name: str) -> tuple[int, int]:
    """Count one more under the name; how many there are in this minute, and the seconds until the next."""
    key = f"interface:{name}:{int(time.time()) // WINDOW_SECONDS}"
    if cache.add(key, 1, timeout=WINDOW_SECONDS * 2):
        return 1, _seconds_left()
    try:
        return int(cache.incr(key)), _seconds_left()
    except ValueError:  # it ran out between the two calls
        return 1, _seconds_left()


def _seconds_left() -> int:
    return WINDOW_SECONDS - int(time.time()) % WINDOW_SECONDS
